//! One row group while it fills: rows in, its encoded column chunks out.

use datafusion::parquet::errors::Result;
use datafusion::parquet::schema::types::SchemaDescPtr;

use super::chunk::{Encoded, Press};
use super::column::{ColumnEncoder, Parts};
use super::dictionary::Dictionary;
use super::parts::{PARTS, PartMemo};
use crate::column::Row;
use crate::schema::event_columns;

/// The columns of one row group while it fills.
pub(crate) struct RowGroup {
    columns: Vec<ColumnEncoder>,
    parts: [PartMemo; PARTS.len()],
    press: Press,
    rows: usize,
    /// Bytes of the events, as they lay in the log.
    bytes: u64,
    text: Vec<u8>,
}

impl RowGroup {
    /// An empty group of the columns of `events` that the file's `schema` has, in their order.
    pub(crate) fn new(schema: &SchemaDescPtr) -> Result<Self> {
        let mut leaves = schema.columns().iter().cloned();
        let names: Vec<&str> = schema
            .root_schema()
            .get_fields()
            .iter()
            .map(|field| field.name())
            .collect();
        let columns = event_columns()
            .iter()
            .filter(|column| names.contains(&column.name.as_str()))
            .map(|column| ColumnEncoder::new(column, &mut leaves))
            .collect::<Result<_>>()?;
        let memo = || PartMemo {
            texts: Dictionary::new(false),
            rows: Vec::new(),
            last: None,
        };
        Ok(Self {
            columns,
            parts: [memo(), memo(), memo(), memo()],
            press: Press::new()?,
            rows: 0,
            bytes: 0,
            text: Vec::new(),
        })
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Decompressed bytes of the log that the rows are from.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: &Row<'_, '_>) -> Result<()> {
        let mut fresh = [false; PARTS.len()];
        for ((memo, part), fresh) in self.parts.iter_mut().zip(PARTS).zip(&mut fresh) {
            *fresh = memo.row(part, row, &mut self.text);
        }
        for column in &mut self.columns {
            if column.part().is_none_or(|part| fresh[part]) {
                column.push(row, &mut self.press)?;
            }
        }
        self.rows += 1;
        self.bytes += row.origin.event_bytes as u64;
        Ok(())
    }

    /// The group, encoded; the columns are empty afterwards, and keep their memory.
    pub(crate) fn finish(&mut self) -> Result<Vec<Encoded>> {
        let parts: Parts<'_> = self.parts.each_ref().map(|memo| memo.rows.as_slice());
        let mut encoded = Vec::with_capacity(self.columns.len() + 8);
        for column in &mut self.columns {
            column.finish(&parts, self.rows, &mut self.press, &mut encoded)?;
        }
        for memo in &mut self.parts {
            memo.texts.clear();
            memo.rows.clear();
            memo.last = None;
        }
        (self.rows, self.bytes) = (0, 0);
        Ok(encoded)
    }
}
