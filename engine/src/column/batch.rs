//! Rows in, an Arrow batch of the columns of a query out.
//!
//! There is one array builder per column. Short text is copied; bodies, the bulk of a log, stay
//! where they are: their arrays point into the chunk of input that they were read from
//! ([`BatchBuilder::chunk`]). Not responsible for: what a column holds (`rules`).

use std::{borrow::Cow, sync::Arc};

use datafusion::{
    arrow::{
        array::{
            ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int32Builder, Int64Builder,
            ListBuilder, MapBuilder, RecordBatch, RecordBatchOptions, StringBuilder,
            StringViewBuilder, TimestampMicrosecondBuilder,
        },
        buffer::Buffer,
        datatypes::{DataType, Field, SchemaRef},
        error::ArrowError,
    },
    common::HashMap,
};

use crate::column::{Fill, Row, fill};
use crate::json::{Text, Value, elements, members};

/// Collects rows into batches of one schema.
pub(crate) struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<BatchColumn>,
    rows: usize,
    /// The chunk of input that the rows lie in that are being pushed.
    chunk: Option<Buffer>,
    /// Bytes of the chunks that the rows so far keep alive, at most.
    borrowed: usize,
}

/// One column's rule and its array so far.
struct BatchColumn {
    fill: Fill,
    array: Array,
}

enum Array {
    Text(StringViewBuilder),
    /// Text that points into chunks; `block` is the index of the current chunk among the array's
    /// buffers.
    Borrowed {
        views: StringViewBuilder,
        block: Option<u32>,
    },
    List(ListBuilder<StringBuilder>),
    Map(MapBuilder<StringBuilder, StringBuilder>),
    MapOfLists(MapBuilder<StringBuilder, ListBuilder<StringBuilder>>),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
}

impl BatchBuilder {
    /// A builder for batches of `schema`, a projection of `events`.
    ///
    /// # Errors
    ///
    /// When `schema` names a column that no rule fills.
    pub(crate) fn new(schema: SchemaRef) -> Result<Self, ArrowError> {
        let columns = schema.fields().iter().map(|field| {
            let fill = fill(field.name()).ok_or_else(|| {
                ArrowError::SchemaError(format!("no rule fills the column `{}`", field.name()))
            })?;
            Ok(BatchColumn {
                fill,
                array: Array::new(fill, field.data_type()),
            })
        });
        let columns = columns.collect::<Result<_, ArrowError>>()?;
        Ok(Self {
            schema,
            columns,
            rows: 0,
            chunk: None,
            borrowed: 0,
        })
    }

    /// From now on rows lie in `chunk`: what is borrowed points into it and keeps it alive. With
    /// `None` nothing is borrowed any more.
    pub(crate) fn chunk(&mut self, chunk: Option<Buffer>) {
        let mut borrows = false;
        for column in &mut self.columns {
            if let Array::Borrowed { block, .. } = &mut column.array {
                *block = None;
                borrows = true;
            }
        }
        if let Some(chunk) = chunk.as_ref().filter(|_| borrows) {
            self.borrowed += chunk.len();
        }
        self.chunk = chunk;
    }

    /// Are there so many rows, or rows so long, that they should be a batch?
    pub(crate) const fn is_full(&self, rows: usize, bytes: usize) -> bool {
        self.rows > 0 && (self.rows >= rows || self.borrowed >= bytes)
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: &Row<'_, '_>) -> Result<(), ArrowError> {
        for column in &mut self.columns {
            column.array.push(column.fill, row, self.chunk.as_ref())?;
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows so far as a batch; the builder is empty afterwards.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let arrays = self
            .columns
            .iter_mut()
            .map(|column| column.array.finish())
            .collect();
        self.borrowed = 0;
        let options =
            RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}

impl Array {
    fn new(fill: Fill, data_type: &DataType) -> Self {
        match fill {
            Fill::Text(_) | Fill::Made(_) => {
                Self::Text(StringViewBuilder::new().with_fixed_block_size(64 * 1024))
            }
            Fill::Json(_) => Self::Borrowed {
                views: StringViewBuilder::new(),
                block: None,
            },
            Fill::List(_) => Self::List(ListBuilder::new(StringBuilder::new())),
            Fill::Map(_) => {
                let (key, value) = entry_fields(data_type);
                let builder =
                    MapBuilder::new(Some(names()), StringBuilder::new(), StringBuilder::new());
                Self::Map(builder.with_keys_field(key).with_values_field(value))
            }
            Fill::MapOfLists(_) => {
                let (key, value) = entry_fields(data_type);
                let lists = ListBuilder::new(StringBuilder::new());
                let builder = MapBuilder::new(Some(names()), StringBuilder::new(), lists);
                Self::MapOfLists(builder.with_keys_field(key).with_values_field(value))
            }
            Fill::Int32(_) => Self::Int32(Int32Builder::new()),
            Fill::Int64(_) => Self::Int64(Int64Builder::new()),
            Fill::Float64(_) => Self::Float64(Float64Builder::new()),
            Fill::Boolean(_) => Self::Boolean(BooleanBuilder::new()),
            Fill::Timestamp(_) => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            Fill::Date(_) => Self::Date(Date32Builder::new()),
        }
    }

    #[inline]
    fn push(
        &mut self,
        fill: Fill,
        row: &Row<'_, '_>,
        chunk: Option<&Buffer>,
    ) -> Result<(), ArrowError> {
        match (self, fill) {
            (Self::Text(array), Fill::Text(of)) => match of(row) {
                Some(text) => match text.plain() {
                    Some(plain) => array.append_value(plain),
                    None => array.append_value(text.decode()),
                },
                None => array.append_null(),
            },
            (Self::Text(array), Fill::Made(of)) => array.append_option(of(row)),
            (Self::Borrowed { views, block }, Fill::Json(of)) => match of(row) {
                Some(value) => borrow(views, block, value.raw, chunk)?,
                None => views.append_null(),
            },
            (Self::List(array), Fill::List(of)) => append_list(array, of(row)),
            (Self::Map(array), Fill::Map(of)) => append_map(array, of(row))?,
            (Self::MapOfLists(array), Fill::MapOfLists(of)) => append_map_of_lists(array, of(row))?,
            (Self::Int32(array), Fill::Int32(of)) => array.append_option(of(row)),
            (Self::Int64(array), Fill::Int64(of)) => array.append_option(of(row)),
            (Self::Float64(array), Fill::Float64(of)) => array.append_option(of(row)),
            (Self::Boolean(array), Fill::Boolean(of)) => array.append_option(of(row)),
            (Self::Timestamp(array), Fill::Timestamp(of)) => array.append_option(of(row)),
            (Self::Date(array), Fill::Date(of)) => array.append_option(of(row)),
            _ => {
                return Err(ArrowError::SchemaError(
                    "a column's rule and array differ".to_owned(),
                ));
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(array) => Arc::new(array.finish()),
            Self::Borrowed { views, block } => {
                *block = None;
                Arc::new(views.finish())
            }
            Self::List(array) => Arc::new(array.finish()),
            Self::Map(array) => Arc::new(array.finish()),
            Self::MapOfLists(array) => Arc::new(array.finish()),
            Self::Int32(array) => Arc::new(array.finish()),
            Self::Int64(array) => Arc::new(array.finish()),
            Self::Float64(array) => Arc::new(array.finish()),
            Self::Boolean(array) => Arc::new(array.finish()),
            Self::Timestamp(array) => Arc::new(array.finish()),
            Self::Date(array) => Arc::new(array.finish()),
        }
    }
}

/// Appends a view of `text` where it lies in the chunk; a copy where it lies elsewhere (an
/// unwrapped envelope).
fn borrow(
    views: &mut StringViewBuilder,
    block: &mut Option<u32>,
    text: &str,
    chunk: Option<&Buffer>,
) -> Result<(), ArrowError> {
    let inside = chunk.and_then(|chunk| {
        let offset = (text.as_ptr() as usize).checked_sub(chunk.as_ptr() as usize)?;
        (offset + text.len() <= chunk.len()).then_some((chunk, offset))
    });
    match inside {
        Some((chunk, offset)) if text.len() > 12 => {
            let index = match *block {
                Some(index) => index,
                None => *block.insert(views.append_block(chunk.clone())),
            };
            views.try_append_view(index, offset as u32, text.len() as u32)
        }
        _ => {
            // The next `append_block` flushes the builder's own block, so the index of the chunk stays
            // the same.
            views.append_value(text);
            Ok(())
        }
    }
}

fn names() -> datafusion::arrow::array::MapFieldNames {
    datafusion::arrow::array::MapFieldNames {
        entry: "key_value".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    }
}

/// The fields of a map type's key and value.
fn entry_fields(map: &DataType) -> (Arc<Field>, Arc<Field>) {
    let none = || Arc::new(Field::new("none", DataType::Null, true));
    let DataType::Map(entries, _) = map else {
        return (none(), none());
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return (none(), none());
    };
    let field = |index: usize| fields.get(index).map_or_else(none, Arc::clone);
    (field(0), field(1))
}

fn append_text(array: &mut StringBuilder, text: Text<'_>) {
    match text.plain() {
        Some(plain) => array.append_value(plain),
        None => array.append_value(text.decode()),
    }
}

fn append_list(array: &mut ListBuilder<StringBuilder>, value: Option<Value<'_>>) {
    if let Some(value) = value {
        for text in elements(value).filter_map(Value::text) {
            append_text(array.values(), text);
        }
    }
    array.append(value.is_some());
}

fn append_map(
    array: &mut MapBuilder<StringBuilder, StringBuilder>,
    value: Option<Value<'_>>,
) -> Result<(), ArrowError> {
    if let Some(value) = value {
        for (key, value) in map_entries(value.raw, |value| value.text()) {
            append_text(array.keys(), key);
            append_text(array.values(), value);
        }
    }
    array.append(value.is_some())
}

fn append_map_of_lists(
    array: &mut MapBuilder<StringBuilder, ListBuilder<StringBuilder>>,
    value: Option<Value<'_>>,
) -> Result<(), ArrowError> {
    if let Some(value) = value {
        let is_list = |value: Value<'_>| elements(value).all(|element| element.text().is_some());
        let lists = map_entries(value.raw, |value| {
            (value.raw.starts_with('[') && is_list(value)).then_some(value)
        });
        for (key, list) in lists {
            append_text(array.keys(), key);
            append_list(array.values(), Some(list));
        }
    }
    array.append(value.is_some())
}

/// The entries that a map column holds: the last of duplicate keys, and only values of the right
/// kind.
pub(crate) fn map_entries<'a, T: Copy>(
    raw: &'a str,
    kind: impl Fn(Value<'a>) -> Option<T>,
) -> Vec<(Text<'a>, T)> {
    let all: Vec<_> = members(raw).collect();
    let unique = all.len() <= 16
        && !all
            .iter()
            .enumerate()
            .any(|(i, (a, _))| all[..i].iter().any(|(b, _)| a.raw() == b.raw()))
        && all.iter().all(|(name, _)| name.plain().is_some());
    let last: HashMap<Cow<'a, str>, usize> = if unique {
        HashMap::new()
    } else {
        all.iter()
            .enumerate()
            .map(|(index, (name, _))| (name.identity(), index))
            .collect()
    };
    all.iter()
        .enumerate()
        .filter(|(index, (name, _))| {
            unique || (name.is_exact() && last.get(&name.identity()) == Some(index))
        })
        .filter_map(|(_, &(name, value))| Some((name, kind(value)?)))
        .collect()
}
