//! What a format hands over: an event, a payload or a part of one in; the verdict on it to the walk
//! out.

use crate::account::reason;
use crate::event::{Event, NoEvent};
use crate::format::{PayloadPart, Provenance, Unwrapped};
use crate::json::{Fault, Text, Value};
use crate::record::scope::Scope;
use crate::record::sink::RecordSink;
use crate::record::walk::{TOO_SHORT, Walk};
use crate::source::chunk::too_long;

/// The contents of one envelope, on their way to the sink.
pub(super) struct Unwrapping<'u, 'w, S> {
    pub(super) walk: &'u mut Walk<'w, S>,
    /// Where the record begins in the chunk.
    pub(super) from: usize,
    /// The record's length in the chunk.
    pub(super) length: usize,
    pub(super) scope: Scope<'u>,
}

impl<S: RecordSink> Unwrapping<'_, '_, S> {
    /// Text that lies in the chunk has its own place and length; text that was made has the
    /// record's.
    fn locate(&self, text: &str) -> (usize, usize) {
        let chunk = self.walk.bytes;
        let inside = (text.as_ptr() as usize)
            .checked_sub(chunk.as_ptr() as usize)
            .filter(|at| at + text.len() <= chunk.len());
        inside.map_or((self.from, self.length), |at| (at, text.len()))
    }

    fn decoded_at(
        &mut self,
        text: &str,
        (from, length): (usize, usize),
        provenance: &Provenance<'_>,
    ) {
        let scope = self.scope.inside(self.scope.format()).with(provenance);
        self.walk.payload(from, length, text, &scope);
    }
}

impl<S: RecordSink> Unwrapped for Unwrapping<'_, '_, S> {
    fn event<'t>(&mut self, text: &'t str, inherited: Option<Text<'t>>) {
        let (from, length) = self.locate(text);
        let limit = self.walk.records.limit;
        let (reason, message) = match Event::decode(text, inherited) {
            Ok((event, end)) if end <= limit => {
                self.walk
                    .emit(event, &text[..end], from, length, &self.scope);
                return;
            }
            Err(NoEvent::Other { end }) if end <= limit => {
                self.walk.skip(reason::NOT_AN_EVENT);
                return;
            }
            Ok(_) | Err(NoEvent::Other { .. }) => (reason::TOO_LARGE, too_long(limit)),
            Err(NoEvent::Json(fault)) => (reason::JSON, describe(fault)),
        };
        self.walk.reject(from, from + length, reason, message);
    }

    fn payload(&mut self, value: Value<'_>, provenance: &Provenance<'_>) {
        let place = self.locate(value.raw);
        match value.text() {
            Some(text) => self.decoded_at(&text.decode(), place, provenance),
            None => self.decoded_at(value.raw, place, provenance),
        }
    }

    fn decoded(&mut self, text: &str, provenance: &Provenance<'_>) {
        self.decoded_at(text, (self.from, self.length), provenance);
    }

    fn made(&mut self, text: &str, provenance: &Provenance<'_>) {
        let (from, length) = (self.from, self.length);
        let scope = self.scope.with(provenance);
        match Event::decode(text, None) {
            Ok((event, end)) => self.walk.emit(event, &text[..end], from, length, &scope),
            Err(NoEvent::Other { .. }) => self.walk.pass_over(from, length, text.as_bytes()),
            Err(NoEvent::Json(fault)) => {
                self.walk
                    .reject(from, from + length, reason::JSON, describe(fault));
            }
        }
    }

    fn part(&mut self, text: &str, at: &str, part: PayloadPart<'_>, provenance: &Provenance<'_>) {
        let scope = self.scope.inside(self.scope.format()).with(provenance);
        let (from, length) = if part.complete && !self.walk.is_awaited(part.stream) {
            self.locate(at)
        } else {
            (self.from, self.length)
        };
        self.walk.part(from, length, text.as_bytes(), part, &scope);
    }

    fn reject(&mut self, text: &str, message: &str) {
        let (from, length) = self.locate(text);
        self.walk
            .reject(from, from + length, reason::JSON, message.to_owned());
    }

    fn skip(&mut self, text: &str) {
        let (from, length) = self.locate(text);
        self.walk.pass_over(from, length, text.as_bytes());
    }
}

/// The message of a record inside an envelope that cannot be read.
pub(super) fn describe(fault: Fault) -> String {
    match fault {
        Fault::Incomplete => TOO_SHORT.to_owned(),
        Fault::Syntax { at, what } => format!("{what} (byte {at} of the record)"),
    }
}
