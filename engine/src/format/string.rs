//! JSON strings that stand alone or in a list: a string in, the text that it holds out.
//!
//! `jq` without `-r` and `aws --query 'events[*].message'` write events as strings.

use std::borrow::Cow;

use crate::format::marks::bears_marks;
use crate::format::packed::{bytes_of, is_base64, text_of, unpack};
use crate::json::{Cursor, Value};

/// What a JSON string holds: its text, or, if that is base64, what this holds; `None` if the bytes
/// are not text.
pub(crate) fn unpacked(string: Value<'_>) -> Option<Cow<'_, str>> {
    let text = string.text()?;
    Some(unpacked_line(text.raw()).map_or_else(|| text.decode(), Cow::Owned))
}

/// The JSON that a body's bytes are, as base64 or as a list.
pub(super) fn body_of(raw: Value<'_>) -> Option<String> {
    let text = match raw.text() {
        Some(text) => unpack(text.raw()).ok()?,
        None => text_of(bytes_of(raw)?).ok()?,
    };
    let mut cursor = Cursor::new(&text);
    (cursor.carry().is_ok() && cursor.at() == text.len()).then_some(text)
}

/// The text that a list of bytes is, if an event seems to be in it.
pub(crate) fn unpacked_list(list: Value<'_>) -> Option<String> {
    let inside = text_of(bytes_of(list)?).ok()?;
    bears_marks(inside.as_bytes()).then_some(inside)
}

/// The text behind a line of base64, if an event seems to be in it: a long word is base64 by chance.
pub(crate) fn unpacked_line(line: &str) -> Option<String> {
    let inside = is_base64(line).then(|| unpack(line).ok())??;
    bears_marks(inside.as_bytes()).then_some(inside)
}
