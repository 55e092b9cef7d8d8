//! Inputs in, tables and views in the SQL catalogue out.
//!
//! `events` is resolved once a run: the raw logs ([`log`]) and the Parquet files ([`parquet`]) of the input, together, inside the
//! time window. `rejects` is what of the raw logs could not be read. The views come from `schemas/views`.

mod log;
mod parquet;

use std::sync::Arc;

use datafusion::{
    catalog::{CatalogProvider, MemorySchemaProvider},
    datasource::{MemTable, TableProvider},
    error::Result,
    prelude::SessionContext,
};

pub(crate) use self::log::LogTable;
pub(crate) use self::parquet::ParquetInput;
use crate::{
    scan::{
        exec::{Ledger, Wanted},
        plan::ScanPlan,
    },
    schema,
};

/// The half-open interval of `stage_timestamp` that a run looks at, in microseconds since the epoch.
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
            || micros.is_some_and(|at| self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until))
    }

    /// The window as SQL.
    fn condition(self) -> Option<String> {
        // A literal of the column's own type: times as text are read as nanoseconds, which end in 2262.
        let bound = |op: &str, micros: i64| format!("stage_timestamp {op} arrow_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')");
        let terms: Vec<String> =
            self.since.map(|since| bound(">=", since)).into_iter().chain(self.until.map(|until| bound("<", until))).collect();
        (!terms.is_empty()).then(|| terms.join(" AND "))
    }
}

/// Registers `events`, `rejects` and the views.
pub(crate) async fn register(
    context: &SessionContext,
    logs: ScanPlan,
    parquet: Option<ParquetInput>,
    window: Window,
    workers: usize,
    ledger: &Ledger,
) -> Result<()> {
    let rejects = LogTable::new(logs.clone(), Wanted::Rejects, workers, Arc::clone(ledger));
    context.register_table("rejects", Arc::new(rejects))?;

    // The parts live in a schema of their own, so that `SHOW TABLES` can tell them from the tables for users.
    let mut parts: Vec<(&str, Arc<dyn TableProvider>)> = Vec::new();
    if !logs.objects.is_empty() {
        parts.push(("log", Arc::new(LogTable::new(logs, Wanted::Events, workers, Arc::clone(ledger)))));
    }
    if let Some(parquet) = parquet {
        parts.push(("parquet", parquet.table(context)?));
    }
    match (&parts[..], window.condition()) {
        ([], _) => {
            context.register_table("events", Arc::new(MemTable::try_new(schema::events(), vec![vec![]])?))?;
        }
        ([(_, only)], None) => {
            context.register_table("events", Arc::clone(only))?;
        }
        (_, condition) => {
            let source = Arc::new(MemorySchemaProvider::new());
            if let Some(catalog) = context.catalog(&context.copied_config().options().catalog.default_catalog) {
                CatalogProvider::register_schema(&*catalog, "source", source)?;
            }
            let selects: Vec<String> = parts.iter().map(|(name, _)| format!("SELECT * FROM source.{name}")).collect();
            for (name, table) in parts {
                context.register_table(format!("source.{name}"), table)?;
            }
            let union = selects.join(" UNION ALL ");
            let sql = match condition {
                Some(condition) => format!("SELECT * FROM ({union}) AS events WHERE {condition}"),
                None => union,
            };
            register_view(context, "events", &sql).await?;
        }
    }
    for view in schema::views() {
        if let Some(sql) = &view.sql {
            register_view(context, &view.name, sql).await?;
        }
    }
    Ok(())
}

async fn register_view(context: &SessionContext, name: &str, sql: &str) -> Result<()> {
    let view = context.sql(sql).await?.into_view();
    context.register_table(name, view)?;
    Ok(())
}
