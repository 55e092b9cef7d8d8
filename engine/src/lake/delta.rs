//! One Delta table: its snapshot in, its files and the progress of its writers out.
//!
//! - [`create`]: a table that is not there yet, or lacks columns;
//! - [`commit`]: actions in, one commit out.

mod commit;
mod create;

use std::collections::HashMap;

use deltalake::DeltaTable;
use deltalake::kernel::{Add, EagerSnapshot};
use deltalake::table::state::DeltaTableState;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use crate::error::{Error, Hint, Result};
use crate::lake::checked_read::CheckedTable;
use crate::lake::checksum::BlockChecksums;
use crate::lake::layout;
use crate::lake::read::DataFile;
use crate::lake::root::LakeRoot;
use crate::time::{MICROS_A_DAY, format_time, parse_micros};

pub(crate) use commit::{Commit, CommitOutcome};

/// Log entries that are read at a time.
const AT_ONCE: usize = 16;

/// The member of `commitInfo` that is ours.
pub(crate) const INFO: &str = "auditql";

/// A table of a lake, at one version.
pub(crate) struct TableSnapshot {
    pub(crate) root: LakeRoot,
    pub(crate) name: &'static str,
    table: DeltaTable,
}

impl std::fmt::Debug for TableSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableSnapshot")
            .field("name", &self.name)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

/// A version to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// This version of `events`.
    Version(u64),
    /// What was committed at this time, in microseconds since the epoch.
    Time(i64),
}

impl TableSnapshot {
    /// The table at its newest version; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) async fn open(root: &LakeRoot, name: &'static str) -> Result<Option<Self>> {
        if root.folder(name).is_some_and(|folder| !folder.is_dir()) {
            return Ok(None);
        }
        let log = root.log(name, false)?;
        if !log
            .is_delta_table_location()
            .await
            .map_err(|error| root.unreadable_log(name, &error))?
        {
            return Ok(None);
        }
        let mut table = DeltaTable::new(log);
        match table.load().await {
            Ok(()) => Ok(Some(Self {
                root: root.clone(),
                name,
                table,
            })),
            Err(deltalake::DeltaTableError::NotATable(_)) => Ok(None),
            Err(error) => Err(root.unreadable_log(name, &error)),
        }
    }

    /// The table as it was.
    ///
    /// # Errors
    ///
    /// When there was none.
    pub(crate) async fn at(mut self, as_of: AsOf) -> Result<Self> {
        let version = match as_of {
            AsOf::Version(version) if version > self.version() => {
                let newest = self.version();
                let message = format!("there is no version {version}; the newest is {newest}");
                return Err(self.no_version(message));
            }
            AsOf::Version(version) => version,
            AsOf::Time(micros) => {
                let message = || format!("there was no version at {}", format_time(micros));
                let version = self.version_at(micros).await?;
                version.ok_or_else(|| self.no_version(message()))?
            }
        };
        self.table
            .load_version(version)
            .await
            .map_err(|error| self.unreadable(&error))?;
        Ok(self)
    }

    /// When the version that is looked at was committed, in microseconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub(crate) async fn committed_at(&self) -> Result<Option<i64>> {
        // The log knows milliseconds.
        Ok(self
            .timestamp(self.version())
            .await?
            .map(|millis| millis * 1000 + 999))
    }

    async fn timestamp(&self, version: u64) -> Result<Option<i64>> {
        let actions = self.entry(version).await?.unwrap_or_default();
        Ok(actions
            .iter()
            .find_map(|action| action["commitInfo"]["timestamp"].as_i64()))
    }

    /// The last version that was there at a time. A clock that was wrong for a while, in a year to
    /// come or in 1970, says nothing about the versions before and after.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub(crate) async fn version_at(&self, micros: i64) -> Result<Option<u64>> {
        let millis = micros.div_euclid(1000);
        let versions = 0..=self.version();
        let read = versions.map(|version| async move { self.timestamp(version).await });
        let times: Vec<Option<i64>> = futures::stream::iter(read)
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(last_until(&times, millis).map(|version| version as u64))
    }

    fn no_version(&self, message: String) -> Error {
        Error::lake(&self.root.shown, message).with_hint(Hint::ListVersions {
            lake: self.root.shown.clone(),
        })
    }

    /// Its log cannot be read.
    fn unreadable(&self, error: &deltalake::DeltaTableError) -> Error {
        self.root.unreadable_log(self.name, error)
    }

    fn state(&self) -> Result<&DeltaTableState> {
        self.table
            .snapshot()
            .map_err(|error| self.unreadable(&error))
    }

    fn snapshot(&self) -> Result<&EagerSnapshot> {
        Ok(self.state()?.snapshot())
    }

    /// The version that is looked at.
    pub(crate) fn version(&self) -> u64 {
        self.table.version().unwrap_or(0)
    }

    /// Looks at the newest version.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub(crate) async fn refresh(&mut self) -> Result<()> {
        self.table
            .update_state()
            .await
            .map_err(|error| self.unreadable(&error))
    }

    /// How far an application has come.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub(crate) async fn progress(&self, application: &str) -> Result<Option<i64>> {
        let log = self.table.log_store();
        let version = self
            .snapshot()?
            .transaction_version(log.as_ref(), application)
            .await;
        version.map_err(|error| self.unreadable(&error))
    }

    /// The data files, as actions.
    ///
    /// # Errors
    ///
    /// When another tool has marked rows of a file as deleted, which this does not read.
    pub(crate) fn adds(&self) -> Result<Vec<Add>> {
        let mut adds = Vec::new();
        for view in self.snapshot()?.log_data().iter() {
            if view.deletion_vector_descriptor().is_some() {
                let message = format!(
                    "table {}: another tool deleted rows with deletion vectors, which auditql \
                     cannot read; rewrite the table with that tool (REORG TABLE … APPLY (PURGE))",
                    self.name
                );
                return Err(Error::lake(&self.root.shown, message));
            }
            #[expect(
                deprecated,
                reason = "the whole action is what a removal and a rewrite need"
            )]
            adds.push(view.add_action());
        }
        Ok(adds)
    }

    /// The data files, to be read.
    ///
    /// # Errors
    ///
    /// As [`Self::adds`].
    pub(crate) fn files(&self) -> Result<Vec<DataFile>> {
        Ok(self.adds()?.iter().map(data_file).collect())
    }

    /// Its files as they are read: compared with their checksums.
    ///
    /// # Errors
    ///
    /// When the folder does not exist.
    pub(crate) fn checked(&self) -> Result<CheckedTable> {
        self.root.checked(self.name)
    }

    /// Our part of the `commitInfo` of a version; `None` when it has none, or its log entry is
    /// gone.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) async fn info(&self, version: u64) -> Result<Option<Value>> {
        let log = self.table.log_store();
        let Some(bytes) = log
            .read_commit_entry(version)
            .await
            .map_err(|error| self.unreadable(&error))?
        else {
            return Ok(None);
        };
        let found = bytes.split(|byte| *byte == b'\n').find_map(|line| {
            let mut action: Value = serde_json::from_slice(line).ok()?;
            Some(action.get_mut("commitInfo")?.get_mut(INFO)?.take())
        });
        Ok(found)
    }

    /// The actions of a version, as the log has them; `None` when its entry is gone.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) async fn entry(&self, version: u64) -> Result<Option<Vec<Value>>> {
        let log = self.table.log_store();
        let entry = log
            .read_commit_entry(version)
            .await
            .map_err(|error| self.unreadable(&error))?;
        let Some(bytes) = entry else { return Ok(None) };
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty());
        let actions = lines
            .map(serde_json::from_slice)
            .collect::<std::result::Result<_, _>>();
        let actions = actions.map_err(|error| {
            let message = format!(
                "table {}: the log entry of version {version} is malformed: {error}",
                self.name
            );
            Error::lake(&self.root.shown, message)
        })?;
        Ok(Some(actions))
    }
}

/// What reading needs of an action.
pub(crate) fn data_file(add: &Add) -> DataFile {
    let stats: Value = add
        .stats
        .as_deref()
        .and_then(|stats| serde_json::from_str(stats).ok())
        .unwrap_or(Value::Null);
    let time = |which: &str| parse_micros(stats[which]["stage_timestamp"].as_str()?);
    let date = add.partition_values.get("date").and_then(Option::as_deref);
    DataFile {
        path: add.path.clone(),
        size: u64::try_from(add.size).unwrap_or(0),
        rows: stats["numRecords"].as_u64(),
        date: date.and_then(|date| {
            i32::try_from(parse_micros(&format!("{date}T00:00:00Z"))? / MICROS_A_DAY).ok()
        }),
        times: time("minValues").zip(time("maxValues")),
        checksums: BlockChecksums::of(add),
        is_earlier: layout::is_earlier(add),
    }
}

/// A partition's value of nothing: the map that Delta wants.
pub(crate) fn partition(date: Option<&str>) -> HashMap<String, Option<String>> {
    HashMap::from([("date".to_owned(), date.map(str::to_owned))])
}

/// Milliseconds of the year 2014, when Kubernetes began: a clock that says less starts anew.
const EARLIEST: i64 = 1_388_534_400_000;

/// The last of the versions with these times, in milliseconds, that was there at `time`. Entries that
/// are gone are old. Times go forward: those that would have to go back to do so, fewer than the
/// others, were taken from a wrong clock, and their versions came with the one before.
fn last_until(times: &[Option<i64>], time: i64) -> Option<usize> {
    let right = longest_ascent(times);
    let mut last = None;
    let mut now = i64::MIN;
    for (version, known) in times.iter().enumerate() {
        if right[version] {
            now = known.unwrap_or(now);
        }
        if now <= time {
            last = Some(version);
        }
    }
    last
}

/// Which of these times belong to a longest sequence that does not go back.
fn longest_ascent(times: &[Option<i64>]) -> Vec<bool> {
    // By length: the index of the least time that such a sequence of this length ends with.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; times.len()];
    let of = |index: usize| times[index].unwrap_or(i64::MIN);
    for index in (0..times.len()).filter(|&index| of(index) >= EARLIEST) {
        let length = ends.partition_point(|&end| of(end) <= of(index));
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut belongs = vec![false; times.len()];
    let mut next = ends.last().copied();
    while let Some(index) = next {
        belongs[index] = true;
        next = before[index];
    }
    belongs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_confuses_nobody() {
        let at = |times: &[i64], time: i64| {
            let times = times.iter().map(|&time| Some(EARLIEST + time));
            last_until(&times.collect::<Vec<_>>(), EARLIEST + time)
        };
        let steady = [10, 20, 20, 30];
        assert_eq!(at(&steady, 9), None);
        assert_eq!(
            (at(&steady, 10), at(&steady, 20), at(&steady, 99)),
            (Some(0), Some(2), Some(3))
        );
        // To 2099 and back; back to before 1970; both.
        let ahead = [10, 20, 4_000, 30, 40];
        assert_eq!(
            (at(&ahead, 25), at(&ahead, 35), at(&ahead, 45)),
            (Some(2), Some(3), Some(4))
        );
        let behind = [10, 20, -5, 30];
        assert_eq!(
            (at(&behind, 0), at(&behind, 15), at(&behind, 25)),
            (None, Some(0), Some(2))
        );
        let both = [10, 4_000, -5, 20, 30];
        assert_eq!(
            (at(&both, 5), at(&both, 25), at(&both, 35)),
            (None, Some(3), Some(4))
        );
        // The first one is wrong.
        assert_eq!(at(&[4_000, 10, 20], 15), Some(1));
        assert_eq!(
            last_until(&[None, None, Some(EARLIEST + 10)], EARLIEST + 5),
            Some(1)
        );
        assert_eq!(last_until(&[], 5), None);
    }
}
