//! What people write for a point in time or a span of it in, microseconds out.

use super::parse_micros;

/// A point in time: RFC 3339, or a date, which means its first moment in UTC. Microseconds since
/// the epoch.
pub fn parse_time(text: &str) -> Option<i64> {
    parse_micros(text).or_else(|| match text.len() {
        10 => parse_micros(&format!("{text}T00:00:00Z")),
        // Without a zone it is UTC, as everything in an audit log.
        16 => parse_micros(&format!("{text}:00Z")),
        _ => parse_micros(&format!("{text}Z")),
    })
}

/// A time span: numbers with units (`1h30m`, `400d`, `2w`). Microseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut sum: i64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let length = rest.find(|ch: char| !ch.is_ascii_digit())?;
        let number: i64 = rest[..length].parse().ok()?;
        rest = &rest[length..];
        let unit = &rest[..rest
            .find(|ch: char| ch.is_ascii_digit())
            .unwrap_or(rest.len())];
        rest = &rest[unit.len()..];
        let micros: i64 = match unit.trim() {
            "us" | "µs" => 1,
            "ms" => 1_000,
            "s" | "sec" => 1_000_000,
            "m" | "min" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            "w" => 604_800_000_000,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(micros)?)?;
    }
    Some(sum)
}
