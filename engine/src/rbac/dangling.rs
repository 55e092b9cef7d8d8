//! Objects that lead nowhere: bindings to missing roles or accounts, roles that nobody is bound to,
//! accounts that never called, and pods that mount their tokens all the same.
//!
//! Not responsible for: bindings whose permissions nobody used (`removal.rs`).

use std::collections::HashSet;

use crate::rbac::objects::BindingKey;
use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RoleKey;
use crate::rbac::objects::ServiceAccountObject;
use crate::rbac::objects::SubjectKey;
use crate::rbac::objects::SubjectKind;
use crate::rbac::objects::WorkloadObject;
use crate::rbac::objects::service_account_user;

/// What leads nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DanglingObjects {
    /// Bindings whose role does not exist, with kind and name of the role.
    pub roleless: Vec<(BindingKey, String, String)>,
    /// Service accounts in bindings that do not exist. Empty if the input has no accounts at all.
    pub missing_accounts: Vec<(BindingKey, SubjectKey)>,
    /// Bindings without a subject that can match.
    pub subjectless: Vec<BindingKey>,
    /// Roles that no binding refers to and no aggregated role selects; without Kubernetes' own.
    pub unbound_roles: Vec<RoleKey>,
}

/// Looks for them.
pub fn dangling(objects: &RbacObjects) -> DanglingObjects {
    let mut found = DanglingObjects::default();
    let roles: HashSet<&RoleKey> = objects.roles.iter().map(|role| &role.key).collect();
    let accounts = objects.service_accounts.iter();
    let accounts: HashSet<(&str, &str)> = accounts
        .map(|one| (one.namespace.as_str(), one.name.as_str()))
        .collect();
    let mut bound: HashSet<RoleKey> = HashSet::new();
    for binding in &objects.bindings {
        let role = binding.role();
        if !role.as_ref().is_some_and(|role| roles.contains(role)) {
            let (kind, name) = (binding.role_kind.clone(), binding.role_name.clone());
            found.roleless.push((binding.key.clone(), kind, name));
        }
        bound.extend(role);
        let subjects: Vec<SubjectKey> = binding
            .subjects
            .iter()
            .filter_map(|subject| subject.effective(&binding.key.namespace))
            .collect();
        if subjects.is_empty() {
            found.subjectless.push(binding.key.clone());
        }
        // Kubernetes' own bindings name accounts that controllers have only where they run.
        if accounts.is_empty() || binding.origin.is_bootstrap() {
            continue;
        }
        let missing = subjects.into_iter().filter(|subject| {
            subject.kind == SubjectKind::ServiceAccount
                && !accounts.contains(&(subject.namespace.as_str(), subject.name.as_str()))
        });
        found
            .missing_accounts
            .extend(missing.map(|subject| (binding.key.clone(), subject)));
    }
    let is_selected = |labels| {
        let mut aggregated = objects
            .roles
            .iter()
            .flat_map(|role| role.aggregation.iter().flatten());
        aggregated.any(|selector| selector.iter().all(|one| one.matches(labels)))
    };
    let unbound = objects.roles.iter().filter(|role| {
        !bound.contains(&role.key)
            && !role.origin.is_bootstrap()
            && !is_selected(&role.origin.labels)
    });
    found.unbound_roles = unbound.map(|role| role.key.clone()).collect();
    found
}

/// Service accounts that sent no request. `seen` holds the user names of all requests, impersonated
/// ones included.
pub fn unused_accounts<'o>(
    objects: &'o RbacObjects,
    seen: &HashSet<String>,
) -> Vec<&'o ServiceAccountObject> {
    let accounts = objects.service_accounts.iter();
    let unused =
        accounts.filter(|one| !seen.contains(&service_account_user(&one.namespace, &one.name)));
    unused.collect()
}

/// Workloads whose pods mount the token of a service account that sent no request. The pod's
/// `automountServiceAccountToken` counts before the account's; the default is to mount.
pub fn needless_mounts<'o>(
    objects: &'o RbacObjects,
    seen: &HashSet<String>,
) -> Vec<&'o WorkloadObject> {
    let refusing: HashSet<(&str, &str)> = objects
        .service_accounts
        .iter()
        .filter(|one| one.automount == Some(false))
        .map(|one| (one.namespace.as_str(), one.name.as_str()))
        .collect();
    let needless = objects.workloads.iter().filter(|one| {
        let key = (one.namespace.as_str(), one.service_account.as_str());
        let mounts = one.automount.unwrap_or_else(|| !refusing.contains(&key));
        mounts && !seen.contains(&service_account_user(&one.namespace, &one.service_account))
    });
    needless.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::read::ManifestReader;

    const OBJECTS: &str = "
kind: List
apiVersion: v1
items:
- {kind: ServiceAccount, apiVersion: v1, metadata: {name: a, namespace: dev}}
- kind: ServiceAccount
  apiVersion: v1
  metadata: {name: quiet, namespace: dev}
  automountServiceAccountToken: false
- {kind: Pod, apiVersion: v1, metadata: {name: p, namespace: dev}, spec: {serviceAccountName: a}}
- {kind: Pod, apiVersion: v1, metadata: {name: q, namespace: dev}, spec: {serviceAccountName: quiet}}
- kind: Pod
  apiVersion: v1
  metadata: {name: r, namespace: dev}
  spec: {serviceAccountName: quiet, automountServiceAccountToken: true}
- {kind: Role, apiVersion: rbac.authorization.k8s.io/v1, metadata: {name: free, namespace: dev}}
- {kind: Role, apiVersion: rbac.authorization.k8s.io/v1, metadata: {name: bound, namespace: dev}}
- kind: RoleBinding
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: one, namespace: dev}
  roleRef: {kind: Role, name: bound}
  subjects: [{kind: ServiceAccount, name: a}, {kind: ServiceAccount, name: lost}]
- kind: RoleBinding
  apiVersion: rbac.authorization.k8s.io/v1
  metadata: {name: two, namespace: dev}
  roleRef: {kind: ClusterRole, name: bound}
";

    #[test]
    fn what_leads_nowhere() {
        let mut reader = ManifestReader::new();
        reader.read_text("objects", OBJECTS);
        let objects = reader.finish().objects;
        let found = dangling(&objects);
        assert_eq!(found.roleless.len(), 1);
        assert_eq!(found.roleless[0].0.name, "two");
        assert_eq!(found.missing_accounts[0].1.name, "lost");
        assert_eq!(found.missing_accounts.len(), 1);
        assert_eq!(found.subjectless[0].name, "two");
        assert_eq!(found.unbound_roles.len(), 1);
        assert_eq!(found.unbound_roles[0].name, "free");
        let seen = HashSet::new();
        assert_eq!(unused_accounts(&objects, &seen).len(), 2);
        let mounts = needless_mounts(&objects, &seen);
        let mounts: Vec<&str> = mounts.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(mounts, ["p", "r"]);
        let seen = HashSet::from(["system:serviceaccount:dev:a".to_owned()]);
        assert_eq!(unused_accounts(&objects, &seen).len(), 1);
        assert_eq!(needless_mounts(&objects, &seen).len(), 1);
    }
}
