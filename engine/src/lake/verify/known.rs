//! The evidence of one source, all of its rows: what the lake has to hold of it.

use std::collections::{BTreeMap, HashSet};

use crate::lake::source::{SourceDays, SourceRead};

/// The evidence of one source, oldest first; there is a row at least.
#[derive(Debug)]
pub(super) struct KnownSource {
    pub(super) id: String,
    pub(super) rows: Vec<SourceRead>,
}

/// Rows in any order → sources, by the time that they were first read.
pub(super) fn sources(rows: Vec<SourceRead>) -> Vec<KnownSource> {
    let mut by_id: BTreeMap<String, Vec<SourceRead>> = BTreeMap::new();
    for row in rows {
        by_id.entry(row.source_id.clone()).or_default().push(row);
    }
    let mut sources: Vec<KnownSource> = by_id
        .into_iter()
        .map(|(id, mut rows)| {
            rows.sort_by_key(|row| (row.events_version, row.from_offset, row.to_offset));
            KnownSource { id, rows }
        })
        .collect();
    sources.sort_by(|one, other| {
        one.first_version()
            .cmp(&other.first_version())
            .then_with(|| one.id.cmp(&other.id))
    });
    sources
}

impl KnownSource {
    fn first_version(&self) -> u64 {
        self.rows.first().map_or(0, |row| row.events_version)
    }

    /// As it was read furthest.
    pub(super) fn latest(&self) -> Option<&SourceRead> {
        self.rows.iter().max_by_key(|row| row.to_offset)
    }

    /// The byte up to which it was read.
    pub(super) fn to_offset(&self) -> u64 {
        self.latest().map_or(0, |row| row.to_offset)
    }

    /// What it was called when it was read last.
    pub(super) fn uri(&self) -> &str {
        self.latest().map_or("", |row| &row.uri)
    }

    /// Its rows by day, and the sums of their hashes.
    pub(super) fn days(&self) -> SourceDays {
        let mut days = SourceDays::default();
        for (day, (rows, hash)) in self.rows.iter().flat_map(|row| SourceDays::of(row).0) {
            days.add(day, rows, hash);
        }
        days
    }

    /// Least and greatest time of its rows.
    pub(super) fn times(&self) -> Option<(i64, i64)> {
        let times = self
            .rows
            .iter()
            .filter_map(|row| row.first_time.zip(row.last_time));
        times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    /// Events that became rows.
    pub(super) fn events(&self) -> u64 {
        self.rows.iter().map(|row| row.events).sum()
    }

    /// The parts that it was read in, the last one first. A list is read from its start each time:
    /// of such a source it is the last part alone.
    fn parts(&self) -> Vec<&SourceRead> {
        let mut parts = Vec::new();
        let mut end = None;
        for row in self.rows.iter().rev() {
            if end.is_none_or(|end| row.to_offset == end) {
                parts.push(row);
                if row.from_offset == 0 {
                    break;
                }
                end = Some(row.from_offset);
            }
        }
        parts
    }

    /// Records up to [`Self::to_offset`] that could not be read.
    pub(super) fn rejects(&self) -> u64 {
        self.parts().iter().map(|row| row.rejects).sum()
    }

    /// When its parts were converted first.
    pub(super) fn converted_at(&self) -> i64 {
        self.parts()
            .iter()
            .map(|row| row.converted_at)
            .min()
            .unwrap_or(0)
    }

    /// Bytes that nothing says were read: a part that begins where none before it ended.
    pub(super) fn hole(&self) -> Option<u64> {
        let mut ends = HashSet::from([0]);
        for row in &self.rows {
            if !ends.contains(&row.from_offset) || row.to_offset < row.from_offset {
                return Some(row.from_offset);
            }
            ends.insert(row.to_offset);
        }
        None
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A part that a transaction read, with an event on 2026-11-01 whose hash is its version.
    pub(in crate::lake::verify) fn part(id: &str, version: u64, from: u64, to: u64) -> SourceRead {
        SourceRead {
            source_id: id.to_owned(),
            uri: format!("/logs/{version}"),
            events_version: version,
            from_offset: from,
            to_offset: to,
            events: 1,
            rejects: 10 * version,
            converted_at: version as i64,
            first_time: Some(1_793_491_200_000_000),
            last_time: Some(1_793_491_200_000_000 + version as i64),
            days: r#"{"2026-11-01":1}"#.to_owned(),
            events_hash: format!(r#"{{"2026-11-01":{version}}}"#),
            ..SourceRead::default()
        }
    }

    #[test]
    fn parts_add_up() {
        let sources = sources(vec![
            part("b", 4, 5, 9),
            part("a", 3, 0, 7),
            part("b", 2, 0, 5),
            part("b", 6, 9, 9),
        ]);
        let ids: Vec<&str> = sources.iter().map(|source| source.id.as_str()).collect();
        assert_eq!(ids, ["b", "a"]);
        let source = &sources[0];
        assert_eq!(
            (source.to_offset(), source.uri(), source.events()),
            (9, "/logs/6", 3)
        );
        assert_eq!(
            source.days().0,
            BTreeMap::from([("2026-11-01".to_owned(), (3, 12))])
        );
        assert_eq!(
            (source.rejects(), source.converted_at(), source.hole()),
            (120, 2, None)
        );
        assert_eq!(
            source.times(),
            Some((1_793_491_200_000_000, 1_793_491_200_000_006))
        );
    }

    #[test]
    fn a_list_is_read_anew() {
        let sources = sources(vec![
            part("a", 1, 0, 5),
            part("a", 2, 0, 9),
            part("a", 3, 0, 12),
        ]);
        assert_eq!(
            (
                sources[0].rejects(),
                sources[0].converted_at(),
                sources[0].hole()
            ),
            (30, 3, None)
        );
    }

    #[test]
    fn holes_are_seen() {
        assert_eq!(
            sources(vec![part("a", 1, 0, 5), part("a", 3, 7, 12)])[0].hole(),
            Some(7)
        );
        assert_eq!(sources(vec![part("a", 1, 2, 5)])[0].hole(), Some(2));
    }
}
