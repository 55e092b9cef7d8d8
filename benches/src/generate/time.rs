//! Timestamps as the log writes them: RFC 3339 in UTC.

use super::text;

const DAY: i64 = 86_400;

/// `2026-11-22T10:14:25Z`, of microseconds since 1970.
pub(super) fn write_seconds(out: &mut Vec<u8>, micros: i64) {
    write_date_and_time(out, micros);
    out.push(b'Z');
}

/// `2026-11-22T10:14:25.788468Z`, of microseconds since 1970.
pub(super) fn write_micros(out: &mut Vec<u8>, micros: i64) {
    write_date_and_time(out, micros);
    out.push(b'.');
    text::digits(out, micros.rem_euclid(1_000_000).unsigned_abs(), 6);
    out.push(b'Z');
}

fn write_date_and_time(out: &mut Vec<u8>, micros: i64) {
    let seconds = micros.div_euclid(1_000_000);
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY).unsigned_abs();
    text::number(out, year);
    for (separator, number) in [
        (b'-', month),
        (b'-', day),
        (b'T', second / 3600),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ] {
        out.push(separator);
        out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
    }
}

/// Year, month and day of a day after 1970, in eras of 400 years that begin in March.
fn date(days: i64) -> (u64, u64, u64) {
    let days = (days + 719_468).unsigned_abs();
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}
