//! Rows of a statement over `object_writes` in, [`RbacChange`]s out: the writes to roles and bindings
//! that the log shows, for the history of RBAC.

use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::array::StringViewArray;
use datafusion::arrow::array::TimestampMicrosecondArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use serde_json::Value;

use crate::error::ErrorKind;
use crate::error::Result;
use crate::rbac::BindingKey;
use crate::rbac::BindingKind;
use crate::rbac::ManifestReader;
use crate::rbac::RbacChange;
use crate::rbac::RbacObject;
use crate::rbac::RbacObjectKey;
use crate::rbac::RbacWrite;
use crate::rbac::RoleKey;
use crate::rbac::RoleKind;

/// Every write to a role or binding.
pub const RBAC_WRITES: &str = "\
SELECT stage_timestamp AS time, operation, verb, resource, namespace, object_name, \
request_object, response_object, source_file, source_line \
FROM object_writes \
WHERE api_group = 'rbac.authorization.k8s.io' AND subresource = '' \
AND resource IN ('roles', 'clusterroles', 'rolebindings', 'clusterrolebindings')";

/// The changes of a batch of [`RBAC_WRITES`].
///
/// # Errors
///
/// When a column is missing.
pub fn rbac_changes(batch: &RecordBatch) -> Result<Vec<RbacChange>> {
    let [
        operation,
        verb,
        resource,
        namespace,
        name,
        request,
        response,
        file,
    ] = [
        "operation",
        "verb",
        "resource",
        "namespace",
        "object_name",
        "request_object",
        "response_object",
        "source_file",
    ]
    .map(|name| texts(batch, name));
    let (operation, verb, resource, namespace) = (operation?, verb?, resource?, namespace?);
    let (name, request, response, file) = (name?, request?, response?, file?);
    let times: TimestampMicrosecondArray = batch
        .column_by_name("time")
        .and_then(|column| column.as_primitive_opt().cloned())
        .ok_or_else(|| missing("time"))?;
    let mut changes = Vec::new();
    for row in 0..batch.num_rows() {
        let text = |column: &StringViewArray| -> String {
            if column.is_valid(row) {
                column.value(row).to_owned()
            } else {
                String::new()
            }
        };
        let write = RecordedWrite {
            operation: text(&operation),
            is_patch: text(&verb) == "patch",
            resource: text(&resource),
            namespace: text(&namespace),
            name: text(&name),
            request: text(&request),
            response: text(&response),
            file: text(&file).into(),
        };
        if let (Some(write), true) = (write.change(), times.is_valid(row)) {
            changes.push(RbacChange {
                time: times.value(row),
                write,
            });
        }
    }
    Ok(changes)
}

struct RecordedWrite {
    operation: String,
    is_patch: bool,
    resource: String,
    namespace: String,
    name: String,
    request: String,
    response: String,
    file: Arc<str>,
}

impl RecordedWrite {
    fn change(&self) -> Option<RbacWrite> {
        if self.operation == "deletecollection" {
            return match self.resource.as_str() {
                "roles" | "clusterroles" => Some(RbacWrite::DeletedRoles(self.namespace.clone())),
                _ => Some(RbacWrite::DeletedBindings(self.namespace.clone())),
            };
        }
        let key = self.key()?;
        // The response is the object itself, or a Status. A patch holds a part of it.
        let object = self.object(&self.response, &key).or_else(|| {
            let is_whole = !self.is_patch && self.operation != "delete";
            self.object(&self.request, &key).filter(|_| is_whole)
        });
        match self.operation.as_str() {
            "create" => Some(RbacWrite::Created(key, object)),
            "update" | "patch" => Some(RbacWrite::Updated(key, object)),
            "delete" => Some(RbacWrite::Deleted(key, object)),
            _ => None,
        }
    }

    fn key(&self) -> Option<RbacObjectKey> {
        let (namespace, name) = (self.namespace.clone(), self.name.clone());
        if name.is_empty() {
            return None;
        }
        let role = |kind, namespace| {
            RbacObjectKey::Role(RoleKey {
                kind,
                namespace,
                name: name.clone(),
            })
        };
        let binding = |kind, namespace| {
            RbacObjectKey::Binding(BindingKey {
                kind,
                namespace,
                name: name.clone(),
            })
        };
        match self.resource.as_str() {
            "roles" => Some(role(RoleKind::Role, namespace)),
            "clusterroles" => Some(role(RoleKind::ClusterRole, String::new())),
            "rolebindings" => Some(binding(BindingKind::RoleBinding, namespace)),
            "clusterrolebindings" => Some(binding(BindingKind::ClusterRoleBinding, String::new())),
            _ => None,
        }
    }

    /// The object of this key that a body is.
    fn object(&self, body: &str, key: &RbacObjectKey) -> Option<RbacObject> {
        let mut body: Value = serde_json::from_str(body).ok()?;
        // A request need not repeat what the URI says.
        let metadata = body.get_mut("metadata")?.as_object_mut()?;
        if !metadata.contains_key("namespace") && !self.namespace.is_empty() {
            metadata.insert("namespace".to_owned(), Value::from(self.namespace.clone()));
        }
        if !metadata.contains_key("name") {
            metadata.insert("name".to_owned(), Value::from(self.name.clone()));
        }
        let mut reader = ManifestReader::new();
        reader.read_value(&self.file, 0, &body);
        let objects = reader.finish().objects;
        let roles = objects.roles.into_iter().map(RbacObject::Role);
        let bindings = objects.bindings.into_iter().map(RbacObject::Binding);
        roles.chain(bindings).find(|object| object.key() == *key)
    }
}

fn texts(batch: &RecordBatch, name: &str) -> Result<StringViewArray> {
    let column = batch.column_by_name(name).ok_or_else(|| missing(name))?;
    let column = cast(column, &DataType::Utf8View)?;
    column
        .as_string_view_opt()
        .cloned()
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> crate::error::Error {
    ErrorKind::Internal(format!("the statement has no column {name}")).into()
}
