//! One row before it is columns: an event, where it came from, and what several columns derive from
//! it, computed once.

use std::{borrow::Cow, cell::OnceCell, sync::Arc};

use crate::event::{Event, Reason, ReasonCache};
use crate::json::{Text, Value, last_member, members};
use crate::record::sink::{EventSource, RecordLocation};

/// Where an event came from: the content of the provenance columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowOrigin<'a> {
    pub(crate) cluster: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    pub(crate) log_stream: Option<&'a str>,
    pub(crate) format: &'static str,
    pub(crate) source_file: &'a str,
    /// 1 + the newlines before the record; 0 where the scan does not count lines.
    pub(crate) source_line: i64,
    /// Of the record's first byte in the decompressed file.
    pub(crate) source_offset: i64,
    /// Length of the record in decompressed bytes.
    pub(crate) event_bytes: i64,
    /// The source in a lake that the row is from; `None` outside lakes.
    pub(crate) source_id: Option<&'a str>,
    /// What tells the event from others; `None` outside lakes.
    pub(crate) event_hash: Option<i64>,
}

impl RecordLocation {
    /// The provenance of a row that lies here; `cluster` is what the user calls it where the source
    /// does not know.
    pub(crate) fn origin<'o>(
        self,
        source: &EventSource<'o>,
        source_file: &'o str,
        cluster: Option<&'o str>,
    ) -> RowOrigin<'o> {
        RowOrigin {
            cluster: source.cluster.or(cluster),
            account: source.account,
            log_stream: source.log_stream,
            format: source.format,
            source_file,
            source_line: self.line as i64,
            source_offset: self.offset as i64,
            event_bytes: self.length as i64,
            source_id: None,
            event_hash: self.identity,
        }
    }
}

/// An event with its origin.
pub(crate) struct Row<'r, 'a> {
    pub(crate) event: &'r Event<'a>,
    pub(crate) origin: RowOrigin<'r>,
    reasons: &'r ReasonCache,
    reason: OnceCell<Arc<Reason>>,
    annotations: OnceCell<Annotations<'a>>,
}

/// The annotations that have columns of their own, found in one walk.
#[derive(Default)]
struct Annotations<'a> {
    decision: Option<Text<'a>>,
    reason: Option<Text<'a>>,
    truncated: bool,
}

impl<'r, 'a> Row<'r, 'a> {
    pub(crate) const fn new(
        event: &'r Event<'a>,
        origin: RowOrigin<'r>,
        reasons: &'r ReasonCache,
    ) -> Self {
        Self {
            event,
            origin,
            reasons,
            reason: OnceCell::new(),
            annotations: OnceCell::new(),
        }
    }

    fn annotations(&self) -> &Annotations<'a> {
        self.annotations.get_or_init(|| {
            let mut found = Annotations::default();
            let Some(annotations) = self.event.annotations else {
                return found;
            };
            for (key, value) in members(annotations.raw) {
                match &*key.decode() {
                    "authorization.k8s.io/decision" => found.decision = value.text(),
                    "authorization.k8s.io/reason" => found.reason = value.text(),
                    "audit.k8s.io/truncated" => {
                        found.truncated = value.text().is_some_and(|text| text.eq_str("true"))
                    }
                    _ => {}
                }
            }
            found
        })
    }

    /// `authorization.k8s.io/decision`.
    pub(crate) fn decision(&self) -> Option<Text<'a>> {
        self.annotations().decision
    }

    /// `authorization.k8s.io/reason`, as written.
    pub(crate) fn reason_text(&self) -> Option<Text<'a>> {
        self.annotations().reason
    }

    /// Were the bodies dropped for size, or did the delivery cut the event?
    pub(crate) fn truncated(&self) -> bool {
        self.event.truncated || self.annotations().truncated
    }

    /// From the request's arrival to the stage, in microseconds; unknown where an envelope has one
    /// time for both.
    pub(crate) fn latency(&self) -> Option<i64> {
        if self.event.one_time {
            None
        } else {
            self.event.staged?.checked_sub(self.event.received?)
        }
    }

    /// The authorization reason, taken apart.
    pub(crate) fn reason(&self) -> &Reason {
        self.reason.get_or_init(|| match self.reason_text() {
            Some(text) => self.reasons.parse(&text.decode()),
            None => Arc::default(),
        })
    }

    /// The first value of a key of `user.extra`.
    pub(crate) fn user_extra(&self, key: &str) -> Option<Text<'a>> {
        crate::json::elements(last_member(self.event.user.extra?.raw, key)?)
            .next()?
            .text()
    }

    /// The decoded name of the actor.
    pub(crate) fn actor_name(&self) -> Option<Cow<'a, str>> {
        self.event.actor().name.map(Text::decode)
    }

    /// An element of `sourceIPs`: the first or the last.
    pub(crate) fn source_ip(&self, last: bool) -> Option<Text<'a>> {
        let ips: Value<'a> = self.event.source_ips?;
        let mut ips = crate::json::elements(ips);
        if last {
            ips.last()?.text()
        } else {
            ips.next()?.text()
        }
    }
}
