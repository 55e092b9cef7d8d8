//! The encoder against the parquet crate's writer: the same generated events through both, and read
//! back with the parquet crate's reader, are the same rows; and what the encoder says of its pages
//! and chunks is true of them.

mod events;
mod index;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::{cast, concat_batches, filter_record_batch};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::file::metadata::PageIndexPolicy;
use datafusion::parquet::file::writer::SerializedFileWriter;
use proptest::prelude::*;

use crate::column::parquet::RowGroup;
use crate::column::{BatchBuilder, Row, RowOrigin};
use crate::event::{Event, ReasonCache};
use crate::file::parquet::{EncodedGroup, properties, schema_of};
use crate::schema;

/// The rows of some events, one after the other, as a collector sees them.
fn each_row(events: &[String], mut push: impl FnMut(&Row<'_, '_>)) {
    let reasons = ReasonCache::default();
    let mut offset = 0;
    for (index, text) in events.iter().enumerate() {
        let (event, _) = Event::decode(text, None).unwrap();
        let is_known = index % 3 > 0;
        let origin = RowOrigin {
            cluster: is_known.then_some("a cluster"),
            account: None,
            log_stream: is_known.then_some(if index < 20 { "one" } else { "another" }),
            format: "json",
            source_file: "memory",
            source_line: if is_known { index as i64 } else { 0 },
            source_offset: offset,
            event_bytes: text.len() as i64,
            source_id: None,
            event_hash: is_known.then_some((offset * 7919).wrapping_shl(40)),
        };
        push(&Row::new(&event, origin, &reasons));
        offset += text.len() as i64;
    }
}

/// A file by our encoder, which uses its memory again for each group.
fn ours(groups: &[Vec<String>]) -> Bytes {
    let schema = schema_of(&schema::events()).unwrap();
    let mut group = RowGroup::new(&schema).unwrap();
    let root = schema.root_schema_ptr();
    let mut writer = SerializedFileWriter::new(Vec::new(), root, properties()).unwrap();
    for events in groups {
        each_row(events, |row| group.push(row).unwrap());
        let encoded = EncodedGroup::of(&mut group).unwrap();
        encoded.append(&mut writer).unwrap();
    }
    writer.into_inner().unwrap().into()
}

fn batch_of(events: &[String]) -> RecordBatch {
    let mut builder = BatchBuilder::new(schema::events()).unwrap();
    each_row(events, |row| builder.push(row).unwrap());
    builder.finish().unwrap()
}

/// A file by the parquet crate's writer.
fn theirs(batches: &[RecordBatch]) -> Bytes {
    let properties = Arc::unwrap_or_clone(properties());
    let mut writer = ArrowWriter::try_new(Vec::new(), schema::events(), Some(properties)).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
        writer.flush().unwrap();
    }
    writer.into_inner().unwrap().into()
}

/// The rows of a file, or those of them that are selected, found by the index of pages.
fn rows_of(file: &Bytes, selection: Option<RowSelection>) -> Vec<RecordBatch> {
    let policy = match selection {
        Some(_) => PageIndexPolicy::Required,
        None => PageIndexPolicy::Skip,
    };
    let options = ArrowReaderOptions::new().with_page_index_policy(policy);
    let mut reader =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options).unwrap();
    if let Some(selection) = selection {
        reader = reader.with_row_selection(selection);
    }
    let batches = reader.build().unwrap();
    batches.map(std::result::Result::unwrap).collect()
}

/// One batch of plain types, so that rows from different paths compare.
fn plain(batches: &[RecordBatch]) -> RecordBatch {
    let all = schema::events();
    let types = all.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8View => field.as_ref().clone().with_data_type(DataType::Utf8),
        _ => field.as_ref().clone(),
    });
    let schema = Arc::new(Schema::new(types.collect::<Vec<_>>()));
    let batches = batches.iter().map(|batch| {
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type()).unwrap());
        RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
    });
    concat_batches(&schema, &batches.collect::<Vec<_>>()).unwrap()
}

fn assert_same(got: &RecordBatch, want: &RecordBatch) {
    assert_eq!(got.num_rows(), want.num_rows());
    for (index, field) in want.schema().fields().iter().enumerate() {
        let (got, want) = (got.column(index), want.column(index));
        if got != want {
            let row = (0..got.len()).find(|&row| got.slice(row, 1) != want.slice(row, 1));
            let row = row.unwrap_or(0);
            let (got, want) = (got.slice(row, 1), want.slice(row, 1));
            panic!("`{}` of row {row}: {got:?} is not {want:?}", field.name());
        }
    }
}

/// Writes the groups in both ways and compares all there is to compare; `runs` are the lengths of
/// runs of rows that are skipped and read by turns.
fn compare(groups: &[Vec<String>], runs: &[usize]) {
    let batches: Vec<RecordBatch> = groups.iter().map(|events| batch_of(events)).collect();
    let (ours, theirs) = (ours(groups), theirs(&batches));
    let want = plain(&batches);
    assert_same(&plain(&rows_of(&theirs, None)), &want);
    assert_same(&plain(&rows_of(&ours, None)), &want);
    index::check(&ours);
    let mut picked = Vec::with_capacity(want.num_rows());
    for (index, run) in runs.iter().enumerate() {
        picked.extend(std::iter::repeat_n(index % 2 == 1, *run));
    }
    picked.resize(want.num_rows(), true);
    let picked = BooleanArray::from(picked);
    let selection = RowSelection::from_filters(std::slice::from_ref(&picked));
    let want = filter_record_batch(&want, &picked).unwrap();
    assert_same(&plain(&rows_of(&ours, Some(selection))), &want);
}

/// `count` events made of these, in an order that repeats and that varies; of the marks in them,
/// `distinct` are different.
fn many(templates: &[String], count: usize, distinct: usize) -> Vec<String> {
    let event = |index: usize| {
        let template = &templates[(index / 3 + index % 2) % templates.len()];
        template.replace(events::MARK, &(index % distinct).to_string())
    };
    (0..count).map(event).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]
    #[test]
    fn events_come_back_as_the_parquet_crate_writes_them(
        templates in prop::collection::vec(events::event(), 1..6),
        sizes in prop::collection::vec(1_usize..50, 1..3),
        distinct in 1_usize..50,
        runs in prop::collection::vec(0_usize..30, 0..6),
    ) {
        let groups: Vec<_> = sizes.iter().map(|size| many(&templates, *size, distinct)).collect();
        compare(&groups, &runs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 8, ..ProptestConfig::default() })]
    #[test]
    fn groups_of_several_pages_come_back(
        templates in prop::collection::vec(events::short_event(), 1..4),
        size in prop::sample::select(vec![8191_usize, 8192, 8193, 16_384, 16_385]),
        // One value, a page of them, as many as make a dictionary just pay and not pay, all different.
        share in prop::sample::select(vec![16_385_usize, 2, 3, 1]),
        runs in prop::collection::vec(0_usize..9000, 0..5),
    ) {
        let distinct = (size / share).max(1);
        compare(&[many(&templates, size, distinct), many(&templates, 100, 100)], &runs);
    }
}

/// A text that is cut upwards can become greater than one of the next page that just need not be
/// cut: then the bounds of the pages do not ascend, although the values do.
#[test]
fn the_order_of_pages_is_that_of_their_bounds() {
    let event = |uri: &str| {
        format!(r#"{{"auditID":"a","stage":"Panic","verb":"get","requestURI":"{uri}"}}"#)
    };
    let start = "a".repeat(61);
    let (first, second) = (format!("{start}\u{d7ff}z"), format!("{start}\u{e000}"));
    assert!(first < second && second.len() == 64);
    let mut events = vec![event(&first); 8192];
    events.push(event(&second));
    compare(&[events], &[]);
}

#[test]
fn real_and_hostile_events_come_back() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data");
    let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
    let text = read("sample/audit.log") + &read("hostile/round-trip.jsonl");
    let lines = text
        .lines()
        .filter(|line| Event::decode(line, None).is_ok());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    assert!(lines.len() > 100, "{}", lines.len());
    // More than a page of rows; users and annotations repeat, and hostile events stand between.
    let all: Vec<String> = lines.iter().cycle().take(9000).cloned().collect();
    // The second group uses the memory of the first.
    compare(&[all.clone(), all], &[8000, 300, 4000]);
}
