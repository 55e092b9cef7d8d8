//! Every validation of the loader, odd documents that it takes, and what it ignores.

use crate::policy::{
    AuditPolicy, GroupResources, PolicyLevel, PolicyRefusal, WarningKind, load_policy,
};

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

#[test]
fn fixtures_load_without_a_warning() {
    let fixtures = [
        (include_str!("../fixtures/documented.yaml"), 9),
        (include_str!("../fixtures/gke.yaml"), 11),
        (include_str!("../fixtures/eks.yaml"), 6),
        (include_str!("../fixtures/aks.yaml"), 5),
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
