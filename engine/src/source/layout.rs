//! The first bytes of an object in; out comes how its records lie in it and where one may begin.
//!
//! Not responsible for: cutting the bytes (`chunk.rs`).

use serde::{Deserialize, Serialize};

use crate::format::{bears_marks, unpacked_line};
use crate::source::foreign;

/// Where a record may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Boundary {
    /// At a line that begins with `{` or `[`.
    Value,
    /// At every line.
    Line,
    /// At every line that is not indented and does not begin with a closing bracket: values over
    /// several lines stand behind a prefix.
    Block,
}

impl Boundary {
    /// May a record begin at `at`, the start of a line? The start of any line is known without its
    /// first byte, so that it may be the end of the bytes.
    pub(crate) fn begins(self, bytes: &[u8], at: usize) -> bool {
        match self {
            Self::Line => true,
            Self::Value => matches!(bytes.get(at), Some(b'{' | b'[')),
            Self::Block => !matches!(
                bytes.get(at),
                None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']')
            ),
        }
    }

    /// Do these bytes, which stand at the start of a line, begin with a record?
    pub(super) fn is_at_start(self, bytes: &[u8]) -> bool {
        !bytes.is_empty() && self.begins(bytes, 0)
    }

    /// The first position after `from` at which a record may begin.
    pub(crate) fn next(self, bytes: &[u8], from: usize) -> Option<usize> {
        memchr::memchr_iter(b'\n', bytes.get(from..)?)
            .map(|at| from + at + 1)
            .find(|at| self.begins(bytes, *at))
    }

    /// The last position at which a record may begin.
    pub(super) fn last(self, bytes: &[u8]) -> Option<usize> {
        memchr::memrchr_iter(b'\n', bytes)
            .map(|at| at + 1)
            .find(|at| self.begins(bytes, *at))
    }
}

/// How the records of an object lie in it, judged by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    /// The length of a byte-order mark at the start.
    pub(crate) skip: u64,
    pub(crate) boundary: Boundary,
    /// Does it begin with `[`? Then it can only be read from its start.
    pub(crate) list: bool,
    /// May a record be spread over several lines with other records between them? Then, too, it can
    /// only be read from its start.
    pub(crate) parts: bool,
    /// Does anything among the first bytes look like a record?
    pub(crate) json: bool,
}
impl Layout {
    /// Can it be read in ranges, by several workers?
    pub(crate) const fn can_be_split(&self) -> bool {
        !self.list && !self.parts && self.json
    }

    /// How many of the first bytes decide the layout.
    pub(crate) const HEAD: usize = 64 << 10;

    /// The layout of an object with these first bytes, at most [`Self::HEAD`] of them.
    pub(crate) fn of(head: &[u8]) -> Self {
        let skip = if head.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        let text = &head[skip..];
        let first = text
            .iter()
            .position(|byte| !byte.is_ascii_whitespace() && *byte != 0)
            .map_or(0, |at| text[at]);
        // A log that begins in the middle of a record is still a log of values.
        let list = first == b'[' && begins_list(text.trim_ascii_start());
        let values =
            matches!(first, b'{' | 0) || list || memchr::memmem::find(text, b"\n{").is_some();
        let boundary = if values {
            Boundary::Value
        } else if [&b" {\n "[..], b" {\r\n "]
            .iter()
            .any(|block| memchr::memmem::find(text, block).is_some())
        {
            Boundary::Block
        } else {
            Boundary::Line
        };
        // A packed file may hold what looks like a record: the schema of Avro is JSON.
        let json = foreign::container(head).is_none()
            && (first == 0 || has_record(text) || is_packed(text));
        Self {
            skip: skip as u64,
            boundary,
            list: list && !is_byte_list(text),
            parts: comes_in_parts(text),
            json,
        }
    }
}

/// Does it look like the log of a container runtime, Docker's `json-file` or the CRI's, which cuts
/// long lines into several?
fn comes_in_parts(text: &[u8]) -> bool {
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    let head = &line[..line.len().min(80)];
    let cri = [&b" stdout "[..], b" stderr "]
        .iter()
        .any(|stream| memchr::memmem::find(head, stream).is_some());
    // Docker writes these members only. A shipper adds others, and its records are whole.
    let tail = &line[line.len().saturating_sub(160)..];
    let docker = line.starts_with(b"{\"log\":\"")
        && tail.trim_ascii_end().ends_with(b"\"}")
        && [&b"\"stream\":\"std"[..], b"\"time\":\""]
            .iter()
            .all(|name| memchr::memmem::find(tail, name).is_some())
        && memchr::memmem::find(tail, b"\"kubernetes\"").is_none();
    // Shippers mark the parts that they pass on.
    let marked = [
        &b"\"logtag\":"[..],
        b"\"_p\":",
        b"\"partial_message\":",
        b"\"CONTAINER_PARTIAL_MESSAGE\":",
        b"\"_partial\":",
        b"\"_LINE_BREAK\":",
        b"\"__CURSOR\"",
    ]
    .iter()
    .any(|name| memchr::memmem::find(text, name).is_some());
    cri || docker || marked
}

/// Does an object with a member, `{"name":`, begin anywhere in these bytes, or is there a line of
/// the legacy text format? Binary files hold braces and quotes by chance, but not these.
pub(crate) fn has_record(bytes: &[u8]) -> bool {
    if memchr::memmem::find(bytes, b" AUDIT: id=\"").is_some() {
        return true;
    }
    memchr::memchr_iter(b'{', bytes).any(|at| {
        let rest = bytes[at + 1..].trim_ascii_start();
        // In a string there are backslashes before its quotes.
        let Some(name) = after_slashes(rest).strip_prefix(b"\"") else {
            return false;
        };
        let Some(end) = name
            .iter()
            .take(200)
            .position(|byte| matches!(*byte, b'"' | b'\\' | ..0x20))
        else {
            return false;
        };
        let after = after_slashes(&name[end..]).strip_prefix(b"\"");
        end > 0 && after.is_some_and(|after| after.trim_ascii_start().first() == Some(&b':'))
    })
}

fn after_slashes(bytes: &[u8]) -> &[u8] {
    let slashes = bytes.iter().take_while(|byte| **byte == b'\\').count();
    &bytes[slashes..]
}

/// Does a bracket begin a list? `[pod/x]` and `[INFO]` do not.
pub(crate) fn begins_list(text: &[u8]) -> bool {
    let inside = text.get(1..).unwrap_or_default().trim_ascii_start();
    match inside.first() {
        Some(b'{' | b'[' | b'"' | b']' | b'-' | b',') | None => true,
        Some(byte) if byte.is_ascii_digit() => {
            // `[2026-11-20 10:00]` and `[0] tag:` are prefixes.
            let number = inside
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            match inside[number..].trim_ascii_start() {
                [] | [b',' | b'.' | b'e' | b'E', ..] => true,
                [b']', rest @ ..] => {
                    matches!(rest.first(), None | Some(b',' | b']' | b'\r' | b'\n'))
                }
                _ => false,
            }
        }
        Some(_) => [&b"true"[..], b"false", b"null"]
            .iter()
            .any(|word| inside.starts_with(word)),
    }
}

/// Does it begin with a list of bytes in which there is an event? Its elements are no records.
fn is_byte_list(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let numbers = text[1..].trim_ascii_start();
    let end = memchr::memchr(b']', text).map_or(text.len(), |end| end + 1);
    numbers.first().is_some_and(u8::is_ascii_digit) && bears_marks(&text[..end])
}

/// Is the first line base64, and an event in it?
fn is_packed(text: &[u8]) -> bool {
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    std::str::from_utf8(line).is_ok_and(|line| unpacked_line(line.trim()).is_some())
}
