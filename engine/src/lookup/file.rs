//! A user's file in, rows of a lookup table out.
//!
//! CSV and TSV with a header, JSON (an array of objects or of values), JSON lines, YAML (a list of
//! mappings or of values), or one value a line, where `#` begins a comment. What a file is follows
//! from its name, or else from its first line.

use std::path::Path;

use serde_json::Value;

use super::value::check;
use super::{LookupTable, LookupType};
use crate::error::{Error, Result};

/// The longest file.
const MOST_BYTES: u64 = 64 << 20;
/// The column of a file that has one value a line.
const VALUE: &str = "value";

/// Rows with their columns' names, each with its line; without names, the values are of the first
/// column.
struct NamedRows {
    columns: Vec<String>,
    is_named: bool,
    rows: Vec<(u64, Vec<Option<String>>)>,
}

/// Adds the rows of a file to a table of the library.
///
/// # Errors
///
/// When the file cannot be read, has other columns, or a value is not of its column's type.
pub(super) fn add_rows(table: &mut LookupTable, file: &Path) -> Result<()> {
    let shown = file.display().to_string();
    let read = read(file)?;
    let place = |name: &String| table.columns.iter().position(|(known, _)| known == name);
    let places = match read.is_named {
        true => {
            let places: Option<Vec<usize>> = read.columns.iter().map(place).collect();
            places.ok_or_else(|| {
                let known: Vec<_> = table
                    .columns
                    .iter()
                    .map(|(name, _)| name.as_str())
                    .collect();
                let message = format!(
                    "the table `{}` has the columns {}; the file has {}",
                    table.name,
                    known.join(", "),
                    read.columns.join(", ")
                );
                Error::input(shown.as_str(), message)
            })?
        }
        false => vec![0],
    };
    for (line, cells) in read.rows {
        let mut row = vec![None; table.columns.len()];
        for (place, cell) in places.iter().zip(cells) {
            let (name, kind) = &table.columns[*place];
            check(cell.as_deref(), *kind)
                .map_err(|why| Error::input(format!("{shown}:{line}"), format!("{name}: {why}")))?;
            row[*place] = cell;
        }
        table.rows.push(row);
    }
    Ok(())
}

/// A table that is a file alone. Columns of numbers and of `true` and `false` have their types.
///
/// # Errors
///
/// When the file cannot be read.
pub(super) fn read_table(name: &str, file: &Path) -> Result<LookupTable> {
    let read = read(file)?;
    let rows: Vec<Vec<Option<String>>> = read.rows.into_iter().map(|(_, row)| row).collect();
    let typed = read.columns.into_iter().enumerate().map(|(index, name)| {
        let cells = || rows.iter().filter_map(|row| row.get(index)?.as_deref());
        let all =
            |kind| cells().next().is_some() && cells().all(|cell| check(Some(cell), kind).is_ok());
        let is_words = || cells().all(|cell| matches!(cell, "true" | "false"));
        let kind = match () {
            () if all(LookupType::Integer) => LookupType::Integer,
            () if all(LookupType::Number) => LookupType::Number,
            () if all(LookupType::Boolean) && is_words() => LookupType::Boolean,
            () if all(LookupType::Cidr) => LookupType::Cidr,
            () => LookupType::Glob,
        };
        (name, kind)
    });
    Ok(LookupTable {
        name: name.to_owned(),
        columns: typed.collect(),
        rows,
    })
}

fn read(file: &Path) -> Result<NamedRows> {
    let shown = file.display().to_string();
    let fail = |message: String| Error::input(shown.as_str(), message);
    let size = file
        .metadata()
        .map_err(|error| fail(error.to_string()))?
        .len();
    if size > MOST_BYTES {
        return Err(fail(
            "longer than 64 MiB: too long for a lookup table".to_owned(),
        ));
    }
    let bytes = std::fs::read(file).map_err(|error| fail(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| fail("not UTF-8".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let extension = file.extension().and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let first = text
        .lines()
        .map(str::trim_start)
        .find(|line| !line.is_empty());
    let first = first.unwrap_or_default();
    let at = |line: u64, message: String| Error::input(format!("{shown}:{line}"), message);
    match extension.as_str() {
        "csv" => separated(text, b',').map_err(|(line, message)| at(line, message)),
        "tsv" => separated(text, b'\t').map_err(|(line, message)| at(line, message)),
        "yaml" | "yml" => {
            let value: Value =
                serde_saphyr::from_str(text).map_err(|error| fail(error.to_string()))?;
            listed(value).map_err(fail)
        }
        _ if extension == "json" || first.starts_with(['{', '[']) => {
            let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
            let values: Result<Vec<Value>, _> = values.collect();
            let mut values = values.map_err(|error| at(error.line() as u64, error.to_string()))?;
            let value = match values.len() {
                1 if values[0].is_array() => values.remove(0),
                _ => Value::Array(values),
            };
            listed(value).map_err(fail)
        }
        "txt" | "list" => Ok(one_a_line(text)),
        _ if first.contains('\t') => {
            separated(text, b'\t').map_err(|(line, message)| at(line, message))
        }
        _ if first.contains(',') => {
            separated(text, b',').map_err(|(line, message)| at(line, message))
        }
        _ => Ok(one_a_line(text)),
    }
}

fn one_a_line(text: &str) -> NamedRows {
    let lines = text.lines().zip(1..);
    let value = |(line, number): (&str, u64)| {
        let value = line.split(" #").next().unwrap_or_default().trim();
        let is_value = !value.is_empty() && !value.starts_with('#');
        is_value.then(|| (number, vec![Some(value.to_owned())]))
    };
    NamedRows {
        columns: vec![VALUE.to_owned()],
        is_named: false,
        rows: lines.filter_map(value).collect(),
    }
}

fn separated(text: &str, separator: u8) -> Result<NamedRows, (u64, String)> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let line_of = |error: &csv::Error| error.position().map_or(1, csv::Position::line);
    let headers = reader
        .headers()
        .map_err(|error| (line_of(&error), error.to_string()))?;
    let columns: Vec<String> = headers.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| (line_of(&error), error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = record.iter();
        let cells = cells.map(|cell| (!cell.is_empty()).then(|| cell.to_owned()));
        rows.push((line, cells.collect()));
    }
    Ok(NamedRows {
        columns,
        is_named: true,
        rows,
    })
}

/// A list of mappings, or of values.
fn listed(value: Value) -> Result<NamedRows, String> {
    let Value::Array(items) = value else {
        return Err("expected a list of values or of mappings".to_owned());
    };
    let mut columns: Vec<String> = Vec::new();
    let mut is_named = false;
    for item in &items {
        if let Value::Object(members) = item {
            is_named = true;
            for name in members.keys() {
                if !columns.contains(name) {
                    columns.push(name.clone());
                }
            }
        }
    }
    if !is_named {
        columns.push(VALUE.to_owned());
    }
    let row = |(item, number): (Value, u64)| {
        let cells = match item {
            Value::Object(mut members) if is_named => {
                let cells = columns.iter();
                cells.map(|name| text_of(members.remove(name)?)).collect()
            }
            Value::Object(_) | Value::Array(_) => {
                return Err(format!("item {number}: not a value"));
            }
            other if !is_named => vec![text_of(other)],
            _ => return Err(format!("item {number}: not a mapping as the others are")),
        };
        Ok((number, cells))
    };
    let rows: Result<_, String> = items.into_iter().zip(1..).map(row).collect();
    Ok(NamedRows {
        rows: rows?,
        columns,
        is_named,
    })
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then_some(text),
        other => Some(other.to_string()),
    }
}
