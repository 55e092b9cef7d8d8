//! Rows with one column per line, for rows too wide for a table.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};
use unicode_width::UnicodeWidthStr;

use super::{Output, Rows, View, cell};
use crate::text::sanitize;

pub(super) struct LineOutput;

impl Output for LineOutput {
    fn name(&self) -> &'static str {
        "line"
    }

    fn doc(&self) -> &'static str {
        "One column per line, for wide rows"
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        _: View<'_>,
    ) -> Result<Box<dyn Rows + 'w>> {
        let names: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| sanitize(field.name(), false).into_owned())
            .collect();
        let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
        Ok(Box::new(LineRows {
            out,
            names,
            width,
            rows: 0,
        }))
    }
}

struct LineRows<'w> {
    out: &'w mut (dyn Write + Send),
    names: Vec<String>,
    width: usize,
    rows: u64,
}

impl Rows for LineRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            if self.rows > 0 {
                writeln!(self.out)?;
            }
            for (name, array) in self.names.iter().zip(batch.columns()) {
                let text = cell::text(array, row)?.unwrap_or_default();
                let pad = " ".repeat(self.width - name.width());
                let line = format!("{pad}{name} = {}", sanitize(&text, false));
                writeln!(self.out, "{}", line.trim_end())?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
