//! Names of folders in, the days they stand for out: which folders of a listing cannot hold events
//! of a time window.
//!
//! Log deliveries write the day of delivery into the path: `2026/11/22/07/` (Cloud Logging sinks,
//! Firehose), `y=2026/m=11/d=22/h=07/` (AKS), `date=2026-11-22/` (Hive). An event is delivered
//! late, sometimes by hours, and some deliveries use a local time zone: the window is widened by a
//! day on both sides. Only what certainly is a date is ever left out: a bare number counts as a
//! month or a day only where all numbers beside it do, and a bare year alone decides nothing.
//!
//! Not responsible for: filtering events by their time, which happens to all that is read.

use crate::event::parse_micros;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A day more on both sides of the window.
const MARGIN: i64 = 1;

/// The days of a window, first and last, since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    first: i64,
    last: i64,
}

/// How much of a date a path has spelt so far; `named` says whether every part of it has a name, as
/// in `y=2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Dated {
    #[default]
    Not,
    Year {
        year: i64,
        named: bool,
    },
    Month {
        year: i64,
        month: i64,
        named: bool,
    },
    /// Days since the epoch.
    Day(i64),
}

/// What a window has to say about a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing in it can be of the window.
    Outside,
    /// It is of a day of the window.
    Inside(i64),
    /// Look into it.
    Open(Dated),
}

impl Days {
    /// The days of `[since, until)` in microseconds since the epoch; `None` when there is no bound.
    pub(super) fn of(since: Option<i64>, until: Option<i64>) -> Option<Self> {
        if since.is_none() && until.is_none() {
            return None;
        }
        let first = since.map_or(i64::MIN, |since| since.div_euclid(DAY) - MARGIN);
        let last = until.map_or(i64::MAX, |until| {
            until.saturating_sub(1).div_euclid(DAY) + MARGIN
        });
        Some(Self { first, last })
    }

    /// What the window says about the folders `names`, which are all that lie in a folder that
    /// spells `parent`.
    pub(super) fn judge(self, parent: Dated, names: &[&str]) -> Vec<Verdict> {
        let numbers_fit = names
            .iter()
            .filter(|name| is_number(name))
            .all(|name| fits(parent, name));
        names
            .iter()
            .map(|name| {
                if is_number(name) && !numbers_fit {
                    // Numbers, but not of a date: nothing is known from here on.
                    return Verdict::Open(Dated::Not.then(name));
                }
                let dated = parent.then(name);
                match (dated.days(), dated) {
                    (Some(days), _) if !self.meets(days) => Verdict::Outside,
                    (Some(_), Dated::Day(day)) => Verdict::Inside(day),
                    _ => Verdict::Open(dated),
                }
            })
            .collect()
    }

    /// Does the path of an object below a folder that spells `parent` say that it is of another
    /// time? For listings that were not taken folder by folder: only a whole day, or parts with
    /// names, count here.
    pub(super) fn excludes(self, parent: Dated, path: &str) -> bool {
        let Some((folders, _)) = path.rsplit_once('/') else {
            return false;
        };
        if matches!(parent, Dated::Day(_)) {
            return false;
        }
        let dated = folders.split('/').fold(parent, Dated::then);
        let certain = !matches!(dated, Dated::Month { named: false, .. });
        certain && dated.days().is_some_and(|days| !self.meets(days))
    }

    /// Is one of the days `[from, end)` one of these?
    const fn meets(self, (from, end): (i64, i64)) -> bool {
        from <= self.last && end > self.first
    }
}

impl Dated {
    /// What a path spells.
    pub(super) fn of(path: &str) -> Self {
        path.trim_end_matches('/')
            .split('/')
            .fold(Self::Not, Self::then)
    }

    /// What is spelt with one more folder.
    fn then(self, name: &str) -> Self {
        if matches!(self, Self::Day(_)) {
            return self;
        }
        if let Some(day) = whole_day(name) {
            return Self::Day(day);
        }
        if let Some((year, named)) = year(name)
            && (named
                || !matches!(
                    self,
                    Self::Year { named: true, .. } | Self::Month { named: true, .. }
                ))
        {
            return Self::Year { year, named };
        }
        let next = match self {
            Self::Year { year, named } => {
                part(name, &["m", "month", "mm"], 12).map(|(month, name)| Self::Month {
                    year,
                    month,
                    named: named && name,
                })
            }
            Self::Month { year, month, .. } => part(name, &["d", "day", "dd"], 31)
                .and_then(|(day, _)| day_number(year, month, day))
                .map(Self::Day),
            _ => None,
        };
        next.unwrap_or(match self {
            // Other folders may stand between parts that have names.
            Self::Year { named: true, .. } | Self::Month { named: true, .. } => self,
            _ => Self::Not,
        })
    }

    /// The days `[from, end)` that it stands for, if that is certain.
    fn days(self) -> Option<(i64, i64)> {
        match self {
            Self::Not | Self::Year { named: false, .. } => None,
            Self::Year { year, .. } => Some((day_number(year, 1, 1)?, day_number(year + 1, 1, 1)?)),
            Self::Month {
                year, month: 12, ..
            } => Some((day_number(year, 12, 1)?, day_number(year + 1, 1, 1)?)),
            Self::Month { year, month, .. } => {
                Some((day_number(year, month, 1)?, day_number(year, month + 1, 1)?))
            }
            Self::Day(day) => Some((day, day + 1)),
        }
    }
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Can this number be the next part of the date?
fn fits(parent: Dated, name: &str) -> bool {
    match parent {
        Dated::Year { .. } => part(name, &[], 12).is_some(),
        Dated::Month { year, month, .. } => {
            part(name, &[], 31).is_some_and(|(day, _)| day_number(year, month, day).is_some())
        }
        Dated::Not | Dated::Day(_) => true,
    }
}

/// `2026-11-22`, alone or as the value of a key that is known to be the day of the events.
fn whole_day(name: &str) -> Option<i64> {
    let date = match name.split_once('=') {
        Some((key, value)) => {
            let keys = [
                "date",
                "dt",
                "day",
                "ds",
                "event_date",
                "eventdate",
                "log_date",
                "logdate",
            ];
            keys.contains(&key.to_ascii_lowercase().as_str())
                .then_some(value)?
        }
        None => name,
    };
    let mut parts = date.split('-');
    let (year, month, day) = (
        digits(parts.next()?, 4)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    if parts.next().is_some() {
        return None;
    }
    day_number(year, month, day)
}

/// `2026`, or `y=2026`: then it is named.
fn year(name: &str) -> Option<(i64, bool)> {
    let (value, named) = match name.split_once('=') {
        Some((key, value)) => (
            ["y", "year", "yyyy"]
                .contains(&key.to_ascii_lowercase().as_str())
                .then_some(value)?,
            true,
        ),
        None => (name, false),
    };
    // There were no audit logs before 2014, and other numbers of four digits are common.
    digits(value, 4)
        .filter(|year| (2014..2100).contains(year))
        .map(|year| (year, named))
}

/// `11`, or `m=11` and `m=1`: then it is named.
fn part(name: &str, keys: &[&str], most: i64) -> Option<(i64, bool)> {
    let (number, named) = match name.split_once('=') {
        Some((key, value)) => {
            let value = keys
                .contains(&key.to_ascii_lowercase().as_str())
                .then_some(value)?;
            (digits(value, 2).or_else(|| digits(value, 1))?, true)
        }
        None => (digits(name, 2)?, false),
    };
    (1..=most).contains(&number).then_some((number, named))
}

/// The number that exactly so many digits spell.
fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && is_number(text))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days since the epoch; `None` when there is no such day.
fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    parse_micros(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z"))
        .map(|micros| micros.div_euclid(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(since: &str, until: &str) -> Days {
        let at = |day: &str| parse_micros(&format!("{day}T00:00:00Z"));
        Days::of(at(since), at(until)).unwrap()
    }

    fn outside<'n>(days: Days, parent: &str, names: &[&'n str]) -> Vec<&'n str> {
        let verdicts = days.judge(Dated::of(parent), names);
        names
            .iter()
            .zip(verdicts)
            .filter(|(_, verdict)| *verdict == Verdict::Outside)
            .map(|(name, _)| *name)
            .collect()
    }

    #[test]
    fn folders_of_other_days_are_left_out() {
        // The 21st, widened: the 20th to the 22nd.
        let days = window("2026-11-21", "2026-11-22");
        assert_eq!(
            outside(days, "logs/2026/11", &["19", "20", "21", "22", "23"]),
            ["19", "23"]
        );
        assert_eq!(
            outside(days, "logs/2026/", &["10", "11", "12", "processing-failed"]),
            ["10", "12"]
        );
        assert_eq!(
            outside(days, "r/y=2026/m=11", &["d=19", "d=20", "d=22", "d=23"]),
            ["d=19", "d=23"]
        );
        assert_eq!(
            outside(days, "r/y=2026", &["m=10", "m=11", "m=12"]),
            ["m=10", "m=12"]
        );
        assert_eq!(
            outside(days, "r", &["y=2025", "y=2026", "y=2027", "other"]),
            ["y=2025", "y=2027"]
        );
        assert_eq!(
            outside(
                days,
                "",
                &["date=2026-11-19", "date=2026-11-20", "dt=2026-11-23"]
            ),
            ["date=2026-11-19", "dt=2026-11-23"]
        );
        assert_eq!(
            outside(days, "k", &["2026-11-19", "2026-11-22", "2026-11-31"]),
            ["2026-11-19"]
        );
        assert_eq!(
            outside(days, "year=2026", &["month=9", "month=11"]),
            ["month=9"]
        );
    }

    #[test]
    fn what_may_be_no_date_is_looked_into() {
        let days = window("2026-11-21", "2026-11-22");
        // Bare years, and numbers beside which others are no date.
        assert!(outside(days, "logs", &["2019", "2026"]).is_empty());
        assert!(outside(days, "logs/2019", &["01", "13"]).is_empty());
        assert!(outside(days, "logs/2019/01", &["07", "77"]).is_empty());
        assert!(outside(days, "logs/1234/01", &["07"]).is_empty());
        assert!(
            outside(
                days,
                "",
                &["expires=2019-01-01", "2019-13-01", "07", "h=07"]
            )
            .is_empty()
        );
        assert_eq!(
            days.judge(Dated::of("logs/2019/01"), &["07", "77"]),
            [Verdict::Open(Dated::Not); 2]
        );
    }

    #[test]
    fn open_windows() {
        let at = parse_micros("2026-11-21T10:00:00Z");
        assert_eq!(Days::of(None, None), None);
        let since = Days::of(at, None).unwrap();
        assert_eq!(outside(since, "2026/11", &["19", "20", "30"]), ["19"]);
        let until = Days::of(None, at).unwrap();
        assert_eq!(outside(until, "2026/11", &["01", "22", "23"]), ["23"]);
        // `until` is not in the window: at midnight it is the day before.
        let until = Days::of(None, parse_micros("2026-11-21T00:00:00Z")).unwrap();
        assert_eq!(outside(until, "2026/11", &["21", "22"]), ["22"]);
    }

    #[test]
    fn paths_of_objects() {
        let days = window("2026-11-21", "2026-11-22");
        assert!(days.excludes(Dated::Not, "a/2026/11/19/00:00:00_S0.json"));
        assert!(days.excludes(Dated::Not, "a/y=2025/x"));
        assert!(!days.excludes(Dated::Not, "a/2026/11/22/00:00:00_S0.json"));
        assert!(!days.excludes(Dated::Not, "a/2026/09/x"));
        assert!(!days.excludes(Dated::Not, "2026-01-01"));
        assert!(days.excludes(Dated::of("a/2026/11"), "19/x"));
        assert!(
            !days.excludes(Dated::of("a/2026/11/19"), "07/x"),
            "what the user named is read"
        );
    }
}
