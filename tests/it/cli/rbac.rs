//! `rbac`: what a small cluster grants, what its log uses, and what each command says of the two.
//!
//! `tests/data/rbac` holds the objects, a log whose decisions are those of the objects, and one with
//! two decisions that are not.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::bin::{Ran, data, run, run_with};

/// Runs `rbac …` over the objects and these logs.
fn rbac(args: &[&str], logs: &[&str]) -> Ran {
    let mut all: Vec<String> = vec!["rbac".to_owned()];
    all.extend(args.iter().map(|arg| (*arg).to_owned()));
    for input in ["objects.yaml"].iter().chain(logs) {
        let path = data("rbac").join(input);
        all.extend(["-i".to_owned(), path.to_str().unwrap().to_owned()]);
    }
    run(all)
}

fn texts(rows: &[Value], column: &str) -> Vec<String> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    rows.iter().map(|row| text(&row[column])).collect()
}

#[test]
fn usage_has_a_row_for_each_permission() {
    let rows = rbac(&["usage", "-o", "jsonl"], &["audit.log"]).rows(0);
    assert_eq!(rows.len(), 2 + 6 + 2 + 6 + 4);
    let used: Vec<String> = rows
        .iter()
        .filter(|row| row["status"] == "used")
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {} {} {} {}",
                text("subject_name"),
                text("binding_name"),
                text("verb"),
                text("resource"),
                text("resource_name"),
                row["uses"]
            )
        })
        .collect();
    assert_eq!(
        used,
        [
            "ops admins * * - 1",
            "alice view-pods get pods/log - 1",
            "alice view-pods list pods - 2",
            "alice alice get pods/log - 1",
            "alice alice list pods - 2",
            "deployer deployer patch deployments - 1",
            "deployer deployer get secrets db 1",
        ]
        .map(str::to_owned)
    );
    // The member of system:masters and the node are no use of RBAC: cluster-admin was used once.
    let folded = rbac(&["usage", "--by", "binding", "-o", "jsonl"], &["audit.log"]).rows(0);
    let of_admins = folded.iter().find(|row| row["binding_name"] == "admins");
    assert_eq!(of_admins.unwrap()["uses"], 1);
}

#[test]
fn a_policy_tells_what_cannot_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    let text = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n  \
        resources: [{group: '', resources: [pods]}]\n- level: Metadata\n";
    fs::write(&policy, text).unwrap();
    let args = ["usage", "--policy", policy.to_str().unwrap(), "-o", "jsonl"];
    let rows = rbac(&args, &["audit.log"]).rows(0);
    let hidden: Vec<_> = rows
        .iter()
        .filter(|row| row["status"] == "not observable")
        .collect();
    assert_eq!(hidden.len(), 4, "{hidden:?}");
    for row in hidden {
        assert_eq!(row["resource"], "pods");
        assert!(
            row["note"].as_str().unwrap().starts_with("rule 1 "),
            "{row}"
        );
    }
}

#[test]
fn what_can_go_together_denies_nothing() {
    let rows = rbac(&["unused", "-o", "jsonl"], &["audit.log"]).rows(0);
    let removable: Vec<&Value> = rows.iter().filter(|row| row["removable"] == true).collect();
    let objects: Vec<&str> = removable
        .iter()
        .map(|row| row["object"].as_str().unwrap())
        .collect();
    // Of the two bindings that give alice the same, one is listed: the wider.
    assert_eq!(
        objects,
        [
            "clusterrolebinding/metrics",
            "rolebinding/web/ghost",
            "clusterrolebinding/view-pods"
        ]
    );
    let mut args = vec!["what-if", "-o", "jsonl"];
    objects
        .iter()
        .for_each(|object| args.extend(["--remove", object]));
    assert!(rbac(&args, &["audit.log"]).rows(0).is_empty());
    // Both at once do.
    args.extend(["--remove", "rolebinding/web/alice"]);
    let denied = rbac(&args, &["audit.log"]).rows(0);
    assert_eq!(texts(&denied, "change"), ["newly denied", "newly denied"]);
    assert_eq!(texts(&denied, "requests"), ["1", "2"]);
    let reasons: Vec<_> = rows
        .iter()
        .filter(|row| row["removable"] == false)
        .map(|row| format!("{}: {}", row["object"], row["reason"]))
        .collect();
    for expected in [
        r#""rolebinding/web/ghost": "its role does not exist""#,
        r#""clusterrolebinding/metrics": "the service account does not exist""#,
        r#""serviceaccount/web/idle": "it sent no request""#,
    ] {
        assert!(
            reasons.iter().any(|reason| reason == expected),
            "{reasons:?}"
        );
    }
    // A window of seconds proves little, and the screen says so.
    let ran = rbac(&["unused"], &["audit.log"]);
    assert!(
        ran.text(0)
            .starts_with("Note: the log covers less than a day")
    );
}

#[test]
fn a_suggestion_allows_what_was_used_and_no_more() {
    let yaml = rbac(&["suggest", "--all"], &["audit.log"]).text(0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suggested.yaml");
    fs::write(&file, &yaml).unwrap();
    // The suggestion alone, as the only objects, explains every allowed request of its subjects.
    let log = data("rbac/audit.log");
    let (file, log) = (file.to_str().unwrap(), log.to_str().unwrap());
    let rows = run(["rbac", "usage", "-i", file, "-i", log, "-o", "jsonl"]).rows(0);
    let own = |row: &&Value| {
        row["binding_name"]
            .as_str()
            .unwrap()
            .starts_with("auditql:")
    };
    let unused: Vec<_> = rows
        .iter()
        .filter(own)
        .filter(|row| row["status"] != "used")
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
    assert_eq!(rows.iter().filter(own).count(), 5);
    // Not for parts of Kubernetes, masters, or what was refused.
    for absent in [
        "system:node",
        "root",
        "\"get\"]\n    resources: [\"secrets\"]\n    verbs",
    ] {
        assert!(!yaml.contains(absent), "{absent}: {yaml}");
    }
    let diff = rbac(
        &[
            "suggest",
            "--subject",
            "user:alice",
            "--diff",
            "-o",
            "jsonl",
        ],
        &["audit.log"],
    )
    .rows(0);
    let count = |change: &str| diff.iter().filter(|row| row["change"] == change).count();
    assert_eq!((count("keep"), count("remove"), count("add")), (4, 8, 0));
    let denied = rbac(
        &[
            "suggest",
            "--subject",
            "user:alice",
            "--include-denied",
            "-o",
            "jsonl",
        ],
        &["audit.log"],
    )
    .rows(0);
    assert!(
        denied
            .iter()
            .any(|row| row["resources"] == json!(["secrets"])),
        "{denied:?}"
    );
}

#[test]
fn replay_finds_the_decisions_that_the_objects_do_not_give() {
    let ran = rbac(&["replay", "-o", "jsonl"], &["audit.log"]);
    assert!(ran.rows(0).is_empty());
    assert!(
        ran.stderr
            .contains("7 agreed, 0 disagreed, 2 decided by others"),
        "{}",
        ran.stderr
    );
    let ran = rbac(&["replay", "-o", "jsonl"], &["audit.log", "flipped.log"]);
    let rows = ran.rows(1);
    assert_eq!(texts(&rows, "audit_id"), ["event-10", "event-11"]);
    assert_eq!(texts(&rows, "recorded"), ["allow", "forbid"]);
    assert_eq!(texts(&rows, "computed"), ["forbid", "allow"]);
    assert_eq!(rows[1]["binding"], "clusterrolebinding/view-pods");
    let names: Vec<_> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["audit_id", "recorded", "computed", "binding", "why"]
    );
    // A log without a single decision proves nothing.
    let folder = tempfile::tempdir().unwrap();
    let bare = without_decisions(folder.path());
    let ran = rbac(&["replay", "-o", "jsonl"], &[&bare]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing was checked"), "{}", ran.stderr);
}

/// The log, as an audit pipeline leaves it that drops annotations.
fn without_decisions(folder: &Path) -> String {
    let bare = folder.join("bare.log");
    let log = fs::read_to_string(data("rbac/audit.log")).unwrap();
    let strip = |line: &str| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        event.as_object_mut().unwrap().remove("annotations");
        format!("{event}\n")
    };
    fs::write(&bare, log.lines().map(strip).collect::<String>()).unwrap();
    bare.to_str().unwrap().to_owned()
}

#[test]
fn a_log_without_decisions_calls_nothing_unused() {
    let folder = tempfile::tempdir().unwrap();
    let bare = without_decisions(folder.path());
    for command in [
        "usage",
        "usage --by subject -o csv",
        "unused",
        "unused -o csv",
        "suggest --all",
        "suggest --subject user:alice",
        "what-if --remove clusterrolebinding/view-pods",
        "denied -o csv",
    ] {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.push("-q");
        let ran = rbac(&args, &[&bare]);
        assert_eq!(ran.text(3), "", "{command}");
        assert!(
            ran.stderr.contains("records no authorization decisions"),
            "{command}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_subject_that_is_misspelt_is_no_answer() {
    for command in ["usage", "risk", "suggest"] {
        let ran = rbac(&[command, "--subject", "user:alcie"], &["audit.log"]);
        assert_eq!(ran.text(2), "", "{command}");
        assert!(ran.stderr.contains("User:alcie"), "{}", ran.stderr);
    }
}

#[test]
fn a_replay_over_time_knows_what_was_granted_when() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let event = |second: u32, uri: &str, verb: &str, object: Value, more: Value| {
        let time = format!("2026-11-22T11:00:{second:02}.000000Z");
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
            "auditID": format!("t-{second}"), "stage": "ResponseComplete", "requestURI": uri,
            "verb": verb, "objectRef": object, "responseStatus": {"metadata": {}, "code": 200},
            "requestReceivedTimestamp": time, "stageTimestamp": time,
        });
        let members = event.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        format!("{event}\n")
    };
    let secret =
        json!({"resource": "secrets", "namespace": "web", "name": "db", "apiVersion": "v1"});
    let read = |second, decision: &str, reason: &str| {
        let more = json!({
            "user": {"username": "dave", "groups": ["system:authenticated"]},
            "annotations": {"authorization.k8s.io/decision": decision,
                "authorization.k8s.io/reason": reason},
        });
        event(
            second,
            "/api/v1/namespaces/web/secrets/db",
            "get",
            secret.clone(),
            more,
        )
    };
    let binding = json!({
        "kind": "RoleBinding", "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "dave", "namespace": "web", "uid": "1", "resourceVersion": "7"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "dave"}],
    });
    let uri = "/apis/rbac.authorization.k8s.io/v1/namespaces/web/rolebindings";
    let write = |second, verb: &str, code: u32, response: Value| {
        let object = json!({"resource": "rolebindings", "namespace": "web", "name": "dave",
            "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
        let more = json!({
            "user": {"username": "root", "groups": ["system:masters"]},
            "responseStatus": {"metadata": {}, "code": code}, "responseObject": response,
            "annotations": {"authorization.k8s.io/decision": "allow",
                "authorization.k8s.io/reason": ""},
        });
        let uri = if verb == "create" {
            uri.to_owned()
        } else {
            format!("{uri}/dave")
        };
        event(second, &uri, verb, object, more)
    };
    let by = "RBAC: allowed by RoleBinding \"dave/web\" of Role \"deployer\" to User \"dave\"";
    let text = [
        read(1, "forbid", ""),
        write(2, "create", 201, binding.clone()),
        read(3, "allow", by),
        write(4, "delete", 200, binding),
        read(5, "forbid", ""),
    ];
    fs::write(&log, text.concat()).unwrap();
    let log = log.to_str().unwrap();
    let rows = rbac(&["replay", "-o", "jsonl"], &[log]).rows(1);
    assert_eq!(texts(&rows, "audit_id"), ["t-3"]);
    assert!(
        rbac(&["replay", "--as-of-events", "-o", "jsonl"], &[log])
            .rows(0)
            .is_empty()
    );
}

#[test]
fn can_i_and_who_can_follow_the_rules() {
    let ask = |args: &[&str]| {
        let mut all = vec!["can-i"];
        all.extend(args);
        let ran = rbac(&all, &[]);
        (
            ran.code,
            String::from_utf8_lossy(&ran.stdout).trim().to_owned(),
        )
    };
    let (yes, no) = ((0, "yes".to_owned()), (1, "no".to_owned()));
    assert_eq!(ask(&["list", "pods", "-n", "web", "--as", "alice"]), yes);
    assert_eq!(ask(&["get", "pods/log", "--as", "alice"]), yes);
    assert_eq!(ask(&["get", "pods/exec", "-n", "web", "--as", "alice"]), no);
    let deployer = "system:serviceaccount:web:deployer";
    let deployments = ["patch", "deployments.apps", "-n", "web", "--as", deployer];
    assert_eq!(ask(&deployments), yes);
    assert_eq!(ask(&["patch", "deployments.apps", "--as", deployer]), no);
    assert_eq!(
        ask(&[
            "get", "secrets", "-n", "web", "--name", "db", "--as", deployer
        ]),
        yes
    );
    assert_eq!(ask(&["get", "secrets", "-n", "web", "--as", deployer]), no);
    assert_eq!(
        ask(&["delete", "nodes", "--as", "x", "--as-group", "ops"]),
        yes
    );
    assert_eq!(
        ask(&["get", "/metrics", "--as", "system:serviceaccount:mon:agent"]),
        yes
    );
    assert_eq!(
        ask(&[
            "get",
            "/metricsx",
            "--as",
            "system:serviceaccount:mon:agent"
        ]),
        no
    );
    let rows = rbac(
        &["who-can", "list", "pods", "-n", "web", "-o", "jsonl"],
        &[],
    )
    .rows(0);
    assert_eq!(texts(&rows, "subject_name"), ["ops", "alice", "alice"]);
    let rows = rbac(
        &["who-can", "list", "pods", "-n", "dev", "-o", "jsonl"],
        &[],
    )
    .rows(0);
    assert_eq!(texts(&rows, "subject_name"), ["ops", "alice"]);
}

#[test]
fn denied_explain_and_risk() {
    let rows = rbac(&["denied", "-o", "jsonl"], &["audit.log"]).rows(0);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["username"], "alice");
    assert_eq!(rows[0]["resource_names"], json!(["db"]));
    let ran = rbac(&["explain", "event-03", "-o", "jsonl"], &["audit.log"]);
    let rows = ran.rows(0);
    assert_eq!(
        texts(&rows, "binding"),
        ["clusterrolebinding/view-pods", "rolebinding/web/alice"]
    );
    assert!(
        ran.stderr.contains("2 grants of these objects allow it"),
        "{}",
        ran.stderr
    );
    let missing = rbac(&["explain", "none-such"], &["audit.log"]);
    assert_eq!(missing.code, 2);
    let rows = rbac(&["risk", "-o", "jsonl"], &["audit.log"]).rows(0);
    assert_eq!(rows[0]["risk"], "cluster-admin");
    let secrets = rows
        .iter()
        .find(|row| row["risk"] == "read-secrets" && row["subject_name"] == "deployer")
        .unwrap();
    assert_eq!(
        (&secrets["scope"], &secrets["uses"]),
        (&json!("web"), &json!(1))
    );
}

#[test]
fn objects_are_tables_and_are_counted() {
    let objects = data("rbac/objects.yaml");
    let objects = objects.to_str().unwrap();
    let ask = |sql: &str| run(["sql", sql, "-i", objects, "-o", "jsonl"]);
    let rows = ask("SELECT count(*) n, count(DISTINCT subject_name) s FROM rbac_grants").rows(0);
    assert_eq!(rows, [json!({"n": 20, "s": 4})]);
    let roles = "SELECT count(*) FILTER (WHERE is_bundled) b, count(*) n FROM rbac_roles";
    assert_eq!(ask(roles).rows(0), [json!({"b": 0, "n": 4})]);
    let ghosts = "SELECT binding_name FROM rbac_bindings WHERE NOT role_exists";
    assert_eq!(ask(ghosts).rows(0), [json!({"binding_name": "ghost"})]);
    let ran = ask("SELECT rule, verbs FROM rbac_rules WHERE role_name = 'deployer'");
    assert_eq!(
        ran.rows(0),
        [
            json!({"rule": 1, "verbs": ["get", "patch", "delete"]}),
            json!({"rule": 2, "verbs": ["get"]})
        ]
    );
    assert!(
        ran.stderr
            .contains("12 RBAC objects, 1 skipped (object of another kind 1)"),
        "{}",
        ran.stderr
    );
    // Over an input without objects the tables answer nothing, and that is no answer.
    let log = data("rbac/audit.log");
    let count = "SELECT count(*) n FROM rbac_roles";
    let ran = run(["sql", count, "-i", log.to_str().unwrap(), "-o", "jsonl"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no RBAC objects in the input"),
        "{}",
        ran.stderr
    );
}

#[test]
fn functions_decide_as_the_apiserver_does() {
    let sql = |question: &str| {
        let objects = data("rbac/objects.yaml");
        let log = data("rbac/audit.log");
        let inputs = [objects.to_str().unwrap(), log.to_str().unwrap()];
        run([
            "sql", question, "-o", "jsonl", "-i", inputs[0], "-i", inputs[1],
        ])
        .rows(0)
    };
    let decided = "rbac_decision(actor, actor_groups, verb, request_uri)";
    let rows = sql(&format!(
        "SELECT audit_id FROM requests WHERE {decided} <> authz_decision ORDER BY audit_id"
    ));
    // A member of system:masters and a node, whom RBAC is not asked about.
    assert_eq!(texts(&rows, "audit_id"), ["event-08", "event-09"]);
    let reasons = "SELECT count(*) n FROM requests WHERE authorizer = 'rbac' AND authz_reason <> '' \
        AND rbac_reason(actor, actor_groups, verb, request_uri) <> authz_reason";
    assert_eq!(sql(reasons), [json!({"n": 0})]);
    let covering = "SELECT role_name, rule FROM rbac_rules WHERE rbac_covers('get', \
        '/api/v1/namespaces/web/secrets/db', verbs, api_groups, resources, resource_names, \
        non_resource_urls) ORDER BY role_name";
    assert_eq!(
        sql(covering),
        [
            json!({"role_name": "cluster-admin", "rule": 1}),
            json!({"role_name": "deployer", "rule": 2})
        ]
    );
}

#[test]
fn manifests_of_any_shape_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    let yaml = fs::read_to_string(data("rbac/objects.yaml")).unwrap();
    let input = folder.path().to_str().unwrap().to_owned();
    let count = |more: &[&str]| {
        let mut args = vec!["sql", "SELECT count(*) n FROM rbac_bindings", "-i", &input];
        args.extend(["-o", "jsonl"]);
        args.extend(more);
        run(args)
    };
    // One file for each object, among other files.
    for (number, document) in yaml.split("\n---\n").enumerate() {
        write(&format!("{number}.yaml"), document.as_bytes());
    }
    write("notes.txt", b"nothing of interest\n");
    assert_eq!(count(&[]).rows(0), [json!({"n": 6})]);
    // A broken one costs itself, with its line.
    write(
        "broken.yaml",
        b"apiVersion: v1\nkind: Role\nmetadata:\n  name: [x\n",
    );
    let ran = count(&[]);
    assert_eq!(ran.rows(3), [json!({"n": 6})]);
    assert!(ran.stderr.contains("broken.yaml"), "{}", ran.stderr);
    fs::remove_file(folder.path().join("broken.yaml")).unwrap();
    // Manifests without Kubernetes' own roles stand on those of its defaults.
    fs::remove_file(folder.path().join("0.yaml")).unwrap();
    let bundled =
        "SELECT count(*) FILTER (WHERE is_bundled) > 50 AS is_on_defaults FROM rbac_roles";
    let rows = run(["sql", bundled, "-i", &input, "-o", "jsonl"]).rows(0);
    assert_eq!(rows, [json!({"is_on_defaults": true})]);
    // Through a pipe, and compressed.
    let from_stdin = |bytes: &[u8]| {
        let args = [
            "sql",
            "SELECT count(*) n FROM rbac_bindings",
            "-i",
            "-",
            "-o",
            "jsonl",
        ];
        run_with(args, Some(bytes)).rows(0)
    };
    assert_eq!(from_stdin(yaml.as_bytes()), [json!({"n": 6})]);
    let packed = crate::packers::gzip(yaml.as_bytes());
    assert_eq!(from_stdin(&packed), [json!({"n": 6})]);
}

#[test]
fn dumps_of_two_clusters_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let dump = |uid: &str| {
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "view", "uid": uid, "resourceVersion": "1"}, "rules": [],
        });
        json!({"apiVersion": "v1", "items": [role], "kind": "List"}).to_string()
    };
    for name in ["a", "b"] {
        fs::write(folder.path().join(format!("{name}.json")), dump(name)).unwrap();
    }
    let input = folder.path().to_str().unwrap();
    let ran = run(["rbac", "who-can", "get", "pods", "-i", input]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("two clusters"), "{}", ran.stderr);
}
