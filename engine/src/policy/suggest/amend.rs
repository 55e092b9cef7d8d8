//! A policy with a change worked in: a policy and a change in, a policy that records what the first
//! does, less what the change leaves out.
//!
//! No request is recorded at a higher level than before. Not responsible for: which changes are
//! worth it (`mod.rs`).

use super::PolicyChange;
use crate::policy::model::{AuditPolicy, GroupResources, PolicyLevel, PolicyRule};

impl AuditPolicy {
    /// The policy with a change. A rule at level None stands above the first rule that records
    /// anything; a rule at another level becomes one above each rule that records more, with the
    /// conditions of both. Where these cannot be written as one rule, that part of the change is
    /// left out.
    #[must_use]
    pub fn amended(&self, change: &PolicyChange) -> Self {
        let mut amended = self.clone();
        match change {
            PolicyChange::OmitStage(stage) => {
                if !amended.omit_stages.contains(stage) {
                    amended.omit_stages.push(*stage);
                }
            }
            PolicyChange::OmitManagedFields => amended.omit_managed_fields = true,
            PolicyChange::AddRule(rule) if rule.level == PolicyLevel::None => {
                let records = |rule: &PolicyRule| rule.level > PolicyLevel::None;
                let first = amended.rules.iter().position(records);
                let at = first.unwrap_or(amended.rules.len());
                amended.rules.insert(at, rule.clone());
            }
            PolicyChange::AddRule(rule) => {
                amended.rules.clear();
                for old in &self.rules {
                    if old.level > rule.level {
                        amended.rules.extend(both(rule, old));
                    }
                    amended.rules.push(old.clone());
                }
            }
        }
        amended
    }
}

/// A rule that matches what both match, at the level of the first, with the stages of the second.
fn both(rule: &PolicyRule, old: &PolicyRule) -> Option<PolicyRule> {
    let for_resources =
        |rule: &PolicyRule| !rule.resources.is_empty() || !rule.namespaces.is_empty();
    let for_paths = |rule: &PolicyRule| !for_resources(rule) && !rule.non_resource_urls.is_empty();
    if (for_resources(rule) && for_paths(old)) || (for_paths(rule) && for_resources(old)) {
        return None;
    }
    // A user can be in a group of each, which no list of groups says.
    let user_groups = match (rule.user_groups.as_slice(), old.user_groups.as_slice()) {
        ([], groups) | (groups, []) => groups.to_vec(),
        (new, old) if new == old => new.to_vec(),
        _ => return None,
    };
    Some(PolicyRule {
        level: rule.level,
        users: common(&rule.users, &old.users)?,
        user_groups,
        verbs: common(&rule.verbs, &old.verbs)?,
        resources: common_resources(&rule.resources, &old.resources)?,
        namespaces: common(&rule.namespaces, &old.namespaces)?,
        non_resource_urls: common_paths(&rule.non_resource_urls, &old.non_resource_urls)?,
        omit_stages: old.omit_stages.clone(),
        omit_managed_fields: old.omit_managed_fields,
        line: 0,
    })
}

/// The values that two conditions allow, of which an empty one allows all; `None` if there are none.
fn common(new: &[String], old: &[String]) -> Option<Vec<String>> {
    match (new, old) {
        ([], values) | (values, []) => Some(values.to_vec()),
        (new, old) => {
            let both: Vec<String> = new
                .iter()
                .filter(|value| old.contains(value))
                .cloned()
                .collect();
            (!both.is_empty()).then_some(both)
        }
    }
}

fn common_paths(new: &[String], old: &[String]) -> Option<Vec<String>> {
    match (new, old) {
        ([], values) | (values, []) => Some(values.to_vec()),
        (new, old) => {
            let covers = |pattern: &str, path: &str| {
                pattern == path
                    || pattern
                        .strip_suffix('*')
                        .is_some_and(|prefix| path.starts_with(prefix.trim_end_matches('*')))
            };
            let mut both: Vec<String> = Vec::new();
            for (new, old) in new
                .iter()
                .flat_map(|new| old.iter().map(move |old| (new, old)))
            {
                let narrower = match (covers(old, new), covers(new, old)) {
                    (true, _) => new,
                    (_, true) => old,
                    _ => continue,
                };
                if !both.contains(narrower) {
                    both.push(narrower.clone());
                }
            }
            (!both.is_empty()).then_some(both)
        }
    }
}

fn common_resources(new: &[GroupResources], old: &[GroupResources]) -> Option<Vec<GroupResources>> {
    if new.is_empty() || old.is_empty() {
        return Some([new, old].concat());
    }
    let mut both = Vec::new();
    for (new, old) in new
        .iter()
        .flat_map(|new| old.iter().map(move |old| (new, old)))
    {
        let group = match (new.group.as_str(), old.group.as_str()) {
            ("*", group) | (group, "*") => group,
            (new, old) if new == old => new,
            _ => continue,
        };
        let resources = match (new.resources.as_slice(), old.resources.as_slice()) {
            ([], patterns) | (patterns, []) => Some(patterns.to_vec()),
            (new, old) => common_patterns(new, old),
        };
        let (Some(resources), Some(resource_names)) =
            (resources, common(&new.resource_names, &old.resource_names))
        else {
            continue;
        };
        both.push(GroupResources {
            group: group.to_owned(),
            resources,
            resource_names,
        });
    }
    (!both.is_empty()).then_some(both)
}

/// The narrower of each two patterns of which one covers the other.
fn common_patterns(new: &[String], old: &[String]) -> Option<Vec<String>> {
    let covers = |pattern: &str, other: &str| {
        pattern == "*"
            || pattern == other
            || pattern.strip_suffix("/*").is_some_and(|resource| {
                other == resource
                    || other
                        .strip_prefix(resource)
                        .is_some_and(|rest| rest.starts_with('/'))
            })
            || pattern.strip_prefix("*/").is_some_and(|subresource| {
                other
                    .split_once('/')
                    .is_some_and(|(_, rest)| rest == subresource)
            })
    };
    let mut both: Vec<String> = Vec::new();
    for (new, old) in new
        .iter()
        .flat_map(|new| old.iter().map(move |old| (new, old)))
    {
        let narrower = match (covers(old, new), covers(new, old)) {
            (true, _) => new.clone(),
            (_, true) => old.clone(),
            // `pods/*` and `*/log`.
            _ => match (new.strip_suffix("/*"), old.strip_prefix("*/")) {
                (Some(resource), Some(subresource)) if resource != "*" && subresource != "*" => {
                    format!("{resource}/{subresource}")
                }
                _ => match (old.strip_suffix("/*"), new.strip_prefix("*/")) {
                    (Some(resource), Some(subresource))
                        if resource != "*" && subresource != "*" =>
                    {
                        format!("{resource}/{subresource}")
                    }
                    _ => continue,
                },
            },
        };
        if !both.contains(&narrower) {
            both.push(narrower);
        }
    }
    (!both.is_empty()).then_some(both)
}
