//! Rows out: one file an output format, all behind [`Output`]; [`OUTPUTS`] is the list that `-o`,
//! `.mode`, help and tests iterate over.

mod arrow;
mod cell;
mod csv;
mod json;
mod line;
mod markdown;
mod parquet;
mod table;
mod yaml;

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};

/// A way to write rows.
pub(crate) trait Output: Sync {
    /// What `-o` calls it.
    fn name(&self) -> &'static str;
    /// What it is for.
    fn doc(&self) -> &'static str;
    /// Begins a result with these columns.
    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        view: View,
    ) -> Result<Box<dyn Rows + 'w>>;
}

/// Who reads the output.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct View {
    /// Columns of the terminal; `None` when it is a file or a pipe, and nothing is cut.
    pub(crate) width: Option<usize>,
}

/// A result while it is written.
pub(crate) trait Rows {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Writes what has to follow the last row.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Every output format.
pub(crate) static OUTPUTS: &[&dyn Output] = &[
    &table::Table,
    &line::Line,
    &csv::Csv {
        name: "csv",
        doc: "comma-separated values with a header; formulas are neutralised",
        delimiter: b',',
    },
    &csv::Csv {
        name: "tsv",
        doc: "tab-separated values with a header; formulas are neutralised",
        delimiter: b'\t',
    },
    &json::Json {
        name: "json",
        doc: "one array of objects; every column in every row",
        array: true,
    },
    &json::Json {
        name: "jsonl",
        doc: "one object a line; every column in every row",
        array: false,
    },
    &markdown::Markdown,
    &yaml::Yaml,
    &arrow::Arrow,
    &parquet::Parquet,
];

/// The output called `name`.
pub(crate) fn find(name: &str) -> Option<&'static dyn Output> {
    OUTPUTS.iter().copied().find(|output| output.name() == name)
}
