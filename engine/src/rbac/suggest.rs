//! Least privilege: the requests that a subject was allowed → the smallest roles and bindings that
//! allow them, with a proof by replay.
//!
//! Exact unless asked to widen: a Role for each namespace, each name as it was used. Refused requests
//! never widen anything, and a widening that would allow one is taken back for that resource. Equal
//! input gives equal output. Not responsible for: YAML (`manifest.rs`), and adding requests that
//! leave no event (`implied.rs`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::compact;
use crate::rbac::compact::GrantedAtom;
use crate::rbac::objects::BindingKey;
use crate::rbac::objects::BindingKind;
use crate::rbac::objects::ObjectOrigin;
use crate::rbac::objects::RbacBinding;
use crate::rbac::objects::RbacObjects;
use crate::rbac::objects::RbacRole;
use crate::rbac::objects::RbacSubject;
use crate::rbac::objects::RoleKey;
use crate::rbac::objects::RoleKind;
use crate::rbac::objects::SubjectKey;
use crate::rbac::objects::SubjectKind;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;
use crate::rbac::request::ObservedRequest;
use crate::rbac::usage::RbacUsage;
use crate::rbac::usage::UseRecord;

/// What may be granted beyond what was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SuggestOptions {
    /// From this many names of a resource on, grant every name.
    pub names_from: Option<usize>,
    /// From this many namespaces on, grant in the whole cluster.
    pub namespaces_from: Option<usize>,
    /// Grant get, list and watch together.
    pub reads_together: bool,
    /// Grant what was refused, too.
    pub include_denied: bool,
}

/// A role of a suggestion, and its binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuggestedRole {
    /// The role.
    pub role: RbacRole,
    /// The binding to the subject.
    pub binding: RbacBinding,
    /// For each rule what it was used for.
    pub evidence: Vec<UseRecord>,
}

/// A request that no rule can allow without allowing others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OmittedRequest {
    /// The request.
    pub observed: ObservedRequest,
    /// Why.
    pub reason: &'static str,
}

/// The window replayed against the suggestion alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuggestionProof {
    /// Different requests that were allowed.
    pub requests: u64,
    /// Of these, those that the suggestion denies, but for the omitted ones.
    pub newly_denied: Vec<ObservedRequest>,
    /// Requests that were only ever refused, and that it allows all the same, because every rule for
    /// an allowed request does: a list of the whole cluster allows that of each namespace, and what
    /// a group needs is granted to all its members.
    pub unavoidable: Vec<ObservedRequest>,
    /// Permissions that it grants and nobody used, but for those that were asked for.
    pub without_use: u64,
}

impl SuggestionProof {
    /// Nothing newly denied, nothing without a use. That nothing refused is granted that could be left
    /// out holds by construction.
    pub fn holds(&self) -> bool {
        self.newly_denied.is_empty() && self.without_use == 0
    }
}

/// The least privilege of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// For whom.
    pub subject: SubjectKey,
    /// The cluster-wide role first, then by namespace.
    pub roles: Vec<SuggestedRole>,
    /// What could not be granted.
    pub omitted: Vec<OmittedRequest>,
    /// That it is enough, and not too much.
    pub proof: SuggestionProof,
}

/// Uses by namespace; `None` is the cluster.
type AtomsByScope = BTreeMap<Option<String>, BTreeMap<GrantedAtom, UseRecord>>;

/// API group and resource, with its subresource.
type ResourceKey = (String, String);

/// Suggests roles for a subject. `observed` may hold other subjects' requests.
pub fn suggest(
    subject: &SubjectKey,
    observed: &[ObservedRequest],
    options: SuggestOptions,
) -> Suggestion {
    let own: Vec<&ObservedRequest> = observed
        .iter()
        .filter(|one| one.identity.is_subject(subject))
        .collect();
    let (mut used, mut omitted) = (Vec::new(), Vec::new());
    for one in &own {
        let is_granted = match one.outcome {
            AccessOutcome::Allowed => true,
            AccessOutcome::Refused => options.include_denied,
            AccessOutcome::AllowedByOther => false,
        };
        match compact::pattern_in(&one.request) {
            _ if !is_granted => {}
            Some(reason) => omitted.push(OmittedRequest {
                observed: (*one).clone(),
                reason,
            }),
            None => used.push(*one),
        }
    }
    let refused = only_refused(&own, options);
    let mut exact: BTreeSet<ResourceKey> = BTreeSet::new();
    loop {
        let roles = roles_for(subject, &used, options, &exact);
        let authorizer = RbacAuthorizer::new(&objects_of(&roles));
        let granted = refused
            .iter()
            .filter(|one| authorizer.allows(&one.identity, &one.request));
        let granted: Vec<&ObservedRequest> = granted.copied().collect();
        let before = exact.len();
        exact.extend(granted.iter().map(|one| resource_key(&one.request)));
        if exact.len() == before {
            let mut proof = prove(&roles, &authorizer, &used, options);
            proof.unavoidable = granted.into_iter().cloned().collect();
            return Suggestion {
                subject: subject.clone(),
                roles,
                omitted,
                proof,
            };
        }
    }
}

fn resource_key(request: &AccessRequest) -> ResourceKey {
    (request.api_group.clone(), request.combined_resource())
}

/// Requests that were refused and never allowed to anybody of the subject.
fn only_refused<'o>(
    own: &[&'o ObservedRequest],
    options: SuggestOptions,
) -> Vec<&'o ObservedRequest> {
    if options.include_denied {
        return Vec::new();
    }
    let is = |outcome| own.iter().filter(move |one| one.outcome == outcome);
    let allowed: BTreeSet<&AccessRequest> =
        is(AccessOutcome::Allowed).map(|one| &one.request).collect();
    is(AccessOutcome::Refused)
        .filter(|one| !allowed.contains(&one.request))
        .copied()
        .collect()
}

/// The objects of roles and bindings.
pub fn objects_of(roles: &[SuggestedRole]) -> RbacObjects {
    RbacObjects {
        roles: roles.iter().map(|one| Arc::new(one.role.clone())).collect(),
        bindings: roles
            .iter()
            .map(|one| Arc::new(one.binding.clone()))
            .collect(),
        ..RbacObjects::default()
    }
}

fn roles_for(
    subject: &SubjectKey,
    used: &[&ObservedRequest],
    options: SuggestOptions,
    exact: &BTreeSet<ResourceKey>,
) -> Vec<SuggestedRole> {
    let mut scopes = atoms_by_scope(used, options, exact);
    widen_namespaces(&mut scopes, options, exact);
    if options.reads_together {
        scopes
            .values_mut()
            .for_each(|atoms| widen_reads(atoms, exact));
    }
    scopes.values_mut().for_each(drop_covered_names);
    drop_covered_namespaces(&mut scopes);
    let scopes = scopes.into_iter().filter(|(_, atoms)| !atoms.is_empty());
    scopes
        .map(|(namespace, atoms)| role_of(subject, namespace.as_deref(), atoms))
        .collect()
}

/// The user of a record, once each.
fn user_of(identity: &Arc<Identity>, names: &mut BTreeMap<String, Arc<str>>) -> Arc<str> {
    let name = names.entry(identity.name.clone());
    Arc::clone(name.or_insert_with(|| identity.name.as_str().into()))
}

fn atoms_by_scope(
    used: &[&ObservedRequest],
    options: SuggestOptions,
    exact: &BTreeSet<ResourceKey>,
) -> AtomsByScope {
    let mut names: BTreeMap<(ResourceKey, &str), BTreeSet<&str>> = BTreeMap::new();
    for one in used {
        let key = (resource_key(&one.request), one.request.verb.as_str());
        names.entry(key).or_default().insert(&one.request.name);
    }
    let mut users = BTreeMap::new();
    let mut scopes = AtomsByScope::new();
    for one in used {
        let request = &one.request;
        let key = resource_key(request);
        let is_exact = exact.contains(&key);
        let count = names
            .get(&(key, request.verb.as_str()))
            .map_or(0, BTreeSet::len);
        let is_many = options.names_from.is_some_and(|from| count >= from.max(1));
        let name = match request.name.as_str() {
            // A rule without names would allow all names; `""` is the request without one.
            "" if is_exact => Some(String::new()),
            "" => None,
            _ if is_many && !is_exact => None,
            name => Some(name.to_owned()),
        };
        let namespace = Some(request.namespace.clone()).filter(|namespace| !namespace.is_empty());
        let atoms = scopes.entry(namespace).or_default();
        let record = atoms.entry(GrantedAtom::of(request, name)).or_default();
        record.add(one, &user_of(&one.identity, &mut users));
    }
    scopes
}

fn is_exact(atom: &GrantedAtom, exact: &BTreeSet<ResourceKey>) -> bool {
    match atom {
        GrantedAtom::Resource {
            api_group,
            resource,
            ..
        } => exact.contains(&(api_group.clone(), resource.clone())),
        GrantedAtom::Url { .. } => true,
    }
}

fn widen_namespaces(
    scopes: &mut AtomsByScope,
    options: SuggestOptions,
    exact: &BTreeSet<ResourceKey>,
) {
    let Some(from) = options.namespaces_from else {
        return;
    };
    let mut counts: BTreeMap<GrantedAtom, usize> = BTreeMap::new();
    for (_, atoms) in scopes.iter().filter(|(namespace, _)| namespace.is_some()) {
        for atom in atoms.keys() {
            *counts.entry(atom.clone()).or_default() += 1;
        }
    }
    let wide = counts
        .into_iter()
        .filter(|(atom, count)| *count >= from && !is_exact(atom, exact));
    for (atom, _) in wide.collect::<Vec<_>>() {
        let mut record = UseRecord::default();
        for (_, atoms) in scopes.iter_mut() {
            if let Some(own) = atoms.remove(&atom) {
                record.merge(&own);
            }
        }
        scopes.entry(None).or_default().insert(atom, record);
    }
}

fn widen_reads(atoms: &mut BTreeMap<GrantedAtom, UseRecord>, exact: &BTreeSet<ResourceKey>) {
    const READS: [&str; 3] = ["get", "list", "watch"];
    let reads: Vec<(GrantedAtom, UseRecord)> = atoms
        .iter()
        .filter(|(atom, _)| {
            matches!(atom, GrantedAtom::Resource { verb, .. } if READS.contains(&verb.as_str()))
                && !is_exact(atom, exact)
        })
        .map(|(atom, record)| (atom.clone(), record.clone()))
        .collect();
    for (atom, record) in reads {
        for read in READS {
            let mut wide = atom.clone();
            if let GrantedAtom::Resource { verb, .. } = &mut wide {
                read.clone_into(verb);
            }
            atoms.entry(wide).or_insert_with(|| record.clone());
        }
    }
}

/// Where every name is granted, single names are not needed.
fn drop_covered_names(atoms: &mut BTreeMap<GrantedAtom, UseRecord>) {
    let named: Vec<GrantedAtom> = atoms
        .keys()
        .filter(|atom| matches!(atom, GrantedAtom::Resource { name: Some(_), .. }))
        .cloned()
        .collect();
    for atom in named {
        let mut any = atom.clone();
        if let GrantedAtom::Resource { name, .. } = &mut any {
            *name = None;
        }
        move_record(atoms, &atom, &any);
    }
}

fn move_record(atoms: &mut BTreeMap<GrantedAtom, UseRecord>, from: &GrantedAtom, to: &GrantedAtom) {
    if !atoms.contains_key(to) {
        return;
    }
    let moved = atoms.remove(from);
    if let (Some(moved), Some(record)) = (moved, atoms.get_mut(to)) {
        record.merge(&moved);
    }
}

/// What the whole cluster grants is not needed in a namespace.
fn drop_covered_namespaces(scopes: &mut AtomsByScope) {
    let Some(mut wide) = scopes.remove(&None) else {
        return;
    };
    for atoms in scopes.values_mut() {
        atoms.retain(|atom, record| {
            let mut any = atom.clone();
            if let GrantedAtom::Resource { name, .. } = &mut any {
                *name = None;
            }
            let covering = if wide.contains_key(&any) { &any } else { atom };
            match wide.get_mut(covering) {
                Some(own) => {
                    own.merge(record);
                    false
                }
                None => true,
            }
        });
    }
    scopes.insert(None, wide);
}

fn role_of(
    subject: &SubjectKey,
    namespace: Option<&str>,
    atoms: BTreeMap<GrantedAtom, UseRecord>,
) -> SuggestedRole {
    let (rules, evidence) = compact::compact(atoms).into_iter().unzip();
    let name = role_name(subject);
    let origin = ObjectOrigin::default();
    let (role_kind, binding_kind) = match namespace {
        Some(_) => (RoleKind::Role, BindingKind::RoleBinding),
        None => (RoleKind::ClusterRole, BindingKind::ClusterRoleBinding),
    };
    let namespace = namespace.unwrap_or_default().to_owned();
    SuggestedRole {
        role: RbacRole {
            key: RoleKey {
                kind: role_kind,
                namespace: namespace.clone(),
                name: name.clone(),
            },
            rules,
            aggregation: None,
            origin: origin.clone(),
        },
        binding: RbacBinding {
            key: BindingKey {
                kind: binding_kind,
                namespace,
                name: name.clone(),
            },
            role_kind: role_kind.name().to_owned(),
            role_name: name,
            subjects: vec![RbacSubject {
                kind: Some(subject.kind),
                namespace: subject.namespace.clone(),
                name: subject.name.clone(),
            }],
            origin,
        },
        evidence,
    }
}

/// A name for the subject's roles that the apiserver takes: `auditql:serviceaccount:dev:ci`.
fn role_name(subject: &SubjectKey) -> String {
    let name = match subject.kind {
        SubjectKind::User => format!("auditql:user:{}", subject.name),
        SubjectKind::Group => format!("auditql:group:{}", subject.name),
        SubjectKind::ServiceAccount => {
            format!(
                "auditql:serviceaccount:{}:{}",
                subject.namespace, subject.name
            )
        }
    };
    let plain = |ch: char| ch.is_ascii_alphanumeric() || ".:@-_".contains(ch);
    if name.len() <= 200 && name.chars().all(plain) {
        return name;
    }
    // FNV-1a tells subjects apart whose names look the same after this.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept: String = name
        .chars()
        .map(|ch| if plain(ch) { ch } else { '-' })
        .take(180)
        .collect();
    format!("{kept}-{:08x}", hash >> 32)
}

fn prove(
    roles: &[SuggestedRole],
    authorizer: &RbacAuthorizer,
    used: &[&ObservedRequest],
    options: SuggestOptions,
) -> SuggestionProof {
    let is_denied = |one: &&&ObservedRequest| !authorizer.allows(&one.identity, &one.request);
    let newly_denied = used
        .iter()
        .filter(is_denied)
        .map(|one| (**one).clone())
        .collect();
    let replayed: Vec<ObservedRequest> = used
        .iter()
        .map(|one| ObservedRequest {
            outcome: AccessOutcome::Allowed,
            ..(*one).clone()
        })
        .collect();
    let usage = RbacUsage::new(authorizer, &replayed);
    let mut without_use = 0;
    if !options.reads_together && !roles.is_empty() {
        usage.each_row(
            |_, _| None,
            |row| without_use += u64::from(row.record.is_none()),
        );
    }
    SuggestionProof {
        requests: used.len() as u64,
        newly_denied,
        unavoidable: Vec::new(),
        without_use,
    }
}
