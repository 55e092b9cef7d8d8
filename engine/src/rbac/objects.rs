//! The Kubernetes objects that RBAC is made of, as plain data: roles, bindings, service accounts and
//! the workloads that run as them; and the set of them that one or more inputs gave.
//!
//! Not responsible for: reading them (`read.rs`), whether the apiserver would take them
//! (`validity.rs`), what they grant (`authorizer.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

/// The API group of roles and bindings.
pub(crate) const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// The label of the roles and bindings that the apiserver itself creates and repairs.
pub(crate) const BOOTSTRAP_LABEL: &str = "kubernetes.io/bootstrapping";

/// What the name of a service account's user begins with.
pub(crate) const SERVICE_ACCOUNT_USER: &str = "system:serviceaccount:";

/// One rule of a role (`rbac.authorization.k8s.io/v1` `PolicyRule`), as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RbacRule {
    /// `verbs`.
    pub verbs: Vec<String>,
    /// `apiGroups`; `""` is the core group.
    pub api_groups: Vec<String>,
    /// `resources`, with a subresource as `pods/exec`.
    pub resources: Vec<String>,
    /// `resourceNames`; empty is every name.
    pub resource_names: Vec<String>,
    /// `nonResourceURLs`.
    pub non_resource_urls: Vec<String>,
}

/// Which kind of role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoleKind {
    /// A role of one namespace.
    Role,
    /// A role without a namespace.
    ClusterRole,
}

/// Which kind of binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BindingKind {
    /// Grants in every namespace and for what has none.
    ClusterRoleBinding,
    /// Grants in its namespace.
    RoleBinding,
}

/// What identifies a role. The namespace of a ClusterRole is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleKey {
    /// Role or ClusterRole.
    pub kind: RoleKind,
    /// Empty for a ClusterRole.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

/// What identifies a binding. The namespace of a ClusterRoleBinding is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BindingKey {
    /// ClusterRoleBinding or RoleBinding.
    pub kind: BindingKind,
    /// Empty for a ClusterRoleBinding.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

/// Where an object is from, and what of its metadata matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectOrigin {
    /// The input, as the caller names it.
    pub file: Arc<str>,
    /// 1-based line where the object, or its document, begins.
    pub line: u64,
    /// `metadata.uid`; only objects of a live cluster have one.
    pub uid: Option<String>,
    /// `metadata.resourceVersion`.
    pub resource_version: Option<String>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// One of Kubernetes' own, laid under an input that has none.
    pub bundled: bool,
}

impl ObjectOrigin {
    /// Created by the apiserver itself, which would create it again.
    pub fn is_bootstrap(&self) -> bool {
        self.bundled
            || self.labels.get(BOOTSTRAP_LABEL).map(String::as_str) == Some("rbac-defaults")
    }

    /// From a live cluster, not from a manifest.
    pub fn is_live(&self) -> bool {
        self.uid.is_some() || self.resource_version.is_some()
    }
}

/// One requirement of a label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelRequirement {
    /// The label has one of these values.
    In(String, Vec<String>),
    /// The label is absent or has none of these values.
    NotIn(String, Vec<String>),
    /// The label is present.
    Exists(String),
    /// The label is absent.
    Absent(String),
}

impl LabelRequirement {
    /// Whether these labels meet it.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::Absent(key) => !labels.contains_key(key),
        }
    }
}

/// A Role or ClusterRole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RbacRole {
    /// Kind, namespace and name.
    pub key: RoleKey,
    /// `rules`; of an aggregated role what its controller, or `aggregate.rs`, filled in.
    pub rules: Vec<RbacRule>,
    /// `aggregationRule.clusterRoleSelectors`: roles that meet all requirements of any selector.
    pub aggregation: Option<Vec<Vec<LabelRequirement>>>,
    /// Where it is from.
    pub origin: ObjectOrigin,
}

/// Which kind of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectKind {
    /// A user name, of a person or a service account.
    User,
    /// A group of the request's user.
    Group,
    /// A service account.
    ServiceAccount,
}

impl SubjectKind {
    /// The kind as Kubernetes spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::ServiceAccount => "ServiceAccount",
        }
    }

    /// The kind that Kubernetes spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Group, Self::ServiceAccount]
            .into_iter()
            .find(|kind| kind.name() == text)
    }
}

impl RoleKind {
    /// The kind as Kubernetes spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
        }
    }
}

impl BindingKind {
    /// The kind as Kubernetes spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClusterRoleBinding => "ClusterRoleBinding",
            Self::RoleBinding => "RoleBinding",
        }
    }
}

/// A subject of a binding, as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RbacSubject {
    /// `kind`; `None` for one that Kubernetes does not know, which matches nobody.
    pub kind: Option<SubjectKind>,
    /// `namespace`; only that of a service account counts.
    pub namespace: String,
    /// `name`.
    pub name: String,
}

impl RbacSubject {
    /// The subject as it counts in a binding of this namespace (empty for a ClusterRoleBinding):
    /// `None` if it can match nobody.
    pub fn effective(&self, binding_namespace: &str) -> Option<SubjectKey> {
        let kind = self.kind?;
        let namespace = match kind {
            SubjectKind::ServiceAccount if self.namespace.is_empty() => binding_namespace,
            SubjectKind::ServiceAccount => &self.namespace,
            _ => "",
        };
        if kind == SubjectKind::ServiceAccount && namespace.is_empty() {
            return None;
        }
        Some(SubjectKey {
            kind,
            namespace: namespace.to_owned(),
            name: self.name.clone(),
        })
    }
}

/// A subject apart from any binding: the namespace is set for service accounts, else empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectKey {
    /// User, Group or ServiceAccount.
    pub kind: SubjectKind,
    /// Empty but for a service account.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl SubjectKey {
    /// The user name of a user or a service account; `None` for a group.
    pub fn user_name(&self) -> Option<String> {
        match self.kind {
            SubjectKind::User => Some(self.name.clone()),
            SubjectKind::ServiceAccount => Some(service_account_user(&self.namespace, &self.name)),
            SubjectKind::Group => None,
        }
    }
}

/// The user name of a service account.
pub fn service_account_user(namespace: &str, name: &str) -> String {
    format!("{SERVICE_ACCOUNT_USER}{namespace}:{name}")
}

/// Namespace and name of the service account that has this user name.
pub fn service_account_of(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT_USER)?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RbacBinding {
    /// Kind, namespace and name.
    pub key: BindingKey,
    /// `roleRef.kind`, as written.
    pub role_kind: String,
    /// `roleRef.name`.
    pub role_name: String,
    /// `subjects`.
    pub subjects: Vec<RbacSubject>,
    /// Where it is from.
    pub origin: ObjectOrigin,
}

impl RbacBinding {
    /// The role that it refers to; `None` if `roleRef.kind` is unknown. (A ClusterRoleBinding that
    /// refers to a Role looks for one without a namespace, which cannot exist.)
    pub fn role(&self) -> Option<RoleKey> {
        let (kind, namespace) = match self.role_kind.as_str() {
            "Role" => (RoleKind::Role, self.key.namespace.clone()),
            "ClusterRole" => (RoleKind::ClusterRole, String::new()),
            _ => return None,
        };
        Some(RoleKey {
            kind,
            namespace,
            name: self.role_name.clone(),
        })
    }
}

/// A ServiceAccount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountObject {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `automountServiceAccountToken`.
    pub automount: Option<bool>,
    /// Where it is from.
    pub origin: ObjectOrigin,
}

/// A pod, or what creates pods, and the service account that they run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadObject {
    /// `Pod`, `Deployment`, `CronJob`, …
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `serviceAccountName` of the pod's spec, `default` if it has none.
    pub service_account: String,
    /// `automountServiceAccountToken` of the pod's spec.
    pub automount: Option<bool>,
    /// Where it is from.
    pub origin: ObjectOrigin,
}

/// The objects of one cluster, each key once.
#[derive(Debug, Clone, Default)]
pub struct RbacObjects {
    /// Roles, in the order in which they were first seen.
    pub roles: Vec<Arc<RbacRole>>,
    /// Bindings, in the order in which they were first seen.
    pub bindings: Vec<Arc<RbacBinding>>,
    /// Service accounts.
    pub service_accounts: Vec<ServiceAccountObject>,
    /// Workloads.
    pub workloads: Vec<WorkloadObject>,
}

impl RbacObjects {
    /// Whether Kubernetes' own roles are among them.
    pub fn has_bootstrap(&self) -> bool {
        self.roles.iter().any(|role| role.origin.is_bootstrap())
    }

    /// Every text that a rule has in `resourceNames`. Names of requests that are not among them can
    /// be folded into one: no rule tells them apart.
    pub fn resource_names(&self) -> std::collections::HashSet<&str> {
        let rules = self.roles.iter().flat_map(|role| &role.rules);
        rules
            .flat_map(|rule| rule.resource_names.iter().map(String::as_str))
            .collect()
    }
}
