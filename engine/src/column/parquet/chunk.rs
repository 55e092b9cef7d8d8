//! Levels and encoded values in, the bytes of one Parquet column chunk out: pages, their
//! compression, statistics and indexes.

use std::io::Write;

use bytes::Bytes;
use datafusion::parquet::{
    basic::{BoundaryOrder, Compression, Encoding, PageType, Type, ZstdLevel},
    bloom_filter::Sbbf,
    column::{
        page::{CompressedPage, Page, PageWriter},
        writer::ColumnCloseResult,
    },
    data_type::ByteArray,
    errors::{ParquetError, Result},
    file::{
        metadata::{
            ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
        },
        statistics::{Statistics, ValueStatistics},
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};

use crate::column::parquet::bits;

/// Longer texts are cut in statistics, as other writers do.
const LONGEST_STATISTIC: usize = 64;

/// An encoded column chunk.
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) close: ColumnCloseResult,
}

/// Compresses pages; it and its memory serve all columns in turn.
pub(super) struct Press {
    zstd: zstd::bulk::Compressor<'static>,
    page: Vec<u8>,
    compressed: Vec<u8>,
}

impl Press {
    pub(super) fn new() -> Result<Self> {
        let zstd = zstd::bulk::Compressor::new(ZstdLevel::default().compression_level())?;
        Ok(Self {
            zstd,
            page: Vec::new(),
            compressed: Vec::new(),
        })
    }
}

/// The least and the most of some values, as bytes that compare as the column's type does.
#[derive(Default, Clone)]
pub(super) struct PageBounds {
    range: Option<(Vec<u8>, Vec<u8>)>,
}

/// How the bytes of a column's values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Byte by byte: UTF-8.
    Bytes,
    Int32,
    Int64,
    Double,
    Boolean,
}

impl Order {
    pub(super) fn of(physical: Type) -> Self {
        match physical {
            Type::BOOLEAN => Self::Boolean,
            Type::INT32 => Self::Int32,
            Type::INT64 => Self::Int64,
            Type::DOUBLE => Self::Double,
            _ => Self::Bytes,
        }
    }

    fn less(self, a: &[u8], b: &[u8]) -> bool {
        match self {
            Self::Bytes | Self::Boolean => a < b,
            Self::Int32 => int32(a) < int32(b),
            Self::Int64 => int64(a) < int64(b),
            Self::Double => double(a) < double(b),
        }
    }
}

fn int32(bytes: &[u8]) -> i32 {
    bytes.try_into().map_or(0, i32::from_le_bytes)
}

fn int64(bytes: &[u8]) -> i64 {
    bytes.try_into().map_or(0, i64::from_le_bytes)
}

fn double(bytes: &[u8]) -> f64 {
    bytes.try_into().map_or(0.0, f64::from_le_bytes)
}

impl PageBounds {
    pub(super) fn add(&mut self, value: &[u8], order: Order) {
        match &mut self.range {
            None => self.range = Some((value.to_vec(), value.to_vec())),
            Some((least, most)) => {
                if order.less(value, least) {
                    value.clone_into(least);
                } else if order.less(most, value) {
                    value.clone_into(most);
                }
            }
        }
    }

    fn merge(&mut self, other: &Self, order: Order) {
        if let Some((least, most)) = &other.range {
            self.add(least, order);
            self.add(most, order);
        }
    }
}

/// One data page before it is written.
pub(super) struct DataPage<'p> {
    pub(super) rows: usize,
    /// One a value or missing value; empty when the column's maximum is 0.
    pub(super) repetition: &'p [u32],
    pub(super) definition: &'p [u32],
    pub(super) values: &'p [u8],
    pub(super) encoding: Encoding,
    /// `None`: nobody looks for the least of them.
    pub(super) bounds: Option<&'p PageBounds>,
}

/// Writes a column chunk, page after page.
pub(super) struct ChunkWriter {
    column: ColumnDescPtr,
    order: Order,
    sink: TrackedWrite<Vec<u8>>,
    dictionary_offset: Option<u64>,
    data_offset: Option<u64>,
    pages: i32,
    encoding: Encoding,
    uncompressed: usize,
    rows: u64,
    values: u64,
    nulls: u64,
    bounds: Option<PageBounds>,
    last: Option<PageBounds>,
    ascending: bool,
    column_index: ColumnIndexBuilder,
    offset_index: OffsetIndexBuilder,
}

impl ChunkWriter {
    pub(super) fn new(column: ColumnDescPtr) -> Self {
        let physical = column.physical_type();
        Self {
            order: Order::of(physical),
            column_index: ColumnIndexBuilder::new(physical),
            offset_index: OffsetIndexBuilder::new(),
            column,
            sink: TrackedWrite::new(Vec::new()),
            dictionary_offset: None,
            data_offset: None,
            pages: 0,
            encoding: Encoding::PLAIN,
            uncompressed: 0,
            rows: 0,
            values: 0,
            nulls: 0,
            bounds: Some(PageBounds::default()),
            last: None,
            ascending: true,
        }
    }

    fn write(
        &mut self,
        press: &mut Press,
        page: impl FnOnce(Bytes) -> Page,
    ) -> Result<(u64, usize)> {
        let size = press.page.len();
        if i32::try_from(size).is_err() {
            return Err(ParquetError::General(
                "a page of more than 2 GiB: a lower --max-record keeps such records out".to_owned(),
            ));
        }
        press.compressed.clear();
        press
            .compressed
            .reserve(zstd::zstd_safe::compress_bound(size));
        press
            .zstd
            .compress_to_buffer(&press.page, &mut press.compressed)?;
        let page = CompressedPage::new(page(Bytes::copy_from_slice(&press.compressed)), size);
        let spec = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.uncompressed += spec.uncompressed_size;
        Ok((spec.offset, spec.compressed_size))
    }

    /// The dictionary page; it comes first.
    pub(super) fn dictionary(
        &mut self,
        press: &mut Press,
        plain: &[u8],
        count: usize,
    ) -> Result<()> {
        press.page.clear();
        press.page.extend_from_slice(plain);
        let num_values = count as u32;
        let page = |buf| Page::DictionaryPage {
            buf,
            num_values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let (offset, _) = self.write(press, page)?;
        self.dictionary_offset = Some(offset);
        Ok(())
    }

    pub(super) fn data(&mut self, press: &mut Press, data: &DataPage<'_>) -> Result<()> {
        let (most_repetition, most_definition) = (
            self.column.max_rep_level() as u32,
            self.column.max_def_level() as u32,
        );
        press.page.clear();
        for (levels, most) in [
            (data.repetition, most_repetition),
            (data.definition, most_definition),
        ] {
            if most > 0 {
                let at = press.page.len();
                press.page.extend_from_slice(&[0; 4]);
                bits::hybrid(levels, bits::width(most), &mut press.page);
                let length = (press.page.len() - at - 4) as u32;
                press.page[at..at + 4].copy_from_slice(&length.to_le_bytes());
            }
        }
        press.page.extend_from_slice(data.values);
        let values = data.definition.len();
        let nulls = data
            .definition
            .iter()
            .filter(|level| **level < most_definition)
            .count();
        let num_values = values as u32;
        let (offset, compressed) = self.write(press, |buf| Page::DataPage {
            buf,
            num_values,
            encoding: data.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        })?;
        self.data_offset.get_or_insert(offset);
        self.encoding = data.encoding;
        self.pages += 1;
        self.rows += data.rows as u64;
        self.values += values as u64;
        self.nulls += nulls as u64;
        self.offset_index.append_row_count(data.rows as i64);
        self.offset_index
            .append_offset_and_size(offset as i64, compressed as i32);
        self.index(data.bounds, values == nulls, nulls);
        Ok(())
    }

    fn index(&mut self, bounds: Option<&PageBounds>, all_null: bool, nulls: usize) {
        let Some(bounds) = bounds else {
            self.bounds = None;
            self.column_index.to_invalid();
            return;
        };
        let range = if all_null {
            None
        } else {
            bounds.range.as_ref()
        };
        let Some((least, most)) = range else {
            self.column_index
                .append(true, Vec::new(), Vec::new(), nulls as i64);
            return;
        };
        let (least, _) = self.cut_least(least);
        let (most, _) = self.cut_most(most);
        self.column_index.append(false, least, most, nulls as i64);
        if let (Some((last_least, last_most)), Some((least, most))) = (
            self.last.as_ref().and_then(|last| last.range.as_ref()),
            range,
        ) {
            self.ascending &=
                !self.order.less(least, last_least) && !self.order.less(most, last_most);
        }
        self.last = Some(bounds.clone());
        if let Some(all) = &mut self.bounds {
            all.merge(bounds, self.order);
        }
    }

    fn cut_least(&self, value: &[u8]) -> (Vec<u8>, bool) {
        if self.order != Order::Bytes || value.len() <= LONGEST_STATISTIC {
            return (value.to_vec(), true);
        }
        let text = std::str::from_utf8(value).unwrap_or_default();
        (
            text.as_bytes()[..text.floor_char_boundary(LONGEST_STATISTIC)].to_vec(),
            false,
        )
    }

    /// A short text that is not less: the last character that can be is replaced by the next one.
    fn cut_most(&self, value: &[u8]) -> (Vec<u8>, bool) {
        if self.order != Order::Bytes || value.len() <= LONGEST_STATISTIC {
            return (value.to_vec(), true);
        }
        let text = std::str::from_utf8(value).unwrap_or_default();
        let text = &text[..text.floor_char_boundary(LONGEST_STATISTIC)];
        let next = text.char_indices().rev().find_map(|(at, last)| {
            let next = char::from_u32(u32::from(last) + 1)
                .filter(|next| next.len_utf8() == last.len_utf8())?;
            Some(format!("{}{next}", &text[..at]).into_bytes())
        });
        next.map_or_else(|| (value.to_vec(), true), |next| (next, false))
    }

    fn statistics(&self) -> Statistics {
        let nulls = Some(self.nulls);
        let range = self
            .bounds
            .as_ref()
            .and_then(|bounds| bounds.range.as_ref());
        let pair = |least: Option<&[u8]>, most: Option<&[u8]>| {
            (least.map(<[u8]>::to_vec), most.map(<[u8]>::to_vec))
        };
        let (least, most) = (
            range.map(|(least, _)| least.as_slice()),
            range.map(|(_, most)| most.as_slice()),
        );
        match self.order {
            Order::Int32 => {
                Statistics::int32(least.map(int32), most.map(int32), None, nulls, false)
            }
            Order::Int64 => {
                Statistics::int64(least.map(int64), most.map(int64), None, nulls, false)
            }
            Order::Double => {
                Statistics::double(least.map(double), most.map(double), None, nulls, false)
            }
            Order::Boolean => {
                let boolean = |bytes: &[u8]| bytes.first() == Some(&1);
                Statistics::boolean(least.map(boolean), most.map(boolean), None, nulls, false)
            }
            Order::Bytes => {
                let (mut least, mut most) = pair(least, most);
                let (mut least_exact, mut most_exact) = (least.is_some(), most.is_some());
                if let Some(value) = &mut least {
                    (*value, least_exact) = self.cut_least(value);
                }
                if let Some(value) = &mut most {
                    (*value, most_exact) = self.cut_most(value);
                }
                let values = ValueStatistics::new(
                    least.map(ByteArray::from),
                    most.map(ByteArray::from),
                    None,
                    nulls,
                    false,
                );
                Statistics::ByteArray(
                    values
                        .with_min_is_exact(least_exact)
                        .with_max_is_exact(most_exact),
                )
            }
        }
    }

    pub(super) fn finish(mut self, bloom_filter: Option<Sbbf>) -> Result<Encoded> {
        self.sink.flush()?;
        let mut encodings = vec![Encoding::RLE, self.encoding];
        let mut stats = Vec::new();
        if self.dictionary_offset.is_some() {
            encodings.push(Encoding::PLAIN);
            stats.push(PageEncodingStats {
                page_type: PageType::DICTIONARY_PAGE,
                encoding: Encoding::PLAIN,
                count: 1,
            });
        }
        stats.push(PageEncodingStats {
            page_type: PageType::DATA_PAGE,
            encoding: self.encoding,
            count: self.pages,
        });
        let compressed = self.sink.bytes_written();
        let metadata = ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_encodings(encodings)
            .set_page_encoding_stats(stats)
            .set_total_compressed_size(compressed as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.values as i64)
            .set_data_page_offset(self.data_offset.unwrap_or(0) as i64)
            .set_dictionary_page_offset(self.dictionary_offset.map(|offset| offset as i64))
            .set_statistics(self.statistics());
        let boundary = if self.ascending {
            BoundaryOrder::ASCENDING
        } else {
            BoundaryOrder::UNORDERED
        };
        self.column_index.set_boundary_order(boundary);
        let column_index = if self.column_index.valid() {
            Some(self.column_index.build()?)
        } else {
            None
        };
        let close = ColumnCloseResult {
            bytes_written: compressed as u64,
            rows_written: self.rows,
            metadata: metadata.build()?,
            bloom_filter,
            column_index,
            offset_index: Some(self.offset_index.build()),
        };
        Ok(Encoded {
            bytes: self.sink.into_inner()?.into(),
            close,
        })
    }
}
