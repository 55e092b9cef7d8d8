//! Rows as an Arrow IPC stream, for programs.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef, ipc::writer::StreamWriter};

use super::{Output, Rows, View};

pub(super) struct ArrowOutput;

impl Output for ArrowOutput {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn doc(&self) -> &'static str {
        "Arrow IPC stream, for programs"
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
        Ok(Box::new(ArrowRows(StreamWriter::try_new(out, schema)?)))
    }
}

struct ArrowRows<'w>(StreamWriter<&'w mut (dyn Write + Send)>);

impl Rows for ArrowRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.0.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        Ok(self.0.finish()?)
    }
}
