//! Lists that are longer than a record: the bytes of a list in, where its elements end out.
//!
//! What is found depends on the bytes and the limit only, never on how many more bytes are there:
//! the buffer of one reader is longer than that of another.
//!
//! Not responsible for: reading the bytes (`chunk.rs`), what an element is (`record/`).

use crate::json::{Fault, ValueKind, container_end, members};

/// Why a walk over list elements stopped.
pub(super) enum ElementsEnd {
    /// There is enough for a chunk.
    Full,
    /// At the closing bracket.
    Closed,
    /// The buffer ends, perhaps inside an element.
    Open,
    /// At an element whose brackets do not match.
    Broken,
    /// At an element that is longer than the limit, as far as it can be seen.
    TooLarge,
}

/// Walks over the elements at the start of `buffer`. Returns the position after the last complete
/// one and what separates it from the next, and why the walk ended there.
pub(super) fn scan_elements(buffer: &[u8], target: usize, limit: usize) -> (usize, ElementsEnd) {
    let mut position = 0;
    loop {
        let end = match buffer.get(position) {
            None => return (position, ElementsEnd::Open),
            Some(byte) if byte.is_ascii_whitespace() || *byte == b',' => {
                position += 1;
                continue;
            }
            Some(b']') => return (position, ElementsEnd::Closed),
            Some(b'{' | b'[') => match container_end(buffer, position) {
                Some(Ok(end)) => Some(end),
                Some(Err(Fault::Syntax { at: bad, .. })) if bad - position <= limit => {
                    return (position, ElementsEnd::Broken);
                }
                Some(Err(Fault::Syntax { .. })) => return (position, ElementsEnd::TooLarge),
                Some(Err(Fault::Incomplete)) | None => None,
            },
            Some(b'"') => string_end(buffer, position),
            // A scalar, or text that is not JSON. It ends where the decoder ends it, so that no cut
            // falls inside.
            Some(_) => scalar_end(buffer, position),
        };
        if end.unwrap_or(buffer.len()) - position > limit {
            return (position, ElementsEnd::TooLarge);
        }
        let Some(end) = end else {
            return (position, ElementsEnd::Open);
        };
        position = end;
        if position >= target {
            return (position, ElementsEnd::Full);
        }
    }
}

/// The end of what stands at `from` between the elements of a list and is neither object nor list;
/// `None` if the buffer ends first.
pub(crate) fn scalar_end(buffer: &[u8], from: usize) -> Option<usize> {
    memchr::memchr3(b',', b']', b'\n', &buffer[from..]).map(|step| from + step)
}

/// The end of the string whose quote stands at `from`; what is not one ends as any scalar.
fn string_end(buffer: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        at += memchr::memchr3(b'"', b'\\', b'\n', buffer.get(at..)?)?;
        match buffer[at] {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return scalar_end(buffer, from),
        }
    }
}

/// If the buffer begins with an `EventList` that does not end in it: the start of the list's
/// elements, and the `apiVersion` before it.
pub(crate) fn list_start(buffer: &[u8]) -> Option<(usize, Option<String>)> {
    let text = valid_start(buffer);
    let start = text.len() - text.trim_start().len();
    let mut version = None;
    let mut found = members(&text[start..]);
    for (name, value) in found.by_ref() {
        if name.eq_str("apiVersion") && value.kind == ValueKind::String {
            version = value.text().map(|text| text.decode().into_owned());
        }
    }
    // Iteration ended inside the list: its name was read, its value was not complete.
    let (name, at) = found.unfinished()?;
    let bracket = at + text[start + at..].find('[')?;
    (name.eq_str("items") && text[start + at..start + bracket].trim().is_empty())
        .then_some((start + bracket + 1, version))
}

/// Does a buffer that is longer than `limit` begin with a document: an object, not an event, that
/// goes on in a list of things? Documents may be longer than records.
pub(crate) fn is_document(buffer: &[u8], limit: usize) -> bool {
    let mut rest = valid_start(&buffer[..buffer.len().min(limit + 1)]).trim_start();
    // Loki's answer has its list two objects deep.
    for _ in 0..3 {
        let mut found = members(rest);
        if found.by_ref().any(|(name, _)| name.eq_str("auditID")) {
            return false;
        }
        let Some((name, at)) = found.unfinished() else {
            return false;
        };
        rest = rest[at..].trim_start();
        if rest.starts_with('[') {
            return !name.eq_str("items");
        }
    }
    false
}

/// The bytes up to the first that is not UTF-8.
fn valid_start(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}
