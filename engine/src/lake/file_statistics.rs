//! What Delta's log says of a data file: its day, the number of its rows, and the bounds of their
//! times.

use serde_json::{Map, Value, json};

use crate::time::{MICROS_A_DAY, format_time};

/// A UTC day, in days since the epoch; `None` for rows without a time.
pub(crate) type Day = Option<i32>;

/// Least and greatest of the times of rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TimeRange(pub(crate) Option<(i64, i64)>);

impl TimeRange {
    pub(crate) fn add(&mut self, micros: Option<i64>) {
        if let Some(micros) = micros {
            self.0 = Some(self.0.map_or((micros, micros), |(first, last)| {
                (first.min(micros), last.max(micros))
            }));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if let Some((first, last)) = other.0 {
            self.add(Some(first));
            self.add(Some(last));
        }
    }
}

/// What Delta's log says of the rows of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FileStatistics {
    pub(crate) rows: u64,
    /// Of `stage_timestamp`.
    pub(crate) staged: TimeRange,
    /// Of `request_received_timestamp`.
    pub(crate) received: TimeRange,
}

impl FileStatistics {
    pub(crate) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.staged.merge(other.staged);
        self.received.merge(other.received);
    }

    /// As Delta's log has it (PROTOCOL.md, "Per-file Statistics").
    pub(crate) fn json(&self) -> String {
        let bound = |which: fn((i64, i64)) -> i64| {
            let mut bounds = Map::new();
            for (name, range) in [
                ("stage_timestamp", self.staged),
                ("request_received_timestamp", self.received),
            ] {
                if let Some(range) = range.0 {
                    bounds.insert(name.to_owned(), Value::String(format_time(which(range))));
                }
            }
            bounds
        };
        json!({"numRecords": self.rows, "minValues": bound(|range| range.0), "maxValues": bound(|range| range.1), "nullCount": {}})
            .to_string()
    }
}

/// The folder of a day, as Hive names it.
pub(crate) fn folder_of(day: Day) -> String {
    format!(
        "date={}",
        day.map_or_else(|| "__HIVE_DEFAULT_PARTITION__".to_owned(), date_text)
    )
}

/// `2026-11-01`.
pub(crate) fn date_text(day: i32) -> String {
    let mut text = format_time(i64::from(day) * MICROS_A_DAY);
    text.truncate(text.len().min(text.find('T').unwrap_or(10)));
    text
}
