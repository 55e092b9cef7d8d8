//! OpenShift's ViaQ data model: events merged with the members of the collector in, the events out.
//!
//! Collectors up to OpenShift Logging 5.9 replaced `level` by "default". All keep the level in
//! `k8s_audit_level` or `openshift_audit_level`. `timestamp` is the time of collection, not that of
//! v1beta1. Source: openshift/cluster-logging-operator
//! `internal/generator/vector/filter/openshift/viaq/v1`, `hack/logsamples`; ViaQ
//! `elasticsearch-templates`.

use crate::format::document::filled;
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::ValueKind;

/// The collector's members, beside those that begin with `@` or `viaq_`.
const ENVELOPE: [&str; 17] = [
    "timestamp",
    "hostname",
    "log_type",
    "log_source",
    "openshift",
    "k8s_audit_level",
    "openshift_audit_level",
    "kubernetes",
    "docker",
    "file",
    "path",
    "pipeline_metadata",
    "source_type",
    "stream_name",
    "tag",
    "message",
    "collector",
];

const LEVELS: [&str; 4] = ["None", "Metadata", "Request", "RequestResponse"];

pub(super) struct Viaq;

impl Envelope for Viaq {
    fn name(&self) -> &'static str {
        "viaq"
    }

    fn doc(&self) -> &'static str {
        "OpenShift Logging's ViaQ records: events merged with hostname, log_type and openshift, their level restored"
    }

    fn members(&self) -> &'static [&'static str] {
        &[
            "k8s_audit_level",
            "openshift_audit_level",
            "log_type",
            "log_source",
        ]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.has("auditID")
            && (["k8s_audit_level", "openshift_audit_level"]
                .iter()
                .any(|name| record.has(name))
                || record.is("log_type", "audit")
                || ["kubeAPI", "openshiftAPI"]
                    .iter()
                    .any(|source| record.is("log_source", source)))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let kept = ["k8s_audit_level", "openshift_audit_level"]
            .iter()
            .find_map(|name| {
                record
                    .member(name)
                    .filter(|level| level.kind == ValueKind::String)
            });
        let (mut event, mut envelope) = (b"{".to_vec(), Vec::new());
        for (name, value) in record.members() {
            let known = name.decode();
            if known.starts_with('@') || known.starts_with("viaq_") || ENVELOPE.contains(&&*known) {
                writer::member(&mut envelope, *name, value.raw);
            } else if known != "level" {
                writer::member(&mut event, *name, value.raw);
            }
        }
        let level = record
            .member("level")
            .filter(|_| LEVELS.iter().any(|level| record.is("level", level)));
        if let Some(level) = kept.or(level) {
            writer::raw(&mut event, "level", level.raw);
        }
        event.push(b'}');
        if let Some(event) = writer::text(event) {
            let cluster = record
                .object("openshift")
                .and_then(|of| filled(&of, "cluster_id"));
            let (log_stream, envelope) = (
                filled(record, "hostname"),
                writer::text(envelope).filter(|text| !text.is_empty()),
            );
            out.made(
                &event,
                &Provenance {
                    cluster,
                    log_stream,
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
