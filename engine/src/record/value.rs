//! A value at the top level: its brace in; the record, or its reject, and where to go on out.
//!
//! A value may span several lines, but never reaches into the next record. What a broken one leaves
//! behind is rejected with it.

use crate::account::reason;
use crate::format::{PLAIN, Record, detect, is_event};
use crate::json::{Fault, container_end};
use crate::record::attempt::Attempt;
use crate::record::payload::CUT_MARK;
use crate::record::scope::Scope;
use crate::record::sink::RecordSink;
use crate::record::walk::{TOO_SHORT, Walk};
use crate::source::Boundary;

impl<S: RecordSink> Walk<'_, S> {
    /// The value that begins with the brace at `at`; returns where to go on.
    pub(super) fn value(&mut self, at: usize) -> usize {
        let line_end = self.line_end(at);
        let mut attempt = self.try_record(at, line_end);
        let mut broken_until = line_end;
        match attempt {
            Attempt::Until(end) => return self.after_value(end, line_end),
            Attempt::Incomplete if self.next_whole(at, line_end).is_some() => {}
            Attempt::Incomplete => match self.value_over_lines(at, line_end) {
                Ok(end) => return end,
                Err(until) => {
                    broken_until = until;
                    attempt = Attempt::Bad {
                        at: line_end,
                        reason: reason::JSON,
                        what: TOO_SHORT,
                    };
                }
            },
            Attempt::TooLarge | Attempt::Bad { .. } => {}
        }
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
        if let Some(next) = self.next_whole(at, end) {
            self.reject_attempt(at, next, &attempt);
            return next;
        }
        if let Attempt::Bad {
            reason: reason::UTF8,
            ..
        } = attempt
            && let Some(end) = self.salvage_list(at, end)
        {
            return end;
        }
        self.reject_attempt(at, end, &attempt);
        end
    }

    /// Behind a value that is broken: where the next event or envelope begins on the same line, and
    /// goes on to its end or to another. A crash, or a writer that took up at a wrong place, leaves
    /// such lines, and what is whole on them counts.
    fn next_whole(&self, at: usize, end: usize) -> Option<usize> {
        // Each try reads to the end of the line.
        const MOST_TRIES: usize = 64;
        let line_end = memchr::memchr(b'\n', &self.bytes[at..end]).map_or(end, |step| at + step);
        let line = &self.bytes[..line_end];
        memchr::memmem::find_iter(&line[at + 1..], b"{\"")
            .map(|step| at + 1 + step)
            .take(MOST_TRIES)
            .find(|&next| {
                let Some(Ok(close)) = container_end(line, next) else {
                    return false;
                };
                let rest = line[close..]
                    .iter()
                    .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | 0));
                let ends = matches!(rest, None | Some(b'{'));
                ends && std::str::from_utf8(&line[next..close])
                    .ok()
                    .and_then(|text| Record::new(text).ok())
                    .is_some_and(|record| is_event(&record) || detect(&record).is_some())
            })
    }

    /// The value at `at`, which does not end on its line; returns where to go on, or where what it
    /// leaves behind ends if it is broken.
    fn value_over_lines(&mut self, at: usize, line_end: usize) -> Result<usize, usize> {
        let group = self.group_end(at, line_end);
        let attempt = if group > line_end {
            self.try_record(at, group)
        } else {
            Attempt::Incomplete
        };
        if let Attempt::Until(end) = attempt {
            let line_end = self.line_end(end);
            return Ok(self.after_value(end, line_end));
        }
        if let Some(end) = self
            .salvage_list(at, group.max(line_end))
            .or_else(|| self.salvage_marked(at, line_end))
        {
            return Ok(end);
        }
        if matches!(attempt, Attempt::TooLarge) {
            self.reject_attempt(at, line_end, &attempt);
            return Ok(line_end);
        }
        let broken_until = self.broken_end(line_end, group);
        if self.is_cut(broken_until) || self.may_go_on(at, broken_until) {
            let message = format!("{TOO_SHORT} (byte {} of the record)", line_end - at);
            self.cut_off(at, reason::JSON, &message);
            return Ok(broken_until);
        }
        Err(broken_until)
    }

    /// Is this the last value of a source of a lake, written over several lines, of which the next
    /// may come? A newline cannot stand in a string, so one that is cut there is broken for good.
    fn may_go_on(&mut self, at: usize, end: usize) -> bool {
        let boundary = self.records.boundary;
        self.records.for_lake
            && boundary == Boundary::Value
            && !self.chunk.elements
            && self.is_last(end)
            && matches!(self.try_record(at, self.bytes.len()), Attempt::Incomplete)
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

    /// Where a value that spans lines must have ended: at the next line that begins a record, at
    /// column 0 or as far indented as the value itself.
    pub(super) fn group_end(&self, at: usize, line_end: usize) -> usize {
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
            // A chunk that ends here ends where a record begins.
            if matches!(next.first(), None | Some(b'{' | b'['))
                || (!indent.is_empty()
                    && indent.trim_ascii().is_empty()
                    && next.starts_with(indent)
                    && next.get(indent.len()) == Some(&b'{'))
            {
                // The newline itself is not part of the value.
                return end;
            }
            end += 1 + memchr::memchr(b'\n', next).unwrap_or(next.len());
        }
        end.min(most)
    }

    /// Steps over the comma that may follow an element on a line of its own.
    pub(super) fn after_value(&self, end: usize, line_end: usize) -> usize {
        if self.bytes[end..line_end].first() == Some(&b',') {
            end + 1
        } else {
            end
        }
    }

    /// An event that EKS cut, alone on its line.
    fn salvage_marked(&mut self, at: usize, line_end: usize) -> Option<usize> {
        let line = self.bytes[at..line_end].trim_ascii_end();
        let text =
            std::str::from_utf8(line.ends_with(CUT_MARK.as_bytes()).then_some(line)?).ok()?;
        let scope = Scope::new(PLAIN);
        self.broken(at, line.len(), text, Fault::Incomplete, &scope);
        Some(line_end)
    }
}
