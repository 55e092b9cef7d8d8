//! Checks `rows` and `duplicates`: the rows of `events` in, whether each source has those that its
//! evidence speaks of out; and whether an event is there twice.
//!
//! Everything is read once, day by day, three columns of it. Of a day with more events than there
//! is room for, the hashes are compared in several rounds, each of which reads two columns again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use datafusion::arrow::{
    array::{Array, AsArray, RecordBatch, new_null_array},
    compute::cast,
    datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType},
    error::ArrowError,
};

use crate::error::Result;
use crate::lake::read::DataFile;
use crate::lake::root::EVENTS;
use crate::lake::rows::SourceRows;
use crate::lake::verify::finding::{Finding, Status};
use crate::lake::verify::known::KnownSource;
use crate::lake::verify::scan::{DataReader, on_threads};
use crate::lake::writer::{Day, folder_of};
use crate::time::{format_time, parse_micros};

pub(super) const ROWS: &str = "rows";
const DUPLICATES: &str = "duplicates";

/// Events that all threads together compare in one round: 16 bytes each.
const MOST: usize = 16 << 20;
/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;
/// Days of a source that a message names.
const TOLD: usize = 3;

/// What the table holds.
#[derive(Debug, Default)]
pub(super) struct FoundRows {
    sources: HashMap<String, SourceRows>,
    findings: Vec<Finding>,
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
        OfDay::read(reader, *day, files, most)
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
            let message = format!("{} events are there twice", of_day.twice);
            found.findings.push(Finding::new(
                DUPLICATES,
                format!("{EVENTS}/{}", folder_of(*day)),
                Status::Differs,
                message,
            ));
        }
    }
    if !found
        .findings
        .iter()
        .any(|finding| finding.check == DUPLICATES)
    {
        found.findings.push(Finding::new(
            DUPLICATES,
            EVENTS,
            Status::Ok,
            format!("none of {rows} events is there twice"),
        ));
    }
    Ok(found)
}

impl FoundRows {
    /// Compares with the evidence; days before `expired` need not be there.
    pub(super) fn compare(self, known: &[KnownSource], expired: Option<i64>) -> Vec<Finding> {
        let mut findings: Vec<Finding> = known
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
            findings.push(Finding::new(
                ROWS,
                subject,
                Status::Differs,
                format!("{rows} rows, of which the evidence knows nothing"),
            ));
        }
        findings.extend(self.findings);
        findings.sort_by_key(|finding| finding.check != ROWS);
        findings
    }
}

/// The rows of one day's files.
#[derive(Default)]
struct OfDay {
    sources: RowSources,
    rows: u64,
    /// Events that are there once more.
    twice: u64,
    findings: Vec<Finding>,
}

/// Rows by source; those of a source come after each other, mostly.
#[derive(Default)]
struct RowSources {
    places: HashMap<String, usize>,
    all: Vec<(String, SourceRows)>,
    last: usize,
}

impl RowSources {
    fn of(&mut self, id: &str) -> &mut SourceRows {
        if self.all.get(self.last).is_none_or(|(last, _)| last != id) {
            self.last = match self.places.get(id) {
                Some(&place) => place,
                None => {
                    self.places.insert(id.to_owned(), self.all.len());
                    self.all.push((id.to_owned(), SourceRows::default()));
                    self.all.len() - 1
                }
            };
        }
        &mut self.all[self.last].1
    }
}

impl OfDay {
    fn read(reader: &DataReader, day: Day, files: &[DataFile], most: u64) -> Result<Self> {
        let mut of_day = Self::default();
        let rows: u64 = files.iter().filter_map(|file| file.rows).sum();
        let rounds = rows.div_ceil(most).max(1);
        let mut files: Vec<&DataFile> = files.iter().collect();
        for round in 0..rounds {
            let mut identities: Vec<(i64, i64)> =
                Vec::with_capacity(usize::try_from(rows / rounds).unwrap_or(0));
            let mut broken = HashSet::new();
            for file in &files {
                let mut strays = 0;
                let columns: &[&str] = if round == 0 {
                    &["source_id", "stage_timestamp", "event_hash"]
                } else {
                    &["stage_timestamp", "event_hash"]
                };
                let read = reader.read(file, columns, |batch| {
                    let mut take = |id: Option<&str>, staged: Option<i64>, hash: Option<i64>| {
                        if round == 0 {
                            let actual = day_of(staged);
                            of_day.rows += 1;
                            strays += u64::from(actual != day);
                            of_day.sources.of(id.unwrap_or_default()).add(
                                actual,
                                staged,
                                hash.unwrap_or(0),
                            );
                        }
                        if let Some(hash) = hash.filter(|hash| *hash as u64 % rounds == round) {
                            identities.push((hash, staged.unwrap_or(i64::MIN)));
                        }
                    };
                    each_row(batch, &mut take)
                })?;
                let wrong = match read {
                    Err(message) => {
                        broken.insert(file.path.as_str());
                        Some(format!("the file cannot be read: {message}"))
                    }
                    Ok(()) => {
                        (strays > 0).then(|| format!("{strays} of its rows are of another day"))
                    }
                };
                of_day.findings.extend(wrong.map(|wrong| {
                    Finding::new(
                        ROWS,
                        format!("{EVENTS}/{}", file.path),
                        Status::Differs,
                        wrong,
                    )
                }));
            }
            files.retain(|file| !broken.contains(file.path.as_str()));
            identities.sort_unstable();
            of_day.twice += identities
                .windows(2)
                .filter(|pair| pair[0] == pair[1])
                .count() as u64;
        }
        Ok(of_day)
    }
}

fn day_of(staged: Option<i64>) -> Day {
    staged.and_then(|micros| i32::try_from(micros.div_euclid(DAY)).ok())
}

/// Takes the source, the time and the hash of a row.
type Take<'t> = dyn FnMut(Option<&str>, Option<i64>, Option<i64>) + 't;

/// Source, time and hash of each row, whatever types they were written with.
fn each_row(batch: &RecordBatch, take: &mut Take<'_>) -> std::result::Result<(), ArrowError> {
    let column = |name: &str, data_type: &DataType| match batch.column_by_name(name) {
        Some(column) => cast(column, data_type),
        None => Ok(new_null_array(data_type, batch.num_rows())),
    };
    let ids = column("source_id", &DataType::Utf8)?;
    let times = column(
        "stage_timestamp",
        &DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
    )?;
    let hashes = column("event_hash", &DataType::Int64)?;
    let (ids, times, hashes) = (
        ids.as_string::<i32>(),
        times.as_primitive::<TimestampMicrosecondType>(),
        hashes.as_primitive::<Int64Type>(),
    );
    for row in 0..batch.num_rows() {
        take(
            ids.is_valid(row).then(|| ids.value(row)),
            times.is_valid(row).then(|| times.value(row)),
            hashes.is_valid(row).then(|| hashes.value(row)),
        );
    }
    Ok(())
}

/// Compares the rows of one source with its evidence.
fn compare(known: &KnownSource, found: Option<&SourceRows>, expired: Option<i64>) -> Finding {
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
            "its evidence speaks of {} events and of {rows} rows",
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
        return Finding::new(
            ROWS,
            &known.id,
            Status::Differs,
            format!("{}{more}; it was {uri}", wrong.join("; ")),
        );
    }
    if gone > 0 {
        let message = format!("{} rows of {uri}; {gone} have expired", rows - gone);
        return Finding::new(ROWS, &known.id, Status::Expired, message);
    }
    Finding::new(ROWS, &known.id, Status::Ok, format!("{rows} rows of {uri}"))
}

/// May this day be gone?
fn is_expired(day: &str, expired: Option<i64>) -> bool {
    let micros = parse_micros(&format!("{day}T00:00:00Z"));
    matches!((micros, expired), (Some(micros), Some(expired)) if micros.div_euclid(DAY) < expired)
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
        let first = i64::from(TODAY) * DAY;
        for (hash, at) in hashes.iter().zip([0, 4, 2, 3]) {
            rows.add(Some(TODAY), Some(first + at), *hash);
        }
        rows
    }

    #[track_caller]
    fn check(found: Option<&SourceRows>, expired: Option<i64>, status: Status, says: &str) {
        let known = &sources(vec![part("a", 1, 0, 5), part("a", 4, 5, 9)])[0];
        let finding = compare(known, found, expired);
        assert_eq!(finding.status, status, "{finding:?}");
        assert!(finding.message.contains(says), "{finding:?}");
    }

    #[test]
    fn rows_are_those_of_the_evidence() {
        check(Some(&rows(&[1, 4])), None, Status::Ok, "2 rows of /logs/4");
        check(Some(&rows(&[4, 1])), None, Status::Ok, "2 rows");
        check(
            Some(&rows(&[1, 5])),
            None,
            Status::Differs,
            "2026-11-01: 2 rows, but not those that were written",
        );
        check(
            Some(&rows(&[5])),
            None,
            Status::Differs,
            "2026-11-01: 1 rows instead of 2",
        );
        check(
            Some(&rows(&[1, 4, 0])),
            Some(30_000),
            Status::Differs,
            "3 rows instead of 2",
        );
        check(None, None, Status::Differs, "0 rows instead of 2");
    }

    #[test]
    fn days_may_have_expired() {
        let after = Some(i64::from(TODAY) + 1);
        check(
            None,
            after,
            Status::Expired,
            "0 rows of /logs/4; 2 have expired",
        );
        check(
            Some(&rows(&[1])),
            after,
            Status::Expired,
            "1 rows of /logs/4; 1 have expired",
        );
        check(
            Some(&rows(&[1])),
            Some(i64::from(TODAY)),
            Status::Differs,
            "1 rows instead of 2",
        );
        check(Some(&rows(&[1, 5])), after, Status::Differs, "not those");
        assert!(!is_expired("", after));
    }

    #[test]
    fn times_count_too() {
        let mut found = SourceRows::default();
        found.add(Some(TODAY), Some(i64::from(TODAY) * DAY), 1);
        found.add(Some(TODAY), Some(i64::from(TODAY) * DAY + 9), 4);
        check(
            Some(&found),
            None,
            Status::Differs,
            "its times are 2026-11-01T00:00:00.000000Z to 2026-11-01T00:00:00.000009Z instead of",
        );
    }

    #[test]
    fn rows_of_nobody() {
        let found = FoundRows {
            sources: HashMap::from([("b".to_owned(), rows(&[1, 2]))]),
            findings: Vec::new(),
        };
        let findings = found.compare(&[], None);
        let told: Vec<(&str, &str, Status)> = findings
            .iter()
            .map(|one| (one.check, one.subject.as_str(), one.status))
            .collect();
        assert_eq!(told, [("rows", "b", Status::Differs)]);
    }

    #[test]
    fn sources_keep_their_rows() {
        let mut sources = RowSources::default();
        for id in ["a", "a", "b", "a", "b"] {
            sources.of(id).add(None, None, 1);
        }
        let counts: Vec<(&str, u64)> = sources
            .all
            .iter()
            .map(|(id, rows)| {
                (
                    id.as_str(),
                    rows.days().0.values().map(|(rows, _)| rows).sum(),
                )
            })
            .collect();
        assert_eq!(counts, [("a", 3), ("b", 2)]);
    }
}
