//! The pool: pieces of a plan in, their records handed to each worker's [`Collector`] out.
//!
//! Queries, conversions and lakes read through one [`Job`]. It hands out units of work, counts what
//! was read, stops everybody when one fails or the user cancels, and turns a panic of a worker into
//! an error: a panic that only ended a thread would look like the end of the input, and lose rows.
//!
//! Not responsible for: threads (a query's are DataFusion's, [`Job::run`] starts its own) and what
//! becomes of the records.

use std::ops::{ControlFlow, Range};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::metrics::ScanMetrics;
use super::open::OpenScan;
use super::plan::{Piece, PlannedObject};
use super::shared::SharedState;
use crate::account::{Ledger, ScanAccount};
use crate::error::{Error, ErrorKind, Result};
use crate::record::sink::RecordSink;
use crate::source::Chunk;

/// Bytes of a chunk: few enough to stay in a processor's cache from the read to the last column.
pub(crate) const CHUNK: usize = 512 << 10;

/// What a worker makes of the records of its pieces.
pub(crate) trait Collector: RecordSink {
    /// The worker has taken this unit of work; `Break` when there is no need to read it.
    fn begin_unit(&mut self, _unit: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The rows that follow come from this object.
    fn object(&mut self, planned: &PlannedObject);

    /// The rows that follow lie in this chunk; after `None` in none.
    fn chunk(&mut self, _chunk: Option<&Chunk>) {}

    /// Hands over what is complete; `Break` when nobody wants more.
    fn hand_over(&mut self) -> ControlFlow<()>;

    /// The unit was read to its end.
    fn end_unit(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The worker has read its last unit: hands over what is left.
    ///
    /// # Errors
    ///
    /// When a row could not be collected or handed over.
    fn finish(&mut self) -> Result<()>;

    /// The worker has failed; called last, where [`Job::run`] started it.
    fn fail(&mut self, _error: Error) {}
}

/// Whether lines are counted, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineCount {
    /// Nobody wants line numbers.
    None,
    /// Each worker counts the newlines of its ranges.
    ByWorkers,
    /// Somebody else reads the files, too, and publishes the newlines of their ranges.
    Elsewhere,
}

/// One reading of a plan.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) scan: OpenScan,
    pub(crate) pieces: Vec<Piece>,
    /// Consecutive pieces that one worker takes together.
    pub(crate) units: Vec<Range<usize>>,
    pub(crate) shared: SharedState,
    pub(crate) account: Arc<ScanAccount>,
    pub(crate) lines: LineCount,
    /// Bytes of a chunk.
    pub(crate) chunk: usize,
    /// Who may cancel.
    ledger: Arc<Ledger>,
    next: AtomicUsize,
    stopped: AtomicBool,
}

/// Memory that a worker reads into, piece after piece.
pub(super) type WorkerMemory = [Vec<u8>; 2];

impl Job {
    /// A reading of these pieces, each a unit of its own.
    pub(crate) fn new(
        scan: OpenScan,
        pieces: Vec<Piece>,
        shared: SharedState,
        account: Arc<ScanAccount>,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self {
            units: (0..pieces.len()).map(|piece| piece..piece + 1).collect(),
            scan,
            pieces,
            shared,
            account,
            lines: LineCount::ByWorkers,
            chunk: CHUNK,
            ledger,
            next: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// The same in these units.
    pub(crate) fn in_units(self, units: Vec<Range<usize>>) -> Self {
        Self { units, ..self }
    }

    /// The same with lines counted in this way.
    pub(crate) fn counting(self, lines: LineCount) -> Self {
        Self { lines, ..self }
    }

    /// The same in chunks of about so many bytes.
    pub(crate) fn in_chunks(self, bytes: usize) -> Self {
        Self {
            chunk: bytes,
            ..self
        }
    }

    /// Is nothing more to be read, because somebody failed or the user cancelled?
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.is_cancelled()
    }

    /// Has the user cancelled?
    pub(crate) fn is_cancelled(&self) -> bool {
        self.ledger.is_cancelled()
    }

    /// Nothing more is to be read.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Takes units until there are none, or nobody wants more: what one worker does.
    ///
    /// # Errors
    ///
    /// When the collector fails. The job is stopped then, for all workers.
    pub(crate) fn work(
        &self,
        collector: &mut impl Collector,
        metrics: Option<&ScanMetrics>,
    ) -> Result<()> {
        let worked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let mut memory = WorkerMemory::default();
            while let Some(unit) = self.take() {
                if collector.begin_unit(unit).is_break() {
                    break;
                }
                let flow = self.read_unit(unit, collector, &mut memory, metrics);
                if flow.is_break() || collector.end_unit().is_break() {
                    break;
                }
            }
            collector.finish()
        }));
        let worked = worked.unwrap_or_else(|panic| Err(panicked(&*panic)));
        if worked.is_err() {
            self.stop();
            // Nobody waits for the newlines of pieces that nobody will read.
            (0..self.pieces.len()).for_each(|piece| self.shared.newlines.publish(piece, 0));
        }
        worked
    }

    fn take(&self) -> Option<usize> {
        if self.is_stopped() {
            return None;
        }
        let unit = self.next.fetch_add(1, Ordering::Relaxed);
        (unit < self.units.len()).then_some(unit)
    }

    fn read_unit(
        &self,
        unit: usize,
        collector: &mut impl Collector,
        memory: &mut WorkerMemory,
        metrics: Option<&ScanMetrics>,
    ) -> ControlFlow<()> {
        let pieces = self.units[unit].clone();
        let mut flow = ControlFlow::Continue(());
        for piece in pieces.clone() {
            flow = self.read_piece(piece, collector, memory, metrics);
            if flow.is_break() || self.is_stopped() {
                flow = ControlFlow::Break(());
                break;
            }
            self.account.finish_piece();
            if let Some(metrics) = metrics {
                metrics.pieces.add(1);
            }
        }
        // Pieces of a unit that was left early are not read any more.
        pieces.for_each(|piece| self.shared.newlines.publish(piece, 0));
        flow
    }

    /// Reads with `threads` threads, each with a collector of its own, while `consume` runs on this
    /// one. What `make` holds is dropped before it.
    pub(crate) fn run<C: Collector + Send, T>(
        &self,
        threads: usize,
        mut make: impl FnMut() -> C,
        consume: impl FnOnce() -> T,
    ) -> T {
        let collectors: Vec<C> = (0..threads.max(1)).map(|_| make()).collect();
        drop(make);
        std::thread::scope(|scope| {
            for mut collector in collectors {
                scope.spawn(move || {
                    if let Err(error) = self.work(&mut collector, None) {
                        collector.fail(error);
                    }
                });
            }
            consume()
        })
    }
}

/// A panic of a worker, as an error.
fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ErrorKind::Internal(format!("reading the input failed: {message}")).into()
}
