//! A data file of a lake as the Parquet crate reads it: its path in, ranges of its bytes out.
//!
//! It blocks: not to be used where the runtime waits.

use bytes::{Buf, Bytes};
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::reader::{ChunkReader, Length};
use tokio::runtime::Handle;

use crate::error::Error;
use crate::lake::checked_read::CheckedTable;
use crate::lake::read::DataFile;

/// Bytes that a reader without an end is given.
const READ_AHEAD: usize = 64 << 10;

/// A data file as the Parquet crate reads it.
pub(crate) struct StoreFile {
    file: DataFile,
    table: CheckedTable,
    runtime: Handle,
}

impl StoreFile {
    pub(crate) fn new(file: &DataFile, table: &CheckedTable, runtime: &Handle) -> Self {
        Self {
            file: file.clone(),
            table: table.clone(),
            runtime: runtime.clone(),
        }
    }
}

impl Length for StoreFile {
    fn len(&self) -> u64 {
        self.file.size
    }
}

impl ChunkReader for StoreFile {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let left = usize::try_from(self.len().saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(self.get_bytes(start, left.min(READ_AHEAD))?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let range = start..start.saturating_add(length as u64).min(self.len());
        let read = self.table.read(&self.file, std::slice::from_ref(&range));
        let mut read = self.runtime.block_on(read).map_err(|error| {
            // A store that fails is one thing, a file that is damaged another.
            match damage(&error) {
                Some(damage) => ParquetError::General(damage.to_string()),
                None => ParquetError::External(Box::new(error)),
            }
        })?;
        Ok(read.pop().unwrap_or_default())
    }
}

fn damage(error: &object_store::Error) -> Option<&Error> {
    std::error::Error::source(error)?.downcast_ref()
}
