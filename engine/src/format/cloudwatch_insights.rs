//! Results of CloudWatch Logs Insights: rows of fields in, their `@message` out.
//!
//! `aws logs get-query-results` prints
//! `{"results":[[{"field":"@message","value":"…"},…],…],"statistics","status"}`. The console
//! exports rows as objects. Fields without an `@` were extracted from the message and add nothing
//! to it. Source: CloudWatch Logs API reference, GetQueryResults; "Supported logs and discovered
//! fields".

use std::borrow::Cow;

use crate::format::cloudwatch::{cluster_of, may_hold_events};
use crate::format::document::{each, filled};
use crate::format::{Envelope, Provenance, Record, Unwrapped, writer};
use crate::json::{Text, Value, ValueKind, elements};

pub(super) struct CloudWatchInsights;

impl Envelope for CloudWatchInsights {
    fn name(&self) -> &'static str {
        "cloudwatch-insights"
    }

    fn doc(&self) -> &'static str {
        "results of CloudWatch Logs Insights (EKS): output of `aws logs get-query-results`, or exported rows with the field @message"
    }

    fn members(&self) -> &'static [&'static str] {
        &["results", "@message"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.member("results").is_some_and(is_table) || is_row(record)
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        if is_row(record) {
            let rest = record.without(&["@message", "@log", "@logStream"]);
            return message(
                record.member("@message"),
                filled(record, "@log"),
                filled(record, "@logStream"),
                rest,
                out,
            );
        }
        match record.member("results") {
            Some(results) => each(results, out, row),
            None => out.skip(record.text),
        }
    }
}

/// Rows of fields, or no row at all.
fn is_table(results: Value<'_>) -> bool {
    results.kind == ValueKind::Array
        && elements(results).next().is_none_or(|row| {
            row.kind == ValueKind::Array
                && elements(row)
                    .next()
                    .is_none_or(|field| Record::of(field).is_some_and(|field| field.has("field")))
        })
}

fn is_row(record: &Record<'_>) -> bool {
    record.has("@message")
        && ["@log", "@logStream", "@ptr"]
            .iter()
            .any(|name| record.has(name))
}

fn row(row: Value<'_>, out: &mut dyn Unwrapped) {
    let (mut content, mut log, mut stream) = (None, None, None);
    let mut rest = Vec::new();
    for field in elements(row).filter_map(Record::of) {
        let (Some(name), Some(value)) = (field.text_of("field"), field.member("value")) else {
            continue;
        };
        match &*name.decode() {
            "@message" => content = Some(value),
            "@log" => log = value.text().map(Text::decode),
            "@logStream" => stream = value.text().map(Text::decode),
            own if own.starts_with('@') => writer::member(&mut rest, name, value.raw),
            _ => {}
        }
    }
    let rest = writer::text(rest).filter(|rest| !rest.is_empty());
    message(
        content,
        log,
        stream.filter(|stream| !stream.is_empty()),
        rest,
        out,
    );
}

/// `log` is `<account>:<log group>`.
fn message(
    content: Option<Value<'_>>,
    log: Option<Cow<'_, str>>,
    log_stream: Option<Cow<'_, str>>,
    envelope: Option<String>,
    out: &mut dyn Unwrapped,
) {
    let whole = content.map_or("", |content| content.raw);
    let (account, group) = log.as_deref().and_then(|log| log.split_once(':')).unzip();
    let cluster = group.and_then(cluster_of);
    match content.filter(|content| matches!(content.kind, ValueKind::String | ValueKind::Object)) {
        Some(content) if may_hold_events(cluster, log_stream.as_deref()) => {
            let (cluster, account) = (
                cluster.map(Cow::Borrowed),
                account
                    .filter(|account| !account.is_empty())
                    .map(Cow::Borrowed),
            );
            out.payload(
                content,
                &Provenance {
                    cluster,
                    account,
                    log_stream,
                    envelope,
                    ..Provenance::default()
                },
            );
        }
        _ => out.skip(whole),
    }
}
