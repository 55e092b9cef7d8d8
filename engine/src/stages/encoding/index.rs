//! What a Parquet file says of its values, held against the values: bounds that bound, counts that
//! count, pages where the index says, bloom filters that know every value.

use bytes::Bytes;
use datafusion::parquet::basic::{BoundaryOrder, Type};
use datafusion::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use datafusion::parquet::data_type::{AsBytes, DataType};
use datafusion::parquet::file::metadata::ColumnChunkMetaData;
use datafusion::parquet::file::page_index::column_index::ColumnIndexMetaData;
use datafusion::parquet::file::page_index::offset_index::OffsetIndexMetaData;
use datafusion::parquet::file::properties::ReaderProperties;
use datafusion::parquet::file::reader::{FileReader, RowGroupReader};
use datafusion::parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};

use crate::schema::{Storage, event_columns};

/// Texts in statistics are no longer than this, unless they cannot be cut.
const LONGEST: usize = 64;

/// A value in its own order.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Known {
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Bytes(Vec<u8>),
}

impl Known {
    /// From a value's bytes, as statistics and readers give them.
    fn new(physical: Type, bytes: &[u8]) -> Self {
        match physical {
            Type::BOOLEAN => Self::Boolean(bytes[0] == 1),
            Type::INT32 => Self::Integer(i32::from_le_bytes(bytes.try_into().unwrap()).into()),
            Type::INT64 => Self::Integer(i64::from_le_bytes(bytes.try_into().unwrap())),
            Type::DOUBLE => Self::Double(f64::from_le_bytes(bytes.try_into().unwrap())),
            _ => Self::Bytes(bytes.to_vec()),
        }
    }
}

/// The values of a column chunk, missing ones among them, and where each row begins.
struct Slots {
    values: Vec<Option<Known>>,
    rows: Vec<usize>,
}

fn read<T: DataType>(mut reader: ColumnReaderImpl<T>, chunk: &ColumnChunkMetaData) -> Slots {
    let (mut definition, mut repetition, mut values) = (Vec::new(), Vec::new(), Vec::new());
    reader
        .read_records(
            usize::MAX,
            Some(&mut definition),
            Some(&mut repetition),
            &mut values,
        )
        .unwrap();
    let mut values = values.iter();
    let most = chunk.column_descr().max_def_level();
    let known = |value: &T::T| Known::new(chunk.column_type(), value.as_bytes());
    let slots = definition.iter().map(|level| {
        let value = (*level == most).then(|| values.next().unwrap());
        value.map(known)
    });
    let slots: Vec<_> = slots.collect();
    let begins = |slot: &usize| repetition.get(*slot).is_none_or(|level| *level == 0);
    Slots {
        rows: (0..slots.len()).filter(begins).collect(),
        values: slots,
    }
}

fn slots(group: &dyn RowGroupReader, column: usize) -> Slots {
    let chunk = group.metadata().column(column);
    match group.get_column_reader(column).unwrap() {
        ColumnReader::BoolColumnReader(reader) => read(reader, chunk),
        ColumnReader::Int32ColumnReader(reader) => read(reader, chunk),
        ColumnReader::Int64ColumnReader(reader) => read(reader, chunk),
        ColumnReader::DoubleColumnReader(reader) => read(reader, chunk),
        ColumnReader::ByteArrayColumnReader(reader) => read(reader, chunk),
        _ => panic!(
            "{}: a type that auditql does not write",
            chunk.column_path()
        ),
    }
}

/// Holds all that the file says of itself against its values.
pub(super) fn check(file: &Bytes) {
    let properties = ReaderProperties::builder()
        .set_read_bloom_filter(true)
        .build();
    let options = ReadOptionsBuilder::new()
        .with_page_index()
        .with_reader_properties(properties)
        .build();
    let reader = SerializedFileReader::new_with_options(file.clone(), options).unwrap();
    let metadata = reader.metadata();
    let (columns, offsets) = (
        metadata.column_index().unwrap(),
        metadata.offset_index().unwrap(),
    );
    for group_index in 0..metadata.num_row_groups() {
        let group = reader.get_row_group(group_index).unwrap();
        for (column, chunk) in group.metadata().columns().iter().enumerate() {
            let slots = slots(group.as_ref(), column);
            assert_eq!(slots.rows.len() as i64, group.metadata().num_rows());
            assert_eq!(slots.values.len() as i64, chunk.num_values());
            let name = chunk.column_path().string();
            let fact = event_columns().iter().find(|fact| fact.name == name);
            let is_body = fact.is_some_and(|fact| fact.storage == Storage::Body);
            check_chunk(chunk, &slots.values, is_body);
            let pages = pages(chunk, &offsets[group_index][column], &slots);
            check_pages(chunk, &columns[group_index][column], &pages, is_body);
            let filter = group.get_column_bloom_filter(column);
            assert_eq!(
                filter.is_some(),
                fact.is_some_and(|fact| fact.bloom),
                "{name}"
            );
            for value in slots.values.iter().flatten() {
                if let (Some(filter), Known::Bytes(value)) = (filter, value) {
                    assert!(filter.check(value.as_slice()), "{name}: {value:?}");
                }
            }
        }
    }
}

/// Do these bound all of the values? Where they are said to be exact, they are among them.
fn bounds(name: &str, least: (&Known, bool), most: (&Known, bool), values: &[Option<Known>]) {
    for value in values.iter().flatten() {
        assert!(
            least.0 <= value && value <= most.0,
            "{name}: {value:?} in {least:?}, {most:?}"
        );
    }
    for (bound, is_exact) in [least, most] {
        let is_value = values.iter().flatten().any(|value| value == bound);
        assert!(is_value || !is_exact, "{name}: {bound:?} is not a value");
        if let Known::Bytes(bytes) = bound {
            assert!(std::str::from_utf8(bytes).is_ok(), "{name}: {bytes:?}");
            assert!(
                bytes.len() <= LONGEST || is_value,
                "{name}: {bytes:?} is long"
            );
        }
    }
}

fn nulls(values: &[Option<Known>]) -> u64 {
    values.iter().filter(|value| value.is_none()).count() as u64
}

fn check_chunk(chunk: &ColumnChunkMetaData, values: &[Option<Known>], is_body: bool) {
    let name = chunk.column_path().string();
    let statistics = chunk.statistics().unwrap();
    assert_eq!(statistics.null_count_opt(), Some(nulls(values)), "{name}");
    let known = |bytes: &[u8]| Known::new(chunk.column_type(), bytes);
    let least = statistics.min_bytes_opt().map(known);
    let most = statistics.max_bytes_opt().map(known);
    let has_values = values.iter().any(Option::is_some);
    assert_eq!(least.is_some(), has_values && !is_body, "{name}");
    if let (Some(least), Some(most)) = (least, most) {
        let exact = (statistics.min_is_exact(), statistics.max_is_exact());
        bounds(&name, (&least, exact.0), (&most, exact.1), values);
    }
}

/// The values of each page, by the index of their offsets; checks that the pages lie one behind the
/// other up to the end of the chunk.
fn pages<'s>(
    chunk: &ColumnChunkMetaData,
    offsets: &OffsetIndexMetaData,
    slots: &'s Slots,
) -> Vec<&'s [Option<Known>]> {
    let name = chunk.column_path().string();
    let (start, length) = chunk.byte_range();
    let pages = offsets.page_locations();
    let mut offset = chunk.data_page_offset();
    let mut values = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        assert_eq!(page.offset, offset, "{name}: page {index}");
        offset += i64::from(page.compressed_page_size);
        let from = page.first_row_index as usize;
        let end = pages
            .get(index + 1)
            .map(|next| next.first_row_index as usize);
        assert!(
            end.is_none_or(|end| end > from) && (index > 0 || from == 0),
            "{name}: page {index}"
        );
        let slot = |row: usize| slots.rows.get(row).copied().unwrap_or(slots.values.len());
        values.push(&slots.values[slot(from)..end.map_or(slots.values.len(), slot)]);
    }
    assert_eq!(offset as u64, start + length, "{name}");
    values
}

fn check_pages(
    chunk: &ColumnChunkMetaData,
    index: &ColumnIndexMetaData,
    pages: &[&[Option<Known>]],
    is_body: bool,
) {
    let name = chunk.column_path().string();
    let range = |page: usize| match index {
        ColumnIndexMetaData::BOOLEAN(index) => {
            let known = |value: &bool| Known::Boolean(*value);
            index
                .min_value(page)
                .map(known)
                .zip(index.max_value(page).map(known))
        }
        ColumnIndexMetaData::INT32(index) => {
            let known = |value: &i32| Known::Integer((*value).into());
            index
                .min_value(page)
                .map(known)
                .zip(index.max_value(page).map(known))
        }
        ColumnIndexMetaData::INT64(index) => {
            let known = |value: &i64| Known::Integer(*value);
            index
                .min_value(page)
                .map(known)
                .zip(index.max_value(page).map(known))
        }
        ColumnIndexMetaData::DOUBLE(index) => {
            let known = |value: &f64| Known::Double(*value);
            index
                .min_value(page)
                .map(known)
                .zip(index.max_value(page).map(known))
        }
        ColumnIndexMetaData::BYTE_ARRAY(index) => {
            let known = |value: &[u8]| Known::Bytes(value.to_vec());
            index
                .min_value(page)
                .map(known)
                .zip(index.max_value(page).map(known))
        }
        _ => None,
    };
    assert_eq!(
        matches!(index, ColumnIndexMetaData::NONE),
        is_body,
        "{name}"
    );
    if is_body {
        return;
    }
    assert_eq!(index.num_pages(), pages.len() as u64, "{name}");
    let mut last: Option<(Known, Known)> = None;
    for (page, values) in pages.iter().enumerate() {
        let nulls = nulls(values);
        assert_eq!(
            index.null_count(page),
            Some(nulls as i64),
            "{name}: page {page}"
        );
        assert_eq!(
            index.is_null_page(page),
            nulls == values.len() as u64,
            "{name}: page {page}"
        );
        let Some((least, most)) = range(page) else {
            continue;
        };
        bounds(&name, (&least, false), (&most, false), values);
        if index.get_boundary_order() == Some(BoundaryOrder::ASCENDING)
            && let Some((last_least, last_most)) = &last
        {
            assert!(
                *last_least <= least && *last_most <= most,
                "{name}: page {page}"
            );
        }
        last = Some((least, most));
    }
}
