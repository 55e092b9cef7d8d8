//! Google Cloud Pub/Sub: what a subscription delivers in, the messages' data out.
//!
//! A push is `{"message":{"data":…,"attributes":{…},"messageId":…},"subscription":…}`. A pull is
//! `{"receivedMessages":[{"ackId":…,"message":{…}}]}` from the REST API, and a list of those
//! elements from `gcloud`. Functions and BigQuery subscriptions get the message itself. `data` is
//! base64 unless the subscription has decoded it. It usually holds a LogEntry, which another format
//! reads.

use crate::format::document::each;
use crate::format::packed::unpack;
use crate::format::{Envelope, Provenance, Record, Unwrapped};
use crate::json::{Text, ValueKind};

pub(super) struct PubSub;

/// Names that are beside a message.
const DELIVERY: [&str; 3] = ["subscription", "ackId", "ack_id"];
/// Names that are beside its data.
const MESSAGE: [&str; 4] = ["messageId", "message_id", "publishTime", "publish_time"];

impl Envelope for PubSub {
    fn name(&self) -> &'static str {
        "pubsub"
    }

    fn doc(&self) -> &'static str {
        "Google Cloud Pub/Sub messages, pushed or pulled, with the record as base64 in `data`"
    }

    fn members(&self) -> &'static [&'static str] {
        &["receivedMessages", "message", "data"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let has = |names: &[&str]| record.any(names).is_some();
        let is_list = record
            .member("receivedMessages")
            .is_some_and(|list| list.kind == ValueKind::Array);
        is_list
            || match record.member("message") {
                Some(message) if message.kind == ValueKind::Object => {
                    has(&DELIVERY)
                        || Record::of(message)
                            .is_some_and(|message| message.text_of("data").is_some())
                }
                _ => has(&MESSAGE) && record.text_of("data").is_some(),
            }
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let Some(received) = record
            .member("receivedMessages")
            .filter(|list| list.kind == ValueKind::Array)
        else {
            delivery(record, out);
            return;
        };
        each(received, out, |element, out| match Record::of(element) {
            Some(element) => delivery(&element, out),
            None if element.kind == ValueKind::Object => {
                out.reject(element.raw, "the received message is not a JSON object")
            }
            None => out.skip(element.raw),
        });
    }
}

/// One message, and what is beside it.
fn delivery(record: &Record<'_>, out: &mut dyn Unwrapped) {
    match record.member("message") {
        Some(value) if value.kind == ValueKind::Object => match Record::of(value) {
            Some(message) => hand_over(&message, record.without(&["message"]), out),
            None => out.reject(value.raw, "the message is not a JSON object"),
        },
        _ => hand_over(record, None, out),
    }
}

fn hand_over(message: &Record<'_>, delivery: Option<String>, out: &mut dyn Unwrapped) {
    let parts: Vec<String> = [message.without(&["data"]), delivery]
        .into_iter()
        .flatten()
        .collect();
    let envelope = (!parts.is_empty()).then(|| parts.join(","));
    let provenance = Provenance {
        envelope,
        ..Provenance::default()
    };
    let Some(data) = message.member("data") else {
        // A message may have attributes alone.
        out.skip(message.text);
        return;
    };
    let text = data.text().map(Text::decode).unwrap_or_default();
    if data.kind == ValueKind::Object || text.trim_start().starts_with(['{', '[']) {
        out.payload(data, &provenance);
    } else if text.is_empty() {
        out.skip(message.text);
    } else {
        match unpack(&text) {
            Ok(text) => out.decoded(&text, &provenance),
            Err(why) => out.reject(data.raw, why.message()),
        }
    }
}
