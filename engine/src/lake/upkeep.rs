//! What upkeep did to the days of a lake: rows in, a batch for the command line out; and what its
//! commands share.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray},
    datatypes::{Field, Schema},
};
use deltalake::kernel::Add;

use crate::error::{Error, Result};
use crate::lake::delta::{TableSnapshot, data_file};
use crate::lake::root::{EVENTS, Root};

/// It was done.
pub(crate) const DONE: &str = "yes";
/// It was not done; the message says why.
pub(crate) const NOT_DONE: &str = "no";
/// It would have been done.
pub(crate) const DRY_RUN: &str = "dry run";

/// What became of the files of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Upkeep {
    pub(crate) table: &'static str,
    /// The partition's day; none of rows without a time, and of a table without partitions.
    pub(crate) date: Option<String>,
    pub(crate) files_before: u64,
    pub(crate) files_after: u64,
    pub(crate) bytes_before: u64,
    pub(crate) bytes_after: u64,
    /// Rows that were written anew or let go; `None` when the log does not say.
    pub(crate) rows: Option<u64>,
    pub(crate) done: &'static str,
    pub(crate) message: String,
}

/// The rows as a batch, in their order.
///
/// # Errors
///
/// Never: the columns have the types of the schema.
pub(crate) fn batch(rows: &[Upkeep]) -> Result<RecordBatch> {
    let number = |value: fn(&Upkeep) -> u64| numbers(rows.iter().map(|row| Some(value(row))));
    table([
        ("table", texts(rows.iter().map(|row| Some(row.table)))),
        ("date", texts(rows.iter().map(|row| row.date.as_deref()))),
        ("files_before", number(|row| row.files_before)),
        ("files_after", number(|row| row.files_after)),
        ("bytes_before", number(|row| row.bytes_before)),
        ("bytes_after", number(|row| row.bytes_after)),
        ("rows", numbers(rows.iter().map(|row| row.rows))),
        ("done", texts(rows.iter().map(|row| Some(row.done)))),
        (
            "message",
            texts(rows.iter().map(|row| Some(row.message.as_str()))),
        ),
    ])
}

/// A column of texts.
pub(crate) fn texts<'t>(values: impl Iterator<Item = Option<&'t str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

/// A column of counts.
pub(crate) fn numbers(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(
        values
            .map(|value| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
            .collect::<Int64Array>(),
    )
}

/// Columns as a batch; all of them may be NULL, whatever rows there are.
pub(crate) fn table<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<RecordBatch> {
    let field =
        |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    Ok(RecordBatch::try_new(
        Arc::new(schema),
        columns.into_iter().map(|(_, column)| column).collect(),
    )?)
}

/// A table of a lake. A lake without events is none; the other tables may be missing.
///
/// # Errors
///
/// When there is no lake, or it cannot be read.
pub(crate) async fn open(root: &Root, name: &'static str) -> Result<Option<TableSnapshot>> {
    match TableSnapshot::open(root, name).await? {
        None if name == EVENTS => Err(Error::input(
            &root.shown,
            "there is no lake; `auditql convert -i … --to` makes one",
        )),
        table => Ok(table),
    }
}

/// Bytes of files.
pub(crate) fn bytes_of<'a>(files: impl IntoIterator<Item = &'a Add>) -> u64 {
    files
        .into_iter()
        .map(|file| u64::try_from(file.size).unwrap_or(0))
        .sum()
}

/// Rows of files, when the log says of each.
pub(crate) fn rows_of<'a>(files: impl IntoIterator<Item = &'a Add>) -> Option<u64> {
    files.into_iter().map(|file| data_file(file).rows).sum()
}

/// Can these files be removed from the log? A path is written there as a URI, and has to be spelled
/// as it was added: what others encode in their own way is left to them. Removed under another
/// spelling its rows would stay.
///
/// # Errors
///
/// When one cannot.
pub(crate) fn check_names(table: &TableSnapshot, files: &[Add]) -> Result<()> {
    let is_plain = |path: &str| {
        path.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.=/".contains(&byte))
            && !path.starts_with('/')
    };
    match files.iter().find(|file| !is_plain(&file.path)) {
        None => Ok(()),
        Some(file) => {
            let message = format!(
                "table {}: another tool made the file {}; change it with that tool",
                table.name, file.path
            );
            Err(Error::input(&table.root.shown, message))
        }
    }
}

#[cfg(test)]
mod tests;
