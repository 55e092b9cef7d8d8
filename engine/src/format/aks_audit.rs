//! The Log Analytics tables AKSAudit and AKSAuditAdmin: rows with a column for each member of an
//! event in, the events out.
//!
//! Dynamic columns are JSON values or, in exports from the portal, strings that hold JSON. A null
//! is `null`, an empty string or a missing column. Neither table has a column for
//! `impersonatedUser`. Long columns are cut at their limit; the rest of a dynamic one is not JSON
//! and is not trusted. Source: learn.microsoft.com, reference of the table AKSAudit.

use crate::format::aks::resource;
use crate::format::document::filled;
use crate::format::sls::{Inner, inner};
use crate::format::{Envelope, Provenance, Record, Twin, Unwrapped, writer};
use crate::json::{Text, Value, ValueKind};

/// What an empty string in a column means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AksColumn {
    /// The member itself: the apiserver writes it even if it is empty.
    Always,
    /// The member is absent.
    Filled,
    /// The member is absent; other strings may hold JSON.
    Dynamic,
}

use AksColumn::{Always, Dynamic, Filled};

/// The columns, and the members of the event that they hold.
const COLUMNS: [(&str, &str, AksColumn); 15] = [
    ("Level", "level", Always),
    ("AuditId", "auditID", Always),
    ("Stage", "stage", Always),
    ("RequestUri", "requestURI", Always),
    ("Verb", "verb", Always),
    ("User", "user", Dynamic),
    ("SourceIps", "sourceIPs", Dynamic),
    ("UserAgent", "userAgent", Filled),
    ("ObjectRef", "objectRef", Dynamic),
    ("ResponseStatus", "responseStatus", Dynamic),
    ("RequestObject", "requestObject", Dynamic),
    ("ResponseObject", "responseObject", Dynamic),
    ("RequestReceivedTime", "requestReceivedTimestamp", Filled),
    ("StageReceivedTime", "stageTimestamp", Filled),
    ("Annotations", "annotations", Dynamic),
];

pub(super) struct AksAudit;

impl Envelope for AksAudit {
    fn name(&self) -> &'static str {
        "aks-audit"
    }

    fn doc(&self) -> &'static str {
        "rows of the Log Analytics tables AKSAudit and AKSAuditAdmin, dynamic columns as objects or as JSON strings"
    }

    fn members(&self) -> &'static [&'static str] {
        &["AuditId"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.has("AuditId")
            && ["Stage", "Verb", "RequestUri"]
                .iter()
                .filter(|name| record.has(name))
                .count()
                >= 2
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let mut event = writer::event();
        let mut truncated = false;
        for (column, name, kind) in COLUMNS {
            if let Some(value) = record.member(column) {
                truncated |= !member(&mut event, name, kind, value);
            }
        }
        event.push(b'}');
        let Some(event) = writer::text(event) else {
            return;
        };
        let (cluster, account) = resource(record, &["_ResourceId", "ResourceId"]);
        let twin = record
            .text_of("Type")
            .and_then(|table| match &*table.decode() {
                "AKSAudit" => Some(Twin::All),
                "AKSAuditAdmin" => Some(Twin::Admin),
                _ => None,
            });
        let (log_stream, envelope) = (
            filled(record, "PodName"),
            record.without(&COLUMNS.map(|(column, ..)| column)),
        );
        out.made(
            &event,
            &Provenance {
                cluster,
                account,
                log_stream,
                envelope,
                twin,
                truncated,
                ..Provenance::default()
            },
        );
    }
}

/// Appends the member that a column holds, if any; false if the column was cut.
fn member(event: &mut Vec<u8>, name: &str, kind: AksColumn, value: Value<'_>) -> bool {
    let text = value.text().map(Text::decode);
    match text
        .as_deref()
        .filter(|_| kind == Dynamic)
        .map(|text| (inner(text), text))
    {
        Some((Inner::Json("null"), _)) => {}
        Some((Inner::Json(json), _)) => writer::raw(event, name, json),
        Some((Inner::Cut, text)) if text.starts_with(['{', '[']) => return false,
        _ if value.kind == ValueKind::Null => {}
        _ if kind != Always && text.as_deref().is_some_and(|text| text.trim().is_empty()) => {}
        _ => writer::raw(event, name, value.raw),
    }
    true
}
