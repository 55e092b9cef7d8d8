//! The engine that others embed: inputs in, answers and an account of every record out.
//!
//! The only room that sees files, lakes and the catalogue together. One engine answers many
//! questions at once: each [`Answer`] has an [`Account`] of its own, and cancelling one leaves the
//! others alone.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SQLOptions, SessionContext};
use futures::FutureExt;

use crate::account::{InputReport, Ledger};
use crate::catalog::{self, CatalogInputs, LogTable, ParquetInput};
use crate::error::{Error, ErrorKind, Hint, Result};
use crate::file::guard::OutputGuard;
use crate::format::{format, formats};
use crate::lake::{AsOf, LakeInput, LakeRoot};
use crate::objects::ClusterObjects;
use crate::query::answer::panicked;
use crate::query::batch_rows::batch_rows;
use crate::query::setting::check_setting;
use crate::query::{Account, Answer, SavedQuery, params};
use crate::rbac::BOOTSTRAP_VERSIONS;
use crate::rbac::RbacObjects;
use crate::scan::look::{Looked, StreamLook, look};
use crate::scan::open::OpenScan;
use crate::scan::plan::ScanOptions;
use crate::schema;
use crate::session::{self, Limits, session};
use crate::source::listing::{self, Inputs};
use crate::source::store::{StoreSettings, Stores};
use crate::temporary::TemporaryFolder;
use crate::time::{Clock, Window};

mod check;
mod copy;
mod output;
mod spool;

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
    /// May statements write, and change what limits them: DDL, DML, COPY, any `SET`?
    pub allow_writes: bool,
    /// Files that the caller writes in this run, and the lake, with a `/` at its end: none of them
    /// may be an input or another output.
    pub outputs: Vec<PathBuf>,
    /// Dates what is written to a lake.
    pub clock: Clock,
    /// The version of Kubernetes, 1.`kubernetes_minor`, whose own roles and bindings are laid under
    /// manifests that have none of them.
    pub kubernetes_minor: u32,
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
            outputs: Vec::new(),
            clock: Clock::system(),
            kubernetes_minor: *BOOTSTRAP_VERSIONS.end(),
        }
    }
}

impl Options {
    fn scan(&self) -> Result<ScanOptions> {
        let format = self.format.as_deref().map(|name| {
            format(name)
                .map(|format| format.name().to_owned())
                .ok_or_else(|| {
                    let known: Vec<_> = formats().map(|format| format.name).collect();
                    let message = format!("unknown format; known formats: {}", known.join(", "));
                    Error::input(name, message)
                })
        });
        Ok(ScanOptions {
            max_record: self.max_record.clamp(64, 1 << 30),
            cluster: self.cluster.clone(),
            dedup: self.dedup,
            format: format.transpose()?,
        })
    }

    fn limits(&self) -> Limits {
        Limits {
            threads: self.threads,
            memory: self.memory,
        }
    }
}

/// Inputs that questions can be asked about.
pub struct Engine {
    context: SessionContext,
    options: Options,
    logs: OpenScan,
    /// Is a lake among the inputs?
    has_lakes: bool,
    /// Were folders of days outside the window left out?
    is_pruned: bool,
    /// The Parquet files and lakes of the input.
    known: Arc<[InputReport]>,
    /// The Kubernetes objects of the input.
    objects: Arc<ClusterObjects>,
    /// The files that they are from.
    manifests: Arc<[InputReport]>,
    /// Temporary copies of Parquet files from stores.
    _copies: Option<TemporaryFolder>,
    /// Knows what may be written.
    guard: OutputGuard,
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
    /// When an input does not exist, or is one of the outputs. What cannot be read is no error: it
    /// is counted.
    pub async fn open(options: Options) -> Result<Self> {
        let runtime = tokio::runtime::Handle::current();
        let stores = Arc::new(Stores::new(options.stores.clone(), runtime));
        let Inputs {
            objects,
            failures,
            lakes,
            pruned,
        } = listing::list(&options.inputs, &stores, options.window).await?;
        if let (Some(_), true) = (options.as_of, lakes.is_empty()) {
            let message = "none of the inputs is a lake, and only lakes have versions";
            return Err(ErrorKind::Options(message.to_owned()).into());
        }
        let guard = OutputGuard::new(&objects, &options.outputs)?;
        let (scan, for_looking) = (options.scan()?, Arc::clone(&stores));
        let minor = options.kubernetes_minor;
        // Looking at first bytes blocks.
        let looked = tokio::task::spawn_blocking(move || {
            let stores = Arc::clone(&for_looking);
            let Looked {
                logs,
                parquet,
                manifests,
            } = look(objects, failures, scan, stores, StreamLook::Taken);
            let objects = ClusterObjects::read(manifests, &for_looking, minor);
            (logs, ParquetInput::open(parquet, &for_looking), objects)
        });
        let (logs, mut parquet, mut objects) = looked.await.map_err(|error| {
            ErrorKind::Internal(format!("looking at the inputs failed: {error}"))
        })?;
        let mut known = Vec::new();
        let copies = parquet.as_mut().and_then(|parquet| {
            known.append(&mut parquet.accounts);
            parquet.copies.take()
        });
        let context = session(&options.limits())?;
        let mut opened = Vec::with_capacity(lakes.len());
        for (index, lake) in lakes.iter().enumerate() {
            let root = LakeRoot::of(lake, &stores).await?;
            let lake = LakeInput::open(&root, index, options.as_of, &context).await?;
            known.push(lake.account.clone());
            opened.push(lake);
        }
        let manifests = std::mem::take(&mut objects.accounts).into();
        let objects = Arc::new(objects);
        let inputs = CatalogInputs {
            objects: Arc::clone(&objects),
            logs: logs.clone(),
            parquet,
            lakes: opened,
            window: options.window,
            workers: options.threads,
        };
        catalog::register(&context, inputs).await?;
        Ok(Self {
            context,
            options,
            logs,
            has_lakes: !lakes.is_empty(),
            is_pruned: pruned > 0,
            known: known.into(),
            objects,
            manifests,
            guard,
            _copies: copies,
        })
    }

    /// Opens one lake, and nothing else.
    ///
    /// # Errors
    ///
    /// When there is none of this name.
    pub async fn open_lake(options: Options, lake: &str) -> Result<Self> {
        let runtime = tokio::runtime::Handle::current();
        let stores = Stores::new(options.stores.clone(), runtime);
        crate::lake::check(lake, &stores).await?;
        Self::open(Options {
            inputs: vec![lake.to_owned()],
            ..options
        })
        .await
    }

    /// Answers one SQL statement.
    ///
    /// # Errors
    ///
    /// When it does not parse or plan, or would write and may not.
    pub async fn sql(&self, sql: &str) -> Result<Answer> {
        self.sql_on(sql, &self.account()).await
    }

    /// As [`Self::sql`], on an account that was made before: it can be followed, or cancelled, while
    /// the statement is planned.
    ///
    /// # Errors
    ///
    /// As [`Self::sql`].
    pub async fn sql_on(&self, sql: &str, account: &Account) -> Result<Answer> {
        self.bound(sql, HashMap::new(), account.clone()).await
    }

    /// Answers a saved query; `given` are values for its parameters.
    ///
    /// # Errors
    ///
    /// When a parameter does not fit its declaration.
    pub async fn run(&self, query: &SavedQuery, given: &[(String, String)]) -> Result<Answer> {
        self.run_on(query, given, &self.account()).await
    }

    /// As [`Self::run`], on an account that was made before.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub async fn run_on(
        &self,
        query: &SavedQuery,
        given: &[(String, String)],
        account: &Account,
    ) -> Result<Answer> {
        let values = params::bind(&query.id, &query.parameters, given)?;
        self.bound(&query.sql, values, account.clone()).await
    }

    /// Answers one SQL statement with these values for its parameters, on this account.
    async fn bound(
        &self,
        sql: &str,
        values: HashMap<String, ScalarValue>,
        account: Account,
    ) -> Result<Answer> {
        // A panic inside DataFusion is an error of this query, not the end of the program.
        let work = AssertUnwindSafe(async {
            let mut plan = session::plan(&self.context, sql).await?;
            if !values.is_empty() {
                plan = plan.with_param_values(ParamValues::from(values))?;
            }
            self.answer(plan, account).await
        });
        let caught = work.catch_unwind().await;
        caught.unwrap_or_else(|panic| Err(panicked(&*panic)))
    }

    async fn answer(&self, plan: LogicalPlan, account: Account) -> Result<Answer> {
        let options = SQLOptions::new()
            .with_allow_ddl(self.options.allow_writes)
            .with_allow_dml(self.options.allow_writes)
            .with_allow_statements(true);
        if options.verify_plan(&plan).is_err() {
            let message = "the statement would write, and this engine only reads";
            return Err(ErrorKind::ReadOnly(message.to_owned()).into());
        }
        if !self.options.allow_writes {
            check_setting(&plan)?;
        }
        let tables = tables_of(&plan)?;
        if self.options.inputs.is_empty()
            && let Some(table) = tables.iter().find(|table| is_of_input(table))
        {
            let message = format!("there is no input, and the statement reads the table {table}");
            return Err(Error::from(ErrorKind::Options(message)).with_hint(Hint::GiveInput));
        }
        // Where folders of other days were left out, there is more than was looked at.
        if tables.contains("events") && !self.is_pruned {
            account.ledger.note_events();
        }
        let (plan, files) = self.redirect_copies(plan)?;
        let optimized = self.context.state().optimize(&plan)?;
        if scans_of(&optimized)? > 1 {
            self.spool_streams()?;
        }
        let batch_rows = batch_rows(&optimized, &self.options.limits())?;
        // The ledger travels in the session's configuration: scans find it when they are planned
        // and executed.
        let ledger = Arc::clone(&account.ledger);
        let context = match &plan {
            // `SET` and `PREPARE` change the session itself.
            LogicalPlan::Statement(_) => self.context.clone(),
            _ => self.counted(&ledger),
        };
        let frame = context.execute_logical_plan(plan).await?;
        let (mut state, plan) = frame.into_parts();
        state.config_mut().set_extension(ledger);
        if let Some(rows) = batch_rows {
            // One sort has all the memory, where several would each take it from the merge of them.
            let config = state.config_mut();
            *config = config
                .clone()
                .with_batch_size(rows)
                .with_repartition_sorts(false);
        }
        let stream = DataFrame::new(state, plan).execute_stream().await?;
        Ok(Answer::new(stream, account).with_files(files))
    }

    /// The session with a ledger. Tables and views are the same.
    fn counted(&self, ledger: &Arc<Ledger>) -> SessionContext {
        let mut state = self.context.state();
        state.config_mut().set_extension(Arc::clone(ledger));
        SessionContext::new_with_state(state)
    }

    /// Makes what stdin and pipes hold readable more than once. Whoever asks several questions
    /// about them calls this before the first.
    ///
    /// # Errors
    ///
    /// When a temporary file cannot be written, or a question has read a stream already.
    pub fn spool_streams(&self) -> Result<()> {
        self.logs.spool_streams()
    }

    /// An account of which nothing is read yet: for a conversion, which takes it along.
    pub fn account(&self) -> Account {
        Account::new(
            self.logs.clone(),
            Arc::clone(&self.known),
            Arc::clone(&self.manifests),
        )
    }

    /// The RBAC objects of the inputs, and the account of a question about them.
    ///
    /// # Errors
    ///
    /// When they look like those of two clusters.
    pub fn rbac_objects(&self, account: &Account) -> Result<&RbacObjects> {
        account.ledger.note_objects();
        self.objects.of_one_cluster()
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

/// The names of the tables that a plan reads, those behind views among them. What `EXPLAIN` explains
/// is not read.
fn tables_of(plan: &LogicalPlan) -> Result<HashSet<String>> {
    let mut tables = HashSet::new();
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::Explain(_) => return Ok(TreeNodeRecursion::Jump),
            LogicalPlan::TableScan(scan) => {
                tables.insert(scan.table_name.table().to_owned());
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(tables)
}

/// Is this a table of what the inputs hold?
fn is_of_input(table: &str) -> bool {
    schema::tables().iter().any(|known| known.name == table)
}

/// How often an optimized plan reads the raw logs.
fn scans_of(plan: &LogicalPlan) -> Result<usize> {
    let mut scans = 0;
    plan.apply_with_subqueries(|node| {
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

#[cfg(test)]
mod tests;
