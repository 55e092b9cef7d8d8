//! Grants and their uses in, the rows of `rbac usage` out: one for each permission that is granted,
//! or folded by subject, binding, role or rule.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use crate::column::cells::{Cell, CellRows};
use crate::column::rbac::{
    BINDING, PERMISSION, ROLE, SUBJECT, USE, binding, permission, schema_of, subject, uses,
};
use crate::error::{Error, Result};
use crate::rbac::BindingKey;
use crate::rbac::Permission;
use crate::rbac::RbacGrant;
use crate::rbac::RbacUsage;
use crate::rbac::SubjectKey;
use crate::rbac::UsageRow;
use crate::rbac::UsageStatus;
use crate::rbac::UseRecord;

/// Rows of a batch: the permissions of a large cluster are millions.
const BATCH: usize = 8192;

/// What a row of `rbac usage` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsageFold {
    /// One permission of one subject by one binding.
    #[default]
    Permission,
    /// A subject.
    Subject,
    /// A binding.
    Binding,
    /// A role.
    Role,
    /// A rule of a role.
    Rule,
}

/// Why the log would not show the use of a permission; `None` if it would.
pub type Observable<'o> = dyn FnMut(&RbacGrant<'_>, &Permission<'_>) -> Option<String> + 'o;

/// The columns of [`usage_rows`].
pub fn usage_schema() -> SchemaRef {
    schema_of(&[
        &SUBJECT,
        &BINDING,
        &ROLE,
        &[("rule", "int64")],
        &PERMISSION,
        &[("status", "string")],
        &USE,
        &[("note", "string")],
    ])
}

/// A row for each permission that is granted, in batches: bindings in the order of the input, then
/// their subjects, rules and permissions.
///
/// # Errors
///
/// When `each` fails.
pub fn usage_rows<E: From<Error>>(
    usage: &RbacUsage<'_>,
    observable: &mut Observable<'_>,
    mut each: impl FnMut(RecordBatch) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let schema = usage_schema();
    let mut rows = CellRows::new(SchemaRef::clone(&schema)).map_err(Error::from)?;
    let (mut filled, mut ended) = (0, Ok(()));
    usage.each_row(observable, |row| {
        if ended.is_err() {
            return;
        }
        push(&mut rows, &row);
        filled += 1;
        if filled == BATCH {
            filled = 0;
            ended = next(&mut rows, &schema)
                .map_err(E::from)
                .and_then(&mut each);
        }
    });
    ended?;
    each(rows.finish().map_err(Error::from)?)
}

/// Ends a batch and begins the next.
fn next(rows: &mut CellRows, schema: &SchemaRef) -> Result<RecordBatch> {
    let empty = CellRows::new(SchemaRef::clone(schema))?;
    Ok(std::mem::replace(rows, empty).finish()?)
}

fn push(rows: &mut CellRows, row: &UsageRow<'_, '_>) {
    let of = &row.grant.bound.binding;
    let [kind, namespace, name] = subject(&row.grant.subject);
    let [binding_kind, binding_namespace, binding_name] = binding(&of.key);
    let [verb, group, resource, resource_name, url] = permission(&row.permission);
    let [count, first, last, users] = uses(row.record);
    let note = match &row.status {
        UsageStatus::NotObservable(reason) => Cell::from(reason),
        _ => Cell::Null,
    };
    rows.push([
        kind,
        namespace,
        name,
        binding_kind,
        binding_namespace,
        binding_name,
        (&of.role_kind).into(),
        (&of.role_name).into(),
        (row.grant.rule_index + 1).into(),
        verb,
        group,
        resource,
        resource_name,
        url,
        row.status.name().into(),
        count,
        first,
        last,
        users,
        note,
    ]);
}

/// What is folded together: subject, binding, role and rule, as far as the fold has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct FoldKey {
    subject: Option<SubjectKey>,
    binding: Option<BindingKey>,
    /// Kind, namespace, name.
    role: Option<(String, String, String)>,
    rule: Option<usize>,
}

impl FoldKey {
    fn of(grant: &RbacGrant<'_>, fold: UsageFold) -> Self {
        let of = &grant.bound.binding;
        let role = || {
            let namespace = match of.role_kind.as_str() {
                "Role" => of.key.namespace.clone(),
                _ => String::new(),
            };
            (of.role_kind.clone(), namespace, of.role_name.clone())
        };
        match fold {
            UsageFold::Permission | UsageFold::Subject => Self {
                subject: Some(grant.subject.clone()),
                ..Self::default()
            },
            UsageFold::Binding => Self {
                binding: Some(of.key.clone()),
                role: Some(role()),
                ..Self::default()
            },
            UsageFold::Role => Self {
                role: Some(role()),
                ..Self::default()
            },
            UsageFold::Rule => Self {
                role: Some(role()),
                rule: Some(grant.rule_index + 1),
                ..Self::default()
            },
        }
    }
}

/// The permissions of one row, counted.
#[derive(Debug, Clone, Default)]
struct FoldedUse {
    used: u64,
    unused: u64,
    not_observable: u64,
    record: UseRecord,
}

impl FoldedUse {
    fn add(&mut self, row: &UsageRow<'_, '_>) {
        match row.status {
            UsageStatus::Used => self.used += 1,
            UsageStatus::Unused => self.unused += 1,
            UsageStatus::NotObservable(_) => self.not_observable += 1,
        }
        if let Some(record) = row.record {
            self.record.merge(record);
        }
    }
}

/// Permissions granted and used, by subject, binding, role or rule. `uses` counts a request for each
/// permission that covers it.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn folded_usage(
    usage: &RbacUsage<'_>,
    fold: UsageFold,
    observable: &mut Observable<'_>,
) -> Result<RecordBatch> {
    let mut folded: BTreeMap<FoldKey, FoldedUse> = BTreeMap::new();
    usage.each_row(observable, |row| {
        let key = FoldKey::of(row.grant, fold);
        folded.entry(key).or_default().add(&row);
    });
    let counts = [
        ("granted", "int64"),
        ("used", "int64"),
        ("unused", "int64"),
        ("not_observable", "int64"),
        ("uses", "int64"),
        ("first_used", "timestamp"),
        ("last_used", "timestamp"),
        ("users", "list<string>"),
    ];
    let role = [
        ("role_kind", "string"),
        ("role_namespace", "string"),
        ("role_name", "string"),
    ];
    let schema = match fold {
        UsageFold::Permission | UsageFold::Subject => schema_of(&[&SUBJECT, &counts]),
        UsageFold::Binding => schema_of(&[&BINDING, &role, &counts]),
        UsageFold::Role => schema_of(&[&role, &counts]),
        UsageFold::Rule => schema_of(&[&role, &[("rule", "int64")], &counts]),
    };
    let mut rows = CellRows::new(schema)?;
    for (key, of) in &folded {
        let mut cells: Vec<Cell<'_>> = Vec::new();
        cells.extend(key.subject.iter().flat_map(subject));
        cells.extend(key.binding.iter().flat_map(binding));
        if let Some((kind, namespace, name)) = &key.role {
            cells.extend([
                kind.into(),
                crate::column::rbac::known(namespace),
                name.into(),
            ]);
        }
        cells.extend(key.rule.map(Cell::from));
        let all = of.used + of.unused + of.not_observable;
        cells.extend([
            all.into(),
            of.used.into(),
            of.unused.into(),
            of.not_observable.into(),
        ]);
        cells.extend(uses((of.record.uses > 0).then_some(&of.record)));
        rows.push(cells);
    }
    Ok(rows.finish()?)
}
