//! The rows of a conversion: events of the pieces of one unit of work in, encoded row groups out,
//! without going through a query.

use std::ops::ControlFlow;

use datafusion::parquet::errors::ParquetError;

use crate::{
    batch::Row,
    encode::RowGroup,
    event::{Event, ReasonCache},
    scan::{
        records::{Place, Sink, Source},
        report::Reject,
        worker::Collector,
    },
    source::Chunk,
    table::Window,
};

/// Fills a row group, and gives it to `take` whenever it is full.
pub(super) struct Rows<'g, T> {
    group: &'g mut RowGroup,
    /// Bytes of events that make a group full.
    full: u64,
    reasons: ReasonCache,
    window: Window,
    cluster: Option<String>,
    source_file: String,
    take: T,
    pub(super) error: Option<ParquetError>,
}

impl<'g, T: FnMut(&mut RowGroup) -> ControlFlow<()>> Rows<'g, T> {
    pub(super) fn new(
        group: &'g mut RowGroup,
        full: u64,
        window: Window,
        cluster: Option<String>,
        take: T,
    ) -> Self {
        Self {
            group,
            full,
            reasons: ReasonCache::default(),
            window,
            cluster,
            source_file: String::new(),
            take,
            error: None,
        }
    }
}

impl<T: FnMut(&mut RowGroup) -> ControlFlow<()>> Sink for Rows<'_, T> {
    fn event(&mut self, event: &Event<'_>, place: Place, source: &Source<'_>) {
        if !self.window.holds(event.staged) {
            return;
        }
        let origin = place.origin(source, &self.source_file, self.cluster.as_deref());
        if let Err(error) = self.group.push(&Row::new(event, origin, &self.reasons)) {
            self.error.get_or_insert(error);
        }
    }

    fn reject(&mut self, _: Reject) {}
}

impl<T: FnMut(&mut RowGroup) -> ControlFlow<()>> Collector for Rows<'_, T> {
    fn object(&mut self, planned: &crate::scan::plan::Planned) {
        self.source_file.clone_from(&planned.object.uri);
    }

    fn chunk(&mut self, _: Option<&Chunk>) {}

    fn hand_over(&mut self, all: bool) -> ControlFlow<()> {
        if self.error.is_some() {
            return ControlFlow::Break(());
        }
        if self.group.rows() == 0 || (self.group.bytes() < self.full && !all) {
            return ControlFlow::Continue(());
        }
        (self.take)(self.group)
    }
}
