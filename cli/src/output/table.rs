//! Rows as an aligned table, for people. Column widths come from the first rows, so that a long result
//! streams. On a terminal the widest columns are cut to fit; in a file nothing is cut.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Output, Rows, View, cell};
use crate::text::sanitize;

pub(super) struct TableOutput;

/// The number of rows that decide the widths.
const SAMPLE: usize = 1000;
/// No column is cut to less than this.
const LEAST: usize = 8;

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
        view: View,
    ) -> Result<Box<dyn Rows + 'w>> {
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
            view,
            waiting: Vec::new(),
            widths: None,
        }))
    }
}

struct TableRows<'w> {
    out: &'w mut (dyn Write + Send),
    names: Vec<String>,
    right: Vec<bool>,
    view: View,
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
        if let Some(terminal) = self.view.width {
            fit(&mut widths, terminal);
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
            let cell = if self.view.width.is_some() {
                cut(cell, *width)
            } else {
                cell.clone()
            };
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            if *right {
                line.push_str(&pad);
            }
            line.push_str(&cell);
            if !*right {
                line.push_str(&pad);
            }
        }
        writeln!(self.out, "{}", line.trim_end())?;
        Ok(())
    }
}

/// Takes from the widest column until the table fits the terminal.
fn fit(widths: &mut [usize], terminal: usize) {
    // No column is wider than the terminal in the end; some values are a gigabyte long.
    widths
        .iter_mut()
        .for_each(|width| *width = (*width).min(terminal));
    let gaps = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > terminal {
        match widths.iter_mut().max() {
            Some(widest) if *widest > LEAST => *widest -= 1,
            _ => break,
        }
    }
}

/// The text in at most this many columns, with an ellipsis where it was cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let mut short = String::new();
    for ch in text.chars() {
        let columns = ch.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        used += columns;
        short.push(ch);
    }
    short.push('…');
    short
}
