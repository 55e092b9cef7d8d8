//! Rows as a YAML list of mappings. Scalars are written as JSON, which is valid YAML 1.2.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{Output, Rows, View, cell};

pub(super) struct YamlOutput;

impl Output for YamlOutput {
    fn name(&self) -> &'static str {
        "yaml"
    }

    fn doc(&self) -> &'static str {
        "List of mappings"
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        _: View,
    ) -> Result<Box<dyn Rows + 'w>> {
        let names = schema.fields().iter().map(|field| plain(field.name()));
        Ok(Box::new(YamlRows {
            out,
            names: names.collect::<Result<_>>()?,
            rows: 0,
        }))
    }
}

/// A key that needs no quotes, or a quoted one.
fn plain(name: &str) -> Result<String> {
    const WORDS: [&str; 12] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "~",
    ];
    let simple = name.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !WORDS.contains(&name.to_ascii_lowercase().as_str());
    Ok(if simple {
        name.to_owned()
    } else {
        serde_json::to_string(name)?
    })
}

struct YamlRows<'w> {
    out: &'w mut (dyn Write + Send),
    names: Vec<String>,
    rows: u64,
}

impl Rows for YamlRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut value = Vec::new();
        for row in 0..batch.num_rows() {
            if self.names.is_empty() {
                writeln!(self.out, "- {{}}")?;
            }
            for (index, (name, array)) in self.names.iter().zip(batch.columns()).enumerate() {
                value.clear();
                cell::write_json(&mut value, array, row)?;
                write!(self.out, "{} {name}: ", if index == 0 { '-' } else { ' ' })?;
                // Our JSON already escapes all that YAML takes for a line end.
                let text = String::from_utf8_lossy(&value);
                writeln!(self.out, "{text}")?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        if self.rows == 0 {
            writeln!(self.out, "[]")?;
        }
        Ok(())
    }
}
