//! Files and values → the objects of a cluster: lists of any nesting are unpacked, other kinds are
//! skipped and counted, what is broken is a reject with file and line.
//!
//! The last of objects with the same kind, namespace and name counts, as with `kubectl apply`. Not
//! responsible for: opening files, telling logs from objects (`looks_like_objects` helps).

mod counts;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::rbac::decode;
use crate::rbac::decode::DecodedFields;
use crate::rbac::decode::DecodedMetadata;
use crate::rbac::document;
use crate::rbac::document::LineCounter;
use crate::rbac::head::ListKind;
use crate::rbac::head::ObjectHead;
use crate::rbac::head::WantedObject;
use crate::rbac::objects::BindingKey;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::ObjectOrigin;
use crate::rbac::objects::RbacBinding;
use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RbacRole;
use crate::rbac::objects::RoleKey;
use crate::rbac::objects::RoleKind;
use crate::rbac::objects::ServiceAccountObject;
use crate::rbac::objects::WorkloadObject;
use crate::rbac::validity;

/// Lists in lists deeper than this are a reject.
const MOST_NESTED_LISTS: u32 = 16;

pub use counts::ObjectCounts;

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectReject {
    /// The input.
    pub file: Arc<str>,
    /// 1-based.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

/// What the apiserver would refuse or ignore of an object that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFault {
    /// The input.
    pub file: Arc<str>,
    /// 1-based.
    pub line: u64,
    /// As `ClusterRole view`, `Role dev/reader`.
    pub object: String,
    /// What is wrong.
    pub message: String,
}

/// Two objects with the same key and different `metadata.uid`: dumps of two clusters, or two dumps
/// of one between which the object was created anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectConflict {
    /// As `ClusterRole view`.
    pub object: String,
    /// The input of the object that counted until then.
    pub earlier: Arc<str>,
    /// The input of the object that counts.
    pub later: Arc<str>,
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct ReadObjects {
    /// The objects that count.
    pub objects: RbacObjects,
    /// What could not be read.
    pub rejects: Vec<ObjectReject>,
    /// What the apiserver would refuse or ignore.
    pub faults: Vec<ObjectFault>,
    /// Objects of other kinds, by kind; `(no kind)` for documents that are not objects.
    pub skipped: BTreeMap<String, u64>,
    /// Objects that an object of the same key replaced.
    pub replaced: u64,
    /// Replacements that look like another cluster's object.
    pub conflicts: Vec<ObjectConflict>,
}

/// Reads inputs one after the other.
#[derive(Debug, Default)]
pub struct ManifestReader {
    read: ReadObjects,
    roles: HashMap<RoleKey, usize>,
    bindings: HashMap<BindingKey, usize>,
    accounts: HashMap<(String, String), usize>,
    workloads: HashMap<(String, String, String), usize>,
}

impl ManifestReader {
    /// A reader that has read nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was read. Aggregated roles are as written: see `resolve_aggregation`.
    pub fn finish(self) -> ReadObjects {
        self.read
    }

    /// Reads one file, JSON or YAML.
    pub fn read_text(&mut self, file: &str, text: &str) {
        let file: Arc<str> = file.into();
        if document::is_json(text) {
            let mut lines = LineCounter::new(text);
            let (values, fault) = document::json_values(text);
            for value in values {
                self.read_raw(&file, &mut lines, value, None, 0);
            }
            if let Some(fault) = fault {
                self.reject(&file, fault.line, fault.message);
            }
            return;
        }
        for (line, text) in document::yaml_documents(text) {
            match document::read_yaml(line, text) {
                Ok(value) => {
                    let lines = document::element_lines(line, text);
                    self.read_nested(&file, line, &lines, &value, None, 0);
                }
                Err(fault) => self.reject(&file, fault.line, fault.message),
            }
        }
    }

    /// Reads one object, or a list of objects, that is already parsed: an object in an audit event,
    /// a document of another reader.
    pub fn read_value(&mut self, file: &Arc<str>, line: u64, value: &Value) {
        self.read_nested(file, line, &[], value, None, 0);
    }

    /// A JSON value whose insides are parsed only if they matter.
    fn read_raw(
        &mut self,
        file: &Arc<str>,
        lines: &mut LineCounter<'_>,
        raw: &RawValue,
        list: ListKind<'_>,
        depth: u32,
    ) {
        let line = lines.line_of(raw.get());
        if depth > MOST_NESTED_LISTS {
            return self.reject(file, line, "lists are nested too deeply".to_owned());
        }
        if raw.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
            for item in items {
                self.read_raw(file, lines, item, list, depth + 1);
            }
            return;
        }
        let Some(members) = document::json_members(raw) else {
            return self.reject(file, line, "not a Kubernetes object".to_owned());
        };
        let text = |name: &str| -> String {
            let value = members.get(name);
            let text = value.and_then(|value| serde_json::from_str(value.get()).ok());
            text.unwrap_or_default()
        };
        let (kind, version) = (text("kind"), text("apiVersion"));
        if let (Some(items), Some(of)) = (members.get("items"), kind.strip_suffix("List")) {
            let Ok(items) = serde_json::from_str::<Option<Vec<&RawValue>>>(items.get()) else {
                return self.reject(file, line, "items: expected a list".to_owned());
            };
            for item in items.unwrap_or_default() {
                self.read_raw(file, lines, item, Some((of, &version)), depth + 1);
            }
            return;
        }
        let has = |name: &str| members.contains_key(name);
        let parse = || serde_json::from_str::<Value>(raw.get()).map_err(|error| error.to_string());
        self.read_object(
            file,
            line,
            &ObjectHead::new(kind, version, list, has),
            parse,
        );
    }

    /// As `read_raw`, of a value that is parsed. `lines` are those of a list's elements, if known.
    fn read_nested(
        &mut self,
        file: &Arc<str>,
        line: u64,
        lines: &[u64],
        value: &Value,
        list: ListKind<'_>,
        depth: u32,
    ) {
        if depth > MOST_NESTED_LISTS {
            return self.reject(file, line, "lists are nested too deeply".to_owned());
        }
        let members = match value {
            Value::Object(members) => members,
            Value::Array(items) => {
                for item in items {
                    self.read_nested(file, line, &[], item, list, depth + 1);
                }
                return;
            }
            Value::Null => return,
            _ => return self.reject(file, line, "not a Kubernetes object".to_owned()),
        };
        let text = |name: &str| {
            let text = members.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let (kind, version) = (text("kind"), text("apiVersion"));
        if let (Some(items), Some(of)) = (members.get("items"), kind.strip_suffix("List")) {
            let items = match items {
                Value::Array(items) => items.as_slice(),
                Value::Null => &[],
                _ => return self.reject(file, line, "items: expected a list".to_owned()),
            };
            for (at, item) in items.iter().enumerate() {
                let known = lines.len() == items.len();
                let line = lines.get(at).filter(|_| known).copied().unwrap_or(line);
                self.read_nested(file, line, &[], item, Some((of, &version)), depth + 1);
            }
            return;
        }
        let has = |name: &str| members.contains_key(name);
        let head = ObjectHead::new(kind, version, list, has);
        self.read_object(file, line, &head, || Ok(value));
    }

    fn read_object<V: std::borrow::Borrow<Value>>(
        &mut self,
        file: &Arc<str>,
        line: u64,
        head: &ObjectHead,
        parse: impl FnOnce() -> Result<V, String>,
    ) {
        if let Some(message) = head.fault() {
            return self.reject(file, line, message);
        }
        let Some(wanted) = head.wanted() else {
            return self.skip(&head.kind);
        };
        let result = parse().and_then(|value| {
            let fields = DecodedFields::new("", value.borrow())?;
            let metadata = DecodedMetadata::of(&fields, file, line)?;
            if metadata.name.is_empty() {
                return Err("metadata.name: missing".to_owned());
            }
            match wanted {
                WantedObject::Role(kind) => self.read_role(kind, head, &fields, metadata),
                WantedObject::Binding(kind) => self.read_binding(kind, head, &fields, metadata),
                WantedObject::ServiceAccount => self.read_account(&fields, metadata),
                WantedObject::Workload(path) => self.read_workload(path, head, &fields, metadata),
            }
        });
        if let Err(message) = result {
            self.reject(file, line, format!("{}: {message}", head.kind));
        }
    }

    fn read_role(
        &mut self,
        kind: RoleKind,
        head: &ObjectHead,
        fields: &DecodedFields<'_>,
        metadata: DecodedMetadata,
    ) -> Result<(), String> {
        let mut unknown = Vec::new();
        let mut known = vec!["kind", "apiVersion", "metadata", "rules"];
        if kind == RoleKind::ClusterRole {
            known.push("aggregationRule");
        }
        fields.unknown(&known, &mut unknown);
        let rules = decode::rules(fields, &mut unknown)?;
        let aggregation = match kind {
            RoleKind::ClusterRole => decode::aggregation(fields)?,
            RoleKind::Role => None,
        };
        let key = RoleKey {
            kind,
            namespace: namespace_of(kind == RoleKind::Role, metadata.namespace),
            name: metadata.name,
        };
        let role = RbacRole {
            key: key.clone(),
            rules,
            aggregation,
            origin: metadata.origin,
        };
        let faults = validity::role_faults(&role);
        let label = object_label(kind.name(), &key.namespace, &key.name);
        self.note_faults(&role.origin, head, &label, unknown, faults);
        let role = Arc::new(role);
        let places = &mut self.roles;
        if let Some(earlier) = place(places, &mut self.read.objects.roles, key, Arc::clone(&role)) {
            self.note_replaced(label, &earlier.origin, &role.origin);
        }
        Ok(())
    }

    fn read_binding(
        &mut self,
        kind: BindingKind,
        head: &ObjectHead,
        fields: &DecodedFields<'_>,
        metadata: DecodedMetadata,
    ) -> Result<(), String> {
        let mut unknown = Vec::new();
        let known = ["kind", "apiVersion", "metadata", "subjects", "roleRef"];
        fields.unknown(&known, &mut unknown);
        let role = fields.object("roleRef")?;
        role.unknown(&["apiGroup", "kind", "name"], &mut unknown);
        let role_group = role.text("apiGroup")?;
        let (role_kind, role_name) = (role.text("kind")?, role.text("name")?);
        if role_kind.is_empty() || role_name.is_empty() {
            return Err("roleRef: expected kind and name".to_owned());
        }
        let subjects = decode::subjects(fields, &mut unknown)?;
        let key = BindingKey {
            kind,
            namespace: namespace_of(kind == BindingKind::RoleBinding, metadata.namespace),
            name: metadata.name,
        };
        let binding = RbacBinding {
            key: key.clone(),
            role_kind,
            role_name,
            subjects: subjects
                .iter()
                .map(|(subject, ..)| subject.clone())
                .collect(),
            origin: metadata.origin,
        };
        let faults = validity::binding_faults(&binding, &role_group, &subjects);
        let label = object_label(kind.name(), &key.namespace, &key.name);
        self.note_faults(&binding.origin, head, &label, unknown, faults);
        let binding = Arc::new(binding);
        let (places, list) = (&mut self.bindings, &mut self.read.objects.bindings);
        if let Some(earlier) = place(places, list, key, Arc::clone(&binding)) {
            self.note_replaced(label, &earlier.origin, &binding.origin);
        }
        Ok(())
    }

    fn read_account(
        &mut self,
        fields: &DecodedFields<'_>,
        metadata: DecodedMetadata,
    ) -> Result<(), String> {
        let account = ServiceAccountObject {
            namespace: namespace_of(true, metadata.namespace),
            name: metadata.name,
            automount: fields.flag("automountServiceAccountToken")?,
            origin: metadata.origin,
        };
        let key = (account.namespace.clone(), account.name.clone());
        let label = object_label("ServiceAccount", &key.0, &key.1);
        let origin = account.origin.clone();
        let (places, list) = (&mut self.accounts, &mut self.read.objects.service_accounts);
        if let Some(earlier) = place(places, list, key, account) {
            self.note_replaced(label, &earlier.origin, &origin);
        }
        Ok(())
    }

    fn read_workload(
        &mut self,
        path: &[&str],
        head: &ObjectHead,
        fields: &DecodedFields<'_>,
        metadata: DecodedMetadata,
    ) -> Result<(), String> {
        let mut spec = fields.object("spec")?;
        for name in path {
            spec = spec.object(name)?;
        }
        let named = |name: &str| {
            spec.text(name)
                .map(|text| Some(text).filter(|t| !t.is_empty()))
        };
        let account = match named("serviceAccountName")? {
            Some(name) => Some(name),
            None => named("serviceAccount")?,
        };
        let workload = WorkloadObject {
            kind: head.kind.clone(),
            namespace: namespace_of(true, metadata.namespace),
            name: metadata.name,
            service_account: account.unwrap_or_else(|| "default".to_owned()),
            automount: spec.flag("automountServiceAccountToken")?,
            origin: metadata.origin,
        };
        let key = (
            workload.kind.clone(),
            workload.namespace.clone(),
            workload.name.clone(),
        );
        let (places, list) = (&mut self.workloads, &mut self.read.objects.workloads);
        if place(places, list, key, workload).is_some() {
            self.read.replaced += 1;
        }
        Ok(())
    }

    fn note_faults(
        &mut self,
        origin: &ObjectOrigin,
        head: &ObjectHead,
        object: &str,
        unknown: Vec<String>,
        faults: Vec<String>,
    ) {
        let unknown = unknown
            .into_iter()
            .map(|path| format!("{path}: unknown field"));
        let version = head.removed_version();
        self.read.faults.extend(
            version
                .into_iter()
                .chain(unknown)
                .chain(faults)
                .map(|message| ObjectFault {
                    file: Arc::clone(&origin.file),
                    line: origin.line,
                    object: object.to_owned(),
                    message,
                }),
        );
    }

    fn note_replaced(&mut self, object: String, earlier: &ObjectOrigin, later: &ObjectOrigin) {
        self.read.replaced += 1;
        if earlier.uid.is_some() && later.uid.is_some() && earlier.uid != later.uid {
            self.read.conflicts.push(ObjectConflict {
                object,
                earlier: Arc::clone(&earlier.file),
                later: Arc::clone(&later.file),
            });
        }
    }
}

/// Puts an object where one of its key was, or at the end: the one that was there.
fn place<K: Hash + Eq, V>(
    places: &mut HashMap<K, usize>,
    list: &mut Vec<V>,
    key: K,
    value: V,
) -> Option<V> {
    if let Some(slot) = places.get(&key).and_then(|at| list.get_mut(*at)) {
        return Some(std::mem::replace(slot, value));
    }
    places.insert(key, list.len());
    list.push(value);
    None
}

/// The namespace that an object goes to: kubectl's is `default`; cluster-wide kinds have none,
/// whatever the manifest says.
fn namespace_of(is_namespaced: bool, written: String) -> String {
    match (is_namespaced, written.is_empty()) {
        (false, _) => String::new(),
        (true, true) => "default".to_owned(),
        (true, false) => written,
    }
}

/// `ClusterRole view`, `Role dev/reader`.
pub(crate) fn object_label(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}

#[cfg(test)]
mod tests;
