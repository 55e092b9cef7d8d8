//! The values of flags: text in, typed values out, or what was expected instead.
//!
//! Nothing here reads the clock: a duration back from now stays one until the settings are made.

use std::path::PathBuf;

use auditql_engine::{parse_duration, parse_time};

use crate::text::unknown;

/// A time as it was typed, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Since the epoch.
    At(i64),
    /// Back from now.
    Ago(i64),
}

impl Moment {
    /// In microseconds since the epoch.
    pub(crate) const fn resolve(self, now: i64) -> i64 {
        match self {
            Self::At(time) => time,
            Self::Ago(span) => now.saturating_sub(span),
        }
    }
}

/// A version of a lake as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Number(u64),
    Time(Moment),
}

/// A time, or a duration back from now.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    if text == "now" {
        return Ok(Moment::Ago(0));
    }
    parse_time(text)
        .map(Moment::At)
        .or_else(|| parse_duration(text).map(Moment::Ago))
        .ok_or_else(|| {
            "expected a time such as 2026-11-01T08:00:00Z, a date such as 2026-11-01, or a duration back from now such as 90s, 24h or 7d".to_owned()
        })
}

/// A version number, or a time.
pub(super) fn version(text: &str) -> Result<Version, String> {
    match text.parse() {
        Ok(number) => Ok(Version::Number(number)),
        Err(_) => moment(text).map(Version::Time),
    }
}

/// A duration, in microseconds.
pub(super) fn duration(text: &str) -> Result<i64, String> {
    parse_duration(text).ok_or_else(|| "expected a duration such as 12h, 7d or 400d".to_owned())
}

/// A size in bytes: `64MiB`, `2GB`, `1048576`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let bad = || "expected a size in bytes such as 64MiB, 2GB or 1048576".to_owned();
    let digits = text
        .find(|ch: char| !ch.is_ascii_digit())
        .unwrap_or(text.len());
    let number: usize = text[..digits].parse().map_err(|_| bad())?;
    let factor = match text[digits..].trim() {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(bad()),
    };
    number
        .checked_mul(factor)
        .filter(|size| *size > 0)
        .ok_or_else(bad)
}

/// A percentage.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim_end_matches('%').parse().ok();
    number
        .filter(|number| (0.0..=100.0).contains(number))
        .ok_or_else(|| "expected a percentage from 0 to 100".to_owned())
}

/// The minor version of Kubernetes 1.N.
pub(super) fn kubernetes_minor(text: &str) -> Result<u32, String> {
    let known = auditql_engine::rbac::BOOTSTRAP_VERSIONS;
    let minor = text.trim_start_matches('v').strip_prefix("1.");
    let minor = minor.and_then(|text| text.split('.').next()?.parse().ok());
    minor
        .filter(|minor| known.contains(minor))
        .ok_or_else(|| format!("expected 1.{} to 1.{}", known.start(), known.end()))
}

/// A subject of RBAC: its kind, namespace and name. A service account may be written as its user name
/// is, `NAMESPACE:NAME`.
pub(super) fn rbac_subject(text: &str) -> Result<(String, String, String), String> {
    let bad = || "expected user:NAME, group:NAME or serviceaccount:NAMESPACE/NAME".to_owned();
    let (kind, name) = text.split_once(':').ok_or_else(bad)?;
    let kind = match kind.to_ascii_lowercase().as_str() {
        "user" => "user",
        "group" => "group",
        "serviceaccount" | "sa" => "serviceaccount",
        _ => return Err(bad()),
    };
    let (namespace, name) = match kind {
        "serviceaccount" => name.split_once(['/', ':']).ok_or_else(bad)?,
        _ => ("", name),
    };
    if name.is_empty() {
        return Err(bad());
    }
    Ok((kind.to_owned(), namespace.to_owned(), name.to_owned()))
}

/// A parameter of a saved query.
pub(crate) fn parameter(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
        .ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// A table and its file.
pub(super) fn table(text: &str) -> Result<(String, PathBuf), String> {
    let parts = text.split_once('=');
    let parts = parts.filter(|(name, file)| !name.trim().is_empty() && !file.is_empty());
    parts
        .map(|(name, file)| (name.trim().to_owned(), PathBuf::from(file)))
        .ok_or_else(|| "expected NAME=FILE".to_owned())
}

/// The name of a log format.
pub(super) fn log_format(text: &str) -> Result<String, String> {
    let mut names = auditql_engine::formats().map(|format| format.name);
    if names.any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let names = auditql_engine::formats().map(|format| format.name);
    Err(unknown(
        "format",
        text,
        names,
        "`auditql formats` lists them",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn times_durations_and_versions() {
        assert_eq!(
            (duration("0s"), duration("400d"), duration("1h30m")),
            (Ok(0), Ok(400 * 24 * HOUR), Ok(HOUR + HOUR / 2))
        );
        assert!(duration("400").is_err() && duration("").is_err() && duration("-1d").is_err());
        let november = Moment::At(1_793_491_200_000_000);
        assert_eq!(moment("2026-11-01"), Ok(november));
        assert_eq!(moment("24h"), Ok(Moment::Ago(24 * HOUR)));
        assert_eq!(moment("now").map(|moment| moment.resolve(7)), Ok(7));
        assert_eq!(
            moment("1h").map(|moment| moment.resolve(3 * HOUR)),
            Ok(2 * HOUR)
        );
        assert_eq!(version("12"), Ok(Version::Number(12)));
        assert_eq!(version("2026-11-01"), Ok(Version::Time(november)));
        assert!(version("never").is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(size("16MiB"), Ok(16 << 20));
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        for bad in ["0", "x", "", "99999999999999999999", "99999999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn formats_are_those_of_the_engine() {
        assert_eq!(log_format("gke"), Ok("gke".to_owned()));
        let error = log_format("eventlst").unwrap_err();
        assert_eq!(
            error,
            "unknown format `eventlst`; did you mean `eventlist`?"
        );
    }
}
