//! What the webhook backend posts:
//! `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[…]}` in, its items
//! out.
//!
//! The items have neither `kind` nor `apiVersion`. They inherit those of the list, so that an event
//! is the same in a batch and in a log.

use crate::format::{Envelope, Record, Unwrapped};
use crate::json::{Value, ValueKind, elements};

pub(super) const NAME: &str = "eventlist";

pub(crate) struct EventList;

impl Envelope for EventList {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "EventList bodies as the apiserver's webhook backend posts them: many events in one object"
    }

    fn members(&self) -> &'static [&'static str] {
        &["items"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.is("kind", "EventList")
            && record
                .member("items")
                .is_some_and(|items| items.kind == ValueKind::Array)
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        let Some(items) = record.member("items") else {
            return;
        };
        let version = record.member("apiVersion").and_then(Value::text);
        let mut empty = true;
        let mut list = elements(items);
        for item in list.by_ref() {
            empty = false;
            out.event(item.raw, version);
        }
        if let Some((_, at)) = list.fault {
            out.reject(
                &items.raw[at..],
                "the list continues with something that is not an element",
            );
            return;
        }
        if empty {
            out.skip(items.raw);
        }
    }
}
