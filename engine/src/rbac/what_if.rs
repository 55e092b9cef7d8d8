//! Changed grants against past requests: which would have failed, which would have passed.
//!
//! Requests that other authorizers allowed are left out: RBAC changes nothing for them. Not
//! responsible for: reading the changed objects.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::rbac::aggregate::resolve_aggregation;
use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::objects::RbacObjects;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::ObservedRequest;

/// A request on which two states disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedDecision<'o> {
    /// The request.
    pub observed: &'o ObservedRequest,
    /// It passes after the change; else it fails.
    pub is_allowed: bool,
    /// What decided: the rule that allowed it before, or allows it now, as a reason.
    pub reason: String,
}

/// The requests that the change decides otherwise, in the order of the log.
pub fn changed_decisions<'o>(
    before: &RbacAuthorizer,
    after: &RbacAuthorizer,
    observed: &'o [ObservedRequest],
) -> Vec<ChangedDecision<'o>> {
    let mut changed = Vec::new();
    for one in observed
        .iter()
        .filter(|one| one.outcome != AccessOutcome::AllowedByOther)
    {
        let (identity, request) = (&one.identity, &one.request);
        let was_allowed = before.allows(identity, request);
        let is_allowed = after.allows(identity, request);
        if was_allowed == is_allowed {
            continue;
        }
        let deciding = if is_allowed { after } else { before };
        changed.push(ChangedDecision {
            observed: one,
            is_allowed,
            reason: deciding.decide(identity, request).reason,
        });
    }
    changed
}

/// The objects after `kubectl apply` of others: added or replaced by key. Aggregated roles that
/// select a changed role are filled in again.
pub fn applied(objects: &RbacObjects, changes: &RbacObjects) -> RbacObjects {
    let mut after = objects.clone();
    let places = after.roles.iter().enumerate();
    let roles: HashMap<_, _> = places.map(|(at, role)| (role.key.clone(), at)).collect();
    let places = after.bindings.iter().enumerate();
    let bindings: HashMap<_, _> = places.map(|(at, one)| (one.key.clone(), at)).collect();
    for role in &changes.roles {
        match roles.get(&role.key).and_then(|at| after.roles.get_mut(*at)) {
            Some(place) => *place = Arc::clone(role),
            None => after.roles.push(Arc::clone(role)),
        }
    }
    for binding in &changes.bindings {
        match bindings
            .get(&binding.key)
            .and_then(|at| after.bindings.get_mut(*at))
        {
            Some(place) => *place = Arc::clone(binding),
            None => after.bindings.push(Arc::clone(binding)),
        }
    }
    after
        .service_accounts
        .extend(changes.service_accounts.iter().cloned());
    after.workloads.extend(changes.workloads.iter().cloned());
    let changed: HashSet<String> = changes
        .roles
        .iter()
        .map(|role| role.key.name.clone())
        .collect();
    resolve_aggregation(&mut after, &changed);
    after
}
