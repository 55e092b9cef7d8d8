//! Rows of plain cells in, a batch of a schema of our own out: for small tables whose rows are
//! answers, not events.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    StringViewBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::error::ArrowError;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'c> {
    /// NULL of any type.
    Null,
    Text(Cow<'c, str>),
    Number(i64),
    Flag(bool),
    /// Microseconds since the epoch.
    Time(i64),
    Texts(Vec<Cow<'c, str>>),
}

impl<'c> From<&'c str> for Cell<'c> {
    fn from(text: &'c str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'c> From<&'c String> for Cell<'c> {
    fn from(text: &'c String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Cell<'_> {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Cell<'_> {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<bool> for Cell<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<'c> From<&'c [String]> for Cell<'c> {
    fn from(texts: &'c [String]) -> Self {
        Self::Texts(texts.iter().map(|text| Cow::Borrowed(&**text)).collect())
    }
}

impl<'c, T: Into<Cell<'c>>> From<Option<T>> for Cell<'c> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of one column so far.
enum CellColumn {
    Text(StringViewBuilder),
    Number(Int64Builder),
    Flag(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Texts(ListBuilder<StringBuilder>),
}

impl CellColumn {
    fn of(data_type: &DataType) -> Result<Self, ArrowError> {
        Ok(match data_type {
            DataType::Utf8View => Self::Text(StringViewBuilder::new()),
            DataType::Int64 => Self::Number(Int64Builder::new()),
            DataType::Boolean => Self::Flag(BooleanBuilder::new()),
            DataType::Timestamp(..) => {
                Self::Time(TimestampMicrosecondBuilder::new().with_data_type(data_type.clone()))
            }
            DataType::List(_) => Self::Texts(ListBuilder::new(StringBuilder::new())),
            other => {
                let message = format!("no cells of type {other}");
                return Err(ArrowError::SchemaError(message));
            }
        })
    }

    /// Appends a value; one of another type is NULL, which the tests of each table would show.
    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Self::Text(out), Cell::Text(text)) => out.append_value(text),
            (Self::Text(out), _) => out.append_null(),
            (Self::Number(out), Cell::Number(number)) => out.append_value(number),
            (Self::Number(out), _) => out.append_null(),
            (Self::Flag(out), Cell::Flag(flag)) => out.append_value(flag),
            (Self::Flag(out), _) => out.append_null(),
            (Self::Time(out), Cell::Time(time)) => out.append_value(time),
            (Self::Time(out), _) => out.append_null(),
            (Self::Texts(out), Cell::Texts(texts)) => {
                texts
                    .iter()
                    .for_each(|text| out.values().append_value(text));
                out.append(true);
            }
            (Self::Texts(out), _) => out.append(false),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut out) => Arc::new(out.finish()),
            Self::Number(mut out) => Arc::new(out.finish()),
            Self::Flag(mut out) => Arc::new(out.finish()),
            Self::Time(mut out) => Arc::new(out.finish()),
            Self::Texts(mut out) => Arc::new(out.finish()),
        }
    }
}

/// A batch that is being filled.
pub(crate) struct CellRows {
    schema: SchemaRef,
    columns: Vec<CellColumn>,
}

impl CellRows {
    /// Without rows.
    ///
    /// # Errors
    ///
    /// When a column has a type that no cell has.
    pub(crate) fn new(schema: SchemaRef) -> Result<Self, ArrowError> {
        let fields = schema.fields().iter();
        let columns = fields.map(|field| CellColumn::of(field.data_type()));
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            schema,
        })
    }

    /// Appends a row: a cell for each column, in order.
    pub(crate) fn push<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
    }

    /// The batch.
    ///
    /// # Errors
    ///
    /// When rows had too few cells.
    pub(crate) fn finish(self) -> Result<RecordBatch, ArrowError> {
        let columns = self.columns.into_iter().map(CellColumn::finish).collect();
        RecordBatch::try_new(self.schema, columns)
    }
}
