//! Manifests as people write them, and dumps as kubectl prints them.

use std::collections::HashSet;

use super::*;
use crate::rbac::aggregate::resolve_aggregation;

fn read(text: &str) -> ReadObjects {
    let mut reader = ManifestReader::new();
    reader.read_text("file", text);
    reader.finish()
}

const MANIFESTS: &str = "# a comment
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: dev}
rules:
- apiGroups: [\"\"]
  resources: &both
    - pods
    - services
  verbs: [get,\tlist]   # tabs are fine here
- {apiGroups: [apps], resources: *both, verbs: [watch], resourceNames: [null, x]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: reader
  namespace: dev
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- kind: ServiceAccount
  name: ci
- {kind: Group, apiGroup: rbac.authorization.k8s.io, name: devs}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata: {name: ci, namespace: dev}
  automountServiceAccountToken: false
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: x}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleList
  items:
  - metadata: {name: inner, namespace: ignored}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: nightly, namespace: dev}
  spec: {jobTemplate: {spec: {template: {spec: {serviceAccountName: ci}}}}}
---
replicas: 3
";

#[test]
fn manifests_in_any_mixture() {
    let read = read(MANIFESTS);
    assert_eq!(read.rejects, []);
    assert_eq!(read.faults, []);
    let objects = &read.objects;
    let rules = &objects.roles[0].rules;
    assert_eq!(rules[0].verbs, ["get", "list"]);
    assert_eq!(rules[1].resources, ["pods", "services"]);
    assert_eq!(rules[1].resource_names, ["", "x"]);
    assert_eq!(objects.roles[1].key.kind, RoleKind::ClusterRole);
    assert_eq!(objects.roles[1].key.namespace, "");
    assert_eq!(objects.bindings[0].subjects.len(), 2);
    assert_eq!(objects.bindings[0].origin.line, 13);
    assert_eq!(objects.service_accounts[0].automount, Some(false));
    assert_eq!(objects.workloads[0].service_account, "ci");
    assert_eq!(objects.workloads[0].origin.line, 38);
    let skipped: Vec<_> = read.skipped.into_iter().collect();
    assert_eq!(
        skipped,
        [("(no kind)".to_owned(), 1), ("ConfigMap".to_owned(), 1)]
    );
}

#[test]
fn json_as_kubectl_prints_it() {
    let text = r#"{
  "apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""},
  "items": [
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
     "metadata": {"name": "a", "uid": "1", "resourceVersion": "7"},
     "roleRef": {"kind": "ClusterRole", "name": "view", "apiGroup": "rbac.authorization.k8s.io"}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"deep": [[[{}]]]}},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"},
     "rules": [{"verbs": ["get"], "verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "broken"},
     "rules": [{"verbs": [true], "apiGroups": [""], "resources": ["pods"]}]}
  ]
}"#;
    let read = read(text);
    assert_eq!(read.objects.bindings[0].origin.line, 4);
    assert!(read.objects.bindings[0].origin.is_live());
    assert_eq!(read.objects.roles[0].rules[0].verbs, ["list"]);
    assert_eq!(read.objects.roles[0].key.namespace, "default");
    assert_eq!(read.rejects.len(), 1);
    assert_eq!(read.rejects[0].line, 10);
    assert_eq!(
        read.rejects[0].message,
        "Role: rules[0].verbs[0]: expected text, found a boolean; put it in quotes"
    );
}

#[test]
fn broken_documents_cost_only_themselves() {
    let text = "kind: Role\nrules: []\nmetadata: {name: a}\n---\n\
        apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: no\n---\n\
        apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\n---\n\
        a: [\n---\nname: {{ .Values.name }}\n---\n\
        apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: good}\n";
    let read = read(text);
    let rejects: Vec<(u64, &str)> = read
        .rejects
        .iter()
        .map(|reject| (reject.line, reject.message.as_str()))
        .collect();
    assert_eq!(rejects[0], (1, "apiVersion: missing"));
    let quotes = "Role: metadata.name: expected text, found a boolean; put it in quotes";
    assert_eq!(rejects[1], (5, quotes));
    assert_eq!(
        rejects[2],
        (10, "RoleBinding: roleRef: expected kind and name")
    );
    assert!(rejects[3].1.starts_with("not valid YAML"), "{rejects:?}");
    assert!(rejects[4].1.starts_with("a template"), "{rejects:?}");
    assert_eq!(rejects.len(), 5);
    assert_eq!(read.objects.roles[0].key.name, "good");
}

#[test]
fn what_the_apiserver_would_refuse_is_told() {
    let text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n\
        metadata: {name: a, namespace: dev}\nrules:\n\
        - {verbs: [], apiGroups: [\"\"], resources: [pods]}\n\
        - {verbs: [get], nonResourceURLs: [/x]}\n- {verbs: [get], resource: [pods]}\n---\n\
        apiVersion: rbac.authorization.k8s.io/v1beta1\nkind: ClusterRoleBinding\n\
        metadata: {name: b}\nroleRef: {kind: Role, name: x, apiGroup: v1}\nsubjects:\n\
        - {kind: ServiceAccount, name: s}\n- {kind: Robot, name: r}\n";
    let read = read(text);
    let faults: Vec<&str> = read
        .faults
        .iter()
        .map(|fault| fault.message.as_str())
        .collect();
    assert_eq!(
        faults,
        [
            "rules[2].resource: unknown field",
            "rules[0].verbs: expected at least one verb",
            "rules[1].nonResourceURLs: a Role cannot grant non-resource URLs",
            "rules[2].apiGroups: expected at least one API group",
            "rules[2].resources: expected at least one resource",
            "apiVersion: rbac.authorization.k8s.io/v1beta1 is not served since Kubernetes 1.22",
            "roleRef.apiGroup: expected `rbac.authorization.k8s.io`, found `v1`",
            "roleRef.kind: expected ClusterRole, found `Role`",
            "subjects[0].namespace: missing; the subject matches nobody",
            "subjects[1].kind: expected User, Group or ServiceAccount, found `Robot`",
        ]
    );
    assert_eq!(read.faults[5].object, "ClusterRoleBinding b");
    assert_eq!(read.objects.bindings[0].subjects.len(), 2);
}

#[test]
fn the_last_of_equal_keys_counts_and_other_clusters_show() {
    let object = |uid: &str, verb: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
             metadata: {{name: a, uid: \"{uid}\"}}\n\
             rules: [{{verbs: [{verb}], apiGroups: [\"\"], resources: [x]}}]\n"
        )
    };
    let mut reader = ManifestReader::new();
    reader.read_text("one", &object("1", "get"));
    reader.read_text("two", &object("1", "list"));
    reader.read_text("three", &object("2", "watch"));
    let read = reader.finish();
    assert_eq!(read.objects.roles[0].rules[0].verbs, ["watch"]);
    assert_eq!((read.replaced, read.conflicts.len()), (2, 1));
    assert_eq!(&*read.conflicts[0].earlier, "two");
}

#[test]
fn aggregated_roles_are_filled_in_to_a_fixed_point() {
    let role = |name: &str, labels: &str, rest: &str| {
        format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
             metadata: {{name: {name}, labels: {{{labels}}}}}\n{rest}\n"
        )
    };
    let rule = |resource: &str| {
        format!("rules: [{{apiGroups: [\"\"], resources: [{resource}], verbs: [get]}}]")
    };
    let select = |label: &str| {
        format!(
            "aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{{label}: \"true\"}}}}]}}"
        )
    };
    let text = [
        role("top", "to-circle: \"true\"", &select("to-top")),
        role("middle", "to-top: \"true\"", &select("to-middle")),
        role("leaf", "to-middle: \"true\"", &rule("pods")),
        role("circle", "to-middle: \"true\"", &select("to-circle")),
        role("other", "to-top: \"false\"", &rule("secrets")),
        role(
            "filled",
            "",
            &format!("{}\n{}", select("to-middle"), rule("nodes")),
        ),
        role(
            "by-expression",
            "",
            "aggregationRule: {clusterRoleSelectors: [{matchExpressions: [\
             {key: to-top, operator: In, values: [\"false\"]}]}]}",
        ),
    ];
    let mut objects = read(&text.concat()).objects;
    resolve_aggregation(&mut objects, &HashSet::new());
    let resources = |name: &str| -> Vec<String> {
        let role = objects
            .roles
            .iter()
            .find(|role| role.key.name == name)
            .unwrap();
        role.rules
            .iter()
            .flat_map(|rule| rule.resources.clone())
            .collect()
    };
    assert_eq!(resources("top"), ["pods"]);
    assert_eq!(resources("circle"), ["pods"]);
    assert_eq!(resources("by-expression"), ["secrets"]);
    assert_eq!(resources("filled"), ["nodes"]);
}
