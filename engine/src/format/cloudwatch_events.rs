//! Log events as the CloudWatch Logs API returns them: pages in, their messages out.
//!
//! `aws logs filter-log-events` prints
//! `{"events":[{"logStreamName","timestamp","message","ingestionTime","eventId"}], "searchedLogStreams":[]}`.
//! `aws logs get-log-events` prints the same without names, beside `nextForwardToken`. With
//! `--query events` only the list is left. Source: CloudWatch Logs API reference, FilteredLogEvent
//! and OutputLogEvent.

use crate::format::cloudwatch::may_hold_events;
use crate::format::document::{each, filled, held, joined};
use crate::format::{Envelope, Provenance, Record, Unwrapped};
use crate::json::{ValueKind, elements};

pub(super) struct CloudWatchEvents;

impl Envelope for CloudWatchEvents {
    fn name(&self) -> &'static str {
        "cloudwatch-events"
    }

    fn doc(&self) -> &'static str {
        "output of `aws logs filter-log-events` and `aws logs get-log-events`: pages of CloudWatch Logs events (EKS)"
    }

    fn members(&self) -> &'static [&'static str] {
        &["events", "message"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let Some(events) = record
            .member("events")
            .filter(|events| events.kind == ValueKind::Array)
        else {
            return is_event(record);
        };
        [
            "searchedLogStreams",
            "nextForwardToken",
            "nextBackwardToken",
        ]
        .iter()
        .any(|name| record.has(name))
            || elements(events)
                .next()
                .and_then(Record::of)
                .is_some_and(|event| is_event(&event))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let Some(events) = record
            .member("events")
            .filter(|events| events.kind == ValueKind::Array)
        else {
            return message(record, None, out);
        };
        let page = record.without(&["events"]);
        each(events, out, |item, out| match Record::of(item) {
            Some(event) => message(&event, page.as_deref(), out),
            None => out.skip(item.raw),
        });
    }
}

fn is_event(record: &Record<'_>) -> bool {
    record.text_of("message").is_some() && record.has("timestamp") && record.has("ingestionTime")
}

fn message(event: &Record<'_>, page: Option<&str>, out: &mut dyn Unwrapped) {
    let log_stream = filled(event, "logStreamName");
    match held(event, "message") {
        Some(message) if may_hold_events(None, log_stream.as_deref()) => {
            let envelope = joined(page, event.without(&["message"]));
            out.payload(
                message,
                &Provenance {
                    log_stream,
                    envelope,
                    ..Provenance::default()
                },
            );
        }
        _ => out.skip(event.text),
    }
}
