//! Lookup tables in SQL: the tables of a session in, a table of each name and the function `listed`
//! out.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_view_array;
use datafusion::datasource::MemTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use crate::lookup::LookupTables;

/// Registers the tables and the function.
pub(super) fn register(context: &SessionContext, tables: &Arc<LookupTables>) -> Result<()> {
    let batches = tables.batches();
    let batches = batches.map_err(|error| DataFusionError::External(error.into()))?;
    for (name, batch) in batches {
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        // By its own name: it may be one that SQL would fold.
        let reference = datafusion::common::TableReference::bare(name);
        context.register_table(reference, Arc::new(table))?;
    }
    context.register_udf(ScalarUDF::from(Listed {
        tables: Arc::clone(tables),
        signature: Signature::variadic_any(Volatility::Stable),
    }));
    Ok(())
}

/// `listed(table, value, …)`.
struct Listed {
    tables: Arc<LookupTables>,
    signature: Signature,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listed")
    }
}

// There is one in a session.
impl PartialEq for Listed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Listed {}

impl Hash for Listed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "listed".hash(state);
    }
}

impl ScalarUDFImpl for Listed {
    fn name(&self) -> &str {
        "listed"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types.len() {
            0 | 1 => Err(DataFusionError::Plan(
                "listed takes the name of a lookup table and at least one value".to_owned(),
            )),
            _ => Ok(DataType::Boolean),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let [name, values @ ..] = arguments.args.as_slice() else {
            return Err(DataFusionError::Plan("listed takes a table".to_owned()));
        };
        let name = match name {
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(name)))
            | ColumnarValue::Scalar(ScalarValue::LargeUtf8(Some(name)))
            | ColumnarValue::Scalar(ScalarValue::Utf8View(Some(name))) => name,
            _ => {
                return Err(DataFusionError::Plan(
                    "the first argument of listed is the name of a lookup table, as text"
                        .to_owned(),
                ));
            }
        };
        if !self.tables.names().any(|known| known == name) {
            let known: Vec<&str> = self.tables.names().collect();
            let message = format!(
                "listed: there is no lookup table `{name}`; there are {}",
                known.join(", ")
            );
            return Err(DataFusionError::Plan(message));
        }
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(values.len());
        for value in values {
            arrays.push(cast(&value.to_array(rows)?, &DataType::Utf8View)?);
        }
        let columns: Vec<&StringViewArray> = arrays
            .iter()
            .map(|array| as_string_view_array(array))
            .collect::<Result<_>>()?;
        // Values repeat: each combination is looked up once a batch.
        let mut known: HashMap<Vec<Option<&str>>, bool> = HashMap::new();
        let listed = (0..rows).map(|row| {
            let values = columns.iter().map(|column| {
                let is_given = column.is_valid(row);
                is_given.then(|| column.value(row))
            });
            let values: Vec<Option<&str>> = values.collect();
            if let Some(listed) = known.get(&values) {
                return Some(*listed);
            }
            let listed = self.tables.is_listed(name, &values).unwrap_or(false);
            known.insert(values, listed);
            Some(listed)
        });
        let listed: BooleanArray = listed.collect();
        Ok(ColumnarValue::Array(Arc::new(listed)))
    }
}
