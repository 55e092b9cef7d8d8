//! Columns of lists of structs: counts per row and flat columns of fields in, one Arrow array out.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, ListArray, ListBuilder, StringBuilder, StructArray},
        buffer::{NullBuffer, OffsetBuffer},
        datatypes::{DataType, Field, Fields},
    },
    error::Result,
};

/// How many structs each row has. The structs themselves are built field by field.
pub(super) struct StructLists {
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl StructLists {
    pub(super) fn new() -> Self {
        Self {
            offsets: vec![0],
            valid: Vec::new(),
        }
    }

    /// Adds a row. `None` is NULL.
    pub(super) fn row(&mut self, structs: Option<usize>) {
        let last = self.offsets.last().copied().unwrap_or(0);
        self.offsets.push(last + structs.unwrap_or(0) as i32);
        self.valid.push(structs.is_some());
    }

    /// The array, from the columns of all structs.
    pub(super) fn finish(self, fields: Fields, columns: Vec<ArrayRef>) -> Result<ArrayRef> {
        let structs = StructArray::try_new(fields.clone(), columns, None)?;
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
        let nulls = NullBuffer::from(self.valid);
        Ok(Arc::new(ListArray::try_new(
            item,
            OffsetBuffer::new(self.offsets.into()),
            Arc::new(structs),
            Some(nulls),
        )?))
    }
}

/// A list of structs with these fields.
pub(super) fn list_of(fields: Fields) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(
        DataType::Struct(fields),
        true,
    )))
}

pub(super) fn text_fields(names: &[&str]) -> Fields {
    names
        .iter()
        .map(|name| Field::new(*name, DataType::Utf8, true))
        .collect()
}

/// Adds a list of texts. `None` is NULL.
pub(super) fn append_texts(builder: &mut ListBuilder<StringBuilder>, texts: Option<Vec<String>>) {
    match texts {
        Some(texts) => {
            for text in texts {
                builder.values().append_value(text);
            }
            builder.append(true);
        }
        None => builder.append(false),
    }
}
