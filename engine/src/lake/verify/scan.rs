//! Data files of a table in, what is in them out; a file that is broken is a finding, a store that
//! fails is an error.
//!
//! Everything here blocks: it is called on threads of its own.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use datafusion::{
    arrow::{array::RecordBatch, error::ArrowError},
    parquet::{
        arrow::{
            ProjectionMask,
            arrow_reader::{
                ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
            },
        },
        errors::{ParquetError, Result as ParquetResult},
        file::reader::{ChunkReader, Length},
    },
};
use object_store::ObjectStoreExt;
use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind, Result};
use crate::lake::checked_read::{CheckedTable, key_of};
use crate::lake::read::DataFile;
use crate::lake::root::{LakeRoot, innermost};
use crate::lake::store_file::StoreFile;

/// Rows that are decoded at a time.
const BATCH: usize = 64 << 10;

/// Bytes that are compared at a time.
const STEP: usize = 4 << 20;

/// Reads the files of one table.
#[derive(Clone)]
pub(super) struct DataReader {
    pub(super) root: LakeRoot,
    pub(super) table: CheckedTable,
    pub(super) runtime: Handle,
    pub(super) threads: usize,
}

/// What is wrong with a file; or what was read of it.
pub(super) type FileRead<T> = std::result::Result<T, String>;

impl DataReader {
    pub(super) fn new(
        root: &LakeRoot,
        table: &str,
        runtime: &Handle,
        threads: usize,
    ) -> Result<Self> {
        Ok(Self {
            root: root.clone(),
            table: root.checked(table)?,
            runtime: runtime.clone(),
            threads,
        })
    }

    /// The size of a file; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(super) fn size(&self, file: &DataFile) -> Result<Option<u64>> {
        match self.runtime.block_on(self.table.store.head(&key_of(file))) {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(file, &innermost(&error))),
        }
    }

    /// The footer of a file that is there.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(super) fn footer(&self, file: &DataFile) -> Result<FileRead<ArrowReaderMetadata>> {
        self.decode(file, |file| {
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
                .map_err(|error| error.to_string())
        })
    }

    /// Hands over the named columns of a file that is there, as far as it has them.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(super) fn read(
        &self,
        file: &DataFile,
        columns: &[&str],
        mut take: impl FnMut(&RecordBatch) -> std::result::Result<(), ArrowError>,
    ) -> Result<FileRead<()>> {
        self.decode(file, |file| {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file)
                .map_err(|error| error.to_string())?;
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
            let batches = builder
                .with_projection(mask)
                .with_batch_size(BATCH)
                .build()
                .map_err(|error| error.to_string())?;
            for batch in batches {
                batch
                    .and_then(|batch| take(&batch))
                    .map_err(|error| error.to_string())?;
            }
            Ok(())
        })
    }

    /// Compares all bytes of a file that is there with its checksums.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(super) fn compare(&self, file: &DataFile) -> Result<FileRead<()>> {
        self.decode(file, |stored| {
            let mut at = 0;
            while at < file.size {
                let length = STEP.min(usize::try_from(file.size - at).unwrap_or(STEP));
                stored
                    .get_bytes(at, length)
                    .map_err(|error| message_of(&error))?;
                at += length as u64;
            }
            Ok(())
        })
    }

    /// The bytes may be anything: a decoder may panic on them.
    fn decode<T>(
        &self,
        file: &DataFile,
        work: impl FnOnce(WatchedFile) -> FileRead<T>,
    ) -> Result<FileRead<T>> {
        let failure = Arc::new(OnceLock::new());
        let stored = StoreFile::new(file, &self.table, &self.runtime);
        let watched = WatchedFile {
            file: stored,
            failure: Arc::clone(&failure),
        };
        let read = std::panic::catch_unwind(AssertUnwindSafe(|| work(watched)));
        match (read, failure.get()) {
            (Ok(Ok(read)), _) => Ok(Ok(read)),
            (_, Some(message)) => Err(self.failed(file, message)),
            (Ok(Err(message)), None) => Ok(Err(message)),
            (Err(_), None) => Ok(Err("it cannot be decoded".to_owned())),
        }
    }

    fn failed(&self, file: &DataFile, message: &str) -> Error {
        self.root
            .unreadable_file(&format!("{}/{}", self.table.table, file.path), message)
    }
}

/// Without the name of the parquet crate's class.
fn message_of(error: &ParquetError) -> String {
    match error {
        ParquetError::General(message) => message.clone(),
        other => other.to_string(),
    }
}

/// A data file that notes whether it was the store that failed.
struct WatchedFile {
    file: StoreFile,
    failure: Arc<OnceLock<String>>,
}

impl WatchedFile {
    fn noted<T>(&self, read: ParquetResult<T>) -> ParquetResult<T> {
        if let Err(ParquetError::External(error)) = &read {
            self.failure.get_or_init(|| innermost(error.as_ref()));
        }
        read
    }
}

impl Length for WatchedFile {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for WatchedFile {
    type T = <StoreFile as ChunkReader>::T;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        if start > self.len() {
            return Err(ParquetError::EOF("it points past its end".to_owned()));
        }
        self.noted(self.file.get_read(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        if start.saturating_add(length as u64) > self.len() {
            return Err(ParquetError::EOF("it points past its end".to_owned()));
        }
        self.noted(self.file.get_bytes(start, length))
    }
}

/// Works on jobs with several threads; what comes out, in the order of the jobs. The first error
/// ends it.
///
/// # Errors
///
/// Those of the work.
pub(super) fn on_threads<J: Sync, R: Send>(
    threads: usize,
    jobs: &[J],
    work: impl Fn(&J) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = || -> Result<Vec<(usize, R)>> {
        let mut done = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(index) else { break };
            let result = work(job).inspect_err(|_| stopped.store(true, Ordering::Relaxed))?;
            done.push((index, result));
        }
        Ok(done)
    };
    let done: Vec<Vec<(usize, R)>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads.clamp(1, jobs.len().max(1)))
            .map(|_| scope.spawn(worker))
            .collect();
        let failed = || Err(ErrorKind::Internal("checking the lake failed".to_owned()).into());
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| failed()))
            .collect::<Result<_>>()
    })?;
    let mut done: Vec<(usize, R)> = done.into_iter().flatten().collect();
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// Runs what blocks where it may.
///
/// # Errors
///
/// Those of the work.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| {
        Error::from(ErrorKind::Internal(format!(
            "checking the lake failed: {error}"
        )))
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_keep_their_order() {
        let jobs: Vec<u64> = (0..100).collect();
        assert_eq!(
            on_threads(7, &jobs, |job| Ok(job * 2)).unwrap(),
            (0..100).map(|job| job * 2).collect::<Vec<u64>>()
        );
        assert!(
            on_threads(3, &[] as &[u64], |job| Ok(*job))
                .unwrap()
                .is_empty()
        );
        let failed = on_threads(2, &jobs, |job| {
            if *job == 50 {
                Err(Error::input("x", "no"))
            } else {
                Ok(*job)
            }
        });
        assert_eq!(failed.unwrap_err().to_string(), "x: no");
    }
}
