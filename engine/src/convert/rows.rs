//! The rows of a conversion: events of one piece of work in, batches of all columns out, without going through a query.

use std::ops::ControlFlow;

use datafusion::arrow::{array::RecordBatch, buffer::Buffer, error::ArrowError};

use crate::{
    batch::{BatchBuilder, Row},
    event::{Event, ReasonCache},
    scan::{
        records::{Place, Sink},
        report::Reject,
        worker::Collector,
    },
    source::Chunk,
    table::Window,
};

/// Rows of a batch: few, so that a batch and the chunks it points into stay in a processor's cache until they are encoded.
const BATCH: usize = 1024;

/// Builds batches and gives each to `take`.
pub(super) struct Batches<T> {
    builder: BatchBuilder,
    reasons: ReasonCache,
    window: Window,
    cluster: Option<String>,
    source_file: String,
    take: T,
    pub(super) error: Option<ArrowError>,
}

impl<T: FnMut(RecordBatch) -> ControlFlow<()>> Batches<T> {
    pub(super) fn new(builder: BatchBuilder, window: Window, cluster: Option<String>, take: T) -> Self {
        Self { builder, reasons: ReasonCache::default(), window, cluster, source_file: String::new(), take, error: None }
    }
}

impl<T: FnMut(RecordBatch) -> ControlFlow<()>> Sink for Batches<T> {
    fn event(&mut self, event: &Event<'_>, place: Place, format: &'static str) {
        if !self.window.holds(event.staged) {
            return;
        }
        let origin = place.origin(format, &self.source_file, self.cluster.as_deref());
        if let Err(error) = self.builder.push(&Row::new(event, origin, &self.reasons)) {
            self.error.get_or_insert(error);
        }
    }

    fn reject(&mut self, _: Reject) {}
}

impl<T: FnMut(RecordBatch) -> ControlFlow<()>> Collector for Batches<T> {
    fn object(&mut self, planned: &crate::scan::plan::Planned) {
        self.source_file.clone_from(&planned.object.uri);
    }

    fn chunk(&mut self, chunk: Option<&Chunk>) {
        self.builder.chunk(chunk.map(|chunk| Buffer::clone(&chunk.bytes)));
    }

    fn hand_over(&mut self, all: bool) -> ControlFlow<()> {
        if self.error.is_some() {
            return ControlFlow::Break(());
        }
        if self.builder.rows() == 0 || (self.builder.rows() < BATCH && !all) {
            return ControlFlow::Continue(());
        }
        match self.builder.finish() {
            Ok(batch) => (self.take)(batch),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
