//! Subjects, bindings, roles, permissions, requests and uses in, their cells in tables out.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};

use crate::column::cells::Cell;
use crate::rbac::AccessRequest;
use crate::rbac::BindingKey;
use crate::rbac::Permission;
use crate::rbac::PermissionTarget;
use crate::rbac::RoleKey;
use crate::rbac::SubjectKey;
use crate::rbac::UseRecord;
use crate::schema;

pub(crate) const SUBJECT: [(&str, &str); 3] = [
    ("subject_kind", "string"),
    ("subject_namespace", "string"),
    ("subject_name", "string"),
];
pub(crate) const BINDING: [(&str, &str); 3] = [
    ("binding_kind", "string"),
    ("binding_namespace", "string"),
    ("binding_name", "string"),
];
pub(crate) const ROLE: [(&str, &str); 2] = [("role_kind", "string"), ("role_name", "string")];
pub(crate) const PERMISSION: [(&str, &str); 5] = [
    ("verb", "string"),
    ("api_group", "string"),
    ("resource", "string"),
    ("resource_name", "string"),
    ("non_resource_url", "string"),
];
pub(crate) const REQUEST: [(&str, &str); 6] = [
    ("verb", "string"),
    ("api_group", "string"),
    ("resource", "string"),
    ("namespace", "string"),
    ("name", "string"),
    ("non_resource_url", "string"),
];
pub(crate) const USE: [(&str, &str); 4] = [
    ("uses", "int64"),
    ("first_used", "timestamp"),
    ("last_used", "timestamp"),
    ("users", "list<string>"),
];

/// A schema of these columns, in order.
pub(crate) fn schema_of(columns: &[&[(&str, &str)]]) -> SchemaRef {
    let fields = columns.iter().copied().flatten();
    let fields = fields.filter_map(|(name, type_name)| {
        let data_type = schema::data_type(type_name)?;
        Some(Field::new(*name, data_type, true))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// NULL where Kubernetes has no such thing.
pub(crate) fn known(text: &str) -> Cell<'_> {
    Cell::from(Some(text).filter(|text| !text.is_empty()))
}

pub(crate) fn subject(key: &SubjectKey) -> [Cell<'_>; 3] {
    [
        key.kind.name().into(),
        known(&key.namespace),
        (&key.name).into(),
    ]
}

pub(crate) fn binding(key: &BindingKey) -> [Cell<'_>; 3] {
    [
        key.kind.name().into(),
        known(&key.namespace),
        (&key.name).into(),
    ]
}

pub(crate) fn role(key: &RoleKey) -> [Cell<'_>; 3] {
    [
        key.kind.name().into(),
        known(&key.namespace),
        (&key.name).into(),
    ]
}

pub(crate) fn permission<'p>(permission: &Permission<'p>) -> [Cell<'p>; 5] {
    let verb = permission.verb.into();
    match permission.target {
        PermissionTarget::Resource {
            api_group,
            resource,
            name,
        } => [
            verb,
            api_group.into(),
            resource.into(),
            name.into(),
            Cell::Null,
        ],
        PermissionTarget::Url(url) => [verb, Cell::Null, Cell::Null, Cell::Null, url.into()],
    }
}

pub(crate) fn request(request: &AccessRequest) -> [Cell<'_>; 6] {
    let verb = (&request.verb).into();
    match &request.path {
        Some(path) => [
            verb,
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Null,
            path.into(),
        ],
        None => [
            verb,
            (&request.api_group).into(),
            request.combined_resource().into(),
            (&request.namespace).into(),
            (&request.name).into(),
            Cell::Null,
        ],
    }
}

/// The uses; 0 and NULLs without a record.
pub(crate) fn uses(record: Option<&UseRecord>) -> [Cell<'_>; 4] {
    match record {
        Some(record) => [
            record.uses.into(),
            Cell::Time(record.first),
            Cell::Time(record.last),
            Cell::Texts(record.users.iter().map(|user| (&**user).into()).collect()),
        ],
        None => [
            Cell::Number(0),
            Cell::Null,
            Cell::Null,
            Cell::Texts(Vec::new()),
        ],
    }
}
