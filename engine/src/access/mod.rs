//! Recorded events as the rooms of access see them: the rows of fixed statements in, plain facts
//! and answers out.
//!
//! - [`rbac`]: requests and decisions for the room `rbac`, and its answers as rows.
//!
//! Pure apart from Arrow. Not responsible for: running the statements, words for people.

mod rbac;

pub use rbac::*;
