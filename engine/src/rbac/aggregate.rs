//! Aggregated ClusterRoles: the rules that their controller would fill in, as
//! `pkg/controller/clusterroleaggregation` does, to a fixed point.
//!
//! A role with rules, and a role of a live cluster, stays as it is: there the controller was.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::sync::Arc;

use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RbacRole;
use crate::rbac::objects::RbacRule;
use crate::rbac::objects::RoleKind;

/// Fills in the rules of aggregated roles that have none and are not from a live cluster; also those
/// of live ones that select a role in `changed`, because the controller would update them.
pub fn resolve_aggregation(objects: &mut RbacObjects, changed: &HashSet<String>) {
    let selects_changed = |role: &RbacRole| {
        let mut others = objects.roles.iter();
        others.any(|other| changed.contains(&other.key.name) && is_selected(role, other))
    };
    let open: BTreeSet<usize> = (0..objects.roles.len())
        .filter(|at| {
            let role = &objects.roles[*at];
            let is_open = role.rules.is_empty() && !role.origin.is_live();
            role.aggregation.is_some() && (is_open || selects_changed(role))
        })
        .collect();
    let mut by_name: Vec<usize> = (0..objects.roles.len())
        .filter(|at| objects.roles[*at].key.kind == RoleKind::ClusterRole)
        .collect();
    by_name.sort_by(|a, b| objects.roles[*a].key.name.cmp(&objects.roles[*b].key.name));
    for at in &open {
        Arc::make_mut(&mut objects.roles[*at]).rules.clear();
    }
    // Rules only ever come in, and each role's at most once each.
    loop {
        let mut grew = false;
        for at in &open {
            let rules = aggregated(objects, *at, &by_name);
            if rules.len() > objects.roles[*at].rules.len() {
                Arc::make_mut(&mut objects.roles[*at]).rules = rules;
                grew = true;
            }
        }
        if !grew {
            break;
        }
    }
}

fn aggregated(objects: &RbacObjects, at: usize, by_name: &[usize]) -> Vec<RbacRule> {
    let role = &objects.roles[at];
    let mut seen = HashSet::new();
    let mut rules = Vec::new();
    for selector in role.aggregation.iter().flatten() {
        for other in by_name.iter().filter(|other| **other != at) {
            let other = &objects.roles[*other];
            if !selector.iter().all(|one| one.matches(&other.origin.labels)) {
                continue;
            }
            for rule in &other.rules {
                if seen.insert(rule) {
                    rules.push(rule.clone());
                }
            }
        }
    }
    rules
}

fn is_selected(role: &RbacRole, other: &RbacRole) -> bool {
    let labels = &other.origin.labels;
    other.key.kind == RoleKind::ClusterRole
        && role.key != other.key
        && role.aggregation.iter().flatten().any(|selector| {
            let mut requirements = selector.iter();
            requirements.all(|requirement| requirement.matches(labels))
        })
}
