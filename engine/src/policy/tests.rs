//! Decisions, explanations, reachability, and what policies make of events.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

const HEAD: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";

fn policy(text: &str) -> AuditPolicy {
    load_policy(text.as_bytes()).outcome.unwrap()
}

fn rules(text: &str) -> AuditPolicy {
    policy(&format!("{HEAD}rules:\n{text}"))
}

fn resource<'a>(verb: &'a str, api_group: &'a str, resource: &'a str) -> RequestAttributes<'a> {
    RequestAttributes {
        user: Some("ann"),
        groups: &["system:authenticated"],
        verb,
        target: RequestClass::resource(verb, api_group, resource, "").target,
    }
}

fn path(path: &str) -> RequestAttributes<'_> {
    RequestAttributes {
        user: Some("ann"),
        groups: &["system:authenticated"],
        verb: "get",
        target: RequestedTarget::Path(path),
    }
}

#[test]
fn resources_match_as_in_the_apiserver() {
    let cases = [
        ("pods", "pods", "", true),
        ("pods", "pods", "log", false),
        ("pods/log", "pods", "log", true),
        ("pods/*", "pods", "log", true),
        ("pods/*", "pods", "", true),
        ("*", "pods", "log", true),
        ("*/log", "pods", "log", true),
        ("*/log", "pods", "", false),
        ("*/*", "pods", "log", false),
        ("po*", "pods", "", false),
        ("", "", "", true),
    ];
    for (pattern, name, subresource, matches) in cases {
        let policy = rules(&format!(
            "- level: None\n  resources: [{{resources: ['{pattern}']}}]\n"
        ));
        let request = RequestAttributes {
            target: RequestClass::resource("get", "", name, subresource).target,
            ..resource("get", "", "x")
        };
        let found = policy.rules[0].mismatch(&request).is_none();
        assert_eq!(found, matches, "{pattern} against {name}/{subresource}");
    }
}

#[test]
fn conditions_match_as_in_the_apiserver() {
    let paths = rules("- level: None\n  nonResourceURLs: [/healthz*, /version]\n");
    for (url, matches) in [
        ("/healthz", true),
        ("/healthzfoo", true),
        ("/version", true),
        ("/version/", false),
    ] {
        assert_eq!(
            paths.rules[0].mismatch(&path(url)).is_none(),
            matches,
            "{url}"
        );
    }
    let pods = resource("get", "", "pods");
    assert_eq!(
        paths.rules[0].mismatch(&pods),
        Some(RuleMismatch::IsAResource)
    );
    let unscoped = rules("- level: None\n  namespaces: ['']\n");
    assert_eq!(unscoped.rules[0].mismatch(&pods), None);
    assert_eq!(
        unscoped.rules[0].mismatch(&path("/x")),
        Some(RuleMismatch::NotAResource)
    );
    let groups =
        rules("- level: None\n  userGroups: [system:unauthenticated, system:authenticated]\n");
    assert_eq!(groups.rules[0].mismatch(&pods), None);
    let nobody = RequestAttributes { user: None, ..pods };
    assert_eq!(
        groups.rules[0].mismatch(&nobody),
        Some(RuleMismatch::Groups)
    );
    let names = rules(
        "- level: None\n  resources: [{resources: [pods], resourceNames: [x]}, {group: apps}]\n",
    );
    assert_eq!(
        names.rules[0].mismatch(&pods),
        Some(RuleMismatch::ResourceName)
    );
    assert_eq!(
        names.rules[0].mismatch(&resource("get", "", "nodes")),
        Some(RuleMismatch::Resource)
    );
    assert_eq!(
        names.rules[0].mismatch(&resource("get", "batch", "jobs")),
        Some(RuleMismatch::ApiGroup)
    );
    assert_eq!(names.rules[0].mismatch(&resource("get", "apps", "x")), None);
}

#[test]
fn stages_and_managed_fields_are_joined() {
    let policy = policy(&format!(
        "{HEAD}omitStages: [Panic, RequestReceived, Panic]\nomitManagedFields: true\nrules:\n\
         - level: Request\n  users: [ann]\n  omitStages: [ResponseStarted, Panic]\n  omitManagedFields: false\n"
    ));
    let decision = policy.decide(&path("/x"));
    assert_eq!(
        decision.omit_stages,
        [
            PolicyStage::RequestReceived,
            PolicyStage::ResponseStarted,
            PolicyStage::Panic
        ]
    );
    assert!(!decision.omit_managed_fields);
    let nobody = RequestAttributes {
        user: Some("bob"),
        ..path("/x")
    };
    let decision = policy.decide(&nobody);
    assert_eq!((decision.rule, decision.level), (None, PolicyLevel::None));
    assert_eq!(
        decision.omit_stages,
        [
            PolicyStage::Panic,
            PolicyStage::RequestReceived,
            PolicyStage::Panic
        ]
    );
    assert!(decision.omit_managed_fields);
}

#[test]
fn an_explanation_names_each_rule_passed_over() {
    let policy = policy(include_str!("fixtures/documented.yaml"));
    let found = policy.explain(&resource("update", "", "secrets"));
    assert_eq!(found.decision.rule, Some(7));
    assert_eq!(
        found.summary,
        "rule 7 decides: the request is recorded at level Metadata at every stage but RequestReceived"
    );
    let reasons: Vec<_> = found
        .passed_over
        .iter()
        .map(|passed| passed.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "resource \"secrets\" is not among \"pods\"",
            "resource \"secrets\" is not among \"pods/log\", \"pods/status\"",
            "resource \"secrets\" is not among \"configmaps\"",
            "user \"ann\" is not among \"system:kube-proxy\"",
            "the rule is for URLs that are not resources",
            "the request has no namespace; the rule is for \"kube-system\"",
        ]
    );
}

#[test]
fn a_class_shows_every_rule_that_can_decide() {
    let policy = policy(include_str!("fixtures/documented.yaml"));
    let class = RequestClass::resource("update", "", "configmaps", "");
    let found: Vec<_> = policy
        .class_decisions(&class)
        .into_iter()
        .map(|decision| (decision.rule, decision.decides_rest))
        .collect();
    assert_eq!(found, [(Some(3), false), (Some(6), false), (Some(7), true)]);
    assert_eq!(
        policy.class_levels(&class),
        (PolicyLevel::None, PolicyLevel::Request)
    );
}

fn event<'a>(request: RequestAttributes<'a>, stage: PolicyStage) -> EventFacts<'a> {
    EventFacts {
        request,
        stage,
        level: PolicyLevel::RequestResponse,
        events: 1,
        bytes: EventBytes {
            metadata: 100,
            request_object: 40,
            response_object: 200,
            managed_fields: Some((10, 50)),
        },
        refused: false,
    }
}

#[test]
fn a_simulation_counts_what_is_left() {
    let policy = policy(&format!(
        "{HEAD}omitStages: [RequestReceived]\nomitManagedFields: true\nrules:\n- level: None\n  verbs: [get]\n\
         - level: Request\n  verbs: [create]\n- level: RequestResponse\n  users: [nobody]\n"
    ));
    let mut simulation = PolicySimulation::new(&policy);
    let done = PolicyStage::ResponseComplete;
    simulation.add(&event(resource("get", "", "pods"), done));
    simulation.add(&event(
        resource("create", "", "pods"),
        PolicyStage::RequestReceived,
    ));
    simulation.add(&event(resource("create", "", "pods"), done));
    let shallow = EventFacts {
        level: PolicyLevel::Metadata,
        ..event(resource("create", "", "pods"), done)
    };
    simulation.add(&shallow);
    simulation.add(&event(resource("list", "", "pods"), done));
    let report = simulation.report();
    assert_eq!(
        report.read,
        LogVolume {
            events: 5,
            bytes: 5 * 340
        }
    );
    assert_eq!(
        report.recorded,
        LogVolume {
            events: 2,
            bytes: 2 * 130
        }
    );
    assert_eq!(report.bodies_unknown, 1);
    assert_eq!(report.unused_rules, [3]);
    assert_eq!(report.stages_not_in_log, [PolicyStage::ResponseStarted]);
    assert_eq!(report.rows.last().unwrap().rule, None);
}

#[test]
fn a_log_shows_levels_and_never_proves_their_absence() {
    let mut observed = ObservedLevels::default();
    let done = PolicyStage::ResponseComplete;
    observed.add(&event(resource("create", "", "pods"), done));
    observed.add(&EventFacts {
        level: PolicyLevel::Metadata,
        ..event(resource("create", "", "pods"), done)
    });
    observed.add(&event(path("/healthz"), done));
    let evidence =
        |verb, group, name| observed.evidence(&RequestClass::resource(verb, group, name, ""));
    let LogEvidence::Recorded(class) = evidence("create", "", "pods") else {
        panic!("pods are recorded");
    };
    assert_eq!(
        (class.lowest, class.highest),
        (PolicyLevel::Metadata, PolicyLevel::RequestResponse)
    );
    assert_eq!(class.events(), 2);
    assert!(matches!(
        evidence("get", "", "pods"),
        LogEvidence::ResourceRecorded(_)
    ));
    assert!(matches!(
        evidence("get", "", "secrets"),
        LogEvidence::GroupRecorded(_)
    ));
    assert_eq!(evidence("get", "apps", "deployments"), LogEvidence::NotSeen);
    assert_eq!(observed.rows().count(), 2);
}

#[test]
fn a_rule_covered_by_several_is_unreachable() {
    let policy = rules(
        "- level: None\n  userGroups: [g]\n  verbs: [get]\n- level: None\n  verbs: [list]\n\
         - level: Metadata\n  userGroups: [g]\n  verbs: [get, list]\n  resources: [{group: apps}]\n\
         - level: Metadata\n  resources: [{resources: ['pods/']}]\n",
    );
    let found = policy.unreachable_rules();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].rule, found[0].taken_by.as_slice()),
        (3, &[1, 2][..])
    );
    assert_eq!((found[1].rule, found[1].taken_by.as_slice()), (4, &[][..]));
}

/// Small policies over few words.
fn small_rule() -> impl Strategy<Value = PolicyRule> {
    let words = |values: &'static [&'static str]| {
        let list = subsequence(values, 0..=2);
        list.prop_map(|list| list.into_iter().map(str::to_owned).collect::<Vec<String>>())
    };
    let entry = (
        select(vec!["", "apps", "*"]),
        words(&["pods", "pods/log", "pods/*", "*/log", "*"]),
        words(&["m", ""]),
    )
        .prop_map(|(group, resources, names)| GroupResources {
            group: group.to_owned(),
            resource_names: if resources.is_empty() {
                Vec::new()
            } else {
                names
            },
            resources,
        });
    (
        select(PolicyLevel::ALL.to_vec()),
        words(&["a", "b"]),
        words(&["g", "h"]),
        words(&["get", "list"]),
        words(&["", "n"]),
        proptest::collection::vec(entry, 0..3),
        words(&["/healthz", "/healthz*", "/h*", "*"]),
        any::<u8>(),
    )
        .prop_map(
            |(level, users, user_groups, verbs, namespaces, resources, urls, kind)| {
                let mut rule = PolicyRule {
                    users,
                    user_groups,
                    verbs,
                    ..PolicyRule::at(level)
                };
                match kind % 3 {
                    0 => rule.non_resource_urls = urls,
                    1 => (rule.namespaces, rule.resources) = (namespaces, resources),
                    _ => rule.resources = resources,
                }
                rule
            },
        )
}

fn small_requests() -> Vec<RequestAttributes<'static>> {
    let mut targets = Vec::new();
    for url in ["/healthz", "/healthzx", "/hx", "/x", ""] {
        targets.push(RequestedTarget::Path(url));
    }
    for api_group in ["", "apps", "x"] {
        for name in ["pods", "x"] {
            for subresource in ["", "log", "x"] {
                for namespace in ["", "n", "x"] {
                    for object in ["", "m", "x"] {
                        targets.push(RequestedTarget::Resource {
                            api_group,
                            resource: name,
                            subresource,
                            namespace,
                            name: object,
                        });
                    }
                }
            }
        }
    }
    let mut requests = Vec::new();
    let groups: [&[&str]; 4] = [&[], &["g"], &["h"], &["g", "h"]];
    for user in [None, Some("a"), Some("b"), Some("x")] {
        for groups in groups {
            for verb in ["get", "list", "x"] {
                requests.extend(targets.iter().map(|target| RequestAttributes {
                    user,
                    groups,
                    verb,
                    target: *target,
                }));
            }
        }
    }
    requests
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reachability_is_exact(rules in proptest::collection::vec(small_rule(), 1..6)) {
        let policy = AuditPolicy { rules, ..AuditPolicy::default() };
        let mut reached = vec![false; policy.rules.len()];
        for request in small_requests() {
            if let Some(rule) = policy.decide(&request).rule {
                reached[rule - 1] = true;
            }
        }
        let unreachable: Vec<usize> = policy.unreachable_rules().iter().map(|rule| rule.rule).collect();
        let expected: Vec<usize> = (1..=reached.len()).filter(|rule| !reached[rule - 1]).collect();
        prop_assert_eq!(unreachable, expected);
    }

    #[test]
    fn a_class_agrees_with_its_requests(rules in proptest::collection::vec(small_rule(), 1..6)) {
        let policy = AuditPolicy { rules, ..AuditPolicy::default() };
        for request in small_requests() {
            let decided = policy.decide(&request).rule;
            let kind = request.user.map_or(RequestSender::Nobody, |_| RequestSender::Person);
            for sender in [RequestSender::Anyone, kind] {
                let class = RequestClass { verb: request.verb, target: request.target, sender };
                let listed = policy.class_decisions(&class);
                prop_assert!(listed.iter().any(|decision| decision.rule == decided));
            }
        }
    }

    #[test]
    fn an_amended_policy_records_less_and_never_more(
        rules in proptest::collection::vec(small_rule(), 1..6),
        rule in small_rule(),
    ) {
        let policy = AuditPolicy { rules, ..AuditPolicy::default() };
        let amended = policy.amended(&PolicyChange::AddRule(rule.clone()));
        for request in small_requests() {
            let before = policy.decide(&request).level;
            let after = amended.decide(&request).level;
            let wanted = match rule.mismatch(&request) {
                None => before.min(rule.level),
                Some(_) => before,
            };
            prop_assert!(wanted <= after && after <= before);
            prop_assert!(rule.level > PolicyLevel::None || wanted == after);
        }
    }

    #[test]
    fn a_policy_survives_its_own_text(rules in proptest::collection::vec(small_rule(), 1..6), odd in ".*") {
        let mut policy = AuditPolicy { rules, omit_managed_fields: true, ..AuditPolicy::default() };
        policy.rules[0].users.push(odd);
        let mut back = load_policy(policy.to_yaml().as_bytes()).outcome.unwrap();
        back.rules.iter_mut().for_each(|rule| rule.line = 0);
        prop_assert_eq!(back, policy);
    }

    #[test]
    fn any_document_has_an_answer(text in "[-a-z:\\[\\]{}&*!|>'\"%@`#?,. \\n\\t\\\\]{0,80}", bytes in any::<Vec<u8>>()) {
        for document in [text.as_bytes(), &bytes] {
            let loaded = lint_policy(document).loaded;
            if let Err(refusals) = loaded.outcome {
                prop_assert!(refusals.iter().all(|refusal| refusal.line > 0 && !refusal.mend.is_empty()));
            }
        }
    }
}
