//! One row before it is columns: an event, where it came from, and what several columns derive from it, computed once.

use std::{borrow::Cow, cell::OnceCell};

use crate::{
    event::{Event, Reason},
    json::{Text, Value, last_member},
};

/// Where an event came from: the content of the provenance columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) cluster: Option<&'a str>,
    pub(crate) log_stream: Option<&'a str>,
    pub(crate) format: &'static str,
    pub(crate) source_file: &'a str,
    /// 1 + the newlines before the record; 0 where the scan does not count lines.
    pub(crate) source_line: i64,
    /// Of the record's first byte in the decompressed file.
    pub(crate) source_offset: i64,
    /// Length of the record in decompressed bytes.
    pub(crate) event_bytes: i64,
}

/// An event with its origin.
pub(crate) struct Row<'r, 'a> {
    pub(crate) event: &'r Event<'a>,
    pub(crate) origin: Origin<'r>,
    reason: OnceCell<Reason>,
}

impl<'r, 'a> Row<'r, 'a> {
    pub(crate) const fn new(event: &'r Event<'a>, origin: Origin<'r>) -> Self {
        Self { event, origin, reason: OnceCell::new() }
    }

    /// The text of one annotation.
    pub(crate) fn annotation(&self, key: &str) -> Option<Text<'a>> {
        last_member(self.event.annotations?.raw, key)?.text()
    }

    /// The authorization reason, taken apart.
    pub(crate) fn reason(&self) -> &Reason {
        self.reason.get_or_init(|| match self.annotation("authorization.k8s.io/reason") {
            Some(text) => Reason::parse(&text.decode()),
            None => Reason::default(),
        })
    }

    /// The first value of a key of `user.extra`.
    pub(crate) fn user_extra(&self, key: &str) -> Option<Text<'a>> {
        crate::json::elements(last_member(self.event.user.extra?.raw, key)?).next()?.text()
    }

    /// The decoded name of the actor.
    pub(crate) fn actor_name(&self) -> Option<Cow<'a, str>> {
        self.event.actor().name.map(Text::decode)
    }

    /// An element of `sourceIPs`: the first or the last.
    pub(crate) fn source_ip(&self, last: bool) -> Option<Text<'a>> {
        let ips: Value<'a> = self.event.source_ips?;
        let mut ips = crate::json::elements(ips);
        if last { ips.last()?.text() } else { ips.next()?.text() }
    }
}
