//! An answer's rows, written as they come.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{Answer, arrow::array::RecordBatch};
use futures::StreamExt;

use super::{message::stdout, status};
use crate::{
    output::{Output, View},
    settings::{Interrupt, Settings},
};

/// How the writing of an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All rows were written.
    Complete,
    /// The user asked to stop.
    Interrupted,
}

impl Ended {
    /// The exit code of a run whose account means `code`.
    pub(crate) const fn exit_code(self, code: u8) -> u8 {
        match self {
            Self::Complete => code,
            Self::Interrupted => status::INTERRUPTED,
        }
    }
}

/// Writes an answer's rows to stdout as they come, until they end or the user asks to stop. `ranked` are
/// the columns that matter most.
///
/// # Errors
///
/// When the query fails, or the rows cannot be written.
pub(crate) async fn write(
    answer: Answer,
    output: &dyn Output,
    ranked: &[String],
    settings: &Settings,
) -> Result<Ended> {
    let view = View {
        width: settings.terminal.width(),
        ranked,
    };
    let mut out = stdout();
    let ended = write_rows(answer, output, view, &mut out, &settings.interrupt).await;
    out.flush()?;
    ended
}

/// Writes rows that are there already to stdout.
///
/// # Errors
///
/// When they cannot be written.
pub(crate) fn write_batch(
    batch: &RecordBatch,
    output: &dyn Output,
    settings: &Settings,
) -> Result<()> {
    let view = View {
        width: settings.terminal.width(),
        ranked: &[],
    };
    let mut out = stdout();
    let mut rows = output.begin(&mut out, batch.schema_ref(), view)?;
    rows.batch(batch)?;
    rows.finish()?;
    Ok(out.flush()?)
}

async fn write_rows(
    answer: Answer,
    output: &dyn Output,
    view: View<'_>,
    out: &mut (dyn Write + Send),
    interrupt: &Interrupt,
) -> Result<Ended> {
    let mut rows = output.begin(out, answer.schema(), view)?;
    let ended = read(answer, interrupt, &mut |batch| rows.batch(batch)).await?;
    if ended == Ended::Complete {
        rows.finish()?;
    }
    Ok(ended)
}

/// Hands over an answer's batches as they come, until they end or the user asks to stop.
///
/// # Errors
///
/// When the query fails, or `each` does.
pub(super) async fn read(
    mut answer: Answer,
    interrupt: &Interrupt,
    each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
) -> Result<Ended> {
    let account = answer.account().clone();
    // The query runs in a task of its own: a step of it may take long, and a signal must not wait
    // for it.
    let (sender, mut batches) = tokio::sync::mpsc::channel(2);
    let work = tokio::spawn(async move {
        while let Some(batch) = answer.next().await {
            if sender.send(batch).await.is_err() {
                break;
            }
        }
    });
    let ended = loop {
        tokio::select! {
            biased;
            _ = interrupt.wait() => break Ended::Interrupted,
            batch = batches.recv() => match batch {
                Some(batch) => each(&batch?)?,
                None => break Ended::Complete,
            },
        }
    };
    if ended == Ended::Interrupted {
        account.cancel();
    }
    work.abort();
    Ok(ended)
}
