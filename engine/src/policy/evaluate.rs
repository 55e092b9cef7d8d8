//! The decision of a policy on a request, and the first condition that keeps a rule from matching.
//!
//! Follows `EvaluatePolicyRule` of `k8s.io/apiserver/pkg/audit/policy/checker.go`, order of
//! conditions included. Not responsible for: words (`explain.rs`).

use super::model::{AuditPolicy, GroupResources, PolicyLevel, PolicyRule, PolicyStage};
use super::request::{RequestAttributes, RequestedTarget};

/// What a policy decides on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDecision {
    /// The rule that decided, counted from 1; `None` if no rule matches.
    pub rule: Option<usize>,
    /// The level; [`PolicyLevel::None`] if no rule matches.
    pub level: PolicyLevel,
    /// Stages that are not recorded: in order and without repetition where a rule decided, else the
    /// policy's list as written.
    pub omit_stages: Vec<PolicyStage>,
    /// Whether bodies lose their managed fields.
    pub omit_managed_fields: bool,
}

impl PolicyDecision {
    /// Whether an event of this stage is recorded at all.
    pub fn records(&self, stage: PolicyStage) -> bool {
        self.level != PolicyLevel::None && !self.omit_stages.contains(&stage)
    }
}

/// The first condition of a rule that a request does not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleMismatch {
    /// The user is not among `users`.
    User,
    /// No group of the user is among `userGroups`.
    Groups,
    /// The verb is not among `verbs`.
    Verb,
    /// The rule is for resources, the request for another URL.
    NotAResource,
    /// The namespace is not among `namespaces`.
    Namespace,
    /// No entry of `resources` has the API group.
    ApiGroup,
    /// The resource is not among those of its group.
    Resource,
    /// The resource is there, the object's name is not among `resourceNames`.
    ResourceName,
    /// The rule is for other URLs, the request for a resource.
    IsAResource,
    /// The path is not among `nonResourceURLs`.
    Path,
}

impl AuditPolicy {
    /// The decision on a request: that of the first rule that matches.
    pub fn decide(&self, request: &RequestAttributes<'_>) -> PolicyDecision {
        self.decision_by(self.deciding_rule(request))
    }

    /// The first rule that matches a request, counted from 1.
    pub fn deciding_rule(&self, request: &RequestAttributes<'_>) -> Option<usize> {
        let found = self
            .rules
            .iter()
            .position(|rule| rule.mismatch(request).is_none());
        found.map(|position| position + 1)
    }

    /// The decision of a rule, counted from 1, or that of no rule.
    pub fn decision_by(&self, rule: Option<usize>) -> PolicyDecision {
        self.decision_of(rule.and_then(|rule| rule.checked_sub(1)))
    }

    /// The decision of a rule by its position from 0, or that of no rule.
    pub(super) fn decision_of(&self, position: Option<usize>) -> PolicyDecision {
        let found = position.and_then(|at| Some((at, self.rules.get(at)?)));
        let Some((at, rule)) = found else {
            return PolicyDecision {
                rule: None,
                level: PolicyLevel::None,
                omit_stages: self.omit_stages.clone(),
                omit_managed_fields: self.omit_managed_fields,
            };
        };
        let mut omit_stages = [&self.omit_stages[..], &rule.omit_stages].concat();
        omit_stages.sort_unstable();
        omit_stages.dedup();
        PolicyDecision {
            rule: Some(at + 1),
            level: rule.level,
            omit_stages,
            omit_managed_fields: rule.omit_managed_fields.unwrap_or(self.omit_managed_fields),
        }
    }
}

impl PolicyRule {
    /// The first condition that the request does not meet; `None` if the rule matches.
    pub fn mismatch(&self, request: &RequestAttributes<'_>) -> Option<RuleMismatch> {
        self.user_mismatch(request.user, request.groups)
            .or_else(|| self.verb_mismatch(request.verb))
            .or_else(|| self.target_mismatch(request.target))
    }

    pub(super) fn user_mismatch(
        &self,
        user: Option<&str>,
        groups: &[&str],
    ) -> Option<RuleMismatch> {
        if !self.users.is_empty() && !user.is_some_and(|user| has(&self.users, user)) {
            return Some(RuleMismatch::User);
        }
        // Without a user there are no groups either.
        let groups = user.map_or(&[][..], |_| groups);
        let fits =
            self.user_groups.is_empty() || groups.iter().any(|group| has(&self.user_groups, group));
        (!fits).then_some(RuleMismatch::Groups)
    }

    pub(super) fn verb_mismatch(&self, verb: &str) -> Option<RuleMismatch> {
        let fits = self.verbs.is_empty() || has(&self.verbs, verb);
        (!fits).then_some(RuleMismatch::Verb)
    }

    pub(super) fn target_mismatch(&self, target: RequestedTarget<'_>) -> Option<RuleMismatch> {
        if !self.namespaces.is_empty() || !self.resources.is_empty() {
            return self.resource_mismatch(target);
        }
        if !self.non_resource_urls.is_empty() {
            return self.path_mismatch(target);
        }
        None
    }

    fn path_mismatch(&self, target: RequestedTarget<'_>) -> Option<RuleMismatch> {
        let RequestedTarget::Path(path) = target else {
            return Some(RuleMismatch::IsAResource);
        };
        let matches = self
            .non_resource_urls
            .iter()
            .any(|pattern| matches_path(pattern, path));
        (!matches).then_some(RuleMismatch::Path)
    }

    fn resource_mismatch(&self, target: RequestedTarget<'_>) -> Option<RuleMismatch> {
        let RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            namespace,
            name,
        } = target
        else {
            return Some(RuleMismatch::NotAResource);
        };
        if !self.namespaces.is_empty() && !has(&self.namespaces, namespace) {
            return Some(RuleMismatch::Namespace);
        }
        self.entry_mismatch(api_group, resource, subresource, name)
    }

    /// Whether an entry of `resources` fits, whatever the namespace.
    pub(super) fn entry_mismatch(
        &self,
        api_group: &str,
        resource: &str,
        subresource: &str,
        name: &str,
    ) -> Option<RuleMismatch> {
        if self.resources.is_empty() {
            return None;
        }
        let mut nearest = RuleMismatch::ApiGroup;
        for entry in &self.resources {
            if !entry.has_group(api_group) {
                continue;
            }
            if !entry.has_resource(resource, subresource) {
                if nearest == RuleMismatch::ApiGroup {
                    nearest = RuleMismatch::Resource;
                }
            } else if entry.has_name(name) {
                return None;
            } else {
                nearest = RuleMismatch::ResourceName;
            }
        }
        Some(nearest)
    }
}

impl GroupResources {
    /// Whether the entry is for an API group.
    pub(super) fn has_group(&self, api_group: &str) -> bool {
        self.group == "*" || self.group == api_group
    }

    /// Whether the entry is for a resource; one without resources is for all of its group.
    pub(super) fn has_resource(&self, resource: &str, subresource: &str) -> bool {
        self.resources.is_empty()
            || self
                .resources
                .iter()
                .any(|pattern| matches_resource(pattern, resource, subresource))
    }

    /// Whether the entry is for an object. Without resources, names are not looked at.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.resources.is_empty()
            || self.resource_names.is_empty()
            || has(&self.resource_names, name)
    }
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|entry| entry == wanted)
}

/// `pods`, `pods/log`, `pods/*` (which matches `pods` too), `*/log` and `*`.
fn matches_resource(pattern: &str, resource: &str, subresource: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let exact = match subresource {
        "" => pattern == resource,
        _ => pattern
            .strip_prefix(resource)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|rest| rest == subresource),
    };
    exact
        || (!subresource.is_empty() && pattern.strip_prefix("*/") == Some(subresource))
        || pattern.strip_suffix("/*") == Some(resource)
}

/// All trailing stars are cut: `/healthz*` matches `/healthzfoo`.
pub(super) fn matches_path(pattern: &str, path: &str) -> bool {
    pattern == path || (pattern.ends_with('*') && path.starts_with(pattern.trim_end_matches('*')))
}
