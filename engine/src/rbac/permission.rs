//! Rules taken apart into atomic permissions, and grants as rows: subject × binding × role × rule ×
//! permission.
//!
//! A permission is one verb on one API group and resource, of one name or all, or one verb on one
//! non-resource URL, as the rule spells them: `*` stays `*`. A RoleBinding grants no URLs. Not
//! responsible for: whether permissions are used (`usage.rs`).

use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::index::BoundRole;
use crate::rbac::matching;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::RbacRule;
use crate::rbac::objects::SubjectKey;
use crate::rbac::request::AccessRequest;

/// What a permission is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PermissionTarget<'r> {
    /// A resource.
    Resource {
        /// `""` is the core group, `*` all.
        api_group: &'r str,
        /// With its subresource: `pods/exec`.
        resource: &'r str,
        /// `None` is every name.
        name: Option<&'r str>,
    },
    /// A path that is no resource.
    Url(&'r str),
}

/// One verb on one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission<'r> {
    /// The verb; `*` is all.
    pub verb: &'r str,
    /// On what.
    pub target: PermissionTarget<'r>,
}

impl Permission<'_> {
    /// Whether it allows the request.
    pub fn covers(&self, request: &AccessRequest) -> bool {
        if !matching::verb_matches(self.verb, request) {
            return false;
        }
        match (self.target, &request.path) {
            (PermissionTarget::Url(url), Some(path)) => matching::url_matches(url, path),
            (
                PermissionTarget::Resource {
                    api_group,
                    resource,
                    name,
                },
                None,
            ) => {
                matching::group_matches(api_group, request)
                    && matching::resource_matches(resource, request)
                    && name.is_none_or(|name| name == request.name)
            }
            _ => false,
        }
    }
}

/// The permissions of one rule, by their index.
#[derive(Debug, Clone)]
pub struct RulePermissions<'r> {
    verbs: Vec<&'r str>,
    groups: Vec<&'r str>,
    resources: Vec<&'r str>,
    names: Vec<Option<&'r str>>,
    urls: Vec<&'r str>,
}

impl<'r> RulePermissions<'r> {
    /// Each permission of the rule once. `kind` is that of the binding.
    pub fn new(rule: &'r RbacRule, kind: BindingKind) -> Self {
        let names = match unique(&rule.resource_names) {
            names if names.is_empty() => vec![None],
            names => names.into_iter().map(Some).collect(),
        };
        Self {
            verbs: unique(&rule.verbs),
            groups: unique(&rule.api_groups),
            resources: unique(&rule.resources),
            names,
            urls: match kind {
                BindingKind::ClusterRoleBinding => unique(&rule.non_resource_urls),
                BindingKind::RoleBinding => Vec::new(),
            },
        }
    }

    fn targets(&self) -> usize {
        self.groups.len() * self.resources.len() * self.names.len()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.verbs.len() * (self.targets() + self.urls.len())
    }

    /// Whether the rule grants nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The permission of an index: verbs first, then groups, resources, names; URLs at the end.
    pub fn get(&self, at: usize) -> Option<Permission<'r>> {
        let per_verb = self.targets() + self.urls.len();
        let verb = *self.verbs.get(at.checked_div(per_verb)?)?;
        let at = at % per_verb;
        let target = match at.checked_sub(self.targets()) {
            Some(url) => PermissionTarget::Url(self.urls.get(url)?),
            None => {
                let (at, name) = (at / self.names.len(), at % self.names.len());
                PermissionTarget::Resource {
                    api_group: self.groups.get(at / self.resources.len())?,
                    resource: self.resources.get(at % self.resources.len())?,
                    name: *self.names.get(name)?,
                }
            }
        };
        Some(Permission { verb, target })
    }

    /// All, in the order of their indices.
    pub fn iter(&self) -> impl Iterator<Item = Permission<'r>> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// The indices of the permissions that allow the request.
    pub fn covering(&self, request: &AccessRequest) -> Vec<usize> {
        let mut found = Vec::new();
        self.each_covering(request, |at| found.push(at));
        found
    }

    /// As `covering`, one by one.
    pub(crate) fn each_covering(&self, request: &AccessRequest, mut visit: impl FnMut(usize)) {
        let per_verb = self.targets() + self.urls.len();
        for verb in positions(&self.verbs, |verb| matching::verb_matches(verb, request)) {
            let start = verb * per_verb;
            if let Some(path) = &request.path {
                let urls = positions(&self.urls, |url| matching::url_matches(url, path));
                urls.for_each(|at| visit(start + self.targets() + at));
                continue;
            }
            for group in positions(&self.groups, |own| matching::group_matches(own, request)) {
                let matches = |own| matching::resource_matches(own, request);
                for resource in positions(&self.resources, matches) {
                    let base = (group * self.resources.len() + resource) * self.names.len();
                    let matches = |name: Option<&str>| name.is_none_or(|own| own == request.name);
                    positions(&self.names, matches).for_each(|name| visit(start + base + name));
                }
            }
        }
    }
}

/// The indices of the items that match.
fn positions<'l, T: Copy>(
    list: &'l [T],
    matches: impl Fn(T) -> bool + 'l,
) -> impl Iterator<Item = usize> + 'l {
    let each = list.iter().enumerate();
    each.filter(move |(_, item)| matches(**item))
        .map(|(at, _)| at)
}

/// The first of equal texts each.
fn unique(texts: &[String]) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    let each = texts.iter().map(String::as_str);
    each.filter(|text| seen.insert(*text)).collect()
}

/// A subject of a binding that grants something, and what identifies the row.
#[derive(Debug, Clone)]
pub struct RbacGrant<'a> {
    /// The binding's slot.
    pub slot: usize,
    /// The binding and its role.
    pub bound: &'a BoundRole,
    /// 0-based index in the binding's subjects.
    pub subject_index: usize,
    /// The subject, with the namespace that counts.
    pub subject: SubjectKey,
    /// 0-based index of the rule in the role.
    pub rule_index: usize,
    /// The rule's permissions.
    pub permissions: RulePermissions<'a>,
}

impl RbacAuthorizer {
    /// Every grant, rule by rule: bindings in order, then subjects, then rules. Subjects that match
    /// nobody, repeated subjects, and bindings to missing roles grant nothing.
    pub fn grants(&self) -> impl Iterator<Item = RbacGrant<'_>> {
        self.bindings().flat_map(|(slot, bound)| {
            let key = &bound.binding.key;
            let mut seen = std::collections::HashSet::new();
            let subjects = bound.binding.subjects.iter().enumerate();
            let subjects: Vec<(usize, SubjectKey)> = subjects
                .filter_map(|(at, subject)| Some((at, subject.effective(&key.namespace)?)))
                .filter(|(_, subject)| seen.insert(subject.clone()))
                .collect();
            subjects
                .into_iter()
                .flat_map(move |(subject_index, subject)| {
                    let rules = bound.rules().iter().enumerate();
                    rules.map(move |(rule_index, rule)| RbacGrant {
                        slot,
                        bound,
                        subject_index,
                        subject: subject.clone(),
                        rule_index,
                        permissions: RulePermissions::new(rule, key.kind),
                    })
                })
        })
    }
}
