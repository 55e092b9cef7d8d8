//! Query results as columns and rows: a document with the names once and the values in lists in;
//! each row as an object out.
//!
//! The APIs of databases and log stores answer so: Log Analytics and Kusto (`tables[].columns` and
//! `rows`), BigQuery (`schema.fields` and `rows[].f[].v`), Elasticsearch's SQL (`columns`, `rows` or
//! `values`), ClickHouse (`meta`, `data`), Athena (`ResultSet`), Snowflake, and Grafana's frames,
//! whose values stand by column. Source: the reference of each API.
//!
//! Not responsible for: what a row is; detection looks at it as at any object.

use crate::format::document::{each, joined};
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::{Text, Value, ValueKind, elements};

pub(super) struct ColumnsRows;

/// Members that hold tables.
const TABLES: [&str; 4] = ["tables", "Tables", "frames", "ResultSet"];
/// Members that hold the columns.
const COLUMNS: [&str; 7] = [
    "columns",
    "Columns",
    "fields",
    "meta",
    "schema",
    "rowType",
    "ColumnInfo",
];
/// Members that hold the rows.
const ROWS: [&str; 7] = [
    "rows",
    "Rows",
    "values",
    "data",
    "datarows",
    "data_array",
    "rowset",
];
/// Members that name a column.
const NAMES: [&str; 5] = ["name", "ColumnName", "Name", "label", "id"];

impl Envelope for ColumnsRows {
    fn name(&self) -> &'static str {
        "columns-rows"
    }

    fn doc(&self) -> &'static str {
        "query results with names and values apart, as the APIs of Log Analytics, Kusto, BigQuery, Elasticsearch, ClickHouse, Athena and Grafana answer"
    }

    fn members(&self) -> &'static [&'static str] {
        &[
            "tables",
            "Tables",
            "frames",
            "ResultSet",
            "columns",
            "Columns",
            "fields",
            "meta",
            "schema",
            "rowType",
            "ColumnInfo",
        ]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        tables(record).is_some_and(|(_, tables)| {
            elements(tables)
                .filter_map(Record::of)
                .any(|table| table_of(&table).is_some())
        }) || table_of(record).is_some()
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        if let Some(table) = table_of(record) {
            return table.hand_over(record, None, out);
        }
        let Some((name, list)) = tables(record) else {
            return out.skip(record.text);
        };
        let around = record.without(&[name]);
        each(list, out, |item, out| match Record::of(item) {
            Some(table) => match table_of(&table) {
                Some(found) => found.hand_over(&table, around.as_deref(), out),
                None => out.skip(item.raw),
            },
            None => out.skip(item.raw),
        });
    }
}

/// The list of tables in a document.
fn tables<'a>(record: &Record<'a>) -> Option<(&'static str, Value<'a>)> {
    TABLES.iter().find_map(|name| {
        let value = record.member(name)?;
        (value.kind == ValueKind::Array).then_some((*name, value))
    })
}

/// A table: the names of its columns, and its rows.
struct ResultTable<'a> {
    names: Vec<Text<'a>>,
    rows: Value<'a>,
    /// Do the rows stand by column?
    by_column: bool,
    members: [&'static str; 2],
}

fn table_of<'a>(record: &Record<'a>) -> Option<ResultTable<'a>> {
    let inside = ["ResultSet", "result", "resultSetMetaData", "schema"];
    let columns = COLUMNS.iter().find_map(|name| {
        let value = record.member(name)?;
        Some((*name, names(value)?))
    });
    let (columns, names) = columns.or_else(|| {
        inside.iter().find_map(|name| {
            let object = record.object(name)?;
            COLUMNS
                .iter()
                .find_map(|inner| Some((*name, self::names(object.member(inner)?)?)))
        })
    })?;
    let (rows, list) = ROWS.iter().find_map(|name| {
        let value = record.member(name)?;
        match value.kind {
            ValueKind::Array => Some((*name, value, false)),
            // A frame's `data: {"values": […]}`.
            ValueKind::Object => Some((*name, Record::of(value)?.member("values")?, true)),
            _ => None,
        }
        .map(|(name, value, by_column)| (name, (value, by_column)))
    })?;
    let (rows_value, by_column) = list;
    let fits = elements(rows_value)
        .next()
        .is_none_or(|row| by_column || cells(row).is_some_and(|cells| cells.len() <= names.len()));
    (fits && columns != rows).then_some(ResultTable {
        names,
        rows: rows_value,
        by_column,
        members: [columns, rows],
    })
}

/// The names of columns: of objects that have one, or of strings.
fn names(columns: Value<'_>) -> Option<Vec<Text<'_>>> {
    if columns.kind != ValueKind::Array {
        return None;
    }
    let mut found = Vec::new();
    for column in elements(columns) {
        found.push(match column.text() {
            Some(text) => text,
            None => {
                let column = Record::of(column)?;
                NAMES.iter().find_map(|name| column.text_of(name))?
            }
        });
    }
    (!found.is_empty()).then_some(found)
}

/// The cells of a row: a list, or BigQuery's `{"f":[{"v":…}]}`, or Athena's
/// `{"Data":[{"VarCharValue":…}]}`.
fn cells(row: Value<'_>) -> Option<Vec<Value<'_>>> {
    match row.kind {
        ValueKind::Array => Some(elements(row).collect()),
        ValueKind::Object => {
            let row = Record::of(row)?;
            let list = row.any(&["f", "Data"])?;
            elements(list)
                .map(|cell| Record::of(cell)?.any(&["v", "VarCharValue"]))
                .collect()
        }
        _ => None,
    }
}

impl ResultTable<'_> {
    fn hand_over(&self, record: &Record<'_>, around: Option<&str>, out: &mut dyn Unwrapped) {
        let envelope = joined(around, record.without(&self.members));
        let provenance = Provenance {
            envelope,
            ..Provenance::default()
        };
        if self.by_column {
            let columns: Vec<Vec<Value<'_>>> = elements(self.rows)
                .map(|column| elements(column).collect())
                .collect();
            let longest = columns.iter().map(Vec::len).max().unwrap_or_default();
            for at in 0..longest {
                let cells = columns.iter().map(|column| column.get(at).copied());
                self.row(cells, &provenance, out);
            }
            if longest == 0 {
                out.skip("");
            }
            return;
        }
        each(self.rows, out, |row, out| match cells(row) {
            Some(cells) => self.row(cells.into_iter().map(Some), &provenance, out),
            None => out.skip(row.raw),
        });
    }

    /// A row as an object. A cell that is JSON in a string, as a dynamic column is, stays a string:
    /// the formats of rows know their columns.
    fn row<'c>(
        &self,
        cells: impl Iterator<Item = Option<Value<'c>>>,
        provenance: &Provenance<'_>,
        out: &mut dyn Unwrapped,
    ) {
        let mut object = b"{".to_vec();
        for (name, cell) in self.names.iter().zip(cells) {
            if let Some(cell) = cell {
                writer::member(&mut object, *name, cell.raw);
            }
        }
        object.push(b'}');
        if let Some(object) = writer::text(object) {
            out.decoded(&object, provenance);
        }
    }
}
