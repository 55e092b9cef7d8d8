//! The bindings of one scope by subject, and below a subject by what the bound rules are about: a
//! request looks only at bindings that could allow it.
//!
//! Users and service accounts share the index of user names. Candidates come sorted by binding and
//! subject. Not responsible for: whether a rule allows a request (`matching.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use crate::rbac::objects::RbacBinding;
use crate::rbac::objects::RbacRole;
use crate::rbac::objects::RbacRule;
use crate::rbac::objects::RbacSubject;
use crate::rbac::objects::SubjectKind;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;

/// A binding and the role that it refers to.
#[derive(Debug, Clone)]
pub struct BoundRole {
    /// The binding.
    pub binding: Arc<RbacBinding>,
    /// The role; `None` if there is none.
    pub role: Option<Arc<RbacRole>>,
}

impl BoundRole {
    /// The rules that the binding grants.
    pub fn rules(&self) -> &[RbacRule] {
        self.role.as_ref().map_or(&[], |role| &role.rules)
    }

    /// A subject, by its index in a `Cover`.
    pub fn subject(&self, at: usize) -> Option<&RbacSubject> {
        self.binding.subjects.get(at)
    }
}

/// A rule that may allow a request: a binding, one of its subjects that matches, and the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleCandidate {
    pub(crate) binding: u32,
    pub(crate) subject: u32,
    pub(crate) rule: u32,
}

/// The bindings of one subject.
#[derive(Debug, Clone, Default)]
struct SubjectIndex {
    /// By a resource that the rule names.
    by_resource: HashMap<Box<str>, Vec<RuleCandidate>>,
    /// Rules with `*` or `*/SUB` among the resources.
    any_resource: Vec<RuleCandidate>,
    /// Rules with non-resource URLs.
    paths: Vec<RuleCandidate>,
    /// Bindings to a role that is missing.
    roleless: Vec<RuleCandidate>,
}

impl SubjectIndex {
    fn insert(&mut self, binding: u32, subject: u32, bound: &BoundRole) {
        let candidate = |rule: usize| RuleCandidate {
            binding,
            subject,
            rule: index(rule),
        };
        if bound.role.is_none() {
            self.roleless.push(candidate(0));
        }
        for (at, rule) in bound.rules().iter().enumerate() {
            let candidate = candidate(at);
            let add = |list: &mut Vec<RuleCandidate>| {
                if list.last() != Some(&candidate) {
                    list.push(candidate);
                }
            };
            for resource in &rule.resources {
                if resource.starts_with('*') {
                    add(&mut self.any_resource);
                } else if let Some(list) = self.by_resource.get_mut(resource.as_str()) {
                    add(list);
                } else {
                    let resource = resource.as_str().into();
                    self.by_resource.insert(resource, vec![candidate]);
                }
            }
            if !rule.non_resource_urls.is_empty() {
                add(&mut self.paths);
            }
        }
    }

    fn remove(&mut self, binding: u32) {
        let others = |candidate: &RuleCandidate| candidate.binding != binding;
        for list in self.by_resource.values_mut() {
            list.retain(others);
        }
        self.any_resource.retain(others);
        self.paths.retain(others);
        self.roleless.retain(others);
    }
}

/// The bindings of one scope: the cluster, or a namespace.
#[derive(Debug, Clone, Default)]
pub(crate) struct SubjectIndexes {
    users: HashMap<String, SubjectIndex>,
    groups: HashMap<String, SubjectIndex>,
}

impl SubjectIndexes {
    pub(crate) fn insert(&mut self, slot: usize, bound: &BoundRole) {
        self.each_subject(bound, |own, subject| {
            own.insert(index(slot), index(subject), bound);
        });
    }

    pub(crate) fn remove(&mut self, slot: usize, bound: &BoundRole) {
        self.each_subject(bound, |own, _| own.remove(index(slot)));
    }

    fn each_subject(&mut self, bound: &BoundRole, mut act: impl FnMut(&mut SubjectIndex, usize)) {
        let namespace = &bound.binding.key.namespace;
        for (at, subject) in bound.binding.subjects.iter().enumerate() {
            let Some(subject) = subject.effective(namespace) else {
                continue;
            };
            let index = match (subject.kind, subject.user_name()) {
                (SubjectKind::Group, _) => self.groups.entry(subject.name).or_default(),
                (_, Some(user)) => self.users.entry(user).or_default(),
                (_, None) => continue,
            };
            act(index, at);
        }
    }

    fn matching(&self, identity: &Identity) -> impl Iterator<Item = &SubjectIndex> {
        let groups = identity
            .groups
            .iter()
            .filter_map(|group| self.groups.get(group));
        self.users.get(&identity.name).into_iter().chain(groups)
    }

    /// The rules that could allow the request. `combined` is its resource as rules spell it.
    pub(crate) fn candidates(
        &self,
        identity: &Identity,
        request: &AccessRequest,
        combined: &str,
    ) -> Vec<RuleCandidate> {
        let mut found = Vec::new();
        for index in self.matching(identity) {
            if request.path.is_some() {
                found.extend_from_slice(&index.paths);
                continue;
            }
            if let Some(list) = index.by_resource.get(combined) {
                found.extend_from_slice(list);
            }
            found.extend_from_slice(&index.any_resource);
        }
        sorted(found)
    }

    /// The bindings to missing roles that a request of this user meets.
    pub(crate) fn roleless(&self, identity: &Identity) -> Vec<RuleCandidate> {
        let lists = self.matching(identity).map(|index| &index.roleless);
        sorted(lists.flatten().copied().collect())
    }
}

/// Bindings, subjects and rules are counted in 32 bits; more than that fits no memory.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn sorted(mut found: Vec<RuleCandidate>) -> Vec<RuleCandidate> {
    found.sort_unstable();
    found.dedup();
    found
}
