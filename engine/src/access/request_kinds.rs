//! The kinds of requests that a saved query looks at: an entry of `needs` in, verbs with resources or
//! paths out.
//!
//! Patterns stand for the resources that Kubernetes serves, one custom resource, and the usual paths.
//! Not responsible for: whether a policy records them (`coverage.rs`).

use crate::policy::RequestClass;
use crate::policy::RequestSender;
use crate::policy::RequestedTarget;
use crate::policy::served_resources;
use crate::query::NeededResource;
use crate::query::NeededSender;
use crate::query::QueryNeed;

/// Stands for all custom resources.
const CUSTOM: (&str, &str, &str) = ("example.com", "widgets", "");

/// Paths that clients ask for.
const USUAL_PATHS: [&str; 12] = [
    "/.well-known/openid-configuration",
    "/api",
    "/apis",
    "/debug/pprof/profile",
    "/healthz",
    "/livez",
    "/logs/",
    "/metrics",
    "/openapi/v3",
    "/readyz",
    "/version",
    "/",
];

/// Resources that are created, answered and never stored.
const ANSWERS: [&str; 7] = [
    "bindings",
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectreviews",
    "selfsubjectrulesreviews",
    "subjectaccessreviews",
    "tokenreviews",
];

/// Every kind of request that an entry is about.
pub(super) fn request_kinds(need: &QueryNeed) -> Vec<RequestClass<'_>> {
    let sender = sender_of(need.from);
    let mut kinds = Vec::new();
    for (api_group, resource, subresource) in resources(need) {
        let usual = usual_verbs(resource, subresource);
        let add = |verb| RequestClass {
            sender,
            ..RequestClass::resource(verb, api_group, resource, subresource)
        };
        let wanted = usual.iter().filter(|verb| need.has_verb(verb));
        let before = kinds.len();
        kinds.extend(wanted.map(|verb| add(verb)));
        if kinds.len() == before && !need.resources.iter().all(is_pattern) {
            kinds.extend(need.verbs.iter().map(|verb| add(verb)));
        }
    }
    for path in paths(need) {
        let target = RequestedTarget::Path(path);
        let add = |verb| RequestClass {
            verb,
            target,
            sender,
        };
        match need.verbs.as_slice() {
            [] => kinds.push(add("get")),
            verbs => kinds.extend(verbs.iter().map(|verb| add(verb))),
        }
    }
    kinds
}

fn is_pattern(resource: &NeededResource) -> bool {
    resource.named().is_none()
}

/// The sender of an entry in the terms of a policy.
pub(super) const fn sender_of(sender: NeededSender) -> RequestSender {
    match sender {
        NeededSender::Anyone => RequestSender::Anyone,
        NeededSender::People => RequestSender::Person,
        NeededSender::ServiceAccounts => RequestSender::ServiceAccount,
        NeededSender::Anonymous => RequestSender::Anonymous,
        NeededSender::Nobody => RequestSender::Nobody,
    }
}

fn resources(need: &QueryNeed) -> Vec<(&str, &str, &str)> {
    let mut found: Vec<(&str, &str, &str)> = Vec::new();
    for wanted in &need.resources {
        if let Some(named) = wanted.named() {
            found.push(named);
            continue;
        }
        for known in served_resources().chain([CUSTOM]) {
            let (api_group, resource, subresource) = known;
            if wanted.includes(api_group, resource, subresource) && is_served(resource, subresource)
            {
                found.push(known);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether the apiserver serves it: most subresources of nodes are names for access to kubelets.
fn is_served(resource: &str, subresource: &str) -> bool {
    resource != "nodes" || matches!(subresource, "" | "proxy" | "status")
}

fn usual_verbs(resource: &str, subresource: &str) -> &'static [&'static str] {
    match subresource {
        "" if ANSWERS.contains(&resource) => &["create"],
        "" => &[
            "get",
            "list",
            "watch",
            "create",
            "update",
            "patch",
            "delete",
            "deletecollection",
        ],
        "exec" | "attach" | "portforward" => &["get", "create"],
        "log" => &["get"],
        "proxy" => &["get", "create", "update", "patch", "delete"],
        "binding" | "eviction" | "token" => &["create"],
        _ => &["get", "update", "patch"],
    }
}

fn paths(need: &QueryNeed) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for wanted in &need.paths {
        match wanted.strip_suffix('*') {
            None => found.push(wanted),
            Some("") => found.extend(USUAL_PATHS),
            Some(prefix) => found.push(prefix),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
