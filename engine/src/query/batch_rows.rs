//! How many rows a batch of a query may have: its plan and its memory in, a number out.
//!
//! Sorts and aggregations that spill hold a few batches of everything that they merge, and a row of
//! `events` with its bodies takes kilobytes: 8,192 of them, DataFusion's default, are more than a
//! merge may have. Where wide rows are sorted or grouped, batches are therefore shorter.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;

use crate::schema::is_body;
use crate::session::Limits;

/// DataFusion's default.
const MOST: usize = 8192;
/// Shorter batches cost more than they save.
const LEAST: usize = 64;
/// Batches that a spilling operator holds at a time, roughly: two of each run that it merges.
const HELD: usize = 64;
/// Bytes that columns take in a row, roughly.
const BODY: usize = 4 << 10;
const NESTED: usize = 256;
const TEXT: usize = 64;
const NUMBER: usize = 8;

/// Rows of a batch; `None` where the default will do.
///
/// # Errors
///
/// When the plan cannot be walked.
pub(crate) fn batch_rows(plan: &LogicalPlan, limits: &Limits) -> Result<Option<usize>> {
    let mut widest = 0;
    plan.apply_with_subqueries(|node| {
        let is_held = matches!(
            node,
            LogicalPlan::Sort(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Distinct(_)
                | LogicalPlan::Window(_)
                | LogicalPlan::Join(_)
        );
        if is_held {
            let inputs = node.inputs().into_iter();
            widest = inputs.map(width).fold(widest, usize::max);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let bytes = limits.memory / limits.threads.max(1) / HELD;
    let rows = (bytes / widest.max(1)).clamp(LEAST, MOST);
    Ok((rows < MOST).then_some(rows))
}

/// Bytes of a row, roughly.
fn width(plan: &LogicalPlan) -> usize {
    plan.schema()
        .fields()
        .iter()
        .map(|field| column_width(field))
        .sum()
}

fn column_width(field: &Field) -> usize {
    match field.data_type() {
        _ if is_body(field.name()) => BODY,
        data_type if data_type.is_nested() => NESTED,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => TEXT,
        _ => NUMBER,
    }
}
