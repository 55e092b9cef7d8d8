//! The window of time that a run looks at.

/// The half-open interval of `stage_timestamp` that a run looks at, in microseconds since the
/// epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub since: Option<i64>,
    /// Before.
    pub until: Option<i64>,
}

impl Window {
    /// Is there a bound at all?
    pub const fn is_bounded(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Is this time inside? No time is inside no bounded window.
    pub(crate) fn holds(&self, micros: Option<i64>) -> bool {
        !self.is_bounded()
            || micros.is_some_and(|at| {
                self.since.is_none_or(|since| at >= since)
                    && self.until.is_none_or(|until| at < until)
            })
    }
}
