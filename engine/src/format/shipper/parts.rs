//! Shippers' records of a line that the container runtime or journald cut: a record in, its part of
//! the payload out.
//!
//! The runtime cuts lines after 16 KiB (CRI-O after 8), journald after 48, Docker after 16. What was
//! cut is marked by fluent-bit's `cri` parser (`logtag`), by Docker's drivers for Fluentd
//! (`partial_message`) and journald (`CONTAINER_PARTIAL_MESSAGE`), by Vector (`_partial`), and by
//! journald itself (`_LINE_BREAK`). Source: fluent-bit `conf/parsers.conf`; moby
//! `daemon/logger/fluentd`, `daemon/logger/journald`; systemd.journal-fields(7).

use crate::format::document::filled;
use crate::format::{PayloadPart, Provenance, Record, Unwrapped};

/// Members that hold the line.
const LINES: [&str; 3] = ["log", "message", "MESSAGE"];
/// Members that tell streams apart, at the top and in `kubernetes`.
const STREAMS: [&str; 12] = [
    "partial_id",
    "CONTAINER_PARTIAL_ID",
    "_STREAM_ID",
    "container_id",
    "CONTAINER_ID_FULL",
    "docker_id",
    "pod_id",
    "pod_name",
    "container_name",
    "file",
    "filename",
    "stream",
];

/// The part of a payload that a record holds.
pub(super) struct RecordPart {
    name: &'static str,
    complete: bool,
}

/// The part that the record says it is.
pub(super) fn part(record: &Record<'_>) -> Option<RecordPart> {
    let name = LINES
        .into_iter()
        .find(|name| record.text_of(name).is_some())?;
    let says = |member: &str| {
        record.member(member).map(|value| {
            value
                .text()
                .map_or(value.raw == "true", |text| text.eq_str("true"))
        })
    };
    let tag = ["logtag", "_p"]
        .iter()
        .find_map(|name| record.string(name))
        .and_then(|tag| match &*tag {
            "F" => Some(true),
            "P" => Some(false),
            _ => None,
        });
    let complete = if let Some(complete) = tag {
        complete
    } else if let Some(partial) = says("partial_message") {
        !partial || says("partial_last") == Some(true)
    } else if let Some(partial) = says("CONTAINER_PARTIAL_MESSAGE") {
        !partial || says("CONTAINER_PARTIAL_LAST") == Some(true)
    } else if let Some(partial) = says("_partial") {
        !partial
    } else if record.has("__CURSOR") || record.has("_TRANSPORT") {
        !record.is("_LINE_BREAK", "line-max")
    } else {
        return None;
    };
    Some(RecordPart { name, complete })
}

impl RecordPart {
    pub(super) fn hand_over(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let Some(line) = record.string(self.name) else {
            return out.skip(record.text);
        };
        let mut stream = String::new();
        let around = [Some(record), record.object("kubernetes").as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|object| STREAMS.iter().filter_map(|name| filled(object, name)))
            .collect::<Vec<_>>();
        for value in around {
            stream.push_str(&value);
            stream.push('\n');
        }
        let part = PayloadPart {
            stream: &stream,
            complete: self.complete,
        };
        let provenance = Provenance {
            envelope: record.without(&[self.name]),
            ..Provenance::default()
        };
        let at = record.member(self.name).map_or("", |value| value.raw);
        let line = line.strip_suffix('\n').unwrap_or(&line);
        out.part(line, at, part, &provenance);
    }
}
