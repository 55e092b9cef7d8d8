//! Raw audit logs as a table: a query's columns and filters in, a [`ScanExec`] out.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::Session,
    datasource::{TableProvider, TableType},
    error::Result,
    logical_expr::{Expr, TableProviderFilterPushDown},
    physical_plan::ExecutionPlan,
};

use crate::{
    scan::{
        exec::{Ledger, ScanExec, Wanted},
        plan::ScanPlan,
        prefilter::Prefilter,
    },
    schema,
};

/// The events, or the rejects, of the raw logs of an input.
#[derive(Debug)]
pub(crate) struct LogTable {
    plan: ScanPlan,
    wanted: Wanted,
    schema: SchemaRef,
    workers: usize,
    ledger: Ledger,
}

impl LogTable {
    pub(crate) fn new(plan: ScanPlan, wanted: Wanted, workers: usize, ledger: Ledger) -> Self {
        let schema = match wanted {
            Wanted::Events => schema::events(),
            Wanted::Rejects => schema::rejects(),
        };
        Self {
            plan,
            wanted,
            schema,
            workers,
            ledger,
        }
    }
}

#[async_trait]
impl TableProvider for LogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// What is understood is decided early and once more, exactly, by DataFusion.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match self.wanted {
            Wanted::Events if Prefilter::understands(filter) => {
                TableProviderFilterPushDown::Inexact
            }
            _ => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let prefilter = Prefilter::new(filters);
        let ledger = Arc::clone(&self.ledger);
        Ok(Arc::new(ScanExec::new(
            self.plan.clone(),
            self.wanted,
            schema,
            prefilter,
            self.workers,
            ledger,
        )))
    }
}
