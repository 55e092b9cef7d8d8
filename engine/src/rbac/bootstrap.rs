//! Kubernetes' own roles and bindings, for inputs that have none: manifests from Git do not hold what
//! every apiserver creates.
//!
//! `bootstrap.jsonl` is what a kube-apiserver 1.36.2 serves with the label
//! `kubernetes.io/bootstrapping: rbac-defaults`; the objects are those of Kubernetes' bootstrap policy
//! (Copyright The Kubernetes Authors, Apache-2.0). For earlier versions the roles of features that were not on by default
//! are left out; the rules of the others are those of 1.36. Aggregated roles are resolved by their
//! selectors, so that roles of the input with such labels count.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::rbac::objects::BindingKey;
use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RoleKey;
use crate::rbac::read::ManifestReader;

/// The minor versions of Kubernetes 1.x for which there are roles.
pub const BOOTSTRAP_VERSIONS: RangeInclusive<u32> = 30..=36;

/// The objects, one a line.
const OBJECTS: &str = include_str!("bootstrap.jsonl");

/// The minor version that first has a controller by default; the others are older than all here.
const FIRST_VERSIONS: [(&str, u32); 5] = [
    ("system:controller:device-taint-eviction-controller", 36),
    ("system:controller:resource-claim-controller", 34),
    ("system:controller:selinux-warning-controller", 33),
    ("system:controller:service-cidrs-controller", 33),
    (
        "system:controller:volumeattributesclass-protection-controller",
        34,
    ),
];

/// The roles and bindings of Kubernetes 1.`minor`, marked as bundled.
pub fn bootstrap_objects(minor: u32) -> RbacObjects {
    let mut reader = ManifestReader::new();
    reader.read_text("Kubernetes defaults", OBJECTS);
    let mut objects = reader.finish().objects;
    let is_later = |name: &str| {
        let first = FIRST_VERSIONS.iter().find(|(own, _)| *own == name);
        first.is_some_and(|(_, first)| *first > minor)
    };
    objects.roles.retain(|role| !is_later(&role.key.name));
    objects
        .bindings
        .retain(|binding| !is_later(&binding.key.name));
    for role in &mut objects.roles {
        Arc::make_mut(role).origin.bundled = true;
    }
    for binding in &mut objects.bindings {
        Arc::make_mut(binding).origin.bundled = true;
    }
    objects
}

/// Lays Kubernetes' own objects under those of an input that has none of them: an object of the
/// input with the same key counts. Whether it did. Resolve aggregated roles afterwards.
pub fn lay_bootstrap_under(objects: &mut RbacObjects, minor: u32) -> bool {
    if objects.has_bootstrap() {
        return false;
    }
    let roles: HashSet<RoleKey> = objects.roles.iter().map(|role| role.key.clone()).collect();
    let bindings: HashSet<BindingKey> = objects
        .bindings
        .iter()
        .map(|binding| binding.key.clone())
        .collect();
    let own = bootstrap_objects(minor);
    let others = own
        .roles
        .into_iter()
        .filter(|role| !roles.contains(&role.key));
    objects.roles.extend(others);
    let others = own
        .bindings
        .into_iter()
        .filter(|binding| !bindings.contains(&binding.key));
    objects.bindings.extend(others);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::aggregate::resolve_aggregation;

    #[test]
    fn every_version_has_its_roles() {
        for minor in BOOTSTRAP_VERSIONS {
            let mut objects = bootstrap_objects(minor);
            let at = [33, 34, 36].partition_point(|first| *first <= minor);
            assert_eq!(objects.roles.len(), [71, 73, 75, 76][at]);
            resolve_aggregation(&mut objects, &HashSet::new());
            let rules = |name: &str| {
                let role = objects
                    .roles
                    .iter()
                    .find(|role| role.key.name == name)
                    .unwrap();
                role.rules.len()
            };
            // What the controller of a cluster fills in.
            assert_eq!((rules("view"), rules("edit"), rules("admin")), (12, 27, 29));
        }
    }

    #[test]
    fn a_live_dump_is_taken_as_it_is() {
        let mut objects = bootstrap_objects(36);
        let count = objects.roles.len();
        assert!(!lay_bootstrap_under(&mut objects, 36));
        assert_eq!(objects.roles.len(), count);
        let mut objects = RbacObjects::default();
        assert!(lay_bootstrap_under(&mut objects, 30));
        assert!(objects.roles.iter().all(|role| role.origin.bundled));
    }
}
