//! The accounting of a scan: `read = events + rejects + skipped`, always, whatever a query asks
//! for.
//!
//! Each worker keeps a [`Tally`] of what it read from an object and merges it; the sum is a
//! [`ScanReport`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The reasons of rejects and skips, as they are shown and counted.
pub(crate) mod reason {
    /// The record is no JSON object, or its own members are malformed.
    pub(crate) const JSON: &str = "invalid JSON";
    /// The record is no UTF-8.
    pub(crate) const UTF8: &str = "invalid UTF-8";
    /// The record is longer than the limit.
    pub(crate) const TOO_LARGE: &str = "too large";
    /// A list or object around records does not end.
    pub(crate) const TRUNCATED: &str = "truncated";
    /// The bytes could not be read or decompressed.
    pub(crate) const UNREADABLE: &str = "unreadable";
    /// An input that the user named holds nothing that looks like JSON.
    pub(crate) const NOT_A_LOG: &str = "not an audit log";

    /// Skipped: JSON, but no audit event.
    pub(crate) const NOT_AN_EVENT: &str = "not an audit event";
    /// Skipped: an object in a folder that holds nothing that looks like JSON.
    pub(crate) const NO_LOG: &str = "not an audit log";
    /// Skipped: the unterminated, incomplete last record of a plain file is still being written.
    pub(crate) const INCOMPLETE_TAIL: &str = "incomplete tail";
    /// Skipped: the same event was read before.
    pub(crate) const DUPLICATE: &str = "duplicate";
    /// Skipped: the same event is in the lake that the run writes to.
    pub(crate) const IN_THE_LAKE: &str = "already in the lake";
}

/// A record that could not be read.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Why, in a few words that are always the same.
    pub reason: &'static str,
    /// Why, exactly.
    pub message: String,
    /// Byte offset of the record in the decompressed object.
    pub offset: u64,
    /// Line of the record, from 1; `None` until it was counted.
    pub line: Option<u64>,
    /// The first bytes of the record, at most [`Reject::MOST_BYTES`]; bytes that are no UTF-8 are
    /// replaced.
    pub record: String,
}

impl Reject {
    /// How much of a rejected record is kept.
    pub const MOST_BYTES: usize = 4096;

    pub(crate) fn new(
        reason: &'static str,
        message: String,
        offset: u64,
        line: Option<u64>,
        record: &[u8],
    ) -> Self {
        let record =
            String::from_utf8_lossy(&record[..record.len().min(Self::MOST_BYTES)]).into_owned();
        Self {
            reason,
            message,
            offset,
            line,
            record,
        }
    }
}

/// Counts by reason.
pub type Counts = BTreeMap<&'static str, u64>;

/// What was read from one object.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Audit events.
    pub events: u64,
    /// Records that could not be read.
    pub rejects: Counts,
    /// Records that are rightly no rows.
    pub skipped: Counts,
    /// The format of the events, once one was seen.
    pub format: Option<&'static str>,
    /// Decompressed bytes.
    pub bytes: u64,
    /// Least and greatest `stage_timestamp`, in microseconds since the epoch.
    pub window: Option<(i64, i64)>,
    /// Events by audit level: Metadata, Request, RequestResponse, and none of these.
    pub levels: [u64; 4],
    /// The first rejects, for messages.
    pub samples: Vec<Reject>,
    /// Where the incomplete tail begins: before it all is read for good.
    pub(crate) tail: Option<u64>,
}

/// How many rejects of an object are kept for messages.
const MOST_SAMPLES: usize = 5;

impl Tally {
    /// Every record seen.
    pub fn read(&self) -> u64 {
        self.events + self.rejects.values().sum::<u64>() + self.skipped.values().sum::<u64>()
    }

    pub(crate) fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// The unterminated last record, which begins at this byte of the object, is not read.
    pub(crate) fn skip_tail(&mut self, at: u64) {
        self.skip(reason::INCOMPLETE_TAIL);
        self.tail = Some(self.tail.map_or(at, |tail| tail.min(at)));
    }

    pub(crate) fn reject(&mut self, reject: &Reject) {
        *self.rejects.entry(reject.reason).or_default() += 1;
        if self.samples.len() < MOST_SAMPLES {
            self.samples.push(reject.clone());
        }
    }

    pub(crate) fn time(&mut self, micros: i64) {
        self.window = Some(match self.window {
            Some((first, last)) => (first.min(micros), last.max(micros)),
            None => (micros, micros),
        });
    }

    /// Adds what another worker, or another object, counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.format = self.format.or(other.format);
        for (mine, other) in self.levels.iter_mut().zip(other.levels) {
            *mine += other;
        }
        for (reason, count) in other.rejects {
            *self.rejects.entry(reason).or_default() += count;
        }
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        if let Some((first, last)) = other.window {
            self.time(first);
            self.time(last);
        }
        self.tail = self.tail.into_iter().chain(other.tail).min();
        self.samples.extend(other.samples);
        self.samples.sort_by_key(|reject| reject.offset);
        self.samples.truncate(MOST_SAMPLES);
    }
}

/// One object of the input and what was read from it.
#[derive(Debug, Clone)]
pub struct InputReport {
    /// As given or found.
    pub uri: String,
    /// Bytes as stored, where known.
    pub size: Option<u64>,
    /// How it is compressed.
    pub compression: Option<&'static str>,
    /// The counts.
    pub tally: Tally,
}

/// What a scan read, in whole and by object.
#[derive(Debug, Clone, Default)]
pub struct ScanReport {
    /// The sum over all inputs.
    pub total: Tally,
    /// By object, in the order of the input.
    pub inputs: Vec<InputReport>,
    /// Did the scan end before its input did, because no more rows were wanted or the user stopped
    /// it?
    pub partial: bool,
}

impl ScanReport {
    /// Could every byte of the input be read?
    pub fn is_clean(&self) -> bool {
        self.total.rejects.is_empty()
    }
}

/// The accounting of a running scan, shared by its workers.
#[derive(Debug)]
pub(crate) struct Accounts {
    inputs: Mutex<Vec<InputReport>>,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    /// Pieces of work not yet finished.
    pieces: usize,
    all: usize,
}

impl Accounts {
    pub(crate) fn new(inputs: Vec<InputReport>, pieces: usize) -> Arc<Self> {
        Arc::new(Self {
            inputs: Mutex::new(inputs),
            open: Mutex::new(Open {
                pieces,
                all: pieces,
            }),
        })
    }

    fn inputs(&self) -> MutexGuard<'_, Vec<InputReport>> {
        // A poisoned lock means that a worker panicked while it added numbers; the numbers are
        // still there.
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was read from the object `index`.
    pub(crate) fn merge(&self, index: usize, tally: Tally) {
        if let Some(input) = self.inputs().get_mut(index) {
            input.tally.merge(tally);
        }
    }

    /// A piece of work is finished: its records are all counted.
    pub(crate) fn finish_piece(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.pieces = open.pieces.saturating_sub(1);
    }

    /// Pieces finished, and in all.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        ((open.all - open.pieces) as u64, open.all as u64)
    }

    /// The counts so far.
    pub(crate) fn report(&self) -> ScanReport {
        let inputs = self.inputs().clone();
        let mut total = Tally::default();
        for input in &inputs {
            let mut tally = input.tally.clone();
            tally.samples.clear();
            total.merge(tally);
        }
        let partial = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pieces
            > 0;
        ScanReport {
            total,
            inputs,
            partial,
        }
    }
}
