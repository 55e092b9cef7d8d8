//! What can be removed together: bindings, subjects and rules that, all gone at once, deny none of
//! the requests that were allowed.
//!
//! Of two bindings that allow the same requests only one is listed. Greedy, in a fixed order: what
//! nothing used first, then what is redundant, the widest grant first, so that the narrower one
//! stays. Not responsible for: whether the window is long enough.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::rbac::authorizer::Cover;
use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::objects::BindingKey;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RbacSubject;
use crate::rbac::objects::RoleKey;
use crate::rbac::objects::SubjectKey;
use crate::rbac::permission::Permission;
use crate::rbac::permission::PermissionTarget;
use crate::rbac::permission::RulePermissions;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::ObservedRequest;

/// Something that can go.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RemovalUnit {
    /// A whole binding.
    Binding(BindingKey),
    /// One subject of a binding that stays.
    Subject(BindingKey, SubjectKey),
    /// One rule of a role, for everybody to whom it is bound: 0-based index.
    Rule(RoleKey, usize),
}

/// A unit that can go with all others of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovableUnit {
    /// What.
    pub unit: RemovalUnit,
    /// It allows requests that others allow as well; else it allowed none.
    pub is_redundant: bool,
}

/// Which units are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovalOptions {
    /// Keep what the apiserver itself creates: it would create it again.
    pub keep_bootstrap: bool,
    /// List what is merely redundant, too.
    pub redundant: bool,
    /// Try subjects and rules of what stays.
    pub inside: bool,
}

impl Default for RemovalOptions {
    fn default() -> Self {
        Self {
            keep_bootstrap: true,
            redundant: true,
            inside: true,
        }
    }
}

/// Which covers each allowed request has, and which of them are left.
struct CoverTable {
    /// By cover: the requests that it allows.
    requests_of: HashMap<Cover, Vec<usize>>,
    /// By request: how many covers are left.
    left: Vec<usize>,
}

impl CoverTable {
    fn new(authorizer: &RbacAuthorizer, observed: &[ObservedRequest]) -> Self {
        let mut table = Self {
            requests_of: HashMap::new(),
            left: Vec::new(),
        };
        for one in observed
            .iter()
            .filter(|one| one.outcome == AccessOutcome::Allowed)
        {
            let covers = authorizer.covers(&one.identity, &one.request);
            if covers.is_empty() {
                continue;
            }
            let request = table.left.len();
            table.left.push(covers.len());
            for cover in covers {
                table.requests_of.entry(cover).or_default().push(request);
            }
        }
        table
    }

    /// Removes covers, unless that denies a request: whether it did.
    fn remove(&mut self, covers: &[Cover]) -> bool {
        let mut lost: HashMap<usize, usize> = HashMap::new();
        for request in covers
            .iter()
            .filter_map(|cover| self.requests_of.get(cover))
            .flatten()
        {
            *lost.entry(*request).or_default() += 1;
        }
        if lost
            .iter()
            .any(|(request, count)| self.left.get(*request) <= Some(count))
        {
            return false;
        }
        for (request, count) in lost {
            if let Some(left) = self.left.get_mut(request) {
                *left -= count;
            }
        }
        for cover in covers {
            self.requests_of.remove(cover);
        }
        true
    }
}

/// A unit under trial.
struct UnitTrial {
    unit: RemovalUnit,
    covers: Vec<Cover>,
    /// What was never used comes first, then wide before narrow.
    order: (bool, Reverse<u64>),
}

/// Lists what can go together, in a fixed order.
pub fn removable(
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
    options: RemovalOptions,
) -> Vec<RemovableUnit> {
    let mut table = CoverTable::new(authorizer, observed);
    let mut found = Vec::new();
    let mut gone = HashSet::new();
    let bindings = binding_trials(authorizer, &table, options);
    for trial in bindings {
        if let Some(removed) = try_unit(&mut table, trial, options) {
            if let RemovalUnit::Binding(key) = &removed.unit {
                gone.insert(key.clone());
            }
            found.push(removed);
        }
    }
    if options.inside {
        let subjects = subject_trials(authorizer, &table, options, &gone);
        found.extend(
            subjects
                .into_iter()
                .filter_map(|trial| try_unit(&mut table, trial, options)),
        );
        let rules = rule_trials(authorizer, &table, options, &gone);
        found.extend(
            rules
                .into_iter()
                .filter_map(|trial| try_unit(&mut table, trial, options)),
        );
    }
    found
}

fn try_unit(
    table: &mut CoverTable,
    trial: UnitTrial,
    options: RemovalOptions,
) -> Option<RemovableUnit> {
    let is_redundant = !trial.covers.is_empty();
    if is_redundant && !(options.redundant && table.remove(&trial.covers)) {
        return None;
    }
    Some(RemovableUnit {
        unit: trial.unit,
        is_redundant,
    })
}

/// The covers of the table that a test accepts, grouped.
fn covers_by<K: std::hash::Hash + Eq>(
    table: &CoverTable,
    key: impl Fn(&Cover) -> Option<K>,
) -> HashMap<K, Vec<Cover>> {
    let mut found: HashMap<K, Vec<Cover>> = HashMap::new();
    for cover in table.requests_of.keys() {
        if let Some(key) = key(cover) {
            found.entry(key).or_default().push(*cover);
        }
    }
    found
}

fn ordered(mut trials: Vec<UnitTrial>) -> Vec<UnitTrial> {
    trials.sort_by(|a, b| (a.order, &a.unit).cmp(&(b.order, &b.unit)));
    trials
}

fn binding_trials(
    authorizer: &RbacAuthorizer,
    table: &CoverTable,
    options: RemovalOptions,
) -> Vec<UnitTrial> {
    let mut covers = covers_by(table, |cover| Some(cover.binding));
    let trials = authorizer.bindings().filter_map(|(slot, bound)| {
        if options.keep_bootstrap && bound.binding.origin.is_bootstrap() {
            return None;
        }
        let covers = covers.remove(&slot).unwrap_or_default();
        let scope = match bound.binding.key.kind {
            BindingKind::ClusterRoleBinding => 1000,
            BindingKind::RoleBinding => 1,
        };
        let kind = bound.binding.key.kind;
        let rules = bound.rules().iter();
        let width: u64 = rules
            .map(|rule| -> u64 {
                let permissions = RulePermissions::new(rule, kind);
                permissions
                    .iter()
                    .map(|permission| width(&permission))
                    .sum()
            })
            .sum();
        Some(UnitTrial {
            unit: RemovalUnit::Binding(bound.binding.key.clone()),
            order: (!covers.is_empty(), Reverse(width * scope)),
            covers,
        })
    });
    ordered(trials.collect())
}

/// How much a permission grants, roughly: each star counts for what it stands for.
fn width(permission: &Permission<'_>) -> u64 {
    let star = |text: &str, count| if text.starts_with('*') { count } else { 1 };
    let verb = star(permission.verb, 8);
    match permission.target {
        PermissionTarget::Url(_) => verb,
        PermissionTarget::Resource {
            api_group,
            resource,
            name,
        } => verb * star(api_group, 10) * star(resource, 50) * if name.is_some() { 1 } else { 4 },
    }
}

fn subject_trials(
    authorizer: &RbacAuthorizer,
    table: &CoverTable,
    options: RemovalOptions,
    gone: &HashSet<BindingKey>,
) -> Vec<UnitTrial> {
    let mut covers = covers_by(table, |cover| Some((cover.binding, cover.subject)));
    let mut trials = Vec::new();
    for (slot, bound) in authorizer.bindings() {
        let binding = &bound.binding;
        let kept = options.keep_bootstrap && binding.origin.is_bootstrap();
        if kept || gone.contains(&binding.key) {
            continue;
        }
        // A subject that is written twice goes twice.
        let mut positions: BTreeMap<SubjectKey, Vec<usize>> = BTreeMap::new();
        for (at, subject) in binding.subjects.iter().enumerate() {
            if let Some(subject) = subject.effective(&binding.key.namespace) {
                positions.entry(subject).or_default().push(at);
            }
        }
        if positions.len() < 2 {
            continue;
        }
        for (subject, positions) in positions {
            let covers: Vec<Cover> = positions
                .iter()
                .flat_map(|at| covers.remove(&(slot, *at)).unwrap_or_default())
                .collect();
            trials.push(UnitTrial {
                unit: RemovalUnit::Subject(binding.key.clone(), subject),
                order: (!covers.is_empty(), Reverse(0)),
                covers,
            });
        }
    }
    ordered(trials)
}

fn rule_trials(
    authorizer: &RbacAuthorizer,
    table: &CoverTable,
    options: RemovalOptions,
    gone: &HashSet<BindingKey>,
) -> Vec<UnitTrial> {
    let mut covers = covers_by(table, |cover| {
        let role = authorizer.binding(cover.binding)?.role.as_ref()?;
        Some((role.key.clone(), cover.rule))
    });
    // Roles of which no binding stays are unused as a whole; that is said of the role.
    let bound = authorizer.bindings().map(|(_, bound)| bound);
    let staying = bound.filter(|bound| !gone.contains(&bound.binding.key));
    let mut roles: Vec<_> = staying.filter_map(|bound| bound.role.as_ref()).collect();
    roles.sort_by(|a, b| a.key.cmp(&b.key));
    roles.dedup_by(|a, b| a.key == b.key);
    let mut trials = Vec::new();
    for role in roles {
        // The controller would fill in an aggregated role's rules again.
        let kept = options.keep_bootstrap && role.origin.is_bootstrap();
        if kept || role.aggregation.is_some() {
            continue;
        }
        for rule in 0..role.rules.len() {
            let covers = covers.remove(&(role.key.clone(), rule)).unwrap_or_default();
            trials.push(UnitTrial {
                unit: RemovalUnit::Rule(role.key.clone(), rule),
                order: (!covers.is_empty(), Reverse(0)),
                covers,
            });
        }
    }
    ordered(trials)
}

/// The objects without these units.
pub fn without(objects: &RbacObjects, units: &[RemovalUnit]) -> RbacObjects {
    let units: HashSet<&RemovalUnit> = units.iter().collect();
    let mut left = objects.clone();
    left.bindings.retain(|binding| {
        let unit = RemovalUnit::Binding(binding.key.clone());
        !units.contains(&unit)
    });
    for binding in &mut left.bindings {
        let key = binding.key.clone();
        let is_gone = |subject: &RbacSubject| {
            let subject = subject.effective(&key.namespace);
            subject
                .is_some_and(|subject| units.contains(&RemovalUnit::Subject(key.clone(), subject)))
        };
        if binding.subjects.iter().any(is_gone) {
            Arc::make_mut(binding)
                .subjects
                .retain(|subject| !is_gone(subject));
        }
    }
    for role in &mut left.roles {
        let key = role.key.clone();
        let is_gone = |at: usize| units.contains(&RemovalUnit::Rule(key.clone(), at));
        if (0..role.rules.len()).any(is_gone) {
            let role = Arc::make_mut(role);
            let mut at = 0;
            role.rules.retain(|_| {
                at += 1;
                !is_gone(at - 1)
            });
        }
    }
    left
}
