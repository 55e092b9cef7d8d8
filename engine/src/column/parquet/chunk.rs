//! Levels and encoded values in, the bytes of one Parquet column chunk out: compressed pages, their
//! statistics and indexes.

use std::io::Write;

use bytes::Bytes;
use datafusion::parquet::basic::{BoundaryOrder, Compression, Encoding, PageType, ZstdLevel};
use datafusion::parquet::bloom_filter::Sbbf;
use datafusion::parquet::column::page::{CompressedPage, Page, PageWriter};
use datafusion::parquet::column::writer::ColumnCloseResult;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use datafusion::parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use datafusion::parquet::schema::types::ColumnDescPtr;

use crate::column::parquet::bits;
use crate::column::parquet::page::{Order, PageBounds};

/// An encoded column chunk.
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) close: ColumnCloseResult,
}

/// Compresses pages, with the same memory for all columns in turn.
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

/// One data page before it is written.
pub(super) struct DataPage<'p> {
    pub(super) rows: usize,
    /// One per value, present or missing; empty if the column's maximum is 0.
    pub(super) repetition: &'p [u32],
    pub(super) definition: &'p [u32],
    pub(super) values: &'p [u8],
    pub(super) encoding: Encoding,
    /// `None` for bodies, which nobody compares.
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
    /// The bounds of the page before, as the index has them.
    last: Option<(Vec<u8>, Vec<u8>)>,
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
                "a page would be longer than the 2 GiB that Parquet allows".to_owned(),
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
        let range = if all_null { None } else { bounds.range() };
        let Some((least, most)) = range else {
            self.column_index
                .append(true, Vec::new(), Vec::new(), nulls as i64);
            return;
        };
        let (least, _) = self.order.cut_least(least);
        let (most, _) = self.order.cut_most(most);
        // The bounds as the index has them decide: what is cut upwards can pass what is not cut.
        if let Some((last_least, last_most)) = &self.last {
            self.ascending &=
                !self.order.less(&least, last_least) && !self.order.less(&most, last_most);
        }
        self.last = Some((least.clone(), most.clone()));
        self.column_index.append(false, least, most, nulls as i64);
        if let Some(all) = &mut self.bounds {
            all.merge(bounds, self.order);
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
            .set_statistics(self.order.statistics(self.bounds.as_ref(), self.nulls));
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
