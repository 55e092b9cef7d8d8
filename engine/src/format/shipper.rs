//! Records of log shippers and pipelines: any object with a member that holds an event, or another
//! envelope, in; that member out.
//!
//! fluent-bit calls it `log`; Filebeat, Vector and Logstash `message`; GELF `short_message`; Splunk
//! `_raw`; and so on. The same event may be in several of them and counts once. An event that was
//! merged into the root of the record is an event with unknown members, and not of this format.
//! Source: the shippers' documentation, records of real pipelines.

use memchr::memmem;

use crate::format::document::{joined, rest_of};
use crate::format::{Envelope, Provenance, Record, Unwrapped, candidates, detect_line};
use crate::json::{Text, Value, ValueKind, elements};

const NAME: &str = "shipper";

/// The members that may hold the event, most usual first.
const MEMBERS: [&str; 23] = [
    "log",
    "message",
    "short_message",
    "event",
    "line",
    "@message",
    "body",
    "_raw",
    "event.original",
    "input.message",
    "log_processed",
    "MESSAGE",
    "msg",
    "content",
    "text",
    "original",
    "payload",
    "data",
    "input",
    "result",
    "_source",
    "json_payload",
    "jsonPayload",
];

pub(super) struct Shipper;

impl Envelope for Shipper {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "records of fluent-bit, Fluentd, Filebeat, Logstash, Vector, Splunk and others with the event in log, message, event, body, _raw …"
    }

    fn members(&self) -> &'static [&'static str] {
        &MEMBERS
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        held(record).is_some()
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        match held(record) {
            Some((name, value)) => {
                out.payload(
                    value,
                    &Provenance {
                        envelope: envelope(record, name),
                        ..Provenance::default()
                    },
                );
            }
            None => out.skip(),
        }
    }
}

/// The first member that holds an event or an envelope.
fn held<'a>(record: &Record<'a>) -> Option<(&'static str, Value<'a>)> {
    MEMBERS.iter().find_map(|name| {
        record
            .member(name)
            .filter(|value| holds(*value))
            .map(|value| (*name, value))
    })
}

fn holds(value: Value<'_>) -> bool {
    match value.kind {
        ValueKind::String => value.text().is_some_and(is_json),
        ValueKind::Object => Record::of(value).is_some_and(|inner| {
            is_envelope(&inner)
                || MEMBERS
                    .iter()
                    .any(|name| inner.text_of(name).is_some_and(is_json))
        }),
        ValueKind::Array => elements(value)
            .next()
            .and_then(Record::of)
            .is_some_and(|first| is_envelope(&first)),
        ValueKind::Number | ValueKind::Boolean | ValueKind::Null => false,
    }
}

/// Is this an event, or an envelope of another format? Asking this format too would recurse into
/// objects without end.
fn is_envelope(record: &Record<'_>) -> bool {
    candidates(record).any(|format| format.name() != NAME && format.recognises(record))
}

/// Does the text begin as an object that is not empty, or as a list of objects, or is it a line
/// that a format knows?
fn is_json(text: Text<'_>) -> bool {
    let raw = after_blanks(text.raw());
    if let Some(inside) = raw.strip_prefix('{') {
        let inside = after_blanks(inside);
        return inside.starts_with("\\\"") || inside.starts_with("\\u0022");
    }
    if let Some(inside) = raw.strip_prefix('[') {
        return after_blanks(inside).starts_with('{');
    }
    let promising = ["{\\\"", "AUDIT: id="]
        .iter()
        .any(|sign| memmem::find(raw.as_bytes(), sign.as_bytes()).is_some());
    promising && detect_line(&text.decode()).is_some_and(|(_, line)| line.payload.starts_with('{'))
}

/// The inside of a JSON string without the blanks that it begins with.
fn after_blanks(raw: &str) -> &str {
    let mut rest = raw;
    while let Some(after) = [" ", "\\n", "\\r", "\\t", "\u{feff}"]
        .iter()
        .find_map(|blank| rest.strip_prefix(*blank))
    {
        rest = after;
    }
    rest
}

/// What the record says beside the event, and beside copies of it.
fn envelope(record: &Record<'_>, chosen: &str) -> Option<String> {
    let copies: Vec<&str> = MEMBERS
        .iter()
        .copied()
        .filter(|name| record.member(name).is_some_and(holds))
        .collect();
    let original = if chosen != "event" && copies.contains(&"event") {
        rest_of(record, "event", &["original"])
    } else {
        None
    };
    joined(record.without(&copies).as_deref(), original)
}
