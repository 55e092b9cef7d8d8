//! What was refused, grouped, with the smallest rule that would allow it.
//!
//! A user who is refused many different things is a scanner or an attacker rather than an account
//! that lacks a grant, and is set apart. Not responsible for: granting it (`suggest.rs`).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rbac::objects::RbacRule;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;
use crate::rbac::request::ObservedRequest;
use crate::rbac::usage::UseRecord;

/// Refused requests of one user for one verb on one resource in one namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedAccess {
    /// Who.
    pub identity: Arc<Identity>,
    /// Where; empty outside any namespace: there a ClusterRoleBinding is needed.
    pub namespace: String,
    /// The smallest rule that would allow all of it.
    pub rule: RbacRule,
    /// How often and when.
    pub record: UseRecord,
    /// The same user was also allowed one of these requests in the window.
    pub was_allowed_too: bool,
    /// The user was refused at least as many different things as asked for.
    pub is_broad: bool,
}

/// User, namespace, verb, group, resource, path.
type DeniedKey<'o> = (&'o str, &'o str, &'o str, &'o str, String, Option<&'o str>);

/// Verb, group, resource, path.
type DeniedThing<'o> = (&'o str, &'o str, String, Option<&'o str>);

/// Groups refused requests, most frequent first. Users who were refused `broad_from` different
/// verbs on resources or paths, or more, are marked.
pub fn denied(observed: &[ObservedRequest], broad_from: usize) -> Vec<DeniedAccess> {
    let mut groups: BTreeMap<DeniedKey<'_>, Vec<&ObservedRequest>> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, BTreeSet<DeniedThing<'_>>> = BTreeMap::new();
    let mut allowed: BTreeSet<(&str, &AccessRequest)> = BTreeSet::new();
    for one in observed {
        let (user, request) = (one.identity.name.as_str(), &one.request);
        if one.outcome != AccessOutcome::Refused {
            allowed.insert((user, request));
            continue;
        }
        let (verb, group) = (request.verb.as_str(), request.api_group.as_str());
        let (resource, path) = (request.combined_resource(), request.path.as_deref());
        let kind = (verb, group, resource.clone(), path);
        kinds.entry(user).or_default().insert(kind);
        let key = (
            user,
            request.namespace.as_str(),
            verb,
            group,
            resource,
            path,
        );
        groups.entry(key).or_default().push(one);
    }
    let mut found: Vec<DeniedAccess> = groups
        .into_iter()
        .filter_map(
            |((user, namespace, verb, group, resource, path), requests)| {
                let first = requests.first()?;
                let mut record = UseRecord::default();
                let name: Arc<str> = user.into();
                requests.iter().for_each(|one| record.add(one, &name));
                let names: BTreeSet<&String> =
                    requests.iter().map(|one| &one.request.name).collect();
                let is_any = names.iter().any(|name| name.is_empty());
                let text = |text: &str| vec![text.to_owned()];
                let rule = match path {
                    Some(path) => RbacRule {
                        verbs: text(verb),
                        non_resource_urls: text(path),
                        ..RbacRule::default()
                    },
                    None => RbacRule {
                        verbs: text(verb),
                        api_groups: text(group),
                        resources: vec![resource],
                        resource_names: names.into_iter().filter(|_| !is_any).cloned().collect(),
                        ..RbacRule::default()
                    },
                };
                let mut each = requests.iter();
                Some(DeniedAccess {
                    identity: Arc::clone(&first.identity),
                    namespace: namespace.to_owned(),
                    rule,
                    record,
                    was_allowed_too: each.any(|one| allowed.contains(&(user, &one.request))),
                    is_broad: kinds.get(user).map_or(0, BTreeSet::len) >= broad_from,
                })
            },
        )
        .collect();
    found.sort_by_key(|one| Reverse(one.record.uses));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(user: &str, verb: &str, name: &str, outcome: AccessOutcome) -> ObservedRequest {
        ObservedRequest {
            identity: Arc::new(Identity {
                name: user.to_owned(),
                groups: Vec::new(),
            }),
            request: AccessRequest {
                verb: verb.to_owned(),
                namespace: "dev".to_owned(),
                resource: "secrets".to_owned(),
                name: name.to_owned(),
                ..AccessRequest::default()
            },
            outcome,
            count: 2,
            first: 1,
            last: 2,
            samples: vec![name.to_owned()],
        }
    }

    #[test]
    fn the_smallest_rule_of_each_group() {
        use AccessOutcome::{Allowed, Refused};
        let log = [
            observed("ann", "get", "a", Refused),
            observed("ann", "get", "b", Refused),
            observed("ann", "get", "b", Allowed),
            observed("ann", "list", "", Refused),
            observed("bob", "list", "", Refused),
        ];
        let groups = denied(&log, 2);
        let told: Vec<_> = groups
            .iter()
            .map(|one| {
                let names = one.rule.resource_names.join(",");
                let verb = one.rule.verbs[0].as_str();
                let user = one.identity.name.as_str();
                (
                    user,
                    verb,
                    names,
                    one.record.uses,
                    one.was_allowed_too,
                    one.is_broad,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("ann", "get", "a,b".to_owned(), 4, true, true),
                ("ann", "list", String::new(), 2, false, true),
                ("bob", "list", String::new(), 2, false, false),
            ]
        );
    }
}
