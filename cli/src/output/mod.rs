//! Rows in, text or bytes out: one file per output format, all behind [`Output`]. [`OUTPUTS`] is the
//! list that `-o`, `.mode`, help and tests iterate over.
//!
//! Not responsible for where the rows come from, nor for stdout.

mod arrow;
mod cell;
mod csv;
mod json;
mod layout;
mod line;
mod markdown;
mod parquet;
mod screen;
mod table;
mod yaml;

pub(crate) use cell::write_json;
pub(crate) use markdown::cell_of as markdown_text;

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};

use crate::text::unknown;

/// A way to write rows.
pub(crate) trait Output: Sync {
    /// What `-o` calls it.
    fn name(&self) -> &'static str;
    /// What it looks like, for help.
    fn doc(&self) -> &'static str;
    /// Is it text, so that a terminal can show it?
    fn is_text(&self) -> bool {
        true
    }
    /// Begins a result with these columns.
    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        view: View<'_>,
    ) -> Result<Box<dyn Rows + 'w>>;
}

/// Who reads the output.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct View<'v> {
    /// Columns of the terminal; `None` for a file or a pipe, where nothing is cut.
    pub(crate) width: Option<usize>,
    /// The columns of the result that matter most, the first before the others.
    pub(crate) ranked: &'v [String],
}

/// A result while it is written.
pub(crate) trait Rows {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Writes what has to follow the last row.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Every output format.
pub(crate) static OUTPUTS: &[&dyn Output] = &[
    &table::TableOutput,
    &line::LineOutput,
    &csv::CsvOutput {
        name: "csv",
        doc: "Comma-separated values with a header; formulas are escaped",
        delimiter: b',',
    },
    &csv::CsvOutput {
        name: "tsv",
        doc: "Tab-separated values with a header; formulas are escaped",
        delimiter: b'\t',
    },
    &json::JsonOutput {
        name: "json",
        doc: "One array of objects",
        array: true,
    },
    &json::JsonOutput {
        name: "jsonl",
        doc: "One object per line",
        array: false,
    },
    &markdown::MarkdownOutput,
    &yaml::YamlOutput,
    &arrow::ArrowOutput,
    &parquet::ParquetOutput,
];

/// The output called `name`.
///
/// # Errors
///
/// When there is none; the message names the one that was probably meant.
pub(crate) fn find(name: &str) -> Result<&'static dyn Output> {
    among(name, OUTPUTS.iter().copied())
}

/// The output called `name`, if a terminal can show it.
///
/// # Errors
///
/// As [`find`].
pub(crate) fn find_text(name: &str) -> Result<&'static dyn Output> {
    among(name, text_outputs())
}

/// Every output format that a terminal can show.
pub(crate) fn text_outputs() -> impl Iterator<Item = &'static dyn Output> {
    OUTPUTS.iter().copied().filter(|output| output.is_text())
}

fn among(
    name: &str,
    outputs: impl Iterator<Item = &'static dyn Output>,
) -> Result<&'static dyn Output> {
    let outputs: Vec<_> = outputs.collect();
    let names: Vec<_> = outputs.iter().map(|output| output.name()).collect();
    let found = outputs.iter().find(|output| output.name() == name);
    found.copied().ok_or_else(|| {
        let known = format!("known formats: {}", names.join(", "));
        anyhow::Error::msg(unknown("output format", name, names, &known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_by_name() {
        assert!(OUTPUTS.iter().all(|output| find(output.name()).is_ok()));
        assert!(find_text("table").is_ok() && find_text("parquet").is_err());
        let said = |name| find_text(name).err().map(|error| error.to_string());
        assert_eq!(
            said("jsno").as_deref(),
            Some("unknown output format `jsno`; did you mean `json`?")
        );
        assert_eq!(
            said("x").as_deref(),
            Some(
                "unknown output format `x`; known formats: table, line, csv, tsv, json, jsonl, markdown, yaml"
            )
        );
    }
}
