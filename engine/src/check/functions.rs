//! The functions that [`trace`](super::trace) puts into plans: columns of an event in, the line as
//! a value out; values of many rows, or of two sides of a join, in, one value out.
//!
//! They are no functions of SQL: only plans that are traced hold them.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder};
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, ColumnarValue, ScalarUDF, Volatility, create_udaf, create_udf,
};
use datafusion::scalar::ScalarValue;

use super::lines::{EvidenceLine, LinesBehind};

/// The columns of an event that make a line, in the order of [`line_of`]'s arguments.
pub(crate) const LINE_COLUMNS: [&str; 4] =
    ["stage_timestamp", "source_file", "source_line", "audit_id"];

/// The line of one event.
pub(super) fn line_of() -> Arc<ScalarUDF> {
    static LINE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let arguments = vec![
            time,
            DataType::Utf8View,
            DataType::Int64,
            DataType::Utf8View,
        ];
        let function = |values: &[ColumnarValue]| Ok(ColumnarValue::Array(lines(values)?));
        Arc::new(create_udf(
            "line of",
            arguments,
            DataType::Binary,
            Volatility::Immutable,
            Arc::new(function),
        ))
    });
    Arc::clone(&LINE)
}

/// The lines behind two rows that were joined.
pub(super) fn both_lines() -> Arc<ScalarUDF> {
    static BOTH: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
        let function = |values: &[ColumnarValue]| Ok(ColumnarValue::Array(merged(values)?));
        Arc::new(create_udf(
            "lines of both",
            vec![DataType::Binary, DataType::Binary],
            DataType::Binary,
            Volatility::Immutable,
            Arc::new(function),
        ))
    });
    Arc::clone(&BOTH)
}

/// The lines behind many rows.
pub(super) fn all_lines() -> Arc<AggregateUDF> {
    static ALL: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
        Arc::new(create_udaf(
            "lines of all",
            vec![DataType::Binary],
            Arc::new(DataType::Binary),
            Volatility::Immutable,
            Arc::new(|_| Ok(Box::<LinesOfAll>::default())),
            Arc::new(vec![DataType::Binary]),
        ))
    });
    Arc::clone(&ALL)
}

fn lines(values: &[ColumnarValue]) -> Result<ArrayRef> {
    let arrays = ColumnarValue::values_to_arrays(values)?;
    let [time, file, line, id] = arrays.as_slice() else {
        return datafusion::common::internal_err!("a line has four columns");
    };
    let time = time.as_primitive::<TimestampMicrosecondType>();
    let (file, id) = (file.as_string_view(), id.as_string_view());
    let line = line.as_primitive::<Int64Type>();
    let mut encoded = BinaryBuilder::new();
    for row in 0..time.len() {
        let mut lines = LinesBehind::default();
        lines.add(EvidenceLine {
            stage_timestamp: time.is_valid(row).then(|| time.value(row)),
            source_file: file.is_valid(row).then(|| file.value(row).to_owned()),
            source_line: line.is_valid(row).then(|| line.value(row)),
            audit_id: id.is_valid(row).then(|| id.value(row).to_owned()),
        });
        encoded.append_value(lines.encode());
    }
    Ok(Arc::new(encoded.finish()))
}

fn merged(values: &[ColumnarValue]) -> Result<ArrayRef> {
    let arrays = ColumnarValue::values_to_arrays(values)?;
    let rows = arrays.first().map_or(0, |array| array.len());
    let mut encoded = BinaryBuilder::new();
    for row in 0..rows {
        let mut lines = LinesBehind::default();
        for array in &arrays {
            let array = array.as_binary::<i32>();
            if array.is_valid(row) {
                lines.merge(array.value(row));
            }
        }
        encoded.append_value(lines.encode());
    }
    Ok(Arc::new(encoded.finish()))
}

#[derive(Debug, Default)]
struct LinesOfAll(LinesBehind);

impl Accumulator for LinesOfAll {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for array in values {
            let encoded = array.as_binary::<i32>().iter().flatten();
            encoded.for_each(|encoded| self.0.merge(encoded));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.0.encode())))
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
