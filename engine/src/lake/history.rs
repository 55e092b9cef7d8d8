//! The log of `events` in, one row for each of its commits out, newest first: what was added and
//! taken away, when and by whom.
//!
//! Not responsible for: what the table was at a version ([`super::delta`]), and what of the log is
//! kept (Delta's retention).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::error::Result;
use crate::lake::delta::{INFO, TableSnapshot};
use crate::lake::evidence::EVIDENCE;
use crate::lake::upkeep::{numbers, table, texts};

/// Entries of the log that are read at the same time, and together.
const PARALLEL: usize = 16;
const TOGETHER: usize = 256;

/// The commits of a lake, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The commits.
    pub commits: Vec<LakeCommit>,
}

/// What a commit of `events` did, as far as its log entry is there and says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LakeCommit {
    /// The version that it made.
    pub version: u64,
    /// In microseconds since the epoch.
    pub committed_at: Option<i64>,
    /// Delta's name of the operation.
    pub operation: Option<String>,
    /// Files that it added.
    pub files_added: Option<i64>,
    /// Files that it removed.
    pub files_removed: Option<i64>,
    /// Rows of the files that it added.
    pub rows_added: Option<i64>,
    /// Rows of the files that it removed.
    pub rows_removed: Option<i64>,
    /// Sources that it read something of.
    pub sources: Option<i64>,
    /// The id of the transaction.
    pub transaction: Option<String>,
    /// The version of auditql that wrote it.
    pub auditql_version: Option<String>,
    /// The library that wrote it.
    pub engine: Option<String>,
}

/// A commit, and the files that its entry names.
#[derive(Debug, Default)]
struct CommitEntry {
    commit: LakeCommit,
    /// Paths and rows of added files, as far as they are told, and of removed ones.
    adds: Vec<(String, Option<i64>)>,
    removals: Vec<(String, Option<i64>)>,
}

impl History {
    /// One row for each commit.
    ///
    /// # Errors
    ///
    /// Never: the columns have the types of the schema.
    pub fn rows(&self) -> Result<RecordBatch> {
        let all = || self.commits.iter();
        let number = |of: fn(&LakeCommit) -> Option<i64>| -> ArrayRef {
            Arc::new(all().map(of).collect::<Int64Array>())
        };
        let text = |of: fn(&LakeCommit) -> Option<&str>| texts(all().map(of));
        let times = all().map(|commit| commit.committed_at);
        let times = times
            .collect::<TimestampMicrosecondArray>()
            .with_timezone("UTC");
        table([
            ("version", numbers(all().map(|commit| Some(commit.version)))),
            ("committed_at", Arc::new(times)),
            ("operation", text(|commit| commit.operation.as_deref())),
            ("files_added", number(|commit| commit.files_added)),
            ("files_removed", number(|commit| commit.files_removed)),
            ("rows_added", number(|commit| commit.rows_added)),
            ("rows_removed", number(|commit| commit.rows_removed)),
            ("sources", number(|commit| commit.sources)),
            ("transaction", text(|commit| commit.transaction.as_deref())),
            (
                "auditql_version",
                text(|commit| commit.auditql_version.as_deref()),
            ),
            ("engine", text(|commit| commit.engine.as_deref())),
        ])
    }
}

/// The last `limit` commits, or all.
///
/// # Errors
///
/// When the log cannot be read.
pub(crate) async fn history(events: &TableSnapshot, limit: Option<usize>) -> Result<History> {
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
            let is_gone = entry.commit.files_added.is_none();
            entries.push(entry);
            if is_gone {
                // So are those before it.
                next = None;
                break;
            }
        }
    }
    count_removed(&mut entries);
    let commits = entries.into_iter().take(wanted);
    Ok(History {
        commits: commits.map(|entry| entry.commit).collect(),
    })
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
    for CommitEntry {
        commit, removals, ..
    } in entries
    {
        if commit.files_added.is_some() {
            let rows = removals.iter();
            let rows = rows.map(|(path, rows)| rows.or_else(|| told.get(path).copied()));
            commit.rows_removed = rows.sum();
        }
    }
}

/// One entry of the log, from its actions; `None` when they are gone.
fn entry(version: u64, actions: Option<Vec<Value>>) -> CommitEntry {
    let Some(actions) = actions else {
        return CommitEntry {
            commit: LakeCommit {
                version,
                ..LakeCommit::default()
            },
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
    let commit = LakeCommit {
        version,
        committed_at: millis.and_then(|millis| millis.checked_mul(1000)),
        operation: text(&info["operation"]),
        files_added: i64::try_from(adds.len()).ok(),
        files_removed: i64::try_from(removals.len()).ok(),
        rows_added: adds.iter().map(|(_, rows)| *rows).sum(),
        rows_removed: None,
        sources: i64::try_from(ours[EVIDENCE].as_array().map_or(0, Vec::len)).ok(),
        transaction: text(&ours["transaction"]),
        auditql_version: text(&ours["version"]),
        engine: text(&info["engineInfo"]),
    };
    CommitEntry {
        commit,
        adds,
        removals,
    }
}

/// The rows of a file, if its action tells them.
fn rows_of(file: &Value) -> Option<i64> {
    serde_json::from_str::<Value>(file["stats"].as_str()?).ok()?["numRecords"].as_i64()
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
        let commits: Vec<LakeCommit> = entries.into_iter().map(|entry| entry.commit).collect();
        assert_eq!(
            (
                commits[1].rows_added,
                commits[1].rows_removed,
                commits[1].files_removed
            ),
            (Some(7), Some(7), Some(2))
        );
        assert_eq!(
            (commits[0].rows_removed, commits[0].rows_added),
            (None, Some(0))
        );
        assert_eq!(
            (commits[2].committed_at, commits[2].sources),
            (Some(5000), Some(2))
        );
        assert_eq!(
            (
                commits[2].transaction.as_deref(),
                commits[2].auditql_version.as_deref()
            ),
            (Some("t"), Some("1.2.3"))
        );
        let batch = History { commits }.rows().unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (4, 11));
        assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(0), 3);
        assert!(
            batch.columns()[1..].iter().all(|column| column.is_null(3)),
            "an entry that is gone says nothing"
        );
    }
}
