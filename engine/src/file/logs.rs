//! Raw logs in, one Parquet file out: encoded by several threads, a row group each.
//!
//! The groups stand in the file in the order of the input, so the same input gives the same bytes
//! for any number of threads. Memory is bounded by a few row groups: nobody runs further ahead of
//! the writer than `AHEAD` units a thread.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::types::SchemaDescPtr;
use parking_lot::{Condvar, Mutex};

use super::parquet::{EncodedGroup, GROUP, properties, schema_of};
use crate::account::{Ledger, Reject};
use crate::column::Row;
use crate::column::parquet::RowGroup;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, ReasonCache};
use crate::record::seen::SeenEvents;
use crate::record::sink::{EventSource, RecordLocation, RecordSink};
use crate::scan::job::{Collector, Job};
use crate::scan::open::OpenScan;
use crate::scan::plan::PlannedObject;
use crate::scan::shared::SharedState;
use crate::schema;
use crate::time::Window;

/// Units of work that a thread may be ahead of the writer.
const AHEAD: usize = 2;
/// Encoded groups of a unit that wait for the writer.
const WAITING: usize = 2;

/// Writes the events of a scan to a Parquet file; how many.
///
/// # Errors
///
/// When the file cannot be written, or the user stopped the run.
pub(crate) fn write_logs<W: Write + Send>(
    scan: &OpenScan,
    window: Window,
    threads: usize,
    ledger: &Arc<Ledger>,
    out: W,
) -> Result<u64> {
    let parquet = schema_of(&schema::events())?;
    let mut writer = SerializedFileWriter::new(out, parquet.root_schema_ptr(), properties())?;
    let plan = &scan.plan;
    let pieces = plan.pieces(GROUP, true);
    let units = plan.units(&pieces, GROUP);
    let account = ledger.begin_scan(plan.accounts(), pieces.len(), false);
    let shared = SharedState::new(pieces.len(), SeenEvents::new(plan.options.dedup));
    let job = Job::new(scan.clone(), pieces, shared, account, Arc::clone(ledger)).in_units(units);
    let queues = UnitQueues::new(threads.max(1));
    let collector = || GroupRows::new(&job, &queues, &parquet, window);
    let rows = job.run(threads, collector, || {
        let written = write_in_order(&job, &queues, &mut writer);
        // Whoever waits for the writer, or to send to it, learns that it has stopped.
        job.stop();
        queues.close();
        written
    })?;
    writer.finish()?;
    Ok(rows)
}

fn write_in_order<W: Write + Send>(
    job: &Job,
    queues: &UnitQueues,
    writer: &mut SerializedFileWriter<W>,
) -> Result<u64> {
    let mut rows = 0;
    for unit in 0..job.units.len() {
        let queue = queues.queue(unit)?;
        for group in queue.iter().flatten() {
            rows += group.append(writer)?;
        }
        if job.is_cancelled() {
            return Err(ErrorKind::Interrupted.into());
        }
        if queue.is_none() {
            let message = format!("unit {unit} of the input was not read");
            return Err(ErrorKind::Internal(message).into());
        }
        queues.written(unit);
    }
    Ok(rows)
}

type GroupSender = SyncSender<EncodedGroup>;
type GroupReceiver = Receiver<EncodedGroup>;

/// The queues between the threads that encode and the one that writes: one a unit of work.
struct UnitQueues {
    state: Mutex<QueueState>,
    changed: Condvar,
    ahead: usize,
}

struct QueueState {
    /// The unit that is written now.
    writing: usize,
    /// Of the units that were taken and are not written yet.
    queues: BTreeMap<usize, GroupReceiver>,
    /// Nobody writes any more.
    closed: bool,
    /// Threads that encode still.
    workers: usize,
    /// Why one of them ended early.
    error: Option<Error>,
}

impl UnitQueues {
    fn new(workers: usize) -> Self {
        Self {
            state: Mutex::new(QueueState {
                writing: 0,
                queues: BTreeMap::new(),
                closed: false,
                workers,
                error: None,
            }),
            changed: Condvar::new(),
            ahead: workers * AHEAD,
        }
    }

    /// A thread begins a unit, once the writer is near enough; `None` when nobody writes any more.
    fn begin(&self, unit: usize) -> Option<GroupSender> {
        let mut state = self.state.lock();
        while unit >= state.writing + self.ahead && !state.closed {
            self.changed.wait(&mut state);
        }
        if state.closed {
            return None;
        }
        let (sender, receiver) = sync_channel(WAITING);
        state.queues.insert(unit, receiver);
        self.changed.notify_all();
        Some(sender)
    }

    /// The queue of a unit, once somebody has begun it; `None` when nobody will.
    ///
    /// # Errors
    ///
    /// When a thread has failed: what it would have sent is missing.
    fn queue(&self, unit: usize) -> Result<Option<GroupReceiver>> {
        let mut state = self.state.lock();
        loop {
            if let Some(error) = state.error.take() {
                return Err(error);
            }
            if let Some(queue) = state.queues.remove(&unit) {
                return Ok(Some(queue));
            }
            if state.workers == 0 {
                return Ok(None);
            }
            self.changed.wait(&mut state);
        }
    }

    /// A thread has failed.
    fn fail(&self, error: Error) {
        self.state.lock().error.get_or_insert(error);
        self.changed.notify_all();
    }

    /// A thread encodes no more.
    fn leave(&self) {
        self.state.lock().workers -= 1;
        self.changed.notify_all();
    }

    /// The writer has done with a unit.
    fn written(&self, unit: usize) {
        self.state.lock().writing = unit + 1;
        self.changed.notify_all();
    }

    /// Nobody writes any more.
    fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.queues.clear();
        self.changed.notify_all();
    }
}

/// Fills row groups with the events of one thread's units.
struct GroupRows<'g> {
    job: &'g Job,
    queues: &'g UnitQueues,
    schema: &'g SchemaDescPtr,
    window: Window,
    group: Option<RowGroup>,
    reasons: ReasonCache,
    source_file: String,
    sender: Option<GroupSender>,
    error: Option<Error>,
}

impl<'g> GroupRows<'g> {
    fn new(
        job: &'g Job,
        queues: &'g UnitQueues,
        schema: &'g SchemaDescPtr,
        window: Window,
    ) -> Self {
        Self {
            job,
            queues,
            schema,
            window,
            group: None,
            reasons: ReasonCache::default(),
            source_file: String::new(),
            sender: None,
            error: None,
        }
    }

    fn push(
        &mut self,
        event: &Event<'_>,
        location: RecordLocation,
        source: &EventSource<'_>,
    ) -> Result<()> {
        let cluster = self.job.scan.plan.options.cluster.as_deref();
        let origin = location.origin(source, &self.source_file, cluster);
        let group = match &mut self.group {
            Some(group) => group,
            None => self.group.insert(RowGroup::new(self.schema)?),
        };
        group.push(&Row::new(event, origin, &self.reasons))?;
        Ok(())
    }

    /// Hands the group to the writer.
    fn send(&mut self) -> ControlFlow<()> {
        let (Some(group), Some(sender)) = (&mut self.group, &self.sender) else {
            return ControlFlow::Continue(());
        };
        let sent = EncodedGroup::of(group).map(|group| sender.send(group).is_ok());
        match sent {
            Ok(true) if !self.job.is_stopped() => ControlFlow::Continue(()),
            Ok(_) => ControlFlow::Break(()),
            Err(error) => {
                self.error = Some(error.into());
                ControlFlow::Break(())
            }
        }
    }

    fn rows(&self) -> usize {
        self.group.as_ref().map_or(0, RowGroup::rows)
    }
}

impl RecordSink for GroupRows<'_> {
    fn event(&mut self, event: &Event<'_>, location: RecordLocation, source: &EventSource<'_>) {
        if self.window.holds(event.staged)
            && let Err(error) = self.push(event, location, source)
        {
            self.error.get_or_insert(error);
        }
    }

    fn reject(&mut self, _: Reject) {}
}

impl Collector for GroupRows<'_> {
    fn begin_unit(&mut self, unit: usize) -> ControlFlow<()> {
        self.sender = self.queues.begin(unit);
        match self.sender {
            Some(_) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        }
    }

    fn object(&mut self, planned: &PlannedObject) {
        self.source_file.clone_from(&planned.object.uri);
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        const FULL: u64 = GROUP + GROUP / 4;
        if self.error.is_some() {
            return ControlFlow::Break(());
        }
        match &self.group {
            Some(group) if group.rows() > 0 && group.bytes() >= FULL => self.send(),
            _ => ControlFlow::Continue(()),
        }
    }

    fn end_unit(&mut self) -> ControlFlow<()> {
        let flow = if self.rows() > 0 {
            self.send()
        } else {
            ControlFlow::Continue(())
        };
        // The writer learns that the unit has ended.
        self.sender = None;
        flow
    }

    fn finish(&mut self) -> Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    fn fail(&mut self, error: Error) {
        // A queue that only ended would look like the end of the unit, and its rows would be lost.
        self.queues.fail(error);
    }
}

impl Drop for GroupRows<'_> {
    fn drop(&mut self) {
        self.queues.leave();
    }
}
