//! The stages of a scan one by one, over bytes in memory: for benches, fuzz targets and property
//! tests, no interface.
//!
//! Goes in: the bytes of a log. Comes out: what one stage makes of them. Reading goes through the
//! same `Job` as every scan, so that what is proved here is proved of the real one.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use crate::account::{Ledger, Reject, Tally};
use crate::column::{BatchBuilder, Row, json};
use crate::error::Result;
use crate::event::{Event, ReasonCache};
use crate::json::container_end;
use crate::record::seen::SeenEvents;
use crate::record::sink::{EventSource, RecordLocation, RecordSink};
use crate::scan::job::{Collector, Job};
use crate::scan::open::{ObjectHandle, OpenScan};
use crate::scan::plan::{Piece, PlannedObject, ScanOptions, ScanPlan};
use crate::scan::shared::SharedState;
use crate::schema;
use crate::source::object::{InputObject, Location};
use crate::source::store::{StoreSettings, Stores};
use crate::source::{Chunk, Compression, Held, Layout};

/// One record's verdict: where it lies and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordVerdict {
    /// Offset in the bytes.
    pub offset: u64,
    /// From 1; 0 when it was not counted.
    pub line: u64,
    /// `event`, or the reason of the reject.
    pub what: &'static str,
    /// Length, of an event.
    pub length: usize,
}

/// How a log in memory is read.
struct MemoryReading<'s> {
    /// Where it is split into ranges; where it can be read in one piece only they do not count.
    splits: &'s [u64],
    /// Bytes of a chunk.
    chunk: usize,
    /// The longest record.
    limit: usize,
}

/// As most logs are read.
const USUAL: MemoryReading<'static> = MemoryReading {
    splits: &[],
    chunk: 2 << 20,
    limit: 16 << 20,
};

/// Reads a log with one worker; what was counted.
fn read(log: &[u8], reading: &MemoryReading<'_>, collector: &mut impl Collector) -> Result<Tally> {
    let head = &log[..log.len().min(Layout::HEAD)];
    let compression = Compression::of(head);
    let layout = compression.is_none().then(|| Layout::of(head));
    let pieces = pieces(log.len() as u64, layout, reading.splits);
    let scan = in_memory(log, layout, compression, reading.limit);
    let ledger = Arc::<Ledger>::default();
    let account = ledger.begin_scan(scan.plan.accounts(), pieces.len(), false);
    let shared = SharedState::new(pieces.len(), SeenEvents::new(false));
    let job = Job::new(scan, pieces, shared, Arc::clone(&account), ledger);
    job.in_chunks(reading.chunk).work(collector, None)?;
    Ok(account.take_tallies().pop().unwrap_or_default())
}

fn pieces(length: u64, layout: Option<Layout>, splits: &[u64]) -> Vec<Piece> {
    let whole = Piece {
        object: 0,
        range: None,
    };
    if splits.is_empty() || !layout.is_some_and(|layout| layout.can_be_split()) {
        return vec![whole];
    }
    let inside = splits.iter().copied().filter(|split| *split < length);
    let mut bounds: Vec<u64> = [0, length].into_iter().chain(inside).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let range = |pair: &[u64]| Piece {
        object: 0,
        range: Some((pair[0], pair[1])),
    };
    bounds.windows(2).map(range).collect()
}

/// A scan of one object, which lies in memory.
fn in_memory(
    log: &[u8],
    layout: Option<Layout>,
    compression: Option<Compression>,
    limit: usize,
) -> OpenScan {
    let object = InputObject {
        uri: "memory".to_owned(),
        location: Location::File(PathBuf::from("memory")),
        size: Some(log.len() as u64),
        named: true,
    };
    let options = ScanOptions {
        max_record: limit,
        cluster: None,
        dedup: false,
        format: None,
        is_baseline: false,
    };
    let handle = ObjectHandle {
        held: Some(Held::in_memory(log.to_vec())),
        ..ObjectHandle::default()
    };
    let plan = ScanPlan {
        objects: Vec::new(),
        options,
    };
    let planned = PlannedObject::new(object, layout, compression);
    OpenScan::new(plan, Arc::clone(&STORES), Vec::new()).with_objects([(planned, handle)])
}

/// No store is asked.
static STORES: LazyLock<Arc<Stores>> = LazyLock::new(|| {
    // Without a runtime nothing of this can run, and nothing of it can be a user's.
    #[expect(clippy::expect_used, reason = "tests and benches only")]
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let handle = runtime.handle().clone();
    std::mem::forget(runtime);
    Arc::new(Stores::new(StoreSettings::default(), handle))
});

/// The verdicts over a log, and the account, when it is read in the ranges that `splits` make, in
/// chunks of about `target` bytes, with this longest record.
pub fn verdicts(
    log: &[u8],
    splits: &[u64],
    target: usize,
    limit: usize,
) -> (Vec<RecordVerdict>, Tally) {
    let mut sink = Verdicts::default();
    let reading = MemoryReading {
        splits,
        chunk: target,
        limit,
    };
    let tally = read(log, &reading, &mut sink).unwrap_or_default();
    sink.0.sort();
    (sink.0, tally)
}

#[derive(Default)]
struct Verdicts(Vec<RecordVerdict>);

impl RecordSink for Verdicts {
    fn event(&mut self, _: &Event<'_>, location: RecordLocation, _: &EventSource<'_>) {
        self.0.push(RecordVerdict {
            offset: location.offset,
            line: location.line,
            what: "event",
            length: location.length,
        });
    }

    fn reject(&mut self, reject: Reject) {
        self.0.push(RecordVerdict {
            offset: reject.offset,
            line: reject.line.unwrap_or(0),
            what: reject.reason,
            length: 0,
        });
    }
}

impl Collector for Verdicts {
    fn object(&mut self, _: &PlannedObject) {}

    fn hand_over(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The batches of some columns of `events` over a log.
///
/// # Errors
///
/// When a column is unknown.
pub fn batches(log: &[u8], columns: &[&str]) -> Result<Vec<RecordBatch>> {
    let all = schema::events();
    let indexes = columns
        .iter()
        .map(|name| all.index_of(name))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    batches_of(log, Arc::new(all.project(&indexes)?))
}

/// The batches of all columns of `events` over a log.
///
/// # Errors
///
/// None that depends on the log.
pub fn all_batches(log: &[u8]) -> Result<Vec<RecordBatch>> {
    batches_of(log, schema::events())
}

fn batches_of(log: &[u8], schema: SchemaRef) -> Result<Vec<RecordBatch>> {
    let mut sink = Batches {
        builder: BatchBuilder::new(schema)?,
        reasons: ReasonCache::default(),
        done: Vec::new(),
    };
    read(log, &USUAL, &mut sink)?;
    Ok(sink.done)
}

struct Batches {
    builder: BatchBuilder,
    reasons: ReasonCache,
    done: Vec<RecordBatch>,
}

impl RecordSink for Batches {
    fn event(&mut self, event: &Event<'_>, location: RecordLocation, source: &EventSource<'_>) {
        let origin = location.origin(source, "memory", None);
        let _ = self.builder.push(&Row::new(event, origin, &self.reasons));
    }

    fn reject(&mut self, _: Reject) {}
}

impl Collector for Batches {
    fn object(&mut self, _: &PlannedObject) {}

    fn chunk(&mut self, chunk: Option<&Chunk>) {
        self.builder.chunk(chunk.map(|chunk| chunk.bytes.clone()));
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        if self.builder.rows() >= 8192 {
            let _ = self.finish();
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        self.done.push(self.builder.finish()?);
        Ok(())
    }
}

/// The events of batches of all columns, as JSON lines.
///
/// # Errors
///
/// When the batches are not of `events`.
pub fn json_lines(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for batch in batches {
        json::write_events(batch, &mut lines)?;
    }
    Ok(lines)
}

/// Steps over every top-level container of a log: the cost of skipping alone.
pub fn skip_containers(log: &[u8]) -> usize {
    let mut at = 0;
    let mut found = 0;
    while let Some(Ok(end)) = container_end(log, at) {
        found += 1;
        at = end
            + log[end..]
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
    }
    found
}

/// Calls every function of our own with these two texts as arguments.
pub fn every_function(first: &str, second: &str) {
    crate::function::call_all(first, second);
}

#[cfg(test)]
mod encoding;

#[cfg(test)]
mod marks;

#[cfg(test)]
mod splits;
