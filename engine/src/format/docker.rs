//! Docker's json-file logs: `{"log":"…\n","stream":"stdout","time":"…"}` in, the text of `log` out.
//!
//! Docker cuts a line after 16 KiB; only its last part ends in a newline. Records of log shippers
//! have these members too, and others beside them. Source: moby
//! `daemon/logger/jsonfilelog/jsonlog`, `daemon/logger/copier.go`.

use crate::format::{Envelope, PayloadPart, Provenance, Record, Unwrapped};

/// The only members of a record.
const MEMBERS: [&str; 4] = ["log", "stream", "attrs", "time"];

pub(super) struct Docker;

impl Envelope for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn doc(&self) -> &'static str {
        "container log files of Docker's json-file driver: the members log, stream and time, parts joined"
    }

    fn members(&self) -> &'static [&'static str] {
        &["log"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.text_of("log").is_some()
            && (record.has("stream") || record.has("time"))
            && record
                .members()
                .iter()
                .all(|(name, _)| MEMBERS.iter().any(|known| name.eq_str(known)))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let Some(log) = record.string("log") else {
            return out.skip(record.text);
        };
        let stream = record.string("stream").unwrap_or_default();
        let line = log.strip_suffix('\n');
        // A relay may have removed the newline.
        let part = PayloadPart {
            stream: &stream,
            complete: line.is_some() || is_whole(&log),
        };
        let provenance = Provenance {
            envelope: record.without(&["log"]),
            ..Provenance::default()
        };
        out.part(line.unwrap_or(&log), record.text, part, &provenance);
    }
}

/// Is this one object and nothing else?
fn is_whole(text: &str) -> bool {
    Record::new(text).is_ok_and(|record| {
        text.get(record.text.len()..)
            .is_some_and(|rest| rest.trim().is_empty())
    })
}
