//! The state that the records of one object share: chunk after chunk in, the verdict on each record
//! to the sink.

use std::sync::Arc;

use crate::account::{Tally, reason};
use crate::event::UserMemo;
use crate::format::{Format, format as format_named, is_plain};
use crate::record::parts::UnfinishedPayloads;
use crate::record::seen::SeenEvents;
use crate::record::sink::RecordSink;
use crate::source::Boundary;

/// What decides over one object's records.
pub(crate) struct Records {
    /// Was the last record in an envelope? A guess at the next one, which never decides.
    pub(super) in_envelope: bool,
    /// The same for what is in an envelope: was it another?
    pub(super) in_inner: bool,
    /// The only format that is tried.
    pub(super) forced: Option<Format>,
    /// The longest record.
    pub(super) limit: usize,
    pub(super) boundary: Boundary,
    /// Are line numbers wanted?
    pub(super) lines: bool,
    /// Newlines before the range that the chunks are from.
    pub(crate) newlines_before: u64,
    /// Is this a plain file, whose last record may still be being written?
    pub(super) plain_file: bool,
    /// Is there a newer file of the same log? Then no part of a record is still to come.
    pub(crate) is_rotated: bool,
    /// Is what was read read for good? Then an unterminated last line waits for its end.
    pub(super) for_lake: bool,
    pub(super) seen: Arc<SeenEvents>,
    pub(super) memo: UserMemo,
    pub(super) parts: UnfinishedPayloads,
}

impl Records {
    pub(crate) fn new(
        limit: usize,
        boundary: Boundary,
        lines: bool,
        plain_file: bool,
        seen: Arc<SeenEvents>,
        forced: Option<&str>,
    ) -> Self {
        Self {
            in_envelope: false,
            in_inner: false,
            forced: forced
                .and_then(format_named)
                .filter(|format| !is_plain(format.name())),
            limit,
            boundary,
            lines,
            newlines_before: 0,
            is_rotated: false,
            plain_file,
            memo: UserMemo::new(seen.is_for_lake()),
            for_lake: seen.is_for_lake(),
            seen,
            parts: UnfinishedPayloads::default(),
        }
    }

    /// After the last chunk: what is still incomplete.
    pub(crate) fn finish(&mut self, tally: &mut Tally, sink: &mut impl RecordSink) {
        for payload in self.parts.take() {
            if self.plain_file && !self.is_rotated {
                tally.skip_tail(payload.location.offset);
            } else {
                let message = "the last part of the record is missing".to_owned();
                let at = payload.location.offset;
                let reject = payload.reject(reason::JSON, message);
                tally.reject_tail(at, &reject);
                sink.reject_tail(reject);
            }
        }
    }
}
