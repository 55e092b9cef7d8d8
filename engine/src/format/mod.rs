//! Who wrapped it? A record in a provider's envelope in, the `audit.k8s.io/v1` events inside it out.
//!
//! A format is one file here and one line in [`FORMATS`]: help, docs and the conformance tests iterate over that
//! slice. Detection is by the members of a record, never by its first bytes or its file's name: key order differs everywhere.
//! A file's format is found at its first record and tried first from then on, so that the common case pays nothing for
//! the rare ones.

mod event_list;
mod kube_apiserver;

pub(crate) use event_list::EventList;

use crate::json::{Fault, Text, Value, members};

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
}

/// Every format, in the order of detection: what is told apart by less comes later.
pub(crate) static FORMATS: &[&dyn Format] = &[&kube_apiserver::KubeApiserver, &EventList];

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
    FORMATS.iter().map(|format| FormatInfo { name: format.name(), doc: format.doc() })
}

/// The format of a record, if any knows it.
pub(crate) fn detect(record: &Record<'_>) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.recognises(record))
}

/// A JSON object that may be an envelope: its members, values carried.
pub(crate) struct Record<'a> {
    /// The whole object.
    pub(crate) text: &'a str,
    members: Vec<(Text<'a>, Value<'a>)>,
}

impl<'a> Record<'a> {
    /// The object that `text` begins with.
    pub(crate) fn new(text: &'a str) -> Result<Self, Fault> {
        let mut iterator = members(text);
        let found: Vec<_> = iterator.by_ref().collect();
        match iterator.fault {
            Some(fault) => Err(fault),
            None => Ok(Self { text: &text[..iterator.at()], members: found }),
        }
    }

    /// The last member called `name`.
    pub(crate) fn member(&self, name: &str) -> Option<Value<'a>> {
        self.members.iter().rev().find(|(key, _)| key.eq_str(name)).map(|(_, value)| *value)
    }

    /// Is the member `name` this string?
    pub(crate) fn is(&self, name: &str, text: &str) -> bool {
        self.member(name).and_then(Value::text).is_some_and(|found| found.eq_str(text))
    }
}

/// What a format hands its events to.
pub(crate) trait Unwrapped {
    /// One event: its JSON, which may lie in the record or be made, and the `apiVersion` it inherits.
    fn event<'t>(&mut self, text: &'t str, inherited: Option<Text<'t>>);
    /// A part of the record that cannot be read.
    fn reject(&mut self, text: &str, message: &str);
    /// A part of the record that is rightly no event.
    fn skip(&mut self, reason: &'static str);
}

impl std::fmt::Debug for dyn Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
