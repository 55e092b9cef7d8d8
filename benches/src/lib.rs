//! The load of the benches: a deterministic generator of cluster-like audit logs.

mod generate;

pub use generate::{Summary, generate};
