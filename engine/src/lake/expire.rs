//! A lake and a time in, a lake without the days before it out: `lake expire`.
//!
//! Whole days only, so that files are removed and none is rewritten: of `events` by the time of the
//! events, of `rejects` by the day when they were met. Rows without a time belong to no day and are
//! kept; so is the evidence of what was read (`sources`). The files themselves go when `vacuum`
//! finds them old enough, and until then earlier versions can be read.
//!
//! How far a table has expired is an application's progress in it: a check of the lake against its
//! evidence knows by it which days may be gone.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use deltalake::kernel::{Action, Add};
use deltalake::protocol::DeltaOperation;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::error::Result;
use crate::lake::delta::{Commit, CommitOutcome, TableSnapshot, data_file};
use crate::lake::evidence::removal;
use crate::lake::file_statistics::{Day, date_text};
use crate::lake::root::{EVENTS, LakeRoot, REJECTS};
use crate::lake::upkeep;
use crate::lake::upkeep::{PartitionUpkeep, UpkeepOutcome, bytes_of, check_names, rows_of};
use crate::time::MICROS_A_DAY;

/// The progress of a table: the first day, in days since the epoch, that has never expired.
pub(crate) const EXPIRED: &str = "auditql:expired";
/// The member of our part of `commitInfo` that names that day.
const INFO_EXPIRED: &str = "expired";

/// How often others may commit first.
const MOST_TRIES: usize = 100;

/// What `expire` removed, or would remove.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expired {
    /// Days that ended before this time expire, in microseconds since the epoch.
    pub before: i64,
    /// Was nothing changed?
    pub dry_run: bool,
    /// The days of each table; and the rows of no day, which are kept.
    pub partitions: Vec<PartitionUpkeep>,
}

impl Expired {
    /// Files that were removed, or would be.
    pub fn files(&self) -> u64 {
        upkeep::sum(&self.partitions, |day| day.files_before)
    }

    /// Events and rejects that were removed, or would be, as far as the log counts them.
    pub fn removed_rows(&self) -> u64 {
        upkeep::sum(&self.partitions, |day| day.rows.unwrap_or(0))
    }

    /// One row for each day of each table.
    ///
    /// # Errors
    ///
    /// Never: the columns have the types of the schema.
    pub fn rows(&self) -> Result<RecordBatch> {
        upkeep::batch(&self.partitions)
    }
}

/// Removes the days that lie wholly before a time, in microseconds since the epoch.
///
/// # Errors
///
/// When there is no lake, or it cannot be read or written. A table that was done before stays so.
pub(crate) async fn expire(root: &LakeRoot, before: i64, dry_run: bool) -> Result<Expired> {
    let first_kept = i32::try_from(before.div_euclid(MICROS_A_DAY)).unwrap_or(i32::MIN);
    let mut partitions = Vec::new();
    for name in [EVENTS, REJECTS] {
        if let Some(mut table) = upkeep::open(root, name).await? {
            partitions.extend(expire_table(&mut table, first_kept, dry_run).await?);
        }
    }
    Ok(Expired {
        before,
        dry_run,
        partitions,
    })
}

async fn expire_table(
    table: &mut TableSnapshot,
    first_kept: i32,
    dry_run: bool,
) -> Result<Vec<PartitionUpkeep>> {
    for _ in 0..MOST_TRIES {
        let mut days = days_of(table.adds()?);
        let undated = days.remove(&Day::None);
        days.retain(|day, _| day.is_some_and(|day| day < first_kept));
        let mut partitions: Vec<PartitionUpkeep> = days
            .iter()
            .map(|(day, adds)| expired(table.name, *day, adds))
            .collect();
        let kept = undated.map(|adds| kept(table.name, &adds));
        let files: Vec<Add> = days.into_values().flatten().collect();
        if !files.is_empty() && !dry_run {
            check_names(table, &files)?;
            let Some(version) = commit(table, first_kept, &files).await? else {
                // Another writer has added to these days, or rewritten them: what there is now goes.
                continue;
            };
            for day in &mut partitions {
                day.outcome = UpkeepOutcome::Committed { version };
            }
        }
        partitions.extend(kept);
        return Ok(partitions);
    }
    Err(table
        .root
        .not_written("other writers keep committing; run it again"))
}

/// Commits the removal of files; the version, or `None` when another writer's commit came first.
async fn commit(table: &mut TableSnapshot, first_kept: i32, files: &[Add]) -> Result<Option<u64>> {
    // A later run with an earlier day does not bring the days between back.
    let before = table.progress(EXPIRED).await?.unwrap_or(i64::MIN);
    let progress = before.max(i64::from(first_kept));
    let day = date_text(first_kept);
    let now = table.root.clock.now_millis();
    let removals = files.iter().map(|add| removal(add, true, now));
    let commit = Commit {
        id: Uuid::new_v4(),
        actions: removals.map(Action::Remove).collect(),
        progress: vec![(EXPIRED.to_owned(), progress)],
        info: Map::from_iter([(INFO_EXPIRED.to_owned(), Value::String(day.clone()))]),
    };
    let operation = DeltaOperation::Delete {
        predicate: Some(format!("date < '{day}'")),
    };
    Ok(match table.commit(commit, operation).await? {
        CommitOutcome::Done(version) => Some(version),
        CommitOutcome::Conflict => None,
    })
}

/// The files by their days.
fn days_of(adds: Vec<Add>) -> BTreeMap<Day, Vec<Add>> {
    let mut days: BTreeMap<Day, Vec<Add>> = BTreeMap::new();
    for add in adds {
        days.entry(data_file(&add).date).or_default().push(add);
    }
    days
}

/// A day that goes.
fn expired(table: &'static str, day: Day, adds: &[Add]) -> PartitionUpkeep {
    PartitionUpkeep {
        table,
        date: day.map(date_text),
        files_before: adds.len() as u64,
        files_after: 0,
        bytes_before: bytes_of(adds),
        bytes_after: 0,
        rows: rows_of(adds),
        outcome: UpkeepOutcome::DryRun,
    }
}

/// What belongs to no day.
fn kept(table: &'static str, adds: &[Add]) -> PartitionUpkeep {
    let files = expired(table, None, adds);
    PartitionUpkeep {
        files_after: files.files_before,
        bytes_after: files.bytes_before,
        rows: Some(0),
        outcome: UpkeepOutcome::Undated,
        ..files
    }
}
