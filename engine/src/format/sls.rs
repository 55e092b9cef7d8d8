//! Alibaba Cloud's Simple Log Service (ACK): rows in which every member of the event is a string
//! in, the events out.
//!
//! Members that were not strings are JSON in a string: `"user":"{\"username\":…}"`. Strings stay as
//! they are, whatever they look like. The store's own fields begin with two underscores:
//! `__topic__`, `__source__`, `__time__`, `__tag__:…`. Source: mozillazg/kube-audit-mcp `sls.go`;
//! Alibaba Cloud, "Reserved fields".

use crate::format::document::filled;
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::{Cursor, Fault, Text};

/// The members of an event that are strings in it.
const STRINGS: [&str; 11] = [
    "kind",
    "apiVersion",
    "level",
    "auditID",
    "stage",
    "requestURI",
    "verb",
    "userAgent",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "timestamp",
];

/// Members that are never strings in an event.
const NESTED: [&str; 5] = [
    "user",
    "sourceIPs",
    "objectRef",
    "responseStatus",
    "annotations",
];

pub(super) struct Sls;

impl Envelope for Sls {
    fn name(&self) -> &'static str {
        "sls"
    }

    fn doc(&self) -> &'static str {
        "rows of Alibaba Cloud's Simple Log Service (ACK): events whose nested members are JSON in strings, beside __topic__ and __source__"
    }

    fn members(&self) -> &'static [&'static str] {
        &["auditID"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let event = record.has("auditID")
            && ["stage", "verb", "requestURI"]
                .iter()
                .filter(|name| record.has(name))
                .count()
                >= 2;
        event
            && (["__topic__", "__source__", "__time__"]
                .iter()
                .any(|name| record.has(name))
                || NESTED.iter().any(|name| {
                    record
                        .text_of(name)
                        .is_some_and(|text| text.raw().starts_with(['{', '[']))
                }))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let (mut event, mut envelope) = (b"{".to_vec(), Vec::new());
        for (name, value) in record.members() {
            let known = name.decode();
            if known.starts_with("__") {
                writer::member(&mut envelope, *name, value.raw);
                continue;
            }
            let text = value
                .text()
                .filter(|_| !STRINGS.contains(&&*known))
                .map(Text::decode);
            match text.as_deref().map(inner) {
                Some(Inner::Json(json)) if json == "null" || json.starts_with(['{', '[']) => {
                    writer::member(&mut event, *name, json)
                }
                _ => writer::member(&mut event, *name, value.raw),
            }
        }
        event.push(b'}');
        if let Some(event) = writer::text(event) {
            let envelope = writer::text(envelope).filter(|envelope| !envelope.is_empty());
            out.made(
                &event,
                &Provenance {
                    log_stream: filled(record, "__source__"),
                    envelope,
                    ..Provenance::default()
                },
            );
        }
    }

    fn resembles_events(&self) -> bool {
        true
    }
}

/// What is in a string that may hold JSON.
pub(super) enum Inner<'t> {
    /// One value and nothing else.
    Json(&'t str),
    /// The beginning of one.
    Cut,
    /// Something else.
    Text,
}

pub(super) fn inner(text: &str) -> Inner<'_> {
    let mut cursor = Cursor::new(text);
    match cursor.value() {
        Ok(value) if cursor.peek().is_err() => Inner::Json(value.raw),
        Err(Fault::Incomplete) => Inner::Cut,
        _ => Inner::Text,
    }
}
