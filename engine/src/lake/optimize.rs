//! A lake in, the same rows in few files and in order out: `lake optimize`.
//!
//! Each partition by itself: which of its files are worth it ([`choice`]), their rows in order
//! ([`rewrite`]) in new files ([`output`]), and one commit that replaces the ones by the others and
//! says that no data changed.
//!
//! It is safe beside readers and writers. A commit that met another one is tried again only while
//! all files that it removes are still in the table; when one is gone (another `optimize` has merged
//! it, `expire` has removed it) the new files are thrown away and the partition is looked at anew.
//! Readers of an older version find its files until `vacuum` removes them. A run that is killed
//! leaves files that are in no commit, and `vacuum` finds them.

mod choice;
mod output;
mod rewrite;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use deltalake::DeltaTable;
use deltalake::kernel::engine::arrow_conversion::TryIntoArrow;
use deltalake::kernel::{Action, Add};
use deltalake::protocol::DeltaOperation;
use serde_json::Map;
use uuid::Uuid;

use crate::error::{ErrorKind, Result};
use crate::lake::delta::{Commit, CommitOutcome, TableSnapshot, data_file, partition};
use crate::lake::evidence::removal;
use crate::lake::layout;
use crate::lake::optimize::choice::{RewriteCandidate, TARGET, chosen, marks};
use crate::lake::optimize::output::{NewFiles, OptimizedFile};
use crate::lake::optimize::rewrite::PartitionRewrite;
use crate::lake::root::{EVENTS, LakeRoot, REJECTS, SOURCES};
use crate::lake::upkeep;
use crate::lake::upkeep::{PartitionUpkeep, UpkeepOutcome, bytes_of, check_names};
use crate::session::Limits;

/// The progress that says of a version that upkeep made it.
pub(crate) const MAINTENANCE: &str = "auditql:maintenance";

/// The tables, and the order of their rows.
const ORDERS: [(&str, &[&str]); 3] = [
    (EVENTS, &["stage_timestamp", "source_id", "source_offset"]),
    (REJECTS, &["converted_at", "source_id", "source_offset"]),
    (SOURCES, &["converted_at", "source_id", "from_offset"]),
];
/// How often a partition is looked at: a large one is rewritten in steps.
const MOST_STEPS: usize = 256;
/// How often others may be faster with a partition before it is left to them.
const MOST_LOST: usize = 5;
/// How often a commit may meet others that leave its files alone.
const MOST_TRIES: usize = 100;

/// What `optimize` rewrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Optimized {
    /// The partitions that were rewritten, or could not be.
    pub partitions: Vec<PartitionUpkeep>,
}

impl Optimized {
    /// Files of the rewritten partitions, before.
    pub fn files_before(&self) -> u64 {
        upkeep::sum(&self.partitions, |partition| partition.files_before)
    }

    /// Files of the rewritten partitions, after.
    pub fn files_after(&self) -> u64 {
        upkeep::sum(&self.partitions, |partition| partition.files_after)
    }

    /// One row for each partition.
    ///
    /// # Errors
    ///
    /// Never: the columns have the types of the schema.
    pub fn rows(&self) -> Result<RecordBatch> {
        upkeep::batch(&self.partitions)
    }
}

/// Puts the rows of all tables in order, in files that are large enough.
///
/// # Errors
///
/// When there is no lake, it cannot be read or written, or `cancelled` is set. What was committed
/// before stays.
pub(crate) async fn optimize(
    root: &LakeRoot,
    limits: &Limits,
    cancelled: &AtomicBool,
) -> Result<Optimized> {
    let mut partitions = Vec::new();
    for (name, order) in ORDERS {
        if let Some(table) = upkeep::open(root, name).await? {
            let mut optimizer = Optimizer {
                root,
                table,
                order,
                limits,
                cancelled,
                columns: None,
            };
            optimizer.run(&mut partitions).await?;
        }
    }
    Ok(Optimized { partitions })
}

struct Optimizer<'o> {
    root: &'o LakeRoot,
    table: TableSnapshot,
    order: &'static [&'static str],
    limits: &'o Limits,
    cancelled: &'o AtomicBool,
    /// Of the data files; looked up when there is something to do.
    columns: Option<SchemaRef>,
}

/// The value of the partition of a file; `None` without a time, and in a table without partitions.
fn day_of(add: &Add) -> Option<String> {
    add.partition_values
        .get("date")
        .cloned()
        .flatten()
        .filter(|day| !day.is_empty())
}

impl Optimizer<'_> {
    async fn run(&mut self, partitions: &mut Vec<PartitionUpkeep>) -> Result<()> {
        let days: BTreeSet<Option<String>> = self.table.adds()?.iter().map(day_of).collect();
        for day in days {
            partitions.extend(self.optimize(day).await?);
        }
        Ok(())
    }

    fn files(&self, day: Option<&str>) -> Result<Vec<Add>> {
        let mut adds = self.table.adds()?;
        adds.retain(|add| day_of(add).as_deref() == day);
        Ok(adds)
    }

    /// Rewrites what is worth it of a partition; `None` when nothing is.
    async fn optimize(&mut self, day: Option<String>) -> Result<Option<PartitionUpkeep>> {
        let before = self.files(day.as_deref())?;
        let (mut rewritten, mut lost) = (None, 0);
        for _ in 0..MOST_STEPS {
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            let files = self.files(day.as_deref())?;
            let candidates: Vec<RewriteCandidate> =
                files.iter().map(RewriteCandidate::of).collect();
            let old: Vec<Add> = chosen(&candidates)
                .into_iter()
                .map(|index| files[index].clone())
                .collect();
            if old.is_empty() {
                break;
            }
            match self.replace(day.as_deref(), old).await? {
                Some(rows) => rewritten = Some(rewritten.unwrap_or(0) + rows),
                None => lost += 1,
            }
            if lost >= MOST_LOST {
                break;
            }
        }
        let outcome = match rewritten {
            _ if lost >= MOST_LOST => UpkeepOutcome::Contended,
            None => return Ok(None),
            Some(_) => UpkeepOutcome::Committed {
                version: self.table.version(),
            },
        };
        let after = self.files(day.as_deref())?;
        Ok(Some(PartitionUpkeep {
            table: self.table.name,
            date: day,
            files_before: before.len() as u64,
            files_after: after.len() as u64,
            bytes_before: bytes_of(&before),
            bytes_after: bytes_of(&after),
            rows: rewritten,
            outcome,
        }))
    }

    /// Replaces files by new ones with the same rows, in order; their rows. `None`: another writer
    /// was faster, nothing was done.
    async fn replace(&mut self, day: Option<&str>, old: Vec<Add>) -> Result<Option<u64>> {
        check_names(&self.table, &old)?;
        let rewrite = PartitionRewrite {
            root: self.root,
            table: self.table.name,
            columns: self.columns().await?,
            order: self.order,
            folder: folder_of(self.table.name, day),
            limits: self.limits,
            cancelled: self.cancelled,
        };
        let mut written = rewrite.run(old.iter().map(data_file).collect()).await?;
        let (rows, run) = (written.rows(), Uuid::new_v4().to_string());
        let is_earlier = old.iter().any(layout::is_earlier);
        let new = written
            .files
            .iter()
            .map(|file| Action::Add(self.add(day, file, &run, is_earlier)));
        let now = self.root.clock.now_millis();
        let removals = old.iter().map(|add| removal(add, false, now));
        let actions: Vec<Action> = removals.map(Action::Remove).chain(new).collect();
        let committed = self.commit(&mut written, &old, actions).await?;
        if !committed {
            written.discard().await;
        }
        Ok(committed.then_some(rows))
    }

    /// Commits as long as no other writer has changed what is replaced. `written` may be thrown away when
    /// this is false.
    async fn commit(
        &mut self,
        written: &mut NewFiles,
        old: &[Add],
        actions: Vec<Action>,
    ) -> Result<bool> {
        let id = Uuid::new_v4();
        let day = old.first().and_then(day_of);
        for _ in 0..MOST_TRIES {
            let version = i64::try_from(self.table.version() + 1).unwrap_or(i64::MAX);
            let progress = vec![(MAINTENANCE.to_owned(), version)];
            let commit = Commit {
                id,
                actions: actions.clone(),
                progress,
                info: Map::new(),
            };
            let predicate = day.as_ref().map(|day| format!("date = '{day}'"));
            let operation = DeltaOperation::Optimize {
                predicate,
                target_size: i64::try_from(TARGET).unwrap_or(i64::MAX),
            };
            // Whatever is heard of the commit from here on, it may be there.
            written.hold(true);
            match self.table.commit(commit, operation).await? {
                CommitOutcome::Done(_) => return Ok(true),
                CommitOutcome::Conflict => {}
            }
            written.hold(false);
            let active: HashSet<String> =
                self.table.adds()?.into_iter().map(|add| add.path).collect();
            if !old.iter().all(|add| active.contains(&add.path)) {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn add(&self, day: Option<&str>, file: &OptimizedFile, run: &str, is_earlier: bool) -> Add {
        Add {
            path: file.name.clone(),
            partition_values: if self.table.name == SOURCES {
                HashMap::new()
            } else {
                partition(day)
            },
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            modification_time: self.root.clock.now_millis(),
            data_change: false,
            stats: Some(file.statistics.json()),
            tags: Some(
                marks(run)
                    .into_iter()
                    .chain([file.checksums.clone()])
                    .chain((!is_earlier).then(layout::tag))
                    .collect(),
            ),
            ..Add::default()
        }
    }

    /// The columns of the data files as the table has them, also those that this version does not
    /// know.
    async fn columns(&mut self) -> Result<SchemaRef> {
        if let Some(columns) = &self.columns {
            return Ok(Arc::clone(columns));
        }
        let fail = |error| self.root.unreadable_log(self.table.name, &error);
        let mut table = DeltaTable::new(self.root.log(self.table.name, false)?);
        let loaded = table.load_version(self.table.version()).await;
        loaded.map_err(fail)?;
        let state = table.snapshot().map_err(fail)?;
        let mode = state
            .metadata()
            .configuration()
            .get("delta.columnMapping.mode");
        if mode.is_some_and(|mode| mode != "none") {
            return Err(self.table.has_column_mapping());
        }
        let schema: Schema = state.schema().as_ref().try_into_arrow()?;
        let in_folder = state.metadata().partition_columns();
        let fields = schema
            .fields()
            .iter()
            .filter(|field| !in_folder.contains(field.name()))
            .map(|field| {
                // Bodies may be so large that the texts of a batch are too long for one buffer.
                let data_type = match field.data_type() {
                    DataType::Utf8 => DataType::Utf8View,
                    other => other.clone(),
                };
                Field::new(field.name(), data_type, field.is_nullable())
            });
        let columns: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
        self.columns = Some(Arc::clone(&columns));
        Ok(columns)
    }
}

/// Where the files of a partition are.
fn folder_of(table: &str, day: Option<&str>) -> String {
    if table == SOURCES {
        String::new()
    } else {
        format!("date={}/", day.unwrap_or("__HIVE_DEFAULT_PARTITION__"))
    }
}
