//! Rows with typed columns: values in, one batch out.

use std::sync::Arc;

use anyhow::Result;
use auditql_engine::arrow::{
    array::{
        ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, ListBuilder, RecordBatch,
        StringArray, StringBuilder,
    },
    datatypes::{Field, Schema},
};

/// Columns of one length.
#[derive(Debug, Default)]
pub(super) struct ColumnSet {
    columns: Vec<(&'static str, ArrayRef)>,
}

impl ColumnSet {
    pub(super) fn texts<'t>(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = Option<&'t str>>,
    ) -> Self {
        self.with(name, Arc::new(values.into_iter().collect::<StringArray>()))
    }

    pub(super) fn numbers(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = Option<u64>>,
    ) -> Self {
        let values = values.into_iter();
        let values = values.map(|value| value.and_then(|value| i64::try_from(value).ok()));
        self.with(name, Arc::new(values.collect::<Int64Array>()))
    }

    pub(super) fn shares(self, name: &'static str, values: impl IntoIterator<Item = f64>) -> Self {
        let values = values.into_iter().map(Some);
        self.with(name, Arc::new(values.collect::<Float64Array>()))
    }

    pub(super) fn flags(self, name: &'static str, values: impl IntoIterator<Item = bool>) -> Self {
        let values = values.into_iter().map(Some);
        self.with(name, Arc::new(values.collect::<BooleanArray>()))
    }

    pub(super) fn lists(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = Vec<String>>,
    ) -> Self {
        self.with(name, Arc::new(list_array(values)))
    }

    pub(super) fn with(mut self, name: &'static str, array: ArrayRef) -> Self {
        self.columns.push((name, array));
        self
    }

    /// # Errors
    ///
    /// When the columns differ in length.
    pub(super) fn batch(self) -> Result<RecordBatch> {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect();
        let arrays = self.columns.into_iter().map(|(_, array)| array).collect();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
    }
}

/// Lists of text.
pub(super) fn list_array(values: impl IntoIterator<Item = Vec<String>>) -> ListArray {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for list in values {
        for value in list {
            lists.values().append_value(value);
        }
        lists.append(true);
    }
    lists.finish()
}
