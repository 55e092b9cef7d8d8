//! The RBAC authorizer: roles and bindings in, a decision with its reason out, as
//! `plugin/pkg/auth/authorizer/rbac` and `pkg/registry/rbac/validation/rule.go` decide.
//!
//! ClusterRoleBindings are visited before the RoleBindings of the request's namespace, each kind in
//! the order in which they were put here (Kubernetes' own order is that of a hash map); of a
//! binding's subjects the first that matches is named; the first rule that allows ends the visit.
//! Roles that are missing are told of refusals only. To stay fast with many bindings, they are
//! indexed by subject, then by what their role's rules are about.
//!
//! Not responsible for: other authorizers of the chain (`judge.rs`).

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use crate::rbac::index::BoundRole;
use crate::rbac::index::RuleCandidate;
use crate::rbac::index::SubjectIndexes;
use crate::rbac::objects::BindingKey;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::RbacBinding;
use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RbacRole;
use crate::rbac::objects::RbacRule;
use crate::rbac::objects::RbacSubject;
use crate::rbac::objects::RoleKey;
use crate::rbac::objects::RoleKind;
use crate::rbac::objects::SubjectKind;
use crate::rbac::quote::quoted;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;

/// A rule that allows a request: binding, subject and rule by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cover {
    /// The binding's slot, for [`RbacAuthorizer::binding`].
    pub binding: usize,
    /// 0-based index in the binding's subjects.
    pub subject: usize,
    /// 0-based index in the role's rules.
    pub rule: usize,
}

impl From<RuleCandidate> for Cover {
    fn from(candidate: RuleCandidate) -> Self {
        Self {
            binding: candidate.binding as usize,
            subject: candidate.subject as usize,
            rule: candidate.rule as usize,
        }
    }
}

/// The answer of RBAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RbacDecision {
    /// The rule that allows it, the first that was found; `None` if none does.
    pub cover: Option<Cover>,
    /// The text that the apiserver logs as reason; `""` for most refusals.
    pub reason: String,
}

impl RbacDecision {
    /// Whether RBAC allows the request.
    pub const fn is_allowed(&self) -> bool {
        self.cover.is_some()
    }
}

/// The state of a cluster's RBAC, which can change.
#[derive(Debug, Clone, Default)]
pub struct RbacAuthorizer {
    roles: HashMap<RoleKey, Arc<RbacRole>>,
    slots: Vec<Option<BoundRole>>,
    slot_of: HashMap<BindingKey, usize>,
    /// Slots of the bindings that refer to a role, present or not.
    bound: HashMap<RoleKey, BTreeSet<usize>>,
    cluster_wide: SubjectIndexes,
    /// By namespace.
    namespaced: HashMap<String, SubjectIndexes>,
}

impl RbacAuthorizer {
    /// The state that these objects describe.
    pub fn new(objects: &RbacObjects) -> Self {
        let mut authorizer = Self::default();
        for role in &objects.roles {
            authorizer.roles.insert(role.key.clone(), Arc::clone(role));
        }
        for binding in &objects.bindings {
            authorizer.put_binding(Arc::clone(binding));
        }
        authorizer
    }

    /// Adds or replaces a role.
    pub fn put_role(&mut self, role: Arc<RbacRole>) {
        let key = role.key.clone();
        self.roles.insert(key.clone(), role);
        self.rebind(&key);
    }

    /// Removes a role, if it is there.
    pub fn remove_role(&mut self, key: &RoleKey) {
        if self.roles.remove(key).is_some() {
            self.rebind(key);
        }
    }

    /// Adds or replaces a binding; a replaced one keeps its place in the order.
    pub fn put_binding(&mut self, binding: Arc<RbacBinding>) {
        let slot = match self.slot_of.get(&binding.key) {
            Some(slot) => *slot,
            None => {
                self.slots.push(None);
                self.slot_of
                    .insert(binding.key.clone(), self.slots.len() - 1);
                self.slots.len() - 1
            }
        };
        self.clear_slot(slot);
        let key = binding.role();
        let role = key.as_ref().and_then(|key| self.roles.get(key).cloned());
        if let Some(key) = key {
            self.bound.entry(key).or_default().insert(slot);
        }
        self.fill_slot(slot, BoundRole { binding, role });
    }

    /// Removes a binding, if it is there.
    pub fn remove_binding(&mut self, key: &BindingKey) {
        if let Some(slot) = self.slot_of.get(key) {
            self.clear_slot(*slot);
        }
    }

    fn rebind(&mut self, key: &RoleKey) {
        let slots: Vec<usize> = self.bound.get(key).into_iter().flatten().copied().collect();
        for slot in slots {
            if let Some(bound) = self.clear_slot(slot) {
                self.bound.entry(key.clone()).or_default().insert(slot);
                let role = self.roles.get(key).cloned();
                self.fill_slot(slot, BoundRole { role, ..bound });
            }
        }
    }

    fn indexes(&mut self, key: &BindingKey) -> &mut SubjectIndexes {
        match key.kind {
            BindingKind::ClusterRoleBinding => &mut self.cluster_wide,
            BindingKind::RoleBinding => self.namespaced.entry(key.namespace.clone()).or_default(),
        }
    }

    fn fill_slot(&mut self, slot: usize, bound: BoundRole) {
        self.indexes(&bound.binding.key).insert(slot, &bound);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(bound);
        }
    }

    fn clear_slot(&mut self, slot: usize) -> Option<BoundRole> {
        let bound = self.slots.get_mut(slot)?.take()?;
        self.indexes(&bound.binding.key).remove(slot, &bound);
        let key = bound.binding.role();
        if let Some(slots) = key.and_then(|key| self.bound.get_mut(&key)) {
            slots.remove(&slot);
        }
        Some(bound)
    }

    /// All bindings with their slots, in the order of visits within a kind.
    pub fn bindings(&self) -> impl Iterator<Item = (usize, &BoundRole)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(slot, bound)| Some((slot, bound.as_ref()?)))
    }

    /// All roles, in no order.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<RbacRole>> {
        self.roles.values()
    }

    /// A role by its key.
    pub fn role(&self, key: &RoleKey) -> Option<&Arc<RbacRole>> {
        self.roles.get(key)
    }

    /// A binding by its slot.
    pub fn binding(&self, slot: usize) -> Option<&BoundRole> {
        self.slots.get(slot)?.as_ref()
    }

    /// The slot of a binding.
    pub fn slot(&self, key: &BindingKey) -> Option<usize> {
        let slot = *self.slot_of.get(key)?;
        self.binding(slot).map(|_| slot)
    }

    /// The rule of a cover.
    pub fn rule(&self, cover: Cover) -> Option<&RbacRule> {
        self.binding(cover.binding)?.rules().get(cover.rule)
    }

    /// Decides, and says why in the words of the apiserver.
    pub fn decide(&self, identity: &Identity, request: &AccessRequest) -> RbacDecision {
        let combined = request.combined_resource();
        for indexes in self.visited(request) {
            let candidates = indexes.candidates(identity, request, &combined);
            // Of one binding the first subject that matches is named, so the first in this order.
            let mut covers = candidates.into_iter().map(Cover::from);
            if let Some(cover) = covers.find(|cover| self.is_allowing(*cover, request)) {
                return RbacDecision {
                    cover: Some(cover),
                    reason: self.reason(cover),
                };
            }
        }
        RbacDecision {
            cover: None,
            reason: self.refusal(identity, request),
        }
    }

    /// Whether RBAC allows the request; as `decide`, without the reason.
    pub fn allows(&self, identity: &Identity, request: &AccessRequest) -> bool {
        let combined = request.combined_resource();
        self.visited(request).into_iter().any(|indexes| {
            let candidates = indexes.candidates(identity, request, &combined);
            let mut covers = candidates.into_iter().map(Cover::from);
            covers.any(|cover| self.is_allowing(cover, request))
        })
    }

    /// Every rule that allows the request, by binding, subject and rule: all that would do.
    pub fn covers(&self, identity: &Identity, request: &AccessRequest) -> Vec<Cover> {
        let combined = request.combined_resource();
        let mut covers = Vec::new();
        for indexes in self.visited(request) {
            let candidates = indexes.candidates(identity, request, &combined);
            let found = candidates.into_iter().map(Cover::from);
            covers.extend(found.filter(|cover| self.is_allowing(*cover, request)));
        }
        covers
    }

    /// Indexes in the order of visits.
    fn visited(&self, request: &AccessRequest) -> Vec<&SubjectIndexes> {
        let of_namespace = match request.path {
            None if !request.namespace.is_empty() => self.namespaced.get(&request.namespace),
            _ => None,
        };
        std::iter::once(&self.cluster_wide)
            .chain(of_namespace)
            .collect()
    }

    fn is_allowing(&self, cover: Cover, request: &AccessRequest) -> bool {
        self.rule(cover).is_some_and(|rule| rule.allows(request))
    }

    /// `RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "u"`.
    pub fn reason(&self, cover: Cover) -> String {
        let Some(bound) = self.binding(cover.binding) else {
            return String::new();
        };
        let binding = &bound.binding;
        let (kind, namespace) = (binding.key.kind, binding.key.namespace.as_str());
        let name = match kind {
            BindingKind::ClusterRoleBinding => quoted(&binding.key.name),
            BindingKind::RoleBinding => quoted(&format!("{}/{namespace}", binding.key.name)),
        };
        let subject = bound.subject(cover.subject);
        let subject = subject.map_or_else(String::new, |subject| described(subject, namespace));
        let (role_kind, role) = (&binding.role_kind, quoted(&binding.role_name));
        let kind = kind.name();
        format!("RBAC: allowed by {kind} {name} of {role_kind} {role} to {subject}")
    }

    /// The errors that a refusal tells: roles that are missing.
    fn refusal(&self, identity: &Identity, request: &AccessRequest) -> String {
        let mut errors: Vec<String> = Vec::new();
        for indexes in self.visited(request) {
            for candidate in first_subjects(indexes.roleless(identity)) {
                let Some(bound) = self.binding(candidate.binding as usize) else {
                    continue;
                };
                let error = missing_role(&bound.binding);
                if !errors.contains(&error) {
                    errors.push(error);
                }
            }
        }
        // `utilerrors.aggregate.Error`.
        match errors.as_slice() {
            [] => String::new(),
            [error] => format!("RBAC: {error}"),
            errors => format!("RBAC: [{}]", errors.join(", ")),
        }
    }
}

/// One candidate a binding, with the first subject that matches, in the order of bindings.
fn first_subjects(mut candidates: Vec<RuleCandidate>) -> Vec<RuleCandidate> {
    candidates.dedup_by_key(|candidate| candidate.binding);
    candidates
}

/// `describeSubject`.
fn described(subject: &RbacSubject, binding_namespace: &str) -> String {
    let Some(kind) = subject.kind else {
        return String::new();
    };
    let name = match kind {
        SubjectKind::ServiceAccount if subject.namespace.is_empty() => {
            quoted(&format!("{}/{binding_namespace}", subject.name))
        }
        SubjectKind::ServiceAccount => quoted(&format!("{}/{}", subject.name, subject.namespace)),
        _ => quoted(&subject.name),
    };
    format!("{} {name}", kind.name())
}

/// `GetRoleReferenceRules`.
fn missing_role(binding: &RbacBinding) -> String {
    let resource = match binding.role().map(|role| role.kind) {
        Some(RoleKind::Role) => "role",
        Some(RoleKind::ClusterRole) => "clusterrole",
        None => {
            let kind = quoted(&binding.role_kind);
            return format!("unsupported role reference kind: {kind}");
        }
    };
    let name = quoted(&binding.role_name);
    format!("{resource}.rbac.authorization.k8s.io {name} not found")
}
