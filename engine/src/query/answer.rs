//! The rows of an answer, as they come: a stream of batches in, batches or an error out.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::{Stream, StreamExt};

use super::Account;
use crate::error::{Error, ErrorKind, Result};
use crate::file::atomic::AtomicFile;

/// The rows of an answer, and its account. An answer that is dropped stops reading.
pub struct Answer {
    schema: SchemaRef,
    /// `None` once it has ended early.
    stream: Option<SendableRecordBatchStream>,
    account: Account,
    /// Files that the statement writes; they get their names when it has come to its end.
    files: Vec<AtomicFile>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl Answer {
    pub(crate) fn new(stream: SendableRecordBatchStream, account: Account) -> Self {
        Self {
            schema: stream.schema(),
            stream: Some(stream),
            account,
            files: Vec::new(),
        }
    }

    /// The answer to a statement that writes these files, under their hidden names.
    pub(crate) fn with_files(self, files: Vec<AtomicFile>) -> Self {
        Self { files, ..self }
    }

    /// The columns.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What the question has read so far, and the way to stop it.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// All rows.
    ///
    /// # Errors
    ///
    /// When the query fails while it runs.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<RecordBatch>>> {
        self.stream = None;
        self.files.clear();
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Answer {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(None);
        };
        this.account.ledger.wake_when_cancelled(context.waker());
        if this.account.ledger.is_cancelled() {
            return this.end(ErrorKind::Interrupted.into());
        }
        match std::panic::catch_unwind(AssertUnwindSafe(|| stream.poll_next_unpin(context))) {
            Ok(Poll::Ready(Some(Err(error)))) => this.end(error.into()),
            Ok(Poll::Ready(None)) => {
                this.stream = None;
                match this.files.drain(..).try_for_each(publish) {
                    Ok(()) => Poll::Ready(None),
                    Err(error) => Poll::Ready(Some(Err(error))),
                }
            }
            Ok(poll) => poll.map(|item| item.map(|batch| batch.map_err(Error::from))),
            Err(panic) => this.end(panicked(&*panic)),
        }
    }
}

/// A file that DataFusion has written gets its name.
fn publish(mut file: AtomicFile) -> Result<()> {
    let path = file.path().display().to_string();
    let named = file.reopen().and_then(|()| file.finish());
    named
        .map(drop)
        .map_err(|source| ErrorKind::Output { path, source }.into())
}

/// A panic inside DataFusion, as an error of the query.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ErrorKind::Internal(format!("the query engine failed: {message}")).into()
}
