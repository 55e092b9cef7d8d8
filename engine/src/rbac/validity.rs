//! What the apiserver would refuse of a role or binding: `pkg/apis/rbac/validation/validation.go`,
//! after the defaults of `pkg/apis/rbac/v1/defaults.go`.
//!
//! These are findings beside the object, which stays and is evaluated to the letter: a live cluster
//! cannot have it, but a manifest that is refused should not vanish from an answer unseen.

use crate::rbac::decode::DecodedSubject;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::LabelRequirement;
use crate::rbac::objects::RBAC_GROUP;
use crate::rbac::objects::RbacBinding;
use crate::rbac::objects::RbacRole;
use crate::rbac::objects::RoleKind;
use crate::rbac::objects::SubjectKind;

/// `ValidateRole`, `ValidateClusterRole`.
pub(crate) fn role_faults(role: &RbacRole) -> Vec<String> {
    let mut faults = Vec::new();
    name_fault("metadata.name", &role.key.name, &mut faults);
    let is_namespaced = role.key.kind == RoleKind::Role;
    for (at, rule) in role.rules.iter().enumerate() {
        let mut fault = |text: &str| faults.push(format!("rules[{at}]{text}"));
        if rule.verbs.is_empty() {
            fault(".verbs: expected at least one verb");
        }
        if !rule.non_resource_urls.is_empty() {
            if is_namespaced {
                fault(".nonResourceURLs: a Role cannot grant non-resource URLs");
            }
            let of_resources = [&rule.api_groups, &rule.resources, &rule.resource_names];
            if of_resources.iter().any(|list| !list.is_empty()) {
                fault(": a rule cannot grant both resources and non-resource URLs");
            }
            continue;
        }
        if rule.api_groups.is_empty() {
            fault(".apiGroups: expected at least one API group");
        }
        if rule.resources.is_empty() {
            fault(".resources: expected at least one resource");
        }
    }
    if let Some(selectors) = &role.aggregation {
        if selectors.is_empty() {
            let path = "aggregationRule.clusterRoleSelectors";
            faults.push(format!("{path}: expected at least one selector"));
        }
        for (at, selector) in selectors.iter().enumerate() {
            let without = selector.iter().any(|requirement| {
                matches!(requirement,
                    LabelRequirement::In(_, values) | LabelRequirement::NotIn(_, values)
                        if values.is_empty())
            });
            if without {
                let path = format!("aggregationRule.clusterRoleSelectors[{at}]");
                faults.push(format!("{path}: In and NotIn need values"));
            }
        }
        if !role.rules.is_empty() && !role.origin.is_live() {
            faults.push("rules: the controller of aggregationRule overwrites them".to_owned());
        }
    }
    faults
}

/// `ValidateRoleBinding`, `ValidateClusterRoleBinding`. `role_group` is `roleRef.apiGroup`.
pub(crate) fn binding_faults(
    binding: &RbacBinding,
    role_group: &str,
    subjects: &[DecodedSubject],
) -> Vec<String> {
    let mut faults = Vec::new();
    name_fault("metadata.name", &binding.key.name, &mut faults);
    if !matches!(role_group, "" | RBAC_GROUP) {
        faults.push(format!(
            "roleRef.apiGroup: expected `{RBAC_GROUP}`, found `{role_group}`"
        ));
    }
    let is_namespaced = binding.key.kind == BindingKind::RoleBinding;
    match binding.role_kind.as_str() {
        "ClusterRole" => {}
        "Role" if is_namespaced => {}
        other => {
            let kinds = if is_namespaced {
                "Role or ClusterRole"
            } else {
                "ClusterRole"
            };
            faults.push(format!("roleRef.kind: expected {kinds}, found `{other}`"));
        }
    }
    name_fault("roleRef.name", &binding.role_name, &mut faults);
    for (at, (subject, group, kind)) in subjects.iter().enumerate() {
        let mut fault = |text: String| faults.push(format!("subjects[{at}]{text}"));
        if subject.name.is_empty() {
            fault(".name: missing".to_owned());
        }
        match subject.kind {
            Some(SubjectKind::ServiceAccount) => {
                if !group.is_empty() {
                    fault(format!(".apiGroup: expected none, found `{group}`"));
                }
                if !is_namespaced && subject.namespace.is_empty() {
                    fault(".namespace: missing; the subject matches nobody".to_owned());
                }
                if !is_subdomain(&subject.name) {
                    let name = &subject.name;
                    fault(format!(
                        ".name: `{name}` cannot be the name of a service account"
                    ));
                }
            }
            Some(_) if !matches!(group.as_str(), "" | RBAC_GROUP) => {
                fault(format!(
                    ".apiGroup: expected `{RBAC_GROUP}`, found `{group}`"
                ));
            }
            Some(_) => {}
            None => fault(format!(
                ".kind: expected User, Group or ServiceAccount, found `{kind}`"
            )),
        }
    }
    faults
}

/// `ValidatePathSegmentName`.
fn name_fault(path: &str, name: &str, faults: &mut Vec<String>) {
    if matches!(name, "" | "." | "..") || name.contains(['/', '%']) {
        faults.push(format!("{path}: `{name}` cannot be a name"));
    }
}

/// A DNS-1123 subdomain.
fn is_subdomain(name: &str) -> bool {
    let label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = label.as_bytes();
        bytes.iter().all(|byte| inside(*byte) || *byte == b'-')
            && bytes.first().is_some_and(|byte| inside(*byte))
            && bytes.last().is_some_and(|byte| inside(*byte))
    };
    name.len() <= 253 && name.split('.').all(label)
}
