//! Scalars of YAML 1.1: text and tag in, a typed value out, as go-yaml v2 resolves them.
//!
//! `yes`, `no`, `on`, `off`, `y` and `n` are booleans, `0644` and `0o644` octal, `1_000` a number;
//! `12:30` and `2026-11-10` stay text. Not responsible for: collections (`yaml.rs`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::value::DocumentData;

const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// The value of a scalar node, or why its tag does not fit.
///
/// `plain` says that the scalar is neither quoted nor a block; only then does text without a tag
/// stand for something else than itself.
pub(super) fn resolve_scalar(
    text: &str,
    tag: Option<&str>,
    plain: bool,
) -> Result<DocumentData, String> {
    let Some(tag) = tag.filter(|tag| !tag.is_empty()) else {
        return Ok(match plain {
            true => resolve_plain(text),
            false => DocumentData::Text(text.to_owned()),
        });
    };
    let short = tag.strip_prefix(TAG_PREFIX);
    match short {
        Some("str") => Ok(DocumentData::Text(text.to_owned())),
        Some("binary") => binary(text),
        Some(short @ ("bool" | "int" | "float" | "null" | "timestamp")) => {
            fit_tag(resolve_plain(text), short, text)
        }
        // A tag of the author's own is ignored.
        _ => Ok(DocumentData::Text(text.to_owned())),
    }
}

fn binary(text: &str) -> Result<DocumentData, String> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    match STANDARD.decode(joined) {
        Ok(bytes) => Ok(DocumentData::Text(
            String::from_utf8_lossy(&bytes).into_owned(),
        )),
        Err(_) => Err("!!binary value contains invalid base64 data".to_owned()),
    }
}

fn fit_tag(data: DocumentData, tag: &str, text: &str) -> Result<DocumentData, String> {
    let found = match &data {
        DocumentData::Null => "null",
        DocumentData::Bool(_) => "bool",
        DocumentData::Number(number) if is_integer(number) => "int",
        DocumentData::Number(_) => "float",
        _ if looks_like_a_date(text) => "timestamp",
        _ => "str",
    };
    if found == tag || (tag == "float" && found == "int") {
        return Ok(data);
    }
    // The text of a float without a fraction reads as an integer in JSON.
    if tag == "float" && matches!(data, DocumentData::Number(_)) {
        return Ok(data);
    }
    Err(format!("cannot decode !!{found} `{text}` as a !!{tag}"))
}

fn is_integer(number: &str) -> bool {
    number
        .trim_start_matches('-')
        .bytes()
        .all(|b| b.is_ascii_digit())
}

/// Enough of a time stamp for an explicit `!!timestamp`: `YYYY-`, a month and a day.
fn looks_like_a_date(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    year.len() == 4 && is_number(year) && is_number(month) && is_number(day)
}

fn resolve_plain(text: &str) -> DocumentData {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return DocumentData::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return DocumentData::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return DocumentData::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return DocumentData::Number("NaN".to_owned()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return DocumentData::Number("+Inf".to_owned());
        }
        "-.inf" | "-.Inf" | "-.INF" => return DocumentData::Number("-Inf".to_owned()),
        _ => {}
    }
    let number = match text.bytes().next() {
        Some(b'.') => decimal_float(&without_separators(text)),
        Some(b'0'..=b'9' | b'+' | b'-') => number(&text.replace('_', "")),
        _ => None,
    };
    match number {
        Some(number) => DocumentData::Number(number),
        None => DocumentData::Text(text.to_owned()),
    }
}

/// A float that begins with a point may have single underscores between digits.
fn without_separators(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let parts = |(at, found): &(usize, char)| {
        *found != '_' || !is_digit(at.checked_sub(1)) || !is_digit(Some(at + 1))
    };
    text.char_indices()
        .filter(parts)
        .map(|(_, found)| found)
        .collect()
}

fn number(plain: &str) -> Option<String> {
    if let Some(value) = integer(plain) {
        return Some(value.to_string());
    }
    if let Some(value) = decimal_float(plain) {
        return Some(value);
    }
    // `0b-1` is a number to go-yaml, since it strips the prefix before it parses the rest.
    let binary = plain.strip_prefix("0b")?;
    signed(binary, 2).map(|value| value.to_string())
}

/// Go's `ParseInt(text, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<i128> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = rest.get(..2).map(str::to_ascii_lowercase);
    let (digits, radix) = match lower.as_deref() {
        Some("0x") => (&rest[2..], 16),
        Some("0b") => (&rest[2..], 2),
        Some("0o") => (&rest[2..], 8),
        _ if rest.len() > 1 && rest.starts_with('0') => (&rest[1..], 8),
        _ => (rest, 10),
    };
    let value = unsigned(digits, radix)?;
    let value = if negative { -value } else { value };
    let explicit = text.starts_with(['+', '-']);
    let highest = match explicit {
        true => i128::from(i64::MAX),
        false => i128::from(u64::MAX),
    };
    (i128::from(i64::MIN)..=highest)
        .contains(&value)
        .then_some(value)
}

fn unsigned(digits: &str, radix: u32) -> Option<i128> {
    let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    (plain && !digits.is_empty())
        .then(|| i128::from_str_radix(digits, radix).ok())
        .flatten()
}

fn signed(digits: &str, radix: u32) -> Option<i128> {
    let value = i128::from_str_radix(digits, radix).ok()?;
    (i128::from(i64::MIN)..=i128::from(u64::MAX))
        .contains(&value)
        .then_some(value)
}

/// A float in decimal digits (`1.5`, `.5`, `1.`, `-2e3`), as JSON would hold it.
fn decimal_float(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then(|| format!("{value}"))
}
