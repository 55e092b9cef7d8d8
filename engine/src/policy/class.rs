//! What a policy may record of a class of requests: the rules that can decide.
//!
//! A class fixes verb and resource, may fix the kind of user, and leaves namespace and name open. Not responsible for:
//! single requests (`evaluate.rs`).

use super::evaluate::RuleMismatch;
use super::model::{AuditPolicy, PolicyLevel, PolicyRule};
use super::request::RequestedTarget;

/// Requests of one verb for one resource or path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestClass<'a> {
    /// The verb.
    pub verb: &'a str,
    /// What the requests are for; namespace and name are not looked at.
    pub target: RequestedTarget<'a>,
    /// The kind of user that sends them.
    pub sender: RequestSender,
}

/// A kind of authenticated user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RequestSender {
    /// Whoever it is.
    #[default]
    Anyone,
    /// A user whose name does not begin with `system:`.
    Person,
    /// A service account.
    ServiceAccount,
    /// `system:anonymous`.
    Anonymous,
    /// Nobody: authentication failed.
    Nobody,
}

const ANONYMOUS: &str = "system:anonymous";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const AUTHENTICATED: &str = "system:authenticated";
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";

impl RequestSender {
    /// Whether a user is of this kind.
    pub fn includes(self, user: Option<&str>) -> bool {
        match self {
            Self::Anyone => true,
            Self::Person => user.is_some_and(|user| !user.starts_with("system:")),
            Self::ServiceAccount => {
                user.is_some_and(|user| user.starts_with("system:serviceaccount:"))
            }
            Self::Anonymous => user == Some(ANONYMOUS),
            Self::Nobody => user.is_none(),
        }
    }

    /// Whether a user of this kind can be a member of a group.
    fn can_be_in(self, group: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Person => {
                group != UNAUTHENTICATED
                    && group != "system:nodes"
                    && !group.starts_with(SERVICE_ACCOUNTS)
            }
            Self::ServiceAccount => group == AUTHENTICATED || group.starts_with(SERVICE_ACCOUNTS),
            Self::Anonymous => group == UNAUTHENTICATED,
            Self::Nobody => false,
        }
    }

    /// Whether every user of this kind is a member of a group.
    fn is_always_in(self, group: &str) -> bool {
        match self {
            Self::Anyone | Self::Nobody => false,
            Self::Person => group == AUTHENTICATED,
            Self::ServiceAccount => group == AUTHENTICATED || group == SERVICE_ACCOUNTS,
            Self::Anonymous => group == UNAUTHENTICATED,
        }
    }

    /// Whether a rule's conditions on the user can hold.
    fn can_match(self, rule: &PolicyRule) -> bool {
        let (users, groups) = (&rule.users, &rule.user_groups);
        (users.is_empty() || users.iter().any(|user| self.includes(Some(user))))
            && (groups.is_empty() || groups.iter().any(|group| self.can_be_in(group)))
            && (self != Self::Nobody || (users.is_empty() && groups.is_empty()))
    }

    /// Whether a rule's conditions on the user always hold.
    fn always_matches(self, rule: &PolicyRule) -> bool {
        let (users, groups) = (&rule.users, &rule.user_groups);
        let is_named = self == Self::Anonymous && users.iter().any(|user| user == ANONYMOUS);
        (users.is_empty() || is_named)
            && (groups.is_empty() || groups.iter().any(|group| self.is_always_in(group)))
    }
}

impl<'a> RequestClass<'a> {
    /// Requests for a resource.
    pub fn resource(
        verb: &'a str,
        api_group: &'a str,
        resource: &'a str,
        subresource: &'a str,
    ) -> Self {
        let target = RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            namespace: "",
            name: "",
        };
        let sender = RequestSender::Anyone;
        Self {
            verb,
            target,
            sender,
        }
    }
}

/// A rule that can decide requests of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassDecision {
    /// The rule, counted from 1; `None` if no rule need match.
    pub rule: Option<usize>,
    /// Its level.
    pub level: PolicyLevel,
    /// Whether it decides all that earlier rules leave: no condition on user, namespace or name.
    pub decides_rest: bool,
}

impl AuditPolicy {
    /// The rules that can decide requests of a class, in order; the last decides the rest.
    pub fn class_decisions(&self, class: &RequestClass<'_>) -> Vec<ClassDecision> {
        let mut decisions = Vec::new();
        for (position, rule) in self.rules.iter().enumerate() {
            if !can_match(rule, class) {
                continue;
            }
            let decides_rest = matches_all(rule, class);
            decisions.push(ClassDecision {
                rule: Some(position + 1),
                level: rule.level,
                decides_rest,
            });
            if decides_rest {
                return decisions;
            }
        }
        decisions.push(ClassDecision {
            rule: None,
            level: PolicyLevel::None,
            decides_rest: true,
        });
        decisions
    }

    /// The lowest and the highest level at which requests of a class are recorded.
    pub fn class_levels(&self, class: &RequestClass<'_>) -> (PolicyLevel, PolicyLevel) {
        let decisions = self.class_decisions(class);
        let levels = decisions.iter().map(|decision| decision.level);
        let lowest = levels.clone().min().unwrap_or(PolicyLevel::None);
        (lowest, levels.max().unwrap_or(PolicyLevel::None))
    }
}

/// Whether a rule matches some request of the class, of whatever namespace and name.
fn can_match(rule: &PolicyRule, class: &RequestClass<'_>) -> bool {
    let fits = match class.target {
        RequestedTarget::Path(_) => rule.target_mismatch(class.target).is_none(),
        RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            ..
        } => {
            let for_paths = rule.namespaces.is_empty()
                && rule.resources.is_empty()
                && !rule.non_resource_urls.is_empty();
            !for_paths
                && matches!(
                    rule.entry_mismatch(api_group, resource, subresource, ""),
                    None | Some(RuleMismatch::ResourceName)
                )
        }
    };
    fits && rule.verb_mismatch(class.verb).is_none() && class.sender.can_match(rule)
}

/// Whether a rule that can match leaves no request of the class to later ones: it has no condition on
/// namespace or on users of other kinds, and takes a name that no rule lists as well as none.
fn matches_all(rule: &PolicyRule, class: &RequestClass<'_>) -> bool {
    let any_name = match class.target {
        RequestedTarget::Path(_) => true,
        RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            ..
        } => ["", "\u{1}other"].into_iter().all(|name| {
            rule.entry_mismatch(api_group, resource, subresource, name)
                .is_none()
        }),
    };
    any_name && class.sender.always_matches(rule) && rule.namespaces.is_empty()
}
