//! Checks `rows` and `duplicates`: the rows of `events` in, whether each source has those that its
//! evidence speaks of out; and whether an event is there twice.
//!
//! Everything is read once, day by day, three columns of it. Where a day has more events than
//! there is room for, their hashes are compared in several rounds, each of which reads two columns
//! again.

mod of_day;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::error::Result;
use crate::lake::day_groups::SourceRows;
use crate::lake::file_statistics::{Day, folder_of};
use crate::lake::read::DataFile;
use crate::lake::root::EVENTS;
use crate::lake::verify::event_rows::of_day::DayRows;
pub(super) use crate::lake::verify::event_rows::of_day::ROWS;
use crate::lake::verify::finding::{FindingStatus, LakeFinding};
use crate::lake::verify::known::KnownSource;
use crate::lake::verify::scan::{DataReader, on_threads};
use crate::time::{MICROS_A_DAY, format_time, parse_micros};

const DUPLICATES: &str = "duplicates";

/// Events that all threads together compare in one round: 16 bytes each.
const MOST: usize = 16 << 20;
/// Days of a source that a message names.
const TOLD: usize = 3;

/// What the table holds.
#[derive(Debug, Default)]
pub(super) struct FoundRows {
    sources: HashMap<String, SourceRows>,
    findings: Vec<LakeFinding>,
}

/// Reads the rows.
///
/// # Errors
///
/// When the store fails.
pub(super) fn read(reader: &DataReader, files: Vec<DataFile>) -> Result<FoundRows> {
    let mut days: BTreeMap<Day, Vec<DataFile>> = BTreeMap::new();
    for file in files {
        days.entry(file.date).or_default().push(file);
    }
    let days: Vec<(Day, Vec<DataFile>)> = days.into_iter().collect();
    let most = (MOST / reader.threads.clamp(1, days.len().max(1))).max(1 << 18) as u64;
    let read = on_threads(reader.threads, &days, |(day, files)| {
        DayRows::read(reader, *day, files, most)
    })?;
    let mut found = FoundRows::default();
    let mut rows = 0;
    for (of_day, (day, _)) in read.into_iter().zip(&days) {
        rows += of_day.rows;
        for (id, rows) in of_day.sources.all {
            found.sources.entry(id).or_default().merge(rows);
        }
        found.findings.extend(of_day.findings);
        if of_day.twice > 0 {
            let message = format!("{} events are stored twice", of_day.twice);
            found.findings.push(LakeFinding::new(
                DUPLICATES,
                format!("{EVENTS}/{}", folder_of(*day)),
                FindingStatus::Differs,
                message,
            ));
        }
    }
    if !found
        .findings
        .iter()
        .any(|finding| finding.check == DUPLICATES)
    {
        found.findings.push(LakeFinding::new(
            DUPLICATES,
            EVENTS,
            FindingStatus::Ok,
            format!("none of {rows} events is stored twice"),
        ));
    }
    Ok(found)
}

impl FoundRows {
    /// Compares with the evidence; days before `expired` need not be there.
    pub(super) fn compare(self, known: &[KnownSource], expired: Option<i64>) -> Vec<LakeFinding> {
        let mut findings: Vec<LakeFinding> = known
            .iter()
            .map(|known| compare(known, self.sources.get(&known.id), expired))
            .collect();
        let ids: HashSet<&str> = known.iter().map(|known| known.id.as_str()).collect();
        let strangers: BTreeMap<&str, u64> = self
            .sources
            .iter()
            .filter(|(id, _)| !ids.contains(id.as_str()))
            .map(|(id, rows)| {
                (
                    id.as_str(),
                    rows.days().0.values().map(|(rows, _)| rows).sum(),
                )
            })
            .collect();
        for (id, rows) in strangers {
            let subject = if id.is_empty() { "no source" } else { id };
            findings.push(LakeFinding::new(
                ROWS,
                subject,
                FindingStatus::Differs,
                format!("{rows} rows that the evidence does not mention"),
            ));
        }
        findings.extend(self.findings);
        findings.sort_by_key(|finding| finding.check != ROWS);
        findings
    }
}

/// Compares the rows of one source with its evidence.
fn compare(known: &KnownSource, found: Option<&SourceRows>, expired: Option<i64>) -> LakeFinding {
    let wanted = known.days();
    let has = found.map(SourceRows::days).unwrap_or_default();
    let (mut gone, mut wrong) = (0, Vec::new());
    for day in wanted.0.keys().chain(has.0.keys()).collect::<BTreeSet<_>>() {
        let (rows, hash) = wanted.0.get(day).copied().unwrap_or_default();
        let (found_rows, found_hash) = has.0.get(day).copied().unwrap_or_default();
        if (rows, hash) == (found_rows, found_hash) {
            continue;
        }
        let name: &str = if day.is_empty() {
            "without a time"
        } else {
            day
        };
        if found_rows < rows && is_expired(day, expired) {
            gone += rows - found_rows;
        } else if found_rows == rows {
            wrong.push(format!(
                "{name}: {rows} rows, but not those that were written"
            ));
        } else {
            wrong.push(format!("{name}: {found_rows} rows instead of {rows}"));
        }
    }
    let rows: u64 = wanted.0.values().map(|(rows, _)| rows).sum();
    if rows != known.events() {
        wrong.push(format!(
            "its evidence counts {} events and {rows} rows",
            known.events()
        ));
    }
    let times = found.and_then(|found| found.staged.0);
    if wrong.is_empty() && gone == 0 && times != known.times() {
        let told = |times: Option<(i64, i64)>| {
            times.map_or_else(
                || "none".to_owned(),
                |(first, last)| format!("{} to {}", format_time(first), format_time(last)),
            )
        };
        wrong.push(format!(
            "its times are {} instead of {}",
            told(times),
            told(known.times())
        ));
    }
    let uri = known.uri();
    if !wrong.is_empty() {
        let more = if wrong.len() > TOLD {
            format!("; and {} more", wrong.len() - TOLD)
        } else {
            String::new()
        };
        wrong.truncate(TOLD);
        return LakeFinding::new(
            ROWS,
            &known.id,
            FindingStatus::Differs,
            format!("{}{more}; it was read from {uri}", wrong.join("; ")),
        );
    }
    if gone > 0 {
        let message = format!("{} rows of {uri}; {gone} have expired", rows - gone);
        return LakeFinding::new(ROWS, &known.id, FindingStatus::Expired, message);
    }
    LakeFinding::new(
        ROWS,
        &known.id,
        FindingStatus::Ok,
        format!("{rows} rows of {uri}"),
    )
}

/// May this day be gone?
fn is_expired(day: &str, expired: Option<i64>) -> bool {
    let micros = parse_micros(&format!("{day}T00:00:00Z"));
    matches!((micros, expired), (Some(micros), Some(expired)) if micros.div_euclid(MICROS_A_DAY) < expired)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::verify::known::sources;
    use crate::lake::verify::known::tests::part;

    /// 2026-11-01.
    const TODAY: i32 = 20_758;

    fn rows(hashes: &[i64]) -> SourceRows {
        let mut rows = SourceRows::default();
        let first = i64::from(TODAY) * MICROS_A_DAY;
        for (hash, at) in hashes.iter().zip([0, 4, 2, 3]) {
            rows.add(Some(TODAY), Some(first + at), *hash);
        }
        rows
    }

    #[track_caller]
    fn check(found: Option<&SourceRows>, expired: Option<i64>, status: FindingStatus, says: &str) {
        let known = &sources(vec![part("a", 1, 0, 5), part("a", 4, 5, 9)])[0];
        let finding = compare(known, found, expired);
        assert_eq!(finding.status, status, "{finding:?}");
        assert!(finding.message.contains(says), "{finding:?}");
    }

    #[test]
    fn rows_are_those_of_the_evidence() {
        check(
            Some(&rows(&[1, 4])),
            None,
            FindingStatus::Ok,
            "2 rows of /logs/4",
        );
        check(Some(&rows(&[4, 1])), None, FindingStatus::Ok, "2 rows");
        check(
            Some(&rows(&[1, 5])),
            None,
            FindingStatus::Differs,
            "2026-11-01: 2 rows, but not those that were written",
        );
        check(
            Some(&rows(&[5])),
            None,
            FindingStatus::Differs,
            "2026-11-01: 1 rows instead of 2",
        );
        check(
            Some(&rows(&[1, 4, 0])),
            Some(30_000),
            FindingStatus::Differs,
            "3 rows instead of 2",
        );
        check(None, None, FindingStatus::Differs, "0 rows instead of 2");
    }

    #[test]
    fn days_may_have_expired() {
        let after = Some(i64::from(TODAY) + 1);
        check(
            None,
            after,
            FindingStatus::Expired,
            "0 rows of /logs/4; 2 have expired",
        );
        check(
            Some(&rows(&[1])),
            after,
            FindingStatus::Expired,
            "1 rows of /logs/4; 1 have expired",
        );
        check(
            Some(&rows(&[1])),
            Some(i64::from(TODAY)),
            FindingStatus::Differs,
            "1 rows instead of 2",
        );
        check(
            Some(&rows(&[1, 5])),
            after,
            FindingStatus::Differs,
            "not those",
        );
        assert!(!is_expired("", after));
    }

    #[test]
    fn times_count_too() {
        let mut found = SourceRows::default();
        found.add(Some(TODAY), Some(i64::from(TODAY) * MICROS_A_DAY), 1);
        found.add(Some(TODAY), Some(i64::from(TODAY) * MICROS_A_DAY + 9), 4);
        check(
            Some(&found),
            None,
            FindingStatus::Differs,
            "its times are 2026-11-01T00:00:00.000000Z to 2026-11-01T00:00:00.000009Z instead of",
        );
    }

    #[test]
    fn rows_of_no_known_source() {
        let found = FoundRows {
            sources: HashMap::from([("b".to_owned(), rows(&[1, 2]))]),
            findings: Vec::new(),
        };
        let findings = found.compare(&[], None);
        let told: Vec<(&str, &str, FindingStatus)> = findings
            .iter()
            .map(|one| (one.check, one.subject.as_str(), one.status))
            .collect();
        assert_eq!(told, [("rows", "b", FindingStatus::Differs)]);
    }
}
