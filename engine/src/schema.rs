//! The data model at run time: the texts of `auditql-schemas` in, tables with typed and documented
//! columns out.
//!
//! The Arrow schema, `DESCRIBE`, completion and the generated docs all come from here.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;

/// A table or a view: its name, what its rows are, and its columns in order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDef {
    /// Name in SQL.
    #[serde(default)]
    pub name: String,
    /// What one row is, and what the table is for.
    pub doc: String,
    /// The columns; of a view, the ones it adds to those of `events`.
    #[serde(default, rename = "column")]
    pub columns: Vec<ColumnDef>,
    /// The view's `SELECT`; `None` for a table.
    #[serde(skip)]
    pub sql: Option<String>,
}

/// One column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnDef {
    /// Name in SQL.
    pub name: String,
    /// The question it belongs to: `request`, `time`, `who`, …
    #[serde(default)]
    pub group: String,
    /// Type as the docs name it: `string`, `json`, `list<string>`, …
    #[serde(rename = "type")]
    pub type_name: String,
    /// Path of the Kubernetes field in the event, if it is one.
    #[serde(default)]
    pub path: String,
    /// Is it computed from other fields?
    #[serde(default)]
    pub derived: bool,
    /// Meaning, unit, and when it is NULL.
    pub doc: String,
}

struct Model {
    tables: Vec<TableDef>,
    views: Vec<TableDef>,
    broken: Vec<String>,
}

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let mut model = Model {
        tables: Vec::new(),
        views: Vec::new(),
        broken: Vec::new(),
    };
    for (name, text) in auditql_schemas::tables() {
        match toml::from_str::<TableDef>(text) {
            Ok(table) => model.tables.push(TableDef {
                name: name.to_owned(),
                ..table
            }),
            Err(error) => model.broken.push(format!("tables/{name}.toml: {error}")),
        }
    }
    for (name, text) in auditql_schemas::views() {
        let (header, sql) = split_header(text);
        match toml::from_str::<TableDef>(&header) {
            Ok(view) => model.views.push(TableDef {
                name: name.to_owned(),
                sql: Some(sql.to_owned()),
                ..view
            }),
            Err(error) => model.broken.push(format!("views/{name}.sql: {error}")),
        }
    }
    // A view may read another: `requests` comes first, the rest keep the order of their names,
    // readers after the read.
    model.views.sort_by_key(|view| {
        (
            view.name != "requests",
            view.name == "containers",
            view.name.clone(),
        )
    });
    model
});

/// The tables of the data model.
pub fn tables() -> &'static [TableDef] {
    &MODEL.tables
}

/// The views over them, each after the views that it reads.
pub fn views() -> &'static [TableDef] {
    &MODEL.views
}

/// Files of the data model that could not be read, each with why; a test holds this empty.
pub fn broken() -> &'static [String] {
    &MODEL.broken
}

/// The table called `name`, if there is one.
pub(crate) fn table(name: &str) -> Option<&'static TableDef> {
    MODEL.tables.iter().find(|table| table.name == name)
}

/// The leading `-- ` lines of an SQL file without their dashes (a TOML document), and what follows
/// them.
pub(crate) fn split_header(text: &str) -> (String, &str) {
    let mut header = String::new();
    let mut rest = text;
    while let Some(line) = rest
        .split_inclusive('\n')
        .next()
        .filter(|line| line.starts_with("--"))
    {
        let content = line.strip_prefix("-- ").unwrap_or(&line[2..]);
        header.push_str(content.trim_end_matches(['\n', '\r']));
        header.push('\n');
        rest = &rest[line.len()..];
    }
    (header, rest)
}

/// The Arrow schema of `events` as queries see it.
pub(crate) fn events() -> SchemaRef {
    static EVENTS: LazyLock<SchemaRef> = LazyLock::new(|| arrow_schema("events"));
    Arc::clone(&EVENTS)
}

/// The Arrow schema of `rejects`.
pub(crate) fn rejects() -> SchemaRef {
    static REJECTS: LazyLock<SchemaRef> = LazyLock::new(|| arrow_schema("rejects"));
    Arc::clone(&REJECTS)
}

/// The Arrow schema of `sources`.
pub(crate) fn sources() -> SchemaRef {
    static SOURCES: LazyLock<SchemaRef> = LazyLock::new(|| arrow_schema("sources"));
    Arc::clone(&SOURCES)
}

fn arrow_schema(name: &str) -> SchemaRef {
    let columns = table(name).map_or(&[][..], |table| &table.columns);
    let fields: Vec<Field> = columns
        .iter()
        .filter_map(|column| {
            Some(Field::new(
                &column.name,
                data_type(&column.type_name)?,
                true,
            ))
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// The Arrow type of a documented type. Text is a view type, so that bodies need not be copied out
/// of the input.
pub(crate) fn data_type(name: &str) -> Option<DataType> {
    Some(match name {
        "string" | "json" => DataType::Utf8View,
        "int32" => DataType::Int32,
        "int64" => DataType::Int64,
        "float64" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "list<string>" => list_type(),
        "map<string,string>" => map_type(DataType::Utf8),
        "map<string,list<string>>" => map_type(list_type()),
        _ => return None,
    })
}

fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// Entries are called `key` and `value`, as Delta calls them.
fn map_type(value: DataType) -> DataType {
    let entry = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", value, true),
    ]);
    DataType::Map(
        Arc::new(Field::new("key_value", DataType::Struct(entry), false)),
        false,
    )
}
