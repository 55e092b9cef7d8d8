//! Events of any input in, the original events as JSON lines out.

use std::io::Write;

use futures::StreamExt;

use super::bind;
use crate::{Engine, Error, ErrorKind, Result, event::encode};

/// Writes the events; those of one source of a lake in their order.
pub(super) async fn write(
    engine: &Engine,
    source: Option<&str>,
    out: &mut (dyn Write + Send),
    to: &str,
) -> Result<u64> {
    let events = format!("SELECT {} FROM events", encode::COLUMNS.join(", "));
    let mut answer = match source {
        None => engine.sql(&events).await?,
        Some(source) => {
            engine
                .bound(
                    &format!("{events} WHERE source_id = $source ORDER BY source_offset"),
                    bind(source),
                )
                .await?
        }
    };
    let mut lines = Vec::new();
    let mut rows = 0;
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        if engine
            .cancelled()
            .load(std::sync::atomic::Ordering::Relaxed)
        {
            return Err(ErrorKind::Interrupted.into());
        }
        lines.clear();
        encode::write_events(&batch, &mut lines)?;
        out.write_all(&lines).map_err(|source| -> Error {
            ErrorKind::Output {
                path: to.to_owned(),
                source,
            }
            .into()
        })?;
        rows += batch.num_rows() as u64;
    }
    Ok(rows)
}
