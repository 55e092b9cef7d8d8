//! The load of the benches: a deterministic generator of audit logs, in several profiles.

mod generate;

pub use generate::{Profile, Summary, generate};
