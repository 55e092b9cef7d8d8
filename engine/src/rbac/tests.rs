//! Properties over small invented clusters: the index against a plain walk, removals and suggestions
//! against replay, history against the states that it was made from.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// Few words, so that things meet.
fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(words).prop_map(str::to_owned)
}

fn words(words: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(word(words), 0..=most)
}

const VERBS: &[&str] = &["get", "list", "create", "*", ""];
const GROUPS: &[&str] = &["", "apps", "*"];
const RESOURCES: &[&str] = &[
    "pods",
    "pods/log",
    "*",
    "*/log",
    "pods/*",
    "deployments",
    "*/*",
];
const NAMES: &[&str] = &["a", "b", "*", ""];
const URLS: &[&str] = &["/healthz", "/healthz/*", "/debug/**", "*", "/api"];
const USERS: &[&str] = &[
    "alice",
    "system:serviceaccount:x:bot",
    "system:serviceaccount:y:bot",
];
const MEMBERS: &[&str] = &["devs", "ops", "system:authenticated"];

fn a_rule() -> impl Strategy<Value = RbacRule> {
    let of_resources = (
        words(VERBS, 2),
        words(GROUPS, 2),
        words(RESOURCES, 2),
        prop_oneof![3 => Just(Vec::new()), 1 => words(NAMES, 2)],
    )
        .prop_map(|(verbs, api_groups, resources, resource_names)| RbacRule {
            verbs,
            api_groups,
            resources,
            resource_names,
            non_resource_urls: Vec::new(),
        });
    let of_urls =
        (words(VERBS, 2), words(URLS, 2)).prop_map(|(verbs, non_resource_urls)| RbacRule {
            verbs,
            non_resource_urls,
            ..RbacRule::default()
        });
    prop_oneof![4 => of_resources, 1 => of_urls]
}

fn a_subject() -> impl Strategy<Value = RbacSubject> {
    let subject = |kind, namespace: &str, name: String| RbacSubject {
        kind,
        namespace: namespace.to_owned(),
        name,
    };
    prop_oneof![
        word(USERS).prop_map(move |name| subject(Some(SubjectKind::User), "", name)),
        word(MEMBERS).prop_map(move |name| subject(Some(SubjectKind::Group), "", name)),
        word(&["x", "y", ""]).prop_map(move |namespace| {
            subject(
                Some(SubjectKind::ServiceAccount),
                &namespace,
                "bot".to_owned(),
            )
        }),
        Just(subject(None, "", "alice".to_owned())),
    ]
}

/// A cluster with roles `r0`… in each namespace and `c0`… cluster-wide.
fn a_cluster() -> impl Strategy<Value = RbacObjects> {
    let roles = proptest::collection::vec((a_rule_list(), 0..3_usize), 1..8);
    let bindings = proptest::collection::vec(
        (
            proptest::collection::vec(a_subject(), 0..3),
            0..10_usize,
            0..3_usize,
            any::<bool>(),
        ),
        0..10,
    );
    (roles, bindings).prop_map(|(roles, bindings)| {
        let namespace = |at: usize| ["", "x", "y"][at].to_owned();
        let roles: Vec<Arc<RbacRole>> = roles
            .into_iter()
            .enumerate()
            .map(|(at, (rules, place))| {
                Arc::new(RbacRole {
                    key: RoleKey {
                        kind: if place == 0 {
                            RoleKind::ClusterRole
                        } else {
                            RoleKind::Role
                        },
                        namespace: namespace(place),
                        name: format!("r{at}"),
                    },
                    rules,
                    aggregation: None,
                    origin: ObjectOrigin::default(),
                })
            })
            .collect();
        let bindings = bindings.into_iter().enumerate().map(|(at, binding)| {
            let (subjects, role, place, is_cluster_role) = binding;
            let kind = match place {
                0 => BindingKind::ClusterRoleBinding,
                _ => BindingKind::RoleBinding,
            };
            let role_kind = if is_cluster_role {
                "ClusterRole"
            } else {
                "Role"
            };
            Arc::new(RbacBinding {
                key: BindingKey {
                    kind,
                    namespace: namespace(place),
                    name: format!("b{at}"),
                },
                role_kind: role_kind.to_owned(),
                role_name: format!("r{role}"),
                subjects,
                origin: ObjectOrigin::default(),
            })
        });
        let bindings = bindings.collect();
        RbacObjects {
            roles,
            bindings,
            ..RbacObjects::default()
        }
    })
}

fn a_rule_list() -> impl Strategy<Value = Vec<RbacRule>> {
    proptest::collection::vec(a_rule(), 0..4)
}

fn an_identity() -> impl Strategy<Value = Identity> {
    (word(USERS), words(MEMBERS, 2)).prop_map(|(name, groups)| Identity { name, groups })
}

fn a_request() -> impl Strategy<Value = AccessRequest> {
    let of_resource = (
        word(&["get", "list", "create", "delete", ""]),
        word(&["x", "y", ""]),
        word(&["", "apps"]),
        word(&["pods", "deployments", "nodes", "*"]),
        word(&["", "log", "*"]),
        word(NAMES),
    )
        .prop_map(
            |(verb, namespace, api_group, resource, subresource, name)| AccessRequest {
                verb,
                namespace,
                api_group,
                resource,
                subresource,
                name,
                path: None,
            },
        );
    let of_path = (
        word(&["get", "post"]),
        word(&["/healthz", "/healthz/x", "/api", "/v*"]),
    )
        .prop_map(|(verb, path)| AccessRequest {
            verb,
            path: Some(path),
            ..AccessRequest::default()
        });
    prop_oneof![5 => of_resource, 1 => of_path]
}

fn a_log() -> impl Strategy<Value = Vec<(Identity, AccessRequest)>> {
    proptest::collection::vec((an_identity(), a_request()), 1..40)
}

/// The log of requests as this cluster decides them.
fn observed(
    authorizer: &RbacAuthorizer,
    log: Vec<(Identity, AccessRequest)>,
) -> Vec<ObservedRequest> {
    let each = log
        .into_iter()
        .enumerate()
        .map(|(at, (identity, request))| {
            let outcome = if authorizer.allows(&identity, &request) {
                AccessOutcome::Allowed
            } else {
                AccessOutcome::Refused
            };
            ObservedRequest {
                identity: Arc::new(identity),
                request,
                outcome,
                count: 1 + at as u64 % 3,
                first: at as i64,
                last: 100 + at as i64,
                samples: vec![format!("id-{at}")],
            }
        });
    each.collect()
}

/// `VisitRulesFor`, walked without an index: the covers in the order of visits.
fn walked(objects: &RbacObjects, identity: &Identity, request: &AccessRequest) -> Vec<String> {
    let mut found = Vec::new();
    for kind in [BindingKind::ClusterRoleBinding, BindingKind::RoleBinding] {
        for binding in objects
            .bindings
            .iter()
            .filter(|binding| binding.key.kind == kind)
        {
            let namespace = &binding.key.namespace;
            let in_scope = kind == BindingKind::ClusterRoleBinding
                || (request.path.is_none() && *namespace == request.namespace);
            let mut subjects = binding.subjects.iter();
            if !in_scope || !subjects.any(|subject| identity.matches(subject, namespace)) {
                continue;
            }
            let wanted = binding.role();
            let mut roles = objects.roles.iter();
            let role = roles.find(|role| Some(&role.key) == wanted.as_ref());
            let rules = role.map_or(&[][..], |role| &role.rules);
            if rules.iter().any(|rule| rule.allows(request)) {
                found.push(binding.key.name.clone());
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_index_finds_what_a_walk_finds(cluster in a_cluster(), log in a_log()) {
        let authorizer = RbacAuthorizer::new(&cluster);
        for (identity, request) in &log {
            let expected = walked(&cluster, identity, request);
            let name = |slot| authorizer.binding(slot).unwrap().binding.key.name.clone();
            let mut covers: Vec<String> = authorizer
                .covers(identity, request)
                .iter()
                .map(|cover| name(cover.binding))
                .collect();
            covers.dedup();
            prop_assert_eq!(&covers, &expected);
            let decision = authorizer.decide(identity, request);
            let first = decision.cover.map(|cover| name(cover.binding));
            prop_assert_eq!(first.as_ref(), expected.first());
            prop_assert_eq!(decision.is_allowed(), authorizer.allows(identity, request));
        }
    }

    #[test]
    fn changes_one_by_one_are_the_state_at_once(
        before in a_cluster(),
        after in a_cluster(),
        log in a_log(),
    ) {
        let mut authorizer = RbacAuthorizer::new(&before);
        before.bindings.iter().for_each(|binding| authorizer.remove_binding(&binding.key));
        before.roles.iter().for_each(|role| authorizer.remove_role(&role.key));
        after.bindings.iter().for_each(|binding| authorizer.put_binding(Arc::clone(binding)));
        after.roles.iter().for_each(|role| authorizer.put_role(Arc::clone(role)));
        let fresh = RbacAuthorizer::new(&after);
        for (identity, request) in &log {
            let (changed, fresh) =
                (authorizer.covers(identity, request), fresh.covers(identity, request));
            prop_assert_eq!(changed.len(), fresh.len());
        }
    }

    #[test]
    fn a_request_is_covered_by_permissions_of_the_rules_that_allow_it(
        rule in a_rule(),
        request in a_request(),
    ) {
        let permissions = RulePermissions::new(&rule, BindingKind::ClusterRoleBinding);
        let covering = permissions.covering(&request);
        prop_assert_eq!(!covering.is_empty(), rule.allows(&request));
        for (at, permission) in permissions.iter().enumerate() {
            prop_assert_eq!(permission.covers(&request), covering.contains(&at));
        }
        let distinct: std::collections::BTreeSet<_> = permissions.iter().collect();
        prop_assert_eq!(distinct.len(), permissions.len());
    }

    #[test]
    fn what_can_be_removed_together_denies_nothing(
        cluster in a_cluster(),
        log in a_log(),
        inside in any::<bool>(),
    ) {
        let authorizer = RbacAuthorizer::new(&cluster);
        let log = observed(&authorizer, log);
        let options = RemovalOptions { inside, ..RemovalOptions::default() };
        let units = removable(&authorizer, &log, options);
        let units: Vec<RemovalUnit> = units.into_iter().map(|one| one.unit).collect();
        let left = without(&cluster, &units);
        let after = RbacAuthorizer::new(&left);
        prop_assert_eq!(changed_decisions(&authorizer, &after, &log), vec![]);
        // And nothing that is left could go as well.
        let more = removable(&after, &log, options);
        prop_assert_eq!(more, vec![]);
    }

    #[test]
    fn suggestions_are_enough_and_not_too_much(
        cluster in a_cluster(),
        log in a_log(),
        names_from in proptest::option::of(1..3_usize),
        namespaces_from in proptest::option::of(1..3_usize),
    ) {
        let authorizer = RbacAuthorizer::new(&cluster);
        // An account is always in the same groups.
        let groups = vec!["devs".to_owned()];
        let same = |(who, request): (Identity, _)| (Identity { groups: groups.clone(), ..who }, request);
        let log = observed(&authorizer, log.into_iter().map(same).collect());
        let subject = SubjectKey {
            kind: SubjectKind::ServiceAccount,
            namespace: "x".to_owned(),
            name: "bot".to_owned(),
        };
        let options = SuggestOptions { names_from, namespaces_from, ..SuggestOptions::default() };
        let suggestion = suggest(&subject, &log, options);
        prop_assert_eq!(&suggestion, &suggest(&subject, &log, options));
        prop_assert!(suggestion.proof.holds(), "{:?}", suggestion.proof);
        prop_assert_eq!(&suggestion.proof.unavoidable, &vec![]);
        let alone = RbacAuthorizer::new(&objects_of(&suggestion.roles));
        for one in log.iter().filter(|one| one.identity.is_subject(&subject)) {
            let is_omitted = suggestion.omitted.iter().any(|own| own.observed == *one);
            if one.outcome == AccessOutcome::Allowed && !is_omitted {
                prop_assert!(alone.allows(&one.identity, &one.request));
            }
        }
        let mut reader = ManifestReader::new();
        reader.read_text("suggestion.yaml", &suggestion_yaml(&suggestion));
        let read = reader.finish();
        prop_assert_eq!(&read.rejects, &vec![]);
        prop_assert_eq!(&read.faults, &vec![]);
        let rules = |roles: &[Arc<RbacRole>]| -> Vec<Vec<RbacRule>> {
            roles.iter().map(|role| role.rules.clone()).collect()
        };
        prop_assert_eq!(rules(&read.objects.roles), rules(&objects_of(&suggestion.roles).roles));
    }

    #[test]
    fn history_is_the_state_of_each_moment(states in proptest::collection::vec(a_cluster(), 1..4)) {
        let (changes, dump) = recorded(&states);
        let history = RbacHistory::new(&dump, changes);
        let mut cursor = history.cursor();
        for (at, state) in states.iter().enumerate() {
            let authorizer = cursor.at(10 * at as i64 + 5);
            let mut bindings: Vec<_> =
                authorizer.bindings().map(|(_, bound)| bound.binding.key.clone()).collect();
            bindings.sort();
            let mut expected: Vec<_> =
                state.bindings.iter().map(|binding| binding.key.clone()).collect();
            expected.sort();
            prop_assert_eq!(bindings, expected);
            for role in &state.roles {
                prop_assert_eq!(authorizer.role(&role.key), Some(role));
            }
        }
    }
}

/// The writes that lead from each state to the next, at 0, 10, 20, …, and the last state.
fn recorded(states: &[RbacObjects]) -> (Vec<RbacChange>, RbacObjects) {
    let mut changes = Vec::new();
    let mut before = RbacObjects::default();
    for (at, state) in states.iter().enumerate() {
        let objects = |state: &RbacObjects| -> Vec<RbacObject> {
            let roles = state.roles.iter().cloned().map(RbacObject::Role);
            roles
                .chain(state.bindings.iter().cloned().map(RbacObject::Binding))
                .collect()
        };
        let (old, new) = (objects(&before), objects(state));
        let time = 10 * at as i64;
        let keys = |list: &[RbacObject]| list.iter().map(RbacObject::key).collect::<Vec<_>>();
        let mut push = |write| changes.push(RbacChange { time, write });
        for object in &old {
            if !keys(&new).contains(&object.key()) {
                push(RbacWrite::Deleted(object.key(), None));
            }
        }
        for object in new {
            if keys(&old).contains(&object.key()) {
                push(RbacWrite::Updated(object.key(), Some(object)));
            } else {
                push(RbacWrite::Created(object.key(), Some(object)));
            }
        }
        before = state.clone();
    }
    (changes, before)
}
