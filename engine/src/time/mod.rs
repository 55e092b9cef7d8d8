//! Times and spans as text, windows of time, and the clock: text in, microseconds since the epoch
//! out.
//!
//! Everything is UTC, in microseconds since 1970-01-01T00:00:00Z, as `i64`. Not responsible for:
//! Go durations inside annotations (`function/duration.rs`).

mod clock;
mod rfc3339;
mod span;
mod window;

pub use clock::Clock;
pub(crate) use clock::micros_of;
pub use rfc3339::format_time;
pub(crate) use rfc3339::{CANONICAL_LENGTH, format_micros, parse_micros};
pub use span::{parse_duration, parse_time};
pub use window::Window;

/// Microseconds of a day.
pub(crate) const MICROS_A_DAY: i64 = 86_400_000_000;
