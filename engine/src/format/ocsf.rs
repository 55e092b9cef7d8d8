//! OCSF API Activity (class 6003): an event of the Open Cybersecurity Schema Framework in, the
//! Kubernetes audit event that it was translated from out.
//!
//! Security Lake delivers the audit logs of EKS so, and pipelines translate those of other clusters.
//! Where the original is beside the translation, whole, in `raw_data` or `unmapped`, it is the
//! event. Else the translation is translated back. It has no impersonation and no source address
//! behind a second proxy unless `unmapped` says so: what it does not have is left out.
//!
//! Source: the class `api_activity` of <https://schema.ocsf.io>, and the mappings of EKS audit logs in
//! `ocsf/examples` (1.1 and 1.2).
//!
//! Not responsible for: API Activity of other services (CloudTrail), which is skipped; Parquet.

mod event;
mod unmapped;

use std::borrow::Cow;

use crate::format::ocsf::event::Activity;
use crate::format::ocsf::unmapped::Unmapped;
use crate::format::{Envelope, Provenance, Record, Unwrapped, bears_marks, is_event, writer};
use crate::json::{Value, ValueKind};

pub(super) struct Ocsf;

/// The members that hold the original, as a text or an object.
const ORIGINALS: [&str; 5] = ["raw_data", "raw_event", "unmapped", "event", "enrichments"];

impl Envelope for Ocsf {
    fn name(&self) -> &'static str {
        "ocsf"
    }

    fn doc(&self) -> &'static str {
        "OCSF events of the class API Activity (6003): EKS audit logs in Amazon Security Lake, and what pipelines translate to OCSF"
    }

    fn members(&self) -> &'static [&'static str] {
        &["class_uid"]
    }

    /// Those of other services, too: they are recognised here, and skipped.
    fn recognises(&self, record: &Record<'_>) -> bool {
        record
            .member("class_uid")
            .is_some_and(|uid| matches!(uid.raw, "6003" | "\"6003\"" | "6003.0"))
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        if let Some((name, original)) = original(record) {
            let provenance = Provenance {
                envelope: record.without(&[name]),
                ..provenance(record)
            };
            return out.payload(original, &provenance);
        }
        let unmapped = Unmapped::of(record);
        let activity = Activity {
            record,
            unmapped: &unmapped,
        };
        if !activity.is_kubernetes() {
            return out.skip(record.text);
        }
        let Some(made) = writer::text(activity.event()) else {
            return out.reject(record.text, "the record is not valid UTF-8");
        };
        let provenance = Provenance {
            envelope: envelope(record, &unmapped),
            one_time: activity.has_one_time(),
            ..provenance(record)
        };
        out.made(&made, &provenance);
    }
}

/// The original event, and the name of the member that it is in.
fn original<'a>(record: &Record<'a>) -> Option<(&'static str, Value<'a>)> {
    ORIGINALS.into_iter().find_map(|name| {
        let value = record.member(name)?;
        if is_original(value) {
            return Some((name, value));
        }
        let inside = Record::of(value)?;
        let (_, value) = inside
            .members()
            .iter()
            .find(|(_, value)| is_original(*value))?;
        Some((name, *value))
    })
}

/// Is it an event, an object or the text of one? Text that was cut is one, too.
fn is_original(value: Value<'_>) -> bool {
    match value.kind {
        ValueKind::Object => Record::of(value).is_some_and(|record| is_event(&record)),
        ValueKind::String => value.text().is_some_and(|text| {
            let text = text.decode();
            let is_object = text.trim_start().starts_with('{');
            is_object && bears_marks(text.as_bytes())
        }),
        _ => false,
    }
}

fn provenance<'a>(record: &Record<'a>) -> Provenance<'a> {
    let account = record
        .object("cloud")
        .and_then(|cloud| cloud.object("account")?.string("uid"));
    let metadata = record.object("metadata");
    Provenance {
        cluster: cluster(record),
        account: account.map(account_of),
        log_stream: metadata.and_then(|metadata| metadata.string("log_name")),
        ..Provenance::default()
    }
}

/// The name of the cluster, where the resource is said to be in one.
fn cluster<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    let of = |value: Value<'a>| {
        let object = Record::of(value)?;
        object.string("cluster").or_else(|| {
            let cluster = object.object("cluster")?;
            cluster.string("name").or_else(|| cluster.string("uid"))
        })
    };
    let first = crate::json::elements(record.member("resources")?).next()?;
    of(first).or_else(|| record.string("cluster"))
}

/// The account of an ARN (`arn:aws:iam::ACCOUNT:…`): the mapping of EKS puts the caller's there.
fn account_of(uid: Cow<'_, str>) -> Cow<'_, str> {
    match uid.split(':').nth(4) {
        Some(account) if uid.starts_with("arn:") && !account.is_empty() => {
            Cow::Owned(account.to_owned())
        }
        _ => uid,
    }
}

/// The record without what the event holds of it as it was.
fn envelope(record: &Record<'_>, unmapped: &Unmapped<'_>) -> Option<String> {
    let mut out = Vec::new();
    for (name, value) in record.members() {
        if value.kind == ValueKind::Null {
            continue;
        }
        if name.eq_str("unmapped") {
            unmapped.write_rest(&mut out);
        } else {
            writer::member(&mut out, *name, value.raw);
        }
    }
    writer::text(out).filter(|text| !text.is_empty())
}
