//! Role-based access control as Kubernetes evaluates it: objects and requests in, answers out.
//!
//! In: roles and bindings, from dumps, manifests and audit logs, and requests in the terms of
//! authorization, counted. Out: decisions with the apiserver's reasons, what is granted and used,
//! what can go, what would be enough.
//!
//! Not responsible for: SQL, tables, opening inputs, taking requests from events. Nothing here knows
//! DataFusion.

mod aggregate;
mod authorizer;
mod decode;
mod document;
mod history;
mod impersonation;
mod index;
mod judge;
mod matching;
mod objects;
mod quote;
mod read;
mod request;
mod validity;

pub use aggregate::resolve_aggregation;
pub use authorizer::{Cover, RbacAuthorizer, RbacDecision};
pub use document::looks_like_objects;
pub use history::{
    HistoryCursor, RbacChange, RbacHistory, RbacObject, RbacObjectKey, RbacVersion, RbacWrite,
};
pub use impersonation::{
    ImpersonationMode, ImpersonationTarget, allowing_mode, impersonation_checks,
};
pub use index::BoundRole;
pub use judge::{
    AccessJudgement, DecidingAuthorizer, MASTERS, RecordedDecision, decided_by, is_node, judge,
};
pub use objects::{
    BindingKey, BindingKind, LabelRequirement, ObjectOrigin, RbacBinding, RbacObjects, RbacRole,
    RbacRule, RbacSubject, RoleKey, RoleKind, ServiceAccountObject, SubjectKey, SubjectKind,
    WorkloadObject, service_account_of, service_account_user,
};
pub use read::{ObjectConflict, ObjectFault, ObjectReader, ObjectReject, ReadObjects};
pub use request::{AccessOutcome, AccessRequest, Identity, ObservedRequest};
