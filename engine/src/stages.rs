//! The stages of a scan one by one, over bytes in memory: for benches, fuzz targets and property
//! tests, no interface.
//!
//! Goes in: the bytes of a log. Comes out: what one stage makes of them. Reading goes through the
//! same [`Job`] as every scan, so that what is proved here is proved of the real one.

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
use crate::record::records::{EventSource, RecordLocation, RecordSink};
use crate::record::seen::SeenEvents;
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
struct Reading<'s> {
    /// Where it is split into ranges; where it can be read in one piece only they do not count.
    splits: &'s [u64],
    /// Bytes of a chunk.
    chunk: usize,
    /// The longest record.
    limit: usize,
}

/// As most logs are read.
const USUAL: Reading<'static> = Reading {
    splits: &[],
    chunk: 2 << 20,
    limit: 16 << 20,
};

/// Reads a log with one worker; what was counted.
fn read(log: &[u8], reading: &Reading<'_>, collector: &mut impl Collector) -> Result<Tally> {
    let head = &log[..log.len().min(Layout::HEAD)];
    let compression = Compression::of(head);
    let layout = compression.is_none().then(|| Layout::of(head));
    let pieces = pieces(log.len() as u64, layout, reading.splits);
    let scan = in_memory(log, layout, compression, reading.limit);
    let ledger = Arc::<Ledger>::default();
    let account = ledger.begin_scan(scan.plan.accounts(), pieces.len());
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
    let reading = Reading {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"ID","stage":"ResponseComplete","verb":"get","requestObject":{"a":["x","{\"}"]}}"#;

    /// A part of a log: whole, odd or broken.
    fn part() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => "[a-z]{0,9}".prop_map(|id| EVENT.replace("ID", &id) + "\n"),
            1 => Just(EVENT.replace(',', ",\n  ") + "\n"),
            1 => Just(EVENT.to_owned() + EVENT + "\n"),
            1 => Just(EVENT.to_owned() + "\r\n\n"),
            1 => (0..EVENT.len()).prop_map(|cut| EVENT[..cut].to_owned() + "\n"),
            1 => (1..EVENT.len()).prop_map(|cut| EVENT[cut..].to_owned() + "\n"),
            1 => "[ -~]{0,40}\n".prop_map(|text| text),
            1 => Just(format!("[{EVENT},{EVENT}]\n")),
            1 => Just(format!("[\n{EVENT},\n{EVENT}\n]\n")),
            1 => Just(format!("{{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[{EVENT},{EVENT}]}}\n")),
            1 => Just(format!("{{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\n\"items\":[\n {EVENT},\n {EVENT}\n]}}\n")),
            1 => Just(format!("{{\"a\":\n{EVENT}\n}}\n")),
            1 => Just("{\"other\":[{}]}\n".to_owned()),
            1 => (200usize..4000).prop_map(|length| EVENT.replace("ID", &"i".repeat(length)) + "\n"),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]
        #[test]
        fn the_verdict_does_not_depend_on_the_split(
            list in prop_oneof![4 => Just(""), 1 => Just("["), 1 => Just("[\n")],
            parts in proptest::collection::vec(part(), 0..14),
            ended in any::<bool>(),
            splits in proptest::collection::vec(0u64..6000, 0..6),
            target in 1usize..3000,
        ) {
            let mut log = (list.to_owned() + &parts.concat()).into_bytes();
            if !ended && log.last() == Some(&b'\n') {
                log.pop();
            }
            // The first line decides the layout, as in a real file.
            let want = verdicts(&log, &[], 1 << 20, 1500);
            for (splits, target) in [(&splits[..], target), (&[][..], target), (&splits[..], 1 << 20)] {
                let got = verdicts(&log, splits, target, 1500);
                prop_assert_eq!(&got.0, &want.0, "splits {:?} target {}\n{}", splits, target, String::from_utf8_lossy(&log));
                prop_assert_eq!((got.1.events, &got.1.rejects, &got.1.skipped), (want.1.events, &want.1.rejects, &want.1.skipped));
            }
        }

        #[test]
        fn no_bytes_panic(log in proptest::collection::vec(any::<u8>(), 0..400), splits in proptest::collection::vec(0u64..400, 0..4)) {
            verdicts(&log, &splits, 50, 200);
        }
    }

    #[test]
    fn what_is_no_element_of_a_list_is_cut_nowhere() {
        let log =
            format!("[C\"a\":\"b\" {{\"x\":1}},\"y\"z,7,{EVENT},\"a,b\",\n{EVENT}x]\n{EVENT}");
        let want = verdicts(log.as_bytes(), &[], 1 << 20, 1 << 20);
        assert_eq!(want.1.events, 3);
        for target in 1..log.len() {
            assert_eq!(
                verdicts(log.as_bytes(), &[], target, 1 << 20).0,
                want.0,
                "target {target}"
            );
        }
    }

    #[test]
    fn an_indented_value_after_text_is_cut_nowhere() {
        let value = format!(
            "  {{\n{}    \"x\": 1\n",
            "    \"name\": {\n      \"a\": 1\n    },\n".repeat(30)
        );
        let log = format!("x{EVENT}\n{value}text\n{value}{EVENT}\n");
        let want = verdicts(log.as_bytes(), &[], 1 << 20, 600);
        for target in [1, 16, 100, 300, 700, 1500] {
            assert_eq!(
                verdicts(log.as_bytes(), &[], target, 600).0,
                want.0,
                "target {target}"
            );
        }
    }

    #[test]
    fn a_record_across_a_boundary_at_every_offset() {
        let log = [
            EVENT,
            "\nnot json\n",
            &EVENT.replace(",", ",\n "),
            "\n",
            EVENT,
            EVENT,
            "\n",
            &EVENT[..40],
            "\n",
            EVENT,
            "\n",
        ]
        .concat();
        let want = verdicts(log.as_bytes(), &[], 1 << 20, 1 << 20);
        assert_eq!((want.1.events, want.1.read()), (5, 7));
        for at in 1..log.len() as u64 {
            assert_eq!(
                verdicts(log.as_bytes(), &[at], 64, 1 << 20).0,
                want.0,
                "split at {at}"
            );
            assert_eq!(
                verdicts(log.as_bytes(), &[at, at + 1, at + 7], 1 << 20, 1 << 20).0,
                want.0,
                "split at {at}"
            );
        }
    }
}
