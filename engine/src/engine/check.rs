//! Many saved queries asked of the inputs in about one pass: queries in, what each found out.
//!
//! Raw logs are converted once into temporary Parquet files, with only the columns that the queries
//! read, and the queries are asked of these: measured, that pays from four statements on. Lakes are
//! asked as they are. A query that fails is an error of that query alone.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::ParamValues;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use futures::{FutureExt, StreamExt};

use super::Engine;
use super::spool::EventSpool;
use crate::access::EventShapes;
use crate::access::LogCoverage;
use crate::access::LogSignatures;
use crate::access::QueryCoverage;
use crate::access::SIGNATURES;
use crate::access::shapes_statement;
use crate::account::Ledger;
use crate::catalog::EARLIER_EVENTS;
use crate::check::CheckReport;
use crate::check::CheckStatus;
use crate::check::QueryOutcome;
use crate::check::columns::{add_columns, columns_named_in};
use crate::check::finding::FindingRows;
use crate::check::functions::LINE_COLUMNS;
use crate::check::trace::traced;
use crate::error::{Error, ErrorKind, Hint, Result};
use crate::lookup::LookupDefinition;
use crate::query::Account;
use crate::query::SavedQuery;
use crate::query::Severity;
use crate::query::answer::panicked;
use crate::query::batch_rows::batch_rows;
use crate::query::params;
use crate::session::{self, Limits};
use crate::time::parse_duration;

/// Statements from which on a conversion costs less than scans of its own for each.
const WORTH_A_SPOOL: usize = 4;
/// The most queries at a time: they share one memory.
const MOST_AT_A_TIME: usize = 4;
/// The most findings of a query that are kept; the others are counted.
const MOST_FINDINGS: usize = 10_000;

impl Engine {
    /// Asks saved queries, with the defaults of their parameters. Findings less severe than `least`
    /// are left out. What is read is counted on `account`.
    ///
    /// # Errors
    ///
    /// When there is no input, it cannot be converted, or the run is stopped. A query that fails is
    /// no error: its outcome says so.
    pub async fn check(
        &self,
        queries: &[&'static SavedQuery],
        least: Severity,
        account: &Account,
    ) -> Result<CheckReport> {
        if self.options.inputs.is_empty() {
            let message = "there is no input to check".to_owned();
            return Err(Error::from(ErrorKind::Options(message)).with_hint(Hint::GiveInput));
        }
        let stopped = std::future::poll_fn(|context| {
            account.ledger.wake_when_cancelled(context.waker());
            match account.ledger.is_cancelled() {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        });
        tokio::select! {
            biased;
            () = stopped => Err(ErrorKind::Interrupted.into()),
            report = self.checked(queries, least, account) => report,
        }
    }

    async fn checked(
        &self,
        queries: &[&'static SavedQuery],
        least: Severity,
        account: &Account,
    ) -> Result<CheckReport> {
        if !self.is_pruned {
            account.ledger.note_events();
        }
        let statements = queries.len() + 1;
        let is_worth_it =
            statements >= WORTH_A_SPOOL && !self.logs.plan.objects.is_empty() && !self.has_lakes;
        let compares = |query: &&SavedQuery| !query.header.baseline.is_empty();
        let with_earlier =
            self.has_baseline && queries.iter().copied().any(|query| compares(&query));
        let spool = match is_worth_it {
            true => {
                let columns = self.columns_read_by(queries).await?;
                Some(EventSpool::fill(self, &columns, with_earlier, account).await?)
            }
            false => {
                self.spool_streams()?;
                None
            }
        };
        let asked = AskedContext {
            context: spool
                .as_ref()
                .map_or(&self.context, EventSpool::context)
                .clone(),
            limits: self.options.limits(),
            ledger: match spool {
                // The spool was read as it was filled.
                Some(_) => Arc::default(),
                None => Arc::clone(&account.ledger),
            },
        };
        let coverage = asked.coverage(queries).await?;
        let signatures = match spool {
            Some(_) => Some(asked.signatures().await?),
            // A scan of its own costs more than it saves.
            None => None,
        };
        let baseline = match with_earlier {
            true => asked.baseline().await?,
            false => None,
        };
        let at_a_time = self.options.threads.clamp(1, MOST_AT_A_TIME);
        let pairs = queries.iter().copied().zip(&coverage);
        let outcomes = futures::stream::iter(pairs).map(|(query, coverage)| {
            let asked = asked.clone();
            let lacks = self.lacks(query, baseline);
            // The signatures of the log prove that there is nothing to find.
            let is_empty = signatures
                .as_ref()
                .is_some_and(|known| !known.can_interest(query));
            let task = (lacks.is_none() && !is_empty).then(|| {
                // A task of its own, which ends when it is dropped.
                SpawnedTask::spawn(async move { asked.outcome(query, least).await })
            });
            async move {
                let mut outcome = match (task, lacks) {
                    (_, Some(lacks)) => QueryOutcome::not_evaluable(query, lacks),
                    (None, None) => QueryOutcome::new(query),
                    (Some(task), None) => {
                        let outcome = task.join().await;
                        outcome
                            .unwrap_or_else(|error| QueryOutcome::failed(query, error.to_string()))
                    }
                };
                outcome.judge(coverage);
                outcome
            }
        });
        let outcomes: Vec<QueryOutcome> = outcomes.buffered(at_a_time).collect().await;
        Ok(CheckReport {
            outcomes,
            spooled: spool.is_some(),
        })
    }

    /// What a saved query needs besides the log and is not given: a baseline that reaches back far
    /// enough, rows of a lookup table. Without it, no rows say nothing. Times of the inputs are read, and
    /// counted for nobody.
    ///
    /// # Errors
    ///
    /// When the inputs cannot be read.
    pub async fn lacking(&self, query: &SavedQuery) -> Result<Option<String>> {
        let baseline = match self.has_baseline && !query.header.baseline.is_empty() {
            true => {
                let asked = AskedContext {
                    context: self.context.clone(),
                    limits: self.options.limits(),
                    ledger: Arc::default(),
                };
                asked.baseline().await?
            }
            false => None,
        };
        Ok(self.lacks(query, baseline))
    }

    /// The same with a baseline that reaches back so many microseconds.
    fn lacks(&self, query: &SavedQuery, baseline: Option<i64>) -> Option<String> {
        let needed = &query.header.baseline;
        if !needed.is_empty() {
            let span = parse_duration(needed).unwrap_or_default();
            match baseline {
                None if self.has_baseline => {
                    return Some("the baseline holds no requests".to_owned());
                }
                None => {
                    return Some(format!(
                        "it compares with the {needed} before the window, and no baseline is given"
                    ));
                }
                Some(given) if given < span => {
                    let given = Duration::from_micros(given.unsigned_abs());
                    return Some(format!(
                        "it needs a baseline of {needed}, and the one given reaches back {:.1} days",
                        given.as_secs_f64() / 86_400.0
                    ));
                }
                Some(_) => {}
            }
        }
        let definitions = LookupDefinition::library().iter();
        let mut blind =
            definitions.filter(|table| table.blind && query.header.tables.contains(&table.name));
        let empty = blind.find(|table| self.lookups.is_empty(&table.name))?;
        Some(format!("the lookup table `{}` has no rows", empty.name))
    }

    /// The columns of `events` that queries and their coverage may read. A query that cannot be planned
    /// reads nothing.
    async fn columns_read_by(&self, queries: &[&'static SavedQuery]) -> Result<BTreeSet<String>> {
        let mut columns: BTreeSet<String> = LINE_COLUMNS.iter().map(ToString::to_string).collect();
        let shapes = shapes_statement();
        columns.extend(columns_named_in(&[&shapes, SIGNATURES]));
        // Of a query of the user's own the text proves nothing: `DISTINCT *` reads what it does not name.
        let (shipped, others): (Vec<&SavedQuery>, Vec<&SavedQuery>) =
            queries.iter().partition(|query| query.is_shipped);
        let sql: Vec<&str> = shipped.iter().map(|query| query.sql.as_str()).collect();
        columns.extend(columns_named_in(&sql));
        let state = self.context.state();
        for query in others {
            let planned = AssertUnwindSafe(async {
                let plan = planned(&self.context, query).await?;
                add_columns(&state.optimize(&plan)?, &mut columns)?;
                Result::<()>::Ok(())
            });
            // What is wrong with it is said when it is asked.
            let _ = planned.catch_unwind().await;
        }
        Ok(columns)
    }
}

/// What queries are asked of.
#[derive(Clone)]
struct AskedContext {
    context: SessionContext,
    limits: Limits,
    ledger: Arc<Ledger>,
}

impl AskedContext {
    /// What the log shows of what each query looks at, in the order of the queries.
    async fn coverage(&self, queries: &[&'static SavedQuery]) -> Result<Vec<QueryCoverage>> {
        let plan = session::plan(&self.context, &shapes_statement()).await?;
        let mut rows = self.stream(plan).await?;
        let mut coverage = LogCoverage::of(queries);
        while let Some(batch) = rows.next().await {
            let shapes = EventShapes::new(&batch?)?;
            shapes.for_each(|event, columns| coverage.add(event, event.level, columns));
        }
        Ok(coverage.report(None))
    }

    /// The kinds of requests that there are.
    async fn signatures(&self) -> Result<LogSignatures> {
        let plan = session::plan(&self.context, SIGNATURES).await?;
        let mut rows = self.stream(plan).await?;
        let mut signatures = LogSignatures::default();
        while let Some(batch) = rows.next().await {
            signatures.add(&batch?)?;
        }
        Ok(signatures)
    }

    /// How far back the events before the window reach from the first one in it, in microseconds; `None`
    /// if there are none.
    async fn baseline(&self) -> Result<Option<i64>> {
        let sql = format!(
            "SELECT CAST((SELECT min(stage_timestamp) FROM events) AS BIGINT)
                - CAST(min(stage_timestamp) AS BIGINT) FROM {EARLIER_EVENTS}"
        );
        let mut rows = self
            .stream(session::plan(&self.context, &sql).await?)
            .await?;
        let mut span = None;
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            let column = batch.column(0).as_primitive_opt::<Int64Type>();
            span = column
                .and_then(|spans| spans.iter().next().flatten())
                .or(span);
        }
        Ok(span)
    }

    /// Asks a query; what fails is its outcome.
    async fn outcome(&self, query: &'static SavedQuery, least: Severity) -> QueryOutcome {
        let work = AssertUnwindSafe(self.find(query, least))
            .catch_unwind()
            .await;
        let found = work.unwrap_or_else(|panic| Err(panicked(&*panic)));
        found.unwrap_or_else(|error| QueryOutcome::failed(query, error.to_string()))
    }

    async fn find(&self, query: &'static SavedQuery, least: Severity) -> Result<QueryOutcome> {
        let mut rows = self.stream(planned(&self.context, query).await?).await?;
        let mut outcome = QueryOutcome::new(query);
        while let Some(batch) = rows.next().await {
            add_findings(&mut outcome, batch?, least)?;
        }
        if outcome.found > 0 {
            outcome.status = CheckStatus::Findings;
        }
        Ok(outcome)
    }

    /// Optimised once, and run.
    async fn stream(&self, plan: LogicalPlan) -> Result<SendableRecordBatchStream> {
        let mut state = self.context.state();
        let config = state.config_mut();
        config.set_extension(Arc::clone(&self.ledger));
        let optimized = state.optimize(&plan)?;
        if let Some(rows) = batch_rows(&optimized, &self.limits)? {
            let config = state.config_mut();
            *config = config
                .clone()
                .with_batch_size(rows)
                .with_repartition_sorts(false);
        }
        let planner = state.query_planner();
        let physical = planner.create_physical_plan(&optimized, &state).await?;
        Ok(execute_stream(physical, state.task_ctx())?)
    }
}

/// The plan of a query with the lines behind its rows.
async fn planned(context: &SessionContext, query: &SavedQuery) -> Result<LogicalPlan> {
    let values = params::bind(&query.id, &query.parameters, &[])?;
    let mut plan = session::plan(context, &query.sql).await?;
    if !matches!(
        plan,
        LogicalPlan::Projection(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Distinct(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::SubqueryAlias(_)
    ) {
        let message = format!("saved query `{}` is not a SELECT", query.id);
        return Err(ErrorKind::SavedQuery(message).into());
    }
    if !values.is_empty() {
        plan = plan.with_param_values(ParamValues::from(values))?;
    }
    Ok(traced(plan)?)
}

fn add_findings(outcome: &mut QueryOutcome, batch: RecordBatch, least: Severity) -> Result<()> {
    let rows = FindingRows::new(outcome.query, batch)?;
    for row in 0..rows.rows() {
        let severity = rows.severity(row);
        if severity < least {
            continue;
        }
        outcome.found += 1;
        if outcome.findings.len() < MOST_FINDINGS {
            outcome.findings.push(rows.finding(row));
        } else {
            *outcome.unlisted.entry(severity).or_default() += 1;
        }
    }
    Ok(())
}
