//! The library of risky permissions: what each lets its holder do, and what it leads to.
//!
//! The union of what KubiScan, rbac-police, rbac-tool, krane and kubescape look for. A risk is a set
//! of probes, requests that only a holder of the permission may send; names are left open. Not
//! responsible for: who holds them, and where they lead together (`escalation.rs`).

/// What somebody who holds the permission can become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RiskReach {
    /// Whatever they want: cluster-admin or the like. In one namespace: any of its accounts.
    Everything,
    /// Any service account in scope.
    Accounts,
    /// Any service account in scope that a pod runs as.
    RunningAccounts,
    /// The nodes, and with them every service account that a pod runs as.
    Nodes,
    /// Nobody else: a risk of its own.
    Nothing,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RiskLevel {
    /// As good as cluster-admin.
    Critical,
    /// Leads to other identities or their secrets.
    High,
    /// Harms workloads, traffic or data.
    Medium,
}

impl RiskLevel {
    /// The level in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
        }
    }
}

/// One risk.
#[derive(Debug)]
pub struct RiskKind {
    /// Stable.
    pub id: &'static str,
    /// What the holder can do.
    pub title: &'static str,
    /// How bad.
    pub level: RiskLevel,
    /// What it leads to.
    pub reach: RiskReach,
    /// Verbs, one of which is enough.
    pub verbs: &'static [&'static str],
    /// API group and resource, one of which is enough.
    pub resources: &'static [(&'static str, &'static str)],
    /// It means something only if it is granted in the whole cluster.
    pub is_cluster_wide: bool,
    /// The namespace in which alone it matters.
    pub namespace: Option<&'static str>,
}

const WRITE: &[&str] = &["create", "update", "patch"];
const CHANGE: &[&str] = &["update", "patch"];
const READ: &[&str] = &["get", "list", "watch"];
const REMOVE: &[&str] = &["delete", "deletecollection"];
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";

const fn kind(
    id: &'static str,
    title: &'static str,
    (level, reach): (RiskLevel, RiskReach),
    verbs: &'static [&'static str],
    resources: &'static [(&'static str, &'static str)],
) -> RiskKind {
    RiskKind {
        id,
        title,
        level,
        reach,
        verbs,
        resources,
        is_cluster_wide: false,
        namespace: None,
    }
}

/// A risk that only a grant in the whole cluster carries.
const fn wide(mut kind: RiskKind) -> RiskKind {
    kind.is_cluster_wide = true;
    kind
}

/// A risk in one namespace.
const fn inside(namespace: &'static str, mut kind: RiskKind) -> RiskKind {
    kind.namespace = Some(namespace);
    kind
}

/// All risks, worst first.
pub static RISKS: &[RiskKind] = &[
    kind(
        "cluster-admin",
        "do everything",
        (RiskLevel::Critical, RiskReach::Everything),
        &["*"],
        &[("*", "*")],
    ),
    kind(
        "escalate-roles",
        "give roles permissions that they do not hold",
        (RiskLevel::Critical, RiskReach::Everything),
        &["escalate"],
        &[(RBAC, "clusterroles"), (RBAC, "roles")],
    ),
    kind(
        "bind-roles",
        "bind roles whose permissions they do not hold",
        (RiskLevel::Critical, RiskReach::Everything),
        &["bind"],
        &[(RBAC, "clusterroles"), (RBAC, "roles")],
    ),
    wide(kind(
        "impersonate",
        "act as other users or groups",
        (RiskLevel::Critical, RiskReach::Everything),
        &["impersonate"],
        &[("", "users"), ("", "groups")],
    )),
    wide(kind(
        "impersonate-constrained",
        "act as other users, for the requests that impersonate-on allows",
        (RiskLevel::High, RiskReach::Nothing),
        &["impersonate:user-info", "impersonate:arbitrary-node"],
        &[
            (AUTHENTICATION, "users"),
            (AUTHENTICATION, "groups"),
            (AUTHENTICATION, "nodes"),
        ],
    )),
    kind(
        "impersonate-accounts",
        "act as service accounts",
        (RiskLevel::High, RiskReach::Accounts),
        &["impersonate"],
        &[("", "serviceaccounts")],
    ),
    wide(kind(
        "approve-certificates",
        "approve or sign client certificates",
        (RiskLevel::Critical, RiskReach::Everything),
        CHANGE,
        &[
            ("certificates.k8s.io", "certificatesigningrequests/approval"),
            ("certificates.k8s.io", "certificatesigningrequests/status"),
        ],
    )),
    wide(kind(
        "control-webhooks",
        "see and change requests of others by admission webhooks",
        (RiskLevel::Critical, RiskReach::Everything),
        WRITE,
        &[
            (ADMISSION, "mutatingwebhookconfigurations"),
            (ADMISSION, "validatingwebhookconfigurations"),
        ],
    )),
    inside(
        "kube-system",
        kind(
            "modify-system-config",
            "write ConfigMaps of kube-system, such as aws-auth and coredns",
            (RiskLevel::High, RiskReach::Nothing),
            WRITE,
            &[("", "configmaps")],
        ),
    ),
    kind(
        "token-request",
        "issue tokens of service accounts",
        (RiskLevel::High, RiskReach::Accounts),
        &["create"],
        &[("", "serviceaccounts/token")],
    ),
    kind(
        "create-workloads",
        "run pods as any service account of the namespace",
        (RiskLevel::High, RiskReach::Accounts),
        WRITE,
        &[
            ("", "pods"),
            ("", "replicationcontrollers"),
            ("apps", "deployments"),
            ("apps", "daemonsets"),
            ("apps", "statefulsets"),
            ("apps", "replicasets"),
            ("batch", "jobs"),
            ("batch", "cronjobs"),
        ],
    ),
    kind(
        "exec-pods",
        "run commands in pods",
        (RiskLevel::High, RiskReach::RunningAccounts),
        &["create", "get"],
        &[("", "pods/exec"), ("", "pods/attach")],
    ),
    kind(
        "debug-pods",
        "add containers to running pods",
        (RiskLevel::High, RiskReach::RunningAccounts),
        CHANGE,
        &[("", "pods/ephemeralcontainers")],
    ),
    kind(
        "read-secrets",
        "read secrets, tokens among them",
        (RiskLevel::High, RiskReach::Accounts),
        READ,
        &[("", "secrets")],
    ),
    wide(kind(
        "nodes-proxy",
        "reach the kubelets, and run commands in every pod",
        (RiskLevel::High, RiskReach::Nodes),
        &["create", "get"],
        &[("", "nodes/proxy")],
    )),
    wide(kind(
        "create-volumes",
        "mount the file system of nodes by persistent volumes",
        (RiskLevel::High, RiskReach::Nodes),
        &["create"],
        &[("", "persistentvolumes")],
    )),
    wide(kind(
        "steal-pods",
        "draw pods to a node of their choice",
        (RiskLevel::Medium, RiskReach::Nothing),
        CHANGE,
        &[("", "nodes"), ("", "nodes/status")],
    )),
    kind(
        "modify-pod-status",
        "draw traffic by pods' labels or status",
        (RiskLevel::Medium, RiskReach::Nothing),
        CHANGE,
        &[("", "pods/status")],
    ),
    kind(
        "modify-service-status",
        "draw traffic by a service's external address (CVE-2020-8554)",
        (RiskLevel::Medium, RiskReach::Nothing),
        CHANGE,
        &[("", "services/status")],
    ),
    kind(
        "modify-endpoints",
        "redirect traffic by endpoints (CVE-2021-25740)",
        (RiskLevel::Medium, RiskReach::Nothing),
        WRITE,
        &[("", "endpoints"), ("discovery.k8s.io", "endpointslices")],
    ),
    wide(kind(
        "modify-apis",
        "add or redirect APIs",
        (RiskLevel::High, RiskReach::Nothing),
        WRITE,
        &[
            ("apiregistration.k8s.io", "apiservices"),
            ("apiextensions.k8s.io", "customresourcedefinitions"),
        ],
    )),
    wide(kind(
        "modify-admission-policies",
        "change or remove admission policies",
        (RiskLevel::High, RiskReach::Nothing),
        &["create", "update", "patch", "delete", "deletecollection"],
        &[
            (ADMISSION, "validatingadmissionpolicies"),
            (ADMISSION, "validatingadmissionpolicybindings"),
            (ADMISSION, "mutatingadmissionpolicies"),
            (ADMISSION, "mutatingadmissionpolicybindings"),
        ],
    )),
    kind(
        "delete-network-policies",
        "remove network policies",
        (RiskLevel::Medium, RiskReach::Nothing),
        REMOVE,
        &[("networking.k8s.io", "networkpolicies")],
    ),
    kind(
        "forward-ports",
        "connect to ports of pods",
        (RiskLevel::Medium, RiskReach::Nothing),
        &["create", "get"],
        &[("", "pods/portforward")],
    ),
    kind(
        "delete-events",
        "remove traces",
        (RiskLevel::Medium, RiskReach::Nothing),
        REMOVE,
        &[("", "events"), ("events.k8s.io", "events")],
    ),
    kind(
        "delete-pods",
        "stop workloads",
        (RiskLevel::Medium, RiskReach::Nothing),
        REMOVE,
        &[("", "pods"), ("apps", "deployments"), ("", "namespaces")],
    ),
];
