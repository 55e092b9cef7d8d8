//! A scan as a DataFusion plan node: partitions are workers that take pieces from one queue.

use std::{
    fmt,
    ops::ControlFlow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use datafusion::{
    arrow::{array::RecordBatch, buffer::Buffer, datatypes::SchemaRef, error::ArrowError},
    common::tree_node::TreeNodeRecursion,
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::EquivalenceProperties,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchReceiverStream,
    },
};
use tokio::sync::mpsc::Sender;

use super::{
    plan::{Piece, Planned, ScanPlan},
    prefilter::Prefilter,
    records::{Place, Sink, Source},
    report::{Accounts, Reject},
    seen::Seen,
    worker::{Collector, Newlines, Work},
};
use crate::{
    batch::{BatchBuilder, Row, rejects_batch},
    event::{Event, ReasonCache},
    source::Chunk,
};

/// The accounts of the scans that a run has started, in order.
pub(crate) type Ledger = Arc<Mutex<Vec<Arc<Accounts>>>>;

/// What a scan gives rows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Events,
    Rejects,
}

/// Reads the audit logs of a plan.
#[derive(Debug)]
pub(crate) struct ScanExec {
    plan: ScanPlan,
    wanted: Wanted,
    schema: SchemaRef,
    prefilter: Prefilter,
    properties: Arc<PlanProperties>,
    ledger: Ledger,
    /// One entry an execution of the whole node; a partition executed for the n-th time works on
    /// the n-th.
    runs: Mutex<Vec<Arc<Run>>>,
    executed: Vec<AtomicUsize>,
}

/// One execution: the queue and its state.
#[derive(Debug)]
struct Run {
    pieces: Vec<Piece>,
    next: AtomicUsize,
    newlines: Newlines,
    seen: Arc<Seen>,
    accounts: Arc<Accounts>,
}

/// Bytes of a chunk: few enough to stay in a processor's cache from the read to the last column.
const CHUNK: usize = 512 << 10;

impl ScanExec {
    pub(crate) fn new(
        plan: ScanPlan,
        wanted: Wanted,
        schema: SchemaRef,
        prefilter: Prefilter,
        workers: usize,
        ledger: Ledger,
    ) -> Self {
        let workers = workers.max(1);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(workers),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            plan,
            wanted,
            schema,
            prefilter,
            properties: Arc::new(properties),
            ledger,
            runs: Mutex::default(),
            executed: (0..workers).map(|_| AtomicUsize::new(0)).collect(),
        }
    }

    /// Are line numbers wanted?
    fn lines(&self) -> bool {
        match self.wanted {
            Wanted::Events => self.schema.index_of("source_line").is_ok(),
            Wanted::Rejects => true,
        }
    }

    /// The execution that this partition now takes part in.
    fn run(&self, partition: usize) -> Arc<Run> {
        let index = self.executed[partition].fetch_add(1, Ordering::Relaxed);
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        while runs.len() <= index {
            let pieces = self
                .plan
                .pieces(self.plan.query_range(self.executed.len()), self.lines());
            let accounts = Accounts::new(self.plan.accounts(), pieces.len());
            self.ledger
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Arc::clone(&accounts));
            runs.push(Arc::new(Run {
                next: AtomicUsize::new(0),
                newlines: Newlines::new(pieces.len()),
                seen: Arc::new(Seen::new(self.plan.options.dedup)),
                pieces,
                accounts,
            }));
        }
        Arc::clone(&runs[index])
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        write!(
            f,
            "ScanExec: {:?}, objects={}, columns=[{}]",
            self.wanted,
            self.plan.objects.len(),
            columns.join(", ")
        )?;
        write!(f, ", prefilter={:?}", self.prefilter)
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

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let run = self.run(partition);
        let batch_rows = context.session_config().batch_size();
        let mut builder = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), 2);
        let sender = builder.tx();
        let (plan, schema, prefilter, wanted) = (
            self.plan.clone(),
            Arc::clone(&self.schema),
            self.prefilter.clone(),
            self.wanted,
        );
        let lines = self.lines();
        builder.spawn_blocking(move || {
            let send = Send { sender, batch_rows };
            let result = match wanted {
                Wanted::Events => {
                    let rows = EventRows::new(
                        BatchBuilder::new(schema)?,
                        prefilter,
                        plan.options.cluster.clone(),
                        send,
                    );
                    work(&plan, &run, lines, rows)
                }
                Wanted::Rejects => work(&plan, &run, lines, RejectRows::new(schema, send)),
            };
            result.map_or(Ok(()), |error| Err(DataFusionError::from(error)))
        });
        Ok(builder.build())
    }
}

/// Takes pieces until there are none, or nobody wants more rows.
fn work<C: Rows>(plan: &ScanPlan, run: &Run, lines: bool, mut rows: C) -> Option<ArrowError> {
    let work = Work {
        objects: &plan.objects,
        options: &plan.options,
        pieces: &run.pieces,
        chunk: CHUNK,
        stores: &plan.stores,
        lines,
        counted: false,
        seen: &run.seen,
        newlines: &run.newlines,
    };
    let mut memory = Default::default();
    loop {
        let index = run.next.fetch_add(1, Ordering::Relaxed);
        let Some(piece) = run.pieces.get(index) else {
            break;
        };
        let (tally, flow) = work.run(index, &mut rows, &mut memory);
        run.accounts.merge(piece.object, tally);
        if flow.is_break() {
            return rows.error();
        }
        run.accounts.finish_piece();
    }
    let _ = rows.hand_over(true);
    rows.error()
}

/// A collector that may have failed.
trait Rows: Collector {
    fn error(self) -> Option<ArrowError>;
}

/// The way to the consumer.
struct Send {
    sender: Sender<Result<RecordBatch>>,
    batch_rows: usize,
}

impl Send {
    fn send(&self, batch: RecordBatch) -> ControlFlow<()> {
        match self.sender.blocking_send(Ok(batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

struct EventRows {
    builder: BatchBuilder,
    reasons: ReasonCache,
    prefilter: Prefilter,
    cluster: Option<String>,
    source_file: String,
    send: Send,
    error: Option<ArrowError>,
}

impl EventRows {
    fn new(
        builder: BatchBuilder,
        prefilter: Prefilter,
        cluster: Option<String>,
        send: Send,
    ) -> Self {
        Self {
            builder,
            reasons: ReasonCache::default(),
            prefilter,
            cluster,
            source_file: String::new(),
            send,
            error: None,
        }
    }
}

impl Sink for EventRows {
    fn event(&mut self, event: &Event<'_>, place: Place, source: &Source<'_>) {
        let origin = place.origin(source, &self.source_file, self.cluster.as_deref());
        let row = Row::new(event, origin, &self.reasons);
        if self.prefilter.keeps(&row)
            && let Err(error) = self.builder.push(&row)
        {
            self.error.get_or_insert(error);
        }
    }

    fn reject(&mut self, _: Reject) {}
}

impl Collector for EventRows {
    fn object(&mut self, planned: &Planned) {
        self.source_file.clone_from(&planned.object.uri);
    }

    fn chunk(&mut self, chunk: Option<&Chunk>) {
        self.builder
            .chunk(chunk.map(|chunk| Buffer::clone(&chunk.bytes)));
    }

    fn hand_over(&mut self, all: bool) -> ControlFlow<()> {
        let rows = self.builder.rows();
        if self.error.is_some() {
            return ControlFlow::Break(());
        }
        if rows == 0 || (rows < self.send.batch_rows && !all) {
            // A consumer that has gone away is noticed even where no row passes the filter.
            return if self.send.sender.is_closed() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
        }
        match self.builder.finish() {
            Ok(batch) => self.send.send(batch),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Rows for EventRows {
    fn error(self) -> Option<ArrowError> {
        self.error
    }
}

/// Rows of `rejects`.
struct RejectRows {
    schema: SchemaRef,
    source_file: String,
    rejects: Vec<(String, Reject)>,
    send: Send,
    error: Option<ArrowError>,
}

impl RejectRows {
    const fn new(schema: SchemaRef, send: Send) -> Self {
        Self {
            schema,
            source_file: String::new(),
            rejects: Vec::new(),
            send,
            error: None,
        }
    }

    fn batch(&mut self) -> Result<RecordBatch, ArrowError> {
        let batch = rejects_batch(
            self.rejects
                .drain(..)
                .map(|(file, reject)| (file, None, reject)),
        )?;
        let columns: Vec<_> = self
            .schema
            .fields()
            .iter()
            .map(|field| batch.schema().index_of(field.name()))
            .collect::<Result<_, _>>()?;
        batch.project(&columns)
    }
}

impl Sink for RejectRows {
    fn event(&mut self, _: &Event<'_>, _: Place, _: &Source<'_>) {}

    fn reject(&mut self, reject: Reject) {
        self.rejects.push((self.source_file.clone(), reject));
        // A chunk can hold hundreds of thousands. Whether anybody wants more is asked after the
        // chunk.
        if self.rejects.len() >= self.send.batch_rows {
            let _ = self.hand_over(false);
        }
    }
}

impl Collector for RejectRows {
    fn object(&mut self, planned: &Planned) {
        self.source_file.clone_from(&planned.object.uri);
    }

    fn chunk(&mut self, _: Option<&Chunk>) {}

    fn hand_over(&mut self, _: bool) -> ControlFlow<()> {
        if self.rejects.is_empty() {
            return if self.send.sender.is_closed() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
        }
        match self.batch() {
            Ok(batch) => self.send.send(batch),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Rows for RejectRows {
    fn error(self) -> Option<ArrowError> {
        self.error
    }
}
