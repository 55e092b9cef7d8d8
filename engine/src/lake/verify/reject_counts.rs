//! Check `rejects`: the rows of the table in, whether each source has as many as its evidence
//! counts out.
//!
//! Rejects are committed before the rows of their transaction: behind the byte up to which a source
//! was read there may be more.

use std::collections::HashMap;

use datafusion::arrow::{
    array::{Array, AsArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};

use crate::error::Result;
use crate::lake::read::DataFile;
use crate::lake::root::REJECTS;
use crate::lake::verify::finding::{FindingStatus, LakeFinding};
use crate::lake::verify::known::KnownSource;
use crate::lake::verify::scan::{DataReader, on_threads};
use crate::time::MICROS_A_DAY;

const CHECK: &str = "rejects";

/// Rejects of a source before the byte up to which it was read, and at it: where a stream broke
/// off.
type RejectCounts = HashMap<String, (u64, u64)>;

/// What the table holds.
#[derive(Debug, Default)]
pub(super) struct FoundRejects {
    counts: RejectCounts,
    findings: Vec<LakeFinding>,
}

/// Reads the table.
///
/// # Errors
///
/// When the store fails.
pub(super) fn read(
    reader: &DataReader,
    files: &[DataFile],
    known: &[KnownSource],
) -> Result<FoundRejects> {
    let ends: HashMap<&str, u64> = known
        .iter()
        .map(|known| (known.id.as_str(), known.to_offset()))
        .collect();
    let read = on_threads(reader.threads, files, |file| {
        let mut counts = RejectCounts::new();
        let read = reader.read(file, &["source_id", "source_offset"], |batch| {
            let (Some(ids), Some(offsets)) = (
                batch.column_by_name("source_id"),
                batch.column_by_name("source_offset"),
            ) else {
                return Ok(());
            };
            let (ids, offsets) = (
                cast(ids, &DataType::Utf8)?,
                cast(offsets, &DataType::Int64)?,
            );
            let (ids, offsets) = (ids.as_string::<i32>(), offsets.as_primitive::<Int64Type>());
            for row in
                (0..batch.num_rows()).filter(|row| ids.is_valid(*row) && offsets.is_valid(*row))
            {
                let (id, offset) = (
                    ids.value(row),
                    u64::try_from(offsets.value(row)).unwrap_or(0),
                );
                let Some(end) = ends.get(id).filter(|end| offset <= **end) else {
                    continue;
                };
                if !counts.contains_key(id) {
                    counts.insert(id.to_owned(), (0, 0));
                }
                if let Some((before, at)) = counts.get_mut(id) {
                    *(if offset < *end { before } else { at }) += 1;
                }
            }
            Ok(())
        })?;
        Ok((counts, read.err()))
    })?;
    let mut found = FoundRejects::default();
    for (file, (counts, broken)) in files.iter().zip(read) {
        for (id, (before, at)) in counts {
            let all = found.counts.entry(id).or_default();
            *all = (all.0 + before, all.1 + at);
        }
        let wrong = broken.map(|message| format!("the file cannot be read: {message}"));
        found.findings.extend(wrong.map(|wrong| {
            LakeFinding::new(
                CHECK,
                format!("{REJECTS}/{}", file.path),
                FindingStatus::Differs,
                wrong,
            )
        }));
    }
    Ok(found)
}

impl FoundRejects {
    /// Compares with the evidence; what was converted on days before `expired` need not be there.
    pub(super) fn compare(self, known: &[KnownSource], expired: Option<i64>) -> Vec<LakeFinding> {
        let mut findings: Vec<LakeFinding> = known
            .iter()
            .filter_map(|known| self.of(known, expired))
            .collect();
        if findings.is_empty() && self.findings.is_empty() {
            let message = format!("none of the {} sources has rejects", known.len());
            findings.push(LakeFinding::new(CHECK, REJECTS, FindingStatus::Ok, message));
        }
        findings.extend(self.findings);
        findings
    }

    /// One source; `None` when it has no rejects and should have none.
    fn of(&self, known: &KnownSource, expired: Option<i64>) -> Option<LakeFinding> {
        let (wanted, uri) = (known.rejects(), known.uri());
        let (before, at) = self.counts.get(&known.id).copied().unwrap_or_default();
        if wanted == 0 && before == 0 {
            return None;
        }
        let (status, message) = if (before..=before + at).contains(&wanted) {
            (FindingStatus::Ok, format!("{wanted} rejects of {uri}"))
        } else if before < wanted
            && expired
                .is_some_and(|expired| known.converted_at().div_euclid(MICROS_A_DAY) <= expired)
        {
            // What was converted about midnight may be a day older than the evidence.
            (
                FindingStatus::Expired,
                format!(
                    "{before} rejects of {uri}; {} have expired",
                    wanted - before
                ),
            )
        } else {
            (
                FindingStatus::Differs,
                format!(
                    "{} rejects instead of {wanted}; it was read from {uri}",
                    before + at
                ),
            )
        };
        Some(LakeFinding::new(CHECK, &known.id, status, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::verify::known::sources;
    use crate::lake::verify::known::tests::part;

    fn status(before: u64, at: u64, expired: Option<i64>) -> Option<FindingStatus> {
        let known = &sources(vec![part("a", 1, 0, 5), part("a", 2, 5, 9)])[0];
        let found = FoundRejects {
            counts: RejectCounts::from([("a".to_owned(), (before, at))]),
            findings: Vec::new(),
        };
        found.of(known, expired).map(|finding| finding.status)
    }

    #[test]
    fn rejects_are_those_of_the_evidence() {
        assert_eq!(status(30, 0, None), Some(FindingStatus::Ok));
        assert_eq!(
            status(29, 1, None),
            Some(FindingStatus::Ok),
            "where the stream broke off"
        );
        assert_eq!(status(29, 0, None), Some(FindingStatus::Differs));
        assert_eq!(status(31, 0, Some(1)), Some(FindingStatus::Differs));
        assert_eq!(
            status(29, 0, Some(0)),
            Some(FindingStatus::Expired),
            "converted on the first day of all"
        );
        assert_eq!(status(29, 0, Some(-1)), Some(FindingStatus::Differs));
    }

    #[test]
    fn no_rejects() {
        let none = part("a", 0, 0, 5);
        assert_eq!(none.rejects, 0);
        let findings = FoundRejects::default().compare(&sources(vec![none]), None);
        assert_eq!(
            findings,
            [LakeFinding::new(
                "rejects",
                "rejects",
                FindingStatus::Ok,
                "none of the 1 sources has rejects"
            )]
        );
    }
}
