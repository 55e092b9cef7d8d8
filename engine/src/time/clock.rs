//! What time it is: the system's clock, or one that a test sets; microseconds since the epoch out.
//!
//! The only place that asks the system for the time. Whoever needs it is given a [`Clock`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::rfc3339::{FIRST_SECOND, LAST_SECOND};

/// Tells the time. Clones tell the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// The time, where it was set; otherwise it is the system's.
    set: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self { set: None }
    }

    /// A clock that stands still at this time, in microseconds since the epoch, until it is
    /// [set](Self::set).
    pub fn fixed(micros: i64) -> Self {
        Self {
            set: Some(Arc::new(AtomicI64::new(micros))),
        }
    }

    /// Sets this clock and its clones. The system's clock is left as it is.
    pub fn set(&self, micros: i64) {
        if let Some(set) = &self.set {
            set.store(micros, Ordering::Relaxed);
        }
    }

    /// Now, in microseconds since the epoch. A time that RFC 3339 cannot spell becomes the nearest
    /// one that it can: it is written to logs and into names of folders.
    pub fn now(&self) -> i64 {
        let micros = match &self.set {
            Some(set) => set.load(Ordering::Relaxed),
            None => micros_of(SystemTime::now()),
        };
        micros.clamp(FIRST_SECOND * 1_000_000, LAST_SECOND * 1_000_000)
    }

    /// Now, in milliseconds since the epoch, as Delta's log has it.
    pub(crate) fn now_millis(&self) -> i64 {
        self.now().div_euclid(1000)
    }
}

/// A time of the system, as of a file, in microseconds since the epoch; one before it is negative.
pub(crate) fn micros_of(time: SystemTime) -> i64 {
    let micros = |duration: std::time::Duration| i64::try_from(duration.as_micros());
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since).unwrap_or(i64::MAX),
        Err(before) => micros(before.duration()).map_or(i64::MIN, |before| -before),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::format_time;

    #[test]
    fn clones_tell_the_same_time() {
        let clock = Clock::fixed(7);
        let clone = clock.clone();
        assert_eq!((clock.now(), clone.now_millis()), (7, 0));
        clone.set(-1);
        assert_eq!((clock.now(), clock.now_millis()), (-1, -1));
    }

    #[test]
    fn any_time_can_be_spelled() {
        let spelled = |micros: i64| format_time(Clock::fixed(micros).now());
        assert_eq!(spelled(i64::MIN), "0001-01-01T00:00:00.000000Z");
        assert_eq!(spelled(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(spelled(i64::MAX), "9999-12-31T23:59:59.000000Z");
    }

    #[test]
    fn times_of_files() {
        assert_eq!(micros_of(UNIX_EPOCH + Duration::from_micros(5)), 5);
        assert_eq!(micros_of(UNIX_EPOCH - Duration::from_micros(5)), -5);
    }
}
