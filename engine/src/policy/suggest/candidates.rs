//! The changes that are weighed: sums of a log in, changes with what they hide out.
//!
//! Rules name the users, verbs and resources that the log shows, and no more. Not responsible for:
//! what a change saves (`mod.rs`).

use std::collections::{BTreeMap, BTreeSet};

use super::{NODE, PolicyChange, SuggestionSearch};
use crate::policy::model::{GroupResources, PolicyLevel, PolicyRule, PolicyStage};

/// A change before it is weighed.
pub(super) struct Candidate {
    pub(super) code: &'static str,
    pub(super) change: PolicyChange,
    pub(super) invisible: String,
}

const READS: [&str; 3] = ["get", "list", "watch"];

/// Resources that no suggestion hides, whoever uses them.
fn is_sensitive(api_group: &str, resource: &str, subresource: &str) -> bool {
    matches!(
        (api_group, resource),
        ("", "secrets" | "configmaps" | "serviceaccounts")
            | ("authentication.k8s.io" | "authorization.k8s.io", _)
            | ("rbac.authorization.k8s.io" | "certificates.k8s.io", _)
            | ("admissionregistration.k8s.io", _)
    ) || matches!(
        subresource,
        "exec" | "attach" | "portforward" | "proxy" | "ephemeralcontainers" | "log"
    )
}

/// Whether a user is part of the control plane: not a person, and not a service account that
/// somebody else could have made, in kube-system too.
fn is_component(user: &str) -> bool {
    match user.strip_prefix("system:serviceaccount:kube-system:") {
        Some(account) => account.ends_with("-controller") || CONTROLLERS.contains(&account),
        None => COMPONENTS.contains(&user),
    }
}

const COMPONENTS: &[&str] = &[
    "system:apiserver",
    "system:cloud-controller-manager",
    "system:kube-controller-manager",
    "system:kube-proxy",
    "system:kube-scheduler",
];

/// Service accounts of kube-controller-manager and usual add-ons whose names do not end in
/// `-controller`.
const CONTROLLERS: &[&str] = &[
    "bootstrap-signer",
    "coredns",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "kube-dns",
    "kube-proxy",
    "metrics-server",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "root-ca-cert-publisher",
    "service-ca-cert-publisher",
    "token-cleaner",
];

impl SuggestionSearch {
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = vec![
            Candidate {
                code: "omit-request-received",
                change: PolicyChange::OmitStage(PolicyStage::RequestReceived),
                invisible: "that a request arrived, until it ends; requests that never end"
                    .to_owned(),
            },
            Candidate {
                code: "omit-managed-fields",
                change: PolicyChange::OmitManagedFields,
                invisible: "which manager owns which field of an object".to_owned(),
            },
            health_checks(),
            discovery(),
            events(),
            read_contents(),
            node_status(),
        ];
        candidates.extend(self.leases());
        candidates.extend(self.component_reads());
        candidates.extend(self.component_responses());
        candidates
    }

    /// The system users of requests that meet a test; nodes, which have a group, apart.
    fn system_users(&self, fits: impl Fn(&str, &str, &str, &str) -> bool) -> (Vec<String>, bool) {
        let mut users = BTreeSet::new();
        let mut nodes = false;
        for class in self.classes.keys() {
            let (Some(user), Some((api_group, resource, subresource))) =
                (&class.user, &class.resource)
            else {
                continue;
            };
            if !fits(&class.verb, api_group, resource, subresource) {
                continue;
            }
            if user == NODE {
                nodes = true;
            } else if is_component(user) {
                users.insert(user.clone());
            }
        }
        (users.into_iter().collect(), nodes)
    }

    fn leases(&self) -> Vec<Candidate> {
        let (users, nodes) = self.system_users(|verb, api_group, resource, _| {
            matches!(verb, "get" | "update")
                && (api_group, resource) == ("coordination.k8s.io", "leases")
        });
        let rule = PolicyRule {
            verbs: texts(&["get", "update"]),
            resources: vec![resources("coordination.k8s.io", &["leases"])],
            ..PolicyRule::at(PolicyLevel::None)
        };
        let invisible =
            "gaps between heartbeats, by which interruptions of the log are found".to_owned();
        self.for_components("omit-lease-renewals", &rule, users, nodes, &invisible)
    }

    fn component_reads(&self) -> Vec<Candidate> {
        let ordinary = |verb: &str, api_group: &str, resource: &str, subresource: &str| {
            READS.contains(&verb) && !is_sensitive(api_group, resource, subresource)
        };
        let (users, nodes) = self.system_users(ordinary);
        let mut by_group: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for class in self.classes.keys() {
            if let (Some(user), Some((api_group, resource, subresource))) =
                (&class.user, &class.resource)
                && is_component(user)
                && !resource.is_empty()
                && ordinary(&class.verb, api_group, resource, subresource)
            {
                let name = match subresource.as_str() {
                    "" => resource.clone(),
                    _ => format!("{resource}/{subresource}"),
                };
                by_group.entry(api_group).or_default().insert(name);
            }
        }
        let rule = PolicyRule {
            verbs: texts(&READS),
            resources: by_group
                .into_iter()
                .map(|(api_group, names)| GroupResources {
                    group: api_group.to_owned(),
                    resources: names.into_iter().collect(),
                    resource_names: Vec::new(),
                })
                .collect(),
            ..PolicyRule::at(PolicyLevel::None)
        };
        if rule.resources.is_empty() {
            return Vec::new();
        }
        let invisible = "what system components read; whether their permissions to read are used, \
                         and somebody who reads with their credentials"
            .to_owned();
        self.for_components("omit-component-reads", &rule, users, nodes, &invisible)
    }

    fn component_responses(&self) -> Vec<Candidate> {
        let writes = ["create", "update", "patch", "delete", "deletecollection"];
        let (users, nodes) = self.system_users(|verb, api_group, resource, subresource| {
            writes.contains(&verb) && !is_sensitive(api_group, resource, subresource)
        });
        let mut groups = BTreeSet::new();
        for class in self.classes.keys() {
            if let (Some(user), Some((api_group, resource, subresource))) =
                (&class.user, &class.resource)
                && is_component(user)
                && writes.contains(&class.verb.as_str())
                && !is_sensitive(api_group, resource, subresource)
            {
                groups.insert((api_group.as_str(), resource.as_str()));
            }
        }
        if groups.is_empty() {
            return Vec::new();
        }
        let mut by_group: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (api_group, resource) in groups {
            let names = by_group.entry(api_group).or_default();
            names.extend([resource.to_owned(), format!("{resource}/*")]);
        }
        let rule = PolicyRule {
            verbs: texts(&writes),
            resources: by_group
                .into_iter()
                .map(|(api_group, resources)| GroupResources {
                    group: api_group.to_owned(),
                    resources,
                    resource_names: Vec::new(),
                })
                .collect(),
            ..PolicyRule::at(PolicyLevel::Request)
        };
        let invisible = "objects as they are after writes by system components".to_owned();
        self.for_components("omit-component-responses", &rule, users, nodes, &invisible)
    }

    /// One rule for system users by name, one for nodes by group.
    fn for_components(
        &self,
        code: &'static str,
        rule: &PolicyRule,
        users: Vec<String>,
        nodes: bool,
        invisible: &str,
    ) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let mut add = |users: Vec<String>, user_groups: Vec<String>| {
            candidates.push(Candidate {
                code,
                change: PolicyChange::AddRule(PolicyRule {
                    users,
                    user_groups,
                    ..rule.clone()
                }),
                invisible: invisible.to_owned(),
            });
        };
        if !users.is_empty() {
            add(users, Vec::new());
        }
        if nodes {
            add(Vec::new(), texts(&["system:nodes"]));
        }
        candidates
    }
}

fn health_checks() -> Candidate {
    Candidate {
        code: "omit-health-checks",
        change: PolicyChange::AddRule(PolicyRule {
            verbs: texts(&["get"]),
            non_resource_urls: texts(&["/healthz*", "/livez*", "/readyz*"]),
            ..PolicyRule::at(PolicyLevel::None)
        }),
        invisible: "who asks whether the apiserver is up, scanners included".to_owned(),
    }
}

fn discovery() -> Candidate {
    Candidate {
        code: "omit-discovery",
        change: PolicyChange::AddRule(PolicyRule {
            user_groups: texts(&["system:authenticated"]),
            verbs: texts(&["get"]),
            non_resource_urls: texts(&["/api*", "/openapi*", "/version"]),
            ..PolicyRule::at(PolicyLevel::None)
        }),
        invisible: "who lists the cluster's APIs: kubectl, and attackers who look around"
            .to_owned(),
    }
}

fn events() -> Candidate {
    Candidate {
        code: "omit-events",
        change: PolicyChange::AddRule(PolicyRule {
            verbs: texts(&["create", "update", "patch"]),
            resources: vec![
                resources("", &["events"]),
                resources("events.k8s.io", &["events"]),
            ],
            ..PolicyRule::at(PolicyLevel::None)
        }),
        invisible: "events as they are written; deleting them stays visible".to_owned(),
    }
}

fn read_contents() -> Candidate {
    Candidate {
        code: "omit-read-contents",
        change: PolicyChange::AddRule(PolicyRule {
            verbs: texts(&READS),
            ..PolicyRule::at(PolicyLevel::Metadata)
        }),
        invisible: "the objects that get and list returned; who read what stays visible".to_owned(),
    }
}

fn node_status() -> Candidate {
    Candidate {
        code: "omit-node-status-bodies",
        change: PolicyChange::AddRule(PolicyRule {
            user_groups: texts(&["system:nodes"]),
            verbs: texts(&["update", "patch"]),
            resources: vec![resources("", &["nodes/status", "pods/status"])],
            ..PolicyRule::at(PolicyLevel::Metadata)
        }),
        invisible: "what nodes report of themselves and their pods".to_owned(),
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn resources(group: &str, resources: &[&str]) -> GroupResources {
    GroupResources {
        group: group.to_owned(),
        resources: texts(resources),
        resource_names: Vec::new(),
    }
}

/// A change as YAML: a field of the policy, or a rule.
pub(super) fn yaml_of(change: &PolicyChange) -> String {
    match change {
        PolicyChange::OmitStage(stage) => format!("omitStages: [{stage}]\n"),
        PolicyChange::OmitManagedFields => "omitManagedFields: true\n".to_owned(),
        PolicyChange::AddRule(rule) => rule.to_yaml(),
    }
}
