//! Lists: the bracket of a list at the top level, or an `EventList` that was cut, in; its elements
//! as records out.

use crate::account::reason;
use crate::format::{Envelope as _, EventList, PLAIN, Unwrapped as _, unpacked_list};
use crate::json::{Text, Value, ValueKind, container_end, elements};
use crate::record::attempt::Attempt;
use crate::record::scope::Scope;
use crate::record::sink::RecordSink;
use crate::record::unwrapping::Unwrapping;
use crate::record::walk::{NOT_UTF8, Walk};
use crate::source::elements::list_start;

/// The message of a list with something between its elements.
pub(super) const NO_ELEMENT: &str = "the list continues with something that is not an element";

/// Lists in lists that are looked into.
pub(super) const MOST_LISTS: usize = 4;

impl<S: RecordSink> Walk<'_, S> {
    /// A list at the top level: its elements are records. Returns where to go on.
    pub(super) fn array(&mut self, at: usize) -> usize {
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
                let message = "the list is not closed".to_owned();
                if self.is_cut(line_end) {
                    self.reject_tail(at, at, reason::JSON, message);
                } else {
                    self.reject(at, line_end, reason::JSON, message);
                }
                return line_end;
            }
        };
        let Some(text) = self.text.map_or_else(
            || std::str::from_utf8(&self.bytes[at..end]).ok(),
            |text| Some(&text[at..end]),
        ) else {
            let message = "the list is not valid UTF-8".to_owned();
            self.reject(at, end, reason::UTF8, message);
            return end;
        };
        if let Some(inside) = unpacked_list(Value::array(text)) {
            self.payload(at, text.len(), &inside, &Scope::new(PLAIN));
            let line_end = self.line_end(end);
            return self.after_value(end, line_end);
        }
        let mut empty = true;
        let mut list = elements(Value::array(text));
        for element in list.by_ref() {
            empty = false;
            let start = at + (element.raw.as_ptr() as usize - text.as_ptr() as usize);
            self.element(start, element, depth);
        }
        if let Some((_, bad)) = list.fault {
            self.reject(at + bad, end, reason::JSON, NO_ELEMENT.to_owned());
        } else if empty {
            self.skip(reason::NOT_AN_EVENT);
        }
        let line_end = self.line_end(end);
        self.after_value(end, line_end)
    }

    fn element(&mut self, start: usize, element: Value<'_>, depth: usize) {
        match element.kind {
            ValueKind::Object => {
                let end = start + element.raw.len();
                let attempt = self.try_record(start, end);
                if !matches!(attempt, Attempt::Until(_)) {
                    self.reject_attempt(start, end, &attempt);
                }
            }
            ValueKind::Array if depth < MOST_LISTS => {
                self.array_at(start, depth + 1);
            }
            ValueKind::String => self.string(start, element),
            _ => self.pass_over(start, element.raw.len(), element.raw.as_bytes()),
        }
    }

    /// An `EventList` that was cut or is not UTF-8 as a whole: its complete elements are records of
    /// their own, and the rest is rejected. `None` if it is none.
    pub(super) fn salvage_list(&mut self, at: usize, to: usize) -> Option<usize> {
        let (inside, version) = list_start(&self.bytes[at..to])?;
        let mut position = at + inside;
        let closed = loop {
            match self.bytes[position..to].first() {
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',') => position += 1,
                Some(b'{') => match container_end(&self.bytes[..to], position) {
                    Some(Ok(end)) => {
                        self.salvage_item(position, end, version.as_deref());
                        position = end;
                    }
                    _ => break false,
                },
                Some(b']') => break true,
                _ => break false,
            }
        };
        // The members after a closed list say nothing that a row needs; only their balance counts.
        let end = match container_end(&self.bytes[..to], at) {
            Some(Ok(end)) if closed => return Some(end),
            Some(Ok(end)) => end,
            _ => to,
        };
        let message = "the list of events is not closed".to_owned();
        if self.is_cut(end) {
            self.reject_tail(at, position, reason::TRUNCATED, message);
        } else {
            self.reject(position, end, reason::TRUNCATED, message);
        }
        Some(end)
    }

    fn salvage_item(&mut self, from: usize, end: usize, version: Option<&str>) {
        match std::str::from_utf8(&self.bytes[from..end]) {
            Ok(item) => {
                let mut unwrapping = Unwrapping {
                    walk: self,
                    from,
                    length: item.len(),
                    scope: Scope::new(EventList.name()),
                };
                unwrapping.event(item, version.map(Text::plain_text));
            }
            Err(_) => self.reject(from, end, reason::UTF8, NOT_UTF8.to_owned()),
        }
    }
}
