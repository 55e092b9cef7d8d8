//! Recorded events as the rooms of access see them: the rows of fixed statements in, plain facts
//! and answers out.
//!
//! - `policy`: statements over `events`, and their rows as facts for the room `policy`;
//! - `request_kinds`: the kinds of requests that a saved query looks at;
//! - `evidence`: what the events hold of what saved queries look at, before and after a policy;
//! - `coverage`: which saved queries a policy or a log lets one ask;
//! - `signatures`: which saved queries a log cannot answer with anything, by the kinds of its requests;
//! - `rbac`: requests and decisions for the room `rbac`, and its answers as rows.
//!
//! Pure apart from Arrow. Not responsible for: running the statements, words for people.

mod coverage;
mod evidence;
mod policy;
mod rbac;
mod request_kinds;
mod signatures;

pub use coverage::{CoverageStatus, CoverageUnit, LogCoverage, QueryCoverage, policy_coverage};
pub use evidence::{EvidenceShare, EvidenceTally};
pub use policy::{
    ALL_REQUESTS, EventShapes, JudgedEvents, RequestRows, shapes_statement, sized_shapes_statement,
};
pub use rbac::*;
pub(crate) use signatures::{LogSignatures, SIGNATURES};
