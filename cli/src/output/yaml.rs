//! Rows as a YAML list of mappings, which parsers of YAML 1.1 and 1.2 read. Values are written as
//! JSON, as far as that is YAML.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{Output, Rows, View, cell};
use crate::text::{Quoting, write_quoted, write_yaml};

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
        _: View<'_>,
    ) -> Result<Box<dyn Rows + 'w>> {
        let names = schema.fields().iter().map(|field| plain(field.name()));
        Ok(Box::new(YamlRows {
            out,
            names: names.collect(),
            rows: 0,
        }))
    }
}

/// A key that needs no quotes, or a quoted one.
fn plain(name: &str) -> String {
    const WORDS: [&str; 12] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "~",
    ];
    let simple = name.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !WORDS.contains(&name.to_ascii_lowercase().as_str());
    if simple {
        return name.to_owned();
    }
    let mut quoted = Vec::new();
    write_quoted(&mut quoted, name, Quoting::Yaml);
    String::from_utf8_lossy(&quoted).into_owned()
}

struct YamlRows<'w> {
    out: &'w mut (dyn Write + Send),
    names: Vec<String>,
    rows: u64,
}

impl Rows for YamlRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let (mut json, mut value) = (Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            if self.names.is_empty() {
                writeln!(self.out, "- {{}}")?;
            }
            for (index, (name, array)) in self.names.iter().zip(batch.columns()).enumerate() {
                json.clear();
                value.clear();
                cell::write_json(&mut json, array, row)?;
                write_yaml(&mut value, std::str::from_utf8(&json)?);
                write!(self.out, "{} {name}: ", if index == 0 { '-' } else { ' ' })?;
                self.out.write_all(&value)?;
                writeln!(self.out)?;
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
