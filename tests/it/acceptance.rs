//! The detections on recorded clusters with a labelled attack: each step is found, and what is no attack
//! is quiet.
//!
//! The clusters lie beside the repository, in `../shared/data`; without them the tests say so and end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bin::run;

/// Steps of the attack, and the detections that have to find a request of each.
const ATTACK: &[(&str, &[&str])] = &[
    ("recon-selfaccess", &["self-access-review-burst"]),
    ("anon-probe", &["anonymous-probe-burst"]),
    ("token-guessing", &["authentication-failures"]),
    ("secret-sweep", &["secret-get-burst"]),
    ("exec-no-upgrade", &["pod-exec"]),
    ("exec-denied", &["exec-denied"]),
    ("ephemeral-container", &["ephemeral-container-added"]),
    ("privileged-pod", &["privileged-pod"]),
    ("hostpath-pod", &["sensitive-hostpath", "hostpath-volume"]),
    (
        "hostnetwork-hostpid-pod",
        &["pod-host-network", "pod-host-pid"],
    ),
    ("cryptominer-deployment", &["cryptominer-workload"]),
    (
        "admin-sa-token",
        &["token-requested", "token-requested-privileged-sa"],
    ),
    (
        "admin-sa-token-use",
        &["stolen-token-chain", "sa-token-used-off-pod"],
    ),
    (
        "sa-token-secret",
        &["legacy-token-secret-created", "sa-token-secret-read"],
    ),
    ("sa-token-secret-use", &["legacy-token-used"]),
    (
        "impersonate-masters",
        &["impersonation-privileged", "impersonation-extra-masters"],
    ),
    ("impersonate-admin-sa", &["impersonation-privileged"]),
    ("impersonate-denied", &["impersonation-denied"]),
    ("crb-cluster-admin", &["cluster-admin-binding"]),
    ("crb-cluster-admin-denied", &["cluster-admin-binding"]),
    ("crb-anonymous", &["binding-to-anonymous"]),
    ("anon-access-after-binding", &["anonymous-request-allowed"]),
    ("wildcard-role", &["role-wildcard"]),
    ("nodes-proxy-role", &["role-nodes-proxy"]),
    (
        "nodes-proxy",
        &["node-proxy-access", "kubelet-command-via-proxy"],
    ),
    ("escalate-bind-role", &["role-escalation-verbs"]),
    ("aggregate-to-view", &["role-aggregation-injected"]),
    ("rbac-escalation-refused", &["rbac-escalation-blocked"]),
    ("csr-create-approve", &["csr-created", "csr-self-approved"]),
    ("csr-system-masters", &["csr-privileged-subject"]),
    ("csr-cert-use", &["cert-credential-chain"]),
    (
        "evil-mutating-webhook",
        &["admission-webhook-changed", "webhook-external-url"],
    ),
    ("tamper-validating-webhook", &["admission-control-removed"]),
    ("delete-admission-policy", &["admission-control-removed"]),
    ("psa-label-removed", &["psa-label-weakened"]),
    ("apiservice-hijack", &["apiservice-changed"]),
    ("coredns-configmap", &["coredns-modified"]),
    ("aws-auth-configmap", &["aws-auth-modified"]),
    ("cronjob-persistence", &["cronjob-changed"]),
    ("daemonset-persistence", &["daemonset-created"]),
    ("nodeport-service", &["nodeport-service"]),
    ("delete-events", &["events-deleted"]),
    ("mass-delete", &["mass-delete"]),
    ("spoofed-source", &["spoofed-forwarded-for"]),
    (
        "odd-requests",
        &["audit-id-reuse", "audit-id-not-uuid", "double-slash-path"],
    ),
    ("stale-token", &["stale-token-used"]),
];

/// Steps of which a cluster's log does not hold what a detection needs, and why.
const NOT_THERE: &[(&str, &str, &str)] = &[
    (
        "cluster-gke-policy",
        "delete-events",
        "the policy of GKE records no requests for events",
    ),
    (
        "cluster-metadata-rotated",
        "crb-cluster-admin",
        "the role of a binding is in its body",
    ),
    (
        "cluster-metadata-rotated",
        "tamper-validating-webhook",
        "what was changed is in the body",
    ),
];

/// Who set the clusters up: what detections find of that is so by definition.
const SET_UP: [&str; 2] = ["kubernetes-super-admin", "kubernetes-admin"];
/// The account that the intruder used through kubectl, whose requests have no labels.
const INTRUDER: &str = "system:serviceaccount:kube-system:legacy-admin";

fn clusters() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if folder.exists() {
        return Some(folder);
    }
    eprintln!("notice: the recorded clusters are not there; not tested");
    None
}

/// The labelled requests: label and scenario by audit id.
fn labels(cluster: &Path) -> BTreeMap<String, (String, String)> {
    let file = std::fs::File::open(cluster.join("ground-truth.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    let requests = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let word = |request: &Value, name: &str| request[name].as_str().unwrap_or_default().to_owned();
    requests
        .filter(|request| request["audit_id"].is_string())
        .map(|request| {
            let label = (word(&request, "label"), word(&request, "scenario"));
            (word(&request, "audit_id"), label)
        })
        .collect()
}

fn test(name: &str) {
    let Some(folder) = clusters() else { return };
    let cluster = folder.join(name);
    let logs = match cluster.join("audit.log.gz") {
        log if log.exists() => log,
        _ => cluster.clone(),
    };
    let ran = run([
        "check",
        "--pack",
        "detection",
        "--severity",
        "info",
        "--fail-on",
        "none",
        "-o",
        "json",
        "-i",
        logs.to_str().unwrap(),
    ]);
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let words = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let answers = report["queries"].as_array().unwrap();
    let status: BTreeMap<String, String> = answers
        .iter()
        .map(|answer| (words(answer, "id"), words(answer, "status")))
        .collect();
    assert!(
        !status.values().any(|status| status == "error"),
        "{}",
        ran.stderr
    );
    let labels = labels(&cluster);
    let mut wrong = Vec::new();
    let mut found: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let evidence = finding["evidence"].as_array().unwrap();
        let ids = evidence.iter().filter_map(|line| line["audit_id"].as_str());
        let of = ids.filter_map(|id| labels.get(id));
        let query = words(finding, "query");
        let is_loud = ["medium", "high", "critical"].contains(&&*words(finding, "severity"));
        let is_told = of
            .clone()
            .any(|(label, _)| ["attack", "failure", "oddity"].contains(&&**label));
        let principal = words(finding, "principal");
        if is_loud && !is_told && principal != INTRUDER && !SET_UP.contains(&&*principal) {
            wrong.push(format!("{query} of {principal}: {}", finding["message"]));
        }
        let steps = of.filter(|(label, _)| label != "normal" && label != "benign-lookalike");
        found
            .entry(query)
            .or_default()
            .extend(steps.map(|(_, step)| step.as_str()));
    }
    for (step, ids) in ATTACK {
        let is_there = labels.values().any(|(_, known)| known == step);
        let excuse = NOT_THERE
            .iter()
            .any(|(known, of, _)| *known == name && of == step);
        if !is_there || excuse {
            continue;
        }
        for id in *ids {
            let is_found = found.get(*id).is_some_and(|steps| steps.contains(step));
            let answer = status.get(*id).map_or("no such query", String::as_str);
            if !is_found && answer != "not evaluable" {
                wrong.push(format!("{step} is not found by {id}: {answer}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn an_attack_under_the_policy_of_gke() {
    test("cluster-gke-policy");
}

#[test]
fn an_attack_with_bodies() {
    test("cluster-webhook");
}

#[test]
fn an_attack_at_level_metadata() {
    test("cluster-metadata-rotated");
}
