//! Granted against used: which atomic permissions requests covered, whichever binding the apiserver
//! named, and whether a permission that nobody used would have been seen.
//!
//! Uses are kept sparse, by binding, subject, rule and permission; the rows come from the grants.
//! Not responsible for: what the audit policy logs; the caller answers that for a permission.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::RbacRule;
use crate::rbac::permission::Permission;
use crate::rbac::permission::PermissionTarget;
use crate::rbac::permission::RbacGrant;
use crate::rbac::permission::RulePermissions;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::ObservedRequest;

/// How often something was used, when, by whom.
#[derive(Debug, Clone, Default)]
pub struct UseRecord {
    /// Requests.
    pub uses: u64,
    /// The first, in microseconds since the epoch.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// User names.
    pub users: BTreeSet<Arc<str>>,
    /// A few `auditID`s.
    pub samples: Vec<String>,
    /// The user who was added last: requests come user by user.
    latest: Option<Arc<str>>,
}

/// Sample `auditID`s that a record keeps.
const MOST_SAMPLES: usize = 3;

impl PartialEq for UseRecord {
    fn eq(&self, other: &Self) -> bool {
        (self.uses, self.first, self.last) == (other.uses, other.first, other.last)
            && self.users == other.users
            && self.samples == other.samples
    }
}

impl Eq for UseRecord {}

impl UseRecord {
    /// Adds requests.
    pub fn add(&mut self, observed: &ObservedRequest, user: &Arc<str>) {
        if self.uses == 0 {
            (self.first, self.last) = (observed.first, observed.last);
        }
        self.uses += observed.count;
        self.first = self.first.min(observed.first);
        self.last = self.last.max(observed.last);
        let latest = self.latest.as_ref();
        if !latest.is_some_and(|latest| Arc::ptr_eq(latest, user)) {
            self.users.insert(Arc::clone(user));
            self.latest = Some(Arc::clone(user));
        }
        let room = MOST_SAMPLES.saturating_sub(self.samples.len());
        self.samples
            .extend(observed.samples.iter().take(room).cloned());
    }

    /// Adds another record.
    pub fn merge(&mut self, other: &Self) {
        if self.uses == 0 {
            (self.first, self.last) = (other.first, other.last);
        }
        if other.uses > 0 {
            self.uses += other.uses;
            self.first = self.first.min(other.first);
            self.last = self.last.max(other.last);
            self.users.extend(other.users.iter().cloned());
            let room = MOST_SAMPLES.saturating_sub(self.samples.len());
            self.samples
                .extend(other.samples.iter().take(room).cloned());
        }
    }
}

/// Whether a permission is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageStatus {
    /// Requests in the window covered it.
    Used,
    /// None did.
    Unused,
    /// None did, but the log would not show it; why.
    NotObservable(String),
}

impl UsageStatus {
    /// The status as a column has it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::NotObservable(_) => "not observable",
        }
    }
}

/// A permission of a grant, and its use.
#[derive(Debug)]
pub struct UsageRow<'a, 'g> {
    /// Subject, binding, role, rule.
    pub grant: &'g RbacGrant<'a>,
    /// The permission.
    pub permission: Permission<'a>,
    /// Used or not.
    pub status: UsageStatus,
    /// `None` if unused.
    pub record: Option<&'g UseRecord>,
}

/// Binding slot, subject, rule, permission.
type UseKey = (usize, usize, usize, usize);

/// Rules taken apart, each once, by where they lie.
type ExpandedRules<'a> = HashMap<(*const RbacRule, BindingKind), RulePermissions<'a>>;

/// The uses of all permissions of a state.
#[derive(Debug)]
pub struct RbacUsage<'a> {
    authorizer: &'a RbacAuthorizer,
    uses: HashMap<UseKey, UseRecord>,
}

impl<'a> RbacUsage<'a> {
    /// Attributes all requests that RBAC allowed to every permission that covers them.
    pub fn new<'o>(
        authorizer: &'a RbacAuthorizer,
        observed: impl IntoIterator<Item = &'o ObservedRequest>,
    ) -> Self {
        let mut usage = Self {
            authorizer,
            uses: HashMap::new(),
        };
        let mut names: HashMap<String, Arc<str>> = HashMap::new();
        let mut expanded = ExpandedRules::new();
        for one in observed {
            if one.outcome != AccessOutcome::Allowed {
                continue;
            }
            let name = &one.identity.name;
            let user = match names.get(name) {
                Some(user) => Arc::clone(user),
                None => {
                    let user: Arc<str> = name.as_str().into();
                    names.insert(name.clone(), Arc::clone(&user));
                    user
                }
            };
            usage.add(one, &user, &mut expanded);
        }
        usage
    }

    fn add(
        &mut self,
        observed: &ObservedRequest,
        user: &Arc<str>,
        expanded: &mut ExpandedRules<'a>,
    ) {
        for cover in self
            .authorizer
            .covers(&observed.identity, &observed.request)
        {
            let Some(bound) = self.authorizer.binding(cover.binding) else {
                continue;
            };
            let Some(rule) = bound.rules().get(cover.rule) else {
                continue;
            };
            let kind = bound.binding.key.kind;
            let permissions = expanded
                .entry((std::ptr::from_ref(rule), kind))
                .or_insert_with(|| RulePermissions::new(rule, kind));
            permissions.each_covering(&observed.request, |at| {
                let key = (cover.binding, cover.subject, cover.rule, at);
                self.uses.entry(key).or_default().add(observed, user);
            });
        }
    }

    /// Adds the uses of another part of the same window, counted for the same state.
    pub fn merge(&mut self, other: Self) {
        for (key, record) in other.uses {
            self.uses.entry(key).or_default().merge(&record);
        }
    }

    /// The use of one permission.
    pub fn record(&self, grant: &RbacGrant<'_>, permission: usize) -> Option<&UseRecord> {
        let key = (
            grant.slot,
            grant.subject_index,
            grant.rule_index,
            permission,
        );
        self.uses.get(&key)
    }

    /// Visits a row for every permission that is granted. `observable` says for an unused
    /// permission why the log would not show it: `None` if it would.
    pub fn each_row(
        &self,
        mut observable: impl FnMut(&RbacGrant<'_>, &Permission<'_>) -> Option<String>,
        mut visit: impl FnMut(UsageRow<'a, '_>),
    ) {
        for grant in self.authorizer.grants() {
            for (at, permission) in grant.permissions.iter().enumerate() {
                let record = self.record(&grant, at);
                let status = match record {
                    Some(_) => UsageStatus::Used,
                    None => {
                        let reason = without_event(&permission).map(str::to_owned);
                        match reason.or_else(|| observable(&grant, &permission)) {
                            Some(reason) => UsageStatus::NotObservable(reason),
                            None => UsageStatus::Unused,
                        }
                    }
                };
                visit(UsageRow {
                    grant: &grant,
                    permission,
                    status,
                    record,
                });
            }
        }
    }
}

/// Why the use of a permission leaves no event of its own, if so.
pub fn without_event(permission: &Permission<'_>) -> Option<&'static str> {
    let PermissionTarget::Resource {
        api_group,
        resource,
        ..
    } = permission.target
    else {
        return None;
    };
    let is = |group: &str, name: &str| {
        (api_group == group || api_group == "*") && (resource == name || resource == "*")
    };
    match permission.verb {
        "bind" | "escalate" => Some("checked only when a role or binding is written"),
        "approve" | "sign" | "attest" if is("certificates.k8s.io", "signers") => {
            Some("checked only when a certificate request is approved or signed")
        }
        "use" => Some("checked at admission, without an event"),
        _ if resource.ends_with("/finalizers") => {
            Some("checked when an owner reference blocks deletion, without an event")
        }
        _ if resource.starts_with("nodes/")
            && api_group.is_empty()
            && resource != "nodes/status" =>
        {
            Some("checked by the kubelet as well, which asks in an access review")
        }
        _ => None,
    }
}

/// Bindings of one kind of answer: the namespaces in which a cluster-wide binding was used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BindingScopeUse {
    /// Namespaces of requests that the binding covers.
    pub namespaces: BTreeSet<String>,
    /// Requests outside any namespace, or for URLs, that it covers.
    pub outside: u64,
}

/// For each ClusterRoleBinding, by slot, where it was used.
pub fn scope_uses(
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
) -> HashMap<usize, BindingScopeUse> {
    let mut found: HashMap<usize, BindingScopeUse> = HashMap::new();
    for one in observed
        .iter()
        .filter(|one| one.outcome == AccessOutcome::Allowed)
    {
        let mut covers = authorizer.covers(&one.identity, &one.request);
        covers.dedup_by_key(|cover| cover.binding);
        for cover in covers {
            let bound = authorizer.binding(cover.binding);
            let kind = bound.map(|bound| bound.binding.key.kind);
            if kind != Some(BindingKind::ClusterRoleBinding) {
                continue;
            }
            let scope = found.entry(cover.binding).or_default();
            if one.request.namespace.is_empty() {
                scope.outside += one.count;
            } else {
                scope.namespaces.insert(one.request.namespace.clone());
            }
        }
    }
    found
}
