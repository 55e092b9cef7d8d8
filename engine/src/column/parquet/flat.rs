//! Columns with one value per row: values in, column chunks out.
//!
//! Repeated values become numbers of a dictionary, bodies go straight into pages, and numbers wait
//! as they are until the row group is full.

use std::sync::Arc;

use datafusion::parquet::basic::Encoding;
use datafusion::parquet::errors::Result;
use datafusion::parquet::schema::types::ColumnDescPtr;

use crate::column::parquet::bits;
use crate::column::parquet::chunk::{ChunkWriter, DataPage, Encoded, Press};
use crate::column::parquet::leaf::{Leaf, NestingLevels, PAGE_ROWS};
use crate::column::parquet::page::{Order, PageBounds};
use crate::json::Text;

/// Bytes of a page of bodies, before compression.
const PAGE_BYTES: usize = 256 << 10;

/// Numbers of distinct values: one per row or, if the column is a function of a part, one per text of
/// that part; 0 is NULL.
pub(super) struct DistinctColumn {
    leaf: Leaf,
    keys: Vec<u32>,
    last: u32,
    bloom: bool,
}

impl DistinctColumn {
    pub(super) fn new(column: ColumnDescPtr, bloom: bool) -> Self {
        Self {
            leaf: Leaf::new(column),
            keys: Vec::new(),
            last: 0,
            bloom,
        }
    }

    #[inline]
    pub(super) fn text(&mut self, text: Option<Text<'_>>) {
        let key = text.map(|text| self.leaf.text(text, self.last));
        self.key(key);
    }

    #[inline]
    pub(super) fn bytes(&mut self, value: Option<&[u8]>) {
        let key = value.map(|value| self.leaf.value(value, self.last));
        self.key(key);
    }

    #[inline]
    fn key(&mut self, key: Option<u32>) {
        if let Some(key) = key {
            self.last = key;
        }
        self.keys.push(key.unwrap_or(0));
    }

    pub(super) fn finish(
        &mut self,
        part: Option<&[u32]>,
        rows: usize,
        press: &mut Press,
    ) -> Result<Encoded> {
        let of_rows: Vec<u32> = match part {
            Some(part) => part.iter().map(|text| self.keys[*text as usize]).collect(),
            None => std::mem::take(&mut self.keys),
        };
        let definition: Vec<u32> = of_rows.iter().map(|key| u32::from(*key > 0)).collect();
        let present: Vec<u32> = of_rows
            .iter()
            .filter(|key| **key > 0)
            .map(|key| key - 1)
            .collect();
        let filter = self.bloom.then(|| self.leaf.bloom()).transpose()?;
        let levels = NestingLevels {
            rows,
            row_ends: None,
            repetition: &[],
            definition: &definition,
        };
        let encoded = self.leaf.write(&levels, &present, filter, press)?;
        self.leaf.dictionary.clear();
        // The next group uses the memory again.
        if part.is_none() {
            self.keys = of_rows;
        }
        self.keys.clear();
        self.last = 0;
        Ok(encoded)
    }
}

/// Bodies, a page at a time.
pub(super) struct BodyColumn {
    column: ColumnDescPtr,
    writer: Box<ChunkWriter>,
    page: Vec<u8>,
    definition: Vec<u32>,
}

impl BodyColumn {
    pub(super) fn new(column: ColumnDescPtr) -> Self {
        debug_assert_eq!(column.max_def_level(), 1);
        Self {
            writer: Box::new(ChunkWriter::new(Arc::clone(&column))),
            column,
            page: Vec::new(),
            definition: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, text: Option<&str>, press: &mut Press) -> Result<()> {
        if let Some(text) = text {
            self.page
                .extend_from_slice(&(text.len() as u32).to_le_bytes());
            self.page.extend_from_slice(text.as_bytes());
        }
        self.definition.push(u32::from(text.is_some()));
        if self.page.len() >= PAGE_BYTES || self.definition.len() >= PAGE_ROWS {
            self.write_page(press)?;
        }
        Ok(())
    }

    fn write_page(&mut self, press: &mut Press) -> Result<()> {
        let data = DataPage {
            rows: self.definition.len(),
            repetition: &[],
            definition: &self.definition,
            values: &self.page,
            encoding: Encoding::PLAIN,
            bounds: None,
        };
        self.writer.data(press, &data)?;
        self.page.clear();
        self.definition.clear();
        Ok(())
    }

    pub(super) fn finish(&mut self, press: &mut Press) -> Result<Encoded> {
        if !self.definition.is_empty() {
            self.write_page(press)?;
        }
        let next = ChunkWriter::new(Arc::clone(&self.column));
        std::mem::replace(&mut *self.writer, next).finish(None)
    }
}

/// Numbers or booleans, as they are.
pub(super) struct NumberColumn<T> {
    column: ColumnDescPtr,
    values: Vec<T>,
    definition: Vec<u32>,
}

impl<T> NumberColumn<T> {
    pub(super) fn new(column: ColumnDescPtr) -> Self {
        Self {
            column,
            values: Vec::new(),
            definition: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, value: Option<T>) {
        self.definition.push(u32::from(value.is_some()));
        self.values.extend(value);
    }

    /// The column chunk; `encode` appends the values of a page to it and gives their bounds.
    fn write(
        &mut self,
        encoding: Encoding,
        press: &mut Press,
        encode: impl Fn(&[T], &mut Vec<u8>) -> PageBounds,
    ) -> Result<Encoded> {
        let mut writer = ChunkWriter::new(Arc::clone(&self.column));
        let (mut page, mut rest) = (Vec::new(), self.values.as_slice());
        for definition in self.definition.chunks(PAGE_ROWS) {
            let present = definition.iter().sum::<u32>() as usize;
            let (now, later) = rest.split_at(present);
            rest = later;
            page.clear();
            let bounds = encode(now, &mut page);
            let data = DataPage {
                rows: definition.len(),
                repetition: &[],
                definition,
                values: &page,
                encoding,
                bounds: Some(&bounds),
            };
            writer.data(press, &data)?;
        }
        self.values.clear();
        self.definition.clear();
        writer.finish(None)
    }
}

impl NumberColumn<i64> {
    pub(super) fn finish(&mut self, press: &mut Press) -> Result<Encoded> {
        self.write(Encoding::DELTA_BINARY_PACKED, press, |values, page| {
            bits::delta(values, page);
            let ends = values.iter().min().into_iter().chain(values.iter().max());
            PageBounds::of(ends.map(|value| value.to_le_bytes()), Order::Int64)
        })
    }
}

impl NumberColumn<f64> {
    pub(super) fn finish(&mut self, press: &mut Press) -> Result<Encoded> {
        self.write(Encoding::PLAIN, press, |values, page| {
            let values = values.iter().map(|value| value.to_le_bytes());
            values
                .clone()
                .for_each(|value| page.extend_from_slice(&value));
            PageBounds::of(values, Order::Double)
        })
    }
}

impl NumberColumn<bool> {
    pub(super) fn finish(&mut self, press: &mut Press) -> Result<Encoded> {
        self.write(Encoding::PLAIN, press, |values, page| {
            bits::booleans(values.iter().copied(), page);
            let values = values.iter().map(|value| [u8::from(*value)]);
            PageBounds::of(values, Order::Boolean)
        })
    }
}
