//! Values whose type a pipeline changed: an event's JSON in; the same with the apiserver's types,
//! and what was there before, out.
//!
//! Lua makes every number a double and does not tell an empty list from an empty map; shippers write
//! numbers as text, a list of one as its element, objects as JSON in a string, times as seconds
//! since the epoch. What has exactly one reading in the type that the apiserver writes is read so.
//! The original goes to the leftovers, so that the event is written back as it came.
//!
//! Not responsible for: finding out whether there is such a value; the decoder notes it in passing.

use std::borrow::Cow;

use crate::event::ParentObject;
use crate::json::{Cursor, Text, Value, ValueKind, elements, members, write_string, write_text};
use crate::time::{format_micros, parse_micros};

/// An event with the apiserver's types.
pub(crate) struct Retyped<'a> {
    pub(crate) text: String,
    /// The values that were changed: where each stands, and as it was.
    pub(crate) originals: Vec<(ParentObject, Text<'a>, Value<'a>)>,
}

/// How a member is read.
#[derive(Clone, Copy)]
enum Reading {
    Object(ParentObject),
    /// A list of texts.
    List,
    /// A list of addresses, which hold no commas.
    Addresses,
    Time,
    Code,
    Body,
    /// A map of texts.
    Texts(ParentObject),
    /// A map of lists of texts.
    Lists(ParentObject),
    AsIs,
}

impl Reading {
    fn of(parent: ParentObject, name: &str) -> Self {
        use ParentObject::{Event, Impersonated, Response, User};
        match (parent, name) {
            (Event, "user") => Self::Object(User),
            (Event, "impersonatedUser") => Self::Object(Impersonated),
            (Event, "objectRef") => Self::Object(ParentObject::Object),
            (Event, "responseStatus") => Self::Object(Response),
            (Event, "authenticationMetadata") => Self::Object(ParentObject::Authentication),
            (Event, "annotations") => Self::Texts(ParentObject::Annotations),
            (Event, "sourceIPs") => Self::Addresses,
            (Event, "requestReceivedTimestamp" | "stageTimestamp") => Self::Time,
            (Event, "requestObject" | "responseObject") => Self::Body,
            (User | Impersonated, "groups") => Self::List,
            (User, "extra") => Self::Lists(ParentObject::UserExtra),
            (Impersonated, "extra") => Self::Lists(ParentObject::ImpersonatedExtra),
            (Response, "code") => Self::Code,
            _ => Self::AsIs,
        }
    }
}

/// The event that `text` is, retyped; `None` if nothing in it can be read otherwise.
pub(crate) fn retyped(text: &str) -> Option<Retyped<'_>> {
    let mut retyped = Retyped {
        text: String::with_capacity(text.len() + 64),
        originals: Vec::new(),
    };
    let mut out = Vec::with_capacity(text.len() + 64);
    retyped.object(ParentObject::Event, text, &mut out);
    retyped.text = String::from_utf8(out).ok()?;
    (!retyped.originals.is_empty()).then_some(retyped)
}

impl<'a> Retyped<'a> {
    /// Appends the object with its members retyped.
    fn object(&mut self, object: ParentObject, raw: &'a str, out: &mut Vec<u8>) {
        out.push(b'{');
        for (name, value) in members(raw) {
            separate(out);
            write_text(out, name);
            out.push(b':');
            self.member(object, name, value, out);
        }
        out.push(b'}');
    }

    fn member(
        &mut self,
        parent: ParentObject,
        name: Text<'a>,
        value: Value<'a>,
        out: &mut Vec<u8>,
    ) {
        let reading = Reading::of(parent, &name.decode());
        let changed = match (reading, value.kind) {
            (Reading::Object(object), ValueKind::Object) => {
                self.object(object, value.raw, out);
                return;
            }
            (Reading::Texts(map) | Reading::Lists(map), ValueKind::Object) => {
                self.entries(map, matches!(reading, Reading::Lists(_)), value.raw, out);
                return;
            }
            (Reading::Object(_) | Reading::Texts(_) | Reading::Lists(_), ValueKind::Array)
                if is_empty(value) =>
            {
                Some("{}".to_owned())
            }
            (Reading::Object(_) | Reading::Texts(_) | Reading::Lists(_), ValueKind::String) => {
                inside(value, b'{')
            }
            (Reading::Body, ValueKind::String) => {
                inside(value, b'{').or_else(|| inside(value, b'['))
            }
            (Reading::List, _) => list(value),
            (Reading::Addresses, _) => addresses(value),
            (Reading::Time, _) => time(value),
            (Reading::Code, _) => code(value),
            _ => None,
        };
        match changed {
            Some(changed) => {
                self.originals.push((parent, name, value));
                out.extend_from_slice(changed.as_bytes());
            }
            None => out.extend_from_slice(value.raw.as_bytes()),
        }
    }

    /// Appends a map of texts, or of lists of texts.
    fn entries(&mut self, map: ParentObject, lists: bool, raw: &'a str, out: &mut Vec<u8>) {
        out.push(b'{');
        for (key, value) in members(raw) {
            separate(out);
            write_text(out, key);
            out.push(b':');
            let changed = match value.kind {
                _ if lists => list(value),
                ValueKind::Boolean => Some(format!("\"{}\"", value.raw)),
                _ => None,
            };
            match changed {
                Some(changed) => {
                    self.originals.push((map, key, value));
                    out.extend_from_slice(changed.as_bytes());
                }
                None => out.extend_from_slice(value.raw.as_bytes()),
            }
        }
        out.push(b'}');
    }
}

fn separate(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

fn is_empty(value: Value<'_>) -> bool {
    value.raw[1..value.raw.len() - 1].trim().is_empty()
}

/// The JSON in a string, if it begins with this bracket.
fn inside(value: Value<'_>, bracket: u8) -> Option<String> {
    let text = value.text()?.decode();
    let text = text.trim();
    let mut cursor = Cursor::new(text);
    let whole = text.as_bytes().first() == Some(&bracket)
        && cursor.value().is_ok()
        && cursor.at() == text.len();
    whole.then(|| text.to_owned())
}

fn list(value: Value<'_>) -> Option<String> {
    match value.kind {
        // Lua's empty table.
        ValueKind::Object if is_empty(value) => Some("[]".to_owned()),
        ValueKind::String => {
            if let Some(list) = inside(value, b'[') {
                let texts =
                    elements(Value::array(&list)).all(|item| item.kind == ValueKind::String);
                return texts.then_some(list);
            }
            // `a, b` may be one name or two.
            let text = value.text()?.decode();
            let one = !text.is_empty() && !text.contains([',', ';', '\n']);
            one.then(|| format!("[{}]", value.raw))
        }
        _ => None,
    }
}

fn addresses(value: Value<'_>) -> Option<String> {
    let Some(text) = value.text() else {
        return list(value);
    };
    if text.raw().starts_with('[') {
        return list(value);
    }
    let text = text.decode();
    let mut out = b"[".to_vec();
    for address in text.split([',', ' ']).filter(|address| !address.is_empty()) {
        if out.len() > 1 {
            out.push(b',');
        }
        write_string(&mut out, address);
    }
    out.push(b']');
    String::from_utf8(out).ok()
}

/// An integer: `200.0`, `2e2`, `"200"`.
fn code(value: Value<'_>) -> Option<String> {
    let text: Cow<'_, str> = match value.kind {
        ValueKind::Number => Cow::Borrowed(value.raw),
        ValueKind::String => value.text()?.decode(),
        _ => return None,
    };
    let text = text.trim();
    if text
        .parse::<i32>()
        .is_ok_and(|code| code.to_string() == text)
    {
        return (value.kind == ValueKind::String).then(|| text.to_owned());
    }
    let number: f64 = text.parse().ok()?;
    let whole = number.fract() == 0.0 && (0.0..=9999.0).contains(&number);
    whole.then(|| format!("{number:.0}"))
}

/// A time in the apiserver's spelling: of seconds, milliseconds, microseconds or nanoseconds since
/// the epoch, which their size tells apart, or of `20/Nov/2026 …` nothing.
fn time(value: Value<'_>) -> Option<String> {
    let text: Cow<'_, str> = match value.kind {
        ValueKind::Number => Cow::Borrowed(value.raw),
        ValueKind::String => value.text()?.decode(),
        _ => return None,
    };
    if value.kind == ValueKind::String && parse_micros(&text).is_some() {
        return None;
    }
    let micros = epoch_micros(&text)?;
    let mut out = b"\"".to_vec();
    format_micros(&mut out, micros);
    out.push(b'"');
    String::from_utf8(out).ok()
}

/// The microseconds of a number of seconds, milliseconds, microseconds or nanoseconds since the
/// epoch, between 2001 and 2286.
pub(crate) fn epoch_micros(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        // `1.795e9`, as doubles are written.
        let number: f64 = text.parse().ok()?;
        let plain = text.contains(['e', 'E']) && number.fract() == 0.0 && number < 1e19;
        return plain
            .then(|| epoch_micros(&format!("{number:.0}")))
            .flatten();
    }
    let unit = match whole.len() {
        10 => 6,
        13 => 3,
        16 => 0,
        19 => -3,
        _ => return None,
    };
    let all = format!("{whole}{fraction}");
    let wanted = usize::try_from(whole.len() as i32 + unit).ok()?;
    let padded = format!("{all:0<wanted$}");
    padded[..wanted].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_and_no_other() {
        for (given, want) in [
            (
                r#"{"responseStatus":{"code":200.0}}"#,
                r#"{"responseStatus":{"code":200}}"#,
            ),
            (
                r#"{"responseStatus":{"code":"403"}}"#,
                r#"{"responseStatus":{"code":403}}"#,
            ),
            (
                r#"{"responseStatus":"{\"code\":\"2\"}"}"#,
                r#"{"responseStatus":{"code":"2"}}"#,
            ),
            (r#"{"sourceIPs":"a, b"}"#, r#"{"sourceIPs":["a","b"]}"#),
            (
                r#"{"user":{"groups":"a","extra":[]}}"#,
                r#"{"user":{"groups":["a"],"extra":{}}}"#,
            ),
            (
                r#"{"user":{"extra":{"k":"v"}}}"#,
                r#"{"user":{"extra":{"k":["v"]}}}"#,
            ),
            (r#"{"user":{"groups":{}}}"#, r#"{"user":{"groups":[]}}"#),
            (
                r#"{"user":{"groups":"[\"a\",\"b\"]"}}"#,
                r#"{"user":{"groups":["a","b"]}}"#,
            ),
            (
                r#"{"annotations":{"a":true}}"#,
                r#"{"annotations":{"a":"true"}}"#,
            ),
            (
                r#"{"requestObject":"{\"a\": 1}"}"#,
                r#"{"requestObject":{"a": 1}}"#,
            ),
            (
                r#"{"stageTimestamp":1795168801.234567}"#,
                r#"{"stageTimestamp":"2026-11-20T10:00:01.234567Z"}"#,
            ),
            (
                r#"{"stageTimestamp":"1795168801234"}"#,
                r#"{"stageTimestamp":"2026-11-20T10:00:01.234000Z"}"#,
            ),
            (
                r#"{"stageTimestamp":1.795168801e9}"#,
                r#"{"stageTimestamp":"2026-11-20T10:00:01.000000Z"}"#,
            ),
            (
                r#"{"stageTimestamp":1795168801234567890}"#,
                r#"{"stageTimestamp":"2026-11-20T10:00:01.234567Z"}"#,
            ),
        ] {
            assert_eq!(
                retyped(given).map(|retyped| retyped.text).as_deref(),
                Some(want)
            );
        }
        for given in [
            r#"{"responseStatus":{"code":200.5}}"#,
            r#"{"responseStatus":{"code":"OK"}}"#,
            r#"{"user":{"groups":"a, b"}}"#,
            r#"{"user":{"groups":[1]}}"#,
            r#"{"stageTimestamp":"yesterday"}"#,
            r#"{"stageTimestamp":12}"#,
            r#"{"objectRef":[1]}"#,
            r#"{"verb":7}"#,
        ] {
            assert!(retyped(given).is_none(), "{given}");
        }
    }
}
