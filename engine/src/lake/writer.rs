//! Encoded row groups in, data files of a transaction out: one for each day, as `add` actions of a
//! commit.
//!
//! In a folder a file has a hidden name until it is whole and on disk: who reads the folder without
//! Delta's log never sees half of it. In a store it is uploaded in parts and there is nothing
//! before the last. What is not committed is removed, or found by `vacuum`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use datafusion::parquet::{file::writer::SerializedFileWriter, schema::types::SchemaDescPtr};
use deltalake::kernel::Add;
use object_store::{MultipartUpload, ObjectStore, path::Path as Key};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::file::atomic::{AtomicFile, WrittenFile, sync_folder};
use crate::file::parquet::{EncodedGroup, properties};
use crate::lake::delta::partition;
use crate::lake::root::Root;
use crate::time::format_time;

/// A UTC day, in days since the epoch; `None` for rows without a time.
pub(crate) type Day = Option<i32>;

/// Files larger than this are ended, and another one begun.
const FILE: u64 = 512 << 20;
/// Bytes of a part of an upload; S3 wants at least 5 MiB.
const PART: usize = 8 << 20;

/// Least and greatest of the times of rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Range(pub(crate) Option<(i64, i64)>);

impl Range {
    pub(crate) fn add(&mut self, micros: Option<i64>) {
        if let Some(micros) = micros {
            self.0 = Some(self.0.map_or((micros, micros), |(first, last)| {
                (first.min(micros), last.max(micros))
            }));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if let Some((first, last)) = other.0 {
            self.add(Some(first));
            self.add(Some(last));
        }
    }
}

/// What Delta's log says of the rows of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Statistics {
    pub(crate) rows: u64,
    /// Of `stage_timestamp`.
    pub(crate) staged: Range,
    /// Of `request_received_timestamp`.
    pub(crate) received: Range,
}

impl Statistics {
    pub(crate) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.staged.merge(other.staged);
        self.received.merge(other.received);
    }

    /// As Delta's log has it (PROTOCOL.md, "Per-file Statistics").
    pub(crate) fn json(&self) -> String {
        let bound = |which: fn((i64, i64)) -> i64| {
            let mut bounds = Map::new();
            for (name, range) in [
                ("stage_timestamp", self.staged),
                ("request_received_timestamp", self.received),
            ] {
                if let Some(range) = range.0 {
                    bounds.insert(name.to_owned(), Value::String(format_time(which(range))));
                }
            }
            bounds
        };
        json!({"numRecords": self.rows, "minValues": bound(|range| range.0), "maxValues": bound(|range| range.1), "nullCount": {}})
            .to_string()
    }
}

/// The data files of one transaction.
pub(crate) struct DataFiles<'l> {
    root: &'l Root,
    table: &'static str,
    schema: SchemaDescPtr,
    runtime: Handle,
    open: BTreeMap<Day, OpenFile>,
    done: Vec<WholeFile>,
}

struct OpenFile {
    writer: SerializedFileWriter<DataFileTarget>,
    name: String,
    statistics: Statistics,
}

/// A file that is whole.
struct WholeFile {
    add: Add,
    /// While it is hidden still.
    hidden: Option<WrittenFile>,
    key: Key,
}

impl<'l> DataFiles<'l> {
    pub(crate) fn new(
        root: &'l Root,
        table: &'static str,
        schema: SchemaDescPtr,
        runtime: Handle,
    ) -> Self {
        Self {
            root,
            table,
            schema,
            runtime,
            open: BTreeMap::new(),
            done: Vec::new(),
        }
    }

    /// Adds a row group of one day.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn append(
        &mut self,
        day: Day,
        group: EncodedGroup,
        statistics: Statistics,
    ) -> Result<()> {
        let mut file = match self.open.remove(&day) {
            Some(file) => file,
            None => {
                let name = format!("{}/part-{}.parquet", folder_of(day), Uuid::new_v4());
                let target = DataFileTarget::create(self.root, self.table, &name, &self.runtime)?;
                OpenFile {
                    writer: new_writer(target, &self.schema)?,
                    name,
                    statistics: Statistics::default(),
                }
            }
        };
        let appended = group.append(&mut file.writer);
        if let Err(error) = appended {
            self.open.insert(day, file);
            return Err(self.failed(&error));
        }
        file.statistics.merge(statistics);
        if file.writer.bytes_written() as u64 > FILE {
            self.end(day, file)
        } else {
            self.open.insert(day, file);
            Ok(())
        }
    }

    fn end(&mut self, day: Day, mut file: OpenFile) -> Result<()> {
        let finished = file
            .writer
            .finish()
            .map_err(|error| self.failed(&error))
            .and_then(|_| {
                let size = file.writer.bytes_written() as u64;
                let hidden = file
                    .writer
                    .inner_mut()
                    .finish()
                    .map_err(|error| self.failed(&error))?;
                Ok((size, hidden))
            });
        let (size, hidden) = match finished {
            Ok(finished) => finished,
            Err(error) => {
                file.writer.inner_mut().discard();
                return Err(error);
            }
        };
        let add = Add {
            path: file.name.clone(),
            partition_values: partition(day.map(date_text).as_deref()),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            modification_time: crate::time::now_micros() / 1000,
            data_change: true,
            stats: Some(file.statistics.json()),
            ..Add::default()
        };
        let key = Key::parse(&file.name).unwrap_or_else(|_| Key::from(file.name.as_str()));
        self.done.push(WholeFile { add, hidden, key });
        Ok(())
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Error {
        ErrorKind::Output {
            path: self.root.shown.clone(),
            source: io::Error::other(error.to_string()),
        }
        .into()
    }

    /// Ends all files and gives them their names: they can be committed.
    ///
    /// # Errors
    ///
    /// When they cannot be written; nothing is left then.
    pub(crate) fn finish(&mut self) -> Result<Vec<Add>> {
        while let Some((day, file)) = self.open.pop_first() {
            self.end(day, file)?;
        }
        let mut folders = std::collections::BTreeSet::new();
        for whole in &mut self.done {
            if let Some(written) = whole.hidden.take() {
                let folder = written.publish().map_err(|source| -> Error {
                    let path = format!("{}/{}", self.root.shown, whole.add.path);
                    ErrorKind::Output { path, source }.into()
                })?;
                folders.insert(folder);
            }
        }
        // Names have to survive a power cut, too, before a commit speaks of them.
        folders.iter().for_each(|folder| sync_folder(folder));
        Ok(self.done.iter().map(|whole| whole.add.clone()).collect())
    }

    /// Removes everything: for a transaction that is certain not to be committed.
    pub(crate) fn discard(mut self) {
        while let Some((_, mut file)) = self.open.pop_first() {
            file.writer.inner_mut().discard();
        }
        let store = self.root.objects(self.table);
        for whole in self.done.drain(..) {
            match (whole.hidden, &store) {
                (Some(hidden), _) => drop(hidden),
                (None, Ok(store)) => drop(self.runtime.block_on(
                    object_store::ObjectStoreExt::delete(store.as_ref(), &whole.key),
                )),
                (None, Err(_)) => {}
            }
        }
    }
}

fn new_writer(
    target: DataFileTarget,
    schema: &SchemaDescPtr,
) -> Result<SerializedFileWriter<DataFileTarget>> {
    Ok(SerializedFileWriter::new(
        target,
        schema.root_schema_ptr(),
        properties(),
    )?)
}

/// The folder of a day, as Hive names it.
pub(crate) fn folder_of(day: Day) -> String {
    format!(
        "date={}",
        day.map_or_else(|| "__HIVE_DEFAULT_PARTITION__".to_owned(), date_text)
    )
}

/// `2026-11-01`.
pub(crate) fn date_text(day: i32) -> String {
    let mut text = format_time(i64::from(day) * 86_400_000_000);
    text.truncate(text.len().min(text.find('T').unwrap_or(10)));
    text
}

/// Where the bytes of a file go.
pub(crate) enum DataFileTarget {
    /// `None` once it is written.
    File(Option<AtomicFile>),
    Upload {
        upload: Box<dyn MultipartUpload>,
        part: Vec<u8>,
        runtime: Handle,
    },
}

impl DataFileTarget {
    /// A new file of a table.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn create(
        root: &Root,
        table: &'static str,
        name: &str,
        runtime: &Handle,
    ) -> Result<Self> {
        let Some(folder) = root.folder(table) else {
            let store: Arc<dyn ObjectStore> = root.objects(table)?;
            let key = Key::parse(name).unwrap_or_else(|_| Key::from(name));
            let upload = runtime.block_on(object_store::ObjectStoreExt::put_multipart(
                store.as_ref(),
                &key,
            ));
            let upload = upload.map_err(|error| root.failed("upload", &error))?;
            return Ok(Self::Upload {
                upload,
                part: Vec::with_capacity(PART),
                runtime: runtime.clone(),
            });
        };
        let name = folder.join(name);
        let fail = |source| -> Error {
            ErrorKind::Output {
                path: name.display().to_string(),
                source,
            }
            .into()
        };
        let parent = name.parent().unwrap_or(&folder);
        std::fs::create_dir_all(parent).map_err(fail)?;
        Ok(Self::File(Some(AtomicFile::create(&name).map_err(fail)?)))
    }

    /// Everything is in its place; a file is hidden until it is published.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub(crate) fn finish(&mut self) -> io::Result<Option<WrittenFile>> {
        match self {
            Self::File(file) => file.take().map(AtomicFile::written).transpose(),
            Self::Upload {
                upload,
                part,
                runtime,
            } => {
                let rest = std::mem::take(part);
                runtime.block_on(async {
                    if !rest.is_empty() {
                        upload.put_part(rest.into()).await?;
                    }
                    upload.complete().await
                })?;
                Ok(None)
            }
        }
    }

    /// As if it had never been.
    pub(crate) fn discard(&mut self) {
        match self {
            Self::File(file) => drop(file.take()),
            Self::Upload {
                upload, runtime, ..
            } => drop(runtime.block_on(upload.abort())),
        }
    }
}

impl Write for DataFileTarget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(Some(file)) => file.write(bytes),
            Self::File(None) => Err(io::Error::other("the file is closed")),
            Self::Upload {
                upload,
                part,
                runtime,
            } => {
                part.extend_from_slice(bytes);
                if part.len() >= PART {
                    let full = std::mem::replace(part, Vec::with_capacity(PART));
                    runtime.block_on(upload.put_part(full.into()))?;
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(Some(file)) => file.flush(),
            Self::File(None) => Ok(()),
            Self::Upload { .. } => Ok(()),
        }
    }
}
