//! A scan as a DataFusion plan node: partitions are workers that take pieces from one queue.
//!
//! The account goes to the [`Ledger`] of the question, which travels in the session's configuration;
//! times and counts go to the node's metrics, which `EXPLAIN ANALYZE` shows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
};
use parking_lot::Mutex;

use super::job::{CHUNK, Job, LineCount};
use super::metrics::ScanMetrics;
use super::open::OpenScan;
use super::prefilter::Prefilter;
use super::rows::{BatchSender, EventRows, RejectRows};
use super::shared::SharedState;
use crate::account::Ledger;
use crate::column::BatchBuilder;
use crate::record::seen::SeenEvents;

/// What a scan gives rows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Events,
    Rejects,
}

/// Reads the audit logs of a plan.
#[derive(Debug)]
pub(crate) struct ScanExec {
    scan: OpenScan,
    wanted: Wanted,
    schema: SchemaRef,
    prefilter: Prefilter,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    /// One entry an execution of the whole node; a partition executed for the n-th time works on
    /// the n-th.
    jobs: Mutex<Vec<Arc<Job>>>,
    executed: Vec<AtomicUsize>,
}

impl ScanExec {
    pub(crate) fn new(
        scan: OpenScan,
        wanted: Wanted,
        schema: SchemaRef,
        prefilter: Prefilter,
        workers: usize,
    ) -> Self {
        let workers = workers.max(1);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(workers),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            scan,
            wanted,
            schema,
            prefilter,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            jobs: Mutex::default(),
            executed: (0..workers).map(|_| AtomicUsize::new(0)).collect(),
        }
    }

    fn lines(&self) -> LineCount {
        match self.wanted {
            Wanted::Events if self.schema.index_of("source_line").is_err() => LineCount::None,
            _ => LineCount::ByWorkers,
        }
    }

    /// The execution that this partition now takes part in.
    fn job(&self, partition: usize, context: &TaskContext) -> Arc<Job> {
        let index = self.executed[partition].fetch_add(1, Ordering::Relaxed);
        let mut jobs = self.jobs.lock();
        while jobs.len() <= index {
            // A session that is not ours has no ledger: its questions are counted for nobody.
            let ledger: Arc<Ledger> = context.session_config().get_extension().unwrap_or_default();
            let plan = &self.scan.plan;
            let lines = self.lines();
            let range = plan.query_range(self.executed.len());
            let pieces = plan.pieces(range, lines != LineCount::None);
            let account =
                ledger.begin_scan(plan.accounts(), pieces.len(), plan.options.is_baseline);
            let shared = SharedState::new(pieces.len(), SeenEvents::new(plan.options.dedup));
            let job = Job::new(self.scan.clone(), pieces, shared, account, ledger);
            jobs.push(Arc::new(job.counting(lines)));
        }
        Arc::clone(&jobs[index])
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.schema.fields().iter();
        let columns: Vec<_> = fields.map(|field| field.name().as_str()).collect();
        write!(
            f,
            "ScanExec: {:?}, objects={}, columns=[{}], prefilter={:?}",
            self.wanted,
            self.scan.plan.objects.len(),
            columns.join(", "),
            self.prefilter
        )
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let job = self.job(partition, &context);
        let batch_rows = context.session_config().batch_size();
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), 2);
        let consumer = BatchSender {
            sender: stream.tx(),
            batch_rows,
            batch_bytes: batch_bytes(&context),
        };
        let metrics = ScanMetrics::new(&self.metrics, partition);
        let (schema, prefilter, wanted) = (
            Arc::clone(&self.schema),
            self.prefilter.clone(),
            self.wanted,
        );
        stream.spawn_blocking(move || {
            let metrics = Some(&metrics);
            let worked = match wanted {
                Wanted::Events => {
                    let cluster = job.scan.plan.options.cluster.clone();
                    let builder = BatchBuilder::new(schema)?;
                    let mut rows = EventRows::new(builder, prefilter, cluster, consumer);
                    job.work(&mut rows, metrics)
                }
                Wanted::Rejects => job.work(&mut RejectRows::new(schema, consumer), metrics),
            };
            worked.map_err(DataFusionError::from)
        });
        Ok(stream.build())
    }
}

/// Bytes of a batch: an operator that spills has to hold several.
fn batch_bytes(context: &TaskContext) -> usize {
    const MOST: usize = 16 << 20;
    let threads = context.session_config().target_partitions().max(1);
    match context.memory_pool().memory_limit() {
        MemoryLimit::Finite(bytes) => (bytes / threads / 32).clamp(CHUNK, MOST),
        _ => MOST,
    }
}
