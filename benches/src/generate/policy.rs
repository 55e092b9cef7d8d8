//! The audit policies: GKE's, which is the model's, and one that keeps few bodies.

use super::profile::Profile;
use super::target::Target;

/// What an event of a request holds, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Metadata,
    Request,
    RequestResponse,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }
}

/// The API groups GKE's policy knows; all others are logged with metadata only.
const KNOWN: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "extensions",
    "metrics.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

pub(super) fn level(profile: Profile, client: &str, verb: &str, target: Option<&Target>) -> Level {
    match target {
        None => Level::Metadata,
        Some(target) if profile.has_fixed_clients() => level_of_gke(client, verb, target),
        Some(target) => level_of_changes(verb, target),
    }
}

/// Bodies of created and changed workloads, nodes, networking and RBAC; metadata of the rest.
fn level_of_changes(verb: &str, target: &Target) -> Level {
    let kept = match target.group.as_str() {
        "" => matches!(
            target.resource.as_str(),
            "pods" | "namespaces" | "nodes" | "persistentvolumeclaims"
        ),
        group => matches!(
            group,
            "apiregistration.k8s.io"
                | "apps"
                | "batch"
                | "networking.k8s.io"
                | "rbac.authorization.k8s.io"
        ),
    };
    match verb {
        "create" | "update" | "patch" if kept && target.subresource.is_none() => {
            Level::RequestResponse
        }
        _ => Level::Metadata,
    }
}

fn level_of_gke(client: &str, verb: &str, target: &Target) -> Level {
    let resource = target.resource_and_subresource();
    let core = target.group.is_empty();
    let status_of_node = core && matches!(resource.as_str(), "nodes/status" | "pods/status");
    if client == "kubelet" && matches!(verb, "update" | "patch") && status_of_node {
        return Level::Request;
    }
    if client == "namespace-controller" && verb == "deletecollection" {
        return Level::Request;
    }
    if core
        && matches!(
            resource.as_str(),
            "secrets" | "configmaps" | "serviceaccounts/token"
        )
    {
        return Level::Metadata;
    }
    if target.group == "authentication.k8s.io" && resource == "tokenreviews" {
        return Level::Metadata;
    }
    match KNOWN.contains(&target.group.as_str()) {
        true if matches!(verb, "get" | "list" | "watch") => Level::Request,
        true => Level::RequestResponse,
        false => Level::Metadata,
    }
}
