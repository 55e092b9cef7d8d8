//! A data file of a lake as the Parquet crate reads it: its path in, ranges of its bytes out.
//!
//! It blocks: not to be used where the runtime waits.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::reader::{ChunkReader, Length};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;

use crate::lake::read::DataFile;

/// Bytes that a reader without an end is given.
const READ_AHEAD: usize = 64 << 10;

/// A data file as the Parquet crate reads it.
pub(crate) struct StoreFile {
    key: Key,
    size: u64,
    store: Arc<dyn ObjectStore>,
    runtime: Handle,
}

impl StoreFile {
    pub(crate) fn new(file: &DataFile, store: Arc<dyn ObjectStore>, runtime: Handle) -> Self {
        let key = Key::parse(&file.path).unwrap_or_else(|_| Key::from(file.path.as_str()));
        Self {
            key,
            size: file.size,
            store,
            runtime,
        }
    }
}

impl Length for StoreFile {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for StoreFile {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let left = usize::try_from(self.size.saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(self.get_bytes(start, left.min(READ_AHEAD))?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let range = start..start.saturating_add(length as u64);
        let bytes = self
            .runtime
            .block_on(self.store.get_range(&self.key, range));
        bytes.map_err(|error| ParquetError::External(Box::new(error)))
    }
}
