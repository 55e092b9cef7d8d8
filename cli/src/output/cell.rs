//! One value of a result: an array and a row in, text or JSON out.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{
    array::{Array, ArrayRef, AsArray, MapArray, StructArray, UnionArray},
    datatypes::{
        DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
    util::display::{ArrayFormatter, FormatOptions},
};

use crate::text::{Quoting, safe_json, write_quoted};

/// The value as text; `None` for NULL. Text and scalars are themselves, nested values and JSON
/// unions are JSON.
pub(crate) fn text(array: &ArrayRef, row: usize) -> Result<Option<String>> {
    if is_null(array, row) {
        return Ok(None);
    }
    if let Some(text) = string(array, row) {
        return Ok(Some(text.to_owned()));
    }
    let mut json = Vec::new();
    write_json(&mut json, array, row)?;
    let json = String::from_utf8(json)?;
    // A scalar that JSON quotes (a time, say) is text without the quotes.
    let quoted = json.len() >= 2 && json.starts_with('"') && !is_nested(array.data_type());
    Ok(Some(if quoted {
        serde_json::from_str(&json)?
    } else {
        json
    }))
}

/// Is this column text that the log's author chose, rather than a number or time of ours?
pub(crate) fn is_text(data_type: &DataType) -> bool {
    !(data_type.is_numeric()
        || data_type.is_temporal()
        || matches!(data_type, DataType::Boolean | DataType::Null))
}

/// Is this column shown flush right?
pub(crate) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

fn is_nested(data_type: &DataType) -> bool {
    data_type.is_nested() || matches!(data_type, DataType::Union(..))
}

fn is_null(array: &ArrayRef, row: usize) -> bool {
    match array.data_type() {
        DataType::Null => true,
        DataType::Union(..) => array
            .as_any()
            .downcast_ref::<UnionArray>()
            .is_some_and(|union| {
                let child = union.child(union.type_id(row));
                matches!(child.data_type(), DataType::Null)
                    || child.is_null(union.value_offset(row))
            }),
        DataType::Dictionary(..) => array.as_any_dictionary_opt().is_some_and(|array| {
            array.is_null(row) || is_null(array.values(), array.normalized_keys()[row])
        }),
        _ => array.is_null(row),
    }
}

fn string(array: &ArrayRef, row: usize) -> Option<&str> {
    match array.data_type() {
        DataType::Utf8 => array.as_string_opt::<i32>().map(|array| array.value(row)),
        DataType::LargeUtf8 => array.as_string_opt::<i64>().map(|array| array.value(row)),
        DataType::Utf8View => array.as_string_view_opt().map(|array| array.value(row)),
        _ => None,
    }
}

/// Appends the value as JSON, on one line and safe on a terminal.
pub(crate) fn write_json(out: &mut Vec<u8>, array: &ArrayRef, row: usize) -> Result<()> {
    if is_null(array, row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    if let Some(text) = string(array, row) {
        write_quoted(out, text, Quoting::Json);
        return Ok(());
    }
    macro_rules! number {
        ($type:ty) => {
            write!(out, "{}", array.as_primitive::<$type>().value(row))?
        };
    }
    match array.data_type() {
        DataType::Boolean => write!(out, "{}", array.as_boolean().value(row))?,
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        // JSON has no NaN and no infinity.
        DataType::Float32 => {
            serde_json::to_writer(out, &array.as_primitive::<Float32Type>().value(row))?
        }
        DataType::Float64 => {
            serde_json::to_writer(out, &array.as_primitive::<Float64Type>().value(row))?
        }
        DataType::Date32 => match array.as_primitive::<Date32Type>().value_as_date(row) {
            Some(date) => write!(out, "\"{date}\"")?,
            None => out.extend_from_slice(b"null"),
        },
        DataType::Timestamp(unit, zone) => {
            let time = match unit {
                TimeUnit::Second => array
                    .as_primitive::<TimestampSecondType>()
                    .value_as_datetime(row),
                TimeUnit::Millisecond => array
                    .as_primitive::<TimestampMillisecondType>()
                    .value_as_datetime(row),
                TimeUnit::Microsecond => array
                    .as_primitive::<TimestampMicrosecondType>()
                    .value_as_datetime(row),
                TimeUnit::Nanosecond => array
                    .as_primitive::<TimestampNanosecondType>()
                    .value_as_datetime(row),
            };
            // Arrow keeps the instant in UTC whatever the zone; without a zone it is UTC here.
            let _ = zone;
            match time {
                Some(time) => write!(out, "\"{}Z\"", time.format("%Y-%m-%dT%H:%M:%S%.6f"))?,
                None => out.extend_from_slice(b"null"),
            }
        }
        DataType::List(_) => write_list(out, &array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => write_list(out, &array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => write_list(out, &array.as_fixed_size_list().value(row))?,
        DataType::ListView(_) => write_list(out, &array.as_list_view::<i32>().value(row))?,
        DataType::Struct(_) => write_struct(out, array.as_struct(), row)?,
        DataType::Map(..) => write_map(out, array.as_map(), row)?,
        DataType::Union(..) => match array.as_any().downcast_ref::<UnionArray>() {
            Some(union) => write_union(out, union, row)?,
            None => out.extend_from_slice(b"null"),
        },
        DataType::Dictionary(..) => {
            if let Some(dictionary) = array.as_any_dictionary_opt() {
                write_json(out, dictionary.values(), dictionary.normalized_keys()[row])?;
            }
        }
        _ => {
            let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())?;
            write_quoted(out, &formatter.value(row).to_string(), Quoting::Json);
        }
    }
    Ok(())
}

fn write_list(out: &mut Vec<u8>, values: &ArrayRef) -> Result<()> {
    out.push(b'[');
    for index in 0..values.len() {
        if index > 0 {
            out.push(b',');
        }
        write_json(out, values, index)?;
    }
    out.push(b']');
    Ok(())
}

fn write_struct(out: &mut Vec<u8>, array: &StructArray, row: usize) -> Result<()> {
    out.push(b'{');
    for (index, (name, column)) in array
        .column_names()
        .into_iter()
        .zip(array.columns())
        .enumerate()
    {
        if index > 0 {
            out.push(b',');
        }
        write_quoted(out, name, Quoting::Json);
        out.push(b':');
        write_json(out, column, row)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_map(out: &mut Vec<u8>, array: &MapArray, row: usize) -> Result<()> {
    let offsets = array.value_offsets();
    out.push(b'{');
    for index in offsets[row] as usize..offsets[row + 1] as usize {
        if index > offsets[row] as usize {
            out.push(b',');
        }
        let key = text(array.keys(), index)?.unwrap_or_default();
        write_quoted(out, &key, Quoting::Json);
        out.push(b':');
        write_json(out, array.values(), index)?;
    }
    out.push(b'}');
    Ok(())
}

/// The JSON union of datafusion-functions-json: arrays and objects are JSON text already.
fn write_union(out: &mut Vec<u8>, union: &UnionArray, row: usize) -> Result<()> {
    let DataType::Union(fields, _) = union.data_type() else {
        return Ok(());
    };
    let id = union.type_id(row);
    let child = union.child(id);
    let offset = union.value_offset(row);
    let name = fields
        .iter()
        .find(|(field, _)| *field == id)
        .map(|(_, field)| field.name().clone())
        .unwrap_or_default();
    match (name.as_str(), string(child, offset)) {
        ("array" | "object", Some(json))
            if serde_json::from_str::<&serde_json::value::RawValue>(json).is_ok() =>
        {
            out.extend_from_slice(safe_json(json).as_bytes());
        }
        _ => write_json(out, child, offset)?,
    }
    Ok(())
}
