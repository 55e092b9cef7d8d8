//! The columns of `events` that statements read: their text, or an optimised plan, in, names out.

use std::collections::BTreeSet;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;

use crate::schema;

/// The columns of `events` whose names stand in statements that name all columns of their answer, or in
/// the views that they read. More than is read, and found without planning hundreds of statements.
pub(crate) fn columns_named_in(statements: &[&str]) -> BTreeSet<String> {
    let mut words: BTreeSet<&str> = BTreeSet::new();
    let mut texts: Vec<&str> = statements.to_vec();
    while let Some(text) = texts.pop() {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        for word in text.split(|letter: char| !is_letter(letter)) {
            if !words.insert(word) {
                continue;
            }
            let mut views = schema::views().iter();
            let view = views.find(|view| view.name == word);
            texts.extend(view.and_then(|view| view.sql.as_deref()));
        }
    }
    let columns = schema::event_columns().iter();
    let named = columns.filter(|column| words.contains(column.name.as_str()));
    named.map(|column| column.name.clone()).collect()
}

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
