//! Why a policy decides as it does: a request in, the decision with every rule that was passed over
//! and the reason in words out.
//!
//! Not responsible for: the decision itself (`evaluate.rs`).

use super::evaluate::{PolicyDecision, RuleMismatch};
use super::model::{AuditPolicy, PolicyLevel, PolicyRule};
use super::request::{RequestAttributes, RequestedTarget};

/// A decision and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyExplanation {
    /// The decision.
    pub decision: PolicyDecision,
    /// The decision in a sentence.
    pub summary: String,
    /// The rules before the one that decided, in order.
    pub passed_over: Vec<PassedRule>,
}

/// A rule that does not match a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedRule {
    /// The rule, counted from 1.
    pub rule: usize,
    /// The line on which it begins; 0 if it comes from no document.
    pub line: usize,
    /// Its level.
    pub level: PolicyLevel,
    /// The first condition that the request does not meet.
    pub mismatch: RuleMismatch,
    /// The same in words.
    pub reason: String,
}

impl AuditPolicy {
    /// The decision on a request, and why no earlier rule made it.
    pub fn explain(&self, request: &RequestAttributes<'_>) -> PolicyExplanation {
        let mut passed_over = Vec::new();
        let mut deciding = None;
        for (position, rule) in self.rules.iter().enumerate() {
            let Some(mismatch) = rule.mismatch(request) else {
                deciding = Some(position);
                break;
            };
            passed_over.push(PassedRule {
                rule: position + 1,
                line: rule.line,
                level: rule.level,
                mismatch,
                reason: reason(rule, request, mismatch),
            });
        }
        let decision = self.decision_of(deciding);
        PolicyExplanation {
            summary: summary(&decision),
            decision,
            passed_over,
        }
    }
}

fn summary(decision: &PolicyDecision) -> String {
    let who = match decision.rule {
        Some(rule) => format!("rule {rule} decides"),
        None => "no rule matches".to_owned(),
    };
    if decision.level == PolicyLevel::None {
        return format!("{who}: the request is not recorded");
    }
    let omitted: Vec<_> = decision
        .omit_stages
        .iter()
        .map(|stage| stage.name())
        .collect();
    let stages = match omitted.as_slice() {
        [] => "at every stage".to_owned(),
        [stage] => format!("at every stage but {stage}"),
        [stages @ .., last] => format!("at every stage but {} and {last}", stages.join(", ")),
    };
    let bodies = decision.level >= PolicyLevel::Request && decision.omit_managed_fields;
    let fields = if bodies {
        ", without managed fields"
    } else {
        ""
    };
    format!(
        "{who}: the request is recorded at level {} {stages}{fields}",
        decision.level
    )
}

fn reason(rule: &PolicyRule, request: &RequestAttributes<'_>, mismatch: RuleMismatch) -> String {
    let (resource, namespace, name, api_group) = match request.target {
        RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            namespace,
            name,
        } => (joined(resource, subresource), namespace, name, api_group),
        RequestedTarget::Path(path) => (path.to_owned(), "", "", ""),
    };
    match mismatch {
        RuleMismatch::User => match request.user {
            Some(user) => format!("user {user:?} is not among {}", listed(&rule.users)),
            None => "the request has no user".to_owned(),
        },
        RuleMismatch::Groups => match (request.user, request.groups) {
            (None, _) => "the request has no user".to_owned(),
            (_, []) => format!(
                "the user is in no group; the rule is for {}",
                listed(&rule.user_groups)
            ),
            _ => format!(
                "the user is in none of the groups {}",
                listed(&rule.user_groups)
            ),
        },
        RuleMismatch::Verb => {
            format!(
                "verb {:?} is not among {}",
                request.verb,
                listed(&rule.verbs)
            )
        }
        RuleMismatch::NotAResource => {
            format!("the rule is for resources, and {resource} is not one")
        }
        RuleMismatch::IsAResource => "the rule is for URLs that are not resources".to_owned(),
        RuleMismatch::Namespace if namespace.is_empty() => format!(
            "the request has no namespace; the rule is for {}",
            listed(&rule.namespaces)
        ),
        RuleMismatch::Namespace => {
            format!(
                "namespace {namespace:?} is not among {}",
                listed(&rule.namespaces)
            )
        }
        RuleMismatch::ApiGroup => {
            let groups: Vec<_> = rule
                .resources
                .iter()
                .map(|entry| entry.group.clone())
                .collect();
            format!("API group {api_group:?} is not among {}", listed(&groups))
        }
        RuleMismatch::Resource => {
            let patterns: Vec<_> = rule
                .resources
                .iter()
                .filter(|entry| entry.has_group(api_group))
                .flat_map(|entry| entry.resources.clone())
                .collect();
            format!("resource {resource:?} is not among {}", listed(&patterns))
        }
        RuleMismatch::ResourceName if name.is_empty() => {
            "the request names no object; the rule is for named ones".to_owned()
        }
        RuleMismatch::ResourceName => format!("{name:?} is not among the resourceNames"),
        RuleMismatch::Path => {
            format!(
                "path {resource:?} is not among {}",
                listed(&rule.non_resource_urls)
            )
        }
    }
}

fn joined(resource: &str, subresource: &str) -> String {
    match subresource {
        "" => resource.to_owned(),
        _ => format!("{resource}/{subresource}"),
    }
}

/// Up to eight values, quoted.
fn listed(values: &[String]) -> String {
    let mut quoted: Vec<String> = values
        .iter()
        .take(8)
        .map(|value| format!("{value:?}"))
        .collect();
    if values.len() > 8 {
        quoted.push(format!("and {} more", values.len() - 8));
    }
    quoted.join(", ")
}
