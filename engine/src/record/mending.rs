//! Events that a pipeline changed on their way: an event with values of another type, or without its
//! time, in; the event as the apiserver would have written it to the sink.
//!
//! The values as they came stay among the leftovers. Not responsible for: which reading a value has
//! (`event/retype.rs`).

use crate::event::{Event, epoch_micros, retyped};
use crate::format::Twin;
use crate::json::{Value, ValueKind, members};
use crate::record::sink::{EventSource, RecordSink};
use crate::record::walk::Walk;
use crate::time::parse_micros;

/// Members in which shippers have their own time, beside the event or around it.
const TIMES: [&str; 7] = [
    "date",
    "@timestamp",
    "time",
    "timestamp",
    "ts",
    "eventTime",
    "__REALTIME_TIMESTAMP",
];

impl<S: RecordSink> Walk<'_, S> {
    #[cold]
    pub(super) fn mended_event(
        &mut self,
        event: &Event<'_>,
        text: &str,
        from: usize,
        length: usize,
        source: &EventSource<'_>,
        twin: Option<Twin>,
    ) {
        let other = event.leftovers.is_odd().then(|| retyped(text)).flatten();
        let whole = other.as_ref().map_or(text, |other| other.text.as_str());
        let Ok((mut mended, _)) = Event::decode(whole, None) else {
            return self.judged_event(event, text, from, length, source, twin);
        };
        if let Some(other) = &other {
            for (parent, name, value) in &other.originals {
                mended.leftovers.member(*parent, *name, *value);
            }
        }
        mended.leftovers.envelope = event.leftovers.envelope;
        mended.truncated = event.truncated;
        mended.one_time |= event.one_time;
        mended.content = event.content;
        if mended.api_version.is_none() && event.api_version.is_some() {
            mended.api_version = event.api_version;
        }
        if mended.staged.is_none()
            && let Some(micros) = shipped_at(text, event.leftovers.envelope)
        {
            mended.staged = Some(micros);
            mended.one_time = true;
            mended.leftovers.absent("stageTimestamp");
        }
        self.judged_event(&mended, text, from, length, source, twin);
    }
}

/// The shipper's time of an event that has none itself.
fn shipped_at(text: &str, envelope: Option<&str>) -> Option<i64> {
    let around = envelope.map(|members| format!("{{{members}}}"));
    let of = |object: &str| {
        let found = |name: &str| {
            members(object)
                .find(|(key, _)| key.eq_str(name))
                .and_then(|(_, value)| micros(value))
        };
        TIMES.iter().find_map(|name| found(name))
    };
    // A time of the event itself that cannot be read is not replaced.
    let own = members(text)
        .any(|(name, value)| name.eq_str("stageTimestamp") && value.kind != ValueKind::Null);
    if own {
        return None;
    }
    of(text).or_else(|| around.as_deref().and_then(of))
}

fn micros(value: Value<'_>) -> Option<i64> {
    match value.text() {
        Some(text) => {
            let text = text.decode();
            parse_micros(&text).or_else(|| epoch_micros(&text))
        }
        None => epoch_micros(value.raw),
    }
}
