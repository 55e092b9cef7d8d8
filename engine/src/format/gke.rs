//! GKE's Cloud Audit Logs: a Cloud Logging `LogEntry` with an `AuditLog` in it in, the event that
//! it was translated from out.
//!
//! Google's translation loses some of the event: there is one timestamp, no level, no API group and
//! no query. What a LogEntry does not have is left out here. `resourceName` is authoritative.
//! `methodName` reverses and shortens the group, so only its last segment, the verb, is used.
//! `status.code` is a `google.rpc.Code`; a `Status` in the response has the exact HTTP code.
//!
//! Every member is looked up under each of its spellings: `camelCase` in Google's own JSON,
//! `snake_case` from the Python client, and those of Go's `logging.Entry`. For rows of a BigQuery
//! sink see `gke_bigquery`.

mod event;

use std::borrow::Cow;

pub(super) use event::Body;

use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::{Text, Value, ValueKind};

pub(super) struct Gke;

/// What the event holds of `authenticationInfo`.
const PRINCIPAL: [&str; 2] = ["principalEmail", "principal_email"];
/// What it holds of `requestMetadata`.
const CALLER_IP: [&str; 2] = ["callerIp", "caller_ip"];
const USER_AGENT: [&str; 2] = ["callerSuppliedUserAgent", "caller_supplied_user_agent"];
const CALLER: [&str; 4] = [CALLER_IP[0], CALLER_IP[1], USER_AGENT[0], USER_AGENT[1]];

impl Envelope for Gke {
    fn name(&self) -> &'static str {
        "gke"
    }

    fn doc(&self) -> &'static str {
        "LogEntry objects of GKE's Cloud Audit Logs: from `gcloud logging read --format=json`, Logs Explorer or a sink to Cloud Storage"
    }

    fn members(&self) -> &'static [&'static str] {
        &["protoPayload", "proto_payload", "Entry"]
    }

    /// Entries of other services stand in the same logs: they are recognised here, and skipped.
    fn recognises(&self, record: &Record<'_>) -> bool {
        let is = |name: &str, kind: ValueKind| {
            record.member(name).is_some_and(|value| value.kind == kind)
        };
        is("protoPayload", ValueKind::Object)
            || is("proto_payload", ValueKind::Object)
            || (is("Entry", ValueKind::Object) && is("AuditPayload", ValueKind::String))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        if let Some(payload) = record.any(&["protoPayload", "proto_payload"]) {
            match Record::of(payload) {
                Some(payload) => LogEntry::new(record, &payload).hand_over(out),
                None => out.reject(payload.raw, "protoPayload is not a JSON object"),
            }
            return;
        }
        // Go's `logging.Entry` prints the payload as a protobuf; beside it, it stands as JSON in a
        // string.
        let (entry, payload) = (
            record.object("Entry"),
            record.string("AuditPayload").unwrap_or_default(),
        );
        match (entry, Record::new(&payload)) {
            (Some(entry), Ok(payload)) => LogEntry::new(&entry, &payload).hand_over(out),
            _ => out.reject(record.text, "Entry or AuditPayload is not a JSON object"),
        }
    }
}

/// One entry, however it is spelled.
pub(super) struct LogEntry<'e> {
    entry: &'e Record<'e>,
    /// Its `AuditLog`.
    payload: &'e Record<'e>,
    resource: Option<Record<'e>>,
    operation: Option<Record<'e>>,
    pub(super) request: Option<Body<'e>>,
    pub(super) response: Option<Body<'e>>,
    /// The event's annotations, as JSON.
    pub(super) labels: Option<Cow<'e, str>>,
}

impl<'e> LogEntry<'e> {
    pub(super) fn new(entry: &'e Record<'e>, payload: &'e Record<'e>) -> Self {
        Self {
            entry,
            payload,
            resource: present(entry, &["resource", "Resource"]).and_then(Record::of),
            operation: present(entry, &["operation", "Operation"]).and_then(Record::of),
            request: present(payload, &["request"]).map(Body::new),
            response: present(payload, &["response"]).map(Body::new),
            labels: present(entry, &["labels", "Labels"]).map(|labels| Cow::Borrowed(labels.raw)),
        }
    }

    /// Hands the event over, or skips the entry if another service wrote it.
    pub(super) fn hand_over(&self, out: &mut dyn Unwrapped) {
        if !self.is_kubernetes() {
            out.skip(self.entry.text);
            return;
        }
        match writer::text(self.event()) {
            Some(event) => out.made(&event, &self.provenance()),
            None => out.reject(self.entry.text, "the entry is not valid UTF-8"),
        }
    }

    /// Did an apiserver write it? `container.googleapis.com`, for one, is the API that makes
    /// clusters.
    fn is_kubernetes(&self) -> bool {
        let kind = self
            .resource
            .as_ref()
            .and_then(|resource| resource.string("type"));
        if kind.as_deref().is_some_and(|kind| kind != "k8s_cluster") {
            return false;
        }
        let service = text(self.payload, &["serviceName", "service_name"]);
        // Elsewhere than on GKE, the service may be called otherwise.
        service.as_deref() == Some("k8s.io")
            || (kind.is_some()
                && self
                    .method()
                    .is_some_and(|method| method.starts_with("io.k8s.")))
    }

    fn method(&self) -> Option<Cow<'e, str>> {
        text(self.payload, &["methodName", "method_name"])
    }

    fn provenance(&self) -> Provenance<'e> {
        let labels = self
            .resource
            .as_ref()
            .and_then(|resource| resource.object("labels"));
        let label = |name: &str| labels.as_ref().and_then(|labels| labels.string(name));
        Provenance {
            cluster: label("cluster_name"),
            account: label("project_id"),
            log_stream: text(self.entry, &["logName", "log_name", "LogName"]),
            envelope: self.envelope(),
            one_time: true,
            ..Provenance::default()
        }
    }

    /// What neither the event nor a column holds.
    fn envelope(&self) -> Option<String> {
        let mut out = Vec::new();
        for (name, value) in self.entry.members() {
            let known = name.decode();
            match &*known {
                "timestamp" | "Timestamp" | "labels" | "Labels" => {}
                "logName" | "log_name" | "LogName" if value.kind == ValueKind::String => {}
                "protoPayload" | "proto_payload" | "protopayload_auditlog" | "Payload" => {
                    writer::object(&mut out, &known, |out| self.write_payload(out));
                }
                // A row of BigQuery has every column of the table.
                _ if value.kind == ValueKind::Null => {}
                _ => writer::member(&mut out, *name, value.raw),
            }
        }
        writer::text(out).filter(|text| !text.is_empty())
    }

    /// The `AuditLog` without what the event holds; of the bodies the type.
    fn write_payload(&self, out: &mut Vec<u8>) {
        for (name, value) in self.payload.members() {
            let known = name.decode();
            match &*known {
                "request" | "requestJson" => write_type(out, &known, self.request.as_ref()),
                "response" | "responseJson" => write_type(out, &known, self.response.as_ref()),
                "authenticationInfo" | "authentication_info" => {
                    write_rest(out, &known, *value, &PRINCIPAL)
                }
                "requestMetadata" | "request_metadata" => write_rest(out, &known, *value, &CALLER),
                _ if value.kind == ValueKind::Null => {}
                _ => writer::member(out, *name, value.raw),
            }
        }
    }
}

/// Appends what the event does not hold of a body.
fn write_type(out: &mut Vec<u8>, name: &str, body: Option<&Body<'_>>) {
    if let Some(of) = body.and_then(Body::typed) {
        writer::object(out, name, |out| writer::raw(out, "@type", of.raw));
    }
}

/// Appends what the event does not hold of an object.
fn write_rest(out: &mut Vec<u8>, name: &str, value: Value<'_>, held: &[&str]) {
    match Record::of(value) {
        Some(record) => {
            if let Some(members) = record.without(held) {
                writer::raw(out, name, &format!("{{{members}}}"));
            }
        }
        None if value.kind == ValueKind::Null => {}
        None => writer::raw(out, name, value.raw),
    }
}

/// The member that goes by one of these names; `null` is none.
pub(super) fn present<'a>(record: &Record<'a>, names: &[&str]) -> Option<Value<'a>> {
    record
        .any(names)
        .filter(|value| value.kind != ValueKind::Null)
}

fn text<'a>(record: &Record<'a>, names: &[&str]) -> Option<Cow<'a, str>> {
    present(record, names)
        .and_then(Value::text)
        .map(Text::decode)
}
