//! Names of folders in; out come those that cannot hold events of a time window.
//!
//! Log deliveries write the day of delivery into the path ([`path_date`]). Events are delivered
//! late, sometimes by hours, and some deliveries use a local time zone, so the window is widened by
//! a day on either side. Only what certainly is a date is ever skipped: a bare number counts as a
//! month or a day only if all numbers beside it can be one too, and a bare year decides nothing.
//!
//! Not responsible for: filtering events by time, which happens to everything that is read.

mod path_date;
#[cfg(test)]
mod tests;

pub(super) use self::path_date::PathDate;
use self::path_date::is_number;
use crate::time::MICROS_A_DAY;

/// How many days are added on either side of the window.
const MARGIN: i64 = 1;

/// The first and the last day of a window, in days since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayRange {
    first: i64,
    last: i64,
}

/// What a window says about a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderVerdict {
    /// It holds nothing of the window.
    Outside,
    /// It belongs to this day of the window.
    Inside(i64),
    /// It has to be listed.
    Open(PathDate),
}

impl DayRange {
    /// The days of `[since, until)`, in microseconds since the epoch. `None` if there is no bound.
    pub(super) fn of(since: Option<i64>, until: Option<i64>) -> Option<Self> {
        if since.is_none() && until.is_none() {
            return None;
        }
        let first = since.map_or(i64::MIN, |since| since.div_euclid(MICROS_A_DAY) - MARGIN);
        let last = until.map_or(i64::MAX, |until| {
            until.saturating_sub(1).div_euclid(MICROS_A_DAY) + MARGIN
        });
        Some(Self { first, last })
    }

    /// What the window says about the folders `names`, which are all the folders in a folder whose
    /// path spells `parent`.
    pub(super) fn judge(self, parent: PathDate, names: &[&str]) -> Vec<FolderVerdict> {
        let numbers_fit = names
            .iter()
            .filter(|name| is_number(name))
            .all(|name| parent.allows(name));
        names
            .iter()
            .map(|name| {
                if is_number(name) && !numbers_fit {
                    // Numbers, but not of a date: nothing is known from here on.
                    return FolderVerdict::Open(PathDate::Not.then(name));
                }
                let dated = parent.then(name);
                match (dated.days(), dated) {
                    (Some(days), _) if !self.meets(days) => FolderVerdict::Outside,
                    (Some(_), PathDate::Day(day)) => FolderVerdict::Inside(day),
                    _ => FolderVerdict::Open(dated),
                }
            })
            .collect()
    }

    /// Does the path of an object, below a folder whose path spells `parent`, say that it belongs
    /// to another time? In a flat listing the numbers beside it are unknown, so that only a whole
    /// day or parts with names count.
    pub(super) fn excludes(self, parent: PathDate, path: &str) -> bool {
        let Some((folders, _)) = path.rsplit_once('/') else {
            return false;
        };
        if matches!(parent, PathDate::Day(_)) {
            return false;
        }
        let dated = folders.split('/').fold(parent, PathDate::then);
        let is_certain = !matches!(dated, PathDate::Month { named: false, .. });
        is_certain && dated.days().is_some_and(|days| !self.meets(days))
    }

    /// Is one of the days `[from, end)` in the range?
    const fn meets(self, (from, end): (i64, i64)) -> bool {
        from <= self.last && end > self.first
    }
}
