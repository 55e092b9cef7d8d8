//! What was counted while one object, or a part of it, was read.
//!
//! Each worker keeps a [`Tally`] of what it read and adds it to the account of the scan.

use std::collections::BTreeMap;

use super::{PassedOver, Reject, reason};

/// Counts by reason.
pub type Counts = BTreeMap<&'static str, u64>;

/// What was read from one object.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Audit events.
    pub events: u64,
    /// Kubernetes objects: roles, bindings, service accounts, and what runs as them.
    pub objects: u64,
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
    /// What the records look like that are no audit events.
    pub passed_over: PassedOver,
    /// Events without a time: a time window has none of them.
    pub without_time: u64,
    /// Where the incomplete tail begins: before it all is read for good.
    pub(crate) tail: Option<u64>,
    /// How many of the rejects are about that tail. Another run may read it, so they are not for
    /// good either.
    pub(crate) unread: u64,
}

/// How many rejects of an object are kept for messages.
const MOST_SAMPLES: usize = 5;

impl Tally {
    /// Every record seen.
    pub fn read(&self) -> u64 {
        self.events
            + self.objects
            + self.rejects.values().sum::<u64>()
            + self.skipped.values().sum::<u64>()
    }

    pub(crate) fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// The unterminated last record, which begins at this byte of the object, is not read.
    pub(crate) fn skip_tail(&mut self, at: u64) {
        self.skip(reason::INCOMPLETE_TAIL);
        self.end_at(at);
    }

    /// What begins at this byte of the object could not be read to its end.
    pub(crate) fn reject_tail(&mut self, at: u64, reject: &Reject) {
        self.reject(reject);
        self.unread += 1;
        self.end_at(at);
    }

    /// Before this byte of the object all is read for good.
    pub(crate) fn end_at(&mut self, at: u64) {
        self.tail = Some(self.tail.map_or(at, |tail| tail.min(at)));
    }

    /// Every record that was read for good.
    pub(crate) fn read_for_good(&self) -> u64 {
        self.read() - self.unread
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
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.unread += other.unread;
        self.passed_over.merge(other.passed_over);
        self.without_time += other.without_time;
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
