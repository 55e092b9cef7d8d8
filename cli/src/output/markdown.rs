//! A table in GitHub-flavoured Markdown; what the log says cannot become markup.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{Output, Rows, View, cell};
use crate::text::sanitize;

pub(super) struct MarkdownOutput;

impl Output for MarkdownOutput {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn doc(&self) -> &'static str {
        "Markdown table"
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        _: View,
    ) -> Result<Box<dyn Rows + 'w>> {
        let names: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| escape(field.name()))
            .collect();
        let rules = schema.fields().iter().map(|field| {
            if cell::is_number(field.data_type()) {
                "---:"
            } else {
                "---"
            }
        });
        let rules: Vec<&str> = rules.collect();
        writeln!(out, "| {} |\n| {} |", names.join(" | "), rules.join(" | "))?;
        Ok(Box::new(MarkdownRows { out }))
    }
}

struct MarkdownRows<'w> {
    out: &'w mut (dyn Write + Send),
}

impl Rows for MarkdownRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|array| Ok(escape(&cell::text(array, row)?.unwrap_or_default())));
            writeln!(
                self.out,
                "| {} |",
                cells.collect::<Result<Vec<_>>>()?.join(" | ")
            )?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// CommonMark §2.4: any ASCII punctuation can be escaped by a backslash; `<` and `&` as entities,
/// for readers of HTML.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for ch in sanitize(text, false).chars() {
        match ch {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' => safe.extend(['\\', ch]),
            ch => safe.push(ch),
        }
    }
    safe
}
