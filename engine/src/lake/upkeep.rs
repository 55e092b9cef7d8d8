//! What upkeep did to the partitions of a lake, as data and as rows; and what its commands share.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Field, Schema};
use deltalake::kernel::Add;

use crate::error::{Error, Result};
use crate::lake::delta::{TableSnapshot, data_file};
use crate::lake::root::{EVENTS, LakeRoot};

/// What upkeep did to the files of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionUpkeep {
    /// The table.
    pub table: &'static str,
    /// The day of the partition; `None` for rows without a time, and for a table without
    /// partitions.
    pub date: Option<String>,
    /// Files before.
    pub files_before: u64,
    /// Files after.
    pub files_after: u64,
    /// Bytes of the files before.
    pub bytes_before: u64,
    /// Bytes of the files after.
    pub bytes_after: u64,
    /// Rows that were rewritten or removed; `None` when the log does not say.
    pub rows: Option<u64>,
    /// What came of it.
    pub outcome: UpkeepOutcome,
}

/// What came of the upkeep of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpkeepOutcome {
    /// It was committed.
    Committed {
        /// As this version of the table.
        version: u64,
    },
    /// It would have been committed.
    DryRun,
    /// Other writers kept changing the partition.
    Contended,
    /// Rows without a time belong to no day, and are kept.
    Undated,
}

impl UpkeepOutcome {
    /// Was it done, or would it have been?
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Committed { .. } | Self::DryRun)
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Committed { .. } => "yes",
            Self::DryRun => DRY_RUN,
            Self::Contended | Self::Undated => "no",
        }
    }

    fn message(self) -> String {
        match self {
            Self::Committed { version } => format!("version {version}"),
            Self::DryRun => String::new(),
            Self::Contended => "other writers keep changing it; run it again".to_owned(),
            Self::Undated => "rows without a time belong to no day and are kept".to_owned(),
        }
    }
}

/// What the column `done` says of a dry run.
pub(crate) const DRY_RUN: &str = "dry run";

/// A sum over the partitions that were done, or would have been.
pub(crate) fn sum(partitions: &[PartitionUpkeep], of: fn(&PartitionUpkeep) -> u64) -> u64 {
    let done = partitions.iter().filter(|one| one.outcome.is_done());
    done.map(of).sum()
}

/// Partitions as rows, in their order.
///
/// # Errors
///
/// Never: the columns have the types of the schema.
pub(crate) fn batch(partitions: &[PartitionUpkeep]) -> Result<RecordBatch> {
    let all = || partitions.iter();
    let number = |value: fn(&PartitionUpkeep) -> u64| numbers(all().map(|one| Some(value(one))));
    let messages: Vec<String> = all().map(|one| one.outcome.message()).collect();
    table([
        ("table", texts(all().map(|one| Some(one.table)))),
        ("date", texts(all().map(|one| one.date.as_deref()))),
        ("files_before", number(|one| one.files_before)),
        ("files_after", number(|one| one.files_after)),
        ("bytes_before", number(|one| one.bytes_before)),
        ("bytes_after", number(|one| one.bytes_after)),
        ("rows", numbers(all().map(|one| one.rows))),
        ("done", texts(all().map(|one| Some(one.outcome.done())))),
        (
            "message",
            texts(messages.iter().map(|message| Some(message.as_str()))),
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

/// A table of a lake. A lake has events; the other tables may be missing.
///
/// # Errors
///
/// When there is no lake, or it cannot be read.
pub(crate) async fn open(root: &LakeRoot, name: &'static str) -> Result<Option<TableSnapshot>> {
    match TableSnapshot::open(root, name).await? {
        None if name == EVENTS => Err(root.missing()),
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
                "table {}: the file {} was written by another tool; maintain it with that tool",
                table.name, file.path
            );
            Err(Error::lake(&table.root.shown, message))
        }
    }
}

#[cfg(test)]
mod tests;
