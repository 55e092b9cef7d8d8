//! A scan that says in `EXPLAIN` how many files were left out: a scan in, the same scan out.
//!
//! It stands inside DataFusion's `DataSourceExec`, where no optimizer rule looks: all that rules
//! and execution ask for is passed on, and what they make of the source is wrapped again.

use std::{any::Any, fmt, sync::Arc};

use datafusion::{
    common::{Statistics, config::ConfigOptions, tree_node::TreeNodeRecursion},
    datasource::source::{DataSource, DataSourceExec, OpenArgs},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{
        EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr,
        projection::ProjectionExprs,
    },
    physical_plan::{
        DisplayFormatType, ExecutionPlan, SortOrderPushdownResult, execution_plan::SchedulingType,
        filter_pushdown::FilterPushdownPropagation, metrics::ExecutionPlanMetricsSet,
    },
};

use crate::account::FileShare;

/// The scan `plan`, which shows `share`. A plan that is no scan stays as it is.
pub(super) fn with_share(plan: Arc<dyn ExecutionPlan>, share: FileShare) -> Arc<dyn ExecutionPlan> {
    match plan.downcast_ref::<DataSourceExec>() {
        Some(scan) => DataSourceExec::from_data_source(ShownScan {
            source: Arc::clone(scan.data_source()),
            share,
        }),
        None => plan,
    }
}

#[derive(Debug)]
struct ShownScan {
    source: Arc<dyn DataSource>,
    share: FileShare,
}

impl ShownScan {
    fn around(&self, source: Arc<dyn DataSource>) -> Arc<dyn DataSource> {
        Arc::new(Self {
            source,
            share: self.share,
        })
    }
}

impl DataSource for ShownScan {
    fn open(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.source.open(partition, context)
    }

    fn open_with_args(&self, args: OpenArgs) -> Result<SendableRecordBatchStream> {
        self.source.open_with_args(args)
    }

    fn create_sibling_state(&self, config: &ConfigOptions) -> Option<Arc<dyn Any + Send + Sync>> {
        self.source.create_sibling_state(config)
    }

    fn fmt_as(&self, format: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FileShare {
            files,
            skipped_files,
            bytes,
            skipped_bytes,
            unchecked_files: _,
        } = self.share;
        let (kept, kept_bytes) = (files - skipped_files, bytes - skipped_bytes);
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(
                    out,
                    "lake_files={kept} of {files}, lake_bytes={kept_bytes} of {bytes}, "
                )?;
            }
            DisplayFormatType::TreeRender => {
                writeln!(out, "lake_files={kept} of {files}")?;
                writeln!(out, "lake_bytes={kept_bytes} of {bytes}")?;
            }
        }
        self.source.fmt_as(format, out)
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        let source = self.source.repartitioned(
            target_partitions,
            repartition_file_min_size,
            output_ordering,
        )?;
        Ok(source.map(|source| self.around(source)))
    }

    fn output_partitioning(&self) -> Partitioning {
        self.source.output_partitioning()
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        self.source.eq_properties()
    }

    fn scheduling_type(&self) -> SchedulingType {
        self.source.scheduling_type()
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        self.source.partition_statistics(partition)
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        self.source
            .with_fetch(limit)
            .map(|source| self.around(source))
    }

    fn fetch(&self) -> Option<usize> {
        self.source.fetch()
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        self.source.metrics()
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        Ok(self
            .source
            .try_swapping_with_projection(projection)?
            .map(|source| self.around(source)))
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn DataSource>>> {
        let FilterPushdownPropagation {
            filters,
            updated_node,
        } = self.source.try_pushdown_filters(filters, config)?;
        Ok(FilterPushdownPropagation {
            filters,
            updated_node: updated_node.map(|source| self.around(source)),
        })
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
    ) -> Result<SortOrderPushdownResult<Arc<dyn DataSource>>> {
        Ok(self
            .source
            .try_pushdown_sort(order)?
            .map(|source| self.around(source)))
    }

    fn with_preserve_order(&self, preserve_order: bool) -> Option<Arc<dyn DataSource>> {
        self.source
            .with_preserve_order(preserve_order)
            .map(|source| self.around(source))
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.source.apply_expressions(visit)
    }

    fn with_new_state(&self, state: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn DataSource>> {
        self.source
            .with_new_state(state)
            .map(|source| self.around(source))
    }
}
