//! What is found in policies, and what is not.

use super::*;

fn findings(text: &str) -> Vec<PolicyFinding> {
    lint_policy(text.as_bytes()).findings
}

fn of_rules(rules: &str) -> Vec<PolicyFinding> {
    findings(&format!(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n{rules}"
    ))
}

fn messages(findings: &[PolicyFinding], code: &str) -> Vec<String> {
    let of_code = findings.iter().filter(|finding| finding.code == code);
    of_code
        .map(|finding| format!("{} | {}", finding.message, finding.mend))
        .collect()
}

/// Conditions of a rule that match nothing, with part of the message and of the mend.
const DEAD_CONDITIONS: &[(&str, &str, &str)] = &[
    (
        "  verbs: ['*']",
        "\"*\" is taken literally",
        "remove the field",
    ),
    (
        "  users: ['system:serviceaccount:web:*']",
        "taken literally",
        "no patterns",
    ),
    ("  namespaces: ['kube-*']", "taken literally", "no patterns"),
    (
        "  verbs: [read]\n  resources: [{}]",
        "has the verb \"read\"",
        "choose among",
    ),
    (
        "  verbs: [GET]\n  resources: [{}]",
        "has the verb \"GET\"",
        "write get",
    ),
    (
        "  verbs: [list]\n  nonResourceURLs: [/x]",
        "has the verb \"list\"",
        "HTTP methods",
    ),
    (
        "  verbs: [post]\n  namespaces: [x]",
        "has the verb \"post\"",
        "write create",
    ),
    (
        "  verbs: [impersonate]",
        "has the verb \"impersonate\"",
        "RBAC",
    ),
    ("  verbs: [updat]", "has the verb \"updat\"", "write update"),
    (
        "  users: [system:serviceaccounts]",
        "is a group",
        "userGroups",
    ),
    (
        "  users: [system:serviceaccount:x]",
        "not the name of a service account",
        "NAMESPACE:NAME",
    ),
    ("  userGroups: [system:anonymous]", "is a user", "users"),
    (
        "  nonResourceURLs: [/api/v1/pods]",
        "the URL of a resource",
        "resources",
    ),
    (
        "  nonResourceURLs: [/apis/apps/v1/deployments*]",
        "the URL of a resource",
        "resources",
    ),
    ("  nonResourceURLs: ['/logs?x']", "has a query", "path"),
    (
        "  resources: [{resources: [pod]}]",
        "has no resource \"pod\"",
        "write pods",
    ),
    (
        "  resources: [{resources: [Secrets]}]",
        "has no resource \"Secrets\"",
        "write secrets",
    ),
    (
        "  resources: [{resources: [deployments]}]",
        "deployments is not in the API group \"\"",
        "\"apps\"",
    ),
    (
        "  resources: [{group: apps, resources: [pods]}]",
        "not in the API group",
        "write group: \"\"",
    ),
    (
        "  resources: [{resources: [pods/logs]}]",
        "no subresource \"logs\"",
        "write pods/log",
    ),
    (
        "  resources: [{resources: ['*/*']}]",
        "matches no usual request",
        "\"*\"",
    ),
    (
        "  resources: [{resources: ['pod*']}]",
        "taken literally",
        "whole part",
    ),
    (
        "  resources: [{resources: [pods/]}]",
        "is not RESOURCE",
        "pods/log",
    ),
    (
        "  namespaces: [web]\n  resources: [{resources: [nodes]}]",
        "have no namespace",
        "[\"\"]",
    ),
    (
        "  verbs: [create]\n  resources: [{resources: [pods], resourceNames: [x]}]",
        "name no object",
        "remove resourceNames",
    ),
];

#[test]
fn conditions_that_match_nothing() {
    for (rule, message, mend) in DEAD_CONDITIONS {
        let found = messages(
            &of_rules(&format!("- level: Metadata\n{rule}\n")),
            "matches-nothing",
        );
        assert_eq!(found.len(), 1, "{rule}: {found:?}");
        assert!(
            found[0].contains(message) && found[0].contains(mend),
            "{rule}: {found:?}"
        );
    }
    let fine = [
        "  verbs: [get, '']\n  resources: [{resources: ['*', '*/scale', 'pods/*', pods/exec]}]",
        "  resources: [{group: example.com, resources: [widgets]}, {group: extensions, resources: [x]}]",
        "  resources: [{group: '*', resources: [widgets, secrets]}]",
        "  nonResourceURLs: ['*', /apis/apps/v1, /api/v1, /healthz*]\n  verbs: [get, post]",
        "  namespaces: [web]\n  resources: [{resources: [namespaces, pods]}]",
        "  users: [system:serviceaccount:web:front, kubelet]\n  userGroups: [system:serviceaccounts:web]",
    ];
    for rule in fine {
        let found = messages(
            &of_rules(&format!("- level: Metadata\n{rule}\n")),
            "matches-nothing",
        );
        assert!(found.is_empty(), "{rule}: {found:?}");
    }
}

#[test]
fn a_finding_is_on_the_line_of_its_value() {
    let found = of_rules("- level: Metadata\n  verbs:\n  - get\n  - gett\n- level: Metadata\n");
    let dead = found
        .iter()
        .find(|finding| finding.code == "matches-nothing")
        .unwrap();
    assert_eq!((dead.line, dead.rule), (7, Some(1)));
}

#[test]
fn contents_of_secrets() {
    let found = of_rules("- level: Request\n");
    let contents = messages(&found, "secret-bodies");
    assert_eq!(contents.len(), 1);
    for part in [
        "configmaps (create, update, patch)",
        "serviceaccounts/token (create)",
        "tokenreviews (create)",
    ] {
        assert!(contents[0].contains(part), "{contents:?}");
    }
    // Reads are not in requests.
    let reads = of_rules("- level: Request\n  verbs: [get, list, watch]\n- level: Metadata\n");
    let concerns: Vec<_> = reads
        .iter()
        .filter(|finding| finding.code == "secret-bodies")
        .map(|finding| finding.concern)
        .collect();
    assert_eq!(concerns, [PolicyConcern::Advice]);
    let full = of_rules(
        "- level: RequestResponse\n  verbs: [get]\n  resources: [{group: '*', resources: ['*']}]\n",
    );
    assert!(messages(&full, "secret-bodies")[0].contains("secrets (get)"));
    let fine = of_rules(
        "- level: Metadata\n  resources:\n  - {group: '', resources: [secrets, configmaps, serviceaccounts/token]}\n  \
         - {group: authentication.k8s.io, resources: [tokenreviews]}\n- level: RequestResponse\n",
    );
    assert!(messages(&fine, "secret-bodies").is_empty());
}

#[test]
fn what_cis_wants_recorded() {
    let found =
        of_rules("- level: None\n  resources: [{resources: [pods/exec]}]\n- level: Metadata\n");
    assert!(
        messages(&found, "cis-3.2.2")[0]
            .contains("rule 1 leaves out what CIS 3.2.2 wants recorded: pods/exec")
    );
    let component = of_rules(
        "- level: None\n  users: [system:kube-scheduler]\n  resources: [{resources: [pods]}]\n- level: Metadata\n",
    );
    assert!(messages(&component, "cis-3.2.2").is_empty());
    let open = of_rules("- level: Metadata\n  resources: [{resources: [secrets]}]\n");
    assert!(messages(&open, "cis-3.2.2")[0].starts_with("no rule need match"));
}

#[test]
fn fixtures_have_the_findings_they_are_known_for() {
    let codes = |text: &str| {
        let mut codes: Vec<_> = findings(text)
            .into_iter()
            .filter(|finding| finding.concern != PolicyConcern::Advice)
            .map(|finding| (finding.code, finding.rule))
            .collect();
        codes.sort_unstable();
        codes
    };
    let documented = codes(include_str!("../fixtures/documented.yaml"));
    assert_eq!(
        documented,
        [("secret-bodies", Some(6)), ("secret-bodies", Some(8))]
    );
    assert_eq!(codes(include_str!("../fixtures/gke.yaml")), []);
    assert_eq!(
        codes(include_str!("../fixtures/eks.yaml")),
        [("secret-bodies", Some(1))]
    );
    // `deployments` is written in the core group.
    let aks = codes(include_str!("../fixtures/aks.yaml"));
    assert_eq!(
        aks,
        [("matches-nothing", Some(1)), ("secret-bodies", Some(4))]
    );
}

#[test]
fn traps_of_volume() {
    let codes = |text: &str| -> Vec<&str> {
        of_rules(text)
            .into_iter()
            .map(|finding| finding.code)
            .collect()
    };
    let all = codes("- level: RequestResponse\n");
    for code in [
        "events-recorded",
        "health-checks",
        "leases-recorded",
        "managed-fields",
        "read-responses",
        "request-received",
    ] {
        assert!(all.contains(&code), "{code}: {all:?}");
    }
    assert!(codes("- level: Metadata\n  omitStages: [RequestReceived, ResponseStarted, ResponseComplete, Panic]\n")
        .contains(&"every-stage-omitted"));
    assert!(
        codes("- level: Metadata\n  omitStages: [ResponseComplete]\n").contains(&"result-omitted")
    );
    assert!(codes("- level: Metadata\n  users: [a]\n").contains(&"no-last-rule"));
    assert!(codes("- level: Metadata\n- level: None\n").contains(&"unreachable-rule"));
    assert_eq!(codes("- level: Meta\n"), ["refused"]);
    assert!(codes("- level: Metadata\n  Users: [a]\n").contains(&"unknown-field"));
}
