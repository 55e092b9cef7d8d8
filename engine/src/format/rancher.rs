//! Rancher's API audit log: a record of a request to the Rancher server in, the event that an
//! apiserver would have written out.
//!
//! This log resembles `audit.k8s.io` but differs from it. Since 2020 (`pkg/auth/audit` in
//! rancher/rancher) a request is one record with `method`, `remoteAddr` and `requestTimestamp`. In
//! 2018 (the documentation showed that shape for years) it was two records with a `stage`: the
//! request, and then only `auditID`, status and body.
//!
//! Requests to `/k8s/clusters/<id>/…` are forwarded to that cluster and resolved as its apiserver
//! would. Other paths are Rancher's own APIs. There is no level, and `user.name` is an id; the
//! person's name is in `user.extra`.

use std::borrow::Cow;

use crate::format::{Envelope, Provenance, Record, Unwrapped, request_info, writer};
use crate::json::{Value, ValueKind, elements};
use crate::request::RequestUri;
use crate::time::parse_micros;

pub(super) struct Rancher;

/// Members that only today's shape has.
const CURRENT: [&str; 4] = [
    "requestTimestamp",
    "responseTimestamp",
    "remoteAddr",
    "responseCode",
];
/// Members of the 2018 shape that an event has too.
const OF_EVENTS: [&str; 8] = [
    "auditID",
    "stage",
    "verb",
    "requestURI",
    "sourceIPs",
    "user",
    "responseStatus",
    "stageTimestamp",
];
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What the event holds. The method says more than the verb, the peer's address more than the IP.
const HELD: [&str; 12] = [
    "auditID",
    "requestURI",
    "stage",
    "user",
    "sourceIPs",
    "responseCode",
    "responseStatus",
    "requestBody",
    "responseBody",
    "requestTimestamp",
    "responseTimestamp",
    "stageTimestamp",
];
const USER: [(&str, &str); 3] = [
    ("name", "username"),
    ("group", "groups"),
    ("extra", "extra"),
];
const IMPERSONATED: [(&str, &str); 2] = [("requestUser", "username"), ("requestGroups", "groups")];

impl Envelope for Rancher {
    fn name(&self) -> &'static str {
        "rancher"
    }

    fn doc(&self) -> &'static str {
        "Rancher's API audit log (rancher-api-audit.log), JSON lines or pretty-printed; requests to downstream clusters name the cluster"
    }

    fn members(&self) -> &'static [&'static str] {
        &["auditID"]
    }

    /// An event of the apiserver has a type, its verbs are in lower case, its users have a
    /// `username`, its status is an object.
    fn recognises(&self, record: &Record<'_>) -> bool {
        if !record.has("auditID") || record.has("kind") || record.has("apiVersion") {
            return false;
        }
        let current = record.text_of("method").is_some() && record.any(&CURRENT).is_some();
        current || is_of_2018(record)
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let recorded = record.string("requestURI");
        let passed_on = recorded.as_deref().and_then(passed_on);
        let event = event(
            record,
            recorded.as_deref(),
            passed_on.as_ref().map(|(_, uri)| &**uri),
        );
        let provenance = Provenance {
            cluster: passed_on.map(|(cluster, _)| Cow::Borrowed(cluster)),
            envelope: envelope(record),
            ..Provenance::default()
        };
        match writer::text(event) {
            Some(event) => out.made(&event, &provenance),
            None => out.reject(record.text, "the record is not valid UTF-8"),
        }
    }

    fn resembles_events(&self) -> bool {
        true
    }
}

/// Does the record have a member that no event has, or one of another form?
fn is_foreign(record: &Record<'_>) -> bool {
    let unknown = record
        .members()
        .iter()
        .any(|(name, _)| !OF_EVENTS.iter().any(|known| name.eq_str(known)));
    unknown
        || record
            .object("user")
            .is_some_and(|user| user.has("name") || user.has("group"))
        || record
            .string("stageTimestamp")
            .is_some_and(|time| parse_micros(&time).is_none())
}

fn is_of_2018(record: &Record<'_>) -> bool {
    if !record.has("stage")
        || record
            .object("user")
            .is_some_and(|user| user.has("username"))
    {
        return false;
    }
    match record.member("verb") {
        Some(verb) => {
            verb.text()
                .is_some_and(|verb| METHODS.iter().any(|method| verb.eq_str(method)))
                && is_foreign(record)
        }
        None => record
            .string("responseStatus")
            .is_some_and(|code| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

/// The cluster that a request is passed on to, and the URI that it has there.
fn passed_on(uri: &str) -> Option<(&str, Cow<'_, str>)> {
    let rest = uri.strip_prefix("/k8s/clusters/")?;
    let (cluster, uri) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let uri = if uri.starts_with('/') {
        Cow::Borrowed(uri)
    } else {
        Cow::Owned(format!("/{uri}"))
    };
    (!cluster.is_empty()).then_some((cluster, uri))
}

/// The event; `downstream` is the URI in the cluster that the request was passed on to.
fn event(record: &Record<'_>, recorded: Option<&str>, downstream: Option<&str>) -> Vec<u8> {
    let mut out = writer::event();
    copy(&mut out, record, "auditID", "auditID");
    if record.has("stage") {
        copy(&mut out, record, "stage", "stage");
    } else {
        writer::string(&mut out, "stage", "ResponseComplete");
    }
    match downstream {
        Some(uri) => writer::string(&mut out, "requestURI", uri),
        None => copy(&mut out, record, "requestURI", "requestURI"),
    }
    let method = record
        .string("method")
        .or_else(|| record.string("verb"))
        .unwrap_or_default();
    let uri = downstream.or(recorded).unwrap_or_default();
    let uri = RequestUri::new(uri);
    let request = uri.with_method(&method);
    let verb = match downstream {
        None if request.resource.is_none() => own_verb(&method),
        _ => request.verb,
    };
    if !method.is_empty() {
        writer::string(&mut out, "verb", &verb);
    }
    match record.object("user") {
        Some(user) => {
            write_user(&mut out, "user", &user, &USER);
            write_user(&mut out, "impersonatedUser", &user, &IMPERSONATED);
        }
        None => copy(&mut out, record, "user", "user"),
    }
    match record.string("remoteAddr") {
        Some(address) if !address.is_empty() => {
            writer::list(&mut out, "sourceIPs", without_port(&address))
        }
        _ => copy(&mut out, record, "sourceIPs", "sourceIPs"),
    }
    if let Some(agent) = user_agent(record) {
        writer::raw(&mut out, "userAgent", agent.raw);
    }
    if let Some(resource) = &request.resource {
        writer::object(&mut out, "objectRef", |out| {
            request_info::write_reference(resource, out);
        });
    }
    if let Some(status) =
        present(record, "responseCode").or_else(|| present(record, "responseStatus"))
    {
        match code(status) {
            Some(code) => writer::object(&mut out, "responseStatus", |out| {
                writer::raw(out, "metadata", "{}");
                writer::raw(out, "code", &code.to_string());
            }),
            None => writer::raw(&mut out, "responseStatus", status.raw),
        }
    }
    copy(&mut out, record, "requestBody", "requestObject");
    copy(&mut out, record, "responseBody", "responseObject");
    write_time(
        &mut out,
        "requestReceivedTimestamp",
        present(record, "requestTimestamp"),
    );
    let staged = present(record, "responseTimestamp").or_else(|| present(record, "stageTimestamp"));
    write_time(&mut out, "stageTimestamp", staged);
    out.push(b'}');
    out
}

/// The verb of a request to Rancher's own APIs, which are about objects, too.
fn own_verb(method: &str) -> Cow<'static, str> {
    Cow::Borrowed(match method {
        "GET" | "HEAD" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        other => return Cow::Owned(other.to_ascii_lowercase()),
    })
}

fn write_user(out: &mut Vec<u8>, name: &str, user: &Record<'_>, members: &[(&str, &str)]) {
    if members
        .iter()
        .any(|(theirs, _)| present(user, theirs).is_some())
    {
        writer::object(out, name, |out| {
            for (theirs, ours) in members {
                copy(out, user, theirs, ours);
            }
        });
    }
}

/// Appends a time; 2018 wrote `2018-07-20 10:22:43 +0800`.
fn write_time(out: &mut Vec<u8>, name: &str, time: Option<Value<'_>>) {
    let Some(time) = time else { return };
    match time.text().and_then(|text| rfc3339(&text.decode())) {
        Some(spelled) => writer::string(out, name, &spelled),
        None => writer::raw(out, name, time.raw),
    }
}

fn rfc3339(time: &str) -> Option<String> {
    let (date, clock) = (time.get(..10)?, time.get(11..19)?);
    let (hours, minutes) = (time.get(20..23)?, time.get(23..)?);
    let spelled = format!("{date}T{clock}{hours}:{minutes}");
    parse_micros(&spelled).map(|_| spelled)
}

/// `127.0.0.1:4711` and `[::1]:4711`.
fn without_port(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty()
                && !port.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            match host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'))
            {
                Some(host) => host,
                // An IPv6 address alone has colons of its own.
                None if host.contains(':') => address,
                None => host,
            }
        }
        _ => address,
    }
}

/// The first value of the header.
fn user_agent<'a>(record: &Record<'a>) -> Option<Value<'a>> {
    let header = present(&record.object("requestHeader")?, "User-Agent")?;
    if header.kind == ValueKind::Array {
        elements(header).next()
    } else {
        Some(header)
    }
}

/// The status code, which 2018 wrote as a string.
fn code(status: Value<'_>) -> Option<i32> {
    match status.text() {
        Some(text) => text.decode().parse().ok(),
        None => status.raw.parse().ok(),
    }
}

/// What the event does not hold.
fn envelope(record: &Record<'_>) -> Option<String> {
    let held: Vec<&str> = USER
        .iter()
        .chain(&IMPERSONATED)
        .map(|(theirs, _)| *theirs)
        .collect();
    let user = record.object("user").and_then(|user| user.without(&held));
    let parts: Vec<String> = [
        record.without(&HELD),
        user.map(|user| format!("\"user\":{{{user}}}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

fn present<'a>(record: &Record<'a>, name: &str) -> Option<Value<'a>> {
    record
        .member(name)
        .filter(|value| value.kind != ValueKind::Null)
}

/// Appends a member of the record under the event's name for it.
fn copy(out: &mut Vec<u8>, record: &Record<'_>, theirs: &str, ours: &str) {
    if let Some(value) = present(record, theirs) {
        writer::raw(out, ours, value.raw);
    }
}
