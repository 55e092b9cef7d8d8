//! Rows on a terminal: the columns that fit, the important ones first, in; a table that is no wider
//! than the screen, and a word about the rest, out. A few rows that do not fit become lines.
//!
//! Widths come from the first rows, so that a long result streams. Not responsible for: files and
//! pipes, where nothing is cut or left out (`table.rs`).

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::array::{ArrayRef, RecordBatch};
use auditql_engine::arrow::datatypes::{DataType, SchemaRef};
use unicode_width::UnicodeWidthStr;

use super::layout::{ColumnShape, Layout, SAMPLE, cut, cut_start};
use super::{Rows, View, cell};
use crate::text::sanitize;

/// As many rows become lines where their columns do not fit.
const FEW: usize = 4;
/// What a long value is cut to at least, and the name of a user or a file.
const LEAST: usize = 12;
const LEAST_NAME: usize = 20;
/// A column says little that has a value in fewer than one of so many rows.
const RARE: usize = 5;
/// How a value that is not known is shown.
const NULL: &str = "NULL";
/// Elements of a list that are shown.
const ELEMENTS: usize = 3;

/// How the values of a column are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Time,
    Float,
    Whole,
    List,
    /// Names and places, whose end tells more than their begin.
    Name,
    Text,
}

/// A result on a terminal.
pub(super) struct ScreenRows<'w> {
    out: &'w mut (dyn Write + Send),
    width: usize,
    names: Vec<String>,
    shapes: Vec<Shape>,
    ranked: Vec<String>,
    waiting: Vec<Vec<Option<String>>>,
    shown: Option<ShownTable>,
}

/// What was decided about the columns.
struct ShownTable {
    layout: Layout,
    /// The day that all times of the first rows are of.
    day: Option<String>,
}

impl<'w> ScreenRows<'w> {
    pub(super) fn new(
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        width: usize,
        view: View<'_>,
    ) -> Self {
        let names = schema.fields().iter();
        let names = names.map(|field| sanitize(field.name(), false).into_owned());
        let shapes = schema.fields().iter();
        let shapes = shapes.map(|field| shape(field.name(), field.data_type()));
        Self {
            out,
            width,
            names: names.collect(),
            shapes: shapes.collect(),
            ranked: view.ranked.to_vec(),
            waiting: Vec::new(),
            shown: None,
        }
    }

    /// Decides about the columns, and writes the header and the rows that waited for it. `ended`: these
    /// are all rows.
    fn flush(&mut self, ended: bool) -> Result<()> {
        if self.shown.is_some() || self.names.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        let day = if ended { self.day(&waiting) } else { None };
        let cells: Vec<Vec<Option<String>>> = waiting
            .iter()
            .map(|row| self.shown_cells(row, day.as_deref()))
            .collect();
        let columns = (0..self.names.len()).map(|index| self.column(index, &cells));
        let layout = Layout::new(&columns.collect::<Vec<_>>(), self.width);
        if ended && cells.len() <= FEW && !layout.hidden.is_empty() && !cells.is_empty() {
            return self.lines(&waiting);
        }
        self.shown = Some(ShownTable { layout, day });
        let names: Vec<Option<String>> = self.names.iter().cloned().map(Some).collect();
        self.line(&names)?;
        self.rule()?;
        cells.iter().try_for_each(|row| self.line(row))
    }

    /// What a column needs to be read.
    fn column(&self, index: usize, cells: &[Vec<Option<String>>]) -> ColumnShape {
        let name = &self.names[index];
        let texts = cells.iter().filter_map(|row| row[index].as_deref());
        let texts = texts.filter(|text| !text.is_empty());
        let widest = texts.clone().map(UnicodeWidthStr::width).max();
        let has_null = cells.iter().any(|row| row[index].is_none());
        let is_rare = texts.count() * RARE < cells.len();
        let rank = self.rank(name);
        let same = |other: usize| cells.iter().all(|row| row[index] == row[other]);
        let mut others = (0..self.names.len()).filter(|other| *other != index);
        let is_repeated = !cells.is_empty()
            && others
                .any(|other| (self.rank(&self.names[other]), other) < (rank, index) && same(other));
        ColumnShape {
            header: name.width(),
            widest: widest
                .unwrap_or_default()
                .max(if has_null { NULL.len() } else { 0 }),
            least: match self.shapes[index] {
                Shape::Name => LEAST_NAME,
                _ => LEAST,
            },
            // Of no rows all columns are worth a header.
            is_empty: widest.is_none() && !cells.is_empty(),
            says_little: is_rare || is_repeated,
            rank,
        }
    }

    /// The place of a column among those that matter most; the time of a row is one.
    fn rank(&self, name: &str) -> usize {
        if name == "stage_timestamp" {
            return 0;
        }
        let place = self.ranked.iter().position(|known| known == name);
        place.map_or(usize::MAX, |place| place + 1)
    }

    /// The day of all times, if it is one.
    fn day(&self, rows: &[Vec<Option<String>>]) -> Option<String> {
        let mut day: Option<&str> = None;
        for row in rows {
            let cells = row.iter().zip(&self.shapes);
            let times = cells.filter(|(_, shape)| **shape == Shape::Time);
            for (time, _) in times {
                let Some(of_time) = time.as_deref().and_then(|time| time.get(..10)) else {
                    continue;
                };
                if *day.get_or_insert(of_time) != of_time {
                    return None;
                }
            }
        }
        day.map(str::to_owned)
    }

    fn shown_cells(&self, row: &[Option<String>], day: Option<&str>) -> Vec<Option<String>> {
        let cells = row.iter().zip(&self.shapes);
        let shown = |(cell, shape): (&Option<String>, &Shape)| {
            let cell = cell.as_deref()?;
            let short = match shape {
                Shape::Time => time(cell, day),
                Shape::Float => rounded(cell),
                Shape::List => elements(cell),
                _ => cell.to_owned(),
            };
            // Before it is measured: what is escaped is wider.
            Some(sanitize(&short, false).into_owned())
        };
        cells.map(shown).collect()
    }

    fn line(&mut self, cells: &[Option<String>]) -> Result<()> {
        let Some(ShownTable { layout, .. }) = &self.shown else {
            return Ok(());
        };
        let mut line = String::new();
        for (place, (index, width)) in layout.shown.iter().enumerate() {
            if place > 0 {
                line.push_str("  ");
            }
            let text = cells[*index].as_deref().unwrap_or(NULL);
            let shape = self.shapes[*index];
            let text = match shape {
                Shape::Name => cut_start(text, *width),
                _ => cut(text, *width),
            };
            let pad = " ".repeat(width.saturating_sub(text.width()));
            match shape {
                Shape::Float | Shape::Whole => line.extend([pad.as_str(), text.as_str()]),
                _ => line.extend([text.as_str(), pad.as_str()]),
            }
        }
        writeln!(self.out, "{}", line.trim_end())?;
        Ok(())
    }

    fn rule(&mut self) -> Result<()> {
        let Some(ShownTable { layout, .. }) = &self.shown else {
            return Ok(());
        };
        let rules = layout.shown.iter().map(|(_, width)| "─".repeat(*width));
        writeln!(self.out, "{}", rules.collect::<Vec<_>>().join("  "))?;
        Ok(())
    }

    /// A few rows with a line a column; columns that are empty in all of them are left out.
    fn lines(&mut self, rows: &[Vec<Option<String>>]) -> Result<()> {
        let is_told = |index: usize| {
            let cells = rows.iter().map(|row| row[index].as_deref());
            cells.flatten().any(|text| !text.is_empty())
        };
        let told: Vec<usize> = (0..self.names.len())
            .filter(|index| is_told(*index))
            .collect();
        let widest = told.iter().map(|index| self.names[*index].width()).max();
        let widest = widest.unwrap_or_default();
        for (number, row) in rows.iter().enumerate() {
            if number > 0 {
                writeln!(self.out)?;
            }
            for index in &told {
                let name = &self.names[*index];
                let pad = " ".repeat(widest.saturating_sub(name.width()));
                let text = row[*index].as_deref().unwrap_or(NULL);
                writeln!(self.out, "{pad}{name} = {}", sanitize(text, false))?;
            }
        }
        let empty = match self.names.len() - told.len() {
            0 => return self.end_lines(),
            1 => "1 empty column is not shown".to_owned(),
            empty => format!("{empty} empty columns are not shown"),
        };
        writeln!(self.out, "\n{}", cut(&empty, self.width))?;
        self.end_lines()
    }

    /// Nothing follows: there is no table.
    fn end_lines(&mut self) -> Result<()> {
        self.shown = None;
        self.names.clear();
        Ok(())
    }

    fn footer(&mut self) -> Result<()> {
        let Some(ShownTable { layout, day }) = &self.shown else {
            return Ok(());
        };
        let mut notes = Vec::new();
        if let Some(day) = day {
            notes.push(format!("times: {day}, UTC"));
        }
        let names = |places: &[usize]| {
            let names = places.iter().map(|index| self.names[*index].as_str());
            names.collect::<Vec<_>>().join(", ")
        };
        match layout.hidden.len() {
            0 => {}
            1 => notes.push(format!(
                "1 more column (-o line): {}",
                names(&layout.hidden)
            )),
            more => notes.push(format!(
                "{more} more columns (-o line): {}",
                names(&layout.hidden)
            )),
        }
        if !layout.empty.is_empty() {
            notes.push(format!("empty: {}", names(&layout.empty)));
        }
        if notes.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        for note in notes {
            writeln!(self.out, "{}", cut(&note, self.width))?;
        }
        Ok(())
    }
}

impl Rows for ScreenRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let text = |array: &ArrayRef| cell::text(array, row);
            let cells: Vec<Option<String>> =
                batch.columns().iter().map(text).collect::<Result<_>>()?;
            match &self.shown {
                Some(shown) => {
                    let cells = self.shown_cells(&cells, shown.day.as_deref());
                    self.line(&cells)?;
                }
                None => {
                    self.waiting.push(cells);
                    if self.waiting.len() == SAMPLE {
                        self.flush(false)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.flush(true)?;
        self.footer()
    }
}

fn shape(name: &str, data_type: &DataType) -> Shape {
    const NAMES: [&str; 9] = [
        "actor",
        "principal",
        "username",
        "user",
        "client",
        "source_file",
        "subject",
        "name",
        "subjects",
    ];
    match data_type {
        DataType::Timestamp(..) => Shape::Time,
        DataType::Float32 | DataType::Float64 => Shape::Float,
        other if cell::is_number(other) => Shape::Whole,
        DataType::List(_) | DataType::LargeList(_) => Shape::List,
        _ if NAMES.contains(&name) || name.ends_with("_user") => Shape::Name,
        _ => Shape::Text,
    }
}

/// A time without its day if that is `day`, to the millisecond; else to the second.
fn time(text: &str, day: Option<&str>) -> String {
    let parts = (text.get(..10), text.get(11..19), text.get(19..23));
    match (parts, day) {
        ((Some(of), Some(clock), millis), Some(day)) if of == day => {
            format!("{clock}{}", millis.unwrap_or_default())
        }
        ((Some(of), Some(clock), _), _) => format!("{of} {clock}"),
        _ => text.to_owned(),
    }
}

/// A number as people read it: three digits that count, and nothing but 0 is shown as 0.
fn rounded(text: &str) -> String {
    let Ok(number) = text.parse::<f64>() else {
        return text.to_owned();
    };
    let size = number.abs();
    let digits = match size {
        _ if size == 0.0 || size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.001 => 3,
        _ => return format!("{number:.1e}"),
    };
    format!("{number:.digits$}")
}

/// The first elements of a list, and how many there are more.
fn elements(json: &str) -> String {
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(json) else {
        return json.to_owned();
    };
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut shown: Vec<String> = values.iter().take(ELEMENTS).map(text).collect();
    if values.len() > ELEMENTS {
        shown.push(format!("+{}", values.len() - ELEMENTS));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short() {
        let stamp = "2026-11-22T10:14:25.313723Z";
        assert_eq!(time(stamp, Some("2026-11-22")), "10:14:25.313");
        assert_eq!(time(stamp, None), "2026-11-22 10:14:25");
        assert_eq!(time("soon", None), "soon");
        assert_eq!(
            ["0.0060810000000000005", "6.081", "14.228", "1234.5", "0"].map(rounded),
            ["0.006", "6.08", "14.2", "1234", "0"]
        );
        assert_eq!(
            ["0.0004", "-0.00000123"].map(rounded),
            ["4.0e-4", "-1.2e-6"]
        );
        assert_eq!(elements(r#"["a","b"]"#), "a, b");
        assert_eq!(elements(r#"["a","b",3,4,5]"#), "a, b, 3, +2");
        assert_eq!(elements("[broken"), "[broken");
    }
}
