//! Requests of a log and two states of RBAC in, what would change out; what was refused and the rule
//! that would allow it; risky permissions and where they lead.

use datafusion::arrow::array::RecordBatch;

use crate::access::rbac::unused::{binding_name, subject_name};
use crate::column::cells::{Cell, CellRows};
use crate::column::rbac::{REQUEST, SUBJECT, USE, known, request, schema_of, subject, uses};
use crate::error::Result;
use crate::rbac::ChangedDecision;
use crate::rbac::DeniedAccess;
use crate::rbac::EscalationPath;
use crate::rbac::RbacAuthorizer;
use crate::rbac::RiskReport;
use crate::rbac::SubjectKey;

/// The rows of `rbac what-if`: one for each request that is decided otherwise.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn what_if_rows(changed: &[ChangedDecision<'_>]) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[
        &[("change", "string"), ("username", "string")],
        &REQUEST,
        &[
            ("requests", "int64"),
            ("first_seen", "timestamp"),
            ("last_seen", "timestamp"),
            ("audit_ids", "list<string>"),
            ("reason", "string"),
        ],
    ]))?;
    for one in changed {
        let change = match one.is_allowed {
            true => "newly allowed",
            false => "newly denied",
        };
        let seen = one.observed;
        let mut cells = vec![Cell::from(change), (&seen.identity.name).into()];
        cells.extend(request(&seen.request));
        cells.extend([
            seen.count.into(),
            Cell::Time(seen.first),
            Cell::Time(seen.last),
            seen.samples.as_slice().into(),
            (&one.reason).into(),
        ]);
        rows.push(cells);
    }
    Ok(rows.finish()?)
}

/// The rows of `rbac denied`.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn denied_rows(denied: &[DeniedAccess]) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[&[
        ("username", "string"),
        ("namespace", "string"),
        ("verb", "string"),
        ("api_group", "string"),
        ("resource", "string"),
        ("resource_names", "list<string>"),
        ("non_resource_url", "string"),
        ("refused", "int64"),
        ("first_refused", "timestamp"),
        ("last_refused", "timestamp"),
        ("allowed_too", "boolean"),
        ("is_broad", "boolean"),
        ("audit_ids", "list<string>"),
    ]]))?;
    for one in denied {
        let (rule, record) = (&one.rule, &one.record);
        rows.push([
            Cell::from(&one.identity.name),
            known(&one.namespace),
            rule.verbs.first().into(),
            rule.api_groups.first().into(),
            rule.resources.first().into(),
            rule.resource_names.as_slice().into(),
            rule.non_resource_urls.first().into(),
            record.uses.into(),
            Cell::Time(record.first),
            Cell::Time(record.last),
            one.was_allowed_too.into(),
            one.is_broad.into(),
            record.samples.as_slice().into(),
        ]);
    }
    Ok(rows.finish()?)
}

/// The rows of `rbac risk`: a row for each risky permission that a subject holds, the worst first.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn risk_rows(
    report: &RiskReport,
    authorizer: &RbacAuthorizer,
    only: Option<&SubjectKey>,
) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[
        &[("level", "string"), ("risk", "string"), ("title", "string")],
        &SUBJECT,
        &[
            ("binding", "string"),
            ("rule", "int64"),
            ("scope", "string"),
            ("resource_names", "list<string>"),
        ],
        &USE,
        &[("path", "string")],
    ]))?;
    let findings = report.findings.iter().enumerate();
    for (at, one) in findings.filter(|(_, one)| only.is_none_or(|only| one.subject == *only)) {
        let bound = authorizer.binding(one.slot);
        let name = bound.map(|bound| binding_name(&bound.binding.key));
        let path = report.paths.iter().find(|path| {
            path.subject == one.subject && path.steps.first().is_some_and(|step| step.finding == at)
        });
        let mut cells = vec![
            Cell::from(one.kind.level.name()),
            one.kind.id.into(),
            one.kind.title.into(),
        ];
        cells.extend(subject(&one.subject));
        cells.extend([
            name.into(),
            (one.rule + 1).into(),
            one.namespace.as_ref().into(),
            one.names.as_slice().into(),
        ]);
        cells.extend(uses(one.record.as_ref()));
        cells.push(path.map(|path| path_text(path, report)).into());
        rows.push(cells);
    }
    Ok(rows.finish()?)
}

/// `exec-pods → ServiceAccount:kube-system/deployer; cluster-admin → everything`.
pub fn path_text(path: &EscalationPath, report: &RiskReport) -> String {
    let steps = path.steps.iter().map(|step| {
        let risk = report
            .findings
            .get(step.finding)
            .map_or("", |one| one.kind.id);
        let to = step
            .to
            .as_ref()
            .map_or("everything".to_owned(), subject_name);
        format!("{risk} → {to}")
    });
    steps.collect::<Vec<_>>().join("; ")
}
