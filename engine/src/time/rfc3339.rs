//! RFC 3339 text in, microseconds since the epoch out, and back.
//!
//! The apiserver writes `metav1.MicroTime`: `2006-01-02T15:04:05.000000Z`. Everything else RFC 3339
//! allows is read too, and the space and missing zone that some exports write; digits after the
//! sixth are cut off here and kept by the decoder.

/// The length of the apiserver's spelling.
pub(crate) const CANONICAL_LENGTH: usize = "2006-01-02T15:04:05.000000Z".len();

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
pub(super) const FIRST_SECOND: i64 = -62_135_596_800;
pub(super) const LAST_SECOND: i64 = 253_402_300_799;

/// Microseconds since 1970-01-01T00:00:00Z; `None` when `text` is no point in time.
pub(crate) fn parse_micros(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    if hour > 23
        || minute > 59
        || second > 59
        || !(1..=12).contains(&month)
        || day < 1
        || day > days_in(year, month)
    {
        return None;
    }
    let mut at = 19;
    let mut micros = 0;
    if is(at, b".") {
        let end = bytes[at + 1..]
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .map_or(bytes.len(), |n| at + 1 + n);
        let used = end.min(at + 7);
        let fraction = digits(bytes.get(at + 1..used)?)?;
        micros = fraction * 10_i64.pow(6 - (used - at - 1) as u32);
        at = end;
    }
    let offset_minutes = match &bytes[at..] {
        b"" if bytes[10] == b' ' => 0,
        b"Z" | b"z" | b" UTC" => 0,
        [sign @ (b'+' | b'-'), rest @ ..] if rest.len() == 5 && rest[2] == b':' => {
            let (hours, minutes) = (digits(&rest[..2])?, digits(&rest[3..])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds = days_from_civil(year, month, day) * 86_400
        + hour * 3600
        + (minute - offset_minutes) * 60
        + second;
    // Outside years 1 to 9999 a time has no RFC 3339 spelling, and readers of Parquet fail on it.
    (FIRST_SECOND..=LAST_SECOND)
        .contains(&seconds)
        .then_some(seconds * 1_000_000 + micros)
}

/// The apiserver's spelling of a time, appended.
pub(crate) fn format_micros(out: &mut Vec<u8>, micros: i64) {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    out.extend_from_slice(
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z")
            .as_bytes(),
    );
}

/// The apiserver's spelling of a time in microseconds since the epoch.
pub fn format_time(micros: i64) -> String {
    let mut text = Vec::with_capacity(CANONICAL_LENGTH);
    format_micros(&mut text, micros);
    String::from_utf8(text).unwrap_or_default()
}

fn digits(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a proleptic Gregorian date (Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_time() {
        let want = Some(1_795_342_705_147_713);
        for text in [
            "2026-11-22T10:18:25.147713Z",
            "2026-11-22T10:18:25.147713999Z",
            "2026-11-22T11:18:25.147713+01:00",
            "2026-11-22 10:18:25.147713",
            "2026-11-22t10:18:25.147713z",
        ] {
            assert_eq!(parse_micros(text), want, "{text}");
        }
        assert_eq!(
            parse_micros("2026-11-22T10:18:25Z"),
            Some(1_795_342_705_000_000)
        );
        assert_eq!(parse_micros("1969-12-31T23:59:59.5Z"), Some(-500_000));
    }

    #[test]
    fn no_times() {
        for text in [
            "",
            "x",
            "2026-11-22",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T10:18:25",
            "2026-11-22T10:18:25.Z",
            "2026-11-22T10:18:25+1:00",
            "2026-11-22T10:18:60Z",
            "2026-11-22T10:18:25.1é",
            "+026-11-22T10:18:25Z",
            "9999-12-31T23:59:59.999999-23:59",
            "0000-12-31T00:00:00Z",
        ] {
            assert_eq!(parse_micros(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
            let mut text = Vec::new();
            format_micros(&mut text, micros);
            prop_assert_eq!(text.len(), CANONICAL_LENGTH);
            prop_assert_eq!(parse_micros(std::str::from_utf8(&text).unwrap()), Some(micros));
        }
    }
}
