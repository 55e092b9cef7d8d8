//! Audit policies: a document and requests in, what the apiserver would record out.
//!
//! [`load_policy`] reads a policy as the apiserver's loader does, with every reason to refuse it;
//! [`lint_policy`] adds what its author will regret. [`AuditPolicy::decide`] and
//! [`AuditPolicy::explain`] answer for one request, [`AuditPolicy::class_decisions`] for a class of
//! them. [`PolicySimulation`] says what a policy would have recorded of a log,
//! [`SuggestionSearch`] which rules would cut noise, [`ObservedLevels`] what a log without a policy
//! shows of the one behind it.
//!
//! Pure: text and plain facts in, answers out. Not responsible for: files, logs, SQL, output.

mod catalogue;
mod class;
mod decode;
mod document;
mod evaluate;
mod explain;
mod facts;
mod fields;
mod lint;
mod load;
mod metadata;
mod model;
mod notice;
mod observe;
mod reach;
mod render;
mod request;
mod simulate;
mod suggest;
mod validate;

#[cfg(test)]
mod tests;

pub(crate) use catalogue::RESOURCE_VERBS;
pub use catalogue::served_resources;
pub use class::{ClassDecision, RequestClass, RequestSender};
pub use evaluate::{PolicyDecision, RuleMismatch};
pub use explain::{PassedRule, PolicyExplanation};
pub use facts::{EventBytes, EventFacts, LogVolume};
pub use lint::{PolicyConcern, PolicyFinding, PolicyLint, lint_policy};
pub use load::{LoadedPolicy, load_policy};
pub use model::{AuditPolicy, GroupResources, PolicyLevel, PolicyRule, PolicyStage};
pub use notice::{PolicyRefusal, PolicyWarning, WarningKind};
pub use observe::{LogEvidence, ObservedClass, ObservedLevels, ObservedRow};
pub use reach::UnreachableRule;
pub use request::{RequestAttributes, RequestedTarget};
pub use simulate::{PolicySimulation, SimulatedRow, SimulationReport};
pub use suggest::{PolicyChange, PolicySuggestion, SuggestionSearch};
