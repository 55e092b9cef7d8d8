//! What people write for a point in time or a span of it in, microseconds out.

use super::{MICROS_A_DAY, parse_micros};

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
            "d" => MICROS_A_DAY,
            "w" => 7 * MICROS_A_DAY,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(micros)?)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn spans() {
        for (text, micros) in [
            ("0s", 0),
            ("1us", 1),
            ("2µs", 2),
            ("250ms", 250_000),
            ("90s", 90 * SECOND),
            ("90 sec", 90 * SECOND),
            ("5m", 300 * SECOND),
            ("1h30m", 5_400 * SECOND),
            ("1d 12h", 129_600 * SECOND),
            ("2w", 14 * 86_400 * SECOND),
            (" 400d ", 400 * 86_400 * SECOND),
        ] {
            assert_eq!(parse_duration(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn no_spans() {
        for text in ["", " ", "5", "d", "-1d", "1.5h", "1y", "h1", "1h5", "1 2h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(parse_duration("9223372036854775807us"), Some(i64::MAX));
        assert_eq!(parse_duration("9223372036854775808us"), None);
        assert_eq!(parse_duration("9223372036854775807w"), None, "too long");
        assert_eq!(parse_duration("15250284452w1w"), None, "too long together");
    }

    #[test]
    fn times() {
        let day = 1_793_491_200 * SECOND;
        assert_eq!(parse_time("2026-11-01"), Some(day));
        assert_eq!(parse_time("2026-11-01T08:30"), Some(day + 30_600 * SECOND));
        assert_eq!(parse_time("2026-11-01T00:00:01"), Some(day + SECOND));
        assert_eq!(parse_time("2026-11-01T00:00:01Z"), Some(day + SECOND));
        assert_eq!(parse_time("2026-11-01T01:00:00+01:00"), Some(day));
        for text in ["", "now", "2026-13-01", "2026-11-01T25:00:00Z", "24h"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
