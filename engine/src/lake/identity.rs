//! Which events does the lake have? An event's time and hash in, whether it is new out.
//!
//! Only those parts of the lake that can hold the event are read: a duplicate has the same
//! `stage_timestamp`, so it lies in a row group whose times go around it. Of such a group the
//! hashes are read, once, and kept while there is room. Logs go forward in time, so each group is
//! read once, and new events meet none at all.
//!
//! The hash has 64 bits, which does not withstand deliberate collisions; but it goes over
//! both times, to the microsecond, which the apiserver writes and no client chooses, and it has to
//! meet an event of the same microsecond.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::HashSet;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::file::statistics::Statistics as ColumnStatistics;
use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;

use crate::lake::checked_read::CheckedTable;
use crate::lake::read::DataFile;
use crate::lake::store_file::StoreFile;
use crate::record::seen::{KnownEvents, Novelty};
use crate::time::MICROS_A_DAY;

/// How many hashes of the lake are kept: 8 bytes each.
const MOST: usize = 8 << 20;
/// Row groups are looked for once a minute of log time.
const BUCKET: i64 = 60_000_000;
/// The bucket of events without a time.
const TIMELESS: i64 = i64::MIN;
const SHARDS: usize = 16;

/// The identities of a transaction and of the lake before it.
pub(crate) struct Identities {
    /// Of the events that are new with this transaction.
    here: [Mutex<HashSet<i64>>; SHARDS],
    lake: KnownGroups,
    /// Why the lake could not be asked, when it could not: then nothing of this transaction can be
    /// trusted.
    failure: Mutex<Option<String>>,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities").finish_non_exhaustive()
    }
}

impl Identities {
    /// `files` are those of the lake that the transaction is based on.
    pub(crate) fn new(files: Vec<DataFile>, table: CheckedTable, runtime: Handle) -> Self {
        Self {
            here: Default::default(),
            lake: KnownGroups::new(files, table, runtime),
            failure: Mutex::default(),
        }
    }

    /// Why the lake could not be asked.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().clone()
    }

    /// Is one of this transaction's events in these files, which came meanwhile?
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub(crate) fn meets(
        &self,
        files: Vec<DataFile>,
        times: Option<(i64, i64)>,
    ) -> Result<bool, String> {
        let groups = KnownGroups::new(files, self.lake.table.clone(), self.lake.runtime.clone());
        for file in &groups.files {
            let apart = matches!((times, file.file.bounds()), (Some((first, last)), Some((from, to))) if to < first || last < from);
            if apart {
                continue;
            }
            for group in groups.row_groups(file)?.iter() {
                let hashes = groups.hashes(group)?;
                if hashes
                    .iter()
                    .any(|hash| shard(&self.here, *hash).lock().contains(hash))
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn shard(shards: &[Mutex<HashSet<i64>>; SHARDS], hash: i64) -> &Mutex<HashSet<i64>> {
    &shards[(hash as u64 >> 60) as usize % SHARDS]
}

impl KnownEvents for Identities {
    fn note(&self, staged: Option<i64>, identity: i64) -> Novelty {
        match self.lake.holds(staged, identity) {
            Ok(true) => return Novelty::InTheLake,
            Ok(false) => {}
            Err(message) => {
                self.failure.lock().get_or_insert(message);
            }
        }
        let new = shard(&self.here, identity).lock().insert(identity);
        if new {
            Novelty::New(Some(identity))
        } else {
            Novelty::Duplicate
        }
    }
}

/// The row groups of data files, read when they are needed.
struct KnownGroups {
    files: Vec<Arc<LakeFile>>,
    table: CheckedTable,
    runtime: Handle,
    /// The row groups that a minute of log time can be in.
    buckets: RwLock<HashMap<i64, Arc<[Arc<KnownGroup>]>>>,
    /// KnownGroups whose hashes are in memory, the longest first, and how many hashes they have.
    loaded: Mutex<(VecDeque<Arc<KnownGroup>>, usize)>,
}

struct LakeFile {
    file: DataFile,
    groups: Mutex<Option<Arc<[Arc<KnownGroup>]>>>,
}

struct KnownGroup {
    file: Arc<LakeFile>,
    metadata: ArrowReaderMetadata,
    index: usize,
    /// `None` when it has rows without a time, or does not say.
    times: Option<(i64, i64)>,
    hashes: Mutex<Option<Arc<[i64]>>>,
}

impl KnownGroups {
    fn new(files: Vec<DataFile>, table: CheckedTable, runtime: Handle) -> Self {
        let files = files
            .into_iter()
            .map(|file| {
                Arc::new(LakeFile {
                    file,
                    groups: Mutex::default(),
                })
            })
            .collect();
        Self {
            files,
            table,
            runtime,
            buckets: RwLock::default(),
            loaded: Mutex::default(),
        }
    }

    fn holds(&self, staged: Option<i64>, hash: i64) -> Result<bool, String> {
        if self.files.is_empty() {
            return Ok(false);
        }
        let bucket = staged.map_or(TIMELESS, |micros| micros.div_euclid(BUCKET));
        let known = self.buckets.read().get(&bucket).cloned();
        let groups = match known {
            Some(groups) => groups,
            None => self.bucket(bucket)?,
        };
        for group in groups.iter() {
            let apart = matches!((staged, group.times), (Some(at), Some((first, last))) if at < first || last < at);
            if !apart && self.hashes(group)?.binary_search(&hash).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds the row groups of a bucket.
    fn bucket(&self, bucket: i64) -> Result<Arc<[Arc<KnownGroup>]>, String> {
        let bounds = (bucket != TIMELESS).then(|| {
            (
                bucket.saturating_mul(BUCKET),
                bucket.saturating_mul(BUCKET).saturating_add(BUCKET - 1),
            )
        });
        let apart = |times: Option<(i64, i64)>| matches!((bounds, times), (Some((from, to)), Some((first, last))) if last < from || to < first);
        // Rows without a time have a folder of their own; all others have a day.
        let day = bounds.map(|(from, _)| from.div_euclid(MICROS_A_DAY));
        let mut found: Vec<Arc<KnownGroup>> = Vec::new();
        for file in self
            .files
            .iter()
            .filter(|file| file.file.date.map(i64::from) == day && !apart(file.file.bounds()))
        {
            found.extend(
                self.row_groups(file)?
                    .iter()
                    .filter(|group| !apart(group.times))
                    .cloned(),
            );
        }
        let found: Arc<[Arc<KnownGroup>]> = found.into();
        self.buckets.write().insert(bucket, Arc::clone(&found));
        Ok(found)
    }

    /// The row groups of a file, from its footer.
    fn row_groups(&self, file: &Arc<LakeFile>) -> Result<Arc<[Arc<KnownGroup>]>, String> {
        let mut groups = file.groups.lock();
        if let Some(groups) = &*groups {
            return Ok(Arc::clone(groups));
        }
        let reader = self.reader(file);
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.file.path);
        let metadata = ArrowReaderMetadata::load(&reader, ArrowReaderOptions::new())
            .map_err(|error| fail(&error))?;
        let all = metadata
            .metadata()
            .row_groups()
            .iter()
            .enumerate()
            .map(|(index, group)| {
                let column = group
                    .columns()
                    .iter()
                    .find(|column| column.column_path().string() == "stage_timestamp");
                let times = match column.and_then(|column| column.statistics()) {
                    Some(ColumnStatistics::Int64(statistics))
                        if statistics.null_count_opt() == Some(0) =>
                    {
                        statistics
                            .min_opt()
                            .copied()
                            .zip(statistics.max_opt().copied())
                    }
                    _ => None,
                };
                Arc::new(KnownGroup {
                    file: Arc::clone(file),
                    metadata: metadata.clone(),
                    index,
                    times,
                    hashes: Mutex::default(),
                })
            });
        let all: Arc<[Arc<KnownGroup>]> = all.collect();
        *groups = Some(Arc::clone(&all));
        Ok(all)
    }

    /// The hashes of a row group, sorted.
    fn hashes(&self, group: &Arc<KnownGroup>) -> Result<Arc<[i64]>, String> {
        let mut hashes = group.hashes.lock();
        if let Some(hashes) = &*hashes {
            return Ok(Arc::clone(hashes));
        }
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", group.file.file.path);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.reader(&group.file),
            group.metadata.clone(),
        );
        let mask = ProjectionMask::columns(builder.parquet_schema(), ["event_hash"]);
        let batches = builder
            .with_projection(mask)
            .with_row_groups(vec![group.index])
            .with_batch_size(64 << 10)
            .build();
        let mut all = Vec::new();
        for batch in batches.map_err(|error| fail(&error))? {
            let batch = batch.map_err(|error| fail(&error))?;
            if let Some(column) = batch
                .columns()
                .first()
                .and_then(|column| column.as_primitive_opt::<Int64Type>())
            {
                all.extend(column.iter().flatten());
            }
        }
        all.sort_unstable();
        let all: Arc<[i64]> = all.into();
        *hashes = Some(Arc::clone(&all));
        drop(hashes);
        self.make_room(group, all.len());
        Ok(all)
    }

    /// Forgets the hashes that were read first.
    fn make_room(&self, group: &Arc<KnownGroup>, hashes: usize) {
        let mut loaded = self.loaded.lock();
        loaded.0.push_back(Arc::clone(group));
        loaded.1 += hashes;
        while loaded.1 > MOST && loaded.0.len() > 1 {
            let Some(oldest) = loaded.0.pop_front() else {
                break;
            };
            let gone = oldest.hashes.lock().take();
            loaded.1 -= gone.map_or(0, |hashes| hashes.len());
        }
    }

    fn reader(&self, file: &LakeFile) -> StoreFile {
        StoreFile::new(&file.file, &self.table, &self.runtime)
    }
}
