//! CloudWatch Logs as subscription filters deliver it: documents of one log stream in, their
//! messages out.
//!
//! Kinesis and Firehose deliver
//! `{"messageType":"DATA_MESSAGE","owner","logGroup","logStream","subscriptionFilters","logEvents":[{"id","timestamp","message"}]}`.
//! A Lambda function gets it as `{"awslogs":{"data":base64(gzip(…))}}`. The log group of an EKS
//! cluster has other streams beside the audit log, and CloudWatch sends control messages; neither
//! holds events. Source: CloudWatch Logs user guide, "Real-time processing of log data with
//! subscriptions"; EKS user guide, "Control plane logging".

use std::borrow::Cow;

use crate::format::document::{each, filled, held, joined};
use crate::format::packed::unpack;
use crate::format::{Envelope, Provenance, Record, Unwrapped};
use crate::json::{Value, ValueKind};

/// The prefix of EKS's audit log streams.
const AUDIT_STREAM: &str = "kube-apiserver-audit-";

/// The components of the control plane that log beside it, each to `<component>-<32 hex digits>`.
const OTHER_COMPONENTS: [&str; 5] = [
    "kube-apiserver",
    "authenticator",
    "kube-controller-manager",
    "kube-scheduler",
    "cloud-controller-manager",
];

pub(super) struct CloudWatch;

impl Envelope for CloudWatch {
    fn name(&self) -> &'static str {
        "cloudwatch"
    }

    fn doc(&self) -> &'static str {
        "documents of CloudWatch Logs subscriptions (EKS), as Firehose, Kinesis or a Lambda function gets them"
    }

    fn members(&self) -> &'static [&'static str] {
        &["logEvents", "awslogs"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let document = record
            .member("logEvents")
            .is_some_and(|events| events.kind == ValueKind::Array);
        (document && (record.has("messageType") || record.has("logGroup")))
            || data(record).is_some()
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        if let Some(events) = record.member("logEvents") {
            return document(record, events, out);
        }
        match data(record).as_deref().map(unpack) {
            Some(Ok(text)) => {
                let provenance = Provenance {
                    envelope: record.without(&["awslogs"]),
                    ..Provenance::default()
                };
                out.decoded(&text, &provenance);
            }
            Some(Err(why)) => out.reject(record.text, why.message()),
            None => out.skip(record.text),
        }
    }
}

fn document(record: &Record<'_>, events: Value<'_>, out: &mut dyn Unwrapped) {
    if record.is("messageType", "CONTROL_MESSAGE") {
        return out.skip(record.text);
    }
    let (group, account, log_stream) = (
        filled(record, "logGroup"),
        filled(record, "owner"),
        filled(record, "logStream"),
    );
    let cluster = group.as_deref().and_then(cluster_of);
    let wanted = may_hold_events(cluster, log_stream.as_deref());
    let around = record.without(&["logEvents"]);
    each(events, out, |item, out| {
        let Some(event) = Record::of(item).filter(|_| wanted) else {
            return out.skip(item.raw);
        };
        let Some(message) = held(&event, "message") else {
            return out.skip(item.raw);
        };
        let provenance = Provenance {
            cluster: cluster.map(Cow::Borrowed),
            account: account.as_deref().map(Cow::Borrowed),
            log_stream: log_stream.as_deref().map(Cow::Borrowed),
            envelope: joined(around.as_deref(), event.without(&["message"])),
            ..Provenance::default()
        };
        out.payload(message, &provenance);
    });
}

/// What a Lambda event carries.
fn data<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    record.object("awslogs")?.string("data")
}

/// The EKS cluster whose log group this is.
pub(super) fn cluster_of(group: &str) -> Option<&str> {
    let name = group.strip_prefix("/aws/eks/")?.strip_suffix("/cluster")?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// May this stream hold audit events? Only the names of EKS's own streams tell; other agents call
/// theirs anything.
pub(super) fn may_hold_events(cluster: Option<&str>, stream: Option<&str>) -> bool {
    let Some(stream) = stream else { return true };
    let other = stream.rsplit_once('-').is_some_and(|(component, id)| {
        OTHER_COMPONENTS.contains(&component)
            && id.len() == 32
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    stream.starts_with(AUDIT_STREAM) || (cluster.is_none() && !other)
}
