//! The encoder against the parquet crate: rows in, the same rows through both paths out.

use std::ops::ControlFlow;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::writer::SerializedFileWriter;

use super::*;
use crate::column::parquet::RowGroup;
use crate::file::parquet::schema_of;

struct Groups {
    group: RowGroup,
    reasons: ReasonCache,
}

impl RecordSink for Groups {
    fn event(&mut self, event: &Event<'_>, location: RecordLocation, source: &EventSource<'_>) {
        let origin = location.origin(source, "memory", None);
        self.group
            .push(&Row::new(event, origin, &self.reasons))
            .unwrap();
    }

    fn reject(&mut self, _: Reject) {}
}

impl Collector for Groups {
    fn object(&mut self, _: &PlannedObject) {}

    fn hand_over(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The rows of a log, written in two row groups and read with the Parquet crate's own reader.
fn through_parquet(log: &[u8]) -> Vec<RecordBatch> {
    let parquet = schema_of(&schema::events()).unwrap();
    let mut groups = Groups {
        group: RowGroup::new(&parquet).unwrap(),
        reasons: ReasonCache::default(),
    };
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer =
        SerializedFileWriter::new(Vec::new(), parquet.root_schema_ptr(), properties).unwrap();
    // The second group uses the memory of the first.
    for _ in 0..2 {
        read(log, &USUAL, &mut groups).unwrap();
        let mut target = writer.next_row_group().unwrap();
        for column in groups.group.finish().unwrap() {
            target.append_column(&column.bytes, column.close).unwrap();
        }
        target.close().unwrap();
    }
    let bytes = bytes::Bytes::from(writer.into_inner().unwrap());
    ParquetRecordBatchReaderBuilder::try_new(bytes)
        .unwrap()
        .build()
        .unwrap()
        .map(std::result::Result::unwrap)
        .collect()
}

/// One batch of plain types, so that rows from different paths compare.
fn plain(batches: &[RecordBatch]) -> RecordBatch {
    let batch = concat_batches(&batches[0].schema(), batches).unwrap();
    let all = schema::events();
    let columns = batch
        .columns()
        .iter()
        .zip(all.fields())
        .map(|(column, field)| match field.data_type() {
            DataType::Utf8View => cast(column, &DataType::Utf8).unwrap(),
            other => cast(column, other).unwrap(),
        });
    let columns: Vec<_> = columns.collect();
    let fields: Vec<_> = all
        .fields()
        .iter()
        .zip(&columns)
        .map(|(field, column)| {
            field
                .as_ref()
                .clone()
                .with_data_type(column.data_type().clone())
        })
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

#[test]
fn the_encoded_rows_are_those_of_batches() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data");
    let Ok(sample) = std::fs::read(data.join("sample/audit.log")) else {
        return;
    };
    let hostile = std::fs::read(data.join("hostile/round-trip.jsonl")).unwrap();
    // More than a page of rows; users and annotations repeat, and the hostile events stand
    // between.
    let mut log = Vec::new();
    for _ in 0..30 {
        log.extend_from_slice(&sample);
        log.extend_from_slice(&hostile);
    }
    let want = all_batches(&log).unwrap();
    let rows: usize = want.iter().map(RecordBatch::num_rows).sum();
    assert!(rows > 8192, "{rows}");
    let twice: Vec<_> = want.iter().chain(&want).cloned().collect();
    let (got, want) = (plain(&through_parquet(&log)), plain(&twice));
    for (index, field) in want.schema().fields().iter().enumerate() {
        assert!(
            got.column(index) == want.column(index),
            "{} differs",
            field.name()
        );
    }
}
