//! What there is to ask about: tables, columns, functions, saved queries and log formats, listed
//! as rows or found by name. The commands and the shell share it.
//!
//! Everything comes from the engine's own lists; nothing here knows a name.

mod formats;
mod queries;
mod tables;

use std::sync::Arc;

use anyhow::Result;
use auditql_engine::arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};

pub(crate) use formats::formats;
pub(crate) use queries::{
    describe, find_query, queries, queries_about, warn_not_evaluable, write_by_pack,
};
pub(crate) use tables::{columns, functions, table_names, tables};

use crate::{output::Output, run::write_batch, settings::Settings};

/// Rows of text under named columns.
pub(crate) struct Listing {
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

impl Listing {
    /// Only these of the columns.
    pub(crate) fn only(self, columns: &'static [&'static str]) -> Self {
        let places: Vec<Option<usize>> = columns
            .iter()
            .map(|name| self.columns.iter().position(|column| column == name))
            .collect();
        let cells = |row: &Vec<String>| {
            let cells = places.iter();
            cells
                .map(|place| place.and_then(|place| row.get(place)).cloned())
                .map(Option::unwrap_or_default)
                .collect()
        };
        Self {
            rows: self.rows.iter().map(cells).collect(),
            columns,
        }
    }

    /// Writes the rows to stdout.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub(crate) fn write(&self, output: &dyn Output, settings: &Settings) -> Result<()> {
        write_batch(&self.batch()?, output, settings)
    }

    fn batch(&self) -> Result<RecordBatch> {
        let fields = self.columns.iter();
        let fields = fields.map(|name| Field::new(*name, DataType::Utf8, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrays = (0..self.columns.len()).map(|index| {
            let cells = self.rows.iter();
            let cells = cells.map(|row| row.get(index).map(String::as_str));
            Arc::new(cells.collect::<StringArray>()) as ArrayRef
        });
        Ok(RecordBatch::try_new(schema, arrays.collect())?)
    }
}
