//! Where rows come from: a plan in, the same plan with one column more out, which holds the lines
//! behind each row.
//!
//! No query has to say what its evidence is. A row that has the columns of an event that name its
//! line is that line's. From there the value goes up with the row: through filters, sorts, windows,
//! projections and unions as it is, through joins as the lines of both sides, through aggregates and
//! `DISTINCT` as those of all rows of a group. (This is why-provenance: Cheney, Chiticariu, Tan,
//! "Provenance in Databases", 2009.) Only a few lines are kept, so that memory stays bounded.
//!
//! Rows that only decide whether others are kept (semi and anti joins, subqueries in conditions) are
//! no evidence.

use std::sync::Arc;

use datafusion::common::{Column, JoinType};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Join, LogicalPlan, Projection, Union};
use datafusion::scalar::ScalarValue;

use super::functions::{LINE_COLUMNS, all_lines, both_lines, line_of};

/// The column of the lines. SQL cannot name it without quotes.
pub(crate) const LINES: &str = "lines behind";
/// That of the right side of a join.
const RIGHT_LINES: &str = "lines behind the right side";

/// The plan with its columns as they were, and behind them [`LINES`]: NULL where nothing is known.
///
/// # Errors
///
/// When the plan does not hold together.
pub(crate) fn traced(plan: LogicalPlan) -> Result<LogicalPlan> {
    let columns = columns_of(&plan);
    let (plan, lines) = match trace(&plan)? {
        Some(traced) => {
            let lines = lines_of(&traced);
            (traced, lines.map(Expr::Column))
        }
        None => (plan, None),
    };
    let lines = lines.unwrap_or_else(nothing).alias(LINES);
    project(plan, columns.into_iter().chain([lines]))
}

/// The plan with the column [`LINES`] somewhere; `None` if it reads no events, or hides them.
fn trace(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    if let Some(line) = line_expression(plan) {
        let columns = columns_of(plan).into_iter();
        return project(plan.clone(), columns.chain([line.alias(LINES)])).map(Some);
    }
    match plan {
        LogicalPlan::Projection(Projection { expr, input, .. }) => {
            let Some(input) = trace(input)? else {
                return Ok(None);
            };
            let lines = lines_of(&input).map(Expr::Column).unwrap_or_else(nothing);
            let expressions = expr.iter().cloned().chain([lines.alias(LINES)]);
            project(input, expressions).map(Some)
        }
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::SubqueryAlias(_) => {
            let inputs = plan.inputs();
            let Some(input) = inputs
                .first()
                .map(|input| trace(input))
                .transpose()?
                .flatten()
            else {
                return Ok(None);
            };
            plan.with_new_exprs(plan.expressions(), vec![input])
                .map(Some)
        }
        LogicalPlan::Aggregate(aggregate) => {
            let group = aggregate.group_expr.clone();
            gathered(&aggregate.input, group, aggregate.aggr_expr.clone())
        }
        LogicalPlan::Distinct(Distinct::All(input)) => {
            gathered(input, columns_of(input), Vec::new())
        }
        LogicalPlan::Union(union) => trace_union(union),
        LogicalPlan::Join(join) => trace_join(join),
        _ => Ok(None),
    }
}

/// An aggregate that also gathers the lines behind the rows of each group.
fn gathered(
    input: &LogicalPlan,
    group: Vec<Expr>,
    mut aggregates: Vec<Expr>,
) -> Result<Option<LogicalPlan>> {
    let Some(input) = trace(input)? else {
        return Ok(None);
    };
    let lines = lines_of(&input).map(Expr::Column).unwrap_or_else(nothing);
    let gather = AggregateFunction::new_udf(all_lines(), vec![lines], false, None, vec![], None);
    aggregates.push(Expr::AggregateFunction(gather).alias(LINES));
    let aggregate = Aggregate::try_new(Arc::new(input), group, aggregates)?;
    Ok(Some(LogicalPlan::Aggregate(aggregate)))
}

fn trace_union(union: &Union) -> Result<Option<LogicalPlan>> {
    let mut is_traced = false;
    let mut inputs = Vec::with_capacity(union.inputs.len());
    for input in &union.inputs {
        // Columns of a union stand for each other by their place.
        let columns = columns_of(input).into_iter();
        let traced = trace(input)?;
        is_traced |= traced.is_some();
        let traced = traced.unwrap_or_else(|| input.as_ref().clone());
        let lines = lines_of(&traced).map(Expr::Column).unwrap_or_else(nothing);
        let aligned = project(traced, columns.chain([lines.alias(LINES)]))?;
        inputs.push(Arc::new(aligned));
    }
    if !is_traced {
        return Ok(None);
    }
    let union = Union::try_new_with_loose_types(inputs)?;
    Ok(Some(LogicalPlan::Union(union)))
}

fn trace_join(join: &Join) -> Result<Option<LogicalPlan>> {
    let has_left = !matches!(
        join.join_type,
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
    );
    let has_right = !matches!(
        join.join_type,
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark
    );
    let left = if has_left { trace(&join.left)? } else { None };
    let mut right = if has_right { trace(&join.right)? } else { None };
    if left.is_none() && right.is_none() {
        return Ok(None);
    }
    let both = left.is_some() && right.is_some();
    if let (true, Some(traced)) = (both, right.take()) {
        let columns = columns_of(&join.right).into_iter();
        let lines = lines_of(&traced).map(Expr::Column).unwrap_or_else(nothing);
        right = Some(project(traced, columns.chain([lines.alias(RIGHT_LINES)]))?);
    }
    let or =
        |traced: Option<LogicalPlan>, plan: &LogicalPlan| traced.unwrap_or_else(|| plan.clone());
    let whole = LogicalPlan::Join(join.clone());
    let inputs = vec![or(left, &join.left), or(right, &join.right)];
    let joined = whole.with_new_exprs(whole.expressions(), inputs)?;
    if !both {
        return Ok(Some(joined));
    }
    let sides = [LINES, RIGHT_LINES].map(|name| {
        let column = column_called(&joined, name);
        column.map(Expr::Column).unwrap_or_else(nothing)
    });
    let merged = Expr::ScalarFunction(ScalarFunction::new_udf(both_lines(), sides.to_vec()));
    let columns = columns_of(&whole).into_iter();
    project(joined, columns.chain([merged.alias(LINES)])).map(Some)
}

/// What makes a line of a row, if the row has all columns that name one.
fn line_expression(plan: &LogicalPlan) -> Option<Expr> {
    let arguments = LINE_COLUMNS.map(|name| {
        let columns = plan.schema().columns_with_unqualified_name(name);
        <[Column; 1]>::try_from(columns).ok()
    });
    let arguments: Option<Vec<Expr>> = arguments
        .into_iter()
        .map(|column| column.map(|[column]| Expr::Column(column)))
        .collect();
    Some(Expr::ScalarFunction(ScalarFunction::new_udf(
        line_of(),
        arguments?,
    )))
}

fn columns_of(plan: &LogicalPlan) -> Vec<Expr> {
    let columns = plan.schema().columns().into_iter();
    columns.map(Expr::Column).collect()
}

fn lines_of(plan: &LogicalPlan) -> Option<Column> {
    column_called(plan, LINES)
}

fn column_called(plan: &LogicalPlan, name: &str) -> Option<Column> {
    let columns = plan.schema().columns_with_unqualified_name(name);
    columns.into_iter().next()
}

fn nothing() -> Expr {
    Expr::Literal(ScalarValue::Binary(None), None)
}

fn project(plan: LogicalPlan, expressions: impl Iterator<Item = Expr>) -> Result<LogicalPlan> {
    let projection = Projection::try_new(expressions.collect(), Arc::new(plan))?;
    Ok(LogicalPlan::Projection(projection))
}
