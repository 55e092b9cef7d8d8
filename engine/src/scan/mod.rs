//! The reading of an input: a plan in, batches of rows and an account of every record out.
//!
//! - [`plan`]: objects → pieces of work, plain data;
//! - [`worker`]: a piece → batches;
//! - [`records`]: a chunk → events, rejects, skips; [`unwrap`]: what lies in envelopes;
//! - [`seen`]: which events came before; [`witness`]: what is known of the bytes;
//! - [`report`]: the account;
//! - [`prefilter`]: the part of a query's filter that saves building rows;
//! - [`exec`]: the DataFusion plan node that runs it.

pub(crate) mod exec;
pub(crate) mod plan;
pub(crate) mod prefilter;
pub(crate) mod records;
pub(crate) mod report;
pub(crate) mod seen;
mod unwrap;
pub(crate) mod witness;
pub(crate) mod worker;
