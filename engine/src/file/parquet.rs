//! The Parquet files that auditql writes: encoded row groups in, appended to a file, out; with the
//! properties of these files.
//!
//! Any Parquet reader understands them: no Arrow schema of our own, no unsigned integers, strings as
//! `STRING`, times as UTC microseconds. Not responsible for: where the rows
//! come from ([`logs`](super::logs), [`batches`](super::batches)).

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::parquet::arrow::ArrowSchemaConverter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterPropertiesPtr,
};
use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::types::{ColumnPath, SchemaDescPtr};

use crate::column::parquet::{Encoded, RowGroup};
use crate::error::Result;
use crate::schema::{self, Storage};

/// Decompressed bytes of the input that become one row group: large enough to compress well, small
/// enough to hold several.
pub(crate) const GROUP: u64 = 64 << 20;
/// Bytes of a page before compression: the allocator keeps buffers of this size, and asks the system
/// for larger ones each time.
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

/// Rows of a row group that the parquet crate makes bloom filters for.
const ROWS: u64 = 50_000;

/// How a file of events is written. Measured in `benches/README.md`.
pub(crate) fn properties() -> WriterPropertiesPtr {
    Arc::new(properties_for(ROWS).build())
}

/// The same, for row groups of up to `rows` rows.
pub(crate) fn properties_for(rows: u64) -> WriterPropertiesBuilder {
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
    for column in schema::event_columns() {
        let path = || ColumnPath::from(column.name.as_str());
        if column.storage != Storage::Repeated {
            properties = properties.set_column_dictionary_enabled(path(), false);
        }
        if column.storage == Storage::Body {
            properties = properties.set_column_statistics_enabled(path(), EnabledStatistics::None);
        }
        if column.bloom {
            properties = properties
                .set_column_bloom_filter_enabled(path(), true)
                .set_column_bloom_filter_max_ndv(path(), rows);
        }
    }
    properties
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
