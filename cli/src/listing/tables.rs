//! The tables, views and functions of the data model.

use anyhow::Result;
use auditql_engine::{FUNCTIONS, schema};

use super::Listing;
use crate::text::{unknown, unwrapped};

/// Every table and view.
pub(crate) fn tables() -> Listing {
    let tables = schema::tables().iter().map(|table| (table, "table"));
    let views = schema::views().iter().map(|view| (view, "view"));
    Listing {
        columns: &["name", "kind", "doc"],
        rows: tables
            .chain(views)
            .map(|(table, kind)| vec![table.name.clone(), kind.to_owned(), unwrapped(&table.doc)])
            .collect(),
    }
}

/// Every function of our own, as rows below those of [`tables`].
pub(crate) fn functions() -> impl Iterator<Item = Vec<String>> {
    FUNCTIONS.iter().map(|function| {
        vec![
            function.signature.to_owned(),
            "function".to_owned(),
            function.doc.to_owned(),
        ]
    })
}

/// The columns of a table or view: name, type, Kubernetes field, doc.
///
/// # Errors
///
/// When there is no such table or view.
pub(crate) fn columns(name: &str) -> Result<Listing> {
    let of = |tables: &'static [schema::TableDef]| tables.iter().find(|table| table.name == name);
    let (table, inherited) = match (of(schema::tables()), of(schema::views())) {
        (Some(table), _) => (table, None),
        // A view has the columns of `events` behind its own.
        (None, Some(view)) => {
            let mut tables = schema::tables().iter();
            (view, tables.find(|table| table.name == "events"))
        }
        (None, None) => {
            let names: Vec<_> = table_names().collect();
            let known = format!("known tables and views: {}", names.join(", "));
            return Err(anyhow::Error::msg(unknown(
                "table or view",
                name,
                names,
                &known,
            )));
        }
    };
    let inherited = inherited.into_iter().flat_map(|events| &events.columns);
    Ok(Listing {
        columns: &["column", "type", "path", "doc"],
        rows: table
            .columns
            .iter()
            .chain(inherited)
            .map(|column| {
                vec![
                    column.name.clone(),
                    column.type_name.clone(),
                    column.path.clone(),
                    column.doc.clone(),
                ]
            })
            .collect(),
    })
}

/// The names of every table and view.
pub(crate) fn table_names() -> impl Iterator<Item = &'static str> {
    let all = schema::tables().iter().chain(schema::views());
    all.map(|table| table.name.as_str())
}
