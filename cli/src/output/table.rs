//! Rows as an aligned table, for people. Column widths come from the first rows, so that a long result
//! streams. On a terminal it fits the screen ([`ScreenRows`]); in a file nothing is cut.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};
use unicode_width::UnicodeWidthStr;

use super::layout::SAMPLE;
use super::screen::ScreenRows;
use super::{Output, Rows, View, cell};
use crate::text::sanitize;

pub(super) struct TableOutput;

impl Output for TableOutput {
    fn name(&self) -> &'static str {
        "table"
    }

    fn doc(&self) -> &'static str {
        "Aligned table, for people"
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        view: View<'_>,
    ) -> Result<Box<dyn Rows + 'w>> {
        if let Some(width) = view.width {
            return Ok(Box::new(ScreenRows::new(out, schema, width, view)));
        }
        let names = schema
            .fields()
            .iter()
            .map(|field| sanitize(field.name(), false).into_owned())
            .collect();
        let right = schema
            .fields()
            .iter()
            .map(|field| cell::is_number(field.data_type()))
            .collect();
        Ok(Box::new(TableRows {
            out,
            names,
            right,
            waiting: Vec::new(),
            widths: None,
        }))
    }
}

struct TableRows<'w> {
    out: &'w mut (dyn Write + Send),
    names: Vec<String>,
    right: Vec<bool>,
    waiting: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
}

impl Rows for TableRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|array| {
                let text = cell::text(array, row)?.unwrap_or_default();
                Ok(sanitize(&text, false).into_owned())
            });
            let cells = cells.collect::<Result<Vec<_>>>()?;
            if self.widths.is_some() {
                self.line(&cells)?;
            } else {
                self.waiting.push(cells);
                if self.waiting.len() == SAMPLE {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.flush()
    }
}

impl TableRows<'_> {
    /// Decides the widths, and writes the header and the rows that waited for them.
    fn flush(&mut self) -> Result<()> {
        if self.widths.is_some() || self.names.is_empty() {
            return Ok(());
        }
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.width()).collect();
        for row in &self.waiting {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        self.widths = Some(widths);
        let names = self.names.clone();
        self.line(&names)?;
        self.line(&rule)?;
        for row in std::mem::take(&mut self.waiting) {
            self.line(&row)?;
        }
        Ok(())
    }

    fn line(&mut self, cells: &[String]) -> Result<()> {
        let Some(widths) = &self.widths else {
            return Ok(());
        };
        let mut line = String::new();
        for (index, ((cell, width), right)) in cells.iter().zip(widths).zip(&self.right).enumerate()
        {
            if index > 0 {
                line.push_str("  ");
            }
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            if *right {
                line.push_str(&pad);
            }
            line.push_str(cell);
            if !*right {
                line.push_str(&pad);
            }
        }
        writeln!(self.out, "{}", line.trim_end())?;
        Ok(())
    }
}
