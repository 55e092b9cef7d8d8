//! The resources of Kubernetes 1.30 to 1.36: API group and name in, scope and subresources out.
//!
//! Beta and alpha groups included. Written by hand, and not yet compared with the discovery documents
//! of these versions. Not responsible for: custom resources, of which nothing is known.

/// Verbs of requests for resources.
pub(crate) const RESOURCE_VERBS: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "proxy",
];

/// A resource that Kubernetes itself serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownResource {
    pub(super) api_group: &'static str,
    pub(super) resource: &'static str,
    pub(super) namespaced: bool,
    /// Subresources, parted by spaces.
    pub(super) subresources: &'static str,
}

impl KnownResource {
    pub(super) fn has_subresource(&self, subresource: &str) -> bool {
        self.subresources
            .split(' ')
            .any(|known| known == subresource)
    }
}

const fn namespaced(
    api_group: &'static str,
    resource: &'static str,
    subresources: &'static str,
) -> KnownResource {
    KnownResource {
        api_group,
        resource,
        namespaced: true,
        subresources,
    }
}

const fn cluster(
    api_group: &'static str,
    resource: &'static str,
    subresources: &'static str,
) -> KnownResource {
    KnownResource {
        api_group,
        resource,
        namespaced: false,
        subresources,
    }
}

const ADMISSION: &str = "admissionregistration.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const FLOW: &str = "flowcontrol.apiserver.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const DEVICES: &str = "resource.k8s.io";
const STORAGE: &str = "storage.k8s.io";

/// Every resource, by API group.
pub(super) const KNOWN_RESOURCES: &[KnownResource] = &[
    namespaced("", "bindings", ""),
    cluster("", "componentstatuses", ""),
    namespaced("", "configmaps", ""),
    namespaced("", "endpoints", ""),
    namespaced("", "events", ""),
    namespaced("", "limitranges", ""),
    cluster("", "namespaces", "finalize status"),
    cluster(
        "",
        "nodes",
        "proxy status log metrics stats spec configz healthz pods checkpoint",
    ),
    namespaced("", "persistentvolumeclaims", "status"),
    cluster("", "persistentvolumes", "status"),
    namespaced(
        "",
        "pods",
        "attach binding ephemeralcontainers eviction exec log portforward proxy resize status",
    ),
    namespaced("", "podtemplates", ""),
    namespaced("", "replicationcontrollers", "scale status"),
    namespaced("", "resourcequotas", "status"),
    namespaced("", "secrets", ""),
    namespaced("", "serviceaccounts", "token"),
    namespaced("", "services", "proxy status"),
    cluster(ADMISSION, "mutatingadmissionpolicies", ""),
    cluster(ADMISSION, "mutatingadmissionpolicybindings", ""),
    cluster(ADMISSION, "mutatingwebhookconfigurations", ""),
    cluster(ADMISSION, "validatingadmissionpolicies", "status"),
    cluster(ADMISSION, "validatingadmissionpolicybindings", ""),
    cluster(ADMISSION, "validatingwebhookconfigurations", ""),
    cluster(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "status",
    ),
    cluster("apiregistration.k8s.io", "apiservices", "status"),
    namespaced("apps", "controllerrevisions", ""),
    namespaced("apps", "daemonsets", "status"),
    namespaced("apps", "deployments", "scale status"),
    namespaced("apps", "replicasets", "scale status"),
    namespaced("apps", "statefulsets", "scale status"),
    cluster(AUTHENTICATION, "selfsubjectreviews", ""),
    cluster(AUTHENTICATION, "tokenreviews", ""),
    namespaced(AUTHORIZATION, "localsubjectaccessreviews", ""),
    cluster(AUTHORIZATION, "selfsubjectaccessreviews", ""),
    cluster(AUTHORIZATION, "selfsubjectrulesreviews", ""),
    cluster(AUTHORIZATION, "subjectaccessreviews", ""),
    namespaced("autoscaling", "horizontalpodautoscalers", "status"),
    namespaced("batch", "cronjobs", "status"),
    namespaced("batch", "jobs", "status"),
    cluster(
        CERTIFICATES,
        "certificatesigningrequests",
        "approval status",
    ),
    cluster(CERTIFICATES, "clustertrustbundles", ""),
    namespaced(CERTIFICATES, "podcertificaterequests", "status"),
    namespaced("coordination.k8s.io", "leasecandidates", ""),
    namespaced("coordination.k8s.io", "leases", ""),
    namespaced("discovery.k8s.io", "endpointslices", ""),
    namespaced("events.k8s.io", "events", ""),
    cluster(FLOW, "flowschemas", "status"),
    cluster(FLOW, "prioritylevelconfigurations", "status"),
    cluster("internal.apiserver.k8s.io", "storageversions", "status"),
    cluster("metrics.k8s.io", "nodes", ""),
    namespaced("metrics.k8s.io", "pods", ""),
    cluster(NETWORKING, "ingressclasses", ""),
    namespaced(NETWORKING, "ingresses", "status"),
    cluster(NETWORKING, "ipaddresses", ""),
    namespaced(NETWORKING, "networkpolicies", ""),
    cluster(NETWORKING, "servicecidrs", "status"),
    cluster("node.k8s.io", "runtimeclasses", ""),
    namespaced("policy", "poddisruptionbudgets", "status"),
    cluster(RBAC, "clusterrolebindings", ""),
    cluster(RBAC, "clusterroles", ""),
    namespaced(RBAC, "rolebindings", ""),
    namespaced(RBAC, "roles", ""),
    cluster(DEVICES, "deviceclasses", ""),
    cluster(DEVICES, "devicetaintrules", "status"),
    namespaced(DEVICES, "resourceclaims", "status"),
    namespaced(DEVICES, "resourceclaimtemplates", ""),
    cluster(DEVICES, "resourceslices", ""),
    cluster("scheduling.k8s.io", "priorityclasses", ""),
    namespaced("scheduling.k8s.io", "workloads", "status"),
    namespaced("scheduling.k8s.io", "podgroups", "status"),
    cluster(STORAGE, "csidrivers", ""),
    cluster(STORAGE, "csinodes", ""),
    namespaced(STORAGE, "csistoragecapacities", ""),
    cluster(STORAGE, "storageclasses", ""),
    cluster(STORAGE, "volumeattachments", "status"),
    cluster(STORAGE, "volumeattributesclasses", ""),
    cluster(
        "storagemigration.k8s.io",
        "storageversionmigrations",
        "status",
    ),
];

/// Groups of earlier versions, in which anything may stand.
pub(super) const FORMER_GROUPS: &[&str] = &["extensions"];

/// API group, resource and subresource of all that Kubernetes itself serves; the resource itself
/// has the subresource `""`.
pub fn served_resources() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    KNOWN_RESOURCES.iter().flat_map(|known| {
        let subresources = known
            .subresources
            .split(' ')
            .filter(|name| !name.is_empty());
        let all = std::iter::once("").chain(subresources);
        all.map(|subresource| (known.api_group, known.resource, subresource))
    })
}

/// Whether Kubernetes itself serves an API group.
pub(super) fn is_known_group(api_group: &str) -> bool {
    KNOWN_RESOURCES
        .iter()
        .any(|known| known.api_group == api_group)
}

/// The resources of this name, whatever their group.
pub(super) fn known_by_name(resource: &str) -> impl Iterator<Item = &'static KnownResource> {
    KNOWN_RESOURCES
        .iter()
        .filter(move |known| known.resource == resource)
}
