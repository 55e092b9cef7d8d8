//! Responses of Loki: streams of lines in, the lines out.
//!
//! The query API returns
//! `{"status":"success","data":{"resultType":"streams","result":[{"stream":{labels},"values":[["<ns>","line"]]}]}}`,
//! since Loki 3 with structured metadata as a third element. Pushed and tailed lines are
//! `{"streams":[…]}`. `logcli --output=jsonl` writes `{"labels","line","timestamp"}`. Metric
//! queries have the same shape and no lines. Source: Loki HTTP API reference.

use std::borrow::Cow;

use crate::format::document::{each, filled, held, joined};
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::{Value, ValueKind, elements};

pub(super) struct Loki;

impl Envelope for Loki {
    fn name(&self) -> &'static str {
        "loki"
    }

    fn doc(&self) -> &'static str {
        "responses of Grafana Loki's query API and lines of `logcli query --output=jsonl`"
    }

    fn members(&self) -> &'static [&'static str] {
        &["data", "streams", "line"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        result(record).is_some() || labels(record).is_some()
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        if let Some((result, lines)) = result(record) {
            return if lines {
                each(result, out, stream)
            } else {
                out.skip(record.text)
            };
        }
        match held(record, "line") {
            Some(line) => {
                let cluster = labels(record).and_then(|labels| filled(&labels, "cluster"));
                out.payload(
                    line,
                    &Provenance {
                        cluster,
                        envelope: record.without(&["line"]),
                        ..Provenance::default()
                    },
                );
            }
            None => out.skip(record.text),
        }
    }
}

/// The list of streams or of time series, and whether it may be of streams.
fn result<'a>(record: &Record<'a>) -> Option<(Value<'a>, bool)> {
    let list = |value: &Value<'a>| value.kind == ValueKind::Array;
    if let Some(data) = record.object("data")
        && let Some(result) = data.member("result").filter(list)
        && (data.has("resultType") || record.has("status"))
    {
        return Some((
            result,
            !data.has("resultType") || data.is("resultType", "streams"),
        ));
    }
    let streams = record.member("streams").filter(list)?;
    let first = elements(streams).next().and_then(Record::of)?;
    (first.has("stream") && first.has("values")).then_some((streams, true))
}

/// The labels beside a line.
fn labels<'a>(record: &Record<'a>) -> Option<Record<'a>> {
    held(record, "line")?;
    record.object("labels").or_else(|| record.object("fields"))
}

fn stream(item: Value<'_>, out: &mut dyn Unwrapped) {
    let Some(stream) = Record::of(item) else {
        return out.skip(item.raw);
    };
    let Some(values) = stream.member("values") else {
        return out.skip(stream.text);
    };
    let cluster = stream
        .object("stream")
        .and_then(|labels| filled(&labels, "cluster"));
    let around = stream.without(&["values"]);
    each(values, out, |value, out| {
        let mut entry = elements(value);
        let (time, line, metadata) = (entry.next(), entry.next(), entry.next());
        let Some(line) = line.filter(|line| line.kind == ValueKind::String) else {
            return out.skip(value.raw);
        };
        let mut own = Vec::new();
        for (name, value) in [("timestamp", time), ("structuredMetadata", metadata)] {
            if let Some(value) = value {
                writer::raw(&mut own, name, value.raw);
            }
        }
        let provenance = Provenance {
            cluster: cluster.as_deref().map(Cow::Borrowed),
            envelope: joined(around.as_deref(), writer::text(own)),
            ..Provenance::default()
        };
        out.payload(line, &provenance);
    });
}
