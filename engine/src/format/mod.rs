//! Provider formats: a record in a provider's envelope in, the `audit.k8s.io/v1` events inside it
//! out.
//!
//! There are two kinds. An [`Envelope`] is a JSON object, recognised by its members. A
//! [`LineFormat`] is a line of text with a payload behind a prefix, or one that describes an event
//! in its own words. A format is one file in this folder and one line in [`ENVELOPES`] or
//! [`LINE_FORMATS`]; help, docs and the conformance tests iterate over these slices.
//!
//! Detection never looks at a file's name, its first bytes or the order of keys, which differs
//! everywhere. The envelope found at a file's first record is tried first from then on, so the
//! common case pays nothing for the rare ones.
//!
//! The payload of an envelope may be wrapped again. [`Unwrapped::payload`] hands it back to
//! detection, so a format knows its own layer and no other.
//!
//! Not responsible for: nested envelopes, rejects and offsets (`record/`).

mod aks;
mod aks_audit;
mod aks_diagnostics;
mod aws_tail;
mod cloudwatch;
mod cloudwatch_events;
mod cloudwatch_export;
mod cloudwatch_insights;
mod columns_rows;
mod cri;
mod docker;
mod document;
mod ecs;
mod event_list;
mod gke;
mod gke_bigquery;
mod kube_apiserver;
mod legacy_text;
mod loki;
mod marks;
mod node_logs;
mod ocsf;
mod otlp;
mod ovh;
mod packed;
mod prefixed;
mod provenance;
mod pubsub;
mod rancher;
mod record;
mod request_info;
mod respelled;
mod shipper;
mod sls;
mod splunk_hec;
mod string;
mod syslog;
mod truncated;
mod viaq;
mod writer;
mod yandex;

pub(crate) use event_list::EventList;
pub(crate) use marks::bears_marks;
pub(crate) use prefixed::is_beside;
pub(crate) use provenance::{PayloadPart, Provenance, TextLine, Twin};
use record::NameSet;
pub(crate) use record::Record;
pub(crate) use string::{unpacked, unpacked_line, unpacked_list};
pub(crate) use truncated::salvage;

use std::sync::LazyLock;

use crate::json::{Text, Value};

/// A JSON object around events.
pub(crate) trait Envelope: Sync {
    /// The value of the column `format`; stable.
    fn name(&self) -> &'static str;

    /// Who delivers it and what it looks like, in one sentence.
    fn doc(&self) -> &'static str;

    /// Names of which every record of this format has at least one, or none if any record may be of
    /// it. They are looked for first, so that [`Self::recognises`] is asked rarely.
    fn members(&self) -> &'static [&'static str];

    /// Are these the members of a record of this format?
    fn recognises(&self, record: &Record<'_>) -> bool;

    /// Hands every event inside the record to `out`.
    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped);

    /// Do records of this format look like events themselves? Then an event with unknown members is
    /// shown to this format before it is accepted as an event. Such records always have members
    /// that no event has.
    fn resembles_events(&self) -> bool {
        false
    }
}

/// A line of text around an event.
pub(crate) trait LineFormat: Sync {
    /// The value of the column `format`; stable.
    fn name(&self) -> &'static str;

    /// Who writes it and what it looks like, in one sentence.
    fn doc(&self) -> &'static str;

    /// What the line holds; `None` if it is not of this format.
    fn line<'l>(&self, line: &'l str) -> Option<TextLine<'l>>;
}

/// Every envelope, in the order of detection: the more specific come first.
pub(crate) static ENVELOPES: &[&dyn Envelope] = &[
    &kube_apiserver::KubeApiserver,
    &EventList,
    &viaq::Viaq,
    &rancher::Rancher,
    &sls::Sls,
    &gke::Gke,
    &gke_bigquery::GkeBigQuery,
    &pubsub::PubSub,
    &cloudwatch::CloudWatch,
    &cloudwatch_events::CloudWatchEvents,
    &cloudwatch_insights::CloudWatchInsights,
    &aks::Aks,
    &aks_diagnostics::AksDiagnostics,
    &aks_audit::AksAudit,
    &yandex::Yandex,
    &ocsf::Ocsf,
    &otlp::Otlp,
    &loki::Loki,
    &ecs::Ecs,
    &ovh::Ovh,
    &splunk_hec::SplunkHec,
    &columns_rows::ColumnsRows,
    &respelled::Respelled,
    &docker::Docker,
    &shipper::Shipper,
];

/// Every line format, in the order of detection: the more specific come first.
pub(crate) static LINE_FORMATS: &[&dyn LineFormat] = &[
    &legacy_text::LegacyText,
    &cri::Cri,
    &aws_tail::AwsTail,
    &cloudwatch_export::CloudWatchExport,
    &syslog::Syslog,
    &node_logs::NodeLogs,
    &prefixed::Prefixed,
];

/// A format of either kind.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    Envelope(&'static dyn Envelope),
    Line(&'static dyn LineFormat),
}

impl Format {
    fn all() -> impl Iterator<Item = Self> {
        let envelopes = ENVELOPES.iter().copied().map(Self::Envelope);
        envelopes.chain(LINE_FORMATS.iter().copied().map(Self::Line))
    }

    pub(crate) fn name(self) -> &'static str {
        self.info().name
    }

    fn info(self) -> FormatInfo {
        let (name, doc) = match self {
            Self::Envelope(format) => (format.name(), format.doc()),
            Self::Line(format) => (format.name(), format.doc()),
        };
        FormatInfo { name, doc }
    }
}

/// A format as help and docs show it.
#[derive(Debug, Clone, Copy)]
pub struct FormatInfo {
    /// The value of the column `format`.
    pub name: &'static str,
    /// Who delivers it and what it looks like.
    pub doc: &'static str,
}

/// Every supported format: envelopes, then line formats, each in the order of detection.
pub fn formats() -> impl Iterator<Item = FormatInfo> {
    Format::all().map(Format::info)
}

/// The format called `name`.
pub(crate) fn format(name: &str) -> Option<Format> {
    Format::all().find(|format| format.name() == name)
}

/// The envelope that a record is. One that looks like an event is shown only to formats whose
/// records do. The answer never depends on other records.
pub(crate) fn detect(record: &Record<'_>) -> Option<&'static dyn Envelope> {
    if is_event(record) {
        detect_resembling(record)
    } else {
        candidates(record).find(|format| format.recognises(record))
    }
}

/// The envelope that a record is although it looks like an event.
pub(crate) fn detect_resembling(record: &Record<'_>) -> Option<&'static dyn Envelope> {
    candidates(record).find(|format| format.resembles_events() && format.recognises(record))
}

/// Does a record look like an event?
pub(crate) fn is_event(record: &Record<'_>) -> bool {
    kube_apiserver::KubeApiserver.recognises(record)
}

/// The envelopes that a record may be by the names of its members, in the order of detection.
fn candidates(record: &Record<'_>) -> impl Iterator<Item = &'static dyn Envelope> {
    static NAMES: LazyLock<Vec<NameSet>> = LazyLock::new(|| {
        let names = |format: &&dyn Envelope| NameSet::of(format.members());
        ENVELOPES.iter().map(names).collect()
    });
    ENVELOPES
        .iter()
        .zip(NAMES.iter())
        .filter(|(format, names)| format.members().is_empty() || record.may_have(**names))
        .map(|(format, _)| *format)
}

/// The format of a line of text, and what the line holds.
pub(crate) fn detect_line(line: &str) -> Option<(&'static dyn LineFormat, TextLine<'_>)> {
    LINE_FORMATS
        .iter()
        .filter_map(|format| Some((*format, format.line(line)?)))
        // `{app="x"} {"kind":…`: the labels of a stream are no payload.
        .find(|(_, line)| !begins_labels(&line.payload))
}

/// Does the text begin with a brace and a word, as no JSON does?
fn begins_labels(text: &str) -> bool {
    text.strip_prefix('{')
        .is_some_and(|inside| inside.starts_with(|letter: char| letter.is_ascii_alphabetic()))
}

/// The name of the format of events with nothing around them.
pub(crate) const PLAIN: &str = kube_apiserver::NAME;

/// Does the format called `name` add nothing to its events: the apiserver's log or its webhook?
pub(crate) fn is_plain(name: &str) -> bool {
    matches!(name, PLAIN | event_list::NAME)
}

/// Where an envelope puts what it holds.
pub(crate) trait Unwrapped {
    /// An event that lies in the record, and the `apiVersion` it inherits.
    fn event<'t>(&mut self, text: &'t str, inherited: Option<Text<'t>>);
    /// A payload, an event or another envelope: an object, or a string that holds one.
    fn payload(&mut self, value: Value<'_>, provenance: &Provenance<'_>);
    /// A payload that was encoded as something other than JSON, decoded.
    fn decoded(&mut self, text: &str, provenance: &Provenance<'_>);
    /// An event that the format made from the envelope.
    fn made(&mut self, text: &str, provenance: &Provenance<'_>);
    /// A part of a payload that is spread over several records. If it is the whole payload, that lies
    /// `at` this text.
    fn part(&mut self, text: &str, at: &str, part: PayloadPart<'_>, provenance: &Provenance<'_>);
    /// A part of the record that cannot be read.
    fn reject(&mut self, text: &str, message: &str);
    /// A part of the record that is legitimately not an event, unless its text bears the marks of
    /// one.
    fn skip(&mut self, text: &str);
}
