//! Bodies that hold secrets, and what the CIS benchmark (3.2.2) wants recorded.
//!
//! Not responsible for: volume (`volume.rs`), names (`names.rs`).

use std::collections::BTreeMap;

use super::{PolicyConcern, PolicyFindings};
use crate::policy::class::RequestClass;
use crate::policy::model::{PolicyLevel, PolicyRule};

/// Resources whose bodies hold secrets, with the verbs whose request or response carries one.
const SECRET_RESOURCES: &[(&str, &str, &str, &[&str])] = &[
    ("", "secrets", "", ALL_VERBS),
    ("", "configmaps", "", ALL_VERBS),
    ("", "serviceaccounts", "token", &["create"]),
    ("authentication.k8s.io", "tokenreviews", "", &["create"]),
];

const ALL_VERBS: &[&str] = &[
    "create",
    "update",
    "patch",
    "get",
    "list",
    "deletecollection",
    "delete",
    "watch",
];

/// Whether a body with the object's content is recorded: reads have it in the response only, and
/// watches and single deletions of secrets have none.
fn records_content(verb: &str, level: PolicyLevel) -> bool {
    match verb {
        "create" | "update" | "patch" => level >= PolicyLevel::Request,
        "get" | "list" | "deletecollection" => level == PolicyLevel::RequestResponse,
        _ => false,
    }
}

/// What CIS 3.2.2 names, with the verbs.
const KEY_CONCERNS: &[(&str, &str, &str, &[&str])] = &[
    (
        "",
        "secrets",
        "",
        &["get", "list", "create", "update", "patch", "delete"],
    ),
    (
        "",
        "configmaps",
        "",
        &["create", "update", "patch", "delete"],
    ),
    ("authentication.k8s.io", "tokenreviews", "", &["create"]),
    ("", "pods", "", &["create", "update", "patch", "delete"]),
    (
        "apps",
        "deployments",
        "",
        &["create", "update", "patch", "delete"],
    ),
    ("", "pods", "exec", &["create", "get"]),
    ("", "pods", "portforward", &["create", "get"]),
    ("", "pods", "proxy", &["create", "get"]),
    ("", "services", "proxy", &["create", "get"]),
];

impl PolicyFindings<'_> {
    pub(super) fn secrets(&mut self) {
        // By rule and by whether contents are recorded: resource → verbs.
        let mut found: BTreeMap<(usize, bool), BTreeMap<String, Vec<&str>>> = BTreeMap::new();
        for &(api_group, resource, subresource, verbs) in SECRET_RESOURCES {
            for &verb in verbs {
                let class = RequestClass::resource(verb, api_group, resource, subresource);
                for decision in self.policy.class_decisions(&class) {
                    if let (Some(rule), true) =
                        (decision.rule, decision.level >= PolicyLevel::Request)
                    {
                        let content = records_content(verb, decision.level);
                        let name = resource_name(resource, subresource);
                        let resources = found.entry((rule, content)).or_default();
                        resources.entry(name).or_default().push(verb);
                    }
                }
            }
        }
        for ((rule, content), resources) in &found {
            let listed: Vec<_> = resources
                .iter()
                .map(|(resource, verbs)| format!("{resource} ({})", verbs.join(", ")))
                .collect();
            let listed = listed.join(", ");
            let (rule, mend) = (
                *rule,
                "put a rule at level Metadata for these resources above it",
            );
            if *content {
                let message = format!("rule {rule} records the contents of {listed}");
                self.add(
                    "secret-bodies",
                    PolicyConcern::Warning,
                    Some(rule),
                    message,
                    mend,
                );
            } else if !found.contains_key(&(rule, true)) {
                let message = format!("rule {rule} records {listed} above level Metadata");
                self.add(
                    "secret-bodies",
                    PolicyConcern::Advice,
                    Some(rule),
                    message,
                    mend,
                );
            }
        }
    }

    /// CIS 3.2.2: whether something that it names is recorded at no level.
    pub(super) fn key_concerns(&mut self) {
        let mut missing: BTreeMap<Option<usize>, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
        for &(api_group, resource, subresource, verbs) in KEY_CONCERNS {
            for &verb in verbs {
                let class = RequestClass::resource(verb, api_group, resource, subresource);
                for decision in self.policy.class_decisions(&class) {
                    let rule = decision
                        .rule
                        .and_then(|rule| self.policy.rules.get(rule - 1));
                    if decision.level == PolicyLevel::None && !rule.is_some_and(is_narrow) {
                        let name = resource_name(resource, subresource);
                        let resources = missing.entry(decision.rule).or_default();
                        resources.entry(name).or_default().push(verb);
                    }
                }
            }
        }
        for (rule, resources) in missing {
            let listed: Vec<_> = resources
                .iter()
                .map(|(resource, verbs)| format!("{resource} ({})", verbs.join(", ")))
                .collect();
            let listed = listed.join(", ");
            let message = match rule {
                Some(rule) => {
                    format!("rule {rule} leaves out what CIS 3.2.2 wants recorded: {listed}")
                }
                None => format!("no rule need match what CIS 3.2.2 wants recorded: {listed}"),
            };
            self.add(
                "cis-3.2.2",
                PolicyConcern::Warning,
                rule,
                message,
                "record these requests at level Metadata at least",
            );
        }
    }
}

/// Whether a rule is for components of the cluster only, or for single objects.
fn is_narrow(rule: &PolicyRule) -> bool {
    let system =
        |names: &[String]| !names.is_empty() && names.iter().all(|name| is_component(name));
    let named = !rule.resources.is_empty()
        && rule
            .resources
            .iter()
            .all(|entry| !entry.resource_names.is_empty());
    system(&rule.users) || system(&rule.user_groups) || named
}

fn is_component(name: &str) -> bool {
    let broad = [
        "system:masters",
        "system:authenticated",
        "system:unauthenticated",
        "system:anonymous",
        "system:serviceaccounts",
    ];
    let components = [
        "kubelet",
        "cluster-autoscaler",
        "aws-cloud-controller",
        "eks:",
    ];
    (name.starts_with("system:") && !broad.contains(&name))
        || components
            .iter()
            .any(|component| name.starts_with(component))
}

fn resource_name(resource: &str, subresource: &str) -> String {
    match subresource {
        "" => resource.to_owned(),
        _ => format!("{resource}/{subresource}"),
    }
}
