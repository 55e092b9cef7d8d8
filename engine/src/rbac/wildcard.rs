//! Rules with wildcards: what they were used for, and the rules that would replace them.
//!
//! Not responsible for: rules without a use (`removal.rs`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::compact;
use crate::rbac::compact::GrantedAtom;
use crate::rbac::objects::RbacRule;
use crate::rbac::objects::RoleKey;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::ObservedRequest;
use crate::rbac::usage::UseRecord;

/// A rule with `*` in it, and its use through all bindings of the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WildcardUse {
    /// The role.
    pub role: RoleKey,
    /// 0-based index of the rule.
    pub rule: usize,
    /// Which lists have a wildcard: `verbs`, `apiGroups`, `resources`, `nonResourceURLs`.
    pub lists: Vec<&'static str>,
    /// Namespaces in which it was used; `""` for requests without one.
    pub namespaces: BTreeSet<String>,
    /// The rules that would replace it, each with its use: without names, unless the rule has them.
    pub replacement: Vec<(RbacRule, UseRecord)>,
    /// Requests that no other rule than one with a wildcard can allow.
    pub irreplaceable: u64,
}

/// Every rule with a wildcard in a role that is bound, by role and rule.
pub fn wildcard_uses(
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
) -> Vec<WildcardUse> {
    let mut found: BTreeMap<(&RoleKey, usize), WildcardUse> = BTreeMap::new();
    // By where the rule lies: requests ask for it often.
    let mut keys: HashMap<*const RbacRule, (&RoleKey, usize)> = HashMap::new();
    for (_, bound) in authorizer.bindings() {
        let Some(role) = &bound.role else { continue };
        for (at, rule) in role.rules.iter().enumerate() {
            let lists = wildcard_lists(rule);
            if !lists.is_empty() {
                keys.insert(rule, (&role.key, at));
                found.entry((&role.key, at)).or_insert_with(|| WildcardUse {
                    role: role.key.clone(),
                    rule: at,
                    lists,
                    namespaces: BTreeSet::new(),
                    replacement: Vec::new(),
                    irreplaceable: 0,
                });
            }
        }
    }
    let mut atoms: BTreeMap<(&RoleKey, usize), BTreeMap<GrantedAtom, UseRecord>> = BTreeMap::new();
    for one in observed
        .iter()
        .filter(|one| one.outcome == AccessOutcome::Allowed)
    {
        let user: Arc<str> = one.identity.name.as_str().into();
        let covers = authorizer.covers(&one.identity, &one.request).into_iter();
        let mut rules: Vec<&RbacRule> = covers
            .filter_map(|cover| authorizer.rule(cover))
            .filter(|rule| keys.contains_key(&std::ptr::from_ref(*rule)))
            .collect();
        rules.sort_by_key(|rule| std::ptr::from_ref(*rule));
        rules.dedup_by_key(|rule| std::ptr::from_ref(*rule));
        for rule in rules {
            let Some(key) = keys.get(&std::ptr::from_ref(rule)) else {
                continue;
            };
            let Some(own) = found.get_mut(key) else {
                continue;
            };
            own.namespaces.insert(one.request.namespace.clone());
            if compact::pattern_in(&one.request).is_some() {
                own.irreplaceable += one.count;
                continue;
            }
            let name = (!rule.resource_names.is_empty()).then(|| one.request.name.clone());
            let atom = GrantedAtom::of(&one.request, name);
            let record = atoms.entry(*key).or_default().entry(atom).or_default();
            record.add(one, &user);
        }
    }
    for (key, atoms) in atoms {
        if let Some(own) = found.get_mut(&key) {
            own.replacement = compact::compact(atoms);
        }
    }
    found.into_values().collect()
}

/// The lists of a rule that have a wildcard.
pub fn wildcard_lists(rule: &RbacRule) -> Vec<&'static str> {
    let is_star = |list: &[String]| list.iter().any(|text| text == "*");
    let starts = |list: &[String]| {
        list.iter()
            .any(|text| text == "*" || text.starts_with("*/"))
    };
    let ends = |list: &[String]| list.iter().any(|text| text.ends_with('*'));
    let lists = [
        ("verbs", is_star(&rule.verbs)),
        ("apiGroups", is_star(&rule.api_groups)),
        ("resources", starts(&rule.resources)),
        ("nonResourceURLs", ends(&rule.non_resource_urls)),
    ];
    let found = lists.into_iter().filter(|(_, has)| *has);
    found.map(|(name, _)| name).collect()
}
