//! A walk over a chunk: its bytes in; record after record, judged and handed to the sink, out.

use crate::account::{Reject, Tally, reason};
use crate::event::Event;
use crate::format::{Twin, bears_marks};
use crate::json::Text;
use crate::record::description::description;
use crate::record::records::Records;
use crate::record::seen::Novelty;
use crate::record::sink::{EventSource, RecordLocation, RecordSink};
use crate::source::layout::begins_list;
use crate::source::{Boundary, Chunk};

/// The message of a record that ends too early.
pub(super) const TOO_SHORT: &str = "the record ends before it is complete";
/// The message of a record that is not UTF-8.
pub(super) const NOT_UTF8: &str = "the record is not valid UTF-8";

/// The message of a record that bears the marks of an event and could not be read.
pub(super) const UNKNOWN_FORMAT: &str =
    "it bears the marks of an audit event, but is not one and in no known format";

pub(super) struct Walk<'w, S> {
    pub(super) bytes: &'w [u8],
    /// The bytes, if all of them are UTF-8.
    pub(super) text: Option<&'w str>,
    pub(super) chunk: &'w Chunk,
    /// The line that was looked at last, from any position in it to its end.
    line: (usize, usize),
    /// Newlines are counted up to here.
    counted: usize,
    /// Their number, with those before the chunk.
    newlines: u64,
    pub(super) records: &'w mut Records,
    pub(super) tally: &'w mut Tally,
    sink: &'w mut S,
}

impl Records {
    /// Walks over the records of a chunk.
    pub(crate) fn chunk(&mut self, chunk: &Chunk, tally: &mut Tally, sink: &mut impl RecordSink) {
        for reject in &chunk.rejects {
            let mut reject = reject.clone();
            reject.line = reject.line.map(|line| line + self.newlines_before);
            match chunk.cut_from {
                Some(at) if reject.offset >= at => {
                    tally.reject_tail(at, &reject);
                    sink.reject_tail(reject);
                }
                _ => {
                    tally.reject(&reject);
                    sink.reject(reject);
                }
            }
        }
        tally.bytes += chunk.bytes.len() as u64;
        Walk::new(chunk, self, tally, sink).run();
    }
}

impl<'w, S: RecordSink> Walk<'w, S> {
    fn new(
        chunk: &'w Chunk,
        records: &'w mut Records,
        tally: &'w mut Tally,
        sink: &'w mut S,
    ) -> Self {
        let bytes = chunk.bytes.as_slice();
        Self {
            bytes,
            // Nearly every chunk is UTF-8 as a whole, and that is checked at the speed of memory.
            text: simdutf8::basic::from_utf8(bytes).ok(),
            chunk,
            line: (0, 0),
            counted: 0,
            newlines: records.newlines_before + chunk.newlines,
            records,
            tally,
            sink,
        }
    }

    fn run(&mut self) {
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            at = match byte {
                // A log that was truncated under its writer, or on a lost disk, has zeros.
                b' ' | b'\t' | b'\r' | b'\n' | 0 => at + 1,
                b'{' => self.value(at),
                // Between the elements of a list.
                b',' if self.chunk.elements => at + 1,
                b'[' if begins_list(&self.bytes[at..]) => self.array(at),
                b'"' => self.string_at(at),
                b']' | b',' => self.punctuation(at),
                _ => self.garbage(at),
            };
        }
    }

    /// The end of the line that `at` is in: the newline's position, or the chunk's end.
    pub(super) fn line_end(&mut self, at: usize) -> usize {
        // A line can hold millions of values: its end is looked for once.
        let (from, end) = self.line;
        if (from..end).contains(&at) {
            return end;
        }
        let end =
            memchr::memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |step| at + step);
        self.line = (at, end);
        end
    }

    pub(super) fn location(&mut self, at: usize, length: usize) -> RecordLocation {
        let line = if self.records.lines {
            if at >= self.counted {
                self.newlines +=
                    memchr::memchr_iter(b'\n', &self.bytes[self.counted..at]).count() as u64;
            } else {
                self.newlines -=
                    memchr::memchr_iter(b'\n', &self.bytes[at..self.counted]).count() as u64;
            }
            self.counted = at;
            self.newlines + 1
        } else {
            0
        };
        RecordLocation {
            offset: self.chunk.offset + at as u64,
            line,
            length,
            identity: None,
        }
    }

    pub(super) fn event(
        &mut self,
        event: &Event<'_>,
        text: &str,
        from: usize,
        length: usize,
        source: &EventSource<'_>,
        twin: Option<Twin>,
    ) {
        if event.leftovers.is_odd() || event.staged.is_none() {
            return self.mended_event(event, text, from, length, source, twin);
        }
        self.judged_event(event, text, from, length, source, twin);
    }

    pub(super) fn judged_event(
        &mut self,
        event: &Event<'_>,
        text: &str,
        from: usize,
        length: usize,
        source: &EventSource<'_>,
        twin: Option<Twin>,
    ) {
        let identity = match self.records.seen.judge(event, text, twin) {
            Novelty::New(identity) => identity,
            Novelty::Duplicate => return self.tally.skip(reason::DUPLICATE),
            Novelty::InTheLake => return self.tally.skip(reason::IN_THE_LAKE),
        };
        self.tally.events += 1;
        let level = match event.level.map(Text::raw) {
            Some("Metadata") => 0,
            Some("Request") => 1,
            Some("RequestResponse") => 2,
            _ => 3,
        };
        self.tally.levels[level] += 1;
        if self.tally.format.is_none() {
            self.tally.format = Some(source.format);
        }
        match event.staged {
            Some(micros) => self.tally.time(micros),
            None => self.tally.without_time += 1,
        }
        let location = RecordLocation {
            identity,
            ..self.location(from, length)
        };
        self.sink.event(event, location, source);
    }

    pub(super) fn skip(&mut self, reason: &'static str) {
        self.tally.skip(reason);
    }

    /// What no format took, and a format passed over: no event, unless it bears the marks of one.
    /// Then nobody may take the log for one without it.
    pub(super) fn pass_over(&mut self, from: usize, length: usize, text: &[u8]) {
        if bears_marks(text) {
            self.reject(
                from,
                from + length,
                reason::UNKNOWN_FORMAT,
                UNKNOWN_FORMAT.to_owned(),
            );
        } else {
            let (looks_like, example) = description(text);
            self.tally.passed_over.add(looks_like, example);
            self.skip(reason::NOT_AN_EVENT);
        }
    }

    /// Does what ends at `end` end with the object, before the end of a line?
    pub(super) fn is_cut(&self, end: usize) -> bool {
        self.is_last(end) && self.bytes.last() != Some(&b'\n')
    }

    /// Does nothing but blanks follow `end` in the object?
    pub(super) fn is_last(&self, end: usize) -> bool {
        self.chunk.last && self.bytes[end..].trim_ascii().is_empty()
    }

    /// The record at `at` ends with the object before it is complete. In a plain file it is still
    /// being written. Elsewhere it was cut, which is told; but a copy that is whole may follow.
    pub(super) fn cut_off(&mut self, at: usize, reason: &'static str, message: &str) {
        // Where a record is a line, it began with the line; where it is a block of lines, with the
        // first of them.
        let line_start =
            |at: usize| memchr::memrchr(b'\n', &self.bytes[..at]).map_or(0, |newline| newline + 1);
        let boundary = self.records.boundary;
        let mut start = match boundary {
            Boundary::Line | Boundary::Block => line_start(at),
            Boundary::Value => at,
        };
        while boundary == Boundary::Block && start > 0 && !boundary.begins(self.bytes, start) {
            start = line_start(start - 1);
        }
        if self.records.plain_file && self.bytes.last() != Some(&b'\n') {
            self.tally.skip_tail(self.chunk.offset + start as u64);
        } else {
            self.reject_tail(start, at, reason, message.to_owned());
        }
    }

    /// Rejects the end of the object from `from` on; it belongs to what begins at `start`.
    pub(super) fn reject_tail(
        &mut self,
        start: usize,
        from: usize,
        reason: &'static str,
        message: String,
    ) {
        let reject = self.reject_of(from, self.bytes.len(), reason, message);
        self.tally
            .reject_tail(self.chunk.offset + start as u64, &reject);
        self.sink.reject_tail(reject);
    }

    pub(super) fn reject(&mut self, from: usize, to: usize, reason: &'static str, message: String) {
        let reject = self.reject_of(from, to, reason, message);
        self.count(reject);
    }

    fn reject_of(
        &mut self,
        from: usize,
        to: usize,
        reason: &'static str,
        message: String,
    ) -> Reject {
        let location = self.location(from, to - from);
        let record = self.bytes[from..to].trim_ascii_end();
        Reject::new(
            reason,
            message,
            location.offset,
            location.counted_line(),
            record,
        )
    }

    pub(super) fn count(&mut self, reject: Reject) {
        self.tally.reject(&reject);
        self.sink.reject(reject);
    }
}
