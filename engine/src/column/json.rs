//! The inverse of decoding: rows of `events` in, audit events as JSON lines out.
//!
//! An event comes back equal as a JSON value to the one that `format/` produced: the columns give
//! the members, and `unknown_fields` ([`super::Leftovers`]) overrides and completes them. Member
//! order is the apiserver's.

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, StringArray},
        compute::cast,
        datatypes::{Int32Type, TimestampMicrosecondType},
        error::ArrowError,
    },
    common::HashMap,
};

use crate::json::{Text, Value, ValueKind, elements, members, write_string, write_text};
use crate::schema;
use crate::time::format_micros;

/// The columns that an event is rebuilt from.
pub(crate) const COLUMNS: [&str; 36] = [
    "audit_id",
    "level",
    "stage",
    "verb",
    "request_uri",
    "user_agent",
    "source_ips",
    "event_api_version",
    "request_received_timestamp",
    "stage_timestamp",
    "username",
    "user_uid",
    "user_groups",
    "user_extra",
    "impersonated_username",
    "impersonated_uid",
    "impersonated_groups",
    "impersonated_extra",
    "impersonation_constraint",
    "api_group",
    "api_version",
    "resource",
    "subresource",
    "namespace",
    "name",
    "object_uid",
    "resource_version",
    "response_code",
    "response_status",
    "response_reason",
    "response_message",
    "response_details",
    "annotations",
    "request_object",
    "response_object",
    "unknown_fields",
];

/// Appends every row of `batch` (which has [`COLUMNS`]) as one JSON line.
///
/// # Errors
///
/// When a column is missing or of another type than in the data model.
pub(crate) fn write_events(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let columns = Columns::new(batch)?;
    for row in 0..batch.num_rows() {
        columns.write(row, out);
        out.push(b'\n');
    }
    Ok(())
}

struct Columns {
    arrays: HashMap<&'static str, ArrayRef>,
}

/// The leftovers of one object: member name, decoded and as written, to its raw value.
type Mirror<'a> = Vec<(String, Text<'a>, Value<'a>)>;

fn mirror_of(raw: &str) -> Mirror<'_> {
    members(raw)
        .map(|(name, value)| (name.decode().into_owned(), name, value))
        .collect()
}

/// Appends JSON on one line: between tokens a newline means nothing, and inside strings there is
/// none.
fn write_raw(out: &mut Vec<u8>, raw: &str) {
    for part in raw.split('\n') {
        out.extend_from_slice(part.as_bytes());
    }
}

fn find<'m, 'a>(mirror: &'m Mirror<'a>, name: &str) -> Option<&'m Value<'a>> {
    mirror
        .iter()
        .find(|(key, ..)| key == name)
        .map(|(_, _, value)| value)
}

/// An object being written: what the columns say, then what is left of the mirror.
struct JsonObject<'o, 'm, 'a> {
    out: &'o mut Vec<u8>,
    mirror: &'m Mirror<'a>,
    written: Vec<&'static str>,
    absent: &'m [String],
    path: &'static str,
}

impl<'m, 'a> JsonObject<'_, 'm, 'a> {
    fn name(&mut self, name: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        write_string(self.out, name);
        self.out.push(b':');
    }

    /// A member: its override if there is one, else what `write` appends; nothing if `write` has
    /// nothing.
    fn member(&mut self, name: &'static str, write: Option<impl FnOnce(&mut Vec<u8>)>) {
        self.written.push(name);
        if let Some(raw) = find(self.mirror, name) {
            self.name(name);
            write_raw(self.out, raw.raw);
        } else if let Some(write) = write
            && !self
                .absent
                .iter()
                .any(|path| path.strip_prefix(self.path) == Some(name))
        {
            self.name(name);
            write(self.out);
        }
    }

    /// A member that is an object of its own: the columns' members merged with the mirror's.
    fn object(
        &mut self,
        name: &'static str,
        path: &'static str,
        shown: bool,
        write: impl FnOnce(&mut JsonObject<'_, '_, '_>),
    ) {
        let over = find(self.mirror, name);
        self.written.push(name);
        match over {
            Some(value) if value.kind != ValueKind::Object => {
                self.name(name);
                write_raw(self.out, value.raw);
            }
            None if !shown => {}
            _ => {
                self.name(name);
                let mirror = over.map_or_else(Vec::new, |value| mirror_of(value.raw));
                write_object(self.out, &mirror, self.absent, path, write);
            }
        }
    }
}

fn write_object(
    out: &mut Vec<u8>,
    mirror: &Mirror<'_>,
    absent: &[String],
    path: &'static str,
    write: impl FnOnce(&mut JsonObject<'_, '_, '_>),
) {
    out.push(b'{');
    let mut object = JsonObject {
        out,
        mirror,
        written: Vec::new(),
        absent,
        path,
    };
    write(&mut object);
    let written = std::mem::take(&mut object.written);
    for (name, text, value) in mirror {
        let escaped = path.is_empty().then(|| name.strip_prefix('~')).flatten();
        if written.contains(&escaped.unwrap_or(name)) {
            continue;
        }
        match escaped {
            Some(name) => object.name(name),
            None => {
                if object.out.last() != Some(&b'{') {
                    object.out.push(b',');
                }
                write_text(object.out, *text);
                object.out.push(b':');
            }
        }
        write_raw(object.out, value.raw);
    }
    out.push(b'}');
}

impl Columns {
    fn new(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let mut arrays = HashMap::new();
        for name in COLUMNS {
            let array = batch.column_by_name(name).ok_or_else(|| {
                ArrowError::SchemaError(format!("the input has no column `{name}`"))
            })?;
            let wanted = schema::events().field_with_name(name)?.data_type().clone();
            arrays.insert(
                name,
                if *array.data_type() == wanted {
                    array.clone()
                } else {
                    cast(array, &wanted)?
                },
            );
        }
        Ok(Self { arrays })
    }

    fn valid(&self, name: &str, row: usize) -> Option<&ArrayRef> {
        self.arrays.get(name).filter(|array| array.is_valid(row))
    }

    fn str(&self, name: &str, row: usize) -> Option<&str> {
        Some(AsArray::as_string_view_opt(self.valid(name, row)?)?.value(row))
    }

    fn text(&self, name: &str, row: usize) -> Option<impl FnOnce(&mut Vec<u8>)> {
        self.str(name, row)
            .map(|text| move |out: &mut Vec<u8>| write_string(out, text))
    }

    fn raw(&self, name: &str, row: usize) -> Option<impl FnOnce(&mut Vec<u8>)> {
        self.str(name, row)
            .map(|raw| move |out: &mut Vec<u8>| write_raw(out, raw))
    }

    fn list(&self, name: &str, row: usize) -> Option<impl FnOnce(&mut Vec<u8>)> {
        let list = self.valid(name, row)?.as_list_opt::<i32>()?;
        Some(move |out: &mut Vec<u8>| write_list(out, list, row))
    }

    fn time(&self, name: &str, row: usize) -> Option<impl FnOnce(&mut Vec<u8>)> {
        let micros = self
            .valid(name, row)?
            .as_primitive_opt::<TimestampMicrosecondType>()?
            .value(row);
        Some(move |out: &mut Vec<u8>| {
            out.push(b'"');
            format_micros(out, micros);
            out.push(b'"');
        })
    }

    fn code(&self, row: usize) -> Option<impl FnOnce(&mut Vec<u8>)> {
        let code = self
            .valid("response_code", row)?
            .as_primitive_opt::<Int32Type>()?
            .value(row);
        Some(move |out: &mut Vec<u8>| out.extend_from_slice(code.to_string().as_bytes()))
    }

    fn map(&self, name: &str, row: usize) -> Option<&MapArray> {
        self.valid(name, row)?.as_map_opt()
    }

    fn any(&self, names: &[&str], row: usize) -> bool {
        names.iter().any(|name| self.valid(name, row).is_some())
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        let mut mirror = self
            .str("unknown_fields", row)
            .map_or_else(Vec::new, mirror_of);
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
            self.write_event(row, event)
        });
    }

    fn write_event(&self, row: usize, event: &mut JsonObject<'_, '_, '_>) {
        let typed = self.valid("event_api_version", row).is_some();
        event.member(
            "kind",
            typed.then_some(|out: &mut Vec<u8>| out.extend_from_slice(b"\"Event\"")),
        );
        event.member("apiVersion", self.text("event_api_version", row));
        event.member("level", self.text("level", row));
        event.member("auditID", self.text("audit_id", row));
        event.member("stage", self.text("stage", row));
        event.member("requestURI", self.text("request_uri", row));
        event.member("verb", self.text("verb", row));
        let user = ["username", "user_uid", "user_groups", "user_extra"];
        event.object("user", "user.", self.any(&user, row), |object| {
            self.write_user(row, object, user)
        });
        let user = [
            "impersonated_username",
            "impersonated_uid",
            "impersonated_groups",
            "impersonated_extra",
        ];
        event.object(
            "impersonatedUser",
            "impersonatedUser.",
            self.any(&user, row),
            |object| self.write_user(row, object, user),
        );
        let constraint = self.any(&["impersonation_constraint"], row);
        event.object(
            "authenticationMetadata",
            "authenticationMetadata.",
            constraint,
            |object| {
                object.member(
                    "impersonationConstraint",
                    self.text("impersonation_constraint", row),
                );
            },
        );
        event.member("sourceIPs", self.list("source_ips", row));
        event.member("userAgent", self.text("user_agent", row));
        const OBJECT: [(&str, &str); 8] = [
            ("resource", "resource"),
            ("namespace", "namespace"),
            ("name", "name"),
            ("uid", "object_uid"),
            ("apiGroup", "api_group"),
            ("apiVersion", "api_version"),
            ("resourceVersion", "resource_version"),
            ("subresource", "subresource"),
        ];
        event.object(
            "objectRef",
            "objectRef.",
            OBJECT.iter().any(|(_, column)| self.any(&[column], row)),
            |object| {
                for (name, column) in OBJECT {
                    object.member(name, self.text(column, row));
                }
            },
        );
        let response = [
            "response_code",
            "response_status",
            "response_reason",
            "response_message",
            "response_details",
        ];
        let shown = self.any(&response, row);
        event.object("responseStatus", "responseStatus.", shown, |object| {
            object.member(
                "metadata",
                shown.then_some(|out: &mut Vec<u8>| out.extend_from_slice(b"{}")),
            );
            object.member("status", self.text("response_status", row));
            object.member("message", self.text("response_message", row));
            object.member("reason", self.text("response_reason", row));
            object.member("details", self.raw("response_details", row));
            object.member("code", self.code(row));
        });
        event.member("requestObject", self.raw("request_object", row));
        event.member("responseObject", self.raw("response_object", row));
        event.member(
            "requestReceivedTimestamp",
            self.time("request_received_timestamp", row),
        );
        event.member("stageTimestamp", self.time("stage_timestamp", row));
        let annotations = self.map("annotations", row);
        event.object(
            "annotations",
            "annotations.",
            annotations.is_some(),
            |object| {
                if let Some(map) = annotations {
                    write_entries(object, map, row, |out, values, index| {
                        if let Some(values) = values.as_any().downcast_ref::<StringArray>() {
                            write_string(out, values.value(index));
                        }
                    });
                }
            },
        );
    }

    fn write_user(
        &self,
        row: usize,
        object: &mut JsonObject<'_, '_, '_>,
        [username, uid, groups, extra]: [&'static str; 4],
    ) {
        object.member("username", self.text(username, row));
        object.member("uid", self.text(uid, row));
        object.member("groups", self.list(groups, row));
        let map = self.map(extra, row);
        object.object("extra", "extra.", map.is_some(), |object| {
            if let Some(map) = map {
                write_entries(object, map, row, |out, values, index| {
                    if let Some(lists) = values.as_list_opt::<i32>() {
                        write_list(out, lists, index);
                    }
                });
            }
        });
    }
}

/// The entries of a map that the mirror does not override.
fn write_entries(
    object: &mut JsonObject<'_, '_, '_>,
    map: &MapArray,
    row: usize,
    write: impl Fn(&mut Vec<u8>, &ArrayRef, usize),
) {
    let offsets = map.value_offsets();
    let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
    let Some(keys) = map.keys().as_any().downcast_ref::<StringArray>() else {
        return;
    };
    let overridden: std::collections::HashSet<&str> = object
        .mirror
        .iter()
        .map(|(name, ..)| name.as_str())
        .collect();
    for index in from..to {
        let key = keys.value(index);
        if !overridden.contains(key) {
            object.name(key);
            write(object.out, map.values(), index);
        }
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

fn take<'a>(mirror: &mut Mirror<'a>, name: &str) -> Option<Value<'a>> {
    let index = mirror.iter().position(|(key, ..)| key == name)?;
    Some(mirror.remove(index).2)
}
