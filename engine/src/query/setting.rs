//! What a statement may change of the session: a plan in, an error out if it sets what makes files
//! or lifts a limit.
//!
//! Settings of DataFusion can name folders that it makes, and lift the limits that an engine was
//! opened with. A list says which are harmless; new ones of DataFusion are refused until they are
//! on it.

use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::Statement;

use crate::error::{ErrorKind, Result};

/// Settings, and groups of them (with a `.` at the end), that only change how an answer is found
/// or shown.
const HARMLESS: [&str; 12] = [
    "datafusion.execution.parquet.bloom_filter_on_read",
    "datafusion.execution.parquet.enable_page_index",
    "datafusion.execution.parquet.pruning",
    "datafusion.execution.parquet.pushdown_filters",
    "datafusion.execution.parquet.reorder_filters",
    "datafusion.execution.time_zone",
    "datafusion.explain.",
    "datafusion.format.",
    "datafusion.optimizer.",
    "datafusion.sql_parser.default_null_ordering",
    "datafusion.sql_parser.enable_ident_normalization",
    "datafusion.sql_parser.parse_float_as_decimal",
];

/// May this statement be run by an engine that only reads? Statements that set nothing may.
///
/// # Errors
///
/// When it sets, or resets, what is not harmless.
pub(crate) fn check_setting(plan: &LogicalPlan) -> Result<()> {
    let name = match plan {
        LogicalPlan::Statement(Statement::SetVariable(set)) => &set.variable,
        LogicalPlan::Statement(Statement::ResetVariable(reset)) => &reset.variable,
        _ => return Ok(()),
    };
    let name = name.to_ascii_lowercase();
    let is_time_zone = matches!(name.as_str(), "timezone" | "time.zone");
    let is_harmless =
        |known: &&str| name == **known || (known.ends_with('.') && name.starts_with(*known));
    if is_time_zone || HARMLESS.iter().any(is_harmless) {
        return Ok(());
    }
    let known: Vec<String> = HARMLESS
        .iter()
        .map(|known| match known.strip_suffix('.') {
            Some(group) => format!("{group}.*"),
            None => (*known).to_owned(),
        })
        .collect();
    let message = format!(
        "this engine only reads, and the setting `{name}` could write or lift a limit; settings \
         that can be changed: {}",
        known.join(", ")
    );
    Err(ErrorKind::ReadOnly(message).into())
}
