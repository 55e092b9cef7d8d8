//! Requests to Splunk's HTTP Event Collector:
//! `{"time","host","source","sourcetype","index","fields","event"}` in, the event out.
//!
//! `event` is an object or a string. Objects follow each other without a delimiter. ECS documents
//! have members of the same names, but there they are objects. Source: Splunk documentation,
//! "Format events for HTTP Event Collector".

use crate::format::document::{filled, held};
use crate::format::{Envelope, Provenance, Record, Unwrapped};
use crate::json::ValueKind;

pub(super) struct SplunkHec;

impl Envelope for SplunkHec {
    fn name(&self) -> &'static str {
        "splunk-hec"
    }

    fn doc(&self) -> &'static str {
        "requests to Splunk's HTTP Event Collector: the event as an object or a string beside time, host, source and sourcetype"
    }

    fn members(&self) -> &'static [&'static str] {
        &["event"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let named = ["host", "source", "sourcetype", "index"]
            .iter()
            .any(|name| record.text_of(name).is_some());
        let timed = record
            .member("time")
            .is_some_and(|time| matches!(time.kind, ValueKind::Number | ValueKind::String));
        record.has("event")
            && (named || timed)
            && !["message", "@timestamp", "@version"]
                .iter()
                .any(|name| record.has(name))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        match held(record, "event") {
            Some(event) => {
                let (log_stream, envelope) = (filled(record, "host"), record.without(&["event"]));
                out.payload(
                    event,
                    &Provenance {
                        log_stream,
                        envelope,
                        ..Provenance::default()
                    },
                );
            }
            None => out.skip(record.text),
        }
    }
}
