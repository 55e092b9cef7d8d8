//! Documents of the Elastic Common Schema: `{"kubernetes":{"audit":{event}},"orchestrator",…}` in,
//! the event out.
//!
//! Elastic's ingest pipeline replaces the dots in annotation names by underscores. The part before
//! the slash is a DNS name, which has no underscores, so the dots can be restored there.
//! `event.original` and `message` may hold a copy of the event and add nothing. Elastic's Azure
//! integration keeps a diagnostic record as `azure.platformlogs`. Source: elastic/integrations
//! `kubernetes/data_stream/audit_logs`; elastic/detection-rules.

use crate::format::aks::resource;
use crate::format::document::{filled, joined, rest_of};
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::{Text, Value, ValueKind};

pub(super) struct Ecs;

impl Envelope for Ecs {
    fn name(&self) -> &'static str {
        "ecs"
    }

    fn doc(&self) -> &'static str {
        "documents of Elastic Agent and Filebeat with the event in kubernetes.audit"
    }

    fn members(&self) -> &'static [&'static str] {
        &["kubernetes", "kubernetes.audit", "azure"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        audit(record).is_some() || platform_log(record).is_some()
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let cluster = record
            .object("orchestrator")
            .and_then(|of| filled(&of.object("cluster")?, "name"));
        if let Some(value) = audit(record) {
            let provenance = Provenance {
                cluster,
                envelope: envelope(record),
                ..Provenance::default()
            };
            match Record::of(value).as_ref().and_then(with_dots) {
                Some(event) => out.made(&event, &provenance),
                None => out.payload(value, &provenance),
            }
        } else if let Some(value) = platform_log(record) {
            let of = record
                .object("azure")
                .and_then(|azure| azure.object("resource"));
            let (named, account) = of.map(|of| resource(&of, &["id"])).unwrap_or_default();
            let envelope = joined(
                record.without(&["azure"]).as_deref(),
                rest_of(record, "azure", &["platformlogs"]),
            );
            out.payload(
                value,
                &Provenance {
                    cluster: cluster.or(named),
                    account,
                    envelope,
                    ..Provenance::default()
                },
            );
        } else {
            out.skip(record.text);
        }
    }
}

fn audit<'a>(record: &Record<'a>) -> Option<Value<'a>> {
    // Records of many shippers have this object; taking it apart costs more than a look at it.
    let nested = record
        .member("kubernetes")
        .filter(|of| may_name_audit(of.raw.as_bytes()))
        .and_then(|_| record.object("kubernetes"))
        .and_then(|of| of.member("audit"));
    nested
        .or_else(|| record.member("kubernetes.audit"))
        .filter(|audit| audit.kind == ValueKind::Object)
}

/// May the text of an object name `audit`, perhaps with escapes?
fn may_name_audit(object: &[u8]) -> bool {
    memchr::memmem::find(object, b"\"audit\"").is_some() || memchr::memchr(b'\\', object).is_some()
}

fn platform_log<'a>(record: &Record<'a>) -> Option<Value<'a>> {
    let log = record.object("azure")?.member("platformlogs")?;
    Record::of(log)?.has("properties").then_some(log)
}

/// The event with the dots in its annotation names restored, if they were replaced.
fn with_dots(event: &Record<'_>) -> Option<String> {
    let annotations = event.object("annotations")?;
    if !annotations
        .members()
        .iter()
        .any(|(name, _)| dotted(*name).is_some())
    {
        return None;
    }
    let mut out = b"{".to_vec();
    for (name, value) in event.members() {
        match name
            .eq_str("annotations")
            .then(|| Record::of(*value))
            .flatten()
        {
            Some(annotations) => writer::object(&mut out, "annotations", |out| {
                for (name, value) in annotations.members() {
                    match dotted(*name) {
                        Some(name) => writer::raw(out, &name, value.raw),
                        None => writer::member(out, *name, value.raw),
                    }
                }
            }),
            None => writer::member(&mut out, *name, value.raw),
        }
    }
    out.push(b'}');
    writer::text(out)
}

fn dotted(name: Text<'_>) -> Option<String> {
    let name = name.decode();
    let (domain, rest) = name.split_once('/')?;
    domain
        .contains('_')
        .then(|| format!("{}/{rest}", domain.replace('_', ".")))
}

fn envelope(record: &Record<'_>) -> Option<String> {
    let around = record.without(&[
        "kubernetes",
        "kubernetes.audit",
        "event",
        "event.original",
        "message",
    ]);
    let around = joined(around.as_deref(), rest_of(record, "event", &["original"]));
    joined(around.as_deref(), rest_of(record, "kubernetes", &["audit"]))
}
