//! One column of a row group while it fills: rows in, its encoded column chunks out, one per leaf of
//! the schema.
//!
//! The facts of the data model decide how a column is kept. Not responsible for: keeping it
//! ([`flat`](super::flat), [`nested`](super::nested)).

use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::schema::types::ColumnDescPtr;

use crate::column::parquet::chunk::{Encoded, Press};
use crate::column::parquet::flat::{BodyColumn, DistinctColumn, NumberColumn};
use crate::column::parquet::nested::{NestedLeaf, nested_map, nested_map_of_lists};
use crate::column::parquet::parts::PARTS;
use crate::column::{Fill, Row, fill};
use crate::json::Text;
use crate::schema::{ColumnDef, Storage};

/// For each part, the number of the text that each row has.
pub(super) type Parts<'p> = [&'p [u32]; PARTS.len()];

/// One column of `events`.
pub(super) struct ColumnEncoder {
    fill: Fill,
    /// Index of the part that the column is a function of.
    part: Option<usize>,
    store: ColumnStore,
}

enum ColumnStore {
    Distinct(DistinctColumn),
    Body(BodyColumn),
    Int64(NumberColumn<i64>),
    Double(NumberColumn<f64>),
    Boolean(NumberColumn<bool>),
    List(NestedLeaf),
    /// The leaves of the keys and of the values.
    Map(NestedLeaf, NestedLeaf),
}

impl ColumnEncoder {
    /// Takes the column's leaves from the schema's.
    pub(super) fn new(
        column: &ColumnDef,
        leaves: &mut impl Iterator<Item = ColumnDescPtr>,
    ) -> Result<Self> {
        let no_rule =
            || ParquetError::General(format!("no rule fills the column `{}`", column.name));
        let fill = fill(&column.name).ok_or_else(no_rule)?;
        let too_few = || ParquetError::General("the schema has too few columns".to_owned());
        let mut leaf = || leaves.next().ok_or_else(too_few);
        let is_body = column.storage == Storage::Body;
        let store = match fill {
            Fill::Json(_) | Fill::Text(_) | Fill::Made(_) if is_body => {
                ColumnStore::Body(BodyColumn::new(leaf()?))
            }
            Fill::Json(_) | Fill::Text(_) | Fill::Made(_) | Fill::Int32(_) | Fill::Date(_) => {
                ColumnStore::Distinct(DistinctColumn::new(leaf()?, column.bloom))
            }
            Fill::List(_) => ColumnStore::List(NestedLeaf::new(leaf()?)),
            Fill::Map(_) | Fill::MapOfLists(_) => {
                ColumnStore::Map(NestedLeaf::new(leaf()?), NestedLeaf::new(leaf()?))
            }
            Fill::Int64(_) | Fill::Timestamp(_) => ColumnStore::Int64(NumberColumn::new(leaf()?)),
            Fill::Float64(_) => ColumnStore::Double(NumberColumn::new(leaf()?)),
            Fill::Boolean(_) => ColumnStore::Boolean(NumberColumn::new(leaf()?)),
        };
        Ok(Self {
            fill,
            part: PARTS.iter().position(|part| *part == column.of),
            store,
        })
    }

    pub(super) const fn part(&self) -> Option<usize> {
        self.part
    }

    /// Adds a row, or, for a column that is a function of a part, a new text of that part.
    #[inline]
    pub(super) fn push(&mut self, row: &Row<'_, '_>, press: &mut Press) -> Result<()> {
        match (&mut self.store, self.fill) {
            (ColumnStore::Distinct(column), fill) => match fill {
                Fill::Text(of) => column.text(of(row)),
                Fill::Made(of) => column.bytes(of(row).as_deref().map(str::as_bytes)),
                Fill::Json(of) => column.bytes(of(row).map(|value| value.raw.as_bytes())),
                Fill::Int32(of) | Fill::Date(of) => {
                    column.bytes(
                        of(row)
                            .map(i32::to_le_bytes)
                            .as_ref()
                            .map(|bytes| &bytes[..]),
                    );
                }
                _ => return Err(differ()),
            },
            (ColumnStore::Body(column), fill) => match fill {
                Fill::Json(of) => column.push(of(row).map(|value| value.raw), press)?,
                Fill::Made(of) => column.push(of(row).as_deref(), press)?,
                Fill::Text(of) => column.push(of(row).map(Text::decode).as_deref(), press)?,
                _ => return Err(differ()),
            },
            (ColumnStore::Int64(column), Fill::Int64(of) | Fill::Timestamp(of)) => {
                column.push(of(row));
            }
            (ColumnStore::Double(column), Fill::Float64(of)) => column.push(of(row)),
            (ColumnStore::Boolean(column), Fill::Boolean(of)) => column.push(of(row)),
            (ColumnStore::List(leaf), Fill::List(of)) => leaf.list(of(row)),
            (ColumnStore::Map(keys, values), Fill::Map(of)) => nested_map(keys, values, of(row)),
            (ColumnStore::Map(keys, values), Fill::MapOfLists(of)) => {
                nested_map_of_lists(keys, values, of(row));
            }
            _ => return Err(differ()),
        }
        Ok(())
    }

    /// The encoded chunks of the column, one per leaf; the column is empty afterwards.
    pub(super) fn finish(
        &mut self,
        parts: &Parts<'_>,
        rows: usize,
        press: &mut Press,
        out: &mut Vec<Encoded>,
    ) -> Result<()> {
        let part = self.part.map(|part| parts[part]);
        let encoded = match &mut self.store {
            ColumnStore::Distinct(column) => column.finish(part, rows, press)?,
            ColumnStore::Body(column) => column.finish(press)?,
            ColumnStore::Int64(column) => column.finish(press)?,
            ColumnStore::Double(column) => column.finish(press)?,
            ColumnStore::Boolean(column) => column.finish(press)?,
            ColumnStore::List(leaf) => leaf.finish(part, rows, press)?,
            ColumnStore::Map(keys, values) => {
                out.push(keys.finish(part, rows, press)?);
                values.finish(part, rows, press)?
            }
        };
        out.push(encoded);
        Ok(())
    }
}

#[cold]
fn differ() -> ParquetError {
    ParquetError::General("a column's rule and its kind of store differ".to_owned())
}
