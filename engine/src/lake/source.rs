//! What is known of the sources of a lake: the rows of its table `sources` in, the source that an
//! object is out.
//!
//! A source is a content, not a name: it is found by its first bytes, and recognised by the bytes
//! before the place where reading stopped. So a log that was rotated, renamed, copied or compressed
//! is the same source, and one that took its name is another.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::source::witness::{SourceProgress, fingerprint};

/// How many bytes at a source's start are part of its fingerprint.
pub(crate) const HEAD: usize = 4 << 10;

/// What one transaction read of one source: a row of `sources`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SourceRead {
    pub(crate) source_id: String,
    pub(crate) uri: String,
    pub(crate) from_offset: u64,
    pub(crate) to_offset: u64,
    pub(crate) lines: u64,
    pub(crate) sha256: String,
    pub(crate) sha256_state: String,
    pub(crate) head_bytes: u64,
    pub(crate) head_hash: String,
    pub(crate) tail_hash: String,
    pub(crate) stored_bytes: Option<u64>,
    pub(crate) stored_hash: Option<String>,
    pub(crate) compression: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) records: u64,
    pub(crate) events: u64,
    pub(crate) rejects: u64,
    pub(crate) skipped: u64,
    pub(crate) duplicates: u64,
    /// Microseconds since the epoch.
    pub(crate) first_time: Option<i64>,
    pub(crate) last_time: Option<i64>,
    /// Rows by day, as JSON; the day of rows without a time is empty.
    pub(crate) days: String,
    pub(crate) events_hash: String,
    pub(crate) transaction: String,
    pub(crate) events_version: u64,
    pub(crate) converted_at: i64,
    pub(crate) auditql_version: String,
}

/// The rows of a source by day, and the sums of their hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceDays(pub(crate) BTreeMap<String, (u64, i64)>);

impl SourceDays {
    /// One more row.
    pub(crate) fn add(&mut self, day: String, rows: u64, hash: i64) {
        let entry = self.0.entry(day).or_default();
        entry.0 += rows;
        entry.1 = entry.1.wrapping_add(hash);
    }

    /// The columns `days` and `events_hash`.
    pub(crate) fn texts(&self) -> (String, String) {
        let rows: BTreeMap<&str, u64> = self
            .0
            .iter()
            .map(|(day, (rows, _))| (day.as_str(), *rows))
            .collect();
        let hashes: BTreeMap<&str, i64> = self
            .0
            .iter()
            .map(|(day, (_, hash))| (day.as_str(), *hash))
            .collect();
        (
            serde_json::to_string(&rows).unwrap_or_default(),
            serde_json::to_string(&hashes).unwrap_or_default(),
        )
    }

    /// From the columns of a row.
    pub(crate) fn of(read: &SourceRead) -> Self {
        let rows: BTreeMap<String, u64> = serde_json::from_str(&read.days).unwrap_or_default();
        let hashes: BTreeMap<String, i64> =
            serde_json::from_str(&read.events_hash).unwrap_or_default();
        Self(
            rows.into_iter()
                .map(|(day, rows)| {
                    (
                        day.clone(),
                        (rows, hashes.get(&day).copied().unwrap_or_default()),
                    )
                })
                .collect(),
        )
    }
}

/// The sources of a lake, each as it was read last.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    all: Vec<SourceRead>,
    by_id: HashMap<String, usize>,
    /// By length and hash of the first bytes.
    by_head: BTreeMap<u64, HashMap<String, Vec<usize>>>,
    /// By URI, size and tag: what a store says has not changed.
    by_tag: HashMap<(String, u64, String), usize>,
    /// By size and hash of what was stored, read to its end.
    by_stored: HashMap<(u64, String), usize>,
    /// Where transactions ended in a source: how many bytes there were, and their SHA-256. A copy
    /// from that time ends there.
    ends: HashSet<(String, u64, String)>,
    lengths: HashSet<(String, u64)>,
}

impl Sources {
    /// From rows in any order.
    pub(crate) fn new(rows: impl IntoIterator<Item = SourceRead>) -> Self {
        let mut sources = Self::default();
        rows.into_iter().for_each(|row| sources.add(row));
        sources
    }

    /// One more row.
    pub(crate) fn add(&mut self, row: SourceRead) {
        self.lengths.insert((row.source_id.clone(), row.to_offset));
        self.ends
            .insert((row.source_id.clone(), row.to_offset, row.sha256.clone()));
        let index = match self.by_id.get(&row.source_id) {
            Some(&index) => index,
            None => {
                let index = self.all.len();
                self.by_id.insert(row.source_id.clone(), index);
                self.by_head
                    .entry(row.head_bytes)
                    .or_default()
                    .entry(row.head_hash.clone())
                    .or_default()
                    .push(index);
                self.all.push(row.clone());
                index
            }
        };
        if let (Some(bytes), Some(hash)) = (row.stored_bytes, &row.stored_hash) {
            self.by_stored.insert((bytes, hash.clone()), index);
            if let Some(etag) = &row.etag {
                self.by_tag
                    .insert((row.uri.clone(), bytes, etag.clone()), index);
            }
        }
        if row.to_offset >= self.all[index].to_offset {
            self.all[index] = row;
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&SourceRead> {
        self.by_id.get(id).map(|&index| &self.all[index])
    }

    /// The sources that begin as `head` does, those that were read furthest first.
    pub(crate) fn beginning_with(&self, head: &[u8]) -> Vec<&SourceRead> {
        let mut found: Vec<&SourceRead> = Vec::new();
        for (&length, hashes) in self.by_head.range(1..=head.len() as u64) {
            if let Some(indices) = hashes.get(&fingerprint(&head[..length as usize])) {
                found.extend(indices.iter().map(|&index| &self.all[index]));
            }
        }
        found.sort_by(|a, b| {
            b.to_offset
                .cmp(&a.to_offset)
                .then_with(|| a.source_id.cmp(&b.source_id))
        });
        found
    }

    /// Did a transaction end in this source after so many bytes?
    pub(crate) fn ends_at(&self, id: &str, bytes: u64) -> bool {
        self.lengths.contains(&(id.to_owned(), bytes))
    }

    /// Did it end after these very bytes?
    pub(crate) fn ended_with(&self, id: &str, bytes: u64, sha256: String) -> bool {
        self.ends.contains(&(id.to_owned(), bytes, sha256))
    }

    /// The source that an object was read as to its end, if a store says that the object is the
    /// same.
    pub(crate) fn tagged(&self, uri: &str, bytes: u64, etag: &str) -> Option<&SourceRead> {
        self.by_tag
            .get(&(uri.to_owned(), bytes, etag.to_owned()))
            .map(|&index| &self.all[index])
    }

    /// The source that an object of this size and with these first and last bytes was read as to
    /// its end.
    pub(crate) fn stored(&self, bytes: u64, hash: &str) -> Option<&SourceRead> {
        self.by_stored
            .get(&(bytes, hash.to_owned()))
            .map(|&index| &self.all[index])
    }

    /// An id for a new source with this head.
    pub(crate) fn new_id(&self, head_hash: &str) -> String {
        let taken = |id: &str| self.by_id.contains_key(id);
        if !taken(head_hash) {
            return head_hash.to_owned();
        }
        (2_u64..)
            .map(|number| format!("{head_hash}-{number}"))
            .find(|id| !taken(id))
            .unwrap_or_default()
    }
}

impl SourceRead {
    /// Where to go on, after the bytes that `tail` are the last of.
    pub(crate) fn progress(&self, tail: Vec<u8>) -> Option<SourceProgress> {
        SourceProgress::resume(&self.sha256_state, self.to_offset, self.lines, tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, head: &[u8], to: u64) -> SourceRead {
        SourceRead {
            source_id: id.to_owned(),
            head_bytes: head.len() as u64,
            head_hash: fingerprint(head),
            to_offset: to,
            ..SourceRead::default()
        }
    }

    #[test]
    fn a_source_is_found_by_its_first_bytes() {
        let sources = Sources::new([
            row("a", b"one", 3),
            row("b", b"one\ntwo", 7),
            row("a", b"one", 2),
            row("c", b"other", 5),
        ]);
        let ids = |head: &[u8]| {
            sources
                .beginning_with(head)
                .iter()
                .map(|row| row.source_id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(b"one\ntwo\nthree"), ["b", "a"]);
        assert_eq!(ids(b"one\nfour"), ["a"]);
        assert!(ids(b"on").is_empty());
        assert_eq!(sources.get("a").map(|row| row.to_offset), Some(3));
        assert_eq!(sources.new_id("a"), "a-2");
        assert_eq!(sources.new_id("new"), "new");
    }

    #[test]
    fn days_survive() {
        let mut days = SourceDays::default();
        days.add("2026-11-01".to_owned(), 1, i64::MAX);
        days.add("2026-11-01".to_owned(), 2, 5);
        days.add(String::new(), 1, -1);
        let (rows, hashes) = days.texts();
        assert_eq!(
            SourceDays::of(&SourceRead {
                days: rows,
                events_hash: hashes,
                ..SourceRead::default()
            }),
            days
        );
    }
}
