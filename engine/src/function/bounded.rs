//! DataFusion's functions that make much of little, `repeat('a', 2000000000)` for one: their
//! arguments in, their result out if it fits into the memory of a query, an error otherwise.
//!
//! What such a function makes is in memory before any operator could account for it.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use datafusion::prelude::SessionContext;

/// The functions, and what they make of their arguments.
const MAKERS: [(&str, Makes); 7] = [
    ("repeat", Makes::Copies),
    ("lpad", Makes::Length),
    ("rpad", Makes::Length),
    ("array_repeat", Makes::Copies),
    ("array_resize", Makes::Length),
    ("range", Makes::Range),
    ("generate_series", Makes::Range),
];
/// Bytes of a list's element, roughly.
const ELEMENT: u64 = 16;

/// How much a row of the result takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Makes {
    /// The first argument, as often as the second says.
    Copies,
    /// As many characters or elements as the second argument says.
    Length,
    /// The numbers from one argument to another.
    Range,
}

/// Wraps one of the functions.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    function: Arc<ScalarUDF>,
    makes: Makes,
    /// The most bytes of a batch of results.
    most: u64,
}

/// Puts the wrapped functions in the place of DataFusion's; together their results of a batch take
/// no more than `most` bytes, roughly.
pub(crate) fn register(context: &SessionContext, most: u64) {
    let functions = context.state().scalar_functions().clone();
    for (name, makes) in MAKERS {
        if let Some(function) = functions.get(name) {
            context.register_udf(ScalarUDF::from(Bounded {
                function: Arc::clone(function),
                makes,
                most,
            }));
        }
    }
}

impl Bounded {
    /// Bytes of the result, roughly; `None` where the arguments are of other types.
    fn bytes(&self, args: &[ArrayRef]) -> Option<u64> {
        let numbers = |index: usize| {
            let numbers = cast(args.get(index)?, &DataType::Int64).ok()?;
            Some(numbers.as_primitive::<Int64Type>().clone())
        };
        let positive = |number: i64| u64::try_from(number).unwrap_or(0);
        let each: Vec<u64> = match self.makes {
            Makes::Copies => {
                let texts = cast(args.first()?, &DataType::Utf8View).ok();
                let length = |row: usize| match &texts {
                    Some(texts) if texts.is_valid(row) => {
                        texts.as_string_view().value(row).len() as u64
                    }
                    _ => ELEMENT,
                };
                let counts = numbers(1)?;
                let counts = counts.iter().map(Option::unwrap_or_default).map(positive);
                counts
                    .enumerate()
                    .map(|(row, count)| count.saturating_mul(length(row)))
                    .collect()
            }
            Makes::Length => {
                let lengths = numbers(1)?;
                let lengths = lengths.iter().map(Option::unwrap_or_default);
                lengths.map(positive).collect()
            }
            Makes::Range => {
                let (from, to, step) = match args.len() {
                    1 => (None, numbers(0)?, None),
                    2 => (Some(numbers(0)?), numbers(1)?, None),
                    _ => (Some(numbers(0)?), numbers(1)?, Some(numbers(2)?)),
                };
                let value =
                    |numbers: &Option<datafusion::arrow::array::Int64Array>, row, default| {
                        numbers
                            .as_ref()
                            .map_or(default, |numbers| numbers.value(row))
                    };
                (0..to.len())
                    .map(|row| {
                        let step = value(&step, row, 1).unsigned_abs().max(1);
                        to.value(row).abs_diff(value(&from, row, 0)) / step * ELEMENT
                    })
                    .collect()
            }
        };
        Some(each.into_iter().fold(0, u64::saturating_add))
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        if let Some(bytes) = self.bytes(&arrays)
            && bytes > self.most
        {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} would make {bytes} bytes at once, and may make {}",
                self.name(),
                self.most
            )));
        }
        self.function.invoke_with_args(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_too_much_is_refused_and_the_rest_is_as_it_was() {
        let (plain, bounded) = (SessionContext::new(), SessionContext::new());
        register(&bounded, 1 << 20);
        for sql in [
            "SELECT repeat('ab', 3), repeat('', 2000000000), repeat(NULL, 3), repeat('a', -1)",
            "SELECT lpad('a', 5), rpad('a', 5, 'xy'), array_repeat(7, 2), array_repeat('x', 2)",
            "SELECT range(3), range(2, 9, 3), range(9, 2, -3), generate_series(1, 3)",
            "SELECT repeat(v, n) FROM (VALUES ('x', 2), ('yz', 0), (NULL, 4)) t(v, n)",
        ] {
            let of = async |context: &SessionContext| {
                let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
                format!("{:?}", batches[0].columns())
            };
            assert_eq!(of(&bounded).await, of(&plain).await, "{sql}");
        }
        for sql in [
            "SELECT repeat('a', 2000000000)",
            "SELECT length(lpad('a', 2000000000))",
            "SELECT rpad('a', 2000000, 'x')",
            "SELECT array_length(range(1000000000000))",
            "SELECT array_repeat('x', 100000000)",
            "SELECT repeat(v, 100000) FROM (VALUES ('x'), ('yzyzyzyzyzyzyzyzyz')) t(v)",
        ] {
            let ran = match bounded.sql(sql).await {
                Ok(frame) => frame.collect().await.map(drop),
                Err(error) => Err(error),
            };
            let error = ran.expect_err(sql);
            assert!(error.to_string().contains("at once"), "{sql}: {error}");
        }
    }
}
