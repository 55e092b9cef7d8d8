//! Saved queries as checks: a plan in, the same plan with the lines behind each row out; rows in,
//! findings with evidence and a fingerprint out.
//!
//! - [`trace`]: a plan → the plan with one column more, the lines behind each row;
//! - [`lines`], [`functions`]: these lines as a value, and the functions that make and merge them;
//! - [`columns`]: the columns of `events` that a plan reads;
//! - [`finding`], [`values`]: a row → a finding;
//! - [`outcome`]: what came of a query, and of all of them.
//!
//! Not responsible for: running plans, the spool (`engine/`), what is accepted, words for people.

pub(crate) mod columns;
pub(crate) mod finding;
pub(crate) mod functions;
mod lines;
mod outcome;
pub(crate) mod trace;
mod values;

pub use finding::{Finding, FindingRow};
pub use lines::EvidenceLine;
pub use outcome::{CheckReport, CheckStatus, QueryOutcome};
