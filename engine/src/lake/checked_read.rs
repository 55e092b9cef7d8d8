//! Data files that are compared with their checksums as they are read: a store and what the log
//! says of its files in; ranges of bytes that are as they were written, or an error that names the
//! file and the columns, out.
//!
//! Files without checksums, which earlier versions and other tools wrote, are read as they are.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::parquet::file::metadata::ParquetMetaDataReader;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path as Key;
use object_store::{
    Attributes, CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};

use crate::error::{Error, Hint};
use crate::lake::checksum::BlockChecksums;
use crate::lake::read::DataFile;

/// A table whose data files are read.
#[derive(Debug, Clone)]
pub(crate) struct CheckedTable {
    /// The lake, without secrets.
    pub(crate) lake: String,
    /// The table's name.
    pub(crate) table: String,
    /// Its root is the table's folder.
    pub(crate) store: Arc<dyn ObjectStore>,
}

/// The bytes of a Parquet file that say where its footer begins: its length, and the magic.
const FOOTER_LENGTH: u64 = 8;

impl CheckedTable {
    /// Ranges of a file, compared with its checksums if it has some.
    ///
    /// # Errors
    ///
    /// When they cannot be read; when they are damaged, with an [`Error`] inside.
    pub(crate) async fn read(&self, file: &DataFile, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let (store, key) = (&self.store, key_of(file));
        let Some(checksums) = &file.checksums else {
            return store.get_ranges(&key, ranges).await;
        };
        let blocks = joined(ranges, file.size);
        let read = store.get_ranges(&key, &blocks).await?;
        for (blocks, bytes) in blocks.iter().zip(&read) {
            self.compare(file, checksums, blocks.start, bytes).await?;
        }
        let part = |range: &Range<u64>| {
            let within = |blocks: &Range<u64>| {
                blocks.start <= range.start && range.start < blocks.end.max(blocks.start + 1)
            };
            let found = blocks.iter().position(within)?;
            let start = usize::try_from(range.start - blocks[found].start).ok()?;
            let bytes = &read[found];
            let end = start.saturating_add(usize::try_from(range.end - range.start).ok()?);
            Some(bytes.slice(start.min(bytes.len())..end.min(bytes.len())))
        };
        Ok(ranges
            .iter()
            .map(|range| part(range).unwrap_or_default())
            .collect())
    }

    /// Are these whole blocks, from byte `start` on, as they were written?
    async fn compare(
        &self,
        file: &DataFile,
        checksums: &BlockChecksums,
        start: u64,
        bytes: &[u8],
    ) -> Result<()> {
        match checksums.damaged(start, bytes) {
            Some(damaged) => Err(self.damage(file, &damaged).await),
            None => Ok(()),
        }
    }

    /// The error of a file whose bytes are not those that were written.
    async fn damage(&self, file: &DataFile, damaged: &Range<u64>) -> object_store::Error {
        let what = what_is_damaged(&self.store, file, damaged)
            .await
            .unwrap_or_else(|| "its footer".to_owned());
        let message = format!(
            "{}/{} is damaged: bytes {} to {} ({what}) do not match their checksum; restore the \
             file from a copy, or make the lake anew from the logs",
            self.table,
            file.path,
            damaged.start,
            damaged.end.saturating_sub(1),
        );
        let error = Error::lake(&self.lake, message).with_hint(Hint::VerifyLake {
            lake: self.lake.clone(),
        });
        object_store::Error::Generic {
            store: "lake",
            source: Box::new(error),
        }
    }
}

/// The file's key in its table's store.
pub(crate) fn key_of(file: &DataFile) -> Key {
    Key::parse(&file.path).unwrap_or_else(|_| Key::from(file.path.as_str()))
}

/// The blocks that ranges touch, in order and each once.
fn joined(ranges: &[Range<u64>], size: u64) -> Vec<Range<u64>> {
    let mut blocks: Vec<Range<u64>> = ranges
        .iter()
        .map(|range| BlockChecksums::around(range, size))
        .collect();
    blocks.sort_by_key(|blocks| blocks.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(blocks.len());
    for blocks in blocks {
        match joined.last_mut() {
            Some(last) if blocks.start <= last.end => last.end = last.end.max(blocks.end),
            _ => joined.push(blocks),
        }
    }
    joined
}

/// The columns whose pages lie in a range; `None` when the footer, which says so, is damaged itself.
async fn what_is_damaged(
    store: &dyn ObjectStore,
    file: &DataFile,
    damaged: &Range<u64>,
) -> Option<String> {
    let checksums = file.checksums.as_ref()?;
    let read = async |range: Range<u64>| {
        let blocks = BlockChecksums::around(&range, file.size);
        let bytes = store.get_range(&key_of(file), blocks.clone()).await.ok()?;
        checksums
            .damaged(blocks.start, &bytes)
            .is_none()
            .then_some(())?;
        let start = usize::try_from(range.start - blocks.start).ok()?;
        let end = usize::try_from(range.end - blocks.start).ok()?;
        (end <= bytes.len()).then(|| bytes.slice(start..end))
    };
    let length_at = file.size.checked_sub(FOOTER_LENGTH)?;
    let length = read(length_at..length_at + 4).await?;
    let length = u64::from(u32::from_le_bytes(length.as_ref().try_into().ok()?));
    let footer_at = length_at.checked_sub(length)?;
    let footer = read(footer_at..length_at).await?;
    let metadata = ParquetMetaDataReader::decode_metadata(&footer).ok()?;
    let mut columns: Vec<String> = Vec::new();
    for column in metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
    {
        let (from, bytes) = column.byte_range();
        let name = column.column_path().string();
        if from < damaged.end && damaged.start < from + bytes && !columns.contains(&name) {
            columns.push(name);
        }
    }
    Some(match columns.as_slice() {
        [] => "its indexes".to_owned(),
        [one] => format!("column {one}"),
        [some @ .., last] => format!("columns {} and {last}", some.join(", ")),
    })
}

/// The store of a table, whose files are compared with their checksums.
#[derive(Debug)]
pub(crate) struct CheckedStore {
    table: CheckedTable,
    files: HashMap<Key, DataFile>,
}

impl CheckedStore {
    /// `files` are those that will be read.
    pub(crate) fn new(table: CheckedTable, files: &[DataFile]) -> Self {
        let checked = files.iter().filter(|file| file.checksums.is_some());
        Self {
            table,
            files: checked.map(|file| (key_of(file), file.clone())).collect(),
        }
    }
}

impl fmt::Display for CheckedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checked {}", self.table.store)
    }
}

#[async_trait]
impl ObjectStore for CheckedStore {
    async fn put_opts(
        &self,
        location: &Key,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.table.store.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Key,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.table.store.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Key, options: GetOptions) -> Result<GetResult> {
        let file = match self.files.get(location) {
            Some(file) if !options.head => file,
            _ => return self.table.store.get_opts(location, options).await,
        };
        let range = match &options.range {
            None => 0..file.size,
            Some(GetRange::Bounded(range)) => range.start..range.end.min(file.size),
            Some(GetRange::Offset(start)) => *start..file.size,
            Some(GetRange::Suffix(last)) => file.size.saturating_sub(*last)..file.size,
        };
        // One request: the blocks around the range, and what the store says of the file.
        let blocks = BlockChecksums::around(&range, file.size);
        let options = options.with_range(Some(blocks.clone()));
        let found = self.table.store.get_opts(location, options).await?;
        let meta = found.meta.clone();
        let bytes = found.bytes().await?;
        if let Some(checksums) = &file.checksums {
            let compared = self.table.compare(file, checksums, blocks.start, &bytes);
            compared.await?;
        }
        let within = |at: u64| usize::try_from(at - blocks.start).unwrap_or(usize::MAX);
        let (from, to) = (within(range.start), within(range.end).min(bytes.len()));
        let bytes = bytes.slice(from.min(to)..to);
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::once(async move { Ok(bytes) }).boxed()),
            meta,
            range,
            attributes: Attributes::default(),
        })
    }

    async fn get_ranges(&self, location: &Key, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match self.files.get(location) {
            Some(file) => self.table.read(file, ranges).await,
            None => self.table.store.get_ranges(location, ranges).await,
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Key>>,
    ) -> BoxStream<'static, Result<Key>> {
        self.table.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.table.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> Result<ListResult> {
        self.table.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> Result<()> {
        self.table.store.copy_opts(from, to, options).await
    }
}
