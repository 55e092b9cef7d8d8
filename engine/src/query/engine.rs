//! The engine that others embed: inputs in, answers and an account of every record out.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    common::{ParamValues, ScalarValue, tree_node::TreeNodeRecursion},
    datasource::source_as_provider,
    error::DataFusionError,
    execution::SendableRecordBatchStream,
    logical_expr::LogicalPlan,
    physical_plan::stream::RecordBatchStreamAdapter,
    prelude::{SQLOptions, SessionContext},
};
use futures::{FutureExt, Stream, StreamExt};

use super::{
    params,
    saved::SavedQuery,
    session::{Limits, session},
};
use crate::{
    Error, ErrorKind, Result,
    format::{Format, format, formats},
    lake::{AsOf, LakeInput, Root, Share, Skipped},
    scan::{
        exec::Ledger,
        plan::{ScanOptions, ScanPlan},
        report::{InputReport, ScanReport},
        worker,
    },
    source::{
        Location,
        listing::{self, Inputs},
        store::{StoreSettings, Stores},
    },
    table::{self, LogTable, ParquetInput, Window},
};

/// What an engine is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files, folders, globs, `-` for stdin.
    pub inputs: Vec<String>,
    /// Look only at events of this window.
    pub window: Window,
    /// The content of `cluster` where the input does not name one.
    pub cluster: Option<String>,
    /// Leave out events that were delivered twice.
    pub dedup: bool,
    /// The name of the only format to look for; otherwise each record's is found out.
    pub format: Option<String>,
    /// The version of lakes to look at; otherwise the newest.
    pub as_of: Option<AsOf>,
    /// Credentials and endpoints of object stores.
    pub stores: StoreSettings,
    /// The longest record in bytes; longer ones are rejected.
    pub max_record: usize,
    /// Worker threads.
    pub threads: usize,
    /// Bytes that sorts, joins and aggregations may hold before they spill to disk.
    pub memory: usize,
    /// Decompressed bytes of the input that are committed to a lake at once, roughly: what is done
    /// again after a kill, and what is held in memory to know events that come twice.
    pub transaction: u64,
    /// May statements write: DDL, DML, COPY?
    pub allow_writes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            inputs: Vec::new(),
            window: Window::default(),
            cluster: None,
            dedup: false,
            format: None,
            as_of: None,
            stores: StoreSettings::default(),
            max_record: 16 << 20,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory: 1 << 30,
            transaction: 2 << 30,
            allow_writes: false,
        }
    }
}

/// Inputs that questions can be asked about.
pub struct Engine {
    context: SessionContext,
    pub(crate) options: Options,
    pub(crate) logs: ScanPlan,
    /// The Parquet files and lakes of the input.
    parquet: Vec<InputReport>,
    /// What the scans of each lake left out.
    skipped: Vec<Arc<Skipped>>,
    /// Temporary copies of Parquet files from stores.
    _copies: Vec<tempfile::TempPath>,
    ledger: Ledger,
    cancelled: AtomicBool,
    /// Paths of the inputs, so that an output is never one of them.
    pub(crate) input_paths: Vec<PathBuf>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Lists the inputs, looks at their first bytes, and registers the tables and views.
    ///
    /// # Errors
    ///
    /// When an input does not exist. What cannot be read is no error: it is counted.
    pub async fn open(options: Options) -> Result<Self> {
        let stores = Arc::new(Stores::new(
            options.stores.clone(),
            tokio::runtime::Handle::current(),
        ));
        let Inputs {
            objects,
            failures,
            lakes,
        } = listing::list(&options.inputs, &stores, options.window).await?;
        if let (Some(_), true) = (options.as_of, lakes.is_empty()) {
            return Err(Error::input(
                "--as-of",
                "none of the inputs is a lake, and only lakes have versions",
            ));
        }
        let lake_stores = Arc::clone(&stores);
        let input_paths = objects.iter().filter_map(|object| match &object.location {
            Location::File(path) => path.canonicalize().ok(),
            Location::Held(_) | Location::Stdin | Location::Store(_) => None,
        });
        let input_paths = input_paths.collect();
        let format = options.format.as_deref().map(|name| {
            let known = || {
                formats()
                    .map(|format| format.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            format(name)
                .map(Format::name)
                .ok_or_else(|| Error::input(name, format!("is no format; there are {}", known())))
        });
        let scan = ScanOptions {
            max_record: options.max_record.clamp(64, 1 << 30),
            cluster: options.cluster.clone(),
            dedup: options.dedup,
            format: format.transpose()?,
        };
        // Looking at first bytes blocks.
        let looked = tokio::task::spawn_blocking(move || {
            let (logs, parquet) = ScanPlan::new(objects, failures, scan, Arc::clone(&stores));
            (logs, ParquetInput::open(parquet, &stores))
        });
        let (logs, mut parquet) = looked.await.map_err(|error| {
            ErrorKind::Internal(format!("looking at the inputs failed: {error}"))
        })?;
        let copies = parquet
            .as_mut()
            .map_or_else(Vec::new, |parquet| std::mem::take(&mut parquet.copies));
        let mut accounts = parquet
            .as_ref()
            .map_or_else(Vec::new, |parquet| parquet.accounts.clone());
        let context = session(&Limits {
            threads: options.threads,
            memory: options.memory,
        })?;
        let ledger: Ledger = Arc::default();
        let mut opened = Vec::with_capacity(lakes.len());
        for (index, lake) in lakes.iter().enumerate() {
            opened.push(
                LakeInput::open(
                    &Root::of(lake, &lake_stores).await?,
                    index,
                    options.as_of,
                    &context,
                )
                .await?,
            );
        }
        accounts.extend(opened.iter().map(|lake| lake.account.clone()));
        let skipped = opened
            .iter()
            .map(|lake| Arc::clone(&lake.skipped))
            .collect();
        table::register(
            &context,
            logs.clone(),
            parquet,
            opened,
            options.window,
            options.threads,
            &ledger,
        )
        .await?;
        Ok(Self {
            context,
            options,
            logs,
            skipped,
            parquet: accounts,
            ledger,
            cancelled: AtomicBool::new(false),
            input_paths,
            _copies: copies,
        })
    }

    /// Answers one SQL statement.
    ///
    /// # Errors
    ///
    /// When it does not parse or plan, or would write and may not.
    pub async fn sql(&self, sql: &str) -> Result<Answer> {
        self.guarded(async {
            let plan = self.context.state().create_logical_plan(sql).await?;
            self.answer(plan).await
        })
        .await
    }

    /// Answers a saved query; `given` are values for its parameters.
    ///
    /// # Errors
    ///
    /// When a parameter does not fit its declaration.
    pub async fn run(&self, query: &SavedQuery, given: &[(String, String)]) -> Result<Answer> {
        self.bound(
            &query.sql,
            params::bind(&query.id, &query.parameters, given)?,
        )
        .await
    }

    /// Answers one SQL statement with these values for its parameters.
    ///
    /// # Errors
    ///
    /// As [`Self::sql`].
    pub(crate) async fn bound(
        &self,
        sql: &str,
        values: HashMap<String, ScalarValue>,
    ) -> Result<Answer> {
        self.guarded(async {
            let plan = self.context.state().create_logical_plan(sql).await?;
            let plan = plan.with_param_values(ParamValues::from(values))?;
            self.answer(plan).await
        })
        .await
    }

    /// Makes what stdin and pipes hold readable more than once: a shell asks many questions about
    /// it.
    ///
    /// # Errors
    ///
    /// When a temporary file cannot be written.
    pub fn spool_streams(&self) -> Result<()> {
        self.logs
            .objects
            .iter()
            .filter(|planned| planned.is_stream())
            .try_for_each(|planned| worker::spool(planned, &self.logs.stores))
    }

    async fn answer(&self, plan: LogicalPlan) -> Result<Answer> {
        let options = SQLOptions::new()
            .with_allow_ddl(self.options.allow_writes)
            .with_allow_dml(self.options.allow_writes)
            .with_allow_statements(true);
        if let Err(error) = options.verify_plan(&plan) {
            let message = Error::from(error).to_string();
            return Err(ErrorKind::ReadOnly(format!(
                "{message}; statements that write need --allow-writes"
            ))
            .into());
        }
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        if self.scans_of(&plan)? > 1 {
            self.spool_streams()?;
        }
        let frame = self.context.execute_logical_plan(plan).await?;
        let stream = frame.execute_stream().await?;
        Ok(Answer {
            schema: stream.schema(),
            stream,
            failed: false,
        })
    }

    /// How often the plan reads the raw logs.
    fn scans_of(&self, plan: &LogicalPlan) -> Result<usize> {
        let optimized = self.context.state().optimize(plan)?;
        let mut scans = 0;
        optimized.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node
                && let Ok(provider) = source_as_provider(&scan.source)
                && (provider.as_ref() as &dyn std::any::Any).is::<LogTable>()
            {
                scans += 1;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(scans)
    }

    /// A panic inside DataFusion is an error of this query, not the end of the program.
    async fn guarded<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        AssertUnwindSafe(work)
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| Err(panicked(&*panic)))
    }

    /// What the last answer read of the input so far. Rows are counted once, however often a query
    /// reads them.
    pub fn report(&self) -> ScanReport {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let reports: Vec<_> = ledger.iter().map(|accounts| accounts.report()).collect();
        let complete = reports.iter().position(|report| !report.partial);
        let furthest = (0..reports.len()).max_by_key(|&index| reports[index].total.read());
        let mut report = complete
            .or(furthest)
            .map(|index| reports[index].clone())
            .unwrap_or_default();
        if !ledger.is_empty() || self.logs.objects.is_empty() {
            for input in &self.parquet {
                let mut tally = input.tally.clone();
                tally.samples.clear();
                report.total.merge(tally);
                report.inputs.push(input.clone());
            }
        }
        worker::locate_samples(&self.logs, &mut report);
        report
    }

    /// Stops a conversion at the next opportunity; nothing is left of it. A query is stopped by
    /// dropping its [`Answer`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) const fn cancelled(&self) -> &AtomicBool {
        &self.cancelled
    }

    /// How far the running scan is: pieces of work finished, and in all. `None` before it begins.
    pub fn progress(&self) -> Option<(u64, u64)> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger
            .iter()
            .map(|accounts| accounts.progress())
            .reduce(|a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// What has gone over the network: requests, and bytes received.
    pub fn traffic(&self) -> (u64, u64) {
        let traffic = self.logs.stores.traffic();
        (traffic.requests(), traffic.bytes())
    }

    /// How many data files of lakes the questions since the last call had before them, and how many
    /// were left out unopened.
    pub fn skipped(&self) -> Share {
        self.skipped
            .iter()
            .map(|skipped| skipped.take())
            .fold(Share::default(), |all, share| all.and(share))
    }

    /// Is any of the input Parquet, or a lake?
    pub(crate) fn has_parquet(&self) -> bool {
        !self.parquet.is_empty()
    }

    /// One of the inputs that are Parquet.
    pub(crate) fn first_parquet(&self) -> Option<&str> {
        self.parquet.first().map(|input| input.uri.as_str())
    }

    /// Adds a finished scan that did not go through SQL to the account.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The session, for tables of one's own.
    pub const fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Names that a shell can complete: tables, columns, functions.
    pub fn names(&self) -> Vec<String> {
        let state = self.context.state();
        let mut names: HashSet<String> = state.scalar_functions().keys().cloned().collect();
        names.extend(state.aggregate_functions().keys().cloned());
        names.extend(state.window_functions().keys().cloned());
        for table in crate::schema::tables().iter().chain(crate::schema::views()) {
            names.insert(table.name.clone());
            names.extend(table.columns.iter().map(|column| column.name.clone()));
        }
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort();
        names
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ErrorKind::Internal(format!("the query engine failed: {message}")).into()
}

/// The rows of an answer, as they come.
pub struct Answer {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    failed: bool,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// Rows that are there already.
    pub(crate) fn of(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        let stream = futures::stream::iter(batches.into_iter().map(Ok::<_, DataFusionError>));
        Self {
            stream: Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), stream)),
            schema,
            failed: false,
        }
    }

    /// The columns.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// All rows.
    ///
    /// # Errors
    ///
    /// When the query fails while it runs.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }
}

impl Stream for Answer {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.failed {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        match std::panic::catch_unwind(AssertUnwindSafe(|| this.stream.poll_next_unpin(context))) {
            Ok(Poll::Ready(Some(Err(error)))) => {
                this.failed = true;
                Poll::Ready(Some(Err(error.into())))
            }
            Ok(poll) => poll.map(|item| item.map(|batch| batch.map_err(Error::from))),
            Err(panic) => {
                this.failed = true;
                Poll::Ready(Some(Err(panicked(&*panic))))
            }
        }
    }
}
