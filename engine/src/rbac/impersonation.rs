//! Impersonation: what must be allowed to the one who impersonates, as requests that RBAC can judge.
//!
//! `staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation`: since Kubernetes 1.35 (KEP
//! 5284) constrained impersonation, with the verbs `impersonate:MODE` on the identity and
//! `impersonate-on:MODE:VERB` on the target; before, and whenever no mode allows it, the verb
//! `impersonate` alone. The event says in `authenticationMetadata.impersonationConstraint` which
//! it was.
//!
//! Not responsible for: the request itself, which is judged for the impersonated user.

use std::collections::BTreeMap;

use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::objects::service_account_of;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;

/// The API group of identities under constrained impersonation.
const AUTHENTICATION_GROUP: &str = "authentication.k8s.io";

/// From this many groups or extra values on, one check for `*` is tried first.
const MANY_CHECKS: usize = 4;

/// Whom somebody wants to be, as the request's headers say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImpersonationTarget {
    /// `Impersonate-User`.
    pub user: String,
    /// `Impersonate-Uid`, or empty.
    pub uid: String,
    /// `Impersonate-Group`.
    pub groups: Vec<String>,
    /// `Impersonate-Extra-`.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl ImpersonationTarget {
    /// The headers behind an event's `impersonatedUser`: without the groups that the apiserver adds
    /// (those of service accounts and nodes, and `system:authenticated`).
    pub fn of_event(
        user: &str,
        uid: &str,
        groups: &[String],
        extra: BTreeMap<String, Vec<String>>,
    ) -> Self {
        let mut groups = groups.to_vec();
        let last = groups.last().map(String::as_str);
        if matches!(
            last,
            Some("system:authenticated" | "system:unauthenticated")
        ) {
            groups.pop();
        }
        let added = service_account_of(user).map(|(namespace, _)| {
            let of_namespace = format!("system:serviceaccounts:{namespace}");
            vec!["system:serviceaccounts".to_owned(), of_namespace]
        });
        let is_node = node_name(user).is_some() && groups == ["system:nodes"];
        if added.is_some_and(|added| groups == added) || is_node {
            groups.clear();
        }
        Self {
            user: user.to_owned(),
            uid: uid.to_owned(),
            groups,
            extra,
        }
    }

    fn is_only_a_name(&self) -> bool {
        self.uid.is_empty() && self.groups.is_empty() && self.extra.is_empty()
    }
}

/// A way to impersonate, in the order in which the apiserver tries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ImpersonationMode {
    /// The node on which the service account's pod runs.
    AssociatedNode,
    /// Any node.
    ArbitraryNode,
    /// A service account.
    ServiceAccount,
    /// Any other user.
    UserInfo,
    /// The verb `impersonate`, which allows everything that the target may do.
    Legacy,
}

impl ImpersonationMode {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 5] = [
        Self::AssociatedNode,
        Self::ArbitraryNode,
        Self::ServiceAccount,
        Self::UserInfo,
        Self::Legacy,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::AssociatedNode => "associated-node",
            Self::ArbitraryNode => "arbitrary-node",
            Self::ServiceAccount => "serviceaccount",
            Self::UserInfo => "user-info",
            Self::Legacy => "",
        }
    }

    /// The mode of `authenticationMetadata.impersonationConstraint`; absent is `Legacy`.
    pub fn of_constraint(constraint: Option<&str>) -> Option<Self> {
        let Some(constraint) = constraint.filter(|text| !text.is_empty()) else {
            return Some(Self::Legacy);
        };
        let name = constraint.strip_prefix("impersonate:")?;
        let mut constrained = Self::ALL.into_iter().filter(|mode| *mode != Self::Legacy);
        constrained.find(|mode| mode.name() == name)
    }

    /// Whether the mode is for this target. `node` is the node of the requestor's pod, if any
    /// (`authentication.kubernetes.io/node-name`).
    pub fn applies(self, target: &ImpersonationTarget, node: Option<&str>) -> bool {
        let target_node = node_name(&target.user);
        let is_account = service_account_of(&target.user).is_some();
        match self {
            Self::AssociatedNode => {
                target.is_only_a_name() && target_node.is_some() && target_node == node
            }
            Self::ArbitraryNode => target.is_only_a_name() && target_node.is_some(),
            Self::ServiceAccount => target.is_only_a_name() && is_account,
            Self::UserInfo => target_node.is_none() && !is_account,
            Self::Legacy => true,
        }
    }
}

/// What must be allowed to the requestor, all of it, to send `request` as `target` in this mode.
/// Where the apiserver first tries `*`, the single checks are given: see [`allowing_mode`].
pub fn impersonation_checks(
    mode: ImpersonationMode,
    target: &ImpersonationTarget,
    request: &AccessRequest,
) -> Vec<AccessRequest> {
    let mut checks = Vec::new();
    let verb = match mode {
        ImpersonationMode::Legacy => "impersonate".to_owned(),
        _ => {
            let on = format!("impersonate-on:{}:{}", mode.name(), request.verb);
            checks.push(request.with_verb(on));
            format!("impersonate:{}", mode.name())
        }
    };
    let check = |group: &str, resource: &str, name: &str| AccessRequest {
        verb: verb.clone(),
        api_group: group.to_owned(),
        resource: resource.to_owned(),
        name: name.to_owned(),
        ..AccessRequest::default()
    };
    let is_legacy = mode == ImpersonationMode::Legacy;
    let group = if is_legacy { "" } else { AUTHENTICATION_GROUP };
    if let Some((namespace, name)) = service_account_of(&target.user) {
        checks.push(AccessRequest {
            namespace: namespace.to_owned(),
            ..check(group, "serviceaccounts", name)
        });
    } else if let Some(node) = node_name(&target.user).filter(|_| !is_legacy) {
        // Associated nodes are cached for all nodes, so that the check is for `*`.
        let is_associated = mode == ImpersonationMode::AssociatedNode;
        checks.push(check(
            group,
            "nodes",
            if is_associated { "*" } else { node },
        ));
    } else {
        checks.push(check(group, "users", &target.user));
    }
    if !target.uid.is_empty() {
        checks.push(check(AUTHENTICATION_GROUP, "uids", &target.uid));
    }
    checks.extend(
        target
            .groups
            .iter()
            .map(|name| check(group, "groups", name)),
    );
    for (key, values) in &target.extra {
        checks.extend(values.iter().map(|value| AccessRequest {
            subresource: key.clone(),
            ..check(AUTHENTICATION_GROUP, "userextras", value)
        }));
    }
    checks
}

/// The first mode that RBAC allows the requestor, `None` if it refuses all. `constrained` says
/// whether the cluster has constrained impersonation (on by default since Kubernetes 1.36).
pub fn allowing_mode(
    authorizer: &RbacAuthorizer,
    requestor: &Identity,
    target: &ImpersonationTarget,
    request: &AccessRequest,
    (constrained, node): (bool, Option<&str>),
) -> Option<ImpersonationMode> {
    let modes = ImpersonationMode::ALL.into_iter();
    let tried = modes.filter(|mode| constrained || *mode == ImpersonationMode::Legacy);
    let mut applying = tried.filter(|mode| mode.applies(target, node));
    applying.find(|mode| {
        let is_constrained = *mode != ImpersonationMode::Legacy;
        let is_forbidden = |group: &String| matches!(group.as_str(), "" | "system:masters");
        if is_constrained && target.groups.iter().any(is_forbidden) {
            return false;
        }
        let checks = impersonation_checks(*mode, target, request);
        let values: usize = target.extra.values().map(Vec::len).sum();
        let mut checks = checks.into_iter();
        checks.all(|check| {
            let many = is_constrained
                && match check.resource.as_str() {
                    "groups" => target.groups.len() >= MANY_CHECKS,
                    "userextras" => values.max(target.extra.len()) >= MANY_CHECKS,
                    _ => false,
                };
            authorizer.allows(requestor, &check)
                || (many && authorizer.allows(requestor, &for_all(&check)))
        })
    })
}

/// The check for all names at once.
fn for_all(check: &AccessRequest) -> AccessRequest {
    let mut all = check.clone();
    all.name = "*".to_owned();
    if !all.subresource.is_empty() {
        all.subresource = "*".to_owned();
    }
    all
}

/// The node of a node's user name.
fn node_name(user: &str) -> Option<&str> {
    let name = user.strip_prefix("system:node:")?;
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.iter().all(|byte| inside(*byte) || *byte == b'-')
            && bytes.first().is_some_and(|byte| inside(*byte))
            && bytes.last().is_some_and(|byte| inside(*byte))
    };
    (name.len() <= 253 && name.split('.').all(is_label)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::read::ManifestReader;

    /// An authorizer with one cluster-wide role for `ann`, its rules in YAML.
    fn granting(rules: &str) -> RbacAuthorizer {
        let mut reader = ManifestReader::new();
        reader.read_text(
            "objects",
            &format!(
                "kind: ClusterRole\napiVersion: rbac.authorization.k8s.io/v1\n\
                 metadata: {{name: r}}\nrules:\n{rules}\n---\n\
                 kind: ClusterRoleBinding\napiVersion: rbac.authorization.k8s.io/v1\n\
                 metadata: {{name: b}}\nroleRef: {{kind: ClusterRole, name: r}}\n\
                 subjects: [{{kind: User, name: ann}}]\n"
            ),
        );
        RbacAuthorizer::new(&reader.finish().objects)
    }

    fn mode(rules: &str, user: &str, groups: &[&str]) -> Option<ImpersonationMode> {
        let requestor = Identity {
            name: "ann".to_owned(),
            groups: Vec::new(),
        };
        let target = ImpersonationTarget {
            user: user.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..ImpersonationTarget::default()
        };
        let request = AccessRequest {
            verb: "list".to_owned(),
            namespace: "dev".to_owned(),
            resource: "pods".to_owned(),
            ..AccessRequest::default()
        };
        allowing_mode(
            &granting(rules),
            &requestor,
            &target,
            &request,
            (true, None),
        )
    }

    #[test]
    fn modes_in_their_order() {
        use ImpersonationMode::{ArbitraryNode, Legacy, ServiceAccount, UserInfo};
        let legacy = "- {verbs: [impersonate], apiGroups: [\"\"], resources: [users, groups]}";
        let info = "- {verbs: ['impersonate:user-info'], apiGroups: [authentication.k8s.io],\
                    \n   resources: [users, groups]}";
        let on = "- {verbs: ['impersonate-on:user-info:list'], apiGroups: [\"\"],\
                  \n   resources: [pods]}";
        let both = format!("{info}\n{on}");
        assert_eq!(mode(legacy, "bob", &["x"]), Some(Legacy));
        assert_eq!(mode(&both, "bob", &["x"]), Some(UserInfo));
        assert_eq!(mode(info, "bob", &[]), None);
        assert_eq!(mode(on, "bob", &[]), None);
        assert_eq!(mode(&both, "bob", &["system:masters"]), None);
        assert_eq!(mode(legacy, "bob", &["system:masters"]), Some(Legacy));
        assert_eq!(mode(&both, "system:node:n", &[]), None);
        let node = "- {verbs: ['impersonate:arbitrary-node'], apiGroups: [authentication.k8s.io],\
                    \n   resources: [nodes], resourceNames: [n1]}\n\
                    - {verbs: ['impersonate-on:arbitrary-node:list'], apiGroups: [\"\"],\
                    \n   resources: [pods]}";
        assert_eq!(mode(node, "system:node:n1", &[]), Some(ArbitraryNode));
        let account = "- {verbs: ['impersonate:serviceaccount'],\
                       \n   apiGroups: [authentication.k8s.io], resources: [serviceaccounts]}\n\
                       - {verbs: ['impersonate-on:serviceaccount:list'], apiGroups: [\"\"],\
                       \n   resources: [pods]}";
        assert_eq!(
            mode(account, "system:serviceaccount:dev:ci", &[]),
            Some(ServiceAccount)
        );
        assert_eq!(mode(account, "bob", &[]), None);
    }

    #[test]
    fn many_groups_are_allowed_by_a_star() {
        let rules = "- {verbs: ['impersonate:user-info'], apiGroups: [authentication.k8s.io],\
                     \n   resources: [users]}\n\
                     - {verbs: ['impersonate:user-info'], apiGroups: [authentication.k8s.io],\
                     \n   resources: [groups], resourceNames: ['*']}\n\
                     - {verbs: ['impersonate-on:user-info:list'], apiGroups: [\"\"],\
                     \n   resources: [pods]}";
        assert_eq!(mode(rules, "bob", &["a", "b", "c"]), None);
        assert_eq!(
            mode(rules, "bob", &["a", "b", "c", "d"]),
            Some(ImpersonationMode::UserInfo)
        );
    }

    #[test]
    fn groups_that_the_apiserver_added_were_not_asked_for() {
        let groups = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let asked = |user: &str, list: &[&str]| {
            let none = BTreeMap::new();
            ImpersonationTarget::of_event(user, "", &groups(list), none).groups
        };
        let own = [
            "system:serviceaccounts",
            "system:serviceaccounts:dev",
            "system:authenticated",
        ];
        assert_eq!(asked("system:serviceaccount:dev:ci", &own), groups(&[]));
        assert_eq!(asked("bob", &["x", "system:authenticated"]), groups(&["x"]));
        assert_eq!(
            asked("system:anonymous", &["system:unauthenticated"]),
            groups(&[])
        );
    }
}
