//! OpenTelemetry logs in the JSON encoding of OTLP: `resourceLogs` in, the bodies of their log
//! records out.
//!
//! A body is a string, or the event as a tree of `kvlistValue`s. There, an integer is a string,
//! `null` is an unset value, and an empty list may lack its `values`. The cluster and the node are
//! attributes of the resource. Source: opentelemetry-proto `logs/v1/logs.proto`,
//! `common/v1/common.proto`; OTLP specification, "JSON Protobuf encoding"; output of OpenShift
//! Logging 6.

use std::borrow::Cow;

use crate::format::document::{each, filled, joined};
use crate::format::packed::unpack;
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::{Cursor, Text, Value, ValueKind, elements};

/// The deepest nesting of values. An apiserver refuses bodies of half this depth.
const DEEPEST: usize = 256;

pub(super) struct Otlp;

impl Envelope for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn doc(&self) -> &'static str {
        "OpenTelemetry logs in OTLP's JSON encoding, bodies as strings or key-value lists (OpenShift Logging 6, the collector)"
    }

    fn members(&self) -> &'static [&'static str] {
        &["resourceLogs", "resource_logs"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        resources(record).is_some()
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        match resources(record) {
            Some(resources) => each(resources, out, resource),
            None => out.skip(record.text),
        }
    }
}

fn resources<'a>(record: &Record<'a>) -> Option<Value<'a>> {
    record
        .any(&["resourceLogs", "resource_logs"])
        .filter(|resources| resources.kind == ValueKind::Array)
}

fn resource(item: Value<'_>, out: &mut dyn Unwrapped) {
    const SCOPES: [&str; 3] = ["scopeLogs", "scope_logs", "instrumentationLibraryLogs"];
    const RECORDS: [&str; 3] = ["logRecords", "log_records", "logs"];

    let Some(of) = Record::of(item) else {
        return out.skip(item.raw);
    };
    let Some(scopes) = of.any(&SCOPES) else {
        return out.skip(item.raw);
    };
    let attributes = of.object("resource").and_then(|of| of.member("attributes"));
    let cluster = attribute(attributes, "k8s.cluster.name")
        .or_else(|| attribute(attributes, "openshift.cluster.uid"));
    let log_stream =
        attribute(attributes, "k8s.node.name").or_else(|| attribute(attributes, "host.name"));
    let around = of.without(&SCOPES);
    each(scopes, out, |item, out| {
        let Some(scope) = Record::of(item) else {
            return out.skip(item.raw);
        };
        let Some(records) = scope.any(&RECORDS) else {
            return out.skip(scope.text);
        };
        let around = joined(
            around.as_deref(),
            scope.without(&["logRecords", "log_records", "logs", "schemaUrl"]),
        );
        each(records, out, |item, out| {
            let Some(entry) = Record::of(item) else {
                return out.skip(item.raw);
            };
            let provenance = Provenance {
                cluster: cluster.as_deref().map(Cow::Borrowed),
                log_stream: log_stream.as_deref().map(Cow::Borrowed),
                envelope: joined(around.as_deref(), entry.without(&["body"])),
                ..Provenance::default()
            };
            body(&entry, &provenance, out);
        });
    });
}

/// A resource attribute, if it is a string.
fn attribute<'a>(attributes: Option<Value<'a>>, name: &str) -> Option<Cow<'a, str>> {
    let found = elements(attributes?)
        .filter_map(Record::of)
        .find(|attribute| attribute.is("key", name))?;
    filled(&found.object("value")?, "stringValue")
}

fn body(entry: &Record<'_>, provenance: &Provenance<'_>, out: &mut dyn Unwrapped) {
    let Some(body) = entry.object("body") else {
        return out.skip(entry.text);
    };
    if let Some(text) = body
        .member("stringValue")
        .filter(|text| text.kind == ValueKind::String)
    {
        out.payload(text, provenance);
    } else if body.has("kvlistValue") {
        let mut json = Vec::new();
        match any_value(&mut json, entry.member("body"), DEEPEST).and_then(|()| writer::text(json))
        {
            Some(text) => out.decoded(&text, provenance),
            None => out.reject(entry.text, "the body is nested too deeply"),
        }
    } else if let Some(bytes) = body.string("bytesValue") {
        match unpack(&bytes) {
            Ok(text) => out.decoded(&text, provenance),
            Err(why) => out.reject(entry.text, why.message()),
        }
    } else {
        out.skip(entry.text);
    }
}

/// Appends an AnyValue as JSON; fails if it is nested too deeply.
fn any_value(out: &mut Vec<u8>, value: Option<Value<'_>>, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let any = value.and_then(Record::of);
    let member = |name: &str| any.as_ref().and_then(|any| any.member(name));
    if let Some(list) = member("kvlistValue") {
        out.push(b'{');
        for pair in values(list).filter_map(Record::of) {
            if let Some(key) = pair.text_of("key") {
                // The value follows.
                writer::member(out, key, "");
                any_value(out, pair.member("value"), depth)?;
            }
        }
        out.push(b'}');
    } else if let Some(list) = member("arrayValue") {
        out.push(b'[');
        for (index, element) in values(list).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            any_value(out, Some(element), depth)?;
        }
        out.push(b']');
    } else if let Some(number) = member("intValue").or_else(|| member("doubleValue")) {
        let text = number
            .text()
            .map(Text::decode)
            .filter(|text| is_number(text));
        out.extend_from_slice(text.as_deref().unwrap_or(number.raw).as_bytes());
    } else {
        let scalar = ["stringValue", "boolValue", "bytesValue"]
            .into_iter()
            .find_map(member);
        out.extend_from_slice(scalar.map_or("null", |scalar| scalar.raw).as_bytes());
    }
    Some(())
}

/// The elements of an ArrayValue or a KeyValueList.
fn values(list: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    Record::of(list)
        .and_then(|list| list.member("values"))
        .into_iter()
        .flat_map(elements)
}

fn is_number(text: &str) -> bool {
    Cursor::new(text)
        .value()
        .is_ok_and(|value| value.kind == ValueKind::Number && value.raw.len() == text.len())
}
