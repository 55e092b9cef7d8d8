//! The members of an event that columns give back: the paths of the data model in, a tree in the
//! apiserver's order out.

use std::sync::LazyLock;

use crate::schema::{ColumnDef, event_columns};

/// The order in which the apiserver writes members (`k8s.io/apiserver/pkg/apis/audit/v1/types.go`,
/// `meta/v1 Status`). Others follow in the order of their columns.
const ORDER: &[&str] = &[
    "kind",
    "apiVersion",
    "level",
    "auditID",
    "stage",
    "requestURI",
    "verb",
    "user",
    "impersonatedUser",
    "authenticationMetadata",
    "sourceIPs",
    "userAgent",
    "objectRef",
    "objectRef.resource",
    "objectRef.namespace",
    "objectRef.name",
    "objectRef.uid",
    "objectRef.apiGroup",
    "objectRef.apiVersion",
    "objectRef.resourceVersion",
    "objectRef.subresource",
    "responseStatus",
    "responseStatus.metadata",
    "responseStatus.status",
    "responseStatus.message",
    "responseStatus.reason",
    "responseStatus.details",
    "responseStatus.code",
    "requestObject",
    "responseObject",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "annotations",
];

/// Members that no column holds because every event has them: path, JSON, and the member that they
/// stand beside. Where one is missing, the leftovers say so.
const IMPLIED: [(&str, &str, &str); 2] = [
    ("kind", "\"Event\"", "apiVersion"),
    ("responseStatus.metadata", "{}", "responseStatus"),
];

/// The part of an event that columns give back.
pub(super) struct EventShape {
    /// The columns of members, as the tree refers to them.
    pub(super) columns: Vec<&'static ColumnDef>,
    /// The column with everything that the others cannot hold.
    pub(super) leftovers: Option<&'static ColumnDef>,
    pub(super) members: Vec<MemberShape>,
}

/// A member of an object. `path` is that of the members inside it, with a dot at its end.
pub(super) enum MemberShape {
    Column {
        name: &'static str,
        path: String,
        /// Index into [`EventShape::columns`].
        column: usize,
    },
    /// Present wherever one of the columns `beside` it has a value.
    Implied {
        name: &'static str,
        json: &'static str,
        beside: Vec<usize>,
    },
    Object {
        name: &'static str,
        path: String,
        /// All columns inside, at any depth.
        columns: Vec<usize>,
        members: Vec<MemberShape>,
    },
}

/// The columns that events are written from.
pub(crate) fn restored_columns() -> Vec<&'static str> {
    let columns = event_columns().iter().filter(|column| column.is_restored());
    columns.map(|column| column.name.as_str()).collect()
}

impl EventShape {
    pub(super) fn of_events() -> &'static Self {
        static SHAPE: LazyLock<EventShape> = LazyLock::new(|| EventShape::new(event_columns()));
        &SHAPE
    }

    fn new(all: &'static [ColumnDef]) -> Self {
        let columns: Vec<_> = all
            .iter()
            .filter(|column| !column.path.is_empty())
            .collect();
        let paths: Vec<&str> = columns.iter().map(|column| column.path.as_str()).collect();
        Self {
            members: members(&paths, ""),
            leftovers: all.iter().find(|column| column.restored.is_some()),
            columns,
        }
    }
}

/// The members of the object at `parent`, a path that ends with a dot; of the event if it is empty.
fn members(paths: &[&'static str], parent: &str) -> Vec<MemberShape> {
    let implied = IMPLIED.iter().map(|(path, ..)| *path);
    let mut names: Vec<&'static str> = Vec::new();
    for path in paths.iter().copied().chain(implied) {
        if let Some(inside) = path.strip_prefix(parent) {
            let name = inside.split('.').next().unwrap_or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let place = |name: &str| {
        let path = format!("{parent}{name}");
        ORDER
            .iter()
            .position(|known| *known == path)
            .unwrap_or(ORDER.len())
    };
    names.sort_by_key(|name| place(name));
    names
        .into_iter()
        .map(|name| member(paths, parent, name))
        .collect()
}

fn member(paths: &[&'static str], parent: &str, name: &'static str) -> MemberShape {
    let full = format!("{parent}{name}");
    let path = format!("{full}.");
    let inside = |path: &str, of: &str| {
        path.strip_prefix(of)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let columns = |of: &str| {
        let indexes = (0..paths.len()).filter(|&index| inside(paths[index], of));
        indexes.collect::<Vec<usize>>()
    };
    if let Some(column) = paths.iter().position(|path| *path == full) {
        return MemberShape::Column { name, path, column };
    }
    match IMPLIED.iter().find(|(implied, ..)| *implied == full) {
        Some((_, json, beside)) => MemberShape::Implied {
            name,
            json,
            beside: columns(beside),
        },
        None => MemberShape::Object {
            name,
            columns: columns(&full),
            members: members(paths, &path),
            path,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(members: &[MemberShape], out: &mut Vec<String>) {
        for member in members {
            match member {
                MemberShape::Column { path, .. } => out.push(path.clone()),
                MemberShape::Implied { name, beside, .. } => {
                    out.push(format!("{name} {}", beside.len()))
                }
                MemberShape::Object { members, .. } => list(members, out),
            }
        }
    }

    #[test]
    fn each_column_with_a_path_is_a_member_in_its_place() {
        let shape = EventShape::of_events();
        let mut all = Vec::new();
        list(&shape.members, &mut all);
        assert_eq!(all.len(), shape.columns.len() + IMPLIED.len());
        assert_eq!(all[..3], ["kind 1", "apiVersion.", "level."]);
        assert_eq!(all.last().map(String::as_str), Some("annotations."));
        let metadata = all.iter().position(|name| name == "metadata 5").unwrap();
        assert_eq!(all[metadata + 1], "responseStatus.status.");
        assert_eq!(
            shape.leftovers.map(|column| &*column.name),
            Some("unknown_fields")
        );
    }
}
