//! The events of the inputs, narrow and temporary: columns in, Parquet files in the private
//! temporary folder out, and a session whose `events` they are.
//!
//! Parquet rather than Arrow: dictionary pages keep it small and fast. One file for each stream of
//! the scan, so that all threads encode. The files are gone with the process, or when this is
//! dropped.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{
    SortColumn, concat_batches, lexsort_to_indices, take_record_batch,
};
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::execute_stream_partitioned;
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use super::Engine;
use crate::catalog::{self, EARLIER_EVENTS};
use crate::error::{ErrorKind, Result};
use crate::query::Account;
use crate::schema;
use crate::session::{self, session};
use crate::temporary::TemporaryFolder;

/// Bytes of a row group, as Arrow holds them: as bodies are long, rows say little.
const GROUP: usize = 64 << 20;
/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 16;
/// Rows of a page: what a query leaves out at least.
const PAGE_ROWS: usize = 1 << 10;
/// The columns that tell the kind of a request.
const KIND: [&str; 3] = ["resource", "subresource", "verb"];

/// Converted events, and the session that reads them.
pub(super) struct EventSpool {
    context: SessionContext,
    _folder: TemporaryFolder,
}

impl EventSpool {
    /// Converts the inputs, and with them the events before the window if they are asked for. What is
    /// read is counted on `account`.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or the temporary folder cannot be written.
    pub(super) async fn fill(
        engine: &Engine,
        columns: &BTreeSet<String>,
        with_earlier: bool,
        account: &Account,
    ) -> Result<Self> {
        let folder = TemporaryFolder::create().map_err(|error| failed(&error))?;
        // In the order of the table, and at least one: rows are counted.
        let columns: Vec<String> = schema::event_columns()
            .iter()
            .filter(|column| columns.contains(&column.name) || column.name == "stage")
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        let select = format!("SELECT {} FROM", columns.join(", "));
        let files = convert(engine, &format!("{select} events"), account, &folder, "").await?;
        let earlier_files = match with_earlier {
            false => Vec::new(),
            true => {
                let sql = format!("{select} {EARLIER_EVENTS}");
                convert(engine, &sql, account, &folder, "earlier-").await?
            }
        };
        let context = session(&engine.options.limits())?;
        catalog::register_copy(&context, &engine.context, &files, &earlier_files).await?;
        Ok(Self {
            context,
            _folder: folder,
        })
    }

    /// The session whose `events` these are; its other tables are those of the engine.
    pub(super) const fn context(&self) -> &SessionContext {
        &self.context
    }
}

/// Writes the rows of a statement, a file for each stream.
async fn convert(
    engine: &Engine,
    sql: &str,
    account: &Account,
    folder: &TemporaryFolder,
    prefix: &str,
) -> Result<Vec<PathBuf>> {
    let plan = session::plan(&engine.context, sql).await?;
    let state = engine.counted(&account.ledger).state();
    let physical = state.create_physical_plan(&plan).await?;
    let streams = execute_stream_partitioned(physical, state.task_ctx())?;
    let mut files = Vec::with_capacity(streams.len());
    let mut tasks = Vec::with_capacity(streams.len());
    for (index, stream) in streams.into_iter().enumerate() {
        let (path, file) = folder
            .file(&format!("{prefix}{index}.parquet"))
            .map_err(|error| failed(&error))?;
        files.push(path);
        tasks.push(SpawnedTask::spawn(write(stream, file)));
    }
    for task in tasks {
        task.join()
            .await
            .map_err(|error| ErrorKind::Internal(format!("the conversion failed: {error}")))??;
    }
    Ok(files)
}

/// Writes rows, a row group for each bunch of them, in which requests of one kind lie together: most
/// queries look at few kinds, and leave out the pages of the others.
async fn write(mut rows: SendableRecordBatchStream, file: std::fs::File) -> Result<()> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .build();
    let schema = rows.schema();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
    let mut bunch: Vec<RecordBatch> = Vec::new();
    let (mut held_rows, mut held_bytes) = (0, 0);
    loop {
        let batch = rows.next().await.transpose()?;
        let is_last = batch.is_none();
        if let Some(batch) = batch {
            held_rows += batch.num_rows();
            held_bytes += batch.get_array_memory_size();
            bunch.push(batch);
        }
        if held_rows >= GROUP_ROWS || held_bytes >= GROUP || (is_last && held_rows > 0) {
            let together = concat_batches(&schema, &bunch)?;
            bunch.clear();
            (held_rows, held_bytes) = (0, 0);
            writer.write(&by_kind(&together)?)?;
            writer.flush()?;
        }
        if is_last {
            break;
        }
    }
    writer.close()?;
    Ok(())
}

/// The same rows in the order of the kinds of requests.
fn by_kind(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = KIND.iter().filter_map(|name| batch.column_by_name(name));
    let keys: Vec<SortColumn> = columns
        .map(|values| SortColumn {
            values: Arc::clone(values),
            options: None,
        })
        .collect();
    if keys.is_empty() {
        return Ok(batch.clone());
    }
    let order = lexsort_to_indices(&keys, None)?;
    Ok(take_record_batch(batch, &order)?)
}

fn failed(error: &std::io::Error) -> ErrorKind {
    ErrorKind::Sql(format!(
        "cannot convert the input to temporary files: {error}"
    ))
}
