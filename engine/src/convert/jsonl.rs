//! Events of any input in, the original events as JSON lines out.

use std::{fs::File, io::Write};

use futures::StreamExt;

use crate::{Engine, Error, ErrorKind, Result, event::encode};

pub(super) async fn write(engine: &Engine, file: &mut File, to: &str) -> Result<u64> {
    let sql = format!("SELECT {} FROM events", encode::COLUMNS.join(", "));
    let mut answer = engine.sql(&sql).await?;
    let mut lines = Vec::new();
    let mut rows = 0;
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        if engine.cancelled().load(std::sync::atomic::Ordering::Relaxed) {
            return Err(ErrorKind::Interrupted.into());
        }
        lines.clear();
        encode::write_events(&batch, &mut lines)?;
        file.write_all(&lines).map_err(|source| -> Error { ErrorKind::Output { path: to.to_owned(), source }.into() })?;
        rows += batch.num_rows() as u64;
    }
    Ok(rows)
}
