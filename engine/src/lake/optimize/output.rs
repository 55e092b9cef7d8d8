//! Rows in order in, whole data files out. It blocks: it has a thread of its own.
//!
//! Files have hidden names until all of them are whole and on disk, as those of `convert` have;
//! those that are not committed are removed.

use std::collections::BTreeSet;

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch},
        compute::{max, min},
        datatypes::TimestampMicrosecondType,
    },
    parquet::{
        arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
        file::properties::WriterProperties,
    },
};
use futures::StreamExt;
use object_store::{ObjectStore, path::Path as Key};
use tokio::{runtime::Handle, sync::mpsc::Receiver};
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::file::atomic::{WrittenFile, sync_folder};
use crate::file::parquet::{plain_properties, properties_for};
use crate::lake::file_statistics::{FileStatistics, TimeRange};
use crate::lake::file_target::DataFileTarget;
use crate::lake::optimize::choice::TARGET;
use crate::lake::root::{EVENTS, LakeRoot};

/// Rows of a row group.
const ROWS: usize = 128 << 10;
/// Encoded bytes of a row group, at most: they are in memory until it is written.
const GROUP: usize = 64 << 20;
/// A file is ended when it has so many bytes: what is not encoded yet still fits.
const FULL: u64 = TARGET - TARGET / 16;

/// As `convert` writes them, in larger row groups.
fn writer_properties(table: &str) -> WriterProperties {
    let properties = if table == EVENTS {
        properties_for(ROWS as u64)
    } else {
        plain_properties().into_builder()
    };
    properties
        .set_max_row_group_row_count(Some(ROWS))
        .set_max_row_group_bytes(Some(GROUP))
        .build()
}

/// A new file.
#[derive(Debug, Clone)]
pub(super) struct OptimizedFile {
    /// Its path in the table.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) statistics: FileStatistics,
    /// A tag of its `add` action.
    pub(super) checksums: (String, Option<String>),
}

/// New files that are whole. They are removed with this, unless they are held.
pub(super) struct NewFiles {
    root: LakeRoot,
    table: &'static str,
    runtime: Handle,
    pub(super) files: Vec<OptimizedFile>,
    is_held: bool,
}

impl NewFiles {
    pub(super) fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.statistics.rows).sum()
    }

    /// Whether a commit that may be there speaks of them.
    pub(super) const fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
    }

    /// As if they had never been.
    pub(super) async fn discard(mut self) {
        self.is_held = true;
        let names = self.files.iter().map(|file| file.name.clone()).collect();
        remove(&self.root, self.table, names).await;
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        if self.is_held {
            return;
        }
        if let Some(folder) = self.root.folder(self.table) {
            self.files
                .iter()
                .for_each(|file| drop(std::fs::remove_file(folder.join(&file.name))));
        } else {
            let names = self.files.iter().map(|file| file.name.clone()).collect();
            let (root, table) = (self.root.clone(), self.table);
            drop(
                self.runtime
                    .spawn(async move { remove(&root, table, names).await }),
            );
        }
    }
}

/// Removes files, those that it can.
async fn remove(root: &LakeRoot, table: &str, names: Vec<String>) {
    let Ok(store) = root.objects(table) else {
        return;
    };
    let keys = names.into_iter().map(|name| {
        Ok::<Key, object_store::Error>(Key::parse(&name).unwrap_or_else(|_| Key::from(name)))
    });
    let mut removed = store.delete_stream(futures::stream::iter(keys.collect::<Vec<_>>()).boxed());
    while removed.next().await.is_some() {}
}

/// Writes rows to files. What it has not given away goes with it; it blocks.
pub(super) struct RowWriter {
    root: LakeRoot,
    table: &'static str,
    folder: String,
    properties: WriterProperties,
    runtime: Handle,
    open: Option<OpenNewFile>,
    done: Vec<WholeNewFile>,
}

struct OpenNewFile {
    writer: ArrowWriter<DataFileTarget>,
    name: String,
    statistics: FileStatistics,
}

struct WholeNewFile {
    file: OptimizedFile,
    /// While it is hidden still.
    hidden: Option<WrittenFile>,
}

impl RowWriter {
    pub(super) fn new(
        root: LakeRoot,
        table: &'static str,
        folder: String,
        runtime: Handle,
    ) -> Self {
        Self {
            root,
            table,
            folder,
            properties: writer_properties(table),
            runtime,
            open: None,
            done: Vec::new(),
        }
    }

    /// Writes what comes until it is said that nothing more does.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or ends without that being said.
    pub(super) fn write(mut self, mut rows: Receiver<Option<RecordBatch>>) -> Result<NewFiles> {
        loop {
            match rows.blocking_recv() {
                Some(Some(batch)) => self.append(&batch)?,
                Some(None) => return self.finish(),
                None => return Err(ErrorKind::Interrupted.into()),
            }
        }
    }

    fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin(batch)?,
        };
        let written = open.writer.write(batch);
        open.statistics.merge(statistics_of(batch));
        let bytes = (open.writer.bytes_written() + open.writer.in_progress_size()) as u64;
        self.open = Some(open);
        written.map_err(|error| self.root.unwritable(&error))?;
        if bytes >= FULL { self.end() } else { Ok(()) }
    }

    fn begin(&self, batch: &RecordBatch) -> Result<OpenNewFile> {
        let name = format!("{}part-{}.parquet", self.folder, Uuid::new_v4());
        let target = DataFileTarget::create(&self.root, self.table, &name, &self.runtime)?;
        // Any reader of Parquet understands the columns without a schema of Arrow's.
        let options = ArrowWriterOptions::new()
            .with_properties(self.properties.clone())
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(target, batch.schema(), options)
            .map_err(|error| self.root.unwritable(&error))?;
        Ok(OpenNewFile {
            writer,
            name,
            statistics: FileStatistics::default(),
        })
    }

    /// Ends the file that is open.
    fn end(&mut self) -> Result<()> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        let finished = open
            .writer
            .finish()
            .map_err(|error| self.root.unwritable(&error))
            .and_then(|_| {
                let size = open.writer.bytes_written() as u64;
                let target = open.writer.inner_mut();
                let hidden = target
                    .finish()
                    .map_err(|error| self.root.unwritable(&error))?;
                Ok((size, hidden, target.tag()))
            });
        match finished {
            Ok((size, hidden, checksums)) => {
                self.done.push(WholeNewFile {
                    file: OptimizedFile {
                        name: open.name,
                        size,
                        statistics: open.statistics,
                        checksums,
                    },
                    hidden,
                });
                Ok(())
            }
            Err(error) => {
                open.writer.inner_mut().discard();
                Err(error)
            }
        }
    }

    /// Ends the last file and gives all of them their names.
    fn finish(&mut self) -> Result<NewFiles> {
        self.end()?;
        let mut folders = BTreeSet::new();
        for whole in &mut self.done {
            if let Some(written) = whole.hidden.take() {
                let folder = written.publish().map_err(|source| -> Error {
                    let path = format!("{}/{}", self.root.shown, whole.file.name);
                    ErrorKind::Output { path, source }.into()
                })?;
                folders.insert(folder);
            }
        }
        // Names have to survive a power cut, too, before a commit speaks of them.
        folders.iter().for_each(|folder| sync_folder(folder));
        let files = std::mem::take(&mut self.done)
            .into_iter()
            .map(|whole| whole.file)
            .collect();
        Ok(NewFiles {
            root: self.root.clone(),
            table: self.table,
            runtime: self.runtime.clone(),
            files,
            is_held: false,
        })
    }
}

impl Drop for RowWriter {
    fn drop(&mut self) {
        if let Some(mut open) = self.open.take() {
            open.writer.inner_mut().discard();
        }
        // Files that are hidden still are removed with this.
        let named = self.done.drain(..).filter(|whole| whole.hidden.is_none());
        let names: Vec<String> = named.map(|whole| whole.file.name).collect();
        if !names.is_empty() {
            self.runtime.block_on(remove(&self.root, self.table, names));
        }
    }
}

/// What the log is to say of rows.
fn statistics_of(batch: &RecordBatch) -> FileStatistics {
    let range = |name: &str| {
        let mut range = TimeRange::default();
        if let Some(times) = batch
            .column_by_name(name)
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
        {
            range.add(min(times));
            range.add(max(times));
        }
        range
    };
    FileStatistics {
        rows: batch.num_rows() as u64,
        staged: range("stage_timestamp"),
        received: range("request_received_timestamp"),
    }
}
