//! Encoded row groups in, data files of a transaction out: one for each day, as `add` actions of a
//! commit.
//!
//! What is not committed is removed, or found by `vacuum`. Not responsible for: how the bytes of a
//! file get to their place ([`super::file_target`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::types::SchemaDescPtr;
use deltalake::kernel::Add;
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::file::atomic::{WrittenFile, sync_folder};
use crate::file::parquet::{EncodedGroup, properties};
use crate::lake::delta::partition;
use crate::lake::file_statistics::{Day, FileStatistics, date_text, folder_of};
use crate::lake::file_target::DataFileTarget;
use crate::lake::layout;
use crate::lake::root::LakeRoot;

/// Files larger than this are ended, and another one begun.
const FILE: u64 = 512 << 20;

/// The data files of one transaction.
pub(crate) struct DataFiles<'l> {
    root: &'l LakeRoot,
    table: &'static str,
    schema: SchemaDescPtr,
    runtime: Handle,
    open: BTreeMap<Day, OpenFile>,
    done: Vec<WholeFile>,
}

struct OpenFile {
    writer: SerializedFileWriter<DataFileTarget>,
    name: String,
    statistics: FileStatistics,
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
        root: &'l LakeRoot,
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
        statistics: FileStatistics,
    ) -> Result<()> {
        let mut file = match self.open.remove(&day) {
            Some(file) => file,
            None => {
                let name = format!("{}/part-{}.parquet", folder_of(day), Uuid::new_v4());
                let target = DataFileTarget::create(self.root, self.table, &name, &self.runtime)?;
                OpenFile {
                    writer: new_writer(target, &self.schema)?,
                    name,
                    statistics: FileStatistics::default(),
                }
            }
        };
        let appended = group.append(&mut file.writer);
        if let Err(error) = appended {
            self.open.insert(day, file);
            return Err(self.root.unwritable(&error));
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
            .map_err(|error| self.root.unwritable(&error))
            .and_then(|_| {
                let size = file.writer.bytes_written() as u64;
                let target = file.writer.inner_mut();
                let hidden = target
                    .finish()
                    .map_err(|error| self.root.unwritable(&error))?;
                Ok((size, hidden, target.tag()))
            });
        let (size, hidden, checksums) = match finished {
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
            modification_time: self.root.clock.now_millis(),
            data_change: true,
            stats: Some(file.statistics.json()),
            tags: Some(HashMap::from([checksums, layout::tag()])),
            ..Add::default()
        };
        let key = Key::parse(&file.name).unwrap_or_else(|_| Key::from(file.name.as_str()));
        self.done.push(WholeFile { add, hidden, key });
        Ok(())
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
        let mut folders = BTreeSet::new();
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
                (None, Ok(store)) => drop(self.runtime.block_on(store.delete(&whole.key))),
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
