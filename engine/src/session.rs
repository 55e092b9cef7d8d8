//! The one constructor of a DataFusion session: functions, limits; and the one reader of SQL: a
//! statement in, its plan out.

use std::sync::Arc;

use datafusion::{
    common::plan_err,
    error::Result,
    execution::{
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::{FairSpillPool, TrackConsumersPool},
        runtime_env::RuntimeEnvBuilder,
        session_state::SessionStateBuilder,
    },
    logical_expr::LogicalPlan,
    prelude::{SessionConfig, SessionContext},
    sql::parser::DFParserBuilder,
};

use crate::function;

mod dialect;

use crate::temporary::TemporaryFolder;
use dialect::SqlDialect;

/// What a session may use.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Worker threads of a query.
    pub(crate) threads: usize,
    /// Bytes that sorts, joins and aggregations may hold before they spill.
    pub(crate) memory: usize,
}

/// A session without tables.
pub(crate) fn session(limits: &Limits) -> Result<SessionContext> {
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_target_partitions(limits.threads.max(1));
    let options = config.options_mut();
    // The JSON operators need the Postgres dialect: elsewhere `?` is a placeholder.
    options.sql_parser.dialect = datafusion::common::config::Dialect::PostgreSQL;
    // People expect what is not known last, in whichever direction they sort.
    options.sql_parser.default_null_ordering = "nulls_last".to_owned();
    options.execution.parquet.reorder_filters = true;
    options.explain.physical_plan_only = false;
    // Of a small memory, what is kept for merging what was spilled must not be most.
    let reserved = &mut options.execution.sort_spill_reservation_bytes;
    *reserved = (*reserved).min(limits.memory / limits.threads.max(1) / 8);
    let memory = TrackConsumersPool::new(
        FairSpillPool::new(limits.memory),
        std::num::NonZeroUsize::MIN.saturating_add(4),
    );
    // What is spilled is somebody's audit log: its folder lives, and goes, with the session. Without
    // one, only what has to spill fails.
    let mode = match TemporaryFolder::create() {
        Ok(folder) => {
            let mode = DiskManagerMode::Directories(vec![folder.path().to_owned()]);
            config.set_extension(Arc::new(folder));
            mode
        }
        Err(_) => DiskManagerMode::OsTmpDirectory,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(memory))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode))
        .build_arc()?;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    let mut context = SessionContext::new_with_state(state);
    for function in function::udfs() {
        context.register_udf(function);
    }
    datafusion_functions_json::register_all(&mut context)?;
    function::bounded::register(&context, limits.memory as u64 / 4);
    Ok(context)
}

/// The plan of one SQL statement, not optimised. Every statement is read here.
///
/// # Errors
///
/// When it does not parse or plan, or there is none, or more than one.
pub(crate) async fn plan(context: &SessionContext, sql: &str) -> Result<LogicalPlan> {
    let state = context.state();
    let limit = state.config_options().sql_parser.recursion_limit.get();
    let dialect = SqlDialect::default();
    let mut statements = DFParserBuilder::new(sql)
        .with_dialect(&dialect)
        .with_recursion_limit(limit)
        .build()?
        .parse_statements()?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(statement), true) => state.statement_to_plan(statement).await,
        (Some(_), false) => plan_err!("there is more than one statement"),
        (None, _) => plan_err!("there is no statement"),
    }
}
