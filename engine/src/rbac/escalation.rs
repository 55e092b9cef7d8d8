//! Who holds risky permissions, and where they lead: from a subject over other identities to
//! cluster-admin, by the shortest path; and whether they were used.
//!
//! A service account acts with the grants of its groups too; a person's groups are not known from
//! objects, but for `system:authenticated`. The paths are what RBAC permits: admission may still
//! stop them. Not responsible for: which permissions are risky (`risk.rs`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RbacRule;
use crate::rbac::objects::SubjectKey;
use crate::rbac::objects::SubjectKind;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::ObservedRequest;
use crate::rbac::risk::RISKS;
use crate::rbac::risk::RiskKind;
use crate::rbac::risk::RiskReach;
use crate::rbac::usage::UseRecord;

/// A risky permission of a subject.
#[derive(Debug, Clone)]
pub struct RiskFinding {
    /// Which risk.
    pub kind: &'static RiskKind,
    /// Who holds it.
    pub subject: SubjectKey,
    /// The binding's slot.
    pub slot: usize,
    /// 0-based index of the subject in the binding.
    pub subject_index: usize,
    /// 0-based index of the rule in the role.
    pub rule: usize,
    /// The namespace in which it is granted; `None` is the whole cluster.
    pub namespace: Option<String>,
    /// The names to which the rule limits it; empty is all.
    pub names: Vec<String>,
    /// Its use in the window; `None` if unused.
    pub record: Option<UseRecord>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscalationStep {
    /// Index of the finding that makes it possible.
    pub finding: usize,
    /// Whom it leads to; `None` is the end, everything.
    pub to: Option<SubjectKey>,
}

/// A subject from which cluster-admin can be reached, and the shortest way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscalationPath {
    /// From whom.
    pub subject: SubjectKey,
    /// At least one.
    pub steps: Vec<EscalationStep>,
}

/// Findings, and the paths that they make.
#[derive(Debug, Clone, Default)]
pub struct RiskReport {
    /// By level, then risk, subject, binding, rule.
    pub findings: Vec<RiskFinding>,
    /// Shortest first.
    pub paths: Vec<EscalationPath>,
}

/// Looks for risks. `observed` says which of them were used.
pub fn risks(
    objects: &RbacObjects,
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
) -> RiskReport {
    let mut findings = Vec::new();
    for grant in authorizer.grants() {
        let Some(rule) = grant.bound.rules().get(grant.rule_index) else {
            continue;
        };
        let key = &grant.bound.binding.key;
        let namespace = match key.kind {
            BindingKind::ClusterRoleBinding => None,
            BindingKind::RoleBinding => Some(key.namespace.clone()),
        };
        for kind in RISKS
            .iter()
            .filter(|kind| holds(kind, rule, namespace.as_deref()))
        {
            findings.push(RiskFinding {
                kind,
                subject: grant.subject.clone(),
                slot: grant.slot,
                subject_index: grant.subject_index,
                rule: grant.rule_index,
                namespace: namespace.clone(),
                names: rule.resource_names.clone(),
                record: None,
            });
        }
    }
    let order = |finding: &RiskFinding| {
        let subject = finding.subject.clone();
        let kind = RISKS.iter().position(|kind| kind.id == finding.kind.id);
        (
            finding.kind.level,
            kind,
            subject,
            finding.slot,
            finding.rule,
        )
    };
    findings.sort_by_cached_key(order);
    add_uses(&mut findings, authorizer, observed);
    let paths = EscalationGraph::new(objects, authorizer, &findings).paths();
    RiskReport { findings, paths }
}

/// Whether the rule grants one of the risk's permissions, of some name.
fn holds(kind: &RiskKind, rule: &RbacRule, namespace: Option<&str>) -> bool {
    if kind.is_cluster_wide && namespace.is_some() {
        return false;
    }
    if kind
        .namespace
        .is_some_and(|wanted| namespace.is_some_and(|own| own != wanted))
    {
        return false;
    }
    let name = rule.resource_names.first().cloned().unwrap_or_default();
    probes(kind).any(|mut probe| {
        probe.name.clone_from(&name);
        // `*` as a request is met by `*` alone.
        rule.allows(&probe)
    })
}

fn probes(kind: &RiskKind) -> impl Iterator<Item = AccessRequest> {
    kind.verbs.iter().flat_map(|verb| {
        kind.resources.iter().map(|(group, resource)| {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            AccessRequest {
                verb: (*verb).to_owned(),
                api_group: (*group).to_owned(),
                resource: resource.to_owned(),
                subresource: subresource.to_owned(),
                ..AccessRequest::default()
            }
        })
    })
}

/// Whether a request uses the risk.
fn is_use(kind: &RiskKind, request: &AccessRequest, combined: &str) -> bool {
    let star = |list: &[&str], text: &str| list.iter().any(|own| *own == "*" || *own == text);
    let mut resources = kind.resources.iter();
    request.path.is_none()
        && star(kind.verbs, &request.verb)
        && resources.any(|(group, resource)| {
            star(&[*group], &request.api_group) && star(&[*resource], combined)
        })
        && kind.namespace.is_none_or(|own| own == request.namespace)
}

fn add_uses(
    findings: &mut [RiskFinding],
    authorizer: &RbacAuthorizer,
    observed: &[ObservedRequest],
) {
    let mut by_cover: HashMap<(usize, usize, usize), Vec<usize>> = HashMap::new();
    for (at, finding) in findings.iter().enumerate() {
        let key = (finding.slot, finding.subject_index, finding.rule);
        by_cover.entry(key).or_default().push(at);
    }
    for one in observed
        .iter()
        .filter(|one| one.outcome == AccessOutcome::Allowed)
    {
        let combined = one.request.combined_resource();
        if !RISKS
            .iter()
            .any(|kind| is_use(kind, &one.request, &combined))
        {
            continue;
        }
        let user: Arc<str> = one.identity.name.as_str().into();
        for cover in authorizer.covers(&one.identity, &one.request) {
            let key = (cover.binding, cover.subject, cover.rule);
            for at in by_cover.get(&key).into_iter().flatten() {
                if let Some(finding) = findings.get_mut(*at)
                    && is_use(finding.kind, &one.request, &combined)
                {
                    let record = finding.record.get_or_insert_with(UseRecord::default);
                    record.add(one, &user);
                }
            }
        }
    }
}

/// Subjects and what they can become.
struct EscalationGraph<'f> {
    findings: &'f [RiskFinding],
    /// All subjects with findings, and all service accounts.
    subjects: BTreeSet<SubjectKey>,
    held: BTreeMap<SubjectKey, Vec<usize>>,
    running: BTreeSet<SubjectKey>,
    knows_workloads: bool,
}

/// The steps left from a subject, and the next one.
type BestStep = (usize, usize, Option<SubjectKey>);

impl<'f> EscalationGraph<'f> {
    fn new(
        objects: &RbacObjects,
        authorizer: &RbacAuthorizer,
        findings: &'f [RiskFinding],
    ) -> Self {
        let account = |namespace: &str, name: &str| SubjectKey {
            kind: SubjectKind::ServiceAccount,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let accounts = objects.service_accounts.iter();
        let mut subjects: BTreeSet<SubjectKey> = accounts
            .map(|one| account(&one.namespace, &one.name))
            .collect();
        let workloads = objects.workloads.iter();
        let running: BTreeSet<SubjectKey> = workloads
            .map(|one| account(&one.namespace, &one.service_account))
            .collect();
        subjects.extend(running.iter().cloned());
        for (_, bound) in authorizer.bindings() {
            let namespace = &bound.binding.key.namespace;
            let own = bound.binding.subjects.iter();
            subjects.extend(own.filter_map(|subject| subject.effective(namespace)));
        }
        let mut held: BTreeMap<SubjectKey, Vec<usize>> = BTreeMap::new();
        for (at, finding) in findings.iter().enumerate() {
            held.entry(finding.subject.clone()).or_default().push(at);
        }
        Self {
            findings,
            subjects,
            held,
            running,
            knows_workloads: !objects.workloads.is_empty(),
        }
    }

    /// The groups that a subject is in for certain.
    fn groups(subject: &SubjectKey) -> Vec<SubjectKey> {
        let mut names = Vec::new();
        match subject.kind {
            SubjectKind::Group => return Vec::new(),
            SubjectKind::ServiceAccount => {
                names.push("system:serviceaccounts".to_owned());
                names.push(format!("system:serviceaccounts:{}", subject.namespace));
                names.push("system:authenticated".to_owned());
            }
            SubjectKind::User if subject.name == "system:anonymous" => {
                names.push("system:unauthenticated".to_owned());
            }
            SubjectKind::User => names.push("system:authenticated".to_owned()),
        }
        let each = names.into_iter().map(|name| SubjectKey {
            kind: SubjectKind::Group,
            namespace: String::new(),
            name,
        });
        each.collect()
    }

    fn findings_of(&self, subject: &SubjectKey) -> Vec<usize> {
        let mut found = self.held.get(subject).cloned().unwrap_or_default();
        for group in Self::groups(subject) {
            found.extend(self.held.get(&group).into_iter().flatten());
        }
        found
    }

    /// The shortest way from every subject that has one: rounds, each a step longer.
    fn paths(&self) -> Vec<EscalationPath> {
        let mut best: BTreeMap<SubjectKey, BestStep> = BTreeMap::new();
        let held: Vec<(&SubjectKey, Vec<usize>)> = self
            .subjects
            .iter()
            .map(|subject| (subject, self.findings_of(subject)))
            .filter(|(_, found)| !found.is_empty())
            .collect();
        loop {
            let nearest = NearestAccounts::new(self, &best);
            let mut reached = Vec::new();
            for (subject, found) in &held {
                if best.contains_key(*subject) {
                    continue;
                }
                let steps = found
                    .iter()
                    .filter_map(|at| self.step(*at, subject, &nearest));
                if let Some(step) = steps.min() {
                    reached.push(((*subject).clone(), step));
                }
            }
            if reached.is_empty() {
                break;
            }
            // What is reached in this round by more steps than others may become nearer.
            let least = reached.iter().map(|(_, step)| step.0).min();
            best.extend(
                reached
                    .into_iter()
                    .filter(|(_, step)| Some(step.0) == least),
            );
        }
        let mut paths: Vec<EscalationPath> = best
            .keys()
            .map(|subject| EscalationPath {
                subject: subject.clone(),
                steps: steps_from(subject, &best),
            })
            .collect();
        paths.sort_by_key(|path| path.steps.len());
        paths
    }

    /// Where a finding leads, if to the end or to somebody from whom a way is known.
    fn step(
        &self,
        at: usize,
        subject: &SubjectKey,
        nearest: &NearestAccounts<'_>,
    ) -> Option<BestStep> {
        let finding = self.findings.get(at)?;
        let scope = finding.namespace.as_deref();
        let names = match finding.kind.id {
            "token-request" | "impersonate-accounts" => finding.names.as_slice(),
            _ => &[],
        };
        let target = match finding.kind.reach {
            RiskReach::Nothing => return None,
            RiskReach::Everything if scope.is_none() && is_unlimited(finding) => {
                return Some((1, at, None));
            }
            RiskReach::Everything if !is_unlimited(finding) => return None,
            RiskReach::Everything | RiskReach::Accounts => nearest.any(scope, names, subject),
            RiskReach::RunningAccounts => nearest.running(scope, subject),
            RiskReach::Nodes => nearest.running(None, subject),
        };
        let (distance, target) = target?;
        Some((distance + 1, at, Some(target.clone())))
    }
}

/// Whether the rule does not name what it is limited to; only named roles or users can be harmless.
fn is_unlimited(finding: &RiskFinding) -> bool {
    let powerful = ["cluster-admin", "admin", "edit", "system:masters"];
    let mut names = finding.names.iter();
    finding.names.is_empty() || names.any(|name| powerful.contains(&name.as_str()))
}

fn steps_from(subject: &SubjectKey, best: &BTreeMap<SubjectKey, BestStep>) -> Vec<EscalationStep> {
    let mut steps = Vec::new();
    let mut at = subject.clone();
    while let Some((_, finding, to)) = best.get(&at) {
        steps.push(EscalationStep {
            finding: *finding,
            to: to.clone(),
        });
        match to {
            Some(next) => at = next.clone(),
            None => break,
        }
    }
    steps
}

/// Of the accounts from which a way is known the nearest, by namespace and at all.
struct NearestAccounts<'b> {
    any: BTreeMap<Option<&'b str>, Vec<(usize, &'b SubjectKey)>>,
    running: BTreeMap<Option<&'b str>, Vec<(usize, &'b SubjectKey)>>,
}

impl<'b> NearestAccounts<'b> {
    fn new(graph: &EscalationGraph<'_>, best: &'b BTreeMap<SubjectKey, BestStep>) -> Self {
        let mut own = Self {
            any: BTreeMap::new(),
            running: BTreeMap::new(),
        };
        let accounts = best
            .iter()
            .filter(|(key, _)| key.kind == SubjectKind::ServiceAccount);
        for (account, (distance, ..)) in accounts {
            let is_running = !graph.knows_workloads || graph.running.contains(account);
            for scope in [None, Some(account.namespace.as_str())] {
                own.any.entry(scope).or_default().push((*distance, account));
                if is_running {
                    own.running
                        .entry(scope)
                        .or_default()
                        .push((*distance, account));
                }
            }
        }
        let lists = own.any.values_mut().chain(own.running.values_mut());
        lists.for_each(|list| list.sort_unstable());
        own
    }

    fn any(
        &self,
        scope: Option<&str>,
        names: &[String],
        but: &SubjectKey,
    ) -> Option<(usize, &'b SubjectKey)> {
        let mut list = self.any.get(&scope)?.iter();
        list.find(|(_, account)| {
            *account != but && (names.is_empty() || names.contains(&account.name))
        })
        .copied()
    }

    fn running(&self, scope: Option<&str>, but: &SubjectKey) -> Option<(usize, &'b SubjectKey)> {
        let mut list = self.running.get(&scope)?.iter();
        list.find(|(_, account)| *account != but).copied()
    }
}

#[cfg(test)]
mod tests;
