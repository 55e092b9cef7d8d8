//! RBAC objects in, the tables `rbac_roles`, `rbac_rules`, `rbac_bindings`, `rbac_subjects` and
//! `rbac_grants` out.
//!
//! A table is made when it is read: the grants of a large cluster are many.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;

use crate::account::Ledger;
use crate::column::cells::{Cell, CellRows};
use crate::column::rbac as cells;
use crate::objects::ClusterObjects;
use crate::rbac::ObjectOrigin;
use crate::rbac::RbacAuthorizer;
use crate::rbac::RbacObjects;
use crate::rbac::RoleKey;
use crate::schema;

/// Makes the rows of a table.
type RowsOf = fn(&RbacObjects, CellRows) -> Result<RecordBatch>;

const TABLES: [(&str, RowsOf); 5] = [
    ("rbac_roles", roles),
    ("rbac_rules", rules),
    ("rbac_bindings", bindings),
    ("rbac_subjects", subjects),
    ("rbac_grants", grants),
];

/// Registers the tables.
pub(super) fn register(context: &SessionContext, objects: &Arc<ClusterObjects>) -> Result<()> {
    for (name, rows) in TABLES {
        let table = RbacTable {
            schema: schema::table_schema(name),
            objects: Arc::clone(objects),
            rows,
        };
        context.register_table(name, Arc::new(table))?;
    }
    Ok(())
}

struct RbacTable {
    schema: SchemaRef,
    objects: Arc<ClusterObjects>,
    rows: RowsOf,
}

impl std::fmt::Debug for RbacTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RbacTable")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for RbacTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(ledger) = session.config().get_extension::<Ledger>() {
            ledger.note_objects();
        }
        let rows = CellRows::new(self.schema())?;
        let batch = (self.rows)(self.objects.of_one_cluster()?, rows)?;
        let table = MemTable::try_new(self.schema(), vec![vec![batch]])?;
        table.scan(session, projection, filters, limit).await
    }
}

fn of_origin(origin: &ObjectOrigin) -> [Cell<'_>; 5] {
    [
        origin.is_bootstrap().into(),
        origin.bundled.into(),
        origin.uid.as_ref().into(),
        (&*origin.file).into(),
        origin.line.into(),
    ]
}

fn roles(objects: &RbacObjects, mut rows: CellRows) -> Result<RecordBatch> {
    for role in &objects.roles {
        let [kind, namespace, name] = cells::role(&role.key);
        let [is_bootstrap, is_bundled, uid, file, line] = of_origin(&role.origin);
        rows.push([
            kind,
            namespace,
            name,
            role.rules.len().into(),
            role.aggregation.is_some().into(),
            is_bootstrap,
            is_bundled,
            uid,
            file,
            line,
        ]);
    }
    Ok(rows.finish()?)
}

fn rules(objects: &RbacObjects, mut rows: CellRows) -> Result<RecordBatch> {
    for role in &objects.roles {
        for (at, rule) in role.rules.iter().enumerate() {
            let [kind, namespace, name] = cells::role(&role.key);
            rows.push([
                kind,
                namespace,
                name,
                (at + 1).into(),
                rule.verbs.as_slice().into(),
                rule.api_groups.as_slice().into(),
                rule.resources.as_slice().into(),
                rule.resource_names.as_slice().into(),
                rule.non_resource_urls.as_slice().into(),
            ]);
        }
    }
    Ok(rows.finish()?)
}

fn bindings(objects: &RbacObjects, mut rows: CellRows) -> Result<RecordBatch> {
    let known_roles: std::collections::HashSet<&RoleKey> =
        objects.roles.iter().map(|role| &role.key).collect();
    for binding in &objects.bindings {
        let [kind, namespace, name] = cells::binding(&binding.key);
        let [is_bootstrap, is_bundled, uid, file, line] = of_origin(&binding.origin);
        let role = binding.role();
        rows.push([
            kind,
            namespace,
            name,
            (&binding.role_kind).into(),
            (&binding.role_name).into(),
            role.is_some_and(|role| known_roles.contains(&role)).into(),
            binding.subjects.len().into(),
            is_bootstrap,
            is_bundled,
            uid,
            file,
            line,
        ]);
    }
    Ok(rows.finish()?)
}

fn subjects(objects: &RbacObjects, mut rows: CellRows) -> Result<RecordBatch> {
    for binding in &objects.bindings {
        for (at, subject) in binding.subjects.iter().enumerate() {
            let [kind, namespace, name] = cells::binding(&binding.key);
            let effective = subject.effective(&binding.key.namespace);
            rows.push([
                kind,
                namespace,
                name,
                (at + 1).into(),
                subject.kind.map(|kind| kind.name()).into(),
                effective
                    .as_ref()
                    .map(|subject| subject.namespace.clone())
                    .filter(|namespace| !namespace.is_empty())
                    .into(),
                (&subject.name).into(),
                effective.and_then(|subject| subject.user_name()).into(),
            ]);
        }
    }
    Ok(rows.finish()?)
}

fn grants(objects: &RbacObjects, mut rows: CellRows) -> Result<RecordBatch> {
    let authorizer = RbacAuthorizer::new(objects);
    for grant in authorizer.grants() {
        let binding = &grant.bound.binding;
        for permission in grant.permissions.iter() {
            let [kind, namespace, name] = cells::binding(&binding.key);
            let [verb, group, resource, object, url] = cells::permission(&permission);
            let [subject_kind, subject_namespace, subject_name] = cells::subject(&grant.subject);
            rows.push([
                subject_kind,
                subject_namespace,
                subject_name,
                kind,
                namespace,
                name,
                (&binding.role_kind).into(),
                (&binding.role_name).into(),
                (grant.rule_index + 1).into(),
                verb,
                group,
                resource,
                object,
                url,
                cells::known(&binding.key.namespace),
            ]);
        }
    }
    Ok(rows.finish()?)
}
