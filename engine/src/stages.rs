//! The stages of a scan one by one, over bytes in memory: for benches, fuzz targets and property
//! tests, no interface.
//!
//! Goes in: the decompressed bytes of a log. Comes out: what one stage makes of them.

use std::{io::Cursor, ops::ControlFlow, sync::Arc};

use datafusion::arrow::{array::RecordBatch, datatypes::SchemaRef};

use crate::{
    batch::{BatchBuilder, Row},
    event::{Event, ReasonCache, encode},
    json::container_end,
    scan::{
        plan::Planned,
        records::{Place, Records, Sink, Source},
        report::{Reject, Tally},
        seen::Seen,
        worker::Collector,
    },
    schema,
    source::{Chunk, ChunkReader, Layout},
};

/// One record's verdict: where it lies and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verdict {
    /// Offset in the bytes.
    pub offset: u64,
    /// From 1; 0 when it was not counted.
    pub line: u64,
    /// `event`, or the reason of the reject.
    pub what: &'static str,
    /// Length, of an event.
    pub length: usize,
}

/// The verdicts over a log, and the account, when it is read in the ranges that `splits` make, in
/// chunks of about `target` bytes, with this longest record.
pub fn verdicts(log: &[u8], splits: &[u64], target: usize, limit: usize) -> (Vec<Verdict>, Tally) {
    #[derive(Default)]
    struct Verdicts(Vec<Verdict>);
    impl Sink for Verdicts {
        fn event(&mut self, _: &Event<'_>, place: Place, _: &Source<'_>) {
            self.0.push(Verdict {
                offset: place.offset,
                line: place.line,
                what: "event",
                length: place.length,
            });
        }

        fn reject(&mut self, reject: Reject) {
            self.0.push(Verdict {
                offset: reject.offset,
                line: reject.line.unwrap_or(0),
                what: reject.reason,
                length: 0,
            });
        }
    }
    let mut sink = Verdicts::default();
    let mut tally = Tally::default();
    read(log, splits, target, limit, &mut sink, &mut tally);
    sink.0.sort();
    (sink.0, tally)
}

fn read(
    log: &[u8],
    splits: &[u64],
    target: usize,
    limit: usize,
    sink: &mut impl Sink,
    tally: &mut Tally,
) {
    let layout = Layout::of(&log[..log.len().min(Layout::HEAD)]);
    let seen = Arc::new(Seen::new(false));
    let records = || Records::new(limit, layout.boundary, true, true, Arc::clone(&seen), None);
    if splits.is_empty() || layout.list || layout.parts {
        let body = &log[layout.skip as usize..];
        let mut reader = ChunkReader::new(Cursor::new(body), layout, target, limit);
        let mut records = records();
        while let Ok(Some(chunk)) = reader.next_chunk() {
            records.chunk(&chunk, tally, sink);
        }
        records.finish(tally, sink);
        return;
    }
    let mut bounds = vec![0];
    bounds.extend(
        splits
            .iter()
            .copied()
            .filter(|split| *split < log.len() as u64),
    );
    bounds.push(log.len() as u64);
    bounds.sort_unstable();
    bounds.dedup();
    for pair in bounds.windows(2) {
        let (from, end) = (pair[0], pair[1]);
        let start = if from > layout.skip {
            from - 1
        } else {
            layout.skip
        };
        let mut reader = ChunkReader::range(
            Cursor::new(&log[start as usize..]),
            layout,
            target,
            limit,
            from,
            end,
        );
        reader.count_newlines(true);
        let mut records = records();
        records.newlines_before = memchr::memchr_iter(b'\n', &log[..start as usize]).count() as u64;
        while let Ok(Some(chunk)) = reader.next_chunk() {
            records.chunk(&chunk, tally, sink);
        }
        records.finish(tally, sink);
    }
}

/// The batches of some columns of `events` over a log.
///
/// # Errors
///
/// When a column is unknown.
pub fn batches(log: &[u8], columns: &[&str]) -> crate::Result<Vec<RecordBatch>> {
    let all = schema::events();
    let indexes = columns
        .iter()
        .map(|name| all.index_of(name))
        .collect::<Result<Vec<_>, _>>()?;
    batches_of(log, Arc::new(all.project(&indexes)?))
}

/// The batches of all columns of `events` over a log.
///
/// # Errors
///
/// None that depends on the log.
pub fn all_batches(log: &[u8]) -> crate::Result<Vec<RecordBatch>> {
    batches_of(log, schema::events())
}

fn batches_of(log: &[u8], schema: SchemaRef) -> crate::Result<Vec<RecordBatch>> {
    struct Batches {
        builder: BatchBuilder,
        reasons: ReasonCache,
        done: Vec<RecordBatch>,
    }
    impl Sink for Batches {
        fn event(&mut self, event: &Event<'_>, place: Place, source: &Source<'_>) {
            let origin = place.origin(source, "memory", None);
            let _ = self.builder.push(&Row::new(event, origin, &self.reasons));
        }

        fn reject(&mut self, _: Reject) {}
    }
    impl Collector for Batches {
        fn object(&mut self, _: &Planned) {}

        fn chunk(&mut self, chunk: Option<&Chunk>) {
            self.builder.chunk(chunk.map(|chunk| chunk.bytes.clone()));
        }

        fn hand_over(&mut self, all: bool) -> ControlFlow<()> {
            if (all || self.builder.rows() >= 8192)
                && let Ok(batch) = self.builder.finish()
            {
                self.done.push(batch);
            }
            ControlFlow::Continue(())
        }
    }
    let mut sink = Batches {
        builder: BatchBuilder::new(schema)?,
        reasons: ReasonCache::default(),
        done: Vec::new(),
    };
    let layout = Layout::of(&log[..log.len().min(Layout::HEAD)]);
    let mut reader = ChunkReader::new(
        Cursor::new(&log[layout.skip as usize..]),
        layout,
        2 << 20,
        16 << 20,
    );
    let mut records = Records::new(
        16 << 20,
        layout.boundary,
        true,
        true,
        Arc::new(Seen::new(false)),
        None,
    );
    let mut tally = Tally::default();
    while let Ok(Some(chunk)) = reader.next_chunk() {
        sink.chunk(Some(&chunk));
        records.chunk(&chunk, &mut tally, &mut sink);
        let _ = sink.hand_over(false);
        sink.chunk(None);
        reader.recycle(chunk);
    }
    records.finish(&mut tally, &mut sink);
    let _ = sink.hand_over(true);
    Ok(sink.done)
}

/// The events of a log, given to `sink`.
#[cfg(test)]
pub(crate) fn read_into(log: &[u8], sink: &mut impl Sink) {
    read(log, &[], 2 << 20, 16 << 20, sink, &mut Tally::default());
}

/// The events of batches of all columns, as JSON lines.
///
/// # Errors
///
/// When the batches are not of `events`.
pub fn json_lines(batches: &[RecordBatch]) -> crate::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for batch in batches {
        encode::write_events(batch, &mut lines)?;
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
