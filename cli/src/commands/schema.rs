//! `schema` and `formats`: what there is to ask about, from the data model and the engine's lists.

use anyhow::{Result, bail};
use auditql_engine::{FUNCTIONS, formats as all_formats, schema};

use super::listing;
use crate::args::{Listing, Schema};

pub(super) fn schema(args: &Schema) -> Result<u8> {
    let Some(name) = &args.table else {
        let one_line = |doc: &str| doc.split_whitespace().collect::<Vec<_>>().join(" ");
        let rows: Vec<Vec<String>> = schema::tables()
            .iter()
            .map(|table| vec![table.name.clone(), "table".to_owned(), one_line(&table.doc)])
            .chain(
                schema::views()
                    .iter()
                    .map(|view| vec![view.name.clone(), "view".to_owned(), one_line(&view.doc)]),
            )
            .chain(FUNCTIONS.iter().map(|function| {
                vec![
                    function.signature.to_owned(),
                    "function".to_owned(),
                    function.doc.to_owned(),
                ]
            }))
            .collect();
        return listing(&["name", "kind", "doc"], &rows, &args.format);
    };
    let rows = columns(name)?;
    listing(&["column", "type", "path", "doc"], &rows, &args.format)
}

/// The columns of a table or view: name, type, Kubernetes field, doc.
pub(crate) fn columns(name: &str) -> Result<Vec<Vec<String>>> {
    let events = schema::tables().iter().find(|table| table.name == "events");
    let (table, inherited) = match schema::tables().iter().find(|table| table.name == name) {
        Some(table) => (table, None),
        None => match schema::views().iter().find(|view| view.name == name) {
            Some(view) => (view, events),
            None => {
                let names: Vec<&str> = schema::tables()
                    .iter()
                    .chain(schema::views())
                    .map(|table| table.name.as_str())
                    .collect();
                bail!(
                    "there is no table or view `{name}`; there are {}",
                    names.join(", ")
                );
            }
        },
    };
    let columns = table
        .columns
        .iter()
        .chain(inherited.into_iter().flat_map(|events| &events.columns));
    Ok(columns
        .map(|column| {
            vec![
                column.name.clone(),
                column.type_name.clone(),
                column.path.clone(),
                column.doc.clone(),
            ]
        })
        .collect())
}

pub(super) fn formats(args: &Listing) -> Result<u8> {
    let rows: Vec<Vec<String>> = all_formats()
        .map(|format| vec![format.name.to_owned(), format.doc.to_owned()])
        .collect();
    listing(&["format", "doc"], &rows, &args.format)
}
