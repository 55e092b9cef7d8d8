//! A lake and a time in, a lake without the days before it out: `lake expire`.
//!
//! Whole days only, so that files are removed and none is rewritten: of `events` by the time of the
//! events, of `rejects` by the day when they were met. Rows without a time are of no day and stay;
//! so does the evidence of what was read (`sources`). The files themselves go when `vacuum` finds
//! them old enough, and until then earlier versions can be read.
//!
//! How far a table has expired is an application's progress in it: whoever holds it against its
//! evidence knows which days may be gone.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use deltalake::{
    kernel::{Action, Add},
    protocol::DeltaOperation,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::error::{ErrorKind, Result};
use crate::lake::delta::{Commit, Outcome, TableSnapshot, data_file};
use crate::lake::evidence::removal;
use crate::lake::root::{EVENTS, REJECTS, Root};
use crate::lake::upkeep;
use crate::lake::upkeep::{DONE, DRY_RUN, NOT_DONE, Upkeep, bytes_of, check_names, rows_of};
use crate::lake::writer::{Day, date_text};

/// The progress of a table: the first day, in days since the epoch, that has never expired.
pub(crate) const EXPIRED: &str = "auditql:expired";
/// The member of our part of `commitInfo` that names that day.
const INFO_EXPIRED: &str = "expired";

const MICROS_A_DAY: i64 = 86_400_000_000;
/// How often others may commit first.
const MOST_TRIES: usize = 100;

/// Removes the days that lie wholly before `older_than`, in microseconds since the epoch. One row
/// for each day of each table.
///
/// # Errors
///
/// When there is no lake, or it cannot be read or written. A table that was done before stays so.
pub(crate) async fn expire(root: &Root, older_than: i64, dry_run: bool) -> Result<RecordBatch> {
    let first_kept = i32::try_from(older_than.div_euclid(MICROS_A_DAY)).unwrap_or(i32::MIN);
    let mut rows = Vec::new();
    for name in [EVENTS, REJECTS] {
        if let Some(mut table) = upkeep::open(root, name).await? {
            rows.extend(expire_table(&mut table, first_kept, dry_run).await?);
        }
    }
    upkeep::batch(&rows)
}

async fn expire_table(
    table: &mut TableSnapshot,
    first_kept: i32,
    dry_run: bool,
) -> Result<Vec<Upkeep>> {
    for _ in 0..MOST_TRIES {
        let mut days = days_of(table.adds()?);
        let timeless = days.remove(&Day::None);
        days.retain(|day, _| day.is_some_and(|day| day < first_kept));
        let expired: Vec<Add> = days.values().flatten().cloned().collect();
        let mut rows: Vec<Upkeep> = days
            .iter()
            .map(|(day, adds)| row(table.name, *day, adds))
            .collect();
        rows.extend(timeless.map(|adds| kept(row(table.name, None, &adds))));
        if expired.is_empty() {
            return Ok(rows);
        }
        if dry_run {
            rows.iter_mut()
                .filter(|row| row.date.is_some())
                .for_each(|row| row.done = DRY_RUN);
            return Ok(rows);
        }
        check_names(table, &expired)?;
        // A later run with an earlier day does not bring the days between back.
        let progress = table
            .progress(EXPIRED)
            .await?
            .map_or(i64::from(first_kept), |before| {
                before.max(i64::from(first_kept))
            });
        let day = date_text(first_kept);
        let commit = Commit {
            id: Uuid::new_v4(),
            actions: expired
                .iter()
                .map(|add| Action::Remove(removal(add, true)))
                .collect(),
            progress: vec![(EXPIRED.to_owned(), progress)],
            info: Map::from_iter([(INFO_EXPIRED.to_owned(), Value::String(day.clone()))]),
        };
        let operation = DeltaOperation::Delete {
            predicate: Some(format!("date < '{day}'")),
        };
        if let Outcome::Done(version) = table.commit(commit, operation).await? {
            for row in rows.iter_mut().filter(|row| row.date.is_some()) {
                row.done = DONE;
                row.message = format!("version {version}");
            }
            return Ok(rows);
        }
        // Somebody has added to these days, or rewritten them: what there is now goes.
    }
    let source = std::io::Error::other("others commit all the time; run it again");
    Err(ErrorKind::Output {
        path: table.root.shown.clone(),
        source,
    }
    .into())
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
fn row(table: &'static str, day: Day, adds: &[Add]) -> Upkeep {
    Upkeep {
        table,
        date: day.map(date_text),
        files_before: adds.len() as u64,
        bytes_before: bytes_of(adds),
        rows: rows_of(adds),
        ..Upkeep::default()
    }
}

/// What is of no day.
fn kept(row: Upkeep) -> Upkeep {
    Upkeep {
        files_after: row.files_before,
        bytes_after: row.bytes_before,
        rows: Some(0),
        done: NOT_DONE,
        message: "rows without a time are of no day, and stay".to_owned(),
        ..row
    }
}
