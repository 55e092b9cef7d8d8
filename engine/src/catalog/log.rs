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

use crate::scan::exec::{ScanExec, Wanted};
use crate::scan::open::OpenScan;
use crate::scan::prefilter::Prefilter;
use crate::schema;

/// The events, or the rejects, of the raw logs of an input.
#[derive(Debug)]
pub(crate) struct LogTable {
    scan: OpenScan,
    wanted: Wanted,
    schema: SchemaRef,
    workers: usize,
}

impl LogTable {
    pub(crate) fn new(scan: OpenScan, wanted: Wanted, workers: usize) -> Self {
        let schema = match wanted {
            Wanted::Events => schema::events(),
            Wanted::Rejects => schema::rejects(),
        };
        Self {
            scan,
            wanted,
            schema,
            workers,
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
        Ok(Arc::new(ScanExec::new(
            self.scan.clone(),
            self.wanted,
            schema,
            prefilter,
            self.workers,
        )))
    }
}
