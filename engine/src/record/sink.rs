//! What records become: an event or a reject, with where it lies and what delivered it.

use crate::account::Reject;
use crate::event::Event;

/// What an object's records are handed to.
pub(crate) trait RecordSink {
    /// One event; `location` is where its JSON lies in the decompressed object.
    fn event(&mut self, event: &Event<'_>, location: RecordLocation, source: &EventSource<'_>);
    /// A record that could not be read.
    fn reject(&mut self, reject: Reject);
    /// The end of an object, cut in a record or unreadable. A sink that comes back to the object
    /// once it is whole need not keep this.
    fn reject_tail(&mut self, reject: Reject) {
        self.reject(reject);
    }
}

/// What delivered an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventSource<'s> {
    pub(crate) format: &'static str,
    pub(crate) cluster: Option<&'s str>,
    pub(crate) account: Option<&'s str>,
    pub(crate) log_stream: Option<&'s str>,
}

impl EventSource<'_> {
    /// A log with nothing around its events.
    pub(super) const fn plain(format: &'static str) -> Self {
        Self {
            format,
            cluster: None,
            account: None,
            log_stream: None,
        }
    }
}

/// Where a record lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordLocation {
    pub(crate) offset: u64,
    /// From 1; 0 when lines are not counted.
    pub(crate) line: u64,
    pub(crate) length: usize,
    /// The hash that identifies the event, where one is wanted.
    pub(crate) identity: Option<i64>,
}

impl RecordLocation {
    /// The line, if lines are counted.
    pub(super) fn counted_line(&self) -> Option<u64> {
        (self.line > 0).then_some(self.line)
    }
}
