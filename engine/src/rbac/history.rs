//! RBAC over time: a dump and the writes that the audit log recorded → the state at any moment.
//!
//! On real logs a quarter to a third of all refusals look allowed by the final state, because
//! grants changed meanwhile. A write at Metadata level says that an object changed, not to what;
//! then the dump's version stands for it. The dump may be older or newer than the writes: resource
//! versions tell, and without them it counts as newer than all.
//!
//! Not responsible for: taking writes from events. The caller leaves out dry runs and failures.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::objects::BindingKey;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::ObjectOrigin;
use crate::rbac::objects::RbacBinding;
use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RbacRole;
use crate::rbac::objects::RoleKey;
use crate::rbac::objects::RoleKind;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;

/// A role or binding, by what identifies it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RbacObjectKey {
    /// A role.
    Role(RoleKey),
    /// A binding.
    Binding(BindingKey),
}

/// A role or binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RbacObject {
    /// A role.
    Role(Arc<RbacRole>),
    /// A binding.
    Binding(Arc<RbacBinding>),
}

impl RbacObject {
    /// What identifies it.
    pub fn key(&self) -> RbacObjectKey {
        match self {
            Self::Role(role) => RbacObjectKey::Role(role.key.clone()),
            Self::Binding(binding) => RbacObjectKey::Binding(binding.key.clone()),
        }
    }

    fn origin(&self) -> &ObjectOrigin {
        match self {
            Self::Role(role) => &role.origin,
            Self::Binding(binding) => &binding.origin,
        }
    }
}

/// What a write changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RbacWrite {
    /// A create, or a patch or update answered 201. The object as the response, or the request, has
    /// it; `None` at Metadata level.
    Created(RbacObjectKey, Option<RbacObject>),
    /// A patch or update of an object that was there.
    Updated(RbacObjectKey, Option<RbacObject>),
    /// A delete; the object if the response has it.
    Deleted(RbacObjectKey, Option<RbacObject>),
    /// A deletecollection of a namespace's roles.
    DeletedRoles(String),
    /// A deletecollection of a namespace's bindings.
    DeletedBindings(String),
}

/// A write and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RbacChange {
    /// When it was done, in microseconds since the epoch: `stageTimestamp` of ResponseComplete.
    pub time: i64,
    /// What was done.
    pub write: RbacWrite,
}

/// An object from one moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RbacVersion {
    /// From when, in microseconds since the epoch.
    pub time: i64,
    /// Which object.
    pub key: RbacObjectKey,
    /// Its state; `None` if it is deleted.
    pub object: Option<RbacObject>,
    /// The write did not say what the object became; the dump's state is assumed.
    pub is_assumed: bool,
}

/// The state before the first write, and every change after it.
#[derive(Debug, Clone, Default)]
pub struct RbacHistory {
    initial: RbacObjects,
    versions: Vec<RbacVersion>,
    uncertain: BTreeSet<RbacObjectKey>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WriteKind {
    Created,
    Updated,
    Deleted,
}

struct KeyedWrite {
    time: i64,
    kind: WriteKind,
    object: Option<RbacObject>,
}

impl RbacHistory {
    /// The history of a dump's objects. `changes` in any order.
    pub fn new(dump: &RbacObjects, changes: Vec<RbacChange>) -> Self {
        let mut dumped: BTreeMap<RbacObjectKey, RbacObject> = BTreeMap::new();
        let roles = dump.roles.iter().cloned().map(RbacObject::Role);
        let bindings = dump.bindings.iter().cloned().map(RbacObject::Binding);
        for object in roles.chain(bindings) {
            dumped.insert(object.key(), object);
        }
        let dump_time = dump_time(&dumped, &changes);
        let mut versions = Vec::new();
        let mut absent = Vec::new();
        let mut other: Vec<RbacObject> = Vec::new();
        let mut uncertain = BTreeSet::new();
        for (key, writes) in by_key(&dumped, changes, dump_time) {
            let in_dump = dumped.get(&key);
            let Some(first) = writes.first() else {
                continue;
            };
            if is_uncertain(&writes, in_dump.is_some(), dump_time) {
                uncertain.insert(key.clone());
            }
            if first.time <= dump_time {
                absent.push(key.clone());
                match first.kind {
                    WriteKind::Created => {}
                    WriteKind::Deleted => other.extend(first.object.clone()),
                    WriteKind::Updated => {
                        other.extend(in_dump.cloned().or_else(|| first.object.clone()));
                    }
                }
            }
            versions.extend(writes.iter().map(|write| {
                let known = write
                    .object
                    .clone()
                    .filter(|_| write.kind != WriteKind::Deleted);
                let is_assumed = known.is_none() && write.kind != WriteKind::Deleted;
                RbacVersion {
                    time: write.time,
                    key: key.clone(),
                    object: known.or_else(|| in_dump.filter(|_| is_assumed).cloned()),
                    is_assumed,
                }
            }));
        }
        versions.sort_by_key(|version| version.time);
        Self {
            initial: initial(dump, &absent, other),
            versions,
            uncertain,
        }
    }

    /// The state before the first write.
    pub fn initial(&self) -> &RbacObjects {
        &self.initial
    }

    /// Every version after it, in the order of time.
    pub fn versions(&self) -> &[RbacVersion] {
        &self.versions
    }

    /// An object on which the user's access may hang and whose state the log does not tell for the
    /// whole window, because its writes are logged at Metadata level: what can make a judgement by
    /// this history wrong.
    pub fn uncertainty(
        &self,
        state: &RbacAuthorizer,
        identity: &Identity,
        request: &AccessRequest,
    ) -> Option<&RbacObjectKey> {
        let is_in_scope = |key: &BindingKey| {
            key.kind == BindingKind::ClusterRoleBinding
                || (request.path.is_none() && key.namespace == request.namespace)
        };
        self.uncertain.iter().find(|key| match key {
            RbacObjectKey::Binding(key) => is_in_scope(key),
            RbacObjectKey::Role(role) => state.bindings().any(|(_, bound)| {
                let binding = &bound.binding;
                let namespace = &binding.key.namespace;
                is_in_scope(&binding.key)
                    && binding.role().as_ref() == Some(role)
                    && binding
                        .subjects
                        .iter()
                        .any(|one| identity.matches(one, namespace))
            }),
        })
    }

    /// A cursor at the beginning.
    pub fn cursor(&self) -> HistoryCursor<'_> {
        HistoryCursor {
            history: self,
            authorizer: RbacAuthorizer::new(&self.initial),
            next: 0,
        }
    }
}

/// The state at a moment that only moves on.
#[derive(Debug, Clone)]
pub struct HistoryCursor<'h> {
    history: &'h RbacHistory,
    authorizer: RbacAuthorizer,
    next: usize,
}

impl HistoryCursor<'_> {
    /// The state at `time`, with all that was written until then. Times must not fall.
    pub fn at(&mut self, time: i64) -> &RbacAuthorizer {
        while let Some(version) = self.history.versions.get(self.next) {
            if version.time > time {
                break;
            }
            self.next += 1;
            match (&version.key, &version.object) {
                (_, Some(RbacObject::Role(role))) => self.authorizer.put_role(Arc::clone(role)),
                (_, Some(RbacObject::Binding(binding))) => {
                    self.authorizer.put_binding(Arc::clone(binding));
                }
                // What it became is unknown: it stays as it was.
                (_, None) if version.is_assumed => {}
                (RbacObjectKey::Role(key), None) => self.authorizer.remove_role(key),
                (RbacObjectKey::Binding(key), None) => self.authorizer.remove_binding(key),
            }
        }
        &self.authorizer
    }

    /// The times of the writes between two moments, both included.
    pub fn writes_between(&self, from: i64, to: i64) -> impl Iterator<Item = i64> + '_ {
        let versions = &self.history.versions;
        let start = versions.partition_point(|version| version.time < from);
        let after = versions.get(start..).unwrap_or_default().iter();
        after
            .map(|version| version.time)
            .take_while(move |time| *time <= to)
    }
}

/// Whether some state of an object is not known: before its first write, or after one.
fn is_uncertain(writes: &[KeyedWrite], in_dump: bool, dump_time: i64) -> bool {
    let Some(first) = writes.first() else {
        return false;
    };
    let unknown_before = first.time <= dump_time
        && match first.kind {
            WriteKind::Created => false,
            WriteKind::Updated => true,
            WriteKind::Deleted => first.object.is_none(),
        };
    let stays = writes
        .iter()
        .filter(|write| write.kind != WriteKind::Deleted);
    let unknown: Vec<&KeyedWrite> = stays.filter(|write| write.object.is_none()).collect();
    // The dump shows what the last write made.
    let last = writes.last().map(|write| write.time);
    let is_last_alone = match unknown.as_slice() {
        [] => true,
        [only] => in_dump && Some(only.time) == last && only.time <= dump_time,
        _ => false,
    };
    unknown_before || !is_last_alone
}

/// A resource version as the number that it is with etcd.
fn resource_version(object: &RbacObject) -> Option<u64> {
    object.origin().resource_version.as_ref()?.parse().ok()
}

/// The last moment at which the dump can have been taken: before the first write that it does not
/// show.
fn dump_time(dumped: &BTreeMap<RbacObjectKey, RbacObject>, changes: &[RbacChange]) -> i64 {
    let Some(newest) = dumped.values().filter_map(resource_version).max() else {
        return i64::MAX;
    };
    let later = changes.iter().filter(|change| {
        let object = match &change.write {
            RbacWrite::Created(_, object) | RbacWrite::Updated(_, object) => object.as_ref(),
            _ => None,
        };
        object
            .and_then(resource_version)
            .is_some_and(|version| version > newest)
    });
    // An object that is newer than the dump's newest may be gone again before the dump.
    let gone = |change: &RbacChange| match &change.write {
        RbacWrite::Created(key, _) | RbacWrite::Updated(key, _) => !dumped.contains_key(key),
        _ => true,
    };
    later
        .filter(|change| !gone(change) || !is_deleted_later(change, changes))
        .map(|change| change.time - 1)
        .min()
        .unwrap_or(i64::MAX)
}

fn is_deleted_later(change: &RbacChange, changes: &[RbacChange]) -> bool {
    let (RbacWrite::Created(key, _) | RbacWrite::Updated(key, _)) = &change.write else {
        return false;
    };
    changes.iter().any(|other| {
        other.time > change.time
            && match &other.write {
                RbacWrite::Deleted(deleted, _) => deleted == key,
                RbacWrite::DeletedRoles(namespace) => is_in(key, false, namespace),
                RbacWrite::DeletedBindings(namespace) => is_in(key, true, namespace),
                _ => false,
            }
    })
}

/// Whether an object is one of a namespace's bindings, or roles.
fn is_in(key: &RbacObjectKey, bindings: bool, namespace: &str) -> bool {
    match key {
        RbacObjectKey::Role(key) => {
            !bindings && key.kind == RoleKind::Role && key.namespace == namespace
        }
        RbacObjectKey::Binding(key) => {
            bindings && key.kind == BindingKind::RoleBinding && key.namespace == namespace
        }
    }
}

/// The writes of each object, in the order of time; deletions of collections as deletions of what
/// they can have deleted.
fn by_key(
    dumped: &BTreeMap<RbacObjectKey, RbacObject>,
    changes: Vec<RbacChange>,
    dump_time: i64,
) -> BTreeMap<RbacObjectKey, Vec<KeyedWrite>> {
    let mut found: BTreeMap<RbacObjectKey, Vec<KeyedWrite>> = BTreeMap::new();
    let mut collections = Vec::new();
    for RbacChange { time, write } in changes {
        let (key, kind, object) = match write {
            RbacWrite::Created(key, object) => (key, WriteKind::Created, object),
            RbacWrite::Updated(key, object) => (key, WriteKind::Updated, object),
            RbacWrite::Deleted(key, object) => (key, WriteKind::Deleted, object),
            RbacWrite::DeletedRoles(namespace) => {
                collections.push((time, false, namespace));
                continue;
            }
            RbacWrite::DeletedBindings(namespace) => {
                collections.push((time, true, namespace));
                continue;
            }
        };
        found
            .entry(key)
            .or_default()
            .push(KeyedWrite { time, kind, object });
    }
    for writes in found.values_mut() {
        writes.sort_by_key(|write| write.time);
    }
    for (time, bindings, namespace) in collections {
        let mut keys: Vec<RbacObjectKey> = dumped.keys().chain(found.keys()).cloned().collect();
        keys.retain(|key| is_in(key, bindings, &namespace));
        keys.sort();
        keys.dedup();
        for key in keys {
            let writes = found.entry(key.clone()).or_default();
            let next = writes.partition_point(|write| write.time <= time);
            let is_created_next = writes
                .get(next)
                .is_some_and(|w| w.kind == WriteKind::Created);
            // The dump has it still: it was not among the deleted.
            let survived = dumped.contains_key(&key) && time <= dump_time && !is_created_next;
            if !survived {
                let deletion = KeyedWrite {
                    time,
                    kind: WriteKind::Deleted,
                    object: None,
                };
                writes.insert(next, deletion);
            }
        }
    }
    found
}

/// The dump without what was not there yet, and with what was there otherwise.
fn initial(dump: &RbacObjects, absent: &[RbacObjectKey], other: Vec<RbacObject>) -> RbacObjects {
    let mut objects = dump.clone();
    let is_absent = |key: RbacObjectKey| absent.binary_search(&key).is_ok();
    objects
        .roles
        .retain(|role| !is_absent(RbacObjectKey::Role(role.key.clone())));
    objects
        .bindings
        .retain(|binding| !is_absent(RbacObjectKey::Binding(binding.key.clone())));
    for object in other {
        match object {
            RbacObject::Role(role) => objects.roles.push(role),
            RbacObject::Binding(binding) => objects.bindings.push(binding),
        }
    }
    objects
}
