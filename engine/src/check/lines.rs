//! The lines of logs behind a row: lines in, the first of them and their number out, as a value
//! that travels through a plan in a column of bytes.
//!
//! The first are those with the least time and place, so that they do not depend on the order in
//! which rows come.

use std::collections::BTreeSet;

/// The most lines that are kept.
const MOST: usize = 20;
/// Stands for a number that is missing.
const NO_NUMBER: i64 = i64::MIN;
/// Stands for the length of a text that is missing.
const NO_TEXT: u32 = u32::MAX;

/// A line of a log that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceLine {
    /// In microseconds since the epoch.
    pub stage_timestamp: Option<i64>,
    /// The file or object, as it was read.
    pub source_file: Option<String>,
    /// The line in it, from 1; `None` where the source has none.
    pub source_line: Option<i64>,
    /// The audit ID of the event.
    pub audit_id: Option<String>,
}

/// The first lines behind a row, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LinesBehind {
    first: BTreeSet<EvidenceLine>,
    counted: u64,
}

impl LinesBehind {
    /// Adds one line.
    pub(super) fn add(&mut self, line: EvidenceLine) {
        self.counted += 1;
        self.keep(line);
    }

    /// Adds the lines behind another row.
    ///
    /// Bytes that are not a value of this kind add nothing.
    pub(super) fn merge(&mut self, encoded: &[u8]) {
        if let Some(other) = Self::decode(encoded) {
            self.counted += other.counted;
            other.first.into_iter().for_each(|line| self.keep(line));
        }
    }

    fn keep(&mut self, line: EvidenceLine) {
        if self.first.len() < MOST {
            self.first.insert(line);
        } else if self.first.last().is_some_and(|last| line < *last) && self.first.insert(line) {
            self.first.pop_last();
        }
    }

    /// How many lines there are. Joins count a line more than once, but few lines are known each.
    pub(super) fn total(&self) -> u64 {
        match self.first.len() {
            few if few < MOST => few as u64,
            many => self.counted.max(many as u64),
        }
    }

    /// The first lines, by time and place.
    pub(super) fn into_first(self) -> Vec<EvidenceLine> {
        self.first.into_iter().collect()
    }

    /// Bytes that it takes, roughly.
    pub(super) fn size(&self) -> usize {
        let lines = self.first.iter();
        let texts = lines.map(|line| {
            let texts = [&line.source_file, &line.audit_id].into_iter().flatten();
            texts.map(String::len).sum::<usize>()
        });
        texts.sum::<usize>() + self.first.len() * size_of::<EvidenceLine>() + size_of::<Self>()
    }

    /// As bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.counted.to_le_bytes().to_vec();
        for line in &self.first {
            write_number(&mut bytes, line.stage_timestamp);
            write_text(&mut bytes, line.source_file.as_deref());
            write_number(&mut bytes, line.source_line);
            write_text(&mut bytes, line.audit_id.as_deref());
        }
        bytes
    }

    /// From the bytes of [`Self::encode`].
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let counted = u64::from_le_bytes(take(&mut rest)?);
        let mut first = BTreeSet::new();
        while !rest.is_empty() {
            first.insert(EvidenceLine {
                stage_timestamp: number(&mut rest)?,
                source_file: text(&mut rest)?,
                source_line: number(&mut rest)?,
                audit_id: text(&mut rest)?,
            });
        }
        Some(Self { first, counted })
    }
}

fn write_number(bytes: &mut Vec<u8>, number: Option<i64>) {
    bytes.extend_from_slice(&number.unwrap_or(NO_NUMBER).to_le_bytes());
}

fn write_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    let length = text.map_or(NO_TEXT, |text| u32::try_from(text.len()).unwrap_or(NO_TEXT));
    bytes.extend_from_slice(&length.to_le_bytes());
    if let (Some(text), true) = (text, length != NO_TEXT) {
        bytes.extend_from_slice(text.as_bytes());
    }
}

fn take<const LENGTH: usize>(rest: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (taken, after) = rest.split_first_chunk::<LENGTH>()?;
    *rest = after;
    Some(*taken)
}

fn number(rest: &mut &[u8]) -> Option<Option<i64>> {
    let number = i64::from_le_bytes(take(rest)?);
    Some((number != NO_NUMBER).then_some(number))
}

fn text(rest: &mut &[u8]) -> Option<Option<String>> {
    let length = u32::from_le_bytes(take(rest)?);
    if length == NO_TEXT {
        return Some(None);
    }
    let (text, after) = rest.split_at_checked(length as usize)?;
    *rest = after;
    Some(Some(String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: i64) -> EvidenceLine {
        EvidenceLine {
            stage_timestamp: Some(number / 2),
            source_file: (number % 3 > 0).then(|| "a.log".to_owned()),
            source_line: Some(number),
            audit_id: None,
        }
    }

    #[test]
    fn the_first_lines_stay_whatever_the_order() {
        let all: Vec<i64> = (0..50).collect();
        let collect = |numbers: &mut dyn Iterator<Item = &i64>| {
            let mut lines = LinesBehind::default();
            numbers.for_each(|number| lines.add(line(*number)));
            lines
        };
        let forward = collect(&mut all.iter());
        assert_eq!(forward, collect(&mut all.iter().rev()));
        assert_eq!((forward.first.len(), forward.total()), (MOST, 50));
        let mut halves = collect(&mut all[25..].iter());
        halves.merge(&collect(&mut all[..25].iter()).encode());
        assert_eq!(halves, forward);
        assert_eq!(LinesBehind::decode(&forward.encode()), Some(forward));
    }

    #[test]
    fn few_lines_are_counted_once_each() {
        let mut lines = LinesBehind::default();
        [1, 2, 1, 1]
            .into_iter()
            .for_each(|number| lines.add(line(number)));
        assert_eq!(lines.total(), 2);
        lines.merge(b"nothing of the kind");
        lines.merge(&[]);
        assert_eq!(lines.total(), 2);
    }
}
