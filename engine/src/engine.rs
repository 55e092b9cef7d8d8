//! The engine that others embed: inputs in, answers and an account of every record out.
//!
//! The only room that sees files, lakes and the catalogue together. One engine answers many
//! questions at once: each [`Answer`] has an [`Account`] of its own, and cancelling one leaves the
//! others alone.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SQLOptions, SessionContext};
use futures::FutureExt;

use crate::account::{InputReport, Ledger};
use crate::catalog::{self, CatalogInputs, LogTable};
use crate::error::{Error, ErrorKind, Hint, Result};
use crate::file::guard::OutputGuard;
use crate::lookup::LookupTables;
use crate::objects::ClusterObjects;
use crate::query::answer::panicked;
use crate::query::batch_rows::batch_rows;
use crate::query::setting::check_setting;
use crate::query::{Account, Answer, SavedQuery, params};
use crate::rbac::RbacObjects;
use crate::scan::open::OpenScan;
use crate::schema;
use crate::session::{self, session};
use crate::source::store::Stores;
use crate::temporary::TemporaryFolder;

mod check;
mod copy;
mod inputs;
mod options;
mod output;
mod spool;

pub use options::{Baseline, Options};

use inputs::OpenedInputs;

/// Inputs that questions can be asked about.
pub struct Engine {
    context: SessionContext,
    options: Options,
    logs: OpenScan,
    /// Is a lake among the inputs?
    has_lakes: bool,
    /// Are there events to compare with?
    has_baseline: bool,
    /// Were folders of days outside the window left out?
    is_pruned: bool,
    /// The Parquet files and lakes of the input.
    known: Arc<[InputReport]>,
    /// The same of the inputs that these are compared with.
    baseline: Arc<[InputReport]>,
    /// The Kubernetes objects of the input.
    objects: Arc<ClusterObjects>,
    /// The lookup tables.
    lookups: Arc<LookupTables>,
    /// The files that they are from.
    manifests: Arc<[InputReport]>,
    /// Temporary copies of Parquet files from stores.
    _copies: Vec<Arc<TemporaryFolder>>,
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
        let lookups = Arc::new(LookupTables::open(&options.tables, is_taken)?);
        let context = session(&options.limits())?;
        let opened = OpenedInputs::open(&options, &stores, &context).await?;
        let earlier = match &options.baseline {
            None => None,
            Some(baseline) => Some(
                opened
                    .earlier(&options, baseline, &stores, &context)
                    .await?,
            ),
        };
        let OpenedInputs {
            events,
            objects,
            manifests,
            known,
            guard,
            is_pruned,
        } = opened;
        let (logs, has_lakes) = (events.logs.clone(), !events.lakes.is_empty());
        let baseline = earlier.as_ref().map(|earlier| earlier.known.clone());
        let has_baseline = earlier.is_some();
        let copies = [
            Some(&events),
            earlier.as_ref().map(|earlier| &earlier.events),
        ]
        .into_iter()
        .flatten()
        .filter_map(|events| events.parquet.as_ref()?.copies.clone())
        .collect();
        let inputs = CatalogInputs {
            objects: Arc::clone(&objects),
            lookups: Arc::clone(&lookups),
            events,
            earlier: earlier.map(|earlier| earlier.events),
            workers: options.threads,
        };
        catalog::register(&context, inputs).await?;
        Ok(Self {
            context,
            options,
            logs,
            has_lakes,
            has_baseline,
            is_pruned,
            known: known.into(),
            baseline: baseline.unwrap_or_default().into(),
            objects,
            lookups,
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
            Arc::clone(&self.baseline),
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

/// Is this a name that no lookup table can have?
fn is_taken(name: &str) -> bool {
    let mut known = schema::tables().iter().chain(schema::views());
    known.any(|table| table.name == name)
}

/// Is this a table of what the inputs hold?
fn is_of_input(table: &str) -> bool {
    table == "earlier_events" || schema::tables().iter().any(|known| known.name == table)
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
