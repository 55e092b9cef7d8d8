//! The rows of a query: records in, batches sent to the consumer out.

use std::ops::ControlFlow;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use tokio::sync::mpsc::Sender;

use super::job::Collector;
use super::plan::PlannedObject;
use super::prefilter::Prefilter;
use crate::account::Reject;
use crate::column::{BatchBuilder, Row, rejects_batch};
use crate::error::Result;
use crate::event::{Event, ReasonCache};
use crate::record::sink::{EventSource, RecordLocation, RecordSink};
use crate::source::Chunk;

/// The way to the consumer.
pub(super) struct BatchSender {
    pub(super) sender: Sender<datafusion::error::Result<RecordBatch>>,
    pub(super) batch_rows: usize,
    /// Bytes of chunks that a batch may keep alive, roughly: rows with bodies may be of any length.
    pub(super) batch_bytes: usize,
}

impl BatchSender {
    fn send(&self, batch: RecordBatch) -> ControlFlow<()> {
        match self.sender.blocking_send(Ok(batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    /// A consumer that has gone away is noticed even where no row passes the filter.
    fn is_wanted(&self) -> ControlFlow<()> {
        if self.sender.is_closed() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Rows of `events`.
pub(super) struct EventRows {
    builder: BatchBuilder,
    reasons: ReasonCache,
    prefilter: Prefilter,
    cluster: Option<String>,
    source_file: String,
    consumer: BatchSender,
    error: Option<ArrowError>,
}

impl EventRows {
    pub(super) fn new(
        builder: BatchBuilder,
        prefilter: Prefilter,
        cluster: Option<String>,
        consumer: BatchSender,
    ) -> Self {
        Self {
            builder,
            reasons: ReasonCache::default(),
            prefilter,
            cluster,
            source_file: String::new(),
            consumer,
            error: None,
        }
    }

    fn send(&mut self) -> ControlFlow<()> {
        match self.builder.finish() {
            Ok(batch) => self.consumer.send(batch),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl RecordSink for EventRows {
    fn event(&mut self, event: &Event<'_>, location: RecordLocation, source: &EventSource<'_>) {
        let origin = location.origin(source, &self.source_file, self.cluster.as_deref());
        let row = Row::new(event, origin, &self.reasons);
        if self.prefilter.keeps(&row)
            && let Err(error) = self.builder.push(&row)
        {
            self.error.get_or_insert(error);
        }
    }

    fn reject(&mut self, _: Reject) {}
}

impl Collector for EventRows {
    fn object(&mut self, planned: &PlannedObject) {
        self.source_file.clone_from(&planned.object.uri);
    }

    fn chunk(&mut self, chunk: Option<&Chunk>) {
        self.builder
            .chunk(chunk.map(|chunk| Buffer::clone(&chunk.bytes)));
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        if self.error.is_some() {
            return ControlFlow::Break(());
        }
        if !self
            .builder
            .is_full(self.consumer.batch_rows, self.consumer.batch_bytes)
        {
            return self.consumer.is_wanted();
        }
        self.send()
    }

    fn finish(&mut self) -> Result<()> {
        if self.error.is_none() && self.builder.rows() > 0 {
            let _ = self.send();
        }
        self.error.take().map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Rows of `rejects`.
pub(super) struct RejectRows {
    schema: SchemaRef,
    source_file: String,
    rejects: Vec<(String, Option<String>, Reject)>,
    consumer: BatchSender,
    error: Option<ArrowError>,
}

impl RejectRows {
    pub(super) const fn new(schema: SchemaRef, consumer: BatchSender) -> Self {
        Self {
            schema,
            source_file: String::new(),
            rejects: Vec::new(),
            consumer,
            error: None,
        }
    }

    fn batch(&mut self) -> std::result::Result<RecordBatch, ArrowError> {
        let batch = rejects_batch(self.rejects.drain(..))?;
        let columns: Vec<_> = self
            .schema
            .fields()
            .iter()
            .map(|field| batch.schema().index_of(field.name()))
            .collect::<std::result::Result<_, _>>()?;
        batch.project(&columns)
    }
}

impl RecordSink for RejectRows {
    fn event(&mut self, _: &Event<'_>, _: RecordLocation, _: &EventSource<'_>) {}

    fn reject(&mut self, reject: Reject) {
        self.rejects.push((self.source_file.clone(), None, reject));
        // A chunk can hold hundreds of thousands. Whether anybody wants more is asked after it.
        if self.rejects.len() >= self.consumer.batch_rows {
            let _ = self.hand_over();
        }
    }
}

impl Collector for RejectRows {
    fn object(&mut self, planned: &PlannedObject) {
        self.source_file.clone_from(&planned.object.uri);
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        if self.rejects.is_empty() {
            return self.consumer.is_wanted();
        }
        match self.batch() {
            Ok(batch) => self.consumer.send(batch),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        if self.error.is_none() {
            let _ = self.hand_over();
        }
        self.error.take().map_or(Ok(()), |error| Err(error.into()))
    }
}
