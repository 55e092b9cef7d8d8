//! The envelopes around an event: what each says in, what they say together out.
//!
//! The word of the inner envelope counts; the outer ones fill in what it leaves open.

use std::borrow::Cow;

use crate::format::{Provenance, Twin, is_plain};
use crate::record::sink::EventSource;

/// One envelope, and those around it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    format: &'static str,
    provenance: Option<&'s Provenance<'s>>,
    outer: Option<&'s Scope<'s>>,
}

impl<'s> Scope<'s> {
    /// An envelope of this format, with nothing around it.
    pub(super) const fn new(format: &'static str) -> Self {
        Self {
            format,
            provenance: None,
            outer: None,
        }
    }

    /// An envelope of this format inside this one.
    pub(super) const fn inside(&'s self, format: &'static str) -> Self {
        Self {
            format,
            provenance: None,
            outer: Some(self),
        }
    }

    /// The envelope with what it says.
    pub(super) const fn with(self, provenance: &'s Provenance<'s>) -> Self {
        Self {
            provenance: Some(provenance),
            ..self
        }
    }

    pub(super) const fn format(&self) -> &'static str {
        self.format
    }

    /// From the innermost to the outermost.
    fn chain(&self) -> impl Iterator<Item = &Scope<'s>> {
        std::iter::successors(Some(self), |scope| scope.outer)
    }

    /// How many envelopes these are.
    pub(super) fn depth(&self) -> usize {
        self.chain().count()
    }

    fn find<T>(&self, of: impl Fn(&'s Provenance<'s>) -> Option<T>) -> Option<T> {
        self.chain().find_map(|scope| of(scope.provenance?))
    }

    /// Does any of the envelopes say so?
    pub(super) fn any(&self, of: impl Fn(&Provenance<'_>) -> bool) -> bool {
        self.find(|provenance| of(provenance).then_some(()))
            .is_some()
    }

    /// The provider's name where one is known, else the wrapper's.
    pub(super) fn source(&self) -> EventSource<'_> {
        let format = self
            .chain()
            .find(|scope| !is_plain(scope.format))
            .map_or(self.format, |scope| scope.format);
        EventSource {
            format,
            cluster: self.find(|provenance| provenance.cluster.as_deref()),
            account: self.find(|provenance| provenance.account.as_deref()),
            log_stream: self.find(|provenance| provenance.log_stream.as_deref()),
        }
    }

    /// Does the payload stand on its line as it is, so that it ends where the line ends?
    pub(super) const fn is_line(&self) -> bool {
        self.outer.is_none() && self.provenance.is_some()
    }

    pub(super) fn twin(&self) -> Option<Twin> {
        self.find(|provenance| provenance.twin)
    }

    /// What the envelopes say beyond the columns: members of an object, an inner envelope's inside
    /// its outer one's.
    pub(super) fn envelope(&self) -> Option<Cow<'_, str>> {
        let mut text: Option<Cow<'_, str>> = None;
        for members in self
            .chain()
            .filter_map(|scope| scope.provenance?.envelope.as_deref())
        {
            text = Some(match text {
                None => Cow::Borrowed(members),
                Some(inner) => Cow::Owned(format!("{members},\"envelope\":{{{inner}}}")),
            });
        }
        text
    }
}
