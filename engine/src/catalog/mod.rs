//! Inputs in, tables and views in the SQL catalogue out.
//!
//! `events` is resolved once a run: the raw logs ([`log`]), the Parquet files ([`parquet`]) and the
//! lakes (`lake/`) of the input, together, inside the time window. `rejects` is what could not be
//! read, `sources` the evidence of the lakes. The views come from `schemas/views`.

mod earlier;
mod log;
mod parquet;
mod rbac;
mod rbac_functions;
mod views;

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::{CatalogProvider, MemorySchemaProvider},
    datasource::{MemTable, TableProvider},
    error::Result,
    prelude::SessionContext,
};

pub(crate) use self::log::LogTable;
pub(crate) use self::parquet::ParquetInput;
use crate::lake::LakeInput;
use crate::objects::ClusterObjects;
use crate::scan::exec::Wanted;
use crate::scan::open::OpenScan;
use crate::schema;
use crate::session;
use crate::time::Window;

/// What the tables of an engine are made of.
pub(crate) struct CatalogInputs {
    pub(crate) logs: OpenScan,
    pub(crate) parquet: Option<ParquetInput>,
    pub(crate) lakes: Vec<LakeInput>,
    pub(crate) objects: Arc<ClusterObjects>,
    /// Rows of `events` outside it are not shown.
    pub(crate) window: Window,
    /// Workers of a scan.
    pub(crate) workers: usize,
}

/// Registers `events`, `rejects`, `sources` and the views.
pub(crate) async fn register(context: &SessionContext, inputs: CatalogInputs) -> Result<()> {
    let CatalogInputs {
        logs,
        parquet,
        lakes,
        objects,
        window,
        workers,
    } = inputs;
    let is_empty = logs.plan.objects.is_empty();
    let log = |wanted| Arc::new(LogTable::new(logs.clone(), wanted, workers));
    let mut events = Vec::new();
    let mut rejects = vec![TablePart::new("log_rejects", log(Wanted::Rejects))];
    let mut sources = Vec::new();
    if !is_empty {
        events.push(TablePart::new("log", log(Wanted::Events)));
    }
    if let Some(parquet) = parquet {
        for (name, files, is_earlier) in [
            ("parquet", &parquet.files, false),
            ("parquet_earlier", &parquet.earlier_files, true),
        ] {
            if !files.is_empty() {
                events.push(TablePart {
                    is_earlier,
                    ..TablePart::new(name, parquet::table(files, context)?)
                });
            }
        }
    }
    for (index, lake) in lakes.into_iter().enumerate() {
        if let Some(table) = lake.events {
            events.push(TablePart::new(format!("lake_{index}"), table));
        }
        if let Some(table) = lake.earlier_events {
            events.push(TablePart {
                is_earlier: true,
                ..TablePart::new(format!("lake_{index}_earlier"), table)
            });
        }
        if let Some(table) = lake.rejects {
            rejects.push(TablePart::new(format!("lake_{index}_rejects"), table));
        }
        for (part, table) in lake.sources.into_iter().enumerate() {
            let name = format!("lake_{index}_sources_{part}");
            sources.push(TablePart {
                condition: Some(format!("events_version <= {}", lake.version)),
                ..TablePart::new(name, table)
            });
        }
    }
    views::register(context)?;
    let hidden = Arc::new(MemorySchemaProvider::new());
    if let Some(catalog) =
        context.catalog(&context.copied_config().options().catalog.default_catalog)
    {
        CatalogProvider::register_schema(&*catalog, "source", hidden)?;
    }
    register_union(
        context,
        "events",
        schema::events(),
        events,
        condition(window),
    )
    .await?;
    register_union(context, "rejects", schema::rejects(), rejects, None).await?;
    register_union(context, "sources", schema::sources(), sources, None).await?;
    rbac::register(context, &objects)?;
    rbac_functions::register(context, &objects);
    Ok(())
}

/// Registers the tables and views over `events` in these Parquet files, whatever columns they have;
/// the other tables are those of `original`.
pub(crate) async fn register_copy(
    context: &SessionContext,
    original: &SessionContext,
    files: &[PathBuf],
) -> Result<()> {
    views::register(context)?;
    context.register_table("events", parquet::table(files, context)?)?;
    for table in schema::tables()
        .iter()
        .filter(|table| table.name != "events")
    {
        let provider = original.table_provider(table.name.as_str()).await?;
        context.register_table(table.name.as_str(), provider)?;
    }
    Ok(())
}

/// A part of a table.
struct TablePart {
    name: String,
    table: Arc<dyn TableProvider>,
    /// Which of its rows, as SQL.
    condition: Option<String>,
    /// Are its rows those of an earlier layout of `events`?
    is_earlier: bool,
}

impl TablePart {
    /// All rows of a table.
    fn new(name: impl Into<String>, table: Arc<dyn TableProvider>) -> Self {
        Self {
            name: name.into(),
            table,
            condition: None,
            is_earlier: false,
        }
    }
}

/// Registers a table that is all of its parts. They live in a schema of their own, so that `SHOW
/// TABLES` can tell them from the tables for users.
async fn register_union(
    context: &SessionContext,
    name: &str,
    schema: SchemaRef,
    parts: Vec<TablePart>,
    condition: Option<String>,
) -> Result<()> {
    match (&parts[..], &condition) {
        ([], _) => {
            context.register_table(name, Arc::new(MemTable::try_new(schema, vec![vec![]])?))?;
            Ok(())
        }
        (
            [
                TablePart {
                    table,
                    condition: None,
                    is_earlier: false,
                    ..
                },
            ],
            None,
        ) => {
            context.register_table(name, Arc::clone(table))?;
            Ok(())
        }
        _ => {
            let mut selects = Vec::with_capacity(parts.len());
            for TablePart {
                name,
                table,
                condition,
                is_earlier,
            } in parts
            {
                let wanted =
                    condition.map_or_else(String::new, |condition| format!(" WHERE {condition}"));
                let full = format!("source.{name}");
                let select = if is_earlier {
                    earlier::select(&full)
                } else {
                    format!("SELECT * FROM {full}")
                };
                selects.push(format!("{select}{wanted}"));
                context.register_table(format!("source.{name}"), table)?;
            }
            let union = selects.join(" UNION ALL ");
            let sql = match condition {
                Some(condition) => format!("SELECT * FROM ({union}) AS {name} WHERE {condition}"),
                None => union,
            };
            register_view(context, name, &sql).await
        }
    }
}

async fn register_view(context: &SessionContext, name: &str, sql: &str) -> Result<()> {
    let plan = session::plan(context, sql).await?;
    let view = context.execute_logical_plan(plan).await?.into_view();
    context.register_table(name, view)?;
    Ok(())
}

/// The window as a condition in SQL; `None` without bounds.
fn condition(window: Window) -> Option<String> {
    // A literal of the column's own type: times as text are read as nanoseconds, which end in
    // 2262.
    let bound = |op: &str, micros: i64| {
        format!(
            "stage_timestamp {op} arrow_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')"
        )
    };
    let terms: Vec<String> = window
        .since
        .map(|since| bound(">=", since))
        .into_iter()
        .chain(window.until.map(|until| bound("<", until)))
        .collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

#[cfg(test)]
mod tests;
