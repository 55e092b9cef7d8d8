//! AKS control plane logs in the Log Analytics table AzureDiagnostics: rows in, the events in their
//! column `log_s` out.
//!
//! `Category` is the same as in a diagnostic record. A query may have dropped any of the columns.
//! `log_s` is cut at 32 KiB without a mark. Source: learn.microsoft.com, reference of the table
//! AzureDiagnostics.

use crate::format::aks::resource;
use crate::format::document::{filled, held};
use crate::format::{Envelope, Provenance, Record, Twin, Unwrapped};

pub(super) struct AksDiagnostics;

impl Envelope for AksDiagnostics {
    fn name(&self) -> &'static str {
        "aks-diagnostics"
    }

    fn doc(&self) -> &'static str {
        "rows of the Log Analytics table AzureDiagnostics with AKS audit events in the column log_s"
    }

    fn members(&self) -> &'static [&'static str] {
        &["log_s"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.has("log_s")
            && ["Category", "pod_s", "_ResourceId", "ResourceId"]
                .iter()
                .any(|name| record.has(name))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let category = record.text_of("Category");
        let twin = category.and_then(Twin::of);
        match held(record, "log_s") {
            Some(log) if category.is_none() || twin.is_some() => {
                let (cluster, account) = resource(record, &["_ResourceId", "ResourceId"]);
                let (log_stream, envelope) = (filled(record, "pod_s"), record.without(&["log_s"]));
                out.payload(
                    log,
                    &Provenance {
                        cluster,
                        account,
                        log_stream,
                        envelope,
                        twin,
                        may_be_cut: true,
                        ..Provenance::default()
                    },
                );
            }
            _ => out.skip(record.text),
        }
    }
}
