//! Paths over service accounts in a small invented cluster.

use super::*;
use crate::rbac::read::ManifestReader;
use crate::rbac::request::Identity;

const OBJECTS: &str = "
kind: List
apiVersion: v1
items:
- {kind: ServiceAccount, apiVersion: v1, metadata: {name: ci, namespace: dev}}
- {kind: ServiceAccount, apiVersion: v1, metadata: {name: operator, namespace: ops}}
- {kind: ServiceAccount, apiVersion: v1, metadata: {name: idle, namespace: ops}}
- kind: Pod
  apiVersion: v1
  metadata: {name: p, namespace: ops}
  spec: {serviceAccountName: operator}
- kind: ClusterRole
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: root}
  rules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]
- kind: ClusterRole
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: exec}
  rules: [{verbs: [create], apiGroups: [''], resources: [pods/exec]}]
- kind: ClusterRole
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: deploy}
  rules: [{verbs: [create], apiGroups: [apps], resources: [deployments]}]
- kind: ClusterRole
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: token-of-other}
  rules:
  - {verbs: [create], apiGroups: [''], resources: [serviceaccounts/token], resourceNames: [other]}
- kind: ClusterRoleBinding
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: root}
  roleRef: {kind: ClusterRole, name: root}
  subjects: [{kind: ServiceAccount, name: operator, namespace: ops}]
- kind: RoleBinding
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: exec, namespace: ops}
  roleRef: {kind: ClusterRole, name: exec}
  subjects: [{kind: ServiceAccount, name: ci, namespace: dev}]
- kind: RoleBinding
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: deploy, namespace: dev}
  roleRef: {kind: ClusterRole, name: deploy}
  subjects: [{kind: User, name: ann}]
- kind: RoleBinding
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: harmless, namespace: ops}
  roleRef: {kind: ClusterRole, name: token-of-other}
  subjects: [{kind: User, name: bob}]
";

#[test]
fn paths_lead_over_accounts_to_everything() {
    let mut reader = ManifestReader::new();
    reader.read_text("objects", OBJECTS);
    let objects = reader.finish().objects;
    let authorizer = RbacAuthorizer::new(&objects);
    let used = ObservedRequest {
        identity: Arc::new(Identity {
            name: "ann".to_owned(),
            groups: Vec::new(),
        }),
        request: AccessRequest {
            verb: "create".to_owned(),
            namespace: "dev".to_owned(),
            api_group: "apps".to_owned(),
            resource: "deployments".to_owned(),
            ..AccessRequest::default()
        },
        outcome: AccessOutcome::Allowed,
        count: 2,
        first: 1,
        last: 3,
        samples: Vec::new(),
    };
    let report = risks(&objects, &authorizer, &[used]);
    let told: Vec<String> = report
        .paths
        .iter()
        .map(|path| {
            let steps = path.steps.iter().map(|step| {
                let to = step.to.as_ref().map_or("everything", |to| &to.name);
                format!("{} -> {to}", report.findings[step.finding].kind.id)
            });
            let steps: Vec<String> = steps.collect();
            format!("{}: {}", path.subject.name, steps.join(", "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "operator: cluster-admin -> everything",
            "ci: exec-pods -> operator, cluster-admin -> everything",
            "ann: create-workloads -> ci, exec-pods -> operator, cluster-admin -> everything",
        ]
    );
    let used: Vec<(&str, u64)> = report
        .findings
        .iter()
        .filter_map(|one| Some((one.kind.id, one.record.as_ref()?.uses)))
        .collect();
    assert_eq!(used, [("create-workloads", 2)]);
    let ids = report.findings.iter().map(|one| one.kind.id);
    assert_eq!(ids.filter(|id| *id == "token-request").count(), 2);
}
