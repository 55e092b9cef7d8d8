//! Arrow's IPC stream, for programs.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef, ipc::writer::StreamWriter};

use super::{Output, Rows, View};

pub(super) struct Arrow;

impl Output for Arrow {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn doc(&self) -> &'static str {
        "Arrow IPC stream, for programs"
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        _: View,
    ) -> Result<Box<dyn Rows + 'w>> {
        Ok(Box::new(Writer(StreamWriter::try_new(out, schema)?)))
    }
}

struct Writer<'w>(StreamWriter<&'w mut (dyn Write + Send)>);

impl Rows for Writer<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.0.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        Ok(self.0.finish()?)
    }
}
