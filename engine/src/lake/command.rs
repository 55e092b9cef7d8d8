//! What a user does with a lake, besides filling and asking it: a command in, rows and what to say
//! of them out.
//!
//! Not responsible for: how it is done; each command has a module of its own.

use std::sync::{Arc, atomic::AtomicBool};

use datafusion::arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::Int64Type,
};
use tokio::runtime::Handle;

use crate::error::{Error, Result};
use crate::lake::delta::{AsOf, TableSnapshot};
use crate::lake::root::{EVENTS, Root};
use crate::lake::upkeep::NOT_DONE;
use crate::lake::{expire, history, optimize, sources, vacuum, verify};
use crate::session::Limits;
use crate::source::store::{StoreSettings, Stores};
use crate::time::format_time;

/// What the commands of a lake need to know.
#[derive(Debug, Clone)]
pub struct LakeOptions {
    /// Credentials and endpoints of object stores.
    pub stores: StoreSettings,
    /// Worker threads.
    pub threads: usize,
    /// Bytes that sorts may hold before they spill to disk.
    pub memory: usize,
    /// The version of the evidence to look at; otherwise the newest.
    pub as_of: Option<AsOf>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LakeCommand {
    /// The evidence: what was read of which source, one row a source.
    Sources,
    /// The commits, newest first.
    History {
        /// So many; otherwise all.
        limit: Option<usize>,
    },
    /// Compares the lake with its evidence.
    Verify {
        /// Looks at the originals, too.
        originals: bool,
        /// Where originals are that are not where they were.
        inputs: Vec<String>,
    },
    /// Makes few files of many.
    Optimize,
    /// Lets go of events.
    Expire {
        /// Of days that ended before this time, in microseconds since the epoch.
        before: i64,
        /// Only tells what it would do.
        dry_run: bool,
    },
    /// Removes files that no version within reach needs.
    Vacuum {
        /// How long nobody has needed them, in microseconds.
        older_than: i64,
        /// Only tells what it would do.
        dry_run: bool,
    },
}

/// What came of it.
#[derive(Debug)]
pub struct LakeAnswer {
    /// The rows.
    pub rows: RecordBatch,
    /// Does something differ from the evidence?
    pub findings: bool,
    /// What was done, in a sentence.
    pub message: Option<String>,
}

/// Does something with a lake. Of `options` it takes stores, limits and, for the evidence, the
/// version. What takes long and writes ends when `cancelled` is set; the rest may be dropped.
///
/// # Errors
///
/// When there is no lake, or it cannot be read or written.
pub async fn lake(
    options: &LakeOptions,
    lake: &str,
    command: LakeCommand,
    cancelled: &AtomicBool,
) -> Result<LakeAnswer> {
    let stores = Arc::new(Stores::new(options.stores.clone(), Handle::current()));
    let (root, events) = find(lake, &stores).await?;
    let (rows, findings, message) = match command {
        LakeCommand::Sources => (
            sources::sources(&root, events, options.as_of).await?,
            false,
            None,
        ),
        LakeCommand::History { limit } => (history::history(&events, limit).await?, false, None),
        LakeCommand::Verify { originals, inputs } => {
            let verified =
                verify::verify(&root, &events, options, &stores, originals, &inputs).await?;
            (verified.rows, verified.differs, Some(verified.message))
        }
        LakeCommand::Optimize => {
            let limits = Limits {
                threads: options.threads,
                memory: options.memory,
            };
            let rows = optimize::optimize(&root, &limits, cancelled).await?;
            let message = Done::of(&rows).optimized(&root);
            (rows, false, Some(message))
        }
        LakeCommand::Expire { before, dry_run } => {
            let rows = expire::expire(&root, before, dry_run).await?;
            let message = Done::of(&rows).expired(&root, before, dry_run);
            (rows, false, Some(message))
        }
        LakeCommand::Vacuum {
            older_than,
            dry_run,
        } => {
            let rows = vacuum::vacuum(&root, older_than, dry_run).await?;
            let message = Done::of(&rows).vacuumed(&root, dry_run);
            (rows, false, Some(message))
        }
    };
    Ok(LakeAnswer {
        rows,
        findings,
        message,
    })
}

/// A lake that is there.
pub(crate) async fn find(lake: &str, stores: &Stores) -> Result<(Root, TableSnapshot)> {
    let root = Root::of(lake, stores).await?;
    let events = match root.holds_lake().await? {
        Some(true) => TableSnapshot::open(&root, EVENTS).await?,
        _ => None,
    };
    match events {
        Some(events) => Ok((root, events)),
        None => {
            let message = format!(
                "there is no lake; `auditql convert -i … --to {}` makes one",
                root.shown
            );
            Err(Error::input(&root.shown, message))
        }
    }
}

/// What upkeep did in all, by the columns of its rows.
struct Done {
    files_before: i64,
    files_after: i64,
    bytes: i64,
    rows: i64,
}

impl Done {
    fn of(rows: &RecordBatch) -> Self {
        let done = rows
            .column_by_name("done")
            .and_then(|column| column.as_string_opt::<i32>());
        let is_done = |row: &usize| done.is_none_or(|done| done.value(*row) != NOT_DONE);
        let sum = |name: &str| -> i64 {
            let Some(column) = rows
                .column_by_name(name)
                .and_then(|column| column.as_primitive_opt::<Int64Type>())
            else {
                return 0;
            };
            (0..rows.num_rows())
                .filter(is_done)
                .filter(|row| column.is_valid(*row))
                .map(|row| column.value(row))
                .sum()
        };
        let bytes = sum("bytes_before") - sum("bytes_after");
        Self {
            files_before: sum("files_before"),
            files_after: sum("files_after"),
            bytes,
            rows: sum("rows"),
        }
    }

    fn optimized(&self, root: &Root) -> String {
        match self.files_before {
            0 => format!("optimized {}: there was nothing to do", root.shown),
            before => format!(
                "optimized {}: {before} files became {}",
                root.shown, self.files_after
            ),
        }
    }

    fn expired(&self, root: &Root, before: i64, dry_run: bool) -> String {
        let (what, before) = (
            if dry_run {
                "would let go of"
            } else {
                "let go of"
            },
            format_time(before),
        );
        match self.files_before {
            0 => format!("{}: there are no days before {before}", root.shown),
            files => format!(
                "{}: {what} {} rows in {files} files, of days before {before}",
                root.shown, self.rows
            ),
        }
    }

    fn vacuumed(&self, root: &Root, dry_run: bool) -> String {
        let what = if dry_run { "would remove" } else { "removed" };
        format!(
            "{}: {what} {} files, {} bytes",
            root.shown,
            self.files_before - self.files_after,
            self.bytes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::upkeep::{DONE, Upkeep, batch};

    #[tokio::test]
    async fn what_was_done_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let stores = Stores::new(
            crate::source::store::StoreSettings::default(),
            Handle::current(),
        );
        let mut root = Root::of(folder.path().to_str().unwrap(), &stores)
            .await
            .unwrap();
        root.shown = "LAKE".to_owned();
        let row = |done: &'static str| Upkeep {
            files_before: 3,
            files_after: 1,
            rows: Some(5),
            done,
            ..Upkeep::default()
        };
        let done = Done::of(&batch(&[row(DONE), row(NOT_DONE), row(DONE)]).unwrap());
        assert_eq!(done.optimized(&root), "optimized LAKE: 6 files became 2");
        assert_eq!(
            done.vacuumed(&root, true),
            "LAKE: would remove 4 files, 0 bytes"
        );
        let told = "LAKE: let go of 10 rows in 6 files, of days before 1970-01-01T00:00:00.000000Z";
        assert_eq!(done.expired(&root, 0, false), told);
        assert_eq!(
            Done::of(&batch(&[]).unwrap()).optimized(&root),
            "optimized LAKE: there was nothing to do"
        );
    }

    fn options() -> LakeOptions {
        LakeOptions {
            stores: StoreSettings::default(),
            threads: 1,
            memory: 1 << 20,
            as_of: None,
        }
    }

    #[tokio::test]
    async fn a_lake_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake").display().to_string();
        let message =
            format!("{lake}: there is no lake; `auditql convert -i … --to {lake}` makes one");
        let cancelled = AtomicBool::new(false);
        for command in [
            LakeCommand::Sources,
            LakeCommand::History { limit: None },
            LakeCommand::Optimize,
        ] {
            let error = super::lake(&options(), &lake, command, &cancelled)
                .await
                .unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        assert!(!folder.path().join("lake").exists());
    }
}
