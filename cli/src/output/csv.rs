//! Rows as comma- or tab-separated values (RFC 4180) with a header. NULL is an empty field.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{Output, Rows, View, cell};

pub(super) struct CsvOutput {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) delimiter: u8,
}

impl Output for CsvOutput {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        _: View,
    ) -> Result<Box<dyn Rows + 'w>> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(self.delimiter)
            .from_writer(out);
        writer.write_record(
            schema
                .fields()
                .iter()
                .map(|field| neutral(field.name().clone())),
        )?;
        Ok(Box::new(CsvRows { writer }))
    }
}

struct CsvRows<'w> {
    writer: csv::Writer<&'w mut (dyn Write + Send)>,
}

impl Rows for CsvRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            for array in batch.columns() {
                let text = cell::text(array, row)?.unwrap_or_default();
                let text = if cell::is_text(array.data_type()) {
                    neutral(text)
                } else {
                    text
                };
                self.writer.write_field(text)?;
            }
            self.writer.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.flush()?;
        Ok(())
    }
}

/// A spreadsheet runs a field that begins like a formula (CWE-1236); an apostrophe in front makes
/// it text.
fn neutral(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text
    }
}
