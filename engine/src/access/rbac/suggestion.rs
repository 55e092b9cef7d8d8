//! Suggestions in, rows out: the rules of each role, or what would change of what is granted now.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;

use crate::column::cells::{Cell, CellRows};
use crate::column::rbac::{
    BINDING, PERMISSION, SUBJECT, USE, binding, known, permission, schema_of, subject, uses,
};
use crate::error::Result;
use crate::rbac::AccessOutcome;
use crate::rbac::BindingKind;
use crate::rbac::Identity;
use crate::rbac::ObservedRequest;
use crate::rbac::Permission;
use crate::rbac::PermissionTarget;
use crate::rbac::RbacAuthorizer;
use crate::rbac::RbacUsage;
use crate::rbac::RulePermissions;
use crate::rbac::Suggestion;

/// A row for each rule that is suggested.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn suggestion_rows(suggestions: &[Suggestion]) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[
        &SUBJECT,
        &[
            ("role_kind", "string"),
            ("role_namespace", "string"),
            ("role_name", "string"),
            ("rule", "int64"),
            ("verbs", "list<string>"),
            ("api_groups", "list<string>"),
            ("resources", "list<string>"),
            ("resource_names", "list<string>"),
            ("non_resource_urls", "list<string>"),
        ],
        &USE,
        &[("audit_ids", "list<string>")],
    ]))?;
    for suggestion in suggestions {
        for one in &suggestion.roles {
            let key = &one.role.key;
            for (at, rule) in one.role.rules.iter().enumerate() {
                let record = one.evidence.get(at);
                let mut cells: Vec<Cell<'_>> = subject(&suggestion.subject).into();
                cells.extend([
                    key.kind.name().into(),
                    known(&key.namespace),
                    (&key.name).into(),
                    (at + 1).into(),
                    rule.verbs.as_slice().into(),
                    rule.api_groups.as_slice().into(),
                    rule.resources.as_slice().into(),
                    rule.resource_names.as_slice().into(),
                    rule.non_resource_urls.as_slice().into(),
                ]);
                cells.extend(uses(record));
                cells.push(record.map(|record| record.samples.as_slice()).into());
                rows.push(cells);
            }
        }
    }
    Ok(rows.finish()?)
}

/// What a suggestion makes of what is granted now: a row for each permission that stays (`keep`), that
/// narrower ones replace (`narrow`), that goes (`remove`), or that nothing grants yet (`add`).
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn suggestion_diff_rows(
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
    suggestions: &[Suggestion],
) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[
        &[("change", "string")],
        &SUBJECT,
        &BINDING,
        &PERMISSION,
        &[("scope", "string"), ("uses", "int64")],
    ]))?;
    for suggestion in suggestions {
        // What other subjects do says nothing of this one's grants.
        let own: Vec<ObservedRequest> = observed
            .iter()
            .filter(|one| one.identity.is_subject(&suggestion.subject))
            .cloned()
            .collect();
        let usage = RbacUsage::new(authorizer, &own);
        usage.each_row(
            |_, _| None,
            |row| {
                if row.grant.subject != suggestion.subject {
                    return;
                }
                let used = row.record.map_or(0, |record| record.uses);
                let change = match used {
                    0 => "remove",
                    _ if is_pattern(&row.permission) => "narrow",
                    _ => "keep",
                };
                let key = &row.grant.bound.binding.key;
                let mut cells = vec![Cell::from(change)];
                cells.extend(subject(&suggestion.subject));
                cells.extend(binding(key));
                cells.extend(permission(&row.permission));
                cells.extend([known(&key.namespace), used.into()]);
                rows.push(cells);
            },
        );
        add_missing(authorizer, suggestion, &own, &mut rows);
    }
    Ok(rows.finish()?)
}

/// Permissions of a suggestion that no grant of the subject covers: groups, masters or other
/// authorizers allowed them until now, or they were refused.
fn add_missing(
    authorizer: &RbacAuthorizer,
    suggestion: &Suggestion,
    own: &[ObservedRequest],
    rows: &mut CellRows,
) {
    let identity = Arc::new(Identity {
        name: suggestion.subject.user_name().unwrap_or_default(),
        groups: match suggestion.subject.user_name() {
            Some(_) => Vec::new(),
            None => vec![suggestion.subject.name.clone()],
        },
    });
    for one in &suggestion.roles {
        let namespace = &one.binding.key.namespace;
        let kind = match namespace.is_empty() {
            true => BindingKind::ClusterRoleBinding,
            false => BindingKind::RoleBinding,
        };
        for rule in &one.role.rules {
            for granted in RulePermissions::new(rule, kind).iter() {
                let covering = own.iter().filter(|seen| {
                    granted.covers(&seen.request)
                        && (namespace.is_empty() || seen.request.namespace == *namespace)
                });
                let uncovered: Vec<_> = covering
                    .filter(|seen| !authorizer.allows(&identity, &seen.request))
                    .collect();
                if uncovered.is_empty() {
                    continue;
                }
                let allowed = uncovered
                    .iter()
                    .filter(|seen| seen.outcome != AccessOutcome::Refused);
                let count: u64 = allowed.map(|seen| seen.count).sum();
                let mut cells = vec![Cell::from("add")];
                cells.extend(subject(&suggestion.subject));
                cells.extend([Cell::Null, Cell::Null, Cell::Null]);
                cells.extend(permission(&granted));
                cells.extend([known(namespace), count.into()]);
                rows.push(cells);
            }
        }
    }
}

/// Does the permission say more than one thing?
fn is_pattern(permission: &Permission<'_>) -> bool {
    let is_star = |text: &str| text == "*" || text.starts_with("*/");
    is_star(permission.verb)
        || match permission.target {
            PermissionTarget::Resource {
                api_group,
                resource,
                ..
            } => is_star(api_group) || is_star(resource),
            PermissionTarget::Url(url) => url.ends_with('*'),
        }
}
