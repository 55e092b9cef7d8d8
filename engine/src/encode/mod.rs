//! Events in, an encoded Parquet row group out, without Arrow arrays in between.
//!
//! Most columns of an event say again what an earlier event said. So a column is kept as numbers
//! into a [`Dictionary`] of its distinct values; and what is a function of one part of the event,
//! as sixteen columns are of its `user`, is worked out once for each distinct text of that part
//! ([`Part`]), and afterwards costs one look-up for all of them. Bodies go straight into pages.
//!
//! [`Plan`] is made once a file, [`RowGroup`] is one thread's, and used again for the next group.
//! Not responsible for: what a column holds (`batch/`), the file around the row groups
//! (`convert/`).

mod bits;
mod chunk;
mod column;
mod dictionary;

use datafusion::parquet::{errors::Result, schema::types::SchemaDescPtr};

pub(crate) use chunk::Encoded;
use chunk::Press;
use column::{Column, Parts};
use dictionary::Dictionary;

use crate::batch::{COLUMNS, Part, Row};

/// The parts whose distinct texts are kept.
const PARTS: [Part; 4] = [Part::User, Part::SourceIps, Part::Annotations, Part::Input];

/// The columns of one row group while it fills.
pub(crate) struct RowGroup {
    columns: Vec<Column>,
    parts: [Memo; PARTS.len()],
    press: Press,
    rows: usize,
    /// Bytes of the events, as they lay in the log.
    bytes: u64,
    text: Vec<u8>,
}

/// The distinct texts of a part, and which of them each row has.
struct Memo {
    texts: Dictionary,
    rows: Vec<u32>,
    last: Option<u32>,
}

impl RowGroup {
    /// An empty group of the columns of `events` that the file's `schema` has, in their order.
    pub(crate) fn new(schema: &SchemaDescPtr) -> Result<Self> {
        let mut leaves = schema.columns().iter().cloned();
        let names: Vec<&str> = schema
            .root_schema()
            .get_fields()
            .iter()
            .map(|field| field.name())
            .collect();
        let rules = COLUMNS.iter().filter(|rule| names.contains(&rule.name));
        let columns = rules
            .map(|rule| Column::new(rule, &mut leaves))
            .collect::<Result<_>>()?;
        let memo = || Memo {
            texts: Dictionary::new(false),
            rows: Vec::new(),
            last: None,
        };
        Ok(Self {
            columns,
            parts: [memo(), memo(), memo(), memo()],
            press: Press::new()?,
            rows: 0,
            bytes: 0,
            text: Vec::new(),
        })
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Decompressed bytes of the log that the rows are from.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: &Row<'_, '_>) -> Result<()> {
        let mut fresh = [false; PARTS.len()];
        for ((memo, part), fresh) in self.parts.iter_mut().zip(PARTS).zip(&mut fresh) {
            *fresh = memo.row(part, row, &mut self.text);
        }
        for column in &mut self.columns {
            if column.part().is_none_or(|part| fresh[part]) {
                column.push(row, &mut self.press)?;
            }
        }
        self.rows += 1;
        self.bytes += row.origin.event_bytes as u64;
        Ok(())
    }

    /// The group, encoded; the columns are empty afterwards, and keep their memory.
    pub(crate) fn finish(&mut self) -> Result<Vec<Encoded>> {
        let parts: Parts<'_> = self.parts.each_ref().map(|memo| memo.rows.as_slice());
        let mut encoded = Vec::with_capacity(self.columns.len() + 8);
        for column in &mut self.columns {
            column.finish(&parts, self.rows, &mut self.press, &mut encoded)?;
        }
        for memo in &mut self.parts {
            memo.texts.clear();
            memo.rows.clear();
            memo.last = None;
        }
        (self.rows, self.bytes) = (0, 0);
        Ok(encoded)
    }
}

impl Memo {
    /// Notes the text of the row's part; is it new?
    fn row(&mut self, part: Part, row: &Row<'_, '_>, text: &mut Vec<u8>) -> bool {
        text.clear();
        part.text(row, text);
        if let Some(last) = self.last
            && self.texts.value(last) == text.as_slice()
        {
            self.rows.push(last);
            return false;
        }
        let known = self.texts.len();
        let index = self.texts.intern(text);
        self.rows.push(index);
        self.last = Some(index);
        self.texts.len() > known
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::{
        arrow::{
            array::RecordBatch,
            compute::{cast, concat_batches},
            datatypes::{DataType, Schema},
        },
        parquet::{
            arrow::{ArrowSchemaConverter, arrow_reader::ParquetRecordBatchReaderBuilder},
            file::{properties::WriterProperties, writer::SerializedFileWriter},
        },
    };

    use super::*;
    use crate::{
        event::{Event, ReasonCache},
        scan::{
            records::{Place, Sink, Source},
            report::Reject,
        },
        schema, stages,
    };

    struct Groups {
        group: RowGroup,
        reasons: ReasonCache,
    }

    impl Sink for Groups {
        fn event(&mut self, event: &Event<'_>, place: Place, source: &Source<'_>) {
            let origin = place.origin(source, "memory", None);
            self.group
                .push(&Row::new(event, origin, &self.reasons))
                .unwrap();
        }

        fn reject(&mut self, _: Reject) {}
    }

    /// The rows of a log, written in two row groups and read with the Parquet crate's own reader.
    fn through_parquet(log: &[u8]) -> Vec<RecordBatch> {
        let parquet = Arc::new(
            ArrowSchemaConverter::new()
                .with_coerce_types(true)
                .convert(&schema::events())
                .unwrap(),
        );
        let mut groups = Groups {
            group: RowGroup::new(&parquet).unwrap(),
            reasons: ReasonCache::default(),
        };
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer =
            SerializedFileWriter::new(Vec::new(), parquet.root_schema_ptr(), properties).unwrap();
        // The second group uses the memory of the first.
        for _ in 0..2 {
            stages::read_into(log, &mut groups);
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
            .map(Result::unwrap)
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
        let want = stages::all_batches(&log).unwrap();
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
}
