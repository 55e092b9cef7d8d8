//! Chunks in; events, rejects and skips out: where a record becomes an event or is counted as
//! something else.
//!
//! [`Records`] walks over a chunk, decides what each record is, and hands it to a [`RecordSink`].
//! Everything that has to be the same for every projection, thread and split is decided here and in
//! `source/chunk.rs`.

use std::sync::Arc;

use crate::account::{Reject, Tally, reason};
use crate::column::RowOrigin;
use crate::event::{Event, NoEvent, UserMemo};
use crate::format::{
    EventList, Format, PLAIN, PayloadPart, Record, Twin, Unwrapped, detect, format as format_named,
    is_plain,
};
use crate::json::{Cursor, Fault, Text, Value, ValueKind, container_end, elements};
use crate::record::seen::{Novelty, SeenEvents};
use crate::record::unwrap::{CUT_MARK, Scope, Unwrapping};
use crate::source::chunk::{DOCUMENT, is_document, list_start, scalar_end};
use crate::source::{Boundary, Chunk};

/// What an object's records are handed to.
pub(crate) trait RecordSink {
    /// One event; `place` is where its JSON lies in the decompressed object.
    fn event(&mut self, event: &Event<'_>, place: RecordLocation, source: &EventSource<'_>);
    /// A record that could not be read.
    fn reject(&mut self, reject: Reject);
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
    const fn plain(format: &'static str) -> Self {
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
    /// What tells the event from others, where that is wanted.
    pub(crate) identity: Option<i64>,
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

/// What decides over one object's records.
pub(crate) struct Records {
    format: Option<&'static dyn Format>,
    limit: usize,
    boundary: Boundary,
    /// Are line numbers wanted?
    lines: bool,
    /// Newlines before the range that the chunks are from.
    pub(crate) newlines_before: u64,
    /// May the last record still be being written?
    plain_file: bool,
    /// Is the last line read only when it has ended, whatever it is? For a lake what was read is
    /// read for good.
    waits: bool,
    seen: Arc<SeenEvents>,
    pub(super) memo: UserMemo,
    /// The format of the last envelope that stood in another.
    pub(super) inner: Option<&'static dyn Format>,
    /// The only format that is tried.
    forced: Option<&'static dyn Format>,
    /// Payloads whose last part is still to come: their stream, where they began, their length
    /// there, and what came so far.
    parts: Vec<(String, RecordLocation, Vec<u8>)>,
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
            format: None,
            limit,
            boundary,
            lines,
            newlines_before: 0,
            plain_file,
            memo: UserMemo::new(seen.is_for_lake()),
            waits: plain_file && seen.is_for_lake(),
            seen,
            inner: None,
            forced: forced.and_then(format_named),
            parts: Vec::new(),
        }
    }

    /// After the last chunk: what is still incomplete.
    pub(crate) fn finish(&mut self, tally: &mut Tally, sink: &mut impl RecordSink) {
        for (_, place, text) in self.parts.drain(..) {
            if self.plain_file {
                tally.skip_tail(place.offset);
            } else {
                let line = (place.line > 0).then_some(place.line);
                let message = "the last part of the record is not there".to_owned();
                let reject = Reject::new(reason::JSON, message, place.offset, line, &text);
                tally.reject(&reject);
                sink.reject(reject);
            }
        }
    }

    /// Walks over the records of a chunk.
    pub(crate) fn chunk(&mut self, chunk: &Chunk, tally: &mut Tally, sink: &mut impl RecordSink) {
        for reject in &chunk.rejects {
            let mut reject = reject.clone();
            reject.line = reject.line.map(|line| line + self.newlines_before);
            tally.reject(&reject);
            sink.reject(reject);
        }
        tally.bytes += chunk.bytes.len() as u64;
        let mut walk = Walk {
            bytes: chunk.bytes.as_slice(),
            // Nearly every chunk is UTF-8 as a whole, and that is checked at the speed of memory.
            text: simdutf8::basic::from_utf8(chunk.bytes.as_slice()).ok(),
            chunk,
            line: (0, 0),
            counted: 0,
            newlines: self.newlines_before + chunk.newlines,
            records: self,
            tally,
            sink,
        };
        walk.run();
    }
}

pub(super) struct Walk<'w, S> {
    bytes: &'w [u8],
    text: Option<&'w str>,
    chunk: &'w Chunk,
    /// The line that was looked at last, from any position in it to its end.
    line: (usize, usize),
    /// Newlines are counted up to here, and how many they are with those before the chunk.
    counted: usize,
    newlines: u64,
    pub(super) records: &'w mut Records,
    tally: &'w mut Tally,
    sink: &'w mut S,
}

/// How a try to read a record ended.
enum Tried {
    /// The record ends at this byte of the chunk.
    Until(usize),
    /// More text might complete it.
    Incomplete,
    /// It is none, for this reason; met at this byte of the chunk.
    Bad {
        at: usize,
        reason: &'static str,
        what: &'static str,
    },
}

impl<'w, S: RecordSink> Walk<'w, S> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            at = match byte {
                b' ' | b'\t' | b'\r' | b'\n' => at + 1,
                b'{' => self.value(at),
                // Between the elements of a list.
                b',' if self.chunk.elements => at + 1,
                b'[' => self.array(at),
                b']' | b',' => self.punctuation(at),
                _ => self.garbage(at),
            };
        }
    }

    /// The end of the line that `at` is in: the newline's position, or the chunk's end.
    fn line_end(&mut self, at: usize) -> usize {
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

    fn place(&mut self, at: usize, length: usize) -> RecordLocation {
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

    /// The record at `at` is still being written. Where a record is a line, it began with the line.
    pub(super) fn skip_tail(&mut self, at: usize) {
        let line = || memchr::memrchr(b'\n', &self.bytes[..at]).map_or(0, |newline| newline + 1);
        let start = if self.records.boundary == Boundary::Line {
            line()
        } else {
            at
        };
        self.tally.skip_tail(self.chunk.offset + start as u64);
    }

    pub(super) fn reject(&mut self, from: usize, to: usize, reason: &'static str, message: String) {
        let place = self.place(from, to - from);
        let line = (place.line > 0).then_some(place.line);
        let reject = Reject::new(
            reason,
            message,
            place.offset,
            line,
            self.bytes[from..to].trim_ascii_end(),
        );
        self.tally.reject(&reject);
        self.sink.reject(reject);
    }

    /// The value that begins with the brace at `at`; returns where to go on.
    fn value(&mut self, at: usize) -> usize {
        let line_end = self.line_end(at);
        let mut broken_until = line_end;
        let (bad_at, reason, what) = match self.try_record(at, line_end) {
            Tried::Until(end) => return self.after_value(end, line_end),
            Tried::Bad { at, reason, what } => (at, reason, what),
            Tried::Incomplete => {
                // A value that goes over several lines, but not into the next record.
                let group = self.group_end(at, line_end);
                let tried = if group > line_end {
                    self.try_record(at, group)
                } else {
                    Tried::Incomplete
                };
                if let Tried::Until(end) = tried {
                    let line_end = self.line_end(end);
                    return self.after_value(end, line_end);
                }
                if let Some(end) = self
                    .salvage_list(at, group.max(line_end))
                    .or_else(|| self.salvage_marked(at, line_end))
                {
                    return end;
                }
                if let Tried::Bad {
                    reason: reason @ reason::TOO_LARGE,
                    what,
                    ..
                } = tried
                {
                    self.reject(at, line_end, reason, what.to_owned());
                    return line_end;
                }
                broken_until = self.broken_end(line_end, group);
                if self.chunk.last
                    && broken_until == self.bytes.len()
                    && self.bytes.last() != Some(&b'\n')
                    && self.records.plain_file
                {
                    self.skip_tail(at);
                    return broken_until;
                }
                (line_end, reason::JSON, TOO_SHORT)
            }
        };
        // What is balanced ends where it ends: its neighbours on the same line are whole. Otherwise
        // the lines are lost.
        let within = if self.chunk.elements {
            self.bytes.len()
        } else {
            line_end
        };
        let end = match container_end(&self.bytes[..within], at) {
            Some(Ok(end)) => end,
            _ => broken_until,
        };
        if reason == reason::UTF8
            && let Some(end) = self.salvage_list(at, end)
        {
            return end;
        }
        let message = if reason == reason::JSON {
            format!("{what} (byte {} of the record)", bad_at - at)
        } else {
            what.to_owned()
        };
        self.reject(at, end, reason, message);
        end
    }

    /// The end of the lines that belong to a broken value over several lines: those that are
    /// indented or begin with a closing bracket, up to one that holds an event of its own.
    fn broken_end(&self, line_end: usize, group: usize) -> usize {
        let mut end = line_end;
        while end < group {
            let next = &self.bytes[end + 1..group];
            let line = &next[..memchr::memchr(b'\n', next).unwrap_or(next.len())];
            let indented = matches!(line.first(), Some(b' ' | b'\t' | b'}' | b']'));
            let own = line.trim_ascii_start().starts_with(b"{")
                && memchr::memmem::find(line, b"\"auditID\"").is_some();
            if !indented || own {
                break;
            }
            end += 1 + line.len();
        }
        end
    }

    /// A list of events that was cut or is no UTF-8 as a whole: its complete elements are records
    /// of their own, and a rest that is none is rejected. `None` if it is no list.
    fn salvage_list(&mut self, at: usize, to: usize) -> Option<usize> {
        let (inside, version) = list_start(&self.bytes[at..to])?;
        let mut position = at + inside;
        let closed = loop {
            match self.bytes[position..to].first() {
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',') => position += 1,
                Some(b'{') => match container_end(&self.bytes[..to], position) {
                    Some(Ok(end)) => {
                        match std::str::from_utf8(&self.bytes[position..end]) {
                            Ok(item) => {
                                let (scope, length) = (Scope::new(&EventList), item.len());
                                let mut unwrapping = Unwrapping {
                                    walk: self,
                                    from: position,
                                    length,
                                    scope,
                                };
                                unwrapping.event(item, version.as_deref().map(Text::plain_text));
                            }
                            Err(_) => self.reject(
                                position,
                                end,
                                reason::UTF8,
                                "the record is no UTF-8".to_owned(),
                            ),
                        }
                        position = end;
                    }
                    _ => break false,
                },
                Some(b']') => break true,
                _ => break false,
            }
        };
        // The members after a closed list say nothing that a row needs; what they are is judged by
        // their balance alone.
        let end = match container_end(&self.bytes[..to], at) {
            Some(Ok(end)) if closed => return Some(end),
            Some(Ok(end)) => end,
            _ => to,
        };
        self.reject(
            position,
            end,
            reason::TRUNCATED,
            "the list of events ends before it is closed".to_owned(),
        );
        Some(end)
    }

    /// Where a value that goes over lines must have ended: at the next line that begins a record,
    /// at column 0 or as far indented as the value itself.
    fn group_end(&self, at: usize, line_end: usize) -> usize {
        if self.chunk.elements {
            return match container_end(self.bytes, at) {
                Some(Ok(end)) => end,
                _ => line_end,
            };
        }
        if self.records.boundary == Boundary::Line {
            return line_end;
        }
        let line_start = memchr::memrchr(b'\n', &self.bytes[..at]).map_or(0, |newline| newline + 1);
        let indent = &self.bytes[line_start..at];
        let most = (at + self.longest(at) + 1).min(self.bytes.len());
        // What is balanced goes no further than to its bracket, and looking for the next record
        // costs no more than that.
        let most = match container_end(&self.bytes[..most], at) {
            Some(Ok(end)) => end.max(line_end),
            _ => most,
        };
        let mut end = line_end;
        while end < most {
            let next = &self.bytes[end + 1..most];
            if matches!(next.first(), Some(b'{' | b'['))
                || (!indent.is_empty()
                    && indent.trim_ascii().is_empty()
                    && next.starts_with(indent)
                    && next.get(indent.len()) == Some(&b'{'))
            {
                // The newline itself is no part of the value.
                return end;
            }
            end += 1 + memchr::memchr(b'\n', next).unwrap_or(next.len());
        }
        end.min(most)
    }

    /// Steps over the comma that may follow an element on a line of its own.
    fn after_value(&self, end: usize, line_end: usize) -> usize {
        let rest = &self.bytes[end..line_end];
        if rest.first() == Some(&b',') {
            end + 1
        } else {
            end
        }
    }

    /// Tries to read the record at `from`, which has to end before `to`.
    fn try_record(&mut self, from: usize, to: usize) -> Tried {
        let text = match self.text {
            Some(text) => &text[from..to],
            None => {
                // Only the value itself has to be UTF-8, not what follows it on the line.
                let end = match container_end(&self.bytes[..to], from) {
                    Some(Ok(end)) => end,
                    _ => to,
                };
                match std::str::from_utf8(&self.bytes[from..end]) {
                    Ok(text) => text,
                    Err(error) if error.error_len().is_none() => return Tried::Incomplete,
                    Err(error) => {
                        return Tried::Bad {
                            at: from + error.valid_up_to(),
                            reason: reason::UTF8,
                            what: "the record is no UTF-8",
                        };
                    }
                }
            }
        };
        if let Some(forced) = self.records.forced.filter(|format| !is_plain(*format)) {
            return match Record::new(text) {
                Ok(record) if forced.recognises(&record) => self.unwrap(from, &record, forced),
                Ok(record) => {
                    self.skip(reason::NOT_AN_EVENT);
                    Tried::Until(from + record.text.len())
                }
                Err(fault) => self.fault(from, text, fault),
            };
        }
        if let Some(format) = self.records.format.filter(|format| format.name() != PLAIN) {
            match Record::new(text) {
                Ok(record) if format.recognises(&record) => {
                    return self.unwrap(from, &record, format);
                }
                _ => {}
            }
        }
        let inherited = self.chunk.inherited.as_deref().map(Text::plain_text);
        match Event::decode_with(text, inherited, &mut self.records.memo) {
            Ok((event, end)) if end <= self.records.limit => {
                if let Some((record, format)) = Self::resembling(&event, &text[..end]) {
                    return self.unwrap(from, &record, format);
                }
                let format = if inherited.is_some() {
                    EventList.name()
                } else {
                    PLAIN
                };
                self.event(
                    &event,
                    &text[..end],
                    from,
                    end,
                    &EventSource::plain(format),
                    None,
                );
                if self.records.format.is_none() {
                    self.records.format = format_named(PLAIN);
                }
                Tried::Until(from + end)
            }
            Ok((_, end)) if end > self.records.limit => Self::too_large(from),
            Err(NoEvent::Other { end })
                if end > self.records.limit
                    && !is_document(&text.as_bytes()[..end], self.records.limit) =>
            {
                Self::too_large(from)
            }
            Err(NoEvent::Other { .. }) => match Record::new(text) {
                Ok(record) => self.detected(from, &record),
                Err(fault) => self.fault(from, text, fault),
            },
            Err(NoEvent::Json(fault)) => match Record::new(text) {
                // Perhaps the fault lies in one of many events in an envelope.
                Ok(record) => match detect(&record).filter(|format| format.name() != PLAIN) {
                    Some(format) => self.unwrap(from, &record, format),
                    None => self.fault(from, text, fault),
                },
                Err(_) => self.fault(from, text, fault),
            },
            Ok((_, end)) => Tried::Until(from + end),
        }
    }

    /// How long what begins here may be.
    fn longest(&self, at: usize) -> usize {
        let limit = self.records.limit;
        let rest = &self.bytes[at..];
        if rest.len() > limit && is_document(rest, limit) {
            DOCUMENT.max(limit)
        } else {
            limit
        }
    }

    fn too_large(from: usize) -> Tried {
        Tried::Bad {
            at: from,
            reason: reason::TOO_LARGE,
            what: TOO_LONG,
        }
    }

    fn fault(&self, from: usize, text: &str, fault: Fault) -> Tried {
        match fault {
            Fault::Incomplete if text.len() > self.longest(from) => Self::too_large(from),
            Fault::Incomplete => Tried::Incomplete,
            Fault::Syntax { at, what } => Tried::Bad {
                at: from + at,
                reason: reason::JSON,
                what,
            },
        }
    }

    /// A whole JSON object that is no event itself.
    fn detected(&mut self, from: usize, record: &Record<'_>) -> Tried {
        match detect(record) {
            Some(format) => {
                self.records.format = Some(format);
                self.unwrap(from, record, format)
            }
            None => {
                self.tally.skip(reason::NOT_AN_EVENT);
                Tried::Until(from + record.text.len())
            }
        }
    }

    fn unwrap(&mut self, from: usize, record: &Record<'_>, format: &'static dyn Format) -> Tried {
        let length = record.text.len();
        format.unwrap(
            record,
            &mut Unwrapping {
                walk: self,
                from,
                length,
                scope: Scope::new(format),
            },
        );
        Tried::Until(from + length)
    }

    pub(super) const fn limit(&self) -> usize {
        self.records.limit
    }

    pub(super) const fn bytes(&self) -> &'w [u8] {
        self.bytes
    }

    pub(super) fn skip(&mut self, reason: &'static str) {
        self.tally.skip(reason);
    }

    /// May what lies here be incomplete because it is still being written? It is then the end of a
    /// plain file.
    pub(super) fn may_still_grow(&self, from: usize, length: usize) -> bool {
        self.records.plain_file && self.chunk.last && from + length == self.bytes.len()
    }

    /// The payload that this part completes, if it is the last.
    pub(super) fn joined(
        &mut self,
        from: usize,
        bytes: &[u8],
        part: PayloadPart<'_>,
    ) -> Option<Vec<u8>> {
        let index = self
            .records
            .parts
            .iter()
            .position(|(stream, ..)| stream == part.stream);
        if part.complete {
            let mut whole =
                index.map_or_else(Vec::new, |index| self.records.parts.swap_remove(index).2);
            whole.extend_from_slice(bytes);
            return Some(whole);
        }
        match index {
            Some(index) => {
                let (_, place, text) = &mut self.records.parts[index];
                if text.len() + bytes.len() <= self.records.limit {
                    text.extend_from_slice(bytes);
                    return None;
                }
                let (offset, line) = (place.offset, (place.line > 0).then_some(place.line));
                let message = TOO_LONG.to_owned();
                let reject = Reject::new(reason::TOO_LARGE, message, offset, line, text);
                self.records.parts.swap_remove(index);
                self.tally.reject(&reject);
                self.sink.reject(reject);
            }
            None => {
                let place = self.place(from, bytes.len());
                self.records
                    .parts
                    .push((part.stream.to_owned(), place, bytes.to_vec()));
            }
        }
        None
    }

    /// An event that EKS cut, alone on its line.
    fn salvage_marked(&mut self, at: usize, line_end: usize) -> Option<usize> {
        let line = self.bytes[at..line_end].trim_ascii_end();
        let text =
            std::str::from_utf8(line.ends_with(CUT_MARK.as_bytes()).then_some(line)?).ok()?;
        self.broken(
            at,
            line.len(),
            text,
            Fault::Incomplete,
            &Scope::new(format_named(PLAIN)?),
        );
        Some(line_end)
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
        if let Some(micros) = event.staged {
            self.tally.time(micros);
        }
        let place = RecordLocation {
            identity,
            ..self.place(from, length)
        };
        self.sink.event(event, place, source);
    }

    /// A list on the top level: its elements are records.
    fn array(&mut self, at: usize) -> usize {
        self.array_at(at, 0)
    }

    fn array_at(&mut self, at: usize, depth: usize) -> usize {
        let line_end = self.line_end(at);
        let group = self.group_end(at, line_end);
        let end = match container_end(&self.bytes[..group.max(line_end)], at) {
            Some(Ok(end)) => end,
            // The bracket of a list whose elements are on lines of their own.
            _ if self.bytes[at + 1..line_end].trim_ascii().is_empty() => return at + 1,
            _ => {
                self.reject(
                    at,
                    line_end,
                    reason::JSON,
                    "the list does not end".to_owned(),
                );
                return line_end;
            }
        };
        let Some(text) = self.text.map_or_else(
            || std::str::from_utf8(&self.bytes[at..end]).ok(),
            |text| Some(&text[at..end]),
        ) else {
            self.reject(at, end, reason::UTF8, "the list is no UTF-8".to_owned());
            return end;
        };
        let mut empty = true;
        let mut list = elements(Value::array(text));
        for element in list.by_ref() {
            empty = false;
            let start = at + (element.raw.as_ptr() as usize - text.as_ptr() as usize);
            if element.kind == ValueKind::Object {
                match self.try_record(start, start + element.raw.len()) {
                    Tried::Until(_) => {}
                    Tried::Incomplete => self.reject(
                        start,
                        start + element.raw.len(),
                        reason::JSON,
                        "incomplete".to_owned(),
                    ),
                    Tried::Bad {
                        at: bad,
                        reason,
                        what,
                    } => {
                        let message = format!("{what} (byte {} of the record)", bad - start);
                        self.reject(start, start + element.raw.len(), reason, message);
                    }
                }
            } else if element.kind == ValueKind::Array && depth < MOST_LISTS {
                self.array_at(start, depth + 1);
            } else {
                self.tally.skip(reason::NOT_AN_EVENT);
            }
        }
        if let Some((_, bad)) = list.fault {
            self.reject(
                at + bad,
                end,
                reason::JSON,
                "the list goes on with something that is no element".to_owned(),
            );
        } else if empty {
            self.tally.skip(reason::NOT_AN_EVENT);
        }
        let line_end = self.line_end(end);
        self.after_value(end, line_end)
    }

    /// A bracket or comma alone on its line closes or separates what a list holds; with anything
    /// else it is garbage.
    fn punctuation(&mut self, at: usize) -> usize {
        let line_end = self.line_end(at);
        let alone = self.bytes[at..line_end]
            .iter()
            .all(|byte| matches!(byte, b']' | b',' | b' ' | b'\t' | b'\r'));
        if alone { line_end } else { self.garbage(at) }
    }

    /// Text that no record begins with.
    fn garbage(&mut self, at: usize) -> usize {
        let line_end = self.line_end(at);
        if self.chunk.elements {
            // A scalar among the elements of a list, or text that is no JSON.
            let end = scalar_end(self.bytes, at)
                .unwrap_or(self.bytes.len())
                .max(at + 1);
            match std::str::from_utf8(&self.bytes[at..end]).map(str::trim_ascii_end) {
                Ok(text) => {
                    let mut cursor = Cursor::new(text);
                    if cursor.value().is_ok() && cursor.at() == text.len() {
                        self.tally.skip(reason::NOT_AN_EVENT);
                    } else {
                        self.reject(
                            at,
                            end,
                            reason::JSON,
                            "a list element that is no object".to_owned(),
                        );
                    }
                }
                Err(_) => self.reject(at, end, reason::UTF8, "the record is no UTF-8".to_owned()),
            }
            return end;
        }
        let unterminated = self.records.waits
            && self.chunk.last
            && line_end == self.bytes.len()
            && !self.bytes.ends_with(b"\n");
        // Text in the legacy format looks whole wherever it is cut.
        let legacy = || memchr::memmem::find(&self.bytes[at..line_end], b" AUDIT: id=\"").is_some();
        if unterminated && legacy() {
            self.skip_tail(at);
            return line_end;
        }
        if self.text_line(at, line_end) {
            return line_end;
        }
        if unterminated {
            self.skip_tail(at);
            return line_end;
        }
        let (reason, message) = match std::str::from_utf8(&self.bytes[at..line_end]) {
            // The apiserver's own messages, where it writes both to stdout.
            Ok(text) if is_klog(text) => {
                self.tally.skip(reason::NOT_AN_EVENT);
                return line_end;
            }
            Ok(_) => (reason::JSON, "the record does not begin with `{`"),
            Err(_) => (reason::UTF8, "the record is no UTF-8"),
        };
        self.reject(at, line_end, reason, message.to_owned());
        line_end
    }
}

/// A line of klog: `I1122 10:18:25.147713       1 file.go:9] message`.
fn is_klog(line: &str) -> bool {
    let bytes = line.as_bytes();
    matches!(bytes.first(), Some(b'I' | b'W' | b'E' | b'F'))
        && bytes
            .get(1..5)
            .is_some_and(|date| date.iter().all(u8::is_ascii_digit))
        && bytes.get(5) == Some(&b' ')
        && line.contains("] ")
}

/// What a record is told that is longer than the limit, and one that ends too early.
pub(super) const TOO_LONG: &str = "the record is longer than --max-record allows";
pub(super) const TOO_SHORT: &str = "the record ends before it is complete";

/// Lists in lists that are looked into.
const MOST_LISTS: usize = 4;
