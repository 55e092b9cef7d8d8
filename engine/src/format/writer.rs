//! JSON output: members in; the events that formats make, and what is left of envelopes, out.

use crate::json::{Text, write_string, write_text};

/// Appends a member with a value as it was written; a comma first unless an object begins here.
pub(super) fn member(out: &mut Vec<u8>, name: Text<'_>, raw: &str) {
    separate(out);
    write_text(out, name);
    out.push(b':');
    out.extend_from_slice(raw.as_bytes());
}

/// Appends a member whose name is ours, with a value as it was written.
pub(super) fn raw(out: &mut Vec<u8>, name: &str, raw: &str) {
    self::name(out, name);
    out.extend_from_slice(raw.as_bytes());
}

/// Appends a member that is a string.
pub(super) fn string(out: &mut Vec<u8>, name: &str, value: &str) {
    self::name(out, name);
    write_string(out, value);
}

/// Appends a member's name and colon.
pub(super) fn name(out: &mut Vec<u8>, name: &str) {
    separate(out);
    write_string(out, name);
    out.push(b':');
}

/// Appends a member that is an object.
pub(super) fn object(out: &mut Vec<u8>, name: &str, members: impl FnOnce(&mut Vec<u8>)) {
    self::name(out, name);
    out.push(b'{');
    members(out);
    out.push(b'}');
}

/// Appends a member that is an array of one string.
pub(super) fn list(out: &mut Vec<u8>, name: &str, value: &str) {
    self::name(out, name);
    out.push(b'[');
    write_string(out, value);
    out.push(b']');
}

/// The start of an event that a format makes.
pub(super) fn event() -> Vec<u8> {
    br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1""#.to_vec()
}

/// What was written: only whole strings and slices of UTF-8.
pub(super) fn text(out: Vec<u8>) -> Option<String> {
    String::from_utf8(out).ok()
}

fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'{' | b'[')) {
        out.push(b',');
    }
}
