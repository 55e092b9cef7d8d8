//! Role-based access control as Kubernetes evaluates it: objects and requests in, answers out.
//!
//! In: roles and bindings, from dumps, manifests and audit logs, and requests in the terms of
//! authorization, counted, or the events that tell of them. Out: decisions with the apiserver's
//! reasons, what is granted and used, what can go, what would be enough.
//!
//! Not responsible for: SQL, tables, opening inputs. Nothing here knows DataFusion.

mod aggregate;
mod authorizer;
mod bootstrap;
mod compact;
mod dangling;
mod decode;
mod denied;
mod document;
mod escalation;
mod event;
mod head;
mod history;
mod impersonation;
mod implied;
mod index;
mod judge;
mod manifest;
mod matching;
mod objects;
mod observed;
mod permission;
mod quote;
mod read;
mod removal;
mod request;
mod risk;
mod shape;
mod suggest;
#[cfg(test)]
mod tests;
mod usage;
mod validity;
mod what_if;
mod wildcard;

pub use aggregate::resolve_aggregation;
pub use authorizer::{Cover, RbacAuthorizer, RbacDecision};
pub use bootstrap::{BOOTSTRAP_VERSIONS, bootstrap_objects, lay_bootstrap_under};
pub use dangling::{DanglingObjects, dangling, needless_mounts, unused_accounts};
pub use denied::{DeniedAccess, denied};
pub use document::looks_like_objects;
pub use escalation::{EscalationPath, EscalationStep, RiskFinding, RiskReport, risks};
pub use event::{AccessEvent, EventUser};
pub use history::{
    HistoryCursor, RbacChange, RbacHistory, RbacObject, RbacObjectKey, RbacVersion, RbacWrite,
};
pub use impersonation::{
    ImpersonationMode, ImpersonationTarget, allowing_mode, impersonation_checks,
};
pub use implied::{access_review, implied_create, implied_stream};
pub use index::BoundRole;
pub use judge::{
    AccessJudgement, DecidingAuthorizer, MASTERS, RecordedDecision, decided_by, is_node, judge,
};
pub use manifest::{binding_yaml, role_yaml, rule_yaml, suggestion_yaml};
pub use objects::{
    BindingKey, BindingKind, LabelRequirement, ObjectOrigin, RbacBinding, RbacObjects, RbacRole,
    RbacRule, RbacSubject, RoleKey, RoleKind, ServiceAccountObject, SubjectKey, SubjectKind,
    WorkloadObject, service_account_of, service_account_user,
};
pub use observed::{ObservedRequests, ObservedTally};
pub use permission::{Permission, PermissionTarget, RbacGrant, RulePermissions};
pub use read::{ManifestReader, ObjectConflict, ObjectFault, ObjectReject, ReadObjects};
pub use removal::{RemovableUnit, RemovalOptions, RemovalUnit, removable, without};
pub use request::{AccessOutcome, AccessRequest, Identity, ObservedRequest};
pub use risk::{RISKS, RiskKind, RiskLevel, RiskReach};
pub use suggest::{
    OmittedRequest, SuggestOptions, SuggestedRole, Suggestion, SuggestionProof, objects_of, suggest,
};
pub use usage::{
    BindingScopeUse, RbacUsage, UsageRow, UsageStatus, UseRecord, scope_uses, without_event,
};
pub use what_if::{ChangedDecision, applied, changed_decisions};
pub use wildcard::{WildcardUse, wildcard_lists, wildcard_uses};
