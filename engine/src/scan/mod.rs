//! The reading of an input: a plan in; rows for a query, or records for a conversion, and an account
//! of every record out.
//!
//! - [`look`]: objects → a [`plan`], which is plain data, and its handles ([`open`], [`spool`]);
//! - [`job`]: the one pool: pieces → workers → a `Collector`; [`piece`] and [`whole`] read one;
//! - [`shared`]: what the pieces of a scan tell each other, in one process;
//! - [`exec`]: the DataFusion plan node, with [`rows`] as its collectors, [`metrics`], and
//!   [`prefilter`], the part of a query's filter that saves building rows;
//! - [`locate`]: the lines of the rejects that messages show.
//!
//! Not responsible for: what a record is (`record/`), where its account is kept (`account/`).

mod chunks;
pub(crate) mod exec;
pub(crate) mod job;
pub(crate) mod locate;
pub(crate) mod look;
mod metrics;
pub(crate) mod open;
mod piece;
pub(crate) mod plan;
pub(crate) mod prefilter;
mod rows;
pub(crate) mod shared;
mod spool;
mod whole;
