//! The events of the inputs, narrow and temporary: columns in, Parquet files in the private
//! temporary folder out, and a session whose `events` they are.
//!
//! Parquet rather than Arrow: dictionary pages keep it small and fast. One file for each stream of
//! the scan, so that all threads encode. The files are gone with the process, or when this is
//! dropped.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

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

/// Bytes of a row group while it is encoded: as bodies are long, rows say little.
const GROUP: usize = 32 << 20;

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

async fn write(mut rows: SendableRecordBatchStream, file: std::fs::File) -> Result<()> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&rows.schema()), Some(properties))?;
    while let Some(batch) = rows.next().await {
        writer.write(&batch?)?;
        if writer.in_progress_size() >= GROUP {
            writer.flush()?;
        }
    }
    writer.close()?;
    Ok(())
}

fn failed(error: &std::io::Error) -> ErrorKind {
    ErrorKind::Sql(format!(
        "cannot convert the input to temporary files: {error}"
    ))
}
