//! Audit policies: a document and requests in, what the apiserver would record out.
//!
//! [`load_policy`] reads a policy as the apiserver's loader does, with every reason to refuse it.
//!
//! Pure: text and plain facts in, answers out. Not responsible for: files, logs, SQL, output.

mod decode;
mod document;
mod evaluate;
mod load;
mod metadata;
mod model;
mod request;
mod validate;

#[cfg(test)]
mod load_tests;

pub use evaluate::{PolicyDecision, RuleMismatch};
pub use load::{LoadedPolicy, PolicyRefusal, PolicyWarning, WarningKind, load_policy};
pub use model::{AuditPolicy, GroupResources, PolicyLevel, PolicyRule, PolicyStage};
pub use request::{RequestAttributes, RequestedTarget};
