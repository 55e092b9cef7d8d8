//! The definitions of lookup tables: `queries/tables/*.toml` and those of a library of the user's own
//! in, names, typed columns and default rows out.

use std::path::Path;
use std::sync::{OnceLock, RwLock};

use serde::Deserialize;

use super::value::{LookupType, check};
use crate::error::{Error, Result};

/// A lookup table of the library.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupDefinition {
    /// Name in SQL.
    #[serde(default)]
    pub name: String,
    /// What a row says, and which queries read it.
    pub doc: String,
    /// Whether queries that read it cannot find anything while it has no rows.
    #[serde(default)]
    pub blind: bool,
    /// The columns, in the order in which `listed` compares values with them.
    #[serde(rename = "column")]
    pub columns: Vec<LookupColumn>,
    /// Rows that are always there. An empty cell is NULL.
    #[serde(default, deserialize_with = "cells")]
    pub rows: Vec<Vec<Option<String>>>,
}

/// A column of a lookup table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupColumn {
    /// Name in SQL.
    pub name: String,
    /// How its values are read and compared.
    #[serde(rename = "type")]
    pub kind: LookupType,
    /// What it says.
    pub doc: String,
}

/// Definitions of the user's own library, which were read before the library was asked for.
static ADDED: RwLock<Vec<LookupDefinition>> = RwLock::new(Vec::new());

static LIBRARY: OnceLock<(Vec<LookupDefinition>, Vec<String>)> = OnceLock::new();

fn library() -> &'static (Vec<LookupDefinition>, Vec<String>) {
    LIBRARY.get_or_init(|| {
        let mut broken = Vec::new();
        let mut tables = Vec::new();
        for (name, text) in auditql_queries::tables() {
            match LookupDefinition::parse(name, text) {
                Ok(table) => tables.push(table),
                Err(message) => broken.push(format!("tables/{name}.toml: {message}")),
            }
        }
        if let Ok(added) = ADDED.read() {
            for table in added.iter() {
                tables.retain(|known| known.name != table.name);
                tables.push(table.clone());
            }
        }
        tables.sort_by(|left, right| left.name.cmp(&right.name));
        (tables, broken)
    })
}

impl LookupDefinition {
    /// The tables of the library, by name.
    pub fn library() -> &'static [Self] {
        &library().0
    }

    /// Shipped files that could not be read, each with why; a test holds this empty.
    pub fn broken() -> &'static [String] {
        &library().1
    }

    /// Adds the definition in a file to the library, in place of one of the same name. It counts if
    /// the library was not asked for before.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is malformed.
    pub(crate) fn add(file: &Path) -> Result<()> {
        let fail = |message: String| Error::input(file.display().to_string(), message);
        let text = std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let table = Self::parse(&name, &text).map_err(fail)?;
        if let Ok(mut added) = ADDED.write() {
            added.push(table);
        }
        Ok(())
    }

    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let table: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let table = Self {
            name: name.to_owned(),
            ..table
        };
        if table.columns.is_empty() {
            return Err("there are no columns".to_owned());
        }
        for (index, row) in table.rows.iter().enumerate() {
            let fail = |message: String| format!("row {}: {message}", index + 1);
            if row.len() != table.columns.len() {
                let (cells, columns) = (row.len(), table.columns.len());
                return Err(fail(format!("{cells} cells for {columns} columns")));
            }
            for (cell, column) in row.iter().zip(&table.columns) {
                let cell = cell.as_deref();
                check(cell, column.kind).map_err(|why| fail(format!("{}: {why}", column.name)))?;
            }
        }
        Ok(table)
    }

    /// The columns with their types.
    pub(super) fn typed_columns(&self) -> Vec<(String, LookupType)> {
        let columns = self.columns.iter();
        columns
            .map(|column| (column.name.clone(), column.kind))
            .collect()
    }
}

/// Rows as text; empty cells are NULL.
fn cells<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Vec<Option<String>>>, D::Error> {
    let rows = Vec::<Vec<toml::Value>>::deserialize(deserializer)?;
    let cell = |value: toml::Value| match value {
        toml::Value::String(text) => (!text.is_empty()).then_some(text),
        other => Some(other.to_string()),
    };
    let row = |row: Vec<toml::Value>| row.into_iter().map(cell).collect();
    Ok(rows.into_iter().map(row).collect())
}
