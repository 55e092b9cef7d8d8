//! Inputs in, tables and views in the SQL catalogue out.
//!
//! `events` is resolved once a run: the raw logs ([`log`]), the Parquet files ([`parquet`]) and the
//! lakes (`lake/`) of the input, together, inside the time window. `rejects` is what could not be
//! read, `sources` the evidence of the lakes. The views come from `schemas/views`.

mod earlier;
mod log;
mod lookup;
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
use crate::lookup::LookupTables;
use crate::objects::ClusterObjects;
use crate::scan::exec::Wanted;
use crate::scan::open::OpenScan;
use crate::schema;
use crate::session;
use crate::time::Window;

/// The events of some inputs.
#[derive(Clone)]
pub(crate) struct EventInputs {
    pub(crate) logs: OpenScan,
    pub(crate) parquet: Option<ParquetInput>,
    pub(crate) lakes: Vec<LakeInput>,
    /// Rows outside it are not shown.
    pub(crate) window: Window,
}

/// What the tables of an engine are made of.
pub(crate) struct CatalogInputs {
    pub(crate) events: EventInputs,
    /// The events to compare with, if there are any.
    pub(crate) earlier: Option<EventInputs>,
    pub(crate) objects: Arc<ClusterObjects>,
    pub(crate) lookups: Arc<LookupTables>,
    /// Workers of a scan.
    pub(crate) workers: usize,
}

/// The schema of parts of tables, which `SHOW TABLES` keeps apart from the tables for users.
const PARTS: &str = "source";
/// The events before the window, which the view `earlier_requests` shows.
pub(crate) const EARLIER_EVENTS: &str = "source.earlier_events";

/// Registers `events`, `rejects`, `sources`, the lookup tables and the views.
pub(crate) async fn register(context: &SessionContext, inputs: CatalogInputs) -> Result<()> {
    let CatalogInputs {
        events,
        earlier,
        objects,
        lookups,
        workers,
    } = inputs;
    views::register(context)?;
    register_parts_schema(context)?;
    let rejected = Arc::new(LogTable::new(events.logs.clone(), Wanted::Rejects, workers));
    let mut rejects = vec![TablePart::new("log_rejects", rejected)];
    let mut sources = Vec::new();
    for (index, lake) in events.lakes.iter().enumerate() {
        if let Some(table) = &lake.rejects {
            let name = format!("lake_{index}_rejects");
            rejects.push(TablePart::new(name, Arc::clone(table)));
        }
        for (part, table) in lake.sources.iter().enumerate() {
            let name = format!("lake_{index}_sources_{part}");
            sources.push(TablePart {
                condition: Some(format!("events_version <= {}", lake.version)),
                ..TablePart::new(name, Arc::clone(table))
            });
        }
    }
    let within = condition(events.window);
    let parts = event_parts("", &events, workers, context)?;
    register_union(context, "events", schema::events(), parts, within).await?;
    let (parts, within) = match &earlier {
        Some(earlier) => (
            event_parts("earlier_", earlier, workers, context)?,
            condition(earlier.window),
        ),
        None => (Vec::new(), None),
    };
    register_union(context, EARLIER_EVENTS, schema::events(), parts, within).await?;
    register_union(context, "rejects", schema::rejects(), rejects, None).await?;
    register_union(context, "sources", schema::sources(), sources, None).await?;
    rbac::register(context, &objects)?;
    rbac_functions::register(context, &objects);
    lookup::register(context, &lookups)
}

/// The parts of a table of events; their names begin with `prefix`.
fn event_parts(
    prefix: &str,
    inputs: &EventInputs,
    workers: usize,
    context: &SessionContext,
) -> Result<Vec<TablePart>> {
    let mut parts = Vec::new();
    if !inputs.logs.plan.objects.is_empty() {
        let log = LogTable::new(inputs.logs.clone(), Wanted::Events, workers);
        parts.push(TablePart::new(format!("{prefix}log"), Arc::new(log)));
    }
    if let Some(parquet) = &inputs.parquet {
        for (name, files, is_earlier) in [
            ("parquet", &parquet.files, false),
            ("parquet_earlier", &parquet.earlier_files, true),
        ] {
            if !files.is_empty() {
                let name = format!("{prefix}{name}");
                parts.push(TablePart {
                    is_earlier,
                    ..TablePart::new(name, parquet::table(files, context)?)
                });
            }
        }
    }
    for (index, lake) in inputs.lakes.iter().enumerate() {
        let name = format!("{prefix}lake_{index}");
        if let Some(table) = &lake.events {
            parts.push(TablePart::new(name.clone(), Arc::clone(table)));
        }
        if let Some(table) = &lake.earlier_events {
            parts.push(TablePart {
                is_earlier: true,
                ..TablePart::new(format!("{name}_earlier"), Arc::clone(table))
            });
        }
    }
    Ok(parts)
}

fn register_parts_schema(context: &SessionContext) -> Result<()> {
    let config = context.copied_config();
    if let Some(catalog) = context.catalog(&config.options().catalog.default_catalog) {
        let hidden = Arc::new(MemorySchemaProvider::new());
        CatalogProvider::register_schema(&*catalog, PARTS, hidden)?;
    }
    Ok(())
}

/// Registers the tables and views over events in these Parquet files, whatever columns they have: those
/// of the window, and those before it. The other tables and the functions are those of `original`.
pub(crate) async fn register_copy(
    context: &SessionContext,
    original: &SessionContext,
    files: &[PathBuf],
    earlier_files: &[PathBuf],
) -> Result<()> {
    views::register(context)?;
    register_parts_schema(context)?;
    context.register_table("events", parquet::sorted_table(files, context)?)?;
    let earlier: Arc<dyn TableProvider> = match earlier_files {
        [] => Arc::new(MemTable::try_new(schema::events(), vec![vec![]])?),
        files => parquet::sorted_table(files, context)?,
    };
    context.register_table(EARLIER_EVENTS, earlier)?;
    let tables = schema::tables().iter().map(|table| table.name.as_str());
    let lookups = lookup_names(original);
    let names = tables.chain(lookups.iter().map(String::as_str));
    for name in names.filter(|name| *name != "events") {
        let reference = datafusion::common::TableReference::bare(name);
        let provider = original.table_provider(reference.clone()).await?;
        context.register_table(reference, provider)?;
    }
    for function in original.state().scalar_functions().values() {
        context.register_udf(function.as_ref().clone());
    }
    Ok(())
}

/// Every table of a session for users that is neither of the data model nor a view.
fn lookup_names(context: &SessionContext) -> Vec<String> {
    let config = context.copied_config();
    let options = &config.options().catalog;
    let catalog = context.catalog(&options.default_catalog);
    let known = catalog.and_then(|catalog| catalog.schema(&options.default_schema));
    let mut names = known.map(|known| known.table_names()).unwrap_or_default();
    names.retain(|name| {
        let mut of_model = schema::tables().iter().chain(schema::views());
        !of_model.any(|table| table.name == *name)
    });
    names
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
                Some(condition) => format!("SELECT * FROM ({union}) AS events WHERE {condition}"),
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
