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

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Array, AsArray};
    use datafusion::common::DFSchema;
    use datafusion::prelude::{SessionContext, col, lit};
    use proptest::prelude::*;

    use super::*;
    use crate::column::{BatchBuilder, RowOrigin};
    use crate::event::{Event, ReasonCache};
    use crate::schema;

    /// Ordinary, with escapes, with values of a wrong type, and with nearly nothing.
    const EVENTS: [&str; 4] = [
        r#"{"auditID":"a","stage":"Panic","verb":"get","level":"Metadata","user":{"username":"system:anonymous"},"responseStatus":{"metadata":{},"code":200},"stageTimestamp":"1970-01-02T00:00:00.000001Z"}"#,
        r#"{"auditID":"a\n","stage":"Panic","verb":"\u0067et","level":"","user":{"username":"é"},"responseStatus":{"code":-1},"stageTimestamp":"1969-12-31T23:59:59.999999Z"}"#,
        r#"{"auditID":"b","stage":"Panic","verb":7,"level":null,"user":{"username":["a"]},"responseStatus":{"code":"200"},"stageTimestamp":"today"}"#,
        r#"{"auditID":"","stage":"","verb":""}"#,
    ];
    const ORIGIN: RowOrigin<'static> = RowOrigin {
        cluster: None,
        account: Some("a"),
        log_stream: None,
        format: "json",
        source_file: "get",
        source_line: 0,
        source_offset: 200,
        event_bytes: 1,
        source_id: None,
        event_hash: Some(i64::MIN),
    };

    /// What the whole filter says of an event, and what the prefilter does.
    fn decide(event: &str, filter: &Expr) -> (Option<bool>, bool) {
        let (event, _) = Event::decode(event, None).unwrap();
        let reasons = ReasonCache::default();
        let row = Row::new(&event, ORIGIN, &reasons);
        let mut builder = BatchBuilder::new(schema::events()).unwrap();
        builder.push(&row).unwrap();
        let batch = builder.finish().unwrap();
        let columns = DFSchema::try_from(schema::events()).unwrap();
        let context = SessionContext::new();
        let physical = context
            .create_physical_expr(filter.clone(), &columns)
            .unwrap();
        let value = physical.evaluate(&batch).unwrap().into_array(1).unwrap();
        let value = value
            .as_boolean_opt()
            .and_then(|value| value.is_valid(0).then(|| value.value(0)));
        (value, Prefilter::new([filter]).keeps(&row))
    }

    fn micros(value: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(
            Some(value),
            Some("UTC".into()),
        ))
    }

    fn day(value: i32) -> Expr {
        lit(ScalarValue::Date32(Some(value)))
    }

    fn text_filter() -> impl Strategy<Value = Expr> {
        let column = prop::sample::select(vec![
            "audit_id",
            "verb",
            "level",
            "username",
            "actor_kind",
            "cluster",
            "account",
            "source_file",
        ]);
        let value =
            prop::sample::select(vec!["", "a", "a\n", "b", "get", "é", "anonymous", "human"]);
        (column, value.clone(), value, 0..9).prop_map(|(column, one, other, kind)| {
            let column = col(column);
            match kind {
                0 => column.eq(lit(one)),
                1 => lit(one).eq(column),
                2 => column.not_eq(lit(one)),
                3 => column.in_list(vec![lit(one), lit(other)], false),
                4 => column.in_list(vec![lit(one), lit(other)], true),
                5 => column.lt(lit(one)),
                6 => column.like(lit(format!("{one}%"))),
                7 => column.is_null(),
                _ => column.eq(lit(ScalarValue::Utf8(None))),
            }
        })
    }

    fn number_filter() -> impl Strategy<Value = Expr> {
        let near = prop_oneof![-2_i32..3, 198_i32..202, Just(i32::MIN), Just(i32::MAX)];
        let of = (near.clone(), near, 0..4).prop_map(|(one, other, column)| match column {
            0 => (col("response_code"), lit(one), lit(other)),
            1 => (col("date"), day(one), day(other)),
            2 => (
                col("stage_timestamp"),
                micros(one.into()),
                micros(other.into()),
            ),
            _ => {
                let wide = |value| match value {
                    i32::MIN => i64::MIN,
                    i32::MAX => i64::MAX,
                    value => i64::from(value),
                };
                let column = if one % 2 == 0 {
                    "source_offset"
                } else {
                    "event_hash"
                };
                (col(column), lit(wide(one)), lit(wide(other)))
            }
        });
        (of, 0..9).prop_map(|((column, one, other), kind)| match kind {
            0 => column.eq(one),
            1 => column.lt(one),
            2 => column.lt_eq(one),
            3 => column.gt(one),
            4 => column.gt_eq(one),
            5 => one.lt(column),
            6 => column.between(one, other),
            7 => column.not_between(one, other),
            _ => column.in_list(vec![one, other], false),
        })
    }

    fn any_filter() -> impl Strategy<Value = Expr> {
        let one = prop_oneof![text_filter(), number_filter()];
        (one.clone(), one, 0..6).prop_map(|(one, other, kind)| match kind {
            0 => one.or(other),
            1 => one.and(other),
            2 => Expr::Not(Box::new(one)),
            _ => one,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn no_row_is_dropped_that_the_filter_keeps(filter in any_filter()) {
            for event in EVENTS {
                let (value, kept) = decide(event, &filter);
                let wanted = value == Some(true);
                prop_assert!(kept || !wanted, "{filter} of {event}");
                if Prefilter::understands(&filter) {
                    prop_assert_eq!(kept, wanted, "{} of {}", filter, event);
                }
            }
        }
    }

    #[test]
    fn comparisons_of_a_column_with_literals_are_understood() {
        let understood = [
            col("verb").eq(lit("get")),
            lit("get").eq(col("verb")),
            col("actor_kind").in_list(vec![lit("human"), lit("cloud")], false),
            col("response_code").gt_eq(lit(400)),
            lit(400).gt(col("response_code")),
            col("stage_timestamp").between(micros(0), micros(1)),
            col("date").eq(day(0)),
        ];
        for filter in &understood {
            assert!(Prefilter::understands(filter), "{filter}");
        }
        let others = [
            col("verb").not_eq(lit("get")),
            col("verb").eq(col("level")),
            col("verb").is_null(),
            col("verb").eq(lit(ScalarValue::Utf8(None))),
            col("verb").in_list(vec![lit("get")], true),
            col("verb").in_list(vec![col("level")], false),
            col("verb").eq(lit("get")).or(col("verb").eq(lit("list"))),
            col("response_code").not_between(lit(1), lit(2)),
            // There is nothing below the least number.
            col("event_hash").lt(lit(i64::MIN)),
            // Of other kinds.
            col("latency_ms").gt(lit(1.5)),
            col("truncated").eq(lit(true)),
            col("request_object").eq(lit("{}")),
            col("no_such_column").eq(lit("a")),
        ];
        for filter in &others {
            assert!(!Prefilter::understands(filter), "{filter}");
        }
    }

    #[test]
    fn all_terms_have_to_hold() {
        let (event, _) = Event::decode(EVENTS[0], None).unwrap();
        let reasons = ReasonCache::default();
        let row = Row::new(&event, ORIGIN, &reasons);
        let (get, list) = (col("verb").eq(lit("get")), col("verb").eq(lit("list")));
        let unknown = col("verb").is_null();
        assert!(Prefilter::default().keeps(&row));
        assert!(Prefilter::new([&get, &unknown]).keeps(&row));
        assert!(!Prefilter::new([&get, &list]).keeps(&row));
    }
}
