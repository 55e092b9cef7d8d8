//! The inverse of decoding: rows of `events` in, audit events as JSON lines out.
//!
//! An event comes back equal as a JSON value to the one that `format/` produced. Columns that have a
//! `path` in `schemas/tables/events.toml` give the members at these paths; `unknown_fields`
//! ([`Leftovers`](crate::event::Leftovers)) overrides and completes them. Members stand in the
//! apiserver's order.

mod object;
mod shape;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, ListArray, MapArray, RecordBatch, StringArray,
    StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::error::ArrowError;

use crate::column::json::object::{JsonObject, mirror_of, take, write_object, write_raw};
use crate::column::json::shape::{EventShape, MemberShape};
use crate::json::{Value, elements, write_string};
use crate::schema::{self, Absent, ColumnDef};
use crate::time::format_micros;

pub(crate) use shape::restored_columns;

/// Appends every row of `batch` (which has [`restored_columns`]) as one JSON line.
///
/// # Errors
///
/// When a column is missing or of another type than in the data model.
pub(crate) fn write_events(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let shape = EventShape::of_events();
    let columns = RestoredColumns {
        values: shape
            .columns
            .iter()
            .map(|column| RestoredValues::new(batch, column))
            .collect::<Result<_, _>>()?,
        leftovers: shape
            .leftovers
            .map(|column| RestoredValues::new(batch, column))
            .transpose()?,
    };
    for row in 0..batch.num_rows() {
        columns.write(shape, row, out);
        out.push(b'\n');
    }
    Ok(())
}

/// The columns of a batch that events are written from, in the order of [`EventShape::columns`].
struct RestoredColumns {
    values: Vec<RestoredValues>,
    leftovers: Option<RestoredValues>,
}

/// The values of one column; the type decides how they are written.
enum RestoredValues {
    Text(StringViewArray),
    /// Text whose member is absent where it is empty.
    ElidedText(StringViewArray),
    Json(StringViewArray),
    List(ListArray),
    Map(MapArray),
    Int32(Int32Array),
    Time(TimestampMicrosecondArray),
}

impl RestoredValues {
    fn new(batch: &RecordBatch, column: &ColumnDef) -> Result<Self, ArrowError> {
        let name = &column.name;
        let array = batch
            .column_by_name(name)
            .ok_or_else(|| ArrowError::SchemaError(format!("the input has no column `{name}`")))?;
        let kind = column.type_name.as_str();
        let unknown =
            || ArrowError::SchemaError(format!("`{name}`: no event is written from type `{kind}`"));
        let array = cast(array, &schema::data_type(kind).ok_or_else(unknown)?)?;
        let values = match kind {
            "string" => array
                .as_string_view_opt()
                .cloned()
                .map(match column.absent {
                    Absent::Null => Self::Text,
                    Absent::Empty => Self::ElidedText,
                }),
            "json" => array.as_string_view_opt().cloned().map(Self::Json),
            "list<string>" => array.as_list_opt().cloned().map(Self::List),
            "map<string,string>" | "map<string,list<string>>" => {
                array.as_map_opt().cloned().map(Self::Map)
            }
            "int32" => array.as_primitive_opt().cloned().map(Self::Int32),
            "timestamp" => array.as_primitive_opt().cloned().map(Self::Time),
            _ => None,
        };
        values.ok_or_else(unknown)
    }

    /// Does the column show a member?
    fn is_shown(&self, row: usize) -> bool {
        match self {
            Self::Text(array) | Self::Json(array) => array.is_valid(row),
            Self::ElidedText(array) => array.is_valid(row) && !array.value(row).is_empty(),
            Self::List(array) => array.is_valid(row),
            Self::Map(array) => array.is_valid(row),
            Self::Int32(array) => array.is_valid(row),
            Self::Time(array) => array.is_valid(row),
        }
    }

    /// Appends a value that is not a map.
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Text(array) | Self::ElidedText(array) => write_string(out, array.value(row)),
            Self::Json(array) => write_raw(out, array.value(row)),
            Self::List(array) => write_list(out, array, row),
            Self::Int32(array) => out.extend_from_slice(array.value(row).to_string().as_bytes()),
            Self::Time(array) => {
                out.push(b'"');
                format_micros(out, array.value(row));
                out.push(b'"');
            }
            Self::Map(_) => {}
        }
    }
}

impl RestoredColumns {
    fn any(&self, columns: &[usize], row: usize) -> bool {
        columns
            .iter()
            .any(|&column| self.values[column].is_shown(row))
    }

    fn write(&self, shape: &'static EventShape, row: usize, out: &mut Vec<u8>) {
        let mut mirror = match &self.leftovers {
            Some(RestoredValues::Json(array)) if array.is_valid(row) => mirror_of(array.value(row)),
            _ => Vec::new(),
        };
        let absent: Vec<String> = take(&mut mirror, "absent")
            .map(|value| {
                elements(value)
                    .filter_map(Value::text)
                    .map(|text| text.decode().into_owned())
                    .collect()
            })
            .unwrap_or_default();
        take(&mut mirror, "duplicates");
        take(&mut mirror, "envelope");
        write_object(out, &mirror, &absent, "", |event| {
            self.write_members(&shape.members, row, event)
        });
    }

    fn write_members(
        &self,
        members: &'static [MemberShape],
        row: usize,
        object: &mut JsonObject<'_, '_, '_>,
    ) {
        for member in members {
            match member {
                MemberShape::Column { name, path, column } => {
                    let values = &self.values[*column];
                    let shown = values.is_shown(row);
                    if let RestoredValues::Map(map) = values {
                        object.object(name, path, shown, |object| {
                            if shown {
                                write_entries(object, map, row);
                            }
                        });
                    } else {
                        object.member(name, shown, |out| values.write(row, out));
                    }
                }
                MemberShape::Implied { name, json, beside } => {
                    let shown = self.any(beside, row);
                    object.member(name, shown, |out| out.extend_from_slice(json.as_bytes()));
                }
                MemberShape::Object {
                    name,
                    path,
                    columns,
                    members,
                } => {
                    let shown = self.any(columns, row);
                    object.object(name, path, shown, |object| {
                        self.write_members(members, row, object);
                    });
                }
            }
        }
    }
}

/// The entries of a map that the mirror does not override.
fn write_entries(object: &mut JsonObject<'_, '_, '_>, map: &MapArray, row: usize) {
    let offsets = map.value_offsets();
    let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
    let Some(keys) = map.keys().as_string_opt::<i32>() else {
        return;
    };
    let mirror = object.mirror.iter();
    let overridden: std::collections::HashSet<&str> =
        mirror.map(|(name, ..)| name.as_str()).collect();
    for index in from..to {
        let key = keys.value(index);
        if !overridden.contains(key) {
            object.name(key);
            write_entry(object.out, map.values(), index);
        }
    }
}

fn write_entry(out: &mut Vec<u8>, values: &ArrayRef, index: usize) {
    if let Some(texts) = values.as_string_opt::<i32>() {
        write_string(out, texts.value(index));
    } else if let Some(lists) = values.as_list_opt::<i32>() {
        write_list(out, lists, index);
    }
}

fn write_list(out: &mut Vec<u8>, list: &ListArray, row: usize) {
    let values = list.value(row);
    out.push(b'[');
    if let Some(values) = values.as_any().downcast_ref::<StringArray>() {
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(out, value.unwrap_or_default());
        }
    }
    out.push(b']');
}
