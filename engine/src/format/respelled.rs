//! Events whose members go by other names: an event in PascalCase, snake_case or another case in;
//! the event in the apiserver's spelling out.
//!
//! Go writes `audit.Event` so without its JSON tags (`AuditID`, `RequestURI`); databases and
//! pipelines that do not tell case apart, or change it, write `auditid` and `audit_id`. Names are
//! compared by their letters. What has no such name stays as it is.
//!
//! Not responsible for: rows of the tables AKSAudit, whose columns are others (`aks_audit`).

use crate::format::string::body_of;
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::{Text, Value};

pub(super) struct Respelled;

/// The members of an event, and of the objects in it.
const EVENT: [&str; 21] = [
    "kind",
    "apiVersion",
    "level",
    "auditID",
    "stage",
    "requestURI",
    "verb",
    "user",
    "impersonatedUser",
    "authenticationMetadata",
    "sourceIPs",
    "userAgent",
    "objectRef",
    "responseStatus",
    "requestObject",
    "responseObject",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "timestamp",
    "annotations",
    "authorizationDecision",
];
const USER: [&str; 4] = ["username", "uid", "groups", "extra"];
const OBJECT: [&str; 8] = [
    "resource",
    "namespace",
    "name",
    "uid",
    "apiGroup",
    "apiVersion",
    "resourceVersion",
    "subresource",
];
const RESPONSE: [&str; 6] = ["metadata", "status", "message", "reason", "details", "code"];
const AUTHENTICATION: [&str; 1] = ["impersonationConstraint"];

impl Envelope for Respelled {
    fn name(&self) -> &'static str {
        "respelled"
    }

    fn doc(&self) -> &'static str {
        "events whose members are spelled otherwise: AuditID, audit_id, auditid (dumps of Go structs, databases, pipelines)"
    }

    /// Any.
    fn members(&self) -> &'static [&'static str] {
        &[]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let has = |name: &str| {
            record
                .members()
                .iter()
                .any(|(key, _)| is_spelling(*key, name))
        };
        // Most records have no member that is as long as this.
        has("auditID")
            && ["stage", "verb", "requestURI"]
                .iter()
                .filter(|name| has(name))
                .count()
                >= 2
            && ["user", "userAgent", "sourceIPs", "objectRef", "level"]
                .iter()
                .any(|name| has(name))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let mut event = Vec::new();
        write(record, &EVENT, &mut event);
        match writer::text(event) {
            Some(event) => out.made(&event, &Provenance::default()),
            None => out.skip(record.text),
        }
    }
}

/// Is this the name with the same letters?
fn is_spelling(key: Text<'_>, name: &str) -> bool {
    let raw = key.raw();
    if raw.len() < name.len() || raw.len() > 2 * name.len() + 2 {
        return false;
    }
    let mut letters = name.bytes();
    for byte in raw.bytes() {
        if matches!(byte, b'_' | b'-' | b' ') {
            continue;
        }
        if !letters
            .next()
            .is_some_and(|letter| letter.eq_ignore_ascii_case(&byte))
        {
            return false;
        }
    }
    letters.next().is_none()
}

/// Appends an object with the known ones among its names in the apiserver's spelling.
fn write(record: &Record<'_>, names: &[&'static str], out: &mut Vec<u8>) {
    out.push(b'{');
    for (key, value) in record.members() {
        match names.iter().find(|name| is_spelling(*key, name)) {
            Some(name) => {
                writer::name(out, name);
                write_value(name, *value, out);
            }
            None => writer::member(out, *key, value.raw),
        }
    }
    out.push(b'}');
}

fn write_value(name: &str, value: Value<'_>, out: &mut Vec<u8>) {
    let names: &[&'static str] = match name {
        "user" | "impersonatedUser" => &USER,
        "objectRef" => &OBJECT,
        "responseStatus" => &RESPONSE,
        "authenticationMetadata" => &AUTHENTICATION,
        // Go's `metav1.MicroTime` is a struct with one member.
        "requestReceivedTimestamp" | "stageTimestamp" => {
            let time = Record::of(value).and_then(|time| time.member("Time"));
            return out.extend_from_slice(time.unwrap_or(value).raw.as_bytes());
        }
        // `runtime.Unknown` holds the body as bytes beside its type.
        "requestObject" | "responseObject" => {
            let raw = Record::of(value).and_then(|body| {
                let raw = body.member("Raw")?;
                body.has("ContentType").then_some(raw)
            });
            return match raw.and_then(body_of) {
                Some(body) => out.extend_from_slice(body.as_bytes()),
                None => out.extend_from_slice(value.raw.as_bytes()),
            };
        }
        _ => &[],
    };
    match Record::of(value).filter(|_| !names.is_empty()) {
        Some(object) => write(&object, names, out),
        None => out.extend_from_slice(value.raw.as_bytes()),
    }
}
