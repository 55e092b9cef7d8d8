//! Batches in, one Parquet file out: for inputs that are Parquet, or partly so.
//!
//! One thread encodes, through the parquet crate's own writer.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::arrow_writer::{
    ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use futures::{Stream, StreamExt};

use super::parquet::{GROUP, properties, schema_of};
use crate::error::Result;
use crate::schema;

/// Writes batches of all columns of `events` to a Parquet file; returns the number of rows.
///
/// # Errors
///
/// When a batch is an error, or the file cannot be written.
pub(crate) async fn write_batches<W: Write + Send>(
    batches: impl Stream<Item = Result<RecordBatch>>,
    out: W,
) -> Result<u64> {
    let root = schema_of(&schema::events())?.root_schema_ptr();
    let mut writer = SerializedFileWriter::new(out, root, properties())?;
    let factory = ArrowRowGroupWriterFactory::new(&writer, schema::events());
    let (mut group, mut bytes, mut rows) = (ArrowGroup::new(&factory)?, 0, 0);
    let mut batches = std::pin::pin!(batches);
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        bytes += get_record_batch_memory_size(&batch) as u64;
        group.write(&batch)?;
        if bytes >= GROUP {
            let full = std::mem::replace(&mut group, ArrowGroup::new(&factory)?);
            rows += full.append(&mut writer)?;
            bytes = 0;
        }
    }
    if group.rows > 0 {
        rows += group.append(&mut writer)?;
    }
    writer.finish()?;
    Ok(rows)
}

/// A row group of batches while it is encoded.
struct ArrowGroup {
    columns: Vec<ArrowColumnWriter>,
    rows: u64,
}

impl ArrowGroup {
    fn new(factory: &ArrowRowGroupWriterFactory) -> Result<Self, ParquetError> {
        Ok(Self {
            columns: factory.create_column_writers(0)?,
            rows: 0,
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let mut columns = self.columns.iter_mut();
        let schema = batch.schema();
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, array)? {
                if let Some(column) = columns.next() {
                    column.write(&leaf)?;
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn append<W: Write + Send>(
        self,
        writer: &mut SerializedFileWriter<W>,
    ) -> Result<u64, ParquetError> {
        let mut target = writer.next_row_group()?;
        for column in self.columns {
            column.close()?.append_to_row_group(&mut target)?;
        }
        target.close()?;
        Ok(self.rows)
    }
}
