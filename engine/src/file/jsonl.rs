//! Batches of events in, the original events as JSON lines out.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use futures::{Stream, StreamExt};

use crate::column::json;
use crate::error::{Error, ErrorKind, Result};

/// Writes the events; how many. `to` names the output in messages.
///
/// # Errors
///
/// When a batch is an error, or the output cannot be written.
pub(crate) async fn write_events(
    batches: impl Stream<Item = Result<RecordBatch>>,
    out: &mut (dyn Write + Send),
    to: &str,
) -> Result<u64> {
    let mut lines = Vec::new();
    let mut rows = 0;
    let mut batches = std::pin::pin!(batches);
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        lines.clear();
        json::write_events(&batch, &mut lines)?;
        out.write_all(&lines).map_err(|source| -> Error {
            let path = to.to_owned();
            ErrorKind::Output { path, source }.into()
        })?;
        rows += batch.num_rows() as u64;
    }
    Ok(rows)
}
