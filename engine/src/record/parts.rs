//! Payloads that are spread over several records: parts in, the whole payload out once its last
//! part is there.

use crate::account::{Reject, reason};
use crate::format::PayloadPart;
use crate::record::scope::Scope;
use crate::record::sink::{RecordLocation, RecordSink};
use crate::record::walk::{NOT_UTF8, Walk};
use crate::source::chunk::too_long;

/// The payloads whose last part is still to come.
#[derive(Default)]
pub(super) struct UnfinishedPayloads(Vec<UnfinishedPayload>);

/// The parts of a payload so far.
pub(super) struct UnfinishedPayload {
    stream: String,
    /// Where the first part lies.
    pub(super) location: RecordLocation,
    bytes: Vec<u8>,
}

impl UnfinishedPayload {
    pub(super) fn reject(self, reason: &'static str, message: String) -> Reject {
        let (offset, line) = (self.location.offset, self.location.counted_line());
        Reject::new(reason, message, offset, line, &self.bytes)
    }
}

impl UnfinishedPayloads {
    pub(super) fn take(&mut self) -> Vec<UnfinishedPayload> {
        std::mem::take(&mut self.0)
    }

    fn position(&self, stream: &str) -> Option<usize> {
        self.0.iter().position(|payload| payload.stream == stream)
    }
}

impl<S: RecordSink> Walk<'_, S> {
    /// A part of a payload, joined to the parts before it.
    pub(super) fn part(
        &mut self,
        from: usize,
        length: usize,
        bytes: &[u8],
        part: PayloadPart<'_>,
        scope: &Scope<'_>,
    ) {
        let Some(whole) = self.joined(from, bytes, part) else {
            return;
        };
        match std::str::from_utf8(&whole) {
            Ok(text) => self.payload(from, length, text, scope),
            Err(_) => self.reject(from, from + length, reason::UTF8, NOT_UTF8.to_owned()),
        }
    }

    /// The payload that this part completes, if it is the last.
    fn joined(&mut self, from: usize, bytes: &[u8], part: PayloadPart<'_>) -> Option<Vec<u8>> {
        let index = self.records.parts.position(part.stream);
        if part.complete {
            let mut whole = index.map_or_else(Vec::new, |index| {
                self.records.parts.0.swap_remove(index).bytes
            });
            whole.extend_from_slice(bytes);
            return Some(whole);
        }
        let limit = self.records.limit;
        match index {
            Some(index) => {
                let payload = &mut self.records.parts.0[index];
                if payload.bytes.len() + bytes.len() <= limit {
                    payload.bytes.extend_from_slice(bytes);
                    return None;
                }
                let payload = self.records.parts.0.swap_remove(index);
                self.count(payload.reject(reason::TOO_LARGE, too_long(limit)));
            }
            None => {
                let location = self.location(from, bytes.len());
                self.records.parts.0.push(UnfinishedPayload {
                    stream: part.stream.to_owned(),
                    location,
                    bytes: bytes.to_vec(),
                });
            }
        }
        None
    }
}
