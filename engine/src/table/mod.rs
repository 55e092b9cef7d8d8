//! Inputs in, tables and views in the SQL catalogue out.
//!
//! `events` is resolved once a run: the raw logs ([`log`]), the Parquet files ([`parquet`]) and the
//! lakes (`lake/`) of the input, together, inside the time window. `rejects` is what could not be
//! read, `sources` the evidence of the lakes. The views come from `schemas/views`.

mod log;
mod parquet;

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
use crate::{
    lake::LakeInput,
    scan::{
        exec::{Ledger, Wanted},
        plan::ScanPlan,
    },
    schema,
};

/// The half-open interval of `stage_timestamp` that a run looks at, in microseconds since the
/// epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub since: Option<i64>,
    /// Before.
    pub until: Option<i64>,
}

impl Window {
    /// Is there a bound at all?
    pub const fn is_bounded(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Is this time inside? No time is inside no bounded window.
    pub(crate) fn holds(&self, micros: Option<i64>) -> bool {
        !self.is_bounded()
            || micros.is_some_and(|at| {
                self.since.is_none_or(|since| at >= since)
                    && self.until.is_none_or(|until| at < until)
            })
    }

    /// The window as SQL.
    fn condition(self) -> Option<String> {
        // A literal of the column's own type: times as text are read as nanoseconds, which end in
        // 2262.
        let bound = |op: &str, micros: i64| {
            format!(
                "stage_timestamp {op} arrow_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')"
            )
        };
        let terms: Vec<String> = self
            .since
            .map(|since| bound(">=", since))
            .into_iter()
            .chain(self.until.map(|until| bound("<", until)))
            .collect();
        (!terms.is_empty()).then(|| terms.join(" AND "))
    }
}

/// Registers `events`, `rejects`, `sources` and the views.
pub(crate) async fn register(
    context: &SessionContext,
    logs: ScanPlan,
    parquet: Option<ParquetInput>,
    lakes: Vec<LakeInput>,
    window: Window,
    workers: usize,
    ledger: &Ledger,
) -> Result<()> {
    let log_rejects: Arc<dyn TableProvider> = Arc::new(LogTable::new(
        logs.clone(),
        Wanted::Rejects,
        workers,
        Arc::clone(ledger),
    ));
    let mut events: Vec<Part> = Vec::new();
    let (mut rejects, mut sources) = (
        vec![Part {
            name: "log_rejects".to_owned(),
            table: log_rejects,
            condition: None,
        }],
        Vec::new(),
    );
    if !logs.objects.is_empty() {
        let table = Arc::new(LogTable::new(
            logs,
            Wanted::Events,
            workers,
            Arc::clone(ledger),
        ));
        events.push(Part {
            name: "log".to_owned(),
            table,
            condition: None,
        });
    }
    if let Some(parquet) = parquet {
        events.push(Part {
            name: "parquet".to_owned(),
            table: parquet.table(context)?,
            condition: None,
        });
    }
    for (index, lake) in lakes.into_iter().enumerate() {
        events.push(Part {
            name: format!("lake_{index}"),
            table: lake.events,
            condition: None,
        });
        rejects.extend(lake.rejects.map(|table| Part {
            name: format!("lake_{index}_rejects"),
            table,
            condition: None,
        }));
        sources.extend(
            lake.sources
                .into_iter()
                .enumerate()
                .map(|(part, table)| Part {
                    name: format!("lake_{index}_sources_{part}"),
                    table,
                    condition: Some(format!("events_version <= {}", lake.version)),
                }),
        );
    }
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
        window.condition(),
    )
    .await?;
    register_union(context, "rejects", schema::rejects(), rejects, None).await?;
    register_union(context, "sources", schema::sources(), sources, None).await?;
    for view in schema::views() {
        if let Some(sql) = &view.sql {
            register_view(context, &view.name, sql).await?;
        }
    }
    Ok(())
}

/// A part of a table.
struct Part {
    name: String,
    table: Arc<dyn TableProvider>,
    /// Which of its rows, as SQL.
    condition: Option<String>,
}

/// Registers a table that is all of its parts. They live in a schema of their own, so that `SHOW
/// TABLES` can tell them from the tables for users.
async fn register_union(
    context: &SessionContext,
    name: &str,
    schema: SchemaRef,
    parts: Vec<Part>,
    condition: Option<String>,
) -> Result<()> {
    match (&parts[..], &condition) {
        ([], _) => {
            context.register_table(name, Arc::new(MemTable::try_new(schema, vec![vec![]])?))?;
            Ok(())
        }
        (
            [
                Part {
                    table,
                    condition: None,
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
            for Part {
                name,
                table,
                condition,
            } in parts
            {
                let wanted =
                    condition.map_or_else(String::new, |condition| format!(" WHERE {condition}"));
                selects.push(format!("SELECT * FROM source.{name}{wanted}"));
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
    let view = context.sql(sql).await?.into_view();
    context.register_table(name, view)?;
    Ok(())
}
