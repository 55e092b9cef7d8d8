//! The values of lookup tables: text in, typed Arrow columns out.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Field, Schema};
use ipnet::IpNet;
use serde::Deserialize;

use crate::error::Result;
use crate::time::parse_time;

/// How the values of a column are read, and how `listed` compares with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LookupType {
    /// Text that is equal.
    Text,
    /// A pattern: `*` stands for any characters, `?` for one.
    Glob,
    /// A network such as `10.0.0.0/8`, or one address, that holds the address.
    Cidr,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A time (RFC 3339), or a date.
    Timestamp,
}

impl LookupType {
    /// Its name in definitions and docs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Glob => "glob",
            Self::Cidr => "cidr",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
        }
    }
}

/// A network, or a single address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let single = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(single)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a cell is of its column's type; what was expected, if not.
pub(super) fn check(cell: Option<&str>, kind: LookupType) -> Result<(), String> {
    let Some(text) = cell else {
        return Ok(());
    };
    let (fits, expected) = match kind {
        LookupType::Text | LookupType::Glob => (true, ""),
        LookupType::Cidr => (
            network(text).is_some(),
            "an address or a network such as 10.0.0.0/8",
        ),
        LookupType::Integer => (text.parse::<i64>().is_ok(), "a whole number"),
        LookupType::Number => (text.parse::<f64>().is_ok(), "a number"),
        LookupType::Boolean => (boolean(text).is_some(), "true or false"),
        LookupType::Timestamp => (
            parse_time(text).is_some(),
            "a time such as 2026-11-01T08:00:00Z, or a date",
        ),
    };
    match fits {
        true => Ok(()),
        false => Err(format!("`{text}` is not {expected}")),
    }
}

/// Rows as a batch.
pub(super) fn batch(
    columns: &[(String, LookupType)],
    rows: &[Vec<Option<String>>],
) -> Result<RecordBatch> {
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays = Vec::with_capacity(columns.len());
    for (index, (name, kind)) in columns.iter().enumerate() {
        let cells = rows
            .iter()
            .map(|row| row.get(index).and_then(Option::as_deref));
        let array = array(cells, *kind);
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    Ok(RecordBatch::try_new(schema, arrays)?)
}

fn array<'a>(cells: impl Iterator<Item = Option<&'a str>>, kind: LookupType) -> ArrayRef {
    match kind {
        LookupType::Integer => {
            let values = cells.map(|cell| cell?.parse().ok());
            Arc::new(values.collect::<Int64Array>())
        }
        LookupType::Number => {
            let values = cells.map(|cell| cell?.parse().ok());
            Arc::new(values.collect::<Float64Array>())
        }
        LookupType::Boolean => {
            let values = cells.map(|cell| boolean(cell?));
            Arc::new(values.collect::<BooleanArray>())
        }
        LookupType::Timestamp => {
            let values = cells.map(|cell| parse_time(cell?));
            let times = values.collect::<TimestampMicrosecondArray>();
            Arc::new(times.with_timezone("UTC"))
        }
        _ => Arc::new(cells.collect::<StringViewArray>()),
    }
}
