//! RBAC objects and their uses in, the rows of `rbac unused` out: what can go, all at once, without
//! denying a request of the window; what dangles; and what is wider than its use.

use std::collections::HashSet;

use datafusion::arrow::array::RecordBatch;

use crate::column::cells::{Cell, CellRows};
use crate::column::rbac::{known, schema_of};
use crate::error::Result;
use crate::rbac::BindingKey;
use crate::rbac::ObservedRequest;
use crate::rbac::RbacAuthorizer;
use crate::rbac::RbacObjects;
use crate::rbac::RemovalOptions;
use crate::rbac::RemovalUnit;
use crate::rbac::RoleKey;
use crate::rbac::SubjectKey;
use crate::rbac::dangling;
use crate::rbac::needless_mounts;
use crate::rbac::removable;
use crate::rbac::rule_yaml;
use crate::rbac::scope_uses;
use crate::rbac::service_account_user;
use crate::rbac::unused_accounts;
use crate::rbac::wildcard_uses;

/// How many namespaces a note lists.
const MOST_LISTED: usize = 8;

/// Something that can go, or shrink.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnusedFinding {
    /// `binding`, `subject`, `rule`, `role`, `service account`, `token mount`, `wildcard`, `scope`.
    pub kind: &'static str,
    /// Its name as kubectl takes it: `rolebinding/dev/readers`.
    pub object: String,
    /// The subject of a binding, or the number of a rule.
    pub part: String,
    /// Why.
    pub reason: &'static str,
    /// What stands in its place, or other detail; empty without.
    pub note: String,
    /// Does it go together with all others that say so, without denying a request of the window?
    pub is_removable: bool,
}

/// What was found, in a fixed order.
pub fn unused_findings(
    objects: &RbacObjects,
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
    options: RemovalOptions,
) -> Vec<UnusedFinding> {
    let mut found = removals(authorizer, observed, options);
    dangling_objects(objects, &mut found);
    let seen: HashSet<String> = observed
        .iter()
        .map(|one| one.identity.name.clone())
        .collect();
    accounts(objects, &seen, &mut found);
    wildcards(authorizer, observed, &mut found);
    scopes(authorizer, observed, &mut found);
    found
}

fn removals(
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
    options: RemovalOptions,
) -> Vec<UnusedFinding> {
    let units = removable(authorizer, observed, options);
    let findings = units.into_iter().map(|one| {
        let (kind, object, part) = match &one.unit {
            RemovalUnit::Binding(key) => ("binding", binding_name(key), String::new()),
            RemovalUnit::Subject(key, subject) => {
                ("subject", binding_name(key), subject_name(subject))
            }
            RemovalUnit::Rule(key, rule) => ("rule", role_name(key), format!("rule {}", rule + 1)),
        };
        UnusedFinding {
            kind,
            object,
            part,
            reason: match one.is_redundant {
                true => "other grants allow what it was used for",
                false => "no request needed it",
            },
            is_removable: true,
            ..UnusedFinding::default()
        }
    });
    findings.collect()
}

fn dangling_objects(objects: &RbacObjects, found: &mut Vec<UnusedFinding>) {
    let dangling = dangling(objects);
    found.extend(
        dangling
            .roleless
            .iter()
            .map(|(key, kind, name)| UnusedFinding {
                kind: "binding",
                object: binding_name(key),
                reason: "its role does not exist",
                note: format!("{kind} {name}"),
                ..UnusedFinding::default()
            }),
    );
    found.extend(dangling.subjectless.iter().map(|key| UnusedFinding {
        kind: "binding",
        object: binding_name(key),
        reason: "it has no subject that can match",
        ..UnusedFinding::default()
    }));
    found.extend(
        dangling
            .missing_accounts
            .iter()
            .map(|(key, subject)| UnusedFinding {
                kind: "subject",
                object: binding_name(key),
                part: subject_name(subject),
                reason: "the service account does not exist",
                ..UnusedFinding::default()
            }),
    );
    found.extend(dangling.unbound_roles.iter().map(|key| UnusedFinding {
        kind: "role",
        object: role_name(key),
        reason: "nothing binds it",
        ..UnusedFinding::default()
    }));
}

fn accounts(objects: &RbacObjects, seen: &HashSet<String>, found: &mut Vec<UnusedFinding>) {
    found.extend(
        unused_accounts(objects, seen)
            .into_iter()
            .map(|account| UnusedFinding {
                kind: "service account",
                object: format!("serviceaccount/{}/{}", account.namespace, account.name),
                reason: "it sent no request",
                note: service_account_user(&account.namespace, &account.name),
                ..UnusedFinding::default()
            }),
    );
    found.extend(
        needless_mounts(objects, seen)
            .into_iter()
            .map(|workload| UnusedFinding {
                kind: "token mount",
                object: format!(
                    "{}/{}/{}",
                    workload.kind.to_lowercase(),
                    workload.namespace,
                    workload.name
                ),
                part: workload.service_account.clone(),
                reason: "its pods mount a token that sent no request",
                ..UnusedFinding::default()
            }),
    );
}

fn wildcards(
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
    found: &mut Vec<UnusedFinding>,
) {
    let uses = wildcard_uses(authorizer, observed).into_iter();
    found.extend(uses.filter(|one| !one.replacement.is_empty()).map(|one| {
        let rules = one.replacement.iter().map(|(rule, _)| rule_yaml(rule));
        UnusedFinding {
            kind: "wildcard",
            object: role_name(&one.role),
            part: format!("rule {}", one.rule + 1),
            reason: "these rules would do",
            note: rules.collect::<String>().trim_end().to_owned(),
            ..UnusedFinding::default()
        }
    }));
}

/// Cluster-wide bindings that were used in some namespaces only.
fn scopes(
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
    found: &mut Vec<UnusedFinding>,
) {
    let mut uses: Vec<_> = scope_uses(authorizer, observed).into_iter().collect();
    uses.sort_by_key(|(slot, _)| *slot);
    for (slot, scope) in uses {
        let Some(bound) = authorizer.binding(slot).filter(|_| scope.outside == 0) else {
            continue;
        };
        let all = scope.namespaces.len();
        let first: Vec<&str> = scope.namespaces.iter().map(String::as_str).collect();
        let mut note = first
            .iter()
            .take(MOST_LISTED)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        if all > MOST_LISTED {
            note.push_str(&format!(" and {} more", all - MOST_LISTED));
        }
        found.push(UnusedFinding {
            kind: "scope",
            object: binding_name(&bound.binding.key),
            reason: "it was used in these namespaces only",
            note,
            ..UnusedFinding::default()
        });
    }
}

/// The findings as rows.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn unused_rows(findings: &[UnusedFinding]) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[&[
        ("kind", "string"),
        ("object", "string"),
        ("part", "string"),
        ("reason", "string"),
        ("removable", "boolean"),
        ("note", "string"),
    ]]))?;
    for one in findings {
        rows.push([
            Cell::from(one.kind),
            (&one.object).into(),
            known(&one.part),
            one.reason.into(),
            one.is_removable.into(),
            known(&one.note),
        ]);
    }
    Ok(rows.finish()?)
}

/// A role or binding that somebody names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedObject {
    /// A binding.
    Binding(BindingKey),
    /// A role.
    Role(RoleKey),
}

/// The object of this name, as [`binding_name`] and [`role_name`] spell it.
pub fn named_object(objects: &RbacObjects, name: &str) -> Option<NamedObject> {
    let (kind, rest) = name.split_once('/')?;
    let name = format!("{}/{rest}", kind.to_lowercase());
    let bindings = objects.bindings.iter().map(|binding| &binding.key);
    let roles = objects.roles.iter().map(|role| &role.key);
    let binding = bindings
        .filter(|key| binding_name(key) == name)
        .map(|key| NamedObject::Binding(key.clone()));
    let role = roles
        .filter(|key| role_name(key) == name)
        .map(|key| NamedObject::Role(key.clone()));
    binding.chain(role).next()
}

/// `clusterrolebinding/NAME`, `rolebinding/NAMESPACE/NAME`.
pub fn binding_name(key: &BindingKey) -> String {
    object_name(key.kind.name(), &key.namespace, &key.name)
}

/// `clusterrole/NAME`, `role/NAMESPACE/NAME`.
pub fn role_name(key: &RoleKey) -> String {
    object_name(key.kind.name(), &key.namespace, &key.name)
}

fn object_name(kind: &str, namespace: &str, name: &str) -> String {
    let kind = kind.to_lowercase();
    match namespace {
        "" => format!("{kind}/{name}"),
        namespace => format!("{kind}/{namespace}/{name}"),
    }
}

/// `User:alice`, `ServiceAccount:web/default`.
pub fn subject_name(key: &SubjectKey) -> String {
    match key.namespace.as_str() {
        "" => format!("{}:{}", key.kind.name(), key.name),
        namespace => format!("{}:{namespace}/{}", key.kind.name(), key.name),
    }
}
