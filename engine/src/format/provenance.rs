//! What formats say besides the event: the provenance of a payload, and the payload of a text line.
//!
//! Not responsible for: how nested envelopes add up; `record/scope.rs` decides that.

use std::borrow::Cow;

use crate::json::Text;

/// What an envelope says about the events in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Provenance<'a> {
    pub(crate) cluster: Option<Cow<'a, str>>,
    /// The cloud account, project or subscription.
    pub(crate) account: Option<Cow<'a, str>>,
    pub(crate) log_stream: Option<Cow<'a, str>>,
    /// Everything else: members of a JSON object, without the braces.
    pub(crate) envelope: Option<String>,
    /// The stream of the event, if a second stream delivers some of the same events.
    pub(crate) twin: Option<Twin>,
    /// The envelope has one timestamp instead of two, so the latency is unknown.
    pub(crate) one_time: bool,
    /// Delivery lost a part of the event.
    pub(crate) truncated: bool,
    /// Delivery cuts long events without marking the cut.
    pub(crate) may_be_cut: bool,
}

/// AKS delivers write requests twice: in `kube-audit` and again in `kube-audit-admin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twin {
    All,
    Admin,
}

impl Twin {
    /// The stream of an AKS log category.
    pub(crate) fn of(category: Text<'_>) -> Option<Self> {
        match &*category.decode() {
            "kube-audit" => Some(Self::All),
            "kube-audit-admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// One part of a payload that is spread over several records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PayloadPart<'l> {
    /// Tells interleaved streams apart: the parts of a payload have the same stream.
    pub(crate) stream: &'l str,
    /// Is this the last part?
    pub(crate) complete: bool,
}

/// What a line of text holds.
pub(crate) struct TextLine<'l> {
    /// The text after the prefix. If the line itself describes the event: the event made from it.
    pub(crate) payload: Cow<'l, str>,
    pub(crate) provenance: Provenance<'l>,
    /// Set if the payload may be spread over several lines.
    pub(crate) part: Option<PayloadPart<'l>>,
}
