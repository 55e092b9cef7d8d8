//! Chunks of whole records in; events, rejects and skips out, each with where it lies.
//!
//! - [`records`]: where a record becomes an event or is counted as something else;
//! - [`unwrap`]: what lies in envelopes;
//! - [`seen`]: which events came before.
//!
//! Not responsible for: what a query wants. The verdict is the same for every question.

pub(crate) mod records;
pub(crate) mod seen;
pub(crate) mod unwrap;
