//! What Splunk's HTTP Event Collector is sent:
//! `{"time","host","source","sourcetype","index","fields","event"}` in, the event out.
//!
//! `event` is an object or a string; objects follow each other without a delimiter. Documents of
//! ECS have members of the same names, which are objects there. Source: Splunk documentation,
//! "Format events for HTTP Event Collector".

use crate::format::document::{filled, held};
use crate::format::{Format, Provenance, Record, Unwrapped};
use crate::json::ValueKind;

pub(super) struct SplunkHec;

impl Format for SplunkHec {
    fn name(&self) -> &'static str {
        "splunk-hec"
    }

    fn doc(&self) -> &'static str {
        "what Splunk's HTTP Event Collector is sent: the event as an object or a string beside time, host, source and sourcetype"
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
            None => out.skip(),
        }
    }
}
