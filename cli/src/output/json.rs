//! Rows as JSON: one array, or one object per line. Every row has every column, NULL is `null`. Text
//! stays text, bodies included.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{Output, Rows, View, cell};
use crate::text::{Quoting, write_quoted};

pub(super) struct JsonOutput {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) array: bool,
}

impl Output for JsonOutput {
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
        _: View<'_>,
    ) -> Result<Box<dyn Rows + 'w>> {
        let names = schema.fields().iter().map(|field| {
            let mut name = Vec::new();
            write_quoted(&mut name, field.name(), Quoting::Json);
            name
        });
        Ok(Box::new(JsonRows {
            out,
            names: names.collect(),
            array: self.array,
            rows: 0,
        }))
    }
}

struct JsonRows<'w> {
    out: &'w mut (dyn Write + Send),
    names: Vec<Vec<u8>>,
    array: bool,
    rows: u64,
}

impl Rows for JsonRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut line = Vec::new();
        for row in 0..batch.num_rows() {
            line.clear();
            if self.array {
                line.extend_from_slice(if self.rows == 0 { b"[\n" } else { b",\n" });
            }
            line.push(b'{');
            for (index, (name, array)) in self.names.iter().zip(batch.columns()).enumerate() {
                if index > 0 {
                    line.push(b',');
                }
                line.extend_from_slice(name);
                line.push(b':');
                cell::write_json(&mut line, array, row)?;
            }
            line.push(b'}');
            if !self.array {
                line.push(b'\n');
            }
            self.out.write_all(&line)?;
            self.rows += 1;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        if self.array {
            self.out
                .write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        Ok(())
    }
}
