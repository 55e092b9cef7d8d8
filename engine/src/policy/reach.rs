//! Rules that decide no request: a policy in, the unreachable rules and what takes their requests
//! out.
//!
//! Exact with respect to `evaluate.rs`. A condition that a rule does not have is best met by a value
//! that no other rule names, and one group by itself is matched by the fewest rules; so for each
//! choice among the values that a rule does list, one request decides whether any escapes the
//! earlier rules. Not responsible for: whether a cluster has such requests (`lint/names.rs`).

use std::collections::BTreeSet;

use super::model::{AuditPolicy, GroupResources, PolicyRule};
use super::request::RequestedTarget;

/// A value that no policy names.
const FRESH: &str = "\u{1}other";
const FRESH_PATH: &str = "/\u{1}other";

/// How many comparisons are made for one rule before it counts as reachable.
const BUDGET: usize = 4_000_000;

/// A rule that never decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreachableRule {
    /// The rule, counted from 1.
    pub rule: usize,
    /// The earlier rules that take its requests, counted from 1; empty if no request at all meets
    /// the rule's conditions.
    pub taken_by: Vec<usize>,
}

impl AuditPolicy {
    /// The rules that decide no request, in order.
    pub fn unreachable_rules(&self) -> Vec<UnreachableRule> {
        (0..self.rules.len())
            .filter_map(|position| {
                let taken_by = taken_by(self, position)?;
                Some(UnreachableRule {
                    rule: position + 1,
                    taken_by: taken_by.into_iter().map(|earlier| earlier + 1).collect(),
                })
            })
            .collect()
    }
}

/// Earlier rules with their positions.
type EarlierRules<'p> = Vec<(usize, &'p PolicyRule)>;

/// The earlier rules that take every request of a rule, or `None` if one escapes them.
///
/// Condition by condition, so that rules that cannot match are compared once.
fn taken_by(policy: &AuditPolicy, position: usize) -> Option<BTreeSet<usize>> {
    let rule = policy.rules.get(position)?;
    let earlier: EarlierRules<'_> = policy.rules.iter().enumerate().take(position).collect();
    let targets: Vec<TriedTarget<'_>> = targets(rule)
        .into_iter()
        .filter(|target| rule.target_mismatch(target.borrowed()).is_none())
        .collect();
    let mut takers = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut budget = BUDGET;
    for user in users(rule) {
        for group in groups(rule) {
            let groups: Vec<&str> = group.into_iter().collect();
            let of_user = kept(&earlier, |other| {
                other.user_mismatch(user, &groups).is_none()
            });
            for verb in verbs(rule) {
                let of_verb = kept(&of_user, |other| other.verb_mismatch(verb).is_none());
                // Targets fare alike with the same rules.
                if !seen.insert(of_verb.iter().map(|(at, _)| *at).collect::<Vec<_>>()) {
                    continue;
                }
                for target in &targets {
                    let target = target.borrowed();
                    let taker = of_verb
                        .iter()
                        .find(|(_, other)| other.target_mismatch(target).is_none());
                    budget = budget.checked_sub(of_verb.len() + 1)?;
                    takers.insert(taker?.0);
                }
            }
        }
    }
    Some(takers)
}

fn kept<'p>(rules: &EarlierRules<'p>, fits: impl Fn(&PolicyRule) -> bool) -> EarlierRules<'p> {
    let fitting = rules.iter().filter(|(_, rule)| fits(rule));
    fitting.copied().collect()
}

fn users(rule: &PolicyRule) -> Vec<Option<&str>> {
    if !rule.users.is_empty() {
        return rule.users.iter().map(|user| Some(user.as_str())).collect();
    }
    match rule.user_groups.is_empty() {
        // Without a user: fewer rules match than with any.
        true => vec![None],
        false => vec![Some(FRESH)],
    }
}

fn groups(rule: &PolicyRule) -> Vec<Option<&str>> {
    match rule.user_groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(|group| Some(group.as_str())).collect(),
    }
}

fn verbs(rule: &PolicyRule) -> Vec<&str> {
    listed_or_fresh(&rule.verbs)
}

fn listed_or_fresh(values: &[String]) -> Vec<&str> {
    match values {
        [] => vec![FRESH],
        values => values.iter().map(String::as_str).collect(),
    }
}

/// A target with its own text where a path is made up.
enum TriedTarget<'a> {
    Resource(RequestedTarget<'a>),
    Path(String),
}

impl TriedTarget<'_> {
    fn borrowed(&self) -> RequestedTarget<'_> {
        match self {
            Self::Resource(target) => *target,
            Self::Path(path) => RequestedTarget::Path(path),
        }
    }
}

fn targets(rule: &PolicyRule) -> Vec<TriedTarget<'_>> {
    let for_resources = !rule.resources.is_empty() || !rule.namespaces.is_empty();
    let mut targets = Vec::new();
    if for_resources || rule.non_resource_urls.is_empty() {
        for namespace in listed_or_fresh(&rule.namespaces) {
            add_resources(rule, namespace, &mut targets);
        }
    }
    if !for_resources {
        targets.extend(paths(rule).into_iter().map(TriedTarget::Path));
    }
    targets
}

fn paths(rule: &PolicyRule) -> Vec<String> {
    // The path of `GET http://host` is empty.
    let any = [FRESH_PATH.to_owned(), String::new()];
    if rule.non_resource_urls.is_empty() {
        return any.to_vec();
    }
    let mut paths = Vec::new();
    for pattern in &rule.non_resource_urls {
        match pattern.ends_with('*') {
            _ if pattern == "*" => paths.extend(any.clone()),
            true => paths.push(format!("{}{FRESH}", pattern.trim_end_matches('*'))),
            false => paths.push(pattern.clone()),
        }
    }
    paths
}

fn add_resources<'a>(rule: &'a PolicyRule, namespace: &'a str, targets: &mut Vec<TriedTarget<'a>>) {
    let mut add = |api_group, resource, subresource, name| {
        targets.push(TriedTarget::Resource(RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            namespace,
            name,
        }));
    };
    if rule.resources.is_empty() {
        add(FRESH, FRESH, "", FRESH);
    }
    for entry in &rule.resources {
        let api_group = match entry.group.as_str() {
            "*" => FRESH,
            group => group,
        };
        for (resource, subresource) in tried_resources(entry) {
            for name in listed_or_fresh(&entry.resource_names) {
                add(api_group, resource, subresource, name);
            }
        }
    }
}

/// Resources with subresources, one for each way in which an entry can match.
fn tried_resources(entry: &GroupResources) -> Vec<(&str, &str)> {
    let mut tried = Vec::new();
    if entry.resources.is_empty() {
        tried.push((FRESH, ""));
    }
    for pattern in entry.resources.iter().map(String::as_str) {
        if pattern == "*" {
            tried.push((FRESH, ""));
            continue;
        }
        if let Some(subresource) = pattern.strip_prefix("*/") {
            tried.push((FRESH, subresource));
        }
        if let Some(resource) = pattern.strip_suffix("/*") {
            tried.extend([(resource, FRESH), (resource, "")]);
        }
        tried.push(pattern.split_once('/').unwrap_or((pattern, "")));
    }
    tried
}
