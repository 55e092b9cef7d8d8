//! Text that no JSON value begins with: a line in; the payload of a line format, a skip or a
//! reject, and where to go on, out.

use std::borrow::Cow;

use crate::account::reason;
use crate::format::{PLAIN, detect_line, is_beside, unpacked_line};
use crate::json::{Cursor, Value};
use crate::record::payload::whole_string;
use crate::record::scope::Scope;
use crate::record::sink::RecordSink;
use crate::record::walk::{NOT_UTF8, Walk};
use crate::source::Boundary;
use crate::source::elements::scalar_end;

/// The message of a last line that another run may find longer.
const NO_NEWLINE: &str = "the last line does not end with a newline: it may have been cut";

impl<S: RecordSink> Walk<'_, S> {
    /// A bracket or comma alone on its line closes or separates what a list holds; with anything
    /// else it is garbage.
    pub(super) fn punctuation(&mut self, at: usize) -> usize {
        let line_end = self.line_end(at);
        let alone = self.bytes[at..line_end]
            .iter()
            .all(|byte| matches!(byte, b']' | b',' | b' ' | b'\t' | b'\r'));
        if alone { line_end } else { self.garbage(at) }
    }

    /// A JSON string that stands alone, or among the elements of a list: it may hold an event.
    /// Returns where to go on.
    pub(super) fn string_at(&mut self, at: usize) -> usize {
        let end = if self.chunk.elements {
            self.bytes.len()
        } else {
            self.line_end(at)
        };
        let text = match self.text {
            Some(text) => &text[at..end],
            None => std::str::from_utf8(&self.bytes[at..end]).unwrap_or_default(),
        };
        match whole_string(text) {
            Some(string) => {
                self.string(at, string);
                self.after_value(at + string.raw.len(), end)
            }
            None => self.garbage(at),
        }
    }

    /// The verdict on a JSON string: an event or an envelope in a string is one all the same.
    pub(super) fn string(&mut self, at: usize, string: Value<'_>) {
        let scope = Scope::new(PLAIN);
        self.payload_string(at, string.raw.len(), string, &scope);
    }

    /// Text that no record begins with.
    pub(super) fn garbage(&mut self, at: usize) -> usize {
        if self.chunk.elements {
            return self.scalar(at);
        }
        let line_end = self.block_end(at);
        let unterminated = self.records.for_lake && self.is_cut(line_end);
        // Text in the legacy format looks whole wherever it is cut.
        let line = self.bytes[at..line_end].trim_ascii_end();
        let looks_whole =
            line.ends_with(b"}") && memchr::memmem::find(line, b" AUDIT: id=\"").is_none();
        if unterminated && !looks_whole {
            self.cut_off(at, reason::JSON, NO_NEWLINE);
            return line_end;
        }
        if self.text_line(at, line_end) {
            return line_end;
        }
        let (reason, message) = match std::str::from_utf8(&self.bytes[at..line_end]) {
            // The apiserver's own messages, where it writes both to stdout.
            Ok(text) if is_beside(text) => {
                self.pass_over(at, text.len(), text.as_bytes());
                return line_end;
            }
            Ok(_) => (reason::JSON, "the record does not begin with `{`"),
            Err(_) => (reason::UTF8, NOT_UTF8),
        };
        if unterminated {
            self.cut_off(at, reason::JSON, NO_NEWLINE);
            return line_end;
        }
        self.reject(at, line_end, reason, message.to_owned());
        line_end
    }

    /// A scalar among the elements of a list, or text that is not JSON.
    fn scalar(&mut self, at: usize) -> usize {
        let end = scalar_end(self.bytes, at)
            .unwrap_or(self.bytes.len())
            .max(at + 1);
        match std::str::from_utf8(&self.bytes[at..end]).map(str::trim_ascii_end) {
            Ok(text) => {
                let mut cursor = Cursor::new(text);
                if cursor.value().is_ok() && cursor.at() == text.len() {
                    self.pass_over(at, text.len(), text.as_bytes());
                } else {
                    let message = "the list element is not valid JSON".to_owned();
                    self.reject(at, end, reason::JSON, message);
                }
            }
            Err(_) => self.reject(at, end, reason::UTF8, NOT_UTF8.to_owned()),
        }
        end
    }

    /// The end of the lines that belong to the line at `at`: those that are indented, where a prefix
    /// stands before values over several lines.
    fn block_end(&mut self, at: usize) -> usize {
        let mut end = self.line_end(at);
        if self.records.boundary == Boundary::Block {
            while end < self.bytes.len() && !self.records.boundary.begins(self.bytes, end + 1) {
                end = self.line_end(end + 1);
            }
        }
        end
    }

    /// A line that was coloured for a terminal; JSON itself holds no such codes.
    fn coloured_line(&mut self, at: usize, length: usize, plain: &str) -> bool {
        let plain = plain.trim();
        if plain.starts_with('{') {
            self.payload(at, length, plain, &Scope::new(PLAIN));
            return true;
        }
        let Some((format, found)) = detect_line(plain) else {
            return false;
        };
        let scope = Scope::new(format.name()).with(&found.provenance);
        self.payload(at, length, &found.payload, &scope);
        true
    }

    /// A line of text in a format that is known; false if none knows it.
    fn text_line(&mut self, at: usize, line_end: usize) -> bool {
        let bytes = self.bytes;
        let line = bytes[at..line_end].trim_ascii_end();
        // A part may end inside a character.
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&line[..error.valid_up_to()]).unwrap_or_default(),
        };
        if let Some(plain) = without_colours(text) {
            return self.coloured_line(at, line.len(), &plain);
        }
        let Some((format, found)) = detect_line(text) else {
            let Some(inside) = unpacked_line(text) else {
                return false;
            };
            self.payload(at, line.len(), &inside, &Scope::new(PLAIN));
            return true;
        };
        // A line of the legacy format that was cut looks like any program's.
        if !found.payload.starts_with('{') && text.contains(" AUDIT: id=\"") {
            return false;
        }
        let length = line.len();
        let scope = Scope::new(format.name()).with(&found.provenance);
        match (&found.payload, found.part) {
            (Cow::Borrowed(payload), Some(part)) => {
                let offset = payload.as_ptr() as usize - text.as_ptr() as usize;
                // Blanks belong to the text that a part cuts.
                let whole = &bytes[at..line_end];
                let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
                self.part(at, length, &whole[offset..], part, &scope);
            }
            _ if text.len() < length => {
                self.reject(at, at + length, reason::UTF8, NOT_UTF8.to_owned());
            }
            (payload, _) => self.payload(at, length, payload, &scope),
        }
        true
    }
}

/// The text without the escape codes of a terminal (ECMA-48 `CSI … m`); `None` if it has none.
fn without_colours(text: &str) -> Option<String> {
    if !text.contains("\u{1b}[") {
        return None;
    }
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
        plain.push_str(code.get(1..).unwrap_or_default());
    }
    Some(plain)
}
