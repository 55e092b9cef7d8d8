//! Payloads that are spread over several records: parts in, the whole payload out once its last
//! part is there.

use crate::account::reason;
use crate::format::PayloadPart;
use crate::json::container_end;
use crate::record::parts::UnfinishedPayload;
use crate::record::scope::Scope;
use crate::record::sink::RecordSink;
use crate::record::walk::{NOT_UTF8, Walk};
use crate::source::chunk::too_long;

/// The message of a payload whose first parts are in the file before, or lost.
const NO_BEGINNING: &str =
    "it is the end of a record whose beginning is not in this file: parts are joined within a file";

/// Does the text end an object that it does not begin? A log that was rotated between the parts of
/// an event begins so. Text of programs that happens to end with a brace opens it, too.
fn is_end_of_object(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let count = |brace| memchr::memchr_iter(brace, text).count();
    !text.starts_with(b"{")
        && !text.starts_with(b"[")
        && text.ends_with(b"}")
        && text.contains(&b'"')
        && count(b'}') > count(b'{')
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
        // What completes nothing at the end of the object was cut: the whole payload is still to
        // come, with its first part.
        let complete =
            part.complete && (!self.is_cut(from + length) || self.completes(bytes, part.stream));
        let part = PayloadPart { complete, ..part };
        let Some((whole, is_first)) = self.joined(from, bytes, part) else {
            return;
        };
        if is_first && is_end_of_object(&whole) {
            let message = NO_BEGINNING.to_owned();
            return self.reject(from, from + length, reason::JSON, message);
        }
        match std::str::from_utf8(&whole) {
            Ok(text) => self.payload(from, length, text, scope),
            Err(_) => self.reject(from, from + length, reason::UTF8, NOT_UTF8.to_owned()),
        }
    }

    /// Do these bytes, after the parts before them, make a whole object?
    fn completes(&self, bytes: &[u8], stream: &str) -> bool {
        let parts = &self.records.parts;
        let before = parts.position(stream).map(|index| &parts.0[index].bytes);
        let whole = [before.map_or(&[][..], Vec::as_slice), bytes].concat();
        let start = whole.len() - whole.trim_ascii_start().len();
        matches!(container_end(&whole, start), Some(Ok(_)))
    }

    /// Has the stream a payload whose last part is still to come?
    pub(super) fn is_awaited(&self, stream: &str) -> bool {
        self.records.parts.position(stream).is_some()
    }

    /// The payload that this part completes, if it is the last, and whether it is the first of its
    /// stream.
    fn joined(
        &mut self,
        from: usize,
        bytes: &[u8],
        part: PayloadPart<'_>,
    ) -> Option<(Vec<u8>, bool)> {
        let is_first = self.records.parts.meet(part.stream);
        let index = self.records.parts.position(part.stream);
        if part.complete {
            let before = index.map(|index| self.records.parts.0.swap_remove(index));
            let is_first = before.as_ref().map_or(is_first, |before| before.is_first);
            let mut whole = before.map(|before| before.bytes).unwrap_or_default();
            whole.extend_from_slice(bytes);
            return Some((whole, is_first));
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
                    is_first,
                });
            }
        }
        None
    }
}
