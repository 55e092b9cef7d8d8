//! The distinct values of one leaf of the schema, and their column chunk: values in, numbers out
//! while a row group fills; pages of those numbers, or of the values where a dictionary would not
//! pay, when it is full.
//!
//! Not responsible for: which value belongs to which row ([`flat`](super::flat),
//! [`nested`](super::nested)).

use std::sync::Arc;

use datafusion::parquet::basic::Encoding;
use datafusion::parquet::bloom_filter::Sbbf;
use datafusion::parquet::errors::Result;
use datafusion::parquet::schema::types::ColumnDescPtr;

use crate::column::parquet::bits;
use crate::column::parquet::chunk::{ChunkWriter, DataPage, Encoded, Press};
use crate::column::parquet::dictionary::Dictionary;
use crate::column::parquet::page::{Order, PageBounds};
use crate::json::Text;

/// Rows of a page: what a reader saves that prunes one.
pub(super) const PAGE_ROWS: usize = 8192;
/// Values of a page of lists, which may hold many in a row.
const PAGE_VALUES: usize = 8 * PAGE_ROWS;
/// Share of absent values that the bloom filter does not exclude: one row group in twenty is read in
/// vain.
const FALSE_POSITIVES: f64 = 0.05;

/// The distinct values of a leaf of the schema.
pub(super) struct Leaf {
    column: ColumnDescPtr,
    pub(super) dictionary: Dictionary,
    order: Order,
}

/// The levels of a whole column chunk.
pub(super) struct NestingLevels<'l> {
    pub(super) rows: usize,
    /// After which value each row ends; `None` for one a row.
    pub(super) row_ends: Option<&'l [usize]>,
    pub(super) repetition: &'l [u32],
    pub(super) definition: &'l [u32],
}

impl Leaf {
    pub(super) fn new(column: ColumnDescPtr) -> Self {
        let order = Order::of(column.physical_type());
        Self {
            dictionary: Dictionary::new(order != Order::Bytes),
            order,
            column,
        }
    }

    /// 1 + the number of a value; `last` is that of the row before.
    #[inline]
    pub(super) fn value(&mut self, value: &[u8], last: u32) -> u32 {
        if last > 0 && self.dictionary.value(last - 1) == value {
            return last;
        }
        self.dictionary.intern(value) + 1
    }

    #[inline]
    pub(super) fn text(&mut self, text: Text<'_>, last: u32) -> u32 {
        match text.plain() {
            Some(plain) => self.value(plain.as_bytes(), last),
            None => self.value(text.decode().as_bytes(), last),
        }
    }

    /// A bloom filter of the distinct values.
    pub(super) fn bloom(&self) -> Result<Sbbf> {
        let mut filter =
            Sbbf::new_with_ndv_fpp(self.dictionary.len().max(1) as u64, FALSE_POSITIVES)?;
        (0..self.dictionary.len() as u32)
            .for_each(|index| filter.insert(self.dictionary.value(index)));
        Ok(filter)
    }

    /// The column chunk of these values, which are numbers of the dictionary.
    pub(super) fn write(
        &self,
        levels: &NestingLevels<'_>,
        values: &[u32],
        bloom: Option<Sbbf>,
        press: &mut Press,
    ) -> Result<Encoded> {
        let mut writer = ChunkWriter::new(Arc::clone(&self.column));
        let distinct = self.dictionary.len();
        // A dictionary of values that hardly repeat is a second copy of them.
        let by_number = distinct > 0 && distinct * 2 <= values.len();
        if by_number {
            writer.dictionary(press, self.dictionary.plain(), distinct)?;
        }
        let most = self.column.max_def_level() as u32;
        let (mut row, mut slot, mut value) = (0, 0, 0);
        let mut page = Vec::new();
        let mut seen = vec![0_u32; distinct];
        let mut number = 0;
        while row < levels.rows {
            let mut end_row = levels.rows.min(row + PAGE_ROWS);
            if let Some(ends) = levels.row_ends {
                end_row = row
                    + ends[row..end_row]
                        .partition_point(|end| *end <= slot + PAGE_VALUES)
                        .max(1);
            }
            let end_slot = levels.row_ends.map_or(end_row, |ends| ends[end_row - 1]);
            let definition = &levels.definition[slot..end_slot];
            let end_value = value + definition.iter().filter(|level| **level == most).count();
            let values = &values[value..end_value];
            page.clear();
            if by_number {
                let width = bits::width(distinct as u32 - 1);
                page.push(width);
                bits::hybrid(values, width, &mut page);
            } else {
                values
                    .iter()
                    .for_each(|value| page.extend_from_slice(self.dictionary.plain_value(*value)));
            }
            number += 1;
            let data = DataPage {
                rows: end_row - row,
                repetition: if levels.repetition.is_empty() {
                    &[]
                } else {
                    &levels.repetition[slot..end_slot]
                },
                definition,
                values: &page,
                encoding: if by_number {
                    Encoding::RLE_DICTIONARY
                } else {
                    Encoding::PLAIN
                },
                bounds: Some(&self.bounds(values, number, &mut seen)),
            };
            writer.data(press, &data)?;
            (row, slot, value) = (end_row, end_slot, end_value);
        }
        writer.finish(bloom)
    }

    /// Each distinct value of a page is looked at once: `seen` notes the page that had it last.
    fn bounds(&self, values: &[u32], page: u32, seen: &mut [u32]) -> PageBounds {
        let mut bounds = PageBounds::default();
        for &value in values {
            let seen = &mut seen[value as usize];
            if *seen != page {
                *seen = page;
                bounds.add(self.dictionary.value(value), self.order);
            }
        }
        bounds
    }
}
