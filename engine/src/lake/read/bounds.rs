//! What the snapshot knows of its files in, the statistics that DataFusion plans with out.

use std::collections::BTreeSet;

use datafusion::common::stats::Precision;
use datafusion::common::{ScalarValue, Statistics};

use crate::lake::read::{DataFile, LakeTable};

impl LakeTable {
    pub(super) fn timestamp(&self, micros: i64) -> ScalarValue {
        ScalarValue::TimestampMicrosecond(Some(micros), self.zone.clone())
    }

    /// What is known of one file. The bounds are what files are left out by while a query runs
    /// (`ORDER BY … LIMIT`), so that they count as exact although no row need have them.
    pub(super) fn of_file(&self, file: &DataFile) -> Statistics {
        let mut known = Statistics::new_unknown(self.scanned.table_schema());
        known.num_rows = exact(file.rows);
        known.total_byte_size = exact(Some(file.size)).to_inexact();
        if let Some(partition) = self.partition {
            let column = &mut known.column_statistics[self.scanned_at(partition)];
            column.null_count = exact(file.nulls());
            if let Some(date) = file.date {
                column.min_value = Precision::Exact(ScalarValue::Date32(Some(date)));
                column.max_value = Precision::Exact(ScalarValue::Date32(Some(date)));
            }
        }
        if let Some(time) = self.time {
            let column = &mut known.column_statistics[self.scanned_at(time)];
            if self.partition.is_some() {
                column.null_count = exact(file.nulls());
            }
            if let Some((least, greatest)) = file.bounds() {
                column.min_value = Precision::Exact(self.timestamp(least));
                column.max_value = Precision::Exact(self.timestamp(greatest));
            }
        }
        known
    }

    /// What is known of all rows of `files`. What is exact here becomes an answer.
    pub(super) fn of_files(&self, files: &[&DataFile]) -> Statistics {
        let mut known = Statistics::new_unknown(self.scanned.table_schema());
        let rows = files.iter().map(|file| file.rows).sum::<Option<u64>>();
        known.num_rows = exact(rows);
        known.total_byte_size = exact(Some(files.iter().map(|file| file.size).sum())).to_inexact();
        let filled = files.iter().copied().filter(|file| file.rows != Some(0));
        let (dated, undated): (Vec<&DataFile>, Vec<&DataFile>) =
            filled.partition(|file| file.date.is_some());
        let nulls = exact(undated.iter().map(|file| file.rows).sum::<Option<u64>>());
        if let Some(partition) = self.partition {
            let column = &mut known.column_statistics[self.scanned_at(partition)];
            column.null_count = nulls;
            let days: BTreeSet<i32> = dated.iter().filter_map(|file| file.date).collect();
            if let (Some(first), Some(last)) = (days.first(), days.last()) {
                column.min_value = bound(ScalarValue::Date32(Some(*first)), rows.is_some());
                column.max_value = bound(ScalarValue::Date32(Some(*last)), rows.is_some());
            }
        }
        if let Some(time) = self.time {
            let column = &mut known.column_statistics[self.scanned_at(time)];
            let mut timed = &undated;
            if self.partition.is_some() {
                column.null_count = nulls;
                timed = &dated;
            }
            if let Some((least, greatest)) = time_bounds(timed) {
                let is_exact = |at: i64| rows.is_some() && is_seen(timed, at);
                column.min_value = bound(self.timestamp(least), is_exact(least));
                column.max_value = bound(self.timestamp(greatest), is_exact(greatest));
            }
        }
        known
    }
}

/// A value that rows have, or may have.
fn bound(value: ScalarValue, is_exact: bool) -> Precision<ScalarValue> {
    if is_exact {
        Precision::Exact(value)
    } else {
        Precision::Inexact(value)
    }
}

/// Between which times all rows of the files lie; `None` when it is not known of each file.
fn time_bounds(files: &[&DataFile]) -> Option<(i64, i64)> {
    let bounds: Option<Vec<_>> = files.iter().map(|file| file.bounds()).collect();
    let bounds = bounds.unwrap_or_default().into_iter();
    bounds.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

/// Has a row this time, which is a bound of its file? That is so unless it is the first or the last
/// microsecond of a millisecond, where cut times are put.
fn is_seen(files: &[&DataFile], at: i64) -> bool {
    let is_of = |file: &DataFile| {
        file.times
            .is_some_and(|(least, greatest)| at == least || at == greatest)
    };
    !matches!(at.rem_euclid(1000), 0 | 999) && files.iter().any(|file| is_of(file))
}

/// A number that is known, or nothing.
fn exact(number: Option<u64>) -> Precision<usize> {
    number
        .and_then(|number| usize::try_from(number).ok())
        .map_or(Precision::Absent, Precision::Exact)
}
