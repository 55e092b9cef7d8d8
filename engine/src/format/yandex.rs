//! Yandex Cloud's Audit Trails: events of the data plane of Managed Service for Kubernetes in, the
//! apiserver's events in them out.
//!
//! `details.nativeApiServerEvent` is the event. Files in buckets spell the envelope's names with
//! underscores. The response code is an int64 of protobuf and therefore a string. Events of other
//! services have no native event. Source: yandex-cloud/docs
//! `audit-trails/concepts/format-data-plane`.

use crate::format::document::{filled, held, joined, rest_of};
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::Value;

const NATIVE: [&str; 2] = ["nativeApiServerEvent", "native_api_server_event"];

pub(super) struct Yandex;

impl Envelope for Yandex {
    fn name(&self) -> &'static str {
        "yandex"
    }

    fn doc(&self) -> &'static str {
        "events of Yandex Cloud Audit Trails with the apiserver's event in details.nativeApiServerEvent"
    }

    fn members(&self) -> &'static [&'static str] {
        &["details"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record
            .object("details")
            .is_some_and(|details| details.any(&NATIVE).is_some())
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let Some(details) = record.object("details") else {
            return out.skip(record.text);
        };
        let Some(native) = NATIVE.iter().find_map(|name| held(&details, name)) else {
            return out.skip(record.text);
        };
        let cluster = filled(&details, "clusterId").or_else(|| filled(&details, "cluster_id"));
        let envelope = joined(
            record.without(&["details"]).as_deref(),
            rest_of(record, "details", &NATIVE),
        );
        let provenance = Provenance {
            cluster,
            envelope,
            ..Provenance::default()
        };
        match with_number(native) {
            Some(event) => out.made(&event, &provenance),
            None => out.payload(native, &provenance),
        }
    }
}

/// The event, if its response's code is digits in a string, with the number that they are.
fn with_number(native: Value<'_>) -> Option<String> {
    let event = Record::of(native)?;
    let code = event.object("responseStatus")?.string("code")?;
    let number = code.bytes().all(|byte| byte.is_ascii_digit()) && !code.starts_with('0');
    if code.is_empty() || !number {
        return None;
    }
    let mut out = b"{".to_vec();
    for (name, value) in event.members() {
        match name
            .eq_str("responseStatus")
            .then(|| Record::of(*value))
            .flatten()
        {
            Some(status) => writer::object(&mut out, "responseStatus", |out| {
                for (name, value) in status.members() {
                    writer::member(
                        out,
                        *name,
                        if name.eq_str("code") {
                            &code
                        } else {
                            value.raw
                        },
                    );
                }
            }),
            None => writer::member(&mut out, *name, value.raw),
        }
    }
    out.push(b'}');
    writer::text(out)
}
