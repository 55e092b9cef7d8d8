//! The data files of one day in; its rows by source, and how many events are there twice, out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::arrow::error::ArrowError;

use crate::error::Result;
use crate::lake::day_groups::SourceRows;
use crate::lake::file_statistics::Day;
use crate::lake::read::DataFile;
use crate::lake::root::EVENTS;
use crate::lake::verify::finding::{FindingStatus, LakeFinding};
use crate::lake::verify::scan::DataReader;
use crate::time::MICROS_A_DAY;

/// The name of the check.
pub(in super::super) const ROWS: &str = "rows";

/// The rows of one day's files.
#[derive(Default)]
pub(super) struct DayRows {
    pub(super) sources: RowSources,
    pub(super) rows: u64,
    /// Events that are there once more.
    pub(super) twice: u64,
    pub(super) findings: Vec<LakeFinding>,
}

/// Rows by source; those of a source come after each other, mostly.
#[derive(Default)]
pub(super) struct RowSources {
    places: HashMap<String, usize>,
    pub(super) all: Vec<(String, SourceRows)>,
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

impl DayRows {
    pub(super) fn read(
        reader: &DataReader,
        day: Day,
        files: &[DataFile],
        most: u64,
    ) -> Result<Self> {
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
                        (strays > 0).then(|| format!("{strays} of its rows belong to another day"))
                    }
                };
                of_day.findings.extend(wrong.map(|wrong| {
                    LakeFinding::new(
                        ROWS,
                        format!("{EVENTS}/{}", file.path),
                        FindingStatus::Differs,
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
    staged.and_then(|micros| i32::try_from(micros.div_euclid(MICROS_A_DAY)).ok())
}

/// Takes the source, the time and the hash of a row.
type TakeRow<'t> = dyn FnMut(Option<&str>, Option<i64>, Option<i64>) + 't;

/// Source, time and hash of each row, whatever types they were written with.
fn each_row(batch: &RecordBatch, take: &mut TakeRow<'_>) -> std::result::Result<(), ArrowError> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
