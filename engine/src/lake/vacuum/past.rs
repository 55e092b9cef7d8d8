//! Delta's log of a table in; which files were removed from it lately, and which versions can still
//! be read in full, out.
//!
//! When a file was removed is taken from the log and not from the snapshot, whose tombstones are
//! forgotten after a week.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::lake::delta::TableSnapshot;
use crate::lake::root::LakeRoot;
use crate::lake::vacuum::listing::TableListing;
use crate::time::MICROS_A_DAY;

/// Entries of the log that are read at once.
const AHEAD: usize = 16;

/// What is old.
#[derive(Debug, Clone, Copy)]
pub(super) struct AgeLimit {
    /// `None`: everything is.
    before: Option<i64>,
}

impl AgeLimit {
    /// Files of this age, in microseconds, are old; without an age all are, since the clock of a
    /// store need not be ours.
    pub(super) fn new(now: i64, age: i64) -> Self {
        Self {
            before: (age > 0).then(|| now.saturating_sub(age)),
        }
    }

    pub(super) fn is_old(self, micros: i64) -> bool {
        self.before.is_none_or(|before| micros <= before)
    }
}

/// What the log says of files that are no longer part of the table.
#[derive(Debug, Default)]
pub(super) struct RemovedLately {
    /// Removed so lately that they stay.
    pub(super) young: HashSet<String>,
    /// The first version from which on all can be read in full.
    pub(super) oldest: u64,
}

/// A line of a commit.
#[derive(Deserialize)]
struct CommitLine {
    remove: Option<RemoveAction>,
    #[serde(rename = "commitInfo")]
    info: Option<CommitTime>,
}

#[derive(Deserialize)]
struct RemoveAction {
    path: String,
    #[serde(rename = "deletionTimestamp")]
    at: Option<i64>,
}

#[derive(Deserialize)]
struct CommitTime {
    timestamp: Option<i64>,
}

/// Reads the log back from the current version, to where nothing is young any more and a file is
/// missing: no version before can be read in full.
pub(super) async fn past(
    root: &LakeRoot,
    table: &TableSnapshot,
    listing: &TableListing,
    active: &HashSet<String>,
    limit: AgeLimit,
) -> Result<RemovedLately> {
    let old: HashSet<&str> = listing
        .files
        .iter()
        .filter(|file| limit.is_old(file.modified))
        .map(|file| file.path.as_str())
        .collect();
    let listed: HashSet<&str> = listing
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let log = root.log(table.name, false)?;
    let entries = futures::stream::iter((0..=table.version()).rev()).map(|version| {
        let log = Arc::clone(&log);
        async move { (version, log.read_commit_entry(version).await) }
    });
    let mut entries = entries.buffered(AHEAD);
    let (mut past, mut is_missing) = (RemovedLately::default(), false);
    while let Some((version, entry)) = entries.next().await {
        let Some(entry) = entry.map_err(|error| root.unreadable_log(table.name, &error))? else {
            // What it removed is not known.
            past.oldest = past.oldest.max(version + 1);
            break;
        };
        let (removed, committed) = read_commit(&entry).map_err(|error| {
            let message = format!(
                "table {}: the log entry of version {version} is malformed: {error}",
                table.name
            );
            Error::lake(&root.shown, message)
        })?;
        for (path, at) in removed {
            if active.contains(&path) {
                continue;
            }
            // The log does not say when it was removed: as far as is known, now.
            let is_young = !at
                .or(committed)
                .map_or(limit.before.is_none(), |at| limit.is_old(at));
            let goes = !listed.contains(path.as_str()) || !is_young && old.contains(path.as_str());
            if goes && !is_missing {
                (past.oldest, is_missing) = (version, true);
            }
            if is_young {
                past.young.insert(path);
            }
        }
        // Clocks differ: a day more.
        if is_missing && committed.is_some_and(|at| limit.is_old(at.saturating_add(MICROS_A_DAY))) {
            break;
        }
    }
    Ok(past)
}

/// The path of a file, and when it was removed, in microseconds since the epoch.
type RemovedFile = (String, Option<i64>);

/// The files that a commit removed, and when; and when it was made. In microseconds since the
/// epoch.
fn read_commit(entry: &[u8]) -> serde_json::Result<(Vec<RemovedFile>, Option<i64>)> {
    let (mut removed, mut committed) = (Vec::new(), None);
    let micros = |millis: i64| millis.saturating_mul(1000);
    for line in entry
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
    {
        let line: CommitLine = serde_json::from_slice(line)?;
        if let Some(remove) = line.remove {
            removed.push((
                percent_decode_str(&remove.path)
                    .decode_utf8_lossy()
                    .into_owned(),
                remove.at.map(micros),
            ));
        }
        committed = line
            .info
            .and_then(|info| info.timestamp)
            .map(micros)
            .or(committed);
    }
    Ok((removed, committed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let limit = AgeLimit::new(10, 3);
        assert!(limit.is_old(7) && !limit.is_old(8));
        assert!(AgeLimit::new(10, 0).is_old(i64::MAX));
        assert!(!AgeLimit::new(i64::MIN, i64::MAX).is_old(0));
    }

    #[test]
    fn a_commit_says_what_it_removed() {
        let commit = concat!(
            r#"{"commitInfo":{"timestamp":7,"operation":"OPTIMIZE","auditql":{"sources":[{"remove":1}]}}}"#,
            "\n",
            r#"{"remove":{"path":"date=a%20b/part-1.parquet","dataChange":false,"deletionTimestamp":5}}"#,
            "\n",
            r#"{"remove":{"path":"part-2.parquet","dataChange":true}}"#,
            "\n",
            r#"{"add":{"path":"part-3.parquet","size":1}}"#,
            "\n",
        );
        let (removed, committed) = read_commit(commit.as_bytes()).unwrap();
        let expected = [
            ("date=a b/part-1.parquet".to_owned(), Some(5000)),
            ("part-2.parquet".to_owned(), None),
        ];
        assert_eq!((&removed[..], committed), (&expected[..], Some(7000)));
        assert!(read_commit(b"{\"remove\":1}").is_err());
        assert!(read_commit(b"").unwrap().0.is_empty());
    }
}
