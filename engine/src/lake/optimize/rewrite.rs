//! Data files in, the same rows in order in new ones out. Nothing is committed here.
//!
//! DataFusion reads and sorts; what does not fit into its memory it writes to a temporary folder. A
//! thread of its own encodes and writes what comes ([`super::output`]), since that blocks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    common::config::SpillCompression,
    error::DataFusionError,
    execution::{SendableRecordBatchStream, object_store::ObjectStoreUrl},
    logical_expr::ident,
    parquet::file::metadata::ParquetMetaDataReader,
    prelude::SessionContext,
};
use futures::StreamExt;
use tokio::{
    runtime::Handle,
    sync::mpsc::{Sender, channel},
};

use crate::error::{Error, ErrorKind, Hint, Result};
use crate::lake::checked_read::{CheckedStore, CheckedTable};
use crate::lake::optimize::output::{NewFiles, RowWriter};
use crate::lake::read::{DataFile, LakeTable};
use crate::lake::root::LakeRoot;
use crate::lake::store_file::StoreFile;
use crate::session::{Limits, session};

/// Bytes of a batch, roughly. Sorting holds two batches of every part that it merges.
const BATCH: u64 = 2 << 20;
/// Batches that wait for being encoded.
const AHEAD: usize = 2;
/// How long it may take until a run that is to stop stops.
const PATIENCE: Duration = Duration::from_millis(200);

/// What is rewritten, and how.
pub(super) struct PartitionRewrite<'r> {
    pub(super) root: &'r LakeRoot,
    pub(super) table: &'static str,
    /// The columns of the files.
    pub(super) columns: SchemaRef,
    /// The columns that the rows are ordered by.
    pub(super) order: &'r [&'r str],
    /// Of the new files, with a slash at its end; empty for the table's own.
    pub(super) folder: String,
    pub(super) limits: &'r Limits,
    pub(super) cancelled: &'r AtomicBool,
}

impl PartitionRewrite<'_> {
    /// Rewrites these files; the new ones hold as many rows.
    ///
    /// # Errors
    ///
    /// When one cannot be read or written, or the user stopped the run. Nothing new is left then,
    /// nor when this is dropped.
    pub(super) async fn run(&self, files: Vec<DataFile>) -> Result<NewFiles> {
        let checked = self.root.checked(self.table)?;
        let footers = self.footers(&files, &checked).await?;
        let stream = self.sorted(files, checked, footers.widest).await?;
        let output = RowWriter::new(
            self.root.clone(),
            self.table,
            self.folder.clone(),
            Handle::current(),
        );
        let (sender, receiver) = channel(AHEAD);
        let writing = tokio::task::spawn_blocking(move || output.write(receiver));
        let fed = self.feed(stream, sender).await;
        let written = writing.await.map_err(|error| {
            Error::from(ErrorKind::Internal(format!(
                "writing files failed: {error}"
            )))
        })?;
        // That the rows ended too early says less than why they did.
        fed?;
        let written = written?;
        if written.rows() != footers.rows {
            let (table, read, new) = (self.table, footers.rows, written.rows());
            let message = format!(
                "table {table}: {read} rows were read and {new} were written; nothing was changed"
            );
            written.discard().await;
            return Err(ErrorKind::Internal(message).into());
        }
        Ok(written)
    }

    /// What the files themselves say of their rows; it has to be what the log says.
    async fn footers(&self, files: &[DataFile], checked: &CheckedTable) -> Result<FooterTotals> {
        let (files, checked, runtime, shown, table) = (
            files.to_vec(),
            checked.clone(),
            Handle::current(),
            self.root.shown.clone(),
            self.table,
        );
        let work = move || -> Result<FooterTotals> {
            let mut all = FooterTotals::default();
            for file in &files {
                let fail = |message: String| {
                    Error::lake(&shown, format!("{table}/{}: {message}", file.path))
                };
                let reader = StoreFile::new(file, &checked, &runtime);
                let footer = ParquetMetaDataReader::new().parse_and_finish(&reader);
                let footer = footer.map_err(|error| fail(format!("cannot read it: {error}")))?;
                let rows = u64::try_from(footer.file_metadata().num_rows()).unwrap_or(0);
                if let Some(noted) = file.rows.filter(|noted| *noted != rows) {
                    let message = format!("it has {rows} rows, and the log says {noted}");
                    return Err(fail(message).with_hint(Hint::VerifyLake {
                        lake: shown.clone(),
                    }));
                }
                all.rows += rows;
                for group in footer.row_groups() {
                    let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0);
                    all.widest = all
                        .widest
                        .max(bytes / u64::try_from(group.num_rows()).unwrap_or(0).max(1));
                }
            }
            Ok(all)
        };
        let read = tokio::task::spawn_blocking(work).await;
        read.map_err(|error| {
            Error::from(ErrorKind::Internal(format!(
                "reading footers failed: {error}"
            )))
        })?
    }

    /// The rows in order.
    async fn sorted(
        &self,
        files: Vec<DataFile>,
        checked: CheckedTable,
        widest: u64,
    ) -> Result<SendableRecordBatchStream> {
        let context = self.session(widest)?;
        let url = ObjectStoreUrl::parse(format!("lake-{}://lake", self.table))?;
        context
            .runtime_env()
            .register_object_store(url.as_ref(), Arc::new(CheckedStore::new(checked, &files)));
        let columns = Arc::clone(&self.columns);
        let table = LakeTable::new(columns, None, Some("stage_timestamp"), url, files.into());
        let known = self
            .order
            .iter()
            .filter(|name| self.columns.index_of(name).is_ok());
        let order = known.map(|name| ident(*name).sort(true, true)).collect();
        let rows = context
            .read_table(Arc::new(table))?
            .sort(order)?
            .execute_stream()
            .await;
        rows.map_err(|error| self.unsorted(error))
    }

    /// Why the rows could not be put in order.
    fn unsorted(&self, error: DataFusionError) -> Error {
        let (error, lake) = (Error::from(error), &self.root.shown);
        let message = format!("table {}: cannot sort its rows: {error}", self.table);
        match error.kind() {
            ErrorKind::Memory(_) => ErrorKind::Memory(format!("{lake}: {message}")).into(),
            _ => Error::lake(lake, message),
        }
    }

    /// A session of small batches, if its rows are large: a sort that merges needs room for a batch
    /// of each part.
    fn session(&self, widest: u64) -> Result<SessionContext> {
        // A text takes 16 bytes in memory however short it is.
        let row = widest + 16 * self.columns.fields().len() as u64;
        let rows = usize::try_from(BATCH / row.max(1))
            .unwrap_or(usize::MAX)
            .clamp(16, 8192);
        let context = session(self.limits)?;
        let state = context.state_ref();
        let mut state = state.write();
        let config = state
            .config()
            .clone()
            .with_batch_size(rows)
            .with_spill_compression(SpillCompression::Lz4Frame);
        *state.config_mut() = config;
        drop(state);
        Ok(context)
    }

    /// Hands the rows over; the end of the channel alone is not their end.
    async fn feed(
        &self,
        mut rows: SendableRecordBatchStream,
        sender: Sender<Option<RecordBatch>>,
    ) -> Result<()> {
        loop {
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            // The first row comes when the last was read.
            let Ok(next) = tokio::time::timeout(PATIENCE, rows.next()).await else {
                continue;
            };
            let next = next.transpose().map_err(|error| self.unsorted(error))?;
            let is_end = next.is_none();
            let sent = sender.send(next).await;
            if is_end || sent.is_err() {
                // The writing thread says what went wrong.
                return Ok(());
            }
        }
    }
}

/// What is known of the files that are read.
#[derive(Debug, Clone, Copy, Default)]
struct FooterTotals {
    rows: u64,
    /// Bytes of a row, before compression, in the row group where they are most.
    widest: u64,
}
