//! AKS control plane logs as Azure diagnostic settings deliver them: records in, the events in
//! their `properties.log` out.
//!
//! A blob has one record a line. An Event Hub, like a blob before November 2018, has
//! `{"records":[…]}`. Some pipelines forward the bare `properties`. Only the categories
//! `kube-audit` and `kube-audit-admin` hold events, and the second repeats some events of the
//! first. Azure cuts long strings without marking the cut. Source: learn.microsoft.com, "Azure
//! resource logs" and "resource-logs-blob-format"; real records.

use std::borrow::Cow;

use crate::format::document::{each, filled, held, joined, rest_of};
use crate::format::{Envelope, Provenance, Record, Twin, Unwrapped};
use crate::json::{Value, ValueKind};

pub(super) struct Aks;

impl Envelope for Aks {
    fn name(&self) -> &'static str {
        "aks"
    }

    fn doc(&self) -> &'static str {
        "records of AKS diagnostic settings from blobs (PT1H.json) and Event Hubs, categories kube-audit and kube-audit-admin"
    }

    fn members(&self) -> &'static [&'static str] {
        &["records", "properties", "log"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        records(record).is_some() || is_record(record) || is_properties(record)
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        if let Some(records) = records(record) {
            let provenance = Provenance {
                envelope: record.without(&["records"]),
                ..Provenance::default()
            };
            // They may be rows of a table as well.
            return each(records, out, |item, out| match item.kind {
                ValueKind::Object | ValueKind::String => out.payload(item, &provenance),
                _ => out.skip(item.raw),
            });
        }
        let category = record.text_of("category");
        let twin = category.and_then(Twin::of);
        if category.is_some() && twin.is_none() {
            return out.skip(record.text);
        }
        let (cluster, account) = resource(record, &["resourceId"]);
        let provenance = Provenance {
            cluster,
            account,
            twin,
            ..Provenance::default()
        };
        match (record.object("properties"), record.member("properties")) {
            (Some(properties), _) => {
                let envelope = joined(
                    record.without(&["properties"]).as_deref(),
                    rest_of(record, "properties", &["log"]),
                );
                log(
                    &properties,
                    Provenance {
                        envelope,
                        ..provenance
                    },
                    out,
                );
            }
            (None, Some(text)) if text.kind == ValueKind::String => {
                out.payload(
                    text,
                    &Provenance {
                        envelope: record.without(&["properties"]),
                        ..provenance
                    },
                );
            }
            _ => log(
                record,
                Provenance {
                    envelope: record.without(&["log"]),
                    ..provenance
                },
                out,
            ),
        }
    }
}

fn log<'a>(properties: &Record<'a>, provenance: Provenance<'a>, out: &mut dyn Unwrapped) {
    let log_stream = filled(properties, "pod");
    match held(properties, "log") {
        Some(log) => out.payload(
            log,
            &Provenance {
                log_stream,
                may_be_cut: true,
                ..provenance
            },
        ),
        None => out.skip(properties.text),
    }
}

fn records<'a>(record: &Record<'a>) -> Option<Value<'a>> {
    record
        .member("records")
        .filter(|records| records.kind == ValueKind::Array)
}

fn is_record(record: &Record<'_>) -> bool {
    let category = record.text_of("category");
    match record.object("properties") {
        Some(properties) => {
            category.and_then(Twin::of).is_some()
                || (properties.has("log") && (category.is_some() || properties.has("pod")))
        }
        None => category.and_then(Twin::of).is_some() && record.text_of("properties").is_some(),
    }
}

/// Only the content of `properties`. Shippers' records look similar, but say more.
fn is_properties(record: &Record<'_>) -> bool {
    held(record, "log").is_some()
        && record.text_of("pod").is_some()
        && (record.has("stream") || record.has("containerID"))
        && !["namespace", "kubernetes", "container"]
            .iter()
            .any(|name| record.has(name))
}

/// The cluster and the subscription that the first of these members names, a path like
/// `/SUBSCRIPTIONS/<id>/RESOURCEGROUPS/<group>/
/// PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/<name>`; lower-cased, because Azure spells
/// it in any case.
pub(super) fn resource(
    record: &Record<'_>,
    names: &[&str],
) -> (Option<Cow<'static, str>>, Option<Cow<'static, str>>) {
    let Some(path) = names.iter().find_map(|name| filled(record, name)) else {
        return (None, None);
    };
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let after = |name: &str| {
        let at = segments
            .iter()
            .position(|segment| segment.eq_ignore_ascii_case(name))?;
        segments.get(at + 1).copied()
    };
    let cluster = after("providers").and(segments.last().copied());
    (cluster.map(lower), after("subscriptions").map(lower))
}

fn lower(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_lowercase())
}
