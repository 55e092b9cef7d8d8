//! Text as a quoted string of JSON or YAML, and JSON text as YAML, that are safe on a terminal and
//! parse back equal: what [`super::is_unsafe`] says is written as an escape.

use std::borrow::Cow;

use super::is_unsafe;

/// Writes escapes of characters above U+FFFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// RFC 8259 §7: as two UTF-16 surrogates.
    Json,
    /// YAML 1.2 §5.7: as `\U` and eight digits; a surrogate is no character there.
    Yaml,
}

/// The longest key, in bytes, that YAML parsers find without `?` before it: YAML allows 1024
/// characters.
const LONGEST_KEY: usize = 1000;
/// The deepest nesting that is written as YAML. Parsers recurse.
const DEEPEST: usize = 64;

/// Appends text as a quoted string.
pub(crate) fn write_quoted(out: &mut Vec<u8>, text: &str, quoting: Quoting) {
    out.push(b'"');
    let mut written = 0;
    for (at, ch) in text.char_indices() {
        if !is_unsafe(ch) && ch != '"' && ch != '\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[written..at]);
        written = at + ch.len_utf8();
        match ch {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            ch if quoting == Quoting::Yaml && ch > '\u{ffff}' => {
                out.extend_from_slice(format!("\\U{:08x}", u32::from(ch)).as_bytes());
            }
            ch => {
                for unit in ch.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        }
    }
    out.extend_from_slice(&text.as_bytes()[written..]);
    out.push(b'"');
}

/// Valid JSON text on one line, with unsafe characters, which stand in strings, as escapes.
pub(crate) fn safe_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 8);
    for ch in json.chars() {
        match ch {
            // In a string these cannot be.
            '\n' | '\r' | '\t' => safe.push(' '),
            ch if is_unsafe(ch) => {
                for unit in ch.encode_utf16(&mut [0; 2]) {
                    safe.push_str(&format!("\\u{unit:04x}"));
                }
            }
            ch => safe.push(ch),
        }
    }
    Cow::Owned(safe)
}

/// Appends valid JSON text as YAML on one line. YAML is a superset of JSON but for escapes of
/// surrogates, long keys, numbers like `1e5`, and depth: what is too deep becomes a string.
pub(crate) fn write_yaml(out: &mut Vec<u8>, json: &str) {
    let start = out.len();
    let mut open: Vec<u8> = Vec::new();
    let mut expects_key = false;
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let (text, end) = string(json, at);
                let key = out.len();
                write_quoted(out, &text, Quoting::Yaml);
                if expects_key && out.len() - key > LONGEST_KEY {
                    out.splice(key..key, *b"? ");
                }
                expects_key = false;
                at = end;
                continue;
            }
            b'{' | b'[' if open.len() == DEEPEST => {
                out.truncate(start);
                return write_quoted(out, json, Quoting::Yaml);
            }
            b'{' | b'[' => {
                open.push(byte);
                expects_key = byte == b'{';
                out.push(byte);
            }
            b'}' | b']' => {
                open.pop();
                expects_key = false;
                out.push(byte);
            }
            b',' => {
                expects_key = open.last() == Some(&b'{');
                out.push(byte);
            }
            b'-' | b'0'..=b'9' => {
                let is_digit = |byte: &u8| !b"+-.eE0123456789".contains(byte);
                let end = bytes[at..].iter().position(is_digit);
                let end = end.map_or(bytes.len(), |length| at + length);
                write_number(out, &json[at..end]);
                at = end;
                continue;
            }
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => out.push(byte),
        }
        at += 1;
    }
}

/// YAML 1.1 takes for a number only what has a point, and a sign in its exponent.
fn write_number(out: &mut Vec<u8>, number: &str) {
    let Some((digits, exponent)) = number.split_once(['e', 'E']) else {
        return out.extend_from_slice(number.as_bytes());
    };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['+', '-']) {
        ""
    } else {
        "+"
    };
    out.extend_from_slice(format!("{digits}{point}e{sign}{exponent}").as_bytes());
}

/// The string that begins at this quote, and where it ends. A surrogate without its other half is
/// no character: U+FFFD stands for it.
fn string(json: &str, quote: usize) -> (String, usize) {
    let mut text = String::new();
    let mut rest = json[quote + 1..].char_indices();
    let mut high: Option<u16> = None;
    while let Some((at, ch)) = rest.next() {
        let mut unit = None;
        let plain = match ch {
            '"' => {
                text.extend(high.map(|_| '\u{fffd}'));
                return (text, quote + 1 + at + 1);
            }
            '\\' => match rest.next() {
                Some((_, 'u')) => {
                    let digits: String = rest.by_ref().take(4).map(|(_, digit)| digit).collect();
                    unit = u16::from_str_radix(&digits, 16).ok();
                    None
                }
                Some((_, 'b')) => Some('\u{8}'),
                Some((_, 'f')) => Some('\u{c}'),
                Some((_, 'n')) => Some('\n'),
                Some((_, 'r')) => Some('\r'),
                Some((_, 't')) => Some('\t'),
                other => other.map(|(_, ch)| ch),
            },
            ch => Some(ch),
        };
        let before = high.take();
        if matches!(unit, Some(0xd800..=0xdbff)) {
            // Its other half may follow.
            text.extend(before.map(|_| '\u{fffd}'));
            high = unit;
        } else {
            let decoded = char::decode_utf16(before.into_iter().chain(unit));
            text.extend(decoded.map(|unit| unit.unwrap_or('\u{fffd}')));
        }
        text.extend(plain);
    }
    (text, json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(json: &str) -> String {
        let mut out = Vec::new();
        write_yaml(&mut out, json);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_becomes_yaml() {
        for (json, expected) in [
            (
                r#"{"a": [1, -2.5, 1e5, 1.5E-3]}"#,
                r#"{"a":[1,-2.5,1.0e+5,1.5e-3]}"#,
            ),
            (r#""\ud83d\ude00\/\u0041\n""#, "\"😀/A\\n\""),
            (r#""\udb40\udc01""#, r#""\U000e0001""#),
            (r#""\ud83d""#, "\"\u{fffd}\""),
            (r#""\ud83d\ud83d\ude00x\ude00""#, "\"\u{fffd}😀x\u{fffd}\""),
            (
                "\"\u{9b}\u{7f}\u{202e}\u{ffff}\"",
                r#""\u009b\u007f\u202e\uffff""#,
            ),
        ] {
            assert_eq!(yaml(json), expected, "{json}");
        }
        let key = "k".repeat(LONGEST_KEY);
        let long = format!(r#"{{"{key}":"{key}"}}"#);
        assert_eq!(yaml(&long), format!(r#"{{? "{key}":"{key}"}}"#));
        let deep = format!("{}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
        assert_eq!(yaml(&deep), format!("\"{deep}\""));
        assert_eq!(yaml(&deep[1..2 * DEEPEST + 1]).len(), 2 * DEEPEST);
    }

    #[test]
    fn json_stays_on_its_line() {
        assert_eq!(
            safe_json("{\n\"a\":\"\u{9b}\u{e0041}\"}"),
            "{ \"a\":\"\\u009b\\udb40\\udc41\"}"
        );
        assert!(matches!(safe_json("{\"ä\":1}"), Cow::Borrowed(_)));
    }
}
