//! The part of a query's filter that is decided on the event, before any column of it is built.
//!
//! A conjunction of comparisons of one column with literals. It only ever drops rows that the
//! filter would drop, and DataFusion evaluates the whole filter again, so a comparison that is not
//! understood costs time and nothing else.

use datafusion::{
    common::ScalarValue,
    logical_expr::{BinaryExpr, Expr, Operator},
};

use crate::column::{Fill, Row, fill};

/// Terms that all have to hold.
#[derive(Clone, Default)]
pub(crate) struct Prefilter {
    terms: Vec<(String, Fill, Test)>,
}

#[derive(Debug, Clone)]
enum Test {
    /// Text equal to one of these.
    OneOf(Vec<String>),
    /// A number or time in this range, both ends included.
    Within(i64, i64),
}

impl std::fmt::Debug for Prefilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.terms.iter().map(|(name, _, test)| (name, test)))
            .finish()
    }
}

impl Prefilter {
    /// What of `filters` can be decided early.
    pub(crate) fn new<'e>(filters: impl IntoIterator<Item = &'e Expr>) -> Self {
        Self {
            terms: filters.into_iter().filter_map(term).collect(),
        }
    }

    /// Can this filter be decided early?
    pub(crate) fn understands(filter: &Expr) -> bool {
        term(filter).is_some()
    }

    /// May the row be wanted?
    #[inline]
    pub(crate) fn keeps(&self, row: &Row<'_, '_>) -> bool {
        self.terms.iter().all(|(_, fill, test)| match (test, fill) {
            (Test::OneOf(values), Fill::Text(of)) => {
                of(row).is_some_and(|text| values.iter().any(|value| text.eq_str(value)))
            }
            (Test::OneOf(values), Fill::Made(of)) => {
                of(row).is_some_and(|text| values.iter().any(|value| *value == text))
            }
            (Test::Within(from, to), fill) => {
                number(*fill, row).is_some_and(|number| (*from..=*to).contains(&number))
            }
            _ => true,
        })
    }
}

fn number(fill: Fill, row: &Row<'_, '_>) -> Option<i64> {
    match fill {
        Fill::Int32(of) => of(row).map(i64::from),
        Fill::Int64(of) | Fill::Timestamp(of) => of(row),
        Fill::Date(of) => of(row).map(i64::from),
        _ => None,
    }
}

fn term(filter: &Expr) -> Option<(String, Fill, Test)> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (&**left, &**right) {
            (Expr::Column(column), Expr::Literal(value, _)) => comparison(&column.name, *op, value),
            (Expr::Literal(value, _), Expr::Column(column)) => {
                comparison(&column.name, op.swap()?, value)
            }
            _ => None,
        },
        Expr::Between(between) if !between.negated => {
            let (Expr::Column(column), Expr::Literal(low, _), Expr::Literal(high, _)) =
                (&*between.expr, &*between.low, &*between.high)
            else {
                return None;
            };
            let fill = numeric(&column.name)?;
            Some((
                column.name.clone(),
                fill,
                Test::Within(as_number(low)?, as_number(high)?),
            ))
        }
        Expr::InList(list) if !list.negated => {
            let Expr::Column(column) = &*list.expr else {
                return None;
            };
            let values = list.list.iter().map(|item| match item {
                Expr::Literal(value, _) => as_text(value),
                _ => None,
            });
            Some((
                column.name.clone(),
                textual(&column.name)?,
                Test::OneOf(values.collect::<Option<_>>()?),
            ))
        }
        _ => None,
    }
}

fn comparison(column: &str, op: Operator, value: &ScalarValue) -> Option<(String, Fill, Test)> {
    if let (Operator::Eq, Some(text)) = (op, as_text(value)) {
        return Some((column.to_owned(), textual(column)?, Test::OneOf(vec![text])));
    }
    let number = as_number(value)?;
    let (from, to) = match op {
        Operator::Eq => (number, number),
        Operator::Lt => (i64::MIN, number.checked_sub(1)?),
        Operator::LtEq => (i64::MIN, number),
        Operator::Gt => (number.checked_add(1)?, i64::MAX),
        Operator::GtEq => (number, i64::MAX),
        _ => return None,
    };
    Some((column.to_owned(), numeric(column)?, Test::Within(from, to)))
}

fn textual(column: &str) -> Option<Fill> {
    fill(column).filter(|fill| matches!(fill, Fill::Text(_) | Fill::Made(_)))
}

fn numeric(column: &str) -> Option<Fill> {
    fill(column).filter(|fill| {
        matches!(
            fill,
            Fill::Int32(_) | Fill::Int64(_) | Fill::Timestamp(_) | Fill::Date(_)
        )
    })
}

fn as_text(value: &ScalarValue) -> Option<String> {
    value.try_as_str().flatten().map(str::to_owned)
}

/// A literal in the unit of its column: DataFusion has brought both to one type.
fn as_number(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => {
            Some(i64::from(*value))
        }
        ScalarValue::Int64(Some(value)) | ScalarValue::TimestampMicrosecond(Some(value), _) => {
            Some(*value)
        }
        _ => None,
    }
}
