//! GKE's Cloud Audit Logs from BigQuery: a row of the table that a log sink fills in, the event
//! out.
//!
//! `protopayload_auditlog` is the entry's `AuditLog`, with the bodies as JSON in strings. A row has
//! every column of the table; `null` stands for what the entry did not have. Some tools
//! (`bq query --format=json`, the console) write numbers and booleans as strings.

use std::borrow::Cow;

use crate::format::gke::{Body, LogEntry, present};
use crate::format::{Envelope, Record, Unwrapped, writer};
use crate::json::{Cursor, Text, Value, ValueKind};

pub(super) struct GkeBigQuery;

const PAYLOAD: &str = "protopayload_auditlog";

/// A column's name has letters, digits and `_` only, so a label's `.`, `-` and `/` are lost. They
/// are put back for the labels that every entry has; of others nobody can know where they were.
const LABELS: [(&str, &str); 2] = [
    (
        "authorization_k8s_io_decision",
        "authorization.k8s.io/decision",
    ),
    ("authorization_k8s_io_reason", "authorization.k8s.io/reason"),
];

impl Envelope for GkeBigQuery {
    fn name(&self) -> &'static str {
        "gke-bigquery"
    }

    fn doc(&self) -> &'static str {
        "rows of the BigQuery tables that a sink of GKE's Cloud Audit Logs fills (`protopayload_auditlog`): JSON lines or an array"
    }

    fn members(&self) -> &'static [&'static str] {
        &[PAYLOAD]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record
            .member(PAYLOAD)
            .is_some_and(|payload| payload.kind == ValueKind::Object)
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let Some(payload) = record.object(PAYLOAD) else {
            out.reject(record.text, "protopayload_auditlog is not a JSON object");
            return;
        };
        let [request, response] =
            ["requestJson", "responseJson"].map(|name| present(&payload, &[name]));
        let [request_text, response_text] =
            [request, response].map(|value| value.and_then(Value::text).map(Text::decode));
        let mut entry = LogEntry::new(record, &payload);
        if let Some(column) = request {
            entry.request = body(column, request_text.as_deref());
        }
        if let Some(column) = response {
            entry.response = body(column, response_text.as_deref());
        }
        entry.labels = present(record, &["labels"]).map(labels);
        entry.hand_over(out);
    }
}

/// The body in a column's text; the column's own value if that is not JSON.
fn body<'b>(column: Value<'b>, text: Option<&'b str>) -> Option<Body<'b>> {
    let value = text.and_then(whole).unwrap_or(column);
    let nothing = value.kind == ValueKind::Null || value.raw == "\"\"";
    (!nothing).then(|| Body::new(value))
}

/// The one JSON value that `text` is.
fn whole(text: &str) -> Option<Value<'_>> {
    let mut cursor = Cursor::new(text);
    let value = cursor.value().ok()?;
    cursor.peek().is_err().then_some(value)
}

/// The labels under the names that they had in the entry.
fn labels(row: Value<'_>) -> Cow<'_, str> {
    let Some(columns) = Record::of(row) else {
        return Cow::Borrowed(row.raw);
    };
    let mut out = b"{".to_vec();
    for (name, value) in columns.members() {
        if value.kind == ValueKind::Null {
            continue;
        }
        match LABELS.iter().find(|(column, _)| name.eq_str(column)) {
            Some((_, label)) => writer::raw(&mut out, label, value.raw),
            None => writer::member(&mut out, *name, value.raw),
        }
    }
    out.push(b'}');
    writer::text(out).map_or(Cow::Borrowed(row.raw), Cow::Owned)
}
