//! A row of a saved query in, a finding out: its sentence, its severity, when, by whom, the lines
//! behind it, and a fingerprint by which it is known again.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use sha2::{Digest, Sha256};

use super::lines::{EvidenceLine, LinesBehind};
use super::trace::LINES;
use super::values::{brief, micros, whole};
use crate::error::{ErrorKind, Result};
use crate::query::SavedQuery;
use crate::query::Severity;

/// Columns that say who was behind a row, the best first.
const PRINCIPALS: [&str; 3] = ["principal", "actor", "username"];
/// Bytes of the hash that a fingerprint shows.
const FINGERPRINT: usize = 16;

/// Something that a saved query found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The query.
    pub query: &'static SavedQuery,
    /// How bad it is: as the row says, else as the query does.
    pub severity: Severity,
    /// What was found, as a sentence. It holds text of the log, which can be hostile.
    pub message: String,
    /// When it was last seen, in microseconds since the epoch.
    pub time: Option<i64>,
    /// Who did it.
    pub principal: Option<String>,
    /// The first lines that it rests on.
    pub evidence: Vec<EvidenceLine>,
    /// How many there are.
    pub evidence_total: u64,
    /// The same whenever and wherever the query finds this again.
    pub fingerprint: String,
    /// The row itself.
    pub row: FindingRow,
}

/// A row of a batch that its findings share.
#[derive(Debug, Clone)]
pub struct FindingRow {
    /// The batch, with the columns of the query.
    pub batch: Arc<RecordBatch>,
    /// Which of its rows.
    pub index: usize,
}

/// A batch of a traced query, as findings.
pub(crate) struct FindingRows {
    query: &'static SavedQuery,
    batch: Arc<RecordBatch>,
    lines: ArrayRef,
}

impl FindingRows {
    /// Takes the column of the lines off.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) fn new(query: &'static SavedQuery, mut batch: RecordBatch) -> Result<Self> {
        let column = batch.schema().index_of(LINES);
        let column = column.map_err(|error| ErrorKind::Internal(error.to_string()))?;
        let lines = batch.remove_column(column);
        Ok(Self {
            query,
            batch: Arc::new(batch),
            lines,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// The severity of a row.
    pub(crate) fn severity(&self, row: usize) -> Severity {
        let said = self.value("severity", row);
        let said = said.and_then(|name| Severity::from_name(&name));
        said.unwrap_or(self.query.header.severity)
    }

    pub(crate) fn finding(&self, row: usize) -> Finding {
        let lines = self.lines_behind(row);
        let total = lines.total();
        let evidence = lines.into_first();
        let message = self.query.header.message.render(|name| {
            let column = self.batch.column_by_name(name)?;
            brief(column, row)
        });
        let seen = evidence
            .iter()
            .filter_map(|line| line.stage_timestamp)
            .max();
        Finding {
            query: self.query,
            severity: self.severity(row),
            message: if message.is_empty() {
                self.query.header.title.clone()
            } else {
                message
            },
            time: self.time(row).or(seen),
            principal: PRINCIPALS.iter().find_map(|name| self.value(name, row)),
            evidence,
            evidence_total: total,
            fingerprint: self.fingerprint(row),
            row: FindingRow {
                batch: Arc::clone(&self.batch),
                index: row,
            },
        }
    }

    fn lines_behind(&self, row: usize) -> LinesBehind {
        let encoded = self.lines.as_binary_opt::<i32>();
        let encoded = encoded.filter(|lines| lines.is_valid(row));
        let lines = encoded.and_then(|lines| LinesBehind::decode(lines.value(row)));
        lines.unwrap_or_default()
    }

    fn value(&self, name: &str, row: usize) -> Option<String> {
        whole(self.batch.column_by_name(name)?, row)
    }

    /// The time of the event, or the last of the times in the row.
    fn time(&self, row: usize) -> Option<i64> {
        let of_event = self.batch.column_by_name("stage_timestamp");
        let of_event = of_event.and_then(|times| micros(times, row));
        of_event.or_else(|| {
            let columns = self.batch.columns().iter();
            columns.filter_map(|column| micros(column, row)).max()
        })
    }

    /// A hash of the query and of what tells its findings apart.
    fn fingerprint(&self, row: usize) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: Option<&str>| {
            // With its length, so that no two lists of values are one text.
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_le_bytes());
            hash.update(text.unwrap_or_default());
        };
        add(Some(&self.query.id));
        for name in &self.query.header.columns.key {
            add(Some(name));
            add(self.value(name, row).as_deref());
        }
        hex::encode(&hash.finalize()[..FINGERPRINT])
    }
}
