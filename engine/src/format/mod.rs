//! Who wrapped it? A record in a provider's envelope in, the `audit.k8s.io/v1` events inside it
//! out.
//!
//! A format is one file here and one line in [`FORMATS`]: help, docs and the conformance tests
//! iterate over that slice. Detection is by the members of a record, never by its first bytes or
//! its file's name: key order differs everywhere. A file's format is found at its first record and
//! tried first from then on, so that the common case pays nothing for the rare ones.
//!
//! What an envelope holds may be wrapped itself: [`Unwrapped::payload`] hands it back to detection,
//! so a format knows its own layer and no other.

mod aks;
mod aks_audit;
mod aks_diagnostics;
mod cloudwatch;
mod cloudwatch_events;
mod cloudwatch_export;
mod cloudwatch_insights;
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
mod node_logs;
mod otlp;
mod ovh;
mod pubsub;
mod rancher;
mod request_info;
mod shipper;
mod sls;
mod splunk_hec;
mod syslog;
mod truncated;
mod viaq;
mod writer;
mod yandex;

use std::{borrow::Cow, cell::RefCell, rc::Rc};

pub(crate) use event_list::EventList;
pub(crate) use truncated::salvage;

use crate::json::{Fault, Span, Text, Value, ValueKind, members};

/// An envelope.
pub(crate) trait Format: Sync {
    /// The content of the column `format`; stable.
    fn name(&self) -> &'static str;

    /// Who delivers it, and what it looks like, in a sentence.
    fn doc(&self) -> &'static str;

    /// Are these the members of a record of this format?
    fn recognises(&self, record: &Record<'_>) -> bool;

    /// Hands every event inside the record to `out`.
    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped);

    /// A line of text with a payload in it, where the envelope is no JSON.
    fn line<'l>(&self, _line: &'l str) -> Option<TextLine<'l>> {
        None
    }

    /// Do records of this format look like events themselves? Then they are looked at before an
    /// event with unknown members is taken for one.
    fn resembles_events(&self) -> bool {
        false
    }
}

/// Every format, in the order of detection: what is told apart by less comes later.
pub(crate) static FORMATS: &[&dyn Format] = &[
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
    &otlp::Otlp,
    &loki::Loki,
    &ecs::Ecs,
    &ovh::Ovh,
    &splunk_hec::SplunkHec,
    &docker::Docker,
    &shipper::Shipper,
    &legacy_text::LegacyText,
    &cri::Cri,
    &cloudwatch_export::CloudWatchExport,
    &syslog::Syslog,
    &node_logs::NodeLogs,
];

/// A format as help and docs show it.
#[derive(Debug, Clone, Copy)]
pub struct FormatInfo {
    /// The content of the column `format`.
    pub name: &'static str,
    /// Who delivers it, and what it looks like.
    pub doc: &'static str,
}

/// Every format that is read.
pub fn formats() -> impl Iterator<Item = FormatInfo> {
    FORMATS.iter().map(|format| FormatInfo {
        name: format.name(),
        doc: format.doc(),
    })
}

/// The format called `name`.
pub(crate) fn format(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The format of a record, if any knows it.
pub(crate) fn detect(record: &Record<'_>) -> Option<&'static dyn Format> {
    FORMATS
        .iter()
        .copied()
        .find(|format| format.recognises(record))
}

/// The format of a record that looks like an event and is none, or not as it stands.
pub(crate) fn detect_resembling(record: &Record<'_>) -> Option<&'static dyn Format> {
    FORMATS
        .iter()
        .copied()
        .find(|format| format.resembles_events() && format.recognises(record))
}

/// The format of a line of text, and what it holds.
pub(crate) fn detect_line(line: &str) -> Option<(&'static dyn Format, TextLine<'_>)> {
    FORMATS
        .iter()
        .find_map(|format| Some((*format, format.line(line)?)))
}

/// Is it the apiserver's own log, with nothing around its events?
pub(crate) fn is_plain(format: &'static dyn Format) -> bool {
    matches!(format.name(), kube_apiserver::NAME | event_list::NAME)
}

/// The name of the plain format.
pub(crate) const PLAIN: &str = kube_apiserver::NAME;

/// What a line of text holds.
pub(crate) struct TextLine<'l> {
    /// What is behind the prefix, or, where the line itself was the event, the event made of it.
    pub(crate) payload: Cow<'l, str>,
    pub(crate) provenance: Provenance<'l>,
    /// Parts of one payload have the same key; the last is complete.
    pub(crate) part: Option<PayloadPart<'l>>,
}

/// A payload may come in parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PayloadPart<'l> {
    /// Tells streams that are interleaved apart.
    pub(crate) stream: &'l str,
    /// Is this the last?
    pub(crate) complete: bool,
}

/// What an envelope says about the events in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Provenance<'a> {
    pub(crate) cluster: Option<Cow<'a, str>>,
    /// The cloud's account, project or subscription.
    pub(crate) account: Option<Cow<'a, str>>,
    pub(crate) log_stream: Option<Cow<'a, str>>,
    /// What it says beyond that, as members of a JSON object, without the braces.
    pub(crate) envelope: Option<String>,
    /// The stream that the event is from, where a second one delivers a part of the same events.
    pub(crate) twin: Option<Twin>,
    /// It has one time, not two: the latency is not known.
    pub(crate) one_time: bool,
    /// A part of the event did not survive the delivery.
    pub(crate) truncated: bool,
    /// This delivery cuts what is too long, and does not say so.
    pub(crate) may_be_cut: bool,
}

/// AKS delivers what writes say in `kube-audit` and, again, in `kube-audit-admin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twin {
    All,
    Admin,
}

impl Twin {
    /// The stream of an AKS category.
    pub(crate) fn of(category: Text<'_>) -> Option<Self> {
        match &*category.decode() {
            "kube-audit" => Some(Self::All),
            "kube-audit-admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// Where the names and values of an object's members are in its text.
type Spans = Rc<[(Span, Span)]>;

/// A JSON object that may be an envelope: its members, values carried.
pub(crate) struct Record<'a> {
    /// The whole object.
    pub(crate) text: &'a str,
    members: Vec<(Text<'a>, Value<'a>)>,
    /// The members that are objects and were asked for: where they begin, and where their own
    /// members' names and values are.
    objects: RefCell<Vec<(usize, Spans)>>,
}

impl<'a> Record<'a> {
    /// The object that `text` begins with.
    pub(crate) fn new(text: &'a str) -> Result<Self, Fault> {
        let mut iterator = members(text);
        let found: Vec<_> = iterator.by_ref().collect();
        match iterator.fault {
            Some(fault) => Err(fault),
            None => Ok(Self {
                text: &text[..iterator.at()],
                members: found,
                objects: RefCell::default(),
            }),
        }
    }

    /// The object that `value` is.
    pub(crate) fn of(value: Value<'a>) -> Option<Self> {
        if value.kind == ValueKind::Object {
            Self::new(value.raw).ok()
        } else {
            None
        }
    }

    /// All members, in order.
    pub(crate) fn members(&self) -> &[(Text<'a>, Value<'a>)] {
        &self.members
    }

    /// The last member called `name`.
    pub(crate) fn member(&self, name: &str) -> Option<Value<'a>> {
        self.members
            .iter()
            .rev()
            .find(|(key, _)| key.eq_str(name))
            .map(|(_, value)| *value)
    }

    /// The last member called by one of these names, the first that is there.
    pub(crate) fn any(&self, names: &[&str]) -> Option<Value<'a>> {
        names.iter().find_map(|name| self.member(name))
    }

    /// The string that the member `name` is.
    pub(crate) fn text_of(&self, name: &str) -> Option<Text<'a>> {
        self.member(name).and_then(Value::text)
    }

    /// The decoded string that the member `name` is.
    pub(crate) fn string(&self, name: &str) -> Option<Cow<'a, str>> {
        self.text_of(name).map(Text::decode)
    }

    /// The object that the member `name` is.
    pub(crate) fn object(&self, name: &str) -> Option<Record<'a>> {
        let value = self.member(name)?;
        let place = value.raw.as_ptr() as usize;
        // Detection and unwrapping ask for the same ones, and reading a long string again costs.
        if let Some((_, spans)) = self
            .objects
            .borrow()
            .iter()
            .find(|(known, _)| *known == place)
        {
            let members = spans.iter().filter_map(|(name, of)| {
                Some((name.value(value.raw).text()?, of.value(value.raw)))
            });
            return Some(Record {
                text: value.raw,
                members: members.collect(),
                objects: RefCell::default(),
            });
        }
        let record = Record::of(value)?;
        let spans = record
            .members
            .iter()
            .map(|(name, of)| (Span::of_text(*name, value.raw), Span::of(*of, value.raw)));
        self.objects.borrow_mut().push((place, spans.collect()));
        Some(record)
    }

    /// Is the member `name` this string?
    pub(crate) fn is(&self, name: &str, text: &str) -> bool {
        self.text_of(name).is_some_and(|found| found.eq_str(text))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// The members but those called by one of `names`, as they were written, between commas: what
    /// is left of an envelope.
    pub(crate) fn without(&self, names: &[&str]) -> Option<String> {
        let mut out = Vec::new();
        for (name, value) in &self.members {
            if !names.iter().any(|known| name.eq_str(known)) {
                writer::member(&mut out, *name, value.raw);
            }
        }
        writer::text(out).filter(|text| !text.is_empty())
    }
}

/// What a format hands its events to.
pub(crate) trait Unwrapped {
    /// One event that lies in the record, and the `apiVersion` it inherits.
    fn event<'t>(&mut self, text: &'t str, inherited: Option<Text<'t>>);
    /// What the envelope holds: an object, or a string that holds one. An event, or another
    /// envelope.
    fn payload(&mut self, value: Value<'_>, provenance: &Provenance<'_>);
    /// The same, decoded from something else than JSON.
    fn decoded(&mut self, text: &str, provenance: &Provenance<'_>);
    /// An event that was made of the envelope.
    fn made(&mut self, text: &str, provenance: &Provenance<'_>);
    /// A part of a payload that comes in several records.
    fn part(&mut self, text: &str, part: PayloadPart<'_>, provenance: &Provenance<'_>);
    /// A part of the record that cannot be read.
    fn reject(&mut self, text: &str, message: &str);
    /// A part of the record that is rightly no event.
    fn skip(&mut self);
}

impl std::fmt::Debug for dyn Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
