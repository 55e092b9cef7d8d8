//! The loader's every validation, decisions, reachability, and what policies make of events.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

const HEAD: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";
const RULES: &str = "rules:\n- level: Metadata\n";

fn policy(text: &str) -> AuditPolicy {
    load_policy(text.as_bytes()).outcome.unwrap()
}

fn rules(text: &str) -> AuditPolicy {
    policy(&format!("{HEAD}rules:\n{text}"))
}

fn refusals(text: &str) -> Vec<PolicyRefusal> {
    load_policy(text.as_bytes()).outcome.unwrap_err()
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
fn fixtures_load_without_a_warning() {
    let fixtures = [
        (include_str!("fixtures/documented.yaml"), 9),
        (include_str!("fixtures/gke.yaml"), 11),
        (include_str!("fixtures/eks.yaml"), 6),
        (include_str!("fixtures/aks.yaml"), 7),
    ];
    for (text, count) in fixtures {
        let loaded = load_policy(text.as_bytes());
        assert_eq!(loaded.warnings, []);
        let policy = loaded.outcome.unwrap();
        assert_eq!(policy.rules.len(), count, "{text}");
        assert_eq!(policy.unreachable_rules(), []);
    }
}

/// Each validation of a rule: the rule's lines from line 4, the line found, reason and mend.
const REFUSED_RULES: &[(&str, usize, &str, &str)] = &[
    (
        "- users: [a]",
        4,
        "rules[0].level: required value",
        "give the rule a level",
    ),
    (
        "- level: ''",
        4,
        "level: required value",
        "give the rule a level",
    ),
    (
        "- level: metadata",
        4,
        "unsupported value \"metadata\"",
        "write level: Metadata",
    ),
    ("- level: All", 4, "unsupported value", "supported levels"),
    (
        "- level: 1",
        4,
        "level: expected a string, found a number",
        "quote",
    ),
    (
        "- level: no",
        4,
        "expected a string, found a boolean",
        "YAML 1.1",
    ),
    (
        "- level: None\n  users: [on]",
        5,
        "users[0]: expected a string",
        "YAML 1.1",
    ),
    (
        "- level: None\n  users: [0644]",
        5,
        "users[0]: expected a string, found a number",
        "quote",
    ),
    (
        "- level: None\n  users: ann",
        5,
        "users: expected a list, found a string",
        "[\"ann\"]",
    ),
    (
        "- level: None\n  users: {a: b}",
        5,
        "users: expected a list, found an object",
        "a list",
    ),
    (
        "- level: None\n  verbs:\n  - [get]",
        6,
        "verbs[0]: expected a string, found a list",
        "a string",
    ),
    (
        "- level: None\n  resources: [pods]",
        5,
        "resources[0]: expected an object",
        "an object",
    ),
    (
        "- level: None\n  resources: {group: x}",
        5,
        "resources: expected a list",
        "a list",
    ),
    (
        "- level: None\n  nonResourceURLs: [healthz]",
        5,
        "must begin with a '/'",
        "path alone",
    ),
    (
        "- level: None\n  nonResourceURLs: ['']",
        5,
        "must begin with a '/'",
        "path alone",
    ),
    (
        "- level: None\n  nonResourceURLs: ['**']",
        5,
        "must begin with a '/'",
        "path alone",
    ),
    (
        "- level: None\n  nonResourceURLs: ['/a*/b']",
        5,
        "final character",
        "one * at the end",
    ),
    (
        "- level: None\n  nonResourceURLs: ['/a**']",
        5,
        "final character",
        "one * at the end",
    ),
    (
        "- level: None\n  nonResourceURLs: [/a]\n  namespaces: [x]",
        5,
        "cannot apply to both",
        "split the rule",
    ),
    (
        "- level: None\n  resources: [{}]\n  nonResourceURLs: [/a]",
        6,
        "cannot apply to both",
        "split the rule",
    ),
    (
        "- level: None\n  resources: [{group: apps/v1}]",
        5,
        "RFC 1123",
        "write the group without its version: apps",
    ),
    (
        "- level: None\n  resources: [{group: Apps}]",
        5,
        "RFC 1123",
        "lower case: apps",
    ),
    (
        "- level: None\n  resources: [{group: '*.k8s.io'}]",
        5,
        "RFC 1123",
        "core group",
    ),
    (
        "- level: None\n  resources: [{group: a..b}]",
        5,
        "RFC 1123",
        "core group",
    ),
    (
        "- level: None\n  resources: [{group: '', resourceNames: [x]}]",
        5,
        "requires at least one resource",
        "add resources",
    ),
    (
        "- level: None\n  omitStages: [Received]",
        5,
        "omitStages[0]: invalid value",
        "allowed stages",
    ),
    (
        "- level: None\n  omitStages: ['']",
        5,
        "allowed stages are",
        "allowed stages",
    ),
    (
        "- level: None\n  omitStages: Panic",
        5,
        "omitStages: expected a list",
        "[\"Panic\"]",
    ),
    (
        "- level: None\n  omitManagedFields: 'true'",
        5,
        "expected a boolean",
        "write true without quotes",
    ),
    (
        "- null",
        4,
        "level: required value",
        "give the rule a level",
    ),
    ("- x", 4, "rules[0]: expected an object", "an object"),
];

#[test]
fn a_rule_is_refused() {
    for (rule, line, reason, mend) in REFUSED_RULES {
        let text = format!("{HEAD}rules:\n{rule}\n");
        let refusals = refusals(&text);
        let found = &refusals[0];
        assert_eq!(found.line, *line, "{rule}: {found:?}");
        assert!(found.reason.contains(reason), "{rule}: {found:?}");
        assert!(found.mend.contains(mend), "{rule}: {found:?}");
    }
    let long = format!(
        "{HEAD}rules:\n- level: None\n  resources: [{{group: {}}}]\n",
        "a".repeat(254)
    );
    assert!(refusals(&long)[0].reason.contains("RFC 1123"));
}

/// Documents, with `HEAD` and `RULES` for what is right, the line found and the reason.
const REFUSED_DOCUMENTS: &[(&str, usize, &str)] = &[
    ("", 1, "apiVersion: missing"),
    ("null\n", 1, "apiVersion: missing"),
    ("[]\n", 1, "expected an object, found a list"),
    (
        "kind: Policy\nRULES",
        1,
        "audit.k8s.io/__internal, Kind=Policy",
    ),
    ("apiVersion: /\nRULES", 1, "apiVersion: missing"),
    ("apiVersion: audit.k8s.io/\nRULES", 1, "apiVersion: missing"),
    ("apiVersion: v1\nRULES", 1, "no policy of version `v1`"),
    (
        "apiVersion: audit.k8s.io/v1beta1\nRULES",
        1,
        "no policy of version",
    ),
    (
        "apiVersion: audit.k8s.io/v1alpha1\nRULES",
        1,
        "no policy of version",
    ),
    (
        "apiVersion: a/b/c\nRULES",
        1,
        "unexpected group and version",
    ),
    (
        "apiVersion: 1\nRULES",
        1,
        "apiVersion: expected a string, found a number",
    ),
    (
        "apiVersion: audit.k8s.io/v1\nkind: Event\nRULES",
        2,
        "kind: `Event` is not",
    ),
    (
        "apiVersion: audit.k8s.io/v1\nkind: policy\nRULES",
        2,
        "kind: `policy` is not",
    ),
    (
        "apiVersion: audit.k8s.io/v1\nKind: 5\nRULES",
        2,
        "Kind: expected a string",
    ),
    ("HEAD", 1, "0 rules"),
    ("HEADrules: []\n", 1, "0 rules"),
    ("HEADrules:\n", 1, "0 rules"),
    ("HEADrules: {}\n", 3, "rules: expected a list"),
    (
        "HEADomitStages: [x]\nRULES",
        3,
        "omitStages[0]: invalid value",
    ),
    (
        "HEADomitManagedFields: 1\nRULES",
        3,
        "omitManagedFields: expected a boolean",
    ),
    ("HEADmetadata: x\nRULES", 3, "metadata: expected an object"),
    (
        "HEADmetadata: {name: 5}\nRULES",
        3,
        "metadata.name: expected a string",
    ),
    (
        "HEADmetadata: {generation: 1.5}\nRULES",
        3,
        "a whole number",
    ),
    (
        "HEADmetadata: {labels: {a: 1}}\nRULES",
        3,
        "metadata.labels.a: expected a string",
    ),
    (
        "HEADmetadata: {creationTimestamp: today}\nRULES",
        3,
        "RFC 3339",
    ),
    (
        "HEADmetadata: {finalizers: x}\nRULES",
        3,
        "metadata.finalizers: expected a list",
    ),
    (
        "HEADmetadata: {ownerReferences: [{controller: 'true'}]}\nRULES",
        3,
        "ownerReferences[0].controller: expected a boolean",
    ),
    ("---\n---\nHEADRULES", 2, "apiVersion: missing"),
    ("%YAML 1.2\n---\nHEADRULES", 1, "incompatible YAML"),
    ("HEADrules:\n\t- level: None\n", 4, "cannot start any token"),
    (
        "HEADrules:\n- level: None\n  users: [*x]\n",
        5,
        "unknown anchor 'x'",
    ),
    (
        "HEADrules:\n- level: None\n  users: [\"a\\/b\"]\n",
        5,
        "unknown escape",
    ),
    (
        "HEADrules:\n- level: None\n  users: [`x`]\n",
        5,
        "cannot start any token",
    ),
    (
        "HEADrules:\n- level: None: x\n",
        4,
        "mapping values are not allowed",
    ),
    ("HEADrules: &r [*r]\n", 3, "contains itself"),
    ("HEADx: .inf\nRULES", 3, "unsupported value"),
    ("HEADx: {null: y}\nRULES", 3, "unsupported map key"),
    (
        "{\"apiVersion\": \"audit.k8s.io/v1\",}",
        1,
        "looking for beginning of object key",
    ),
    (
        "{\"apiVersion\": \"audit.k8s.io/v1\"} x",
        1,
        "after top-level value",
    ),
    (
        "{apiVersion: audit.k8s.io/v1}",
        1,
        "beginning of object key",
    ),
];

#[test]
fn a_document_is_refused() {
    for (text, line, reason) in REFUSED_DOCUMENTS {
        let text = text.replace("HEAD", HEAD).replace("RULES", RULES);
        let refusals = refusals(&text);
        let found = &refusals[0];
        assert_eq!(found.line, *line, "{text}: {found:?}");
        assert!(found.reason.contains(reason), "{text}: {found:?}");
        assert!(!found.mend.is_empty());
    }
}

#[test]
fn odd_documents_are_taken() {
    let plain = rules("- level: Metadata\n");
    let cases = [
        format!("{HEAD}{RULES}"),
        format!("\u{feff}{HEAD}{RULES}"),
        format!("apiversion: audit.k8s.io/v1\n{RULES}"),
        format!("apiVersion: audit.k8s.io/v1\nkind: ''\n{RULES}"),
        format!("{HEAD}{RULES}---\nrules: [broken\n"),
        format!("{HEAD}{RULES}...\n\t[broken"),
        format!("%YAML 1.1\n---\n{HEAD}{RULES}"),
        format!("{HEAD}{RULES}").replace('\n', "\r\n"),
        format!("{HEAD}metadata: {{name: x, creationTimestamp: null}}\n{RULES}"),
        format!("{HEAD}rules:\n- level: !!str Metadata\n"),
        format!("{HEAD}rules:\n- {{\"level\": Metadata, users: null, omitManagedFields: ~}}\n"),
        "{\"apiVersion\":\"audit.k8s.io/v1\",\"rules\":[{\"level\":\"Metadata\"}]}".to_owned(),
        "\n {\"apiVersion\":\"audit.k8s.io/v1\",\"rules\":[{\"level\":\"Meta\\u0064ata\"}]}"
            .to_owned(),
    ];
    for text in cases {
        let mut found = policy(&text);
        found.rules[0].line = 4;
        assert_eq!(found, plain, "{text}");
    }
    let texts = rules("- level: None\n  users: [12:30, 2026-11-10, ~, \"yes\", '1']\n");
    assert_eq!(
        texts.rules[0].users,
        ["12:30", "2026-11-10", "", "yes", "1"]
    );
}

#[test]
fn unknown_and_repeated_fields_cost_a_warning() {
    let text = format!(
        "{HEAD}rules:\n- level: None\n  level: Metadata\n  nonResourceUrls: [/x]\n  resources:\n  - apiGroups: [apps]\n"
    );
    let loaded = load_policy(text.as_bytes());
    let found: Vec<_> = loaded
        .warnings
        .iter()
        .map(|warning| (warning.line, warning.kind, warning.field.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (5, WarningKind::RepeatedField, "level"),
            (6, WarningKind::UnknownField, "nonResourceUrls"),
            (8, WarningKind::UnknownField, "apiGroups"),
        ]
    );
    assert!(
        loaded.warnings[1]
            .message
            .contains("did you mean `nonResourceURLs`")
    );
    let policy = loaded.outcome.unwrap();
    assert_eq!(policy.rules[0].level, PolicyLevel::Metadata);
    assert_eq!(policy.rules[0].resources, [GroupResources::default()]);
    // A merge key whose value is overridden counts as a repeated one.
    let merged = format!("{HEAD}x: &x {{level: None}}\nrules:\n- <<: *x\n  level: Request\n");
    let loaded = load_policy(merged.as_bytes());
    assert_eq!(loaded.outcome.unwrap().rules[0].level, PolicyLevel::Request);
    let kinds: Vec<_> = loaded.warnings.iter().map(|warning| warning.kind).collect();
    assert_eq!(
        kinds,
        [WarningKind::UnknownField, WarningKind::RepeatedField]
    );
    // In JSON a repeated list is decoded over the earlier one.
    let json = "{\"apiVersion\":\"audit.k8s.io/v1\",\"rules\":[{\"level\":\"None\",\"users\":[\"a\"]}],\
                \"rules\":[{\"level\":\"Metadata\"}]}";
    let loaded = load_policy(json.as_bytes());
    assert_eq!(loaded.warnings[0].kind, WarningKind::RepeatedField);
    assert_eq!(loaded.outcome.unwrap().rules[0].users, ["a"]);
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
            let class = RequestClass { verb: request.verb, target: request.target };
            let decided = policy.decide(&request).rule;
            let listed = policy.class_decisions(&class);
            prop_assert!(listed.iter().any(|decision| decision.rule == decided));
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
