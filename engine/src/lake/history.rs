//! The log of `events` in, one row for each of its commits out, newest first: what was added and
//! taken away, when and by whom.
//!
//! Not responsible for: what the table was at a version ([`super::delta`]), and what of the log is
//! kept (Delta's retention).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use datafusion::arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{Field, Schema},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::error::Result;
use crate::lake::delta::{INFO, TableSnapshot};
use crate::lake::evidence::EVIDENCE;

/// Entries of the log that are read at the same time, and together.
const PARALLEL: usize = 16;
const TOGETHER: usize = 256;

/// What a commit did.
#[derive(Debug, Default, PartialEq)]
struct CommitEntry {
    version: u64,
    committed_at: Option<i64>,
    operation: Option<String>,
    added: Option<i64>,
    removed: Option<i64>,
    rows_added: Option<i64>,
    rows_removed: Option<i64>,
    sources: Option<i64>,
    transaction: Option<String>,
    auditql_version: Option<String>,
    engine: Option<String>,
    /// Paths and rows of added files, as far as they are told, and of removed ones.
    adds: Vec<(String, Option<i64>)>,
    removals: Vec<(String, Option<i64>)>,
}

/// The last `limit` commits, or all.
///
/// # Errors
///
/// When the log cannot be read.
pub(crate) async fn history(events: &TableSnapshot, limit: Option<usize>) -> Result<RecordBatch> {
    let wanted = limit.unwrap_or(usize::MAX);
    let mut entries: Vec<CommitEntry> = Vec::new();
    let mut next = Some(events.version());
    // What removed files held is told where they were added, which may be long before.
    while let Some(newest) = next.filter(|_| entries.len() < wanted || !untold(&entries).is_empty())
    {
        let together = if entries.len() < wanted {
            TOGETHER.min(wanted - entries.len())
        } else {
            TOGETHER
        };
        let oldest = newest.saturating_sub(together as u64 - 1);
        let read: Vec<CommitEntry> = stream::iter((oldest..=newest).rev())
            .map(|version| async move {
                Ok::<_, crate::error::Error>(entry(version, events.entry(version).await?))
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        next = oldest.checked_sub(1);
        for entry in read {
            let is_gone = entry.added.is_none();
            entries.push(entry);
            if is_gone {
                // So are those before it.
                next = None;
                break;
            }
        }
    }
    count_removed(&mut entries);
    entries.truncate(wanted);
    batch_of(&entries)
}

/// Files of which it is not known yet how many rows they held.
fn untold(entries: &[CommitEntry]) -> HashSet<&str> {
    let removals = entries.iter().flat_map(|entry| &entry.removals);
    let mut untold: HashSet<&str> = removals
        .filter(|(_, rows)| rows.is_none())
        .map(|(path, _)| path.as_str())
        .collect();
    for (path, _) in entries.iter().flat_map(|entry| &entry.adds) {
        untold.remove(path.as_str());
    }
    untold
}

/// Tells the rows of removed files from where they were added.
fn count_removed(entries: &mut [CommitEntry]) {
    let told: HashMap<String, i64> = entries
        .iter()
        .flat_map(|entry| &entry.adds)
        .filter_map(|(path, rows)| Some((path.clone(), (*rows)?)))
        .collect();
    for entry in entries.iter_mut().filter(|entry| entry.added.is_some()) {
        entry.rows_removed = entry
            .removals
            .iter()
            .map(|(path, rows)| rows.or_else(|| told.get(path).copied()))
            .sum();
    }
}

/// One entry of the log, from its actions; `None` when they are gone.
fn entry(version: u64, actions: Option<Vec<Value>>) -> CommitEntry {
    let Some(actions) = actions else {
        return CommitEntry {
            version,
            ..CommitEntry::default()
        };
    };
    let files = |action: &str| -> Vec<(String, Option<i64>)> {
        let files = actions.iter().filter_map(|line| line.get(action));
        files
            .map(|file| {
                (
                    file["path"].as_str().unwrap_or_default().to_owned(),
                    rows_of(file),
                )
            })
            .collect()
    };
    let (adds, removals) = (files("add"), files("remove"));
    let info = actions
        .iter()
        .find_map(|action| action.get("commitInfo"))
        .unwrap_or(&Value::Null);
    let ours = &info[INFO];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let millis = info["inCommitTimestamp"]
        .as_i64()
        .or_else(|| info["timestamp"].as_i64());
    CommitEntry {
        version,
        committed_at: millis.and_then(|millis| millis.checked_mul(1000)),
        operation: text(&info["operation"]),
        added: i64::try_from(adds.len()).ok(),
        removed: i64::try_from(removals.len()).ok(),
        rows_added: adds.iter().map(|(_, rows)| *rows).sum(),
        rows_removed: None,
        sources: i64::try_from(ours[EVIDENCE].as_array().map_or(0, Vec::len)).ok(),
        transaction: text(&ours["transaction"]),
        auditql_version: text(&ours["version"]),
        engine: text(&info["engineInfo"]),
        adds,
        removals,
    }
}

/// The rows of a file, if its action tells them.
fn rows_of(file: &Value) -> Option<i64> {
    serde_json::from_str::<Value>(file["stats"].as_str()?).ok()?["numRecords"].as_i64()
}

fn batch_of(entries: &[CommitEntry]) -> Result<RecordBatch> {
    let number = |of: fn(&CommitEntry) -> Option<i64>| -> ArrayRef {
        Arc::new(entries.iter().map(of).collect::<Int64Array>())
    };
    let text = |of: fn(&CommitEntry) -> Option<&str>| -> ArrayRef {
        Arc::new(entries.iter().map(of).collect::<StringArray>())
    };
    let times = entries
        .iter()
        .map(|entry| entry.committed_at)
        .collect::<TimestampMicrosecondArray>()
        .with_timezone("UTC");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("version", number(|entry| i64::try_from(entry.version).ok())),
        ("committed_at", Arc::new(times)),
        ("operation", text(|entry| entry.operation.as_deref())),
        ("files_added", number(|entry| entry.added)),
        ("files_removed", number(|entry| entry.removed)),
        ("rows_added", number(|entry| entry.rows_added)),
        ("rows_removed", number(|entry| entry.rows_removed)),
        ("sources", number(|entry| entry.sources)),
        ("transaction", text(|entry| entry.transaction.as_deref())),
        (
            "auditql_version",
            text(|entry| entry.auditql_version.as_deref()),
        ),
        ("engine", text(|entry| entry.engine.as_deref())),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::{array::AsArray, datatypes::Int64Type};
    use serde_json::json;

    use super::*;

    fn add(path: &str, rows: i64) -> Value {
        json!({"add": {"path": path, "stats": json!({"numRecords": rows}).to_string()}})
    }

    #[test]
    fn what_commits_did() {
        let info = json!({"commitInfo": {
            "timestamp": 5, "operation": "WRITE", "engineInfo": "delta-rs",
            INFO: {"transaction": "t", "version": "1.2.3", EVIDENCE: [{}, {}]},
        }});
        let entries = vec![
            entry(
                3,
                Some(vec![
                    json!({"remove": {"path": "a"}}),
                    json!({"remove": {"path": "lost"}}),
                ]),
            ),
            entry(
                2,
                Some(vec![
                    add("c", 7),
                    json!({"remove": {"path": "a"}}),
                    json!({"remove": {"path": "b"}}),
                ]),
            ),
            entry(1, Some(vec![info, add("a", 4), add("b", 3)])),
            entry(0, None),
        ];
        assert_eq!(untold(&entries).into_iter().collect::<Vec<_>>(), ["lost"]);
        let mut entries = entries;
        count_removed(&mut entries);
        assert_eq!(
            (
                entries[1].rows_added,
                entries[1].rows_removed,
                entries[1].removed
            ),
            (Some(7), Some(7), Some(2))
        );
        assert_eq!(
            (entries[0].rows_removed, entries[0].rows_added),
            (None, Some(0))
        );
        assert_eq!(
            (entries[2].committed_at, entries[2].sources),
            (Some(5000), Some(2))
        );
        assert_eq!(
            (
                entries[2].transaction.as_deref(),
                entries[2].auditql_version.as_deref()
            ),
            (Some("t"), Some("1.2.3"))
        );
        let batch = batch_of(&entries).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (4, 11));
        assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(0), 3);
        assert!(
            batch.columns()[1..].iter().all(|column| column.is_null(3)),
            "an entry that is gone says nothing"
        );
    }
}
