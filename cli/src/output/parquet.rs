//! Rows as a Parquet file, for programs. Types that Parquet cannot hold, such as JSON unions, become
//! text.

use std::{io::Write, sync::Arc};

use anyhow::Result;
use auditql_engine::{
    arrow::{
        array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray},
        datatypes::{DataType, Field, Schema, SchemaRef},
    },
    datafusion::parquet::{
        arrow::ArrowWriter,
        basic::{Compression, ZstdLevel},
        file::properties::WriterProperties,
    },
};

use super::{Output, Rows, View, cell};

pub(super) struct ParquetOutput;

impl Output for ParquetOutput {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn doc(&self) -> &'static str {
        "Parquet file, for programs"
    }

    fn is_text(&self) -> bool {
        false
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        _: View<'_>,
    ) -> Result<Box<dyn Rows + 'w>> {
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| {
                if storable(field.data_type()) {
                    field.as_ref().clone()
                } else {
                    Field::new(field.name(), DataType::Utf8, true)
                }
            })
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?;
        Ok(Box::new(ParquetRows { writer, schema }))
    }
}

/// Can Parquet hold this type?
fn storable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..)
        | DataType::Interval(_)
        | DataType::Duration(_)
        | DataType::Null
        | DataType::RunEndEncoded(..) => false,
        DataType::ListView(_) | DataType::LargeListView(_) => false,
        DataType::Struct(fields) => {
            !fields.is_empty() && fields.iter().all(|field| storable(field.data_type()))
        }
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => storable(field.data_type()),
        _ => true,
    }
}

struct ParquetRows<'w> {
    writer: ArrowWriter<&'w mut (dyn Write + Send)>,
    schema: SchemaRef,
}

impl Rows for ParquetRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().map(|array| {
            if storable(array.data_type()) {
                return Ok(Arc::clone(array));
            }
            let texts = (0..array.len()).map(|row| cell::text(array, row));
            Ok(Arc::new(texts.collect::<Result<StringArray>>()?) as ArrayRef)
        });
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns.collect::<Result<_>>()?,
            &options,
        )?;
        Ok(self.writer.write(&batch)?)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.writer.close()?;
        Ok(())
    }
}
