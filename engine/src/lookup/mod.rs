//! Lookup tables: lists that queries look values up in. Definitions of the library and files of the
//! user's own in, typed rows out, as Arrow batches and as matchers.
//!
//! The library's tables (`queries/tables/*.toml`) say who and what is known: system principals, system
//! namespaces, what controllers are expected to do. A user's file adds rows to one of them, or is a
//! table of its own.
//!
//! Not responsible for: the table and the function in SQL (`catalog/lookup.rs`).

mod definition;
mod file;
mod matcher;
mod value;

use std::collections::HashMap;
use std::path::PathBuf;

use datafusion::arrow::array::RecordBatch;

pub use definition::{LookupColumn, LookupDefinition};
pub use value::LookupType;

use crate::error::{Error, Result};
use matcher::RowMatcher;

/// A table that the user gives: its name, and the file of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenTable {
    /// Name in SQL.
    pub name: String,
    /// CSV, TSV, JSON, JSON lines, YAML, or one value a line.
    pub file: PathBuf,
}

/// A lookup table with its rows.
#[derive(Debug, Clone)]
pub(crate) struct LookupTable {
    pub(crate) name: String,
    columns: Vec<(String, LookupType)>,
    rows: Vec<Vec<Option<String>>>,
}

/// The tables of a session.
#[derive(Debug, Default)]
pub(crate) struct LookupTables {
    tables: Vec<LookupTable>,
    matchers: HashMap<String, Vec<RowMatcher>>,
}

impl LookupTables {
    /// The tables of the library, with the rows that the user's files add, and those that are files
    /// alone. `taken` are names that no file can have.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, does not fit its table, or a name is taken.
    pub(crate) fn open(given: &[GivenTable], taken: impl Fn(&str) -> bool) -> Result<Self> {
        let mut tables: Vec<LookupTable> = LookupDefinition::library()
            .iter()
            .map(|definition| LookupTable {
                name: definition.name.clone(),
                columns: definition.typed_columns(),
                rows: definition.rows.clone(),
            })
            .collect();
        for GivenTable { name, file } in given {
            if taken(name) {
                let message = format!("`{name}` is a table of auditql: give it another name");
                return Err(Error::input(file.display().to_string(), message));
            }
            let known = tables.iter_mut().find(|table| table.name == *name);
            match known {
                Some(table) => file::add_rows(table, file)?,
                None => tables.push(file::read_table(name, file)?),
            }
        }
        let matchers = tables.iter().map(|table| {
            let types: Vec<LookupType> = table.columns.iter().map(|(_, kind)| *kind).collect();
            let rows = table.rows.iter();
            let rows = rows.map(|row| RowMatcher::new(row, &types)).collect();
            (table.name.clone(), rows)
        });
        Ok(Self {
            matchers: matchers.collect(),
            tables,
        })
    }

    /// The tables, each with its rows.
    ///
    /// # Errors
    ///
    /// When a value is not of its column's type; files were checked before.
    pub(crate) fn batches(&self) -> Result<Vec<(&str, RecordBatch)>> {
        let tables = self.tables.iter();
        tables
            .map(|table| {
                let batch = value::batch(&table.columns, &table.rows)?;
                Ok((table.name.as_str(), batch))
            })
            .collect()
    }

    /// Whether a table of this name has a row whose first columns match these values; `None` if there
    /// is no such table.
    pub(crate) fn is_listed(&self, name: &str, values: &[Option<&str>]) -> Option<bool> {
        let rows = self.matchers.get(name)?;
        Some(rows.iter().any(|row| row.matches(values)))
    }

    /// Whether a table has rows.
    pub(crate) fn is_empty(&self, name: &str) -> bool {
        self.matchers.get(name).is_none_or(Vec::is_empty)
    }

    /// The names of all tables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }
}

#[cfg(test)]
mod tests;
