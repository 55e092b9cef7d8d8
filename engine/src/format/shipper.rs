//! Records of log shippers and pipelines: any object with members that hold an event, or another
//! envelope, in; these members out.
//!
//! fluent-bit calls it `log`; Filebeat, Vector and Logstash `message`; GELF `short_message`; Splunk
//! `_raw`; Kinesis `Data`; and so on. No name has to be listed: any member counts that is an event
//! or an envelope, or holds one as text, in base64 or as a list of bytes, however deep it stands.
//! The same event may be in several members and counts once. The other members are the envelope. An
//! event that was merged into the root of the record is an event with unknown members, and not of
//! this format. Source: the shippers' documentation, records of real pipelines.

mod parts;

use std::borrow::Cow;

use memchr::memmem;

use crate::format::document::{joined, rest_of};
use crate::format::packed::{bytes_of, is_base64, text_of, unpack};
use crate::format::{
    Envelope, Provenance, Record, Unwrapped, bears_marks, candidates, detect, detect_line, marks,
};
use crate::json::{Text, Value, ValueKind, elements};

const NAME: &str = "shipper";

/// The members that usually hold the event, most usual first: they are looked at before others.
const USUAL: [&str; 23] = [
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

/// Objects and lists in each other that are looked into for one layer.
const MOST_DEPTH: usize = 8;

pub(super) struct Shipper;

impl Envelope for Shipper {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "records of fluent-bit, Fluentd, Filebeat, Logstash, Vector, Splunk, Kinesis and others with the event in log, message, event, body, _raw or any other member, as text, JSON, base64 or bytes"
    }

    /// Any.
    fn members(&self) -> &'static [&'static str] {
        &[]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        parts::part(record).is_some() || quick(record).is_some() || !held(record).is_empty()
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        if let Some(part) = parts::part(record) {
            return part.hand_over(record, out);
        }
        let held = match quick(record) {
            Some(one) => vec![one],
            None => held(record),
        };
        let Some((first, _)) = held.first() else {
            return out.skip(record.text);
        };
        let (taken, copies) = apart(record, &held);
        let envelope = envelope(record, *first, &copies);
        for (index, (_, value)) in taken.into_iter().enumerate() {
            let provenance = Provenance {
                envelope: envelope.clone().filter(|_| index == 0),
                ..Provenance::default()
            };
            hand_over(value, &provenance, out);
        }
    }
}

/// A member: its name and value.
type Member<'a> = (Text<'a>, Value<'a>);

/// The usual member, if it is the text of an event as can be seen at once.
fn quick<'a>(record: &Record<'a>) -> Option<Member<'a>> {
    let (name, value) = member(record, USUAL.iter().find(|name| record.has(name))?)?;
    let raw = value.text()?.raw().as_bytes();
    let sure = is_json(value.text()?)
        && ["audit.k8s.io", "auditID"]
            .iter()
            .any(|mark| memmem::find(raw, mark.as_bytes()).is_some());
    // Another member may hold another event, or a copy.
    let elsewhere = || {
        record.members().iter().any(|(other, beside)| {
            other.raw() != name.raw() && memmem::find(beside.raw.as_bytes(), b"auditID").is_some()
        })
    };
    (sure && !elsewhere()).then_some((name, value))
}

/// The members that hold an event or an envelope, the usual ones first.
fn held<'a>(record: &Record<'a>) -> Vec<Member<'a>> {
    let mut found: Vec<Member<'a>> = USUAL
        .iter()
        .filter_map(|name| member(record, name))
        .filter(|(_, value)| holds(*value, 0))
        .collect();
    for &(name, value) in record.members() {
        let usual = USUAL.iter().any(|known| name.eq_str(known));
        if !usual && record.member(&name.decode()) == Some(value) && holds_marked(value) {
            found.push((name, value));
        }
    }
    // Text that is JSON may be anything, an event is more.
    if found.len() > 1 {
        let sure = |member: &Member<'_>| bears_marks(member.1.raw.as_bytes());
        if found.iter().any(sure) {
            found.retain(sure);
        }
    }
    found
}

/// Under a name that says nothing, only what is surely an event or an envelope of some counts.
fn holds_marked(value: Value<'_>) -> bool {
    match value.kind {
        ValueKind::Object | ValueKind::Array => holds(value, 0),
        ValueKind::String => value.text().is_some_and(holds_text),
        ValueKind::Number | ValueKind::Boolean | ValueKind::Null => false,
    }
}

/// The last member of this name.
fn member<'a>(record: &Record<'a>, name: &str) -> Option<Member<'a>> {
    record
        .members()
        .iter()
        .rev()
        .find(|(key, _)| key.eq_str(name))
        .copied()
}

fn holds(value: Value<'_>, depth: usize) -> bool {
    match value.kind {
        ValueKind::String => value
            .text()
            .is_some_and(|text| is_json(text) || holds_text(text)),
        ValueKind::Object => Record::of(value).is_some_and(|inner| {
            is_envelope(&inner)
                || USUAL
                    .iter()
                    .any(|name| inner.text_of(name).is_some_and(is_json))
                || (depth < MOST_DEPTH
                    && inner
                        .members()
                        .iter()
                        .any(|(_, value)| holds_deep(*value, depth + 1)))
        }),
        ValueKind::Array => holds_list(value, depth),
        ValueKind::Number | ValueKind::Boolean | ValueKind::Null => false,
    }
}

fn holds_deep(value: Value<'_>, depth: usize) -> bool {
    match value.kind {
        ValueKind::String => value.text().is_some_and(holds_text),
        _ => holds(value, depth),
    }
}

fn holds_list(value: Value<'_>, depth: usize) -> bool {
    bytes_of(value).is_some_and(|bytes| bears_marks(&bytes))
        || (depth < MOST_DEPTH && elements(value).any(|element| holds_deep(element, depth + 1)))
}

/// Does a text, whatever it is called, hold an event or an envelope?
fn holds_text(text: Text<'_>) -> bool {
    let raw = text.raw();
    if is_base64(raw) {
        return unpack(raw).is_ok_and(|inside| is_of_events(&inside));
    }
    if !is_json(text) && !marks::is_spelled(raw.as_bytes()) {
        return false;
    }
    is_of_events(&text.decode())
}

/// Is this an event or an envelope, or does it bear the marks of one?
fn is_of_events(text: &str) -> bool {
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    text.starts_with('{') && Record::new(text).is_ok_and(|inner| detect(&inner).is_some())
        || bears_marks(text.as_bytes())
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

/// The members that are events of their own, and the names of those that repeat one of them.
fn apart<'a>(record: &Record<'a>, held: &[Member<'a>]) -> (Vec<Member<'a>>, Vec<String>) {
    let mut taken: Vec<(Member<'a>, Option<String>)> = Vec::new();
    let mut copies = Vec::new();
    for &(name, value) in held {
        let identity = identity(value);
        let own = taken.is_empty()
            || (identity.is_some() && taken.iter().all(|(_, known)| *known != identity));
        copies.push(name.decode().into_owned());
        if own {
            taken.push(((name, value), identity));
        }
    }
    // Text that is JSON beside the event is a copy of it in another form.
    for name in USUAL {
        let beside = record.member(name).is_some_and(|value| holds(value, 0));
        if beside && !copies.iter().any(|known| known == name) {
            let identity = record.member(name).and_then(identity);
            if identity.is_some() && taken.iter().any(|(_, known)| *known == identity) {
                copies.push(name.to_owned());
            }
        }
    }
    (
        taken.into_iter().map(|(member, _)| member).collect(),
        copies,
    )
}

/// What tells an event from others in the same record; `None` if the value is not an event itself.
fn identity(value: Value<'_>) -> Option<String> {
    let text = match value.text() {
        Some(text) if is_base64(text.raw()) => Cow::Owned(unpack(text.raw()).ok()?),
        Some(text) => text.decode(),
        None => Cow::Borrowed(value.raw),
    };
    let event = Record::new(text.trim_start()).ok()?;
    let id = event.string("auditID")?;
    Some(format!(
        "{id} {}",
        event.string("stage").unwrap_or_default()
    ))
}

fn hand_over(value: Value<'_>, provenance: &Provenance<'_>, out: &mut dyn Unwrapped) {
    let packed = match (value.text(), bytes_of(value)) {
        (Some(text), _) if is_base64(text.raw()) => unpack(text.raw()),
        (None, Some(bytes)) => text_of(bytes),
        _ => return out.payload(value, provenance),
    };
    match packed {
        Ok(text) => out.decoded(&text, provenance),
        Err(why) => out.reject(value.raw, why.message()),
    }
}

/// What the record says beside the event, and beside copies of it.
fn envelope(record: &Record<'_>, chosen: Text<'_>, copies: &[String]) -> Option<String> {
    let names: Vec<&str> = copies.iter().map(String::as_str).collect();
    let original = if !chosen.eq_str("event") && names.contains(&"event") {
        rest_of(record, "event", &["original"])
    } else {
        None
    };
    joined(record.without(&names).as_deref(), original)
}
