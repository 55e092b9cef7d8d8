//! The columns of `events` that a plan reads: an optimised plan in, their names out.

use std::collections::BTreeSet;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;

use crate::schema;

/// Adds the columns that an optimised plan reads of `events`, or of its parts.
///
/// # Errors
///
/// When the plan cannot be walked.
pub(crate) fn add_columns(plan: &LogicalPlan, columns: &mut BTreeSet<String>) -> Result<()> {
    let events = schema::events();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && scan.source.schema() == events
        {
            let projected = scan.projected_schema.fields().iter();
            columns.extend(projected.map(|field| field.name().clone()));
            for filter in &scan.filters {
                let refs = filter.column_refs();
                columns.extend(refs.into_iter().map(|column| column.name.clone()));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
