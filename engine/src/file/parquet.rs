//! The Parquet files that auditql writes: their properties, and encoded row groups appended to them.
//!
//! The file says what any Parquet reader understands: no Arrow schema of our own, no unsigned
//! integers, strings as `STRING`, times as UTC microseconds. Not responsible for: where the rows
//! come from ([`logs`](super::logs), [`batches`](super::batches)).

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::parquet::arrow::ArrowSchemaConverter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesPtr,
};
use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::types::{ColumnPath, SchemaDescPtr};

use crate::column::parquet::{Encoded, RowGroup};
use crate::error::Result;

/// Decompressed bytes of the input that become one row group: large enough to compress well, small
/// enough to hold several.
pub(crate) const GROUP: u64 = 64 << 20;
/// Bytes of a page before compression: buffers of this size are used again, larger ones come fresh
/// from the system each time.
const PAGE: usize = 256 << 10;

/// The schema of a file with these columns.
///
/// # Errors
///
/// When Parquet has no such type.
pub(crate) fn schema_of(arrow: &Schema) -> Result<SchemaDescPtr> {
    let converter = ArrowSchemaConverter::new().with_coerce_types(true);
    Ok(Arc::new(converter.convert(arrow)?))
}

/// How the file is written. Measured in `benches/README.md`.
pub(crate) fn properties() -> WriterPropertiesPtr {
    let text = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("auditql ", env!("CARGO_PKG_VERSION")).to_owned())
        // Lists' items are called `element`, as the Parquet specification and Delta call them.
        .set_coerce_types(true)
        .set_data_page_size_limit(PAGE)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            "auditql.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        )]));
    // No two bodies are alike, and nobody looks for the least of them.
    for body in [
        "request_object",
        "response_object",
        "unknown_fields",
        "response_details",
    ] {
        properties = properties
            .set_column_dictionary_enabled(text(body), false)
            .set_column_statistics_enabled(text(body), EnabledStatistics::None);
    }
    // Ids are unique: a dictionary of them is a second copy; a bloom filter finds one without
    // reading a page.
    for id in ["audit_id", "source_offset", "event_bytes", "source_line"] {
        properties = properties.set_column_dictionary_enabled(text(id), false);
    }
    properties = properties
        .set_column_bloom_filter_enabled(text("audit_id"), true)
        .set_column_bloom_filter_max_ndv(text("audit_id"), 50_000);
    Arc::new(properties.build())
}

/// How small tables of a lake are written.
pub(crate) fn plain_properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("auditql ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_coerce_types(true)
        .build()
}

/// An encoded row group.
pub(crate) struct EncodedGroup {
    columns: Vec<Encoded>,
    pub(crate) rows: usize,
}

impl EncodedGroup {
    pub(crate) fn of(group: &mut RowGroup) -> Result<Self, ParquetError> {
        let rows = group.rows();
        Ok(Self {
            columns: group.finish()?,
            rows,
        })
    }

    pub(crate) fn append<W: Write + Send>(
        self,
        writer: &mut SerializedFileWriter<W>,
    ) -> Result<u64, ParquetError> {
        let mut target = writer.next_row_group()?;
        for column in self.columns {
            target.append_column(&column.bytes, column.close)?;
        }
        target.close()?;
        Ok(self.rows as u64)
    }
}
