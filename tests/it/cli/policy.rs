//! `auditql policy`: screens for people as snapshots, rows and exit codes for programs, and the levels
//! of recorded events against the policy that recorded them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bin::{Ran, data, run, run_with, sql};
use crate::screens::compare;

/// A policy of the tests.
fn policy(name: &str) -> String {
    text(&data("policy").join(name))
}

/// A policy in the shape of one that a provider publishes.
fn published(name: &str) -> String {
    text(&data("../../engine/src/policy/fixtures").join(name))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn sample(name: &str) -> PathBuf {
    data("sample").join(name)
}

const WEBHOOK: &str = "webhook-00001.json";
const METADATA: &str = "audit-2026-11-22T10-28-28.612.log.gz";

/// A run in the folder of the policies, so that no path of this machine stands in a screen.
fn screen(args: &[&str], code: i32) -> String {
    let ran = run_in_data(args);
    ran.text(code)
}

fn run_in_data(args: &[&str]) -> Ran {
    let output = crate::bin::command()
        .args(args)
        .current_dir(data("policy"))
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn fits(screen: &str) {
    for line in screen.lines() {
        let is_word = line.trim().split(' ').count() == 1;
        assert!(line.chars().count() <= 80 || is_word, "{line}");
    }
}

#[test]
fn lint_says_what_is_refused_and_what_is_regretted() {
    for (name, code) in [("refused", 2), ("regretted", 1), ("careful", 0)] {
        let file = format!("{name}.yaml");
        let shown = screen(&["policy", "lint", &file], code);
        fits(&shown);
        compare(&format!("policy-lint-{name}"), &shown);
        let rows = run(["policy", "lint", &policy(&file), "-o", "jsonl", "-q"]).rows(code);
        let places = shown.lines().filter(|line| line.starts_with(&file)).count();
        assert_eq!(rows.len(), places, "{name}");
        for row in rows {
            assert!(row["line"].is_u64() && row["mend"].is_string(), "{row}");
        }
    }
    let careful = fs::read(policy("careful.yaml")).unwrap();
    let ran = run_with(["policy", "lint", "-"], Some(&careful));
    assert_eq!(ran.text(0), "");
    assert!(
        ran.stderr.contains("stdin: 3 rules, nothing found"),
        "{}",
        ran.stderr
    );
}

#[test]
fn policies_that_cannot_be_read_are_errors() {
    let folder = text(&data("policy"));
    let missing = policy("missing.yaml");
    let refused = policy("refused.yaml");
    let log = text(&sample(WEBHOOK));
    for (args, says) in [
        (vec!["policy", "lint", &missing], "cannot read"),
        (vec!["policy", "lint", &folder], "cannot read"),
        (
            vec!["policy", "simulate", &refused, "-i", &log],
            "the apiserver refuses this policy",
        ),
        (vec!["policy", "coverage", &refused], "line 4: "),
        (
            vec!["policy", "explain", &policy("careful.yaml")],
            "-i INPUT, or a request",
        ),
        (vec!["policy", "simulate", "-", "-i", "-"], "stdin is both"),
        (
            vec!["policy", "coverage"],
            "a policy, a log with -i INPUT, or both",
        ),
        (
            vec!["policy", "simulate", &policy("careful.yaml")],
            "there is no input",
        ),
        (vec!["policy", "suggest"], "there is no input"),
    ] {
        let ran = run(&args);
        assert_eq!((ran.code, ran.text(2).as_str()), (2, ""), "{args:?}");
        assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn one_request_is_explained_in_words() {
    let request = |words: &str| {
        let mut args = vec!["policy", "explain", "recorded.yaml"];
        args.extend(words.split(' '));
        screen(&args, 0)
    };
    let of_alice = "--namespace web --name front --user alice --group system:authenticated";
    let shown = request(&format!(
        "--verb update --resource deployments.apps/scale {of_alice}"
    ));
    fits(&shown);
    compare("policy-explain-request", &shown);
    let by_parts = request(&format!(
        "--verb update --resource deployments --subresource scale --api-group apps {of_alice}"
    ));
    assert_eq!(shown, by_parts);
    let path = request("--path /readyz/ping --user system:anonymous");
    assert!(
        path.starts_with("rule 1 decides: the request is not recorded"),
        "{path}"
    );
    let uri = request("--path /api/v1/namespaces/web/secrets/x --user alice");
    assert!(uri.starts_with("rule 2 decides"), "{uri}");
    let row = &run([
        "policy",
        "explain",
        &policy("recorded.yaml"),
        "--verb",
        "list",
        "--resource",
        "pods",
        "--user",
        "alice",
        "-o",
        "jsonl",
    ])
    .rows(0)[0];
    assert_eq!(
        (&row["rule"], &row["level"]),
        (&4.into(), &"Metadata".into())
    );
    assert_eq!(row["omit_stages"], Value::from(vec!["RequestReceived"]));
    assert_eq!(row["passed_over"].as_array().map(Vec::len), Some(3));
    let ran = run([
        "policy",
        "explain",
        &policy("recorded.yaml"),
        "--resource",
        "pods",
    ]);
    assert!(
        ran.code == 2 && ran.stderr.contains("--verb"),
        "{}",
        ran.stderr
    );
}

/// The level of each event as recorded, against what its policy decides.
fn levels_agree(file: &str, log: &Path) {
    let input = text(log);
    let recorded = sql(
        "SELECT audit_id, level FROM events ORDER BY source_offset, stage_timestamp, audit_id, level",
        log,
    );
    let mut explained = run(["policy", "explain", file, "-i", &input, "-o", "jsonl"]).rows(0);
    assert_eq!(explained.len(), recorded.len());
    let key = |row: &Value| (row["audit_id"].to_string(), row["level"].to_string());
    let mut expected: Vec<_> = recorded.iter().map(key).collect();
    expected.sort();
    explained.sort_by_key(key);
    assert_eq!(explained.iter().map(key).collect::<Vec<_>>(), expected);
    let keys: Vec<_> = explained[0].as_object().unwrap().keys().cloned().collect();
    for column in [
        "audit_id",
        "rule",
        "level",
        "omit_stages",
        "omit_managed_fields",
    ] {
        assert!(keys.iter().any(|key| key == column), "{column}");
    }
    assert_eq!(keys.len(), 5);
}

#[test]
fn recorded_levels_are_those_of_the_policy() {
    levels_agree(&policy("recorded.yaml"), &sample(WEBHOOK));
    let folder = tempfile::tempdir().unwrap();
    let metadata = folder.path().join("metadata.yaml");
    let text_of = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n";
    fs::write(&metadata, text_of).unwrap();
    levels_agree(&text(&metadata), &sample(METADATA));
}

#[test]
fn a_policy_without_a_match_decides_by_no_rule() {
    let (_folder, log) = super::log(&format!("{}\n", super::EVENT));
    let file = tempfile::NamedTempFile::new().unwrap();
    let text_of = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [Panic]\nrules:\n- level: Metadata\n  users: [bob]\n";
    fs::write(file.path(), text_of).unwrap();
    let rows = run([
        "policy",
        "explain",
        &text(file.path()),
        "-i",
        &log,
        "-o",
        "jsonl",
    ])
    .rows(0);
    let expected = serde_json::json!({
        "audit_id": "a-1", "rule": null, "level": "None", "omit_stages": ["Panic"],
        "omit_managed_fields": false,
    });
    assert_eq!(rows, [expected]);
}

#[test]
fn a_simulation_with_the_policy_of_the_log_records_the_log() {
    let log = text(&sample(WEBHOOK));
    let simulate = |file: &str, more: &[&str]| {
        let mut args = vec!["policy", "simulate", file, "-i", &log, "-o", "jsonl"];
        args.extend(more);
        run(args)
    };
    let recorded = policy("recorded.yaml");
    let rows = simulate(&recorded, &[]).rows(0);
    let mut events = 0;
    for row in &rows {
        events += row["events"].as_u64().unwrap();
        assert_eq!(row["events"], row["recorded_events"], "{row}");
        assert_eq!(row["bytes"], row["recorded_bytes"], "{row}");
        assert_eq!(row["bodies_unknown"], 0, "{row}");
    }
    let counted = sql(
        "SELECT count(*) AS n, sum(event_bytes) AS bytes FROM events",
        &sample(WEBHOOK),
    );
    assert_eq!(counted[0]["n"], events);
    let bytes: u64 = rows.iter().filter_map(|row| row["bytes"].as_u64()).sum();
    assert_eq!(counted[0]["bytes"], bytes);
    assert_eq!(
        simulate(&recorded, &["--by", "query"]).rows(0),
        [] as [Value; 0]
    );
}

#[test]
fn a_simulation_says_what_is_lost() {
    let log = "../sample/audit.log";
    let shown = screen(&["policy", "simulate", "-q", "careful.yaml", "-i", log], 0);
    fits(&shown);
    compare("policy-simulate", &shown);
    let input = text(&sample("audit.log"));
    let careful = policy("careful.yaml");
    let args = [
        "policy", "simulate", &careful, "-i", &input, "--by", "query", "-o", "jsonl",
    ];
    let rows = run(args).rows(0);
    let pods = rows
        .iter()
        .find(|row| row["query"] == "privileged-pods-created");
    let pods = pods.expect("Metadata has no pod spec");
    assert!(
        pods["requests"].as_u64() > Some(0) && pods["recorded_requests"] == 0,
        "{pods}"
    );
}

#[test]
fn coverage_of_a_policy_a_log_and_both() {
    for (name, args) in [
        ("policy", vec!["policy", "coverage", "careful.yaml"]),
        (
            "log",
            vec!["policy", "coverage", "-q", "-i", "../sample/audit.log"],
        ),
        (
            "both",
            vec![
                "policy",
                "coverage",
                "-q",
                "careful.yaml",
                "-i",
                "../sample/audit.log",
            ],
        ),
    ] {
        let shown = screen(&args, 0);
        fits(&shown);
        compare(&format!("policy-coverage-{name}"), &shown);
    }
    let metadata = text(&sample(METADATA));
    let rows = run(["policy", "coverage", "-i", &metadata, "-o", "jsonl"]).rows(0);
    assert_eq!(rows.len(), auditql_engine::SavedQuery::library().len());
    let status = |id: &str| {
        let row = rows.iter().find(|row| row["query"] == id).unwrap();
        row["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("privileged-pods-created"), "unknown");
    assert_eq!(status("requests-by-actor"), "evaluable");
}

#[test]
fn a_level_that_is_too_low_is_not_evaluable() {
    let event = super::EVENT
        .replace(
            "/api/v1/namespaces/ns/pods?limit=5",
            "/api/v1/namespaces/ns/pods",
        )
        .replace(r#""verb":"list""#, r#""verb":"create""#);
    let full = event.replace(r#""level":"Metadata""#, r#""level":"Request""#);
    for (events, status, enough) in [
        (event.clone(), "not evaluable", 0),
        (format!("{event}\n{full}"), "partly evaluable", 1),
        (full, "evaluable", 1),
    ] {
        let (_folder, log) = super::log(&events);
        let rows = run(["policy", "coverage", "-i", &log, "-o", "jsonl"]).rows(0);
        let row = rows
            .iter()
            .find(|row| row["query"] == "privileged-pods-created")
            .unwrap();
        assert_eq!(
            (&row["status"], &row["enough"]),
            (&status.into(), &enough.into()),
            "{row}"
        );
    }
}

#[test]
fn suggestions_save_what_they_say() {
    let log = "../sample/audit-2026-11-22T10-28-28.612.log.gz";
    let shown = screen(
        &["policy", "suggest", "-q", "-i", log, "--min-saving", "5"],
        0,
    );
    compare("policy-suggest", &shown);
    let input = text(&sample(METADATA));
    let rows = run(["policy", "suggest", "-i", &input, "-o", "jsonl"]).rows(0);
    assert!(
        rows.iter()
            .any(|row| row["change"] == "omit-request-received")
    );
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("new.yaml");
    for base in [None, Some(policy("recorded.yaml"))] {
        let mut args = vec!["policy", "suggest", "-q", "-i", &input, "-o", "yaml"];
        args.extend(base.as_deref());
        let yaml = run(args).text(0);
        fs::write(&written, &yaml).unwrap();
        let file = text(&written);
        assert!(run(["policy", "lint", "-q", &file]).code < 2, "{yaml}");
        let rows = run([
            "policy", "simulate", &file, "-i", &input, "-o", "jsonl", "-q",
        ])
        .rows(0);
        let sum = |column: &str| {
            rows.iter()
                .filter_map(|row| row[column].as_u64())
                .sum::<u64>()
        };
        assert!(sum("recorded_bytes") < sum("bytes"), "{yaml}");
        assert!(sum("recorded_events") > 0, "{yaml}");
    }
}

#[test]
fn published_policies_are_read() {
    let log = text(&sample("audit.log"));
    for name in ["aks.yaml", "documented.yaml", "eks.yaml", "gke.yaml"] {
        let file = published(name);
        assert_eq!(run(["policy", "lint", "-q", &file]).code, 1, "{name}");
        let explained = run(["policy", "explain", &file, "-i", &log, "-o", "jsonl", "-q"]);
        assert_eq!(explained.rows(0).len(), 445, "{name}");
        let covered = run(["policy", "coverage", &file, "-o", "jsonl"]).rows(0);
        assert!(
            covered.iter().any(|row| row["status"] == "evaluable"),
            "{name}"
        );
    }
}

#[test]
fn a_partial_input_is_told() {
    let (_folder, log) = super::log(&format!("{{\"auditID\":}}\n{}\n", super::EVENT));
    let careful = policy("careful.yaml");
    for args in [
        vec!["policy", "simulate", &careful, "-i", &log],
        vec!["policy", "explain", &careful, "-i", &log],
        vec!["policy", "coverage", "-i", &log],
        vec!["policy", "suggest", "-i", &log],
    ] {
        assert_eq!(run(&args).code, 3, "{args:?}");
    }
}
