//! OVHcloud's Logs Data Platform: GELF messages with `_appID` and the event as a string in
//! `short_message` in, the event out.
//!
//! Its WebSocket delivers each message as a string in the member `message` of another object; the
//! format `shipper` removes that layer. Source: falcosecurity/plugins `k8saudit-ovh`.

use crate::format::document::{filled, held};
use crate::format::{Envelope, Provenance, Record, Unwrapped};

pub(super) struct Ovh;

impl Envelope for Ovh {
    fn name(&self) -> &'static str {
        "ovh"
    }

    fn doc(&self) -> &'static str {
        "messages of OVHcloud's Logs Data Platform (Managed Kubernetes Service): GELF with the event in short_message"
    }

    fn members(&self) -> &'static [&'static str] {
        &["_appID"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.has("_appID") && record.has("short_message")
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        match held(record, "short_message") {
            Some(message) => {
                let (cluster, envelope) =
                    (filled(record, "_appID"), record.without(&["short_message"]));
                out.payload(
                    message,
                    &Provenance {
                        cluster,
                        envelope,
                        ..Provenance::default()
                    },
                );
            }
            None => out.skip(record.text),
        }
    }
}
