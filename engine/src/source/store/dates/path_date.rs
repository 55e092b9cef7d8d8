//! The path of a folder in, the date that it spells out.
//!
//! Known spellings: `2026/11/22/07/` (Cloud Logging sinks, Firehose), `y=2026/m=11/d=22/h=07/`
//! (AKS) and `date=2026-11-22/` (Hive).
//!
//! Not responsible for: whether the folder is listed (`dates.rs`).

use crate::time::{MICROS_A_DAY, parse_micros};

/// How much of a date a path has spelt so far. `named` is whether all parts of it have names, as in
/// `y=2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) enum PathDate {
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

const YEAR_NAMES: [&str; 3] = ["y", "year", "yyyy"];
const MONTH_NAMES: [&str; 3] = ["m", "month", "mm"];
const DAY_NAMES: [&str; 3] = ["d", "day", "dd"];

/// Names of a whole date that is known to be the day of the events.
const DATE_NAMES: [&str; 8] = [
    "date",
    "dt",
    "day",
    "ds",
    "event_date",
    "eventdate",
    "log_date",
    "logdate",
];

impl PathDate {
    /// The date that a path spells.
    pub(in super::super) fn of(path: &str) -> Self {
        path.trim_end_matches('/')
            .split('/')
            .fold(Self::Not, Self::then)
    }

    /// The date that the path spells with one more folder.
    pub(super) fn then(self, name: &str) -> Self {
        if matches!(self, Self::Day(_)) {
            return self;
        }
        if let Some(day) = whole_day(name) {
            return Self::Day(day);
        }
        // Other folders may stand between parts that have names.
        let is_named = matches!(
            self,
            Self::Year { named: true, .. } | Self::Month { named: true, .. }
        );
        if let Some((year, named)) = year(name)
            && (named || !is_named)
        {
            return Self::Year { year, named };
        }
        let next = match self {
            Self::Year { year, named } => {
                part(name, &MONTH_NAMES, 12).map(|(month, has_name)| Self::Month {
                    year,
                    month,
                    named: named && has_name,
                })
            }
            Self::Month { year, month, .. } => part(name, &DAY_NAMES, 31)
                .and_then(|(day, _)| day_number(year, month, day))
                .map(Self::Day),
            Self::Not | Self::Day(_) => None,
        };
        next.unwrap_or(if is_named { self } else { Self::Not })
    }

    /// The days `[from, end)` that the date stands for, if that is certain.
    pub(super) fn days(self) -> Option<(i64, i64)> {
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

    /// Can this number be the next part of the date?
    pub(super) fn allows(self, number: &str) -> bool {
        match self {
            Self::Year { .. } => part(number, &[], 12).is_some(),
            Self::Month { year, month, .. } => {
                part(number, &[], 31).is_some_and(|(day, _)| day_number(year, month, day).is_some())
            }
            Self::Not | Self::Day(_) => true,
        }
    }
}

pub(super) fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of a folder called `NAME=VALUE` if `NAME` is one of `names`, or the name of a folder
/// without `=`; and whether there is a `NAME`.
fn value<'n>(folder: &'n str, names: &[&str]) -> Option<(&'n str, bool)> {
    match folder.split_once('=') {
        Some((name, value)) => names
            .contains(&name.to_ascii_lowercase().as_str())
            .then_some((value, true)),
        None => Some((folder, false)),
    }
}

/// `2026-11-22`, or `date=2026-11-22`.
fn whole_day(folder: &str) -> Option<i64> {
    let (date, _) = value(folder, &DATE_NAMES)?;
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

/// `2026`, or `y=2026`; and whether it has a name.
fn year(folder: &str) -> Option<(i64, bool)> {
    let (year, named) = value(folder, &YEAR_NAMES)?;
    // There were no audit logs before 2014, and other numbers with four digits are common.
    digits(year, 4)
        .filter(|year| (2014..2100).contains(year))
        .map(|year| (year, named))
}

/// `11`, `m=11` or `m=1`; and whether it has a name.
fn part(folder: &str, names: &[&str], most: i64) -> Option<(i64, bool)> {
    let (number, named) = value(folder, names)?;
    let number = match digits(number, 2) {
        None if named => digits(number, 1)?,
        number => number?,
    };
    (1..=most).contains(&number).then_some((number, named))
}

/// The number that exactly so many digits spell.
fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && is_number(text))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days since the epoch. `None` if there is no such day.
fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    parse_micros(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z"))
        .map(|micros| micros.div_euclid(MICROS_A_DAY))
}
