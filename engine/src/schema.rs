//! The data model at run time: the texts of `auditql-schemas` in, tables with typed and documented
//! columns out.
//!
//! The Arrow schema, `DESCRIBE`, completion and the generated docs all come from here.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;

/// A table or a view: its name, its rows, and its columns in order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDef {
    /// Name in SQL.
    #[serde(default)]
    pub name: String,
    /// What a row is, and what the table is for.
    pub doc: String,
    /// The columns; a view lists only those that it adds to those of `events`.
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
    /// How Parquet files store it.
    #[serde(default)]
    pub storage: Storage,
    /// Do Parquet files have a bloom filter of its values?
    #[serde(default)]
    pub bloom: bool,
    /// The part of a row that decides the value.
    #[serde(default)]
    pub of: EventPart,
    /// What it says where the object that `path` leads into is there, but not the member.
    #[serde(default)]
    pub absent: Absent,
    /// What it gives back of the event, other than the member at `path`.
    #[serde(default)]
    pub restored: Option<Restored>,
    /// Meaning, unit, and when it is NULL.
    pub doc: String,
}

/// How a column's values lie in a Parquet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// Values repeat: a dictionary of them, and statistics.
    #[default]
    Repeated,
    /// Values hardly repeat, and a dictionary would be a second copy: statistics only.
    Unique,
    /// Long texts that nobody orders: neither dictionary nor statistics.
    Body,
}

/// The part of a row that a column is a function of: rows with the same part have the same value,
/// which is computed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventPart {
    /// The whole row.
    #[default]
    Event,
    /// `user` and `impersonatedUser`.
    User,
    /// `sourceIPs`.
    SourceIps,
    /// `annotations`.
    Annotations,
    /// The input that the row was read from, but not the position in it.
    Input,
}

/// What a column says where its member is missing in an object that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// NULL: the event does not say.
    #[default]
    Null,
    /// Empty text: the apiserver leaves out what is empty (`omitempty` in
    /// `k8s.io/apiserver/pkg/apis/audit/v1/types.go`).
    Empty,
}

/// What a column without a `path` gives back when its event is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restored {
    /// Everything that the other columns cannot hold.
    Leftovers,
}

impl ColumnDef {
    /// Is the column needed to write the event again?
    pub(crate) const fn is_restored(&self) -> bool {
        !self.path.is_empty() || self.restored.is_some()
    }
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
    model.views = in_order(model.views);
    model
});

/// The views in the order of their names, but each after those that its text names.
fn in_order(mut views: Vec<TableDef>) -> Vec<TableDef> {
    views.sort_by(|left, right| left.name.cmp(&right.name));
    let mut ordered: Vec<TableDef> = Vec::with_capacity(views.len());
    while !views.is_empty() {
        let is_ready = |view: &TableDef| {
            let sql = view.sql.as_deref().unwrap_or_default();
            let mut words = sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            !words.any(|word| {
                let mut others = views.iter().filter(|other| other.name != view.name);
                others.any(|other| other.name == word)
            })
        };
        // Views that read each other would have no order; planning them then says so.
        let next = views.iter().position(is_ready).unwrap_or(0);
        ordered.push(views.remove(next));
    }
    ordered
}

/// The tables of the data model.
pub fn tables() -> &'static [TableDef] {
    &MODEL.tables
}

/// The views over them, each after the views that it reads.
pub fn views() -> &'static [TableDef] {
    &MODEL.views
}

/// Files of the data model that could not be read, each with the reason; a test keeps this empty.
pub fn broken() -> &'static [String] {
    &MODEL.broken
}

/// The table called `name`, if there is one.
pub(crate) fn table(name: &str) -> Option<&'static TableDef> {
    MODEL.tables.iter().find(|table| table.name == name)
}

/// The columns of `events`, in order.
pub(crate) fn event_columns() -> &'static [ColumnDef] {
    table("events").map_or(&[], |table| &table.columns)
}

/// Is `name` a column of `events` that holds bodies?
pub(crate) fn is_body(name: &str) -> bool {
    let mut columns = event_columns().iter();
    columns.any(|column| column.name == name && column.storage == Storage::Body)
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

/// The Arrow schema of a table of this name; without columns if there is none.
pub(crate) fn table_schema(name: &str) -> SchemaRef {
    arrow_schema(name)
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

/// The Arrow type of a documented type. Text is a view type, so that bodies need not be copied.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_data_model_is_read() {
        assert_eq!(broken(), [""; 0]);
        assert!(!tables().is_empty() && !views().is_empty());
        for table in tables() {
            for column in &table.columns {
                let known = data_type(&column.type_name).is_some();
                assert!(
                    known,
                    "{}.{}: {}",
                    table.name, column.name, column.type_name
                );
                assert!(!column.doc.is_empty(), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn each_view_comes_after_those_that_it_reads() {
        let view = |name: &str, sql: &str| TableDef {
            name: name.to_owned(),
            doc: String::new(),
            columns: Vec::new(),
            sql: Some(sql.to_owned()),
        };
        let ordered = in_order(vec![
            view("a", "SELECT * FROM c"),
            view("b", "SELECT c_2 FROM events"),
            view("c", "SELECT c.* FROM (SELECT * FROM d) AS c"),
            view("d", "SELECT 1"),
        ]);
        let names: Vec<_> = ordered.iter().map(|view| &*view.name).collect();
        assert_eq!(names, ["b", "d", "c", "a"]);
    }

    #[test]
    fn unknown_facts_are_errors() {
        let column = "doc = ''\n[[column]]\nname = 'a'\ntype = 'json'\ndoc = ''\n";
        let read = |fact: &str| toml::from_str::<TableDef>(&format!("{column}{fact}\n"));
        let body = read("storage = 'body'").unwrap();
        assert_eq!(body.columns[0].storage, Storage::Body);
        assert_eq!(read("").unwrap().columns[0].of, EventPart::Event);
        for wrong in [
            "storage = 'short'",
            "of = 'groups'",
            "restored = 'all'",
            "blooms = true",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
