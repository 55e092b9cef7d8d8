//! `auditql check`: what it finds and on which lines, how each form of the report looks, and with
//! which code it ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{EVENT, log};
use crate::bin::{Ran, data, run, run_with};
use crate::screens::compare;

/// Queries that these tests know, by severity, in the order of the library. The others have their cases.
const KNOWN: [(&str, bool); 13] = [
    ("anonymous-requests", false),
    ("denied-requests", false),
    ("failed-authentication", false),
    ("pod-exec-sessions", false),
    ("requests-by-actor", true),
    ("secrets-read-by-humans", false),
    ("audit-id-reuse", false),
    ("privileged-pods-created", false),
    ("deprecated-api-usage", false),
    ("slow-requests", true),
    ("cluster-admin-usage", false),
    ("rbac-binding-usage", true),
    ("rbac-changes", false),
];

/// The arguments that choose queries, unless these do: as without any, inventories are left out.
fn chosen(more: &[&str]) -> Vec<&'static str> {
    let is_given = |word: &str| more.contains(&word);
    if is_given("--query") || is_given("--pack") {
        return Vec::new();
    }
    let all = more.windows(2).any(|pair| pair == ["--severity", "info"]);
    let queries = KNOWN.iter().filter(|(_, is_info)| all || !is_info);
    let mut words: Vec<&str> = queries.flat_map(|(id, _)| ["--query", id]).collect();
    if !is_given("--severity") {
        words.extend(["--severity", "low"]);
    }
    words
}

fn check(input: &Path, more: &[&str]) -> Ran {
    let input = input.to_str().unwrap();
    let chosen = chosen(more);
    run([&["check", "-q", "-i", input], &chosen[..], more].concat())
}

/// A query or log of these tests.
fn own(name: &str) -> String {
    data("check").join(name).to_str().unwrap().to_owned()
}

fn document(input: &Path, more: &[&str], code: i32) -> Value {
    let ran = check(input, &[&["-o", "json"], more].concat());
    serde_json::from_str(&ran.text(code)).unwrap()
}

fn status(document: &Value, query: &str) -> String {
    let queries = document["queries"].as_array().unwrap();
    let found = queries.iter().find(|found| found["id"] == query).unwrap();
    found["status"].as_str().unwrap().to_owned()
}

#[test]
fn every_finding_leads_to_lines_of_the_log() {
    let sample = data("sample").join("audit.log");
    let text = fs::read_to_string(&sample).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let found = check(
        &sample,
        &["--severity", "info", "--fail-on", "none", "-o", "jsonl"],
    )
    .rows(0);
    let mut by_query: BTreeMap<String, usize> = BTreeMap::new();
    for finding in &found {
        let query = finding["query"].as_str().unwrap();
        *by_query.entry(query.to_owned()).or_default() += 1;
        for member in [
            "pack",
            "title",
            "severity",
            "message",
            "time",
            "fingerprint",
        ] {
            assert!(finding[member].is_string(), "{member}: {finding}");
        }
        assert!(finding["row"].is_object() && finding["principal"] != json!(""));
        let evidence = finding["evidence"].as_array().unwrap();
        let total = finding["evidence_total"].as_u64().unwrap();
        assert!(!evidence.is_empty() && evidence.len() <= 20, "{finding}");
        assert!(total >= evidence.len() as u64, "{finding}");
        for line in evidence {
            let number = line["source_line"].as_u64().unwrap() as usize;
            let event: Value = serde_json::from_str(lines[number - 1]).unwrap();
            assert_eq!(event["auditID"], line["audit_id"]);
            let file = line["source_file"].as_str().unwrap();
            assert!(file.ends_with("audit.log"), "{file}");
        }
        // Queries that count say how many; each request stands on one line.
        let row = &finding["row"];
        for count in ["requests", "attempts"] {
            if let Some(count) = row.get(count).and_then(Value::as_u64)
                && query != "audit-id-reuse"
            {
                assert_eq!(total, count, "{finding}");
            }
        }
    }
    for query in [
        "requests-by-actor",
        "failed-authentication",
        "anonymous-requests",
        "cluster-admin-usage",
        "rbac-binding-usage",
        "rbac-changes",
        "pod-exec-sessions",
    ] {
        assert!(by_query.contains_key(query), "{query}: {by_query:?}");
    }
}

#[test]
fn findings_are_the_same_on_a_log_a_file_and_a_lake_and_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let sample = data("sample").join("audit.log");
    let findings = |input: &Path, more: &[&str]| -> Vec<(String, Value)> {
        let options = ["--severity", "info", "--fail-on", "none", "-o", "jsonl"];
        let rows = check(input, &[&options, more].concat()).rows(0);
        let mut rows: Vec<_> = rows
            .iter()
            .map(|row| {
                let ids = row["evidence"].as_array().unwrap().iter();
                let ids: Vec<&Value> = ids.map(|line| &line["audit_id"]).collect();
                let known = json!([row["message"], row["evidence_total"], ids]);
                (row["fingerprint"].to_string(), known)
            })
            .collect();
        rows.sort_by_key(|row| format!("{row:?}"));
        rows
    };
    let expected = findings(&sample, &[]);
    assert!(expected.len() > 100, "{}", expected.len());
    let convert = |name: &str| {
        let to = folder.path().join(name);
        let to = to.to_str().unwrap();
        let log = sample.to_str().unwrap();
        assert_eq!(run(["convert", "-q", "-i", log, "--to", to]).code, 0);
        to.to_owned()
    };
    for name in ["events.parquet", "lake/"] {
        assert_eq!(findings(Path::new(&convert(name)), &[]), expected, "{name}");
    }
    let reversed = folder.path().join("reversed.log");
    let text = fs::read_to_string(&sample).unwrap();
    let lines: Vec<&str> = text.lines().rev().collect();
    fs::write(&reversed, lines.join("\n") + "\n").unwrap();
    let fingerprints = |findings: Vec<(String, Value)>| -> Vec<String> {
        findings.into_iter().map(|finding| finding.0).collect()
    };
    let expected = fingerprints(expected);
    assert_eq!(fingerprints(findings(&reversed, &[])), expected);
    // Few queries are asked without a conversion before them.
    let one = ["--query", "denied-requests"];
    let few = fingerprints(findings(&sample, &one));
    assert!(!few.is_empty() && few.iter().all(|print| expected.contains(print)));
}

#[test]
fn evidence_goes_through_joins_and_severity_can_be_of_the_row() {
    let log = own("joined.jsonl");
    let query = ["--query", &own("joined.sql"), "--fail-on", "critical"];
    let found = document(Path::new(&log), &query, 1);
    let findings = found["findings"].as_array().unwrap();
    let shown: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let ids = finding["evidence"].as_array().unwrap().iter();
            let ids: Vec<&Value> = ids.map(|line| &line["audit_id"]).collect();
            json!([
                finding["message"],
                finding["severity"],
                finding["principal"],
                ids
            ])
        })
        .collect();
    let expected = [
        json!([
            "alice: 2 refused, 1 allowed get secrets",
            "critical",
            "alice",
            ["a", "b", "c"]
        ]),
        // What is no severity is that of the query.
        json!([
            "bob: 1 refused, 1 allowed get pods",
            "critical",
            "bob",
            ["d", "e"]
        ]),
    ];
    assert_eq!(shown, expected);
    assert_eq!(findings[0]["pack"], "own");
}

#[test]
fn a_query_that_fails_is_an_error_of_that_query() {
    let sample = data("sample");
    let (divides, no_table) = (own("divides.sql"), own("no-table.sql"));
    let more = ["--pack", "rbac", "--query", &divides, "--query", &no_table];
    let found = document(&sample, &more, 2);
    assert_eq!(status(&found, "divides"), "error");
    assert_eq!(status(&found, "no-table"), "error");
    assert_eq!(status(&found, "rbac-changes"), "findings");
    let reasons = found["queries"].to_string();
    assert!(
        reasons.to_lowercase().contains("divide by zero"),
        "{reasons}"
    );
    let table = check(&sample, &more).text(2);
    assert!(table.contains("errors: 2\n  divides: "), "{table}");
    let junit = check(&sample, &[&more[..], &["-o", "junit"]].concat()).text(2);
    assert!(
        junit.contains("errors=\"2\"") && junit.contains("<error message="),
        "{junit}"
    );
}

#[test]
fn a_log_without_events_has_no_findings_and_is_told() {
    let (_folder, empty) = log("");
    let ran = check(Path::new(&empty), &["-o", "json"]);
    let found: Value = serde_json::from_str(&ran.text(3)).unwrap();
    assert!(
        ran.stderr.contains("no audit events in the input"),
        "{}",
        ran.stderr
    );
    for query in found["queries"].as_array().unwrap() {
        assert_eq!(query["status"], "none", "{query}");
    }
    assert_eq!(check(Path::new(&empty), &["--allow-empty"]).code, 0);
    assert_eq!(run(["check"]).code, 2);
}

#[test]
fn what_a_log_cannot_show_is_not_evaluable() {
    let log = own("metadata.jsonl");
    let log = Path::new(&log);
    let found = document(log, &[], 0);
    assert_eq!(status(&found, "privileged-pods-created"), "not evaluable");
    assert_eq!(status(&found, "secrets-read-by-humans"), "findings");
    assert_eq!(status(&found, "pod-exec-sessions"), "none");
    let queries = found["queries"].as_array().unwrap().iter();
    let pods = queries
        .clone()
        .find(|query| query["id"] == "privileged-pods-created")
        .unwrap();
    assert_eq!(pods["coverage"], json!({"enough": 0, "looked_at": 1}));
    assert!(
        pods["reason"]
            .as_str()
            .unwrap()
            .contains("1 is recorded at Metadata"),
        "{pods}"
    );
    // Said whatever the form, and fails only if that is asked for.
    for form in ["table", "jsonl", "sarif", "junit", "markdown"] {
        let ran = check(log, &["-o", form, "--fail-on", "not-evaluable"]);
        let said = ran.text(1).to_lowercase() + &ran.stderr;
        assert!(said.contains("not evaluable"), "{form}: {said}");
    }
}

#[test]
fn accepted_findings_do_not_fail_until_they_expire() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accepted.jsonl");
    let accepted = file.to_str().unwrap();
    let sample = data("sample");
    let fail_on = ["--fail-on", "low"];
    let with = |more: &[&str]| check(&sample, &[&fail_on, more].concat());
    assert_eq!(with(&[]).code, 1);
    assert_eq!(with(&["--write-accept", accepted]).code, 0);
    let table = with(&["--accept", accepted]).text(0);
    assert!(table.contains(" accepted"), "{table}");
    let sarif = with(&["--accept", accepted, "-o", "sarif"]).text(0);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        assert_eq!(result["suppressions"][0]["status"], "accepted", "{result}");
    }
    let text = fs::read_to_string(&file).unwrap();
    for (until, code) in [("\"2000-01-01\"", 1), ("\"2999-01-01\"", 0)] {
        fs::write(
            &file,
            text.replace("\"until\":null", &format!("\"until\":{until}")),
        )
        .unwrap();
        assert_eq!(with(&["--accept", accepted]).code, code, "{until}");
    }
    // What holds is kept when the file is written again.
    assert_eq!(
        with(&["--accept", accepted, "--write-accept", accepted]).code,
        0
    );
    assert!(fs::read_to_string(&file).unwrap().contains("2999-01-01"));
    for wrong in [
        "nonsense",
        "{}",
        r#"{"fingerprint":"a","reason":" "}"#,
        r#"{"fingerprint":"a","reason":"b","until":"soon"}"#,
    ] {
        fs::write(&file, format!("# a comment\n\n{wrong}\n")).unwrap();
        let ran = with(&["--accept", accepted]);
        assert_eq!(ran.code, 2, "{wrong}");
        assert!(ran.stderr.contains("accepted.jsonl:3: "), "{}", ran.stderr);
    }
}

#[test]
fn exit_codes() {
    let sample = data("sample");
    assert_eq!(check(&sample, &["--fail-on", "critical"]).code, 0);
    assert_eq!(check(&sample, &["--fail-on", "none"]).code, 0);
    assert_eq!(check(&sample, &["--fail-on", "low"]).code, 1);
    let (_folder, broken) = log(&format!("{EVENT}\nnot JSON\n"));
    for fail_on in ["low", "none"] {
        assert_eq!(check(Path::new(&broken), &["--fail-on", fail_on]).code, 3);
    }
    for wrong in [
        &["--pack", "acces"][..],
        &["--query", "secrets-reed"],
        &["--severity", "bad"],
        &["-o", "csv"],
        &["-o", "json", "-o", "sarif"],
        &["--pack", "performance", "--severity", "critical"],
        &["--accept", "no-such-file"],
    ] {
        assert_eq!(check(&sample, wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn several_outputs_in_one_run_and_none_of_them_over_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (sarif, junit) = (file("a.sarif"), file("a.xml"));
    let (to_sarif, to_junit) = (format!("sarif={sarif}"), format!("junit={junit}"));
    let more = [
        "-o",
        "jsonl",
        "-o",
        &to_sarif,
        "-o",
        &to_junit,
        "--fail-on",
        "none",
    ];
    let ran = check(&data("sample"), &more);
    assert!(!ran.rows(0).is_empty());
    let sarif: Value = serde_json::from_str(&fs::read_to_string(sarif).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(fs::read_to_string(junit).unwrap().contains("</testsuites>"));
    let (_folder, log) = log(EVENT);
    let over = format!("json={log}");
    assert_eq!(check(Path::new(&log), &["-o", &over]).code, 2);
    assert_eq!(fs::read_to_string(&log).unwrap(), EVENT);
}

#[test]
fn sarif_has_rules_results_and_places() {
    let text = check(&data("sample"), &["-o", "sarif", "--fail-on", "none"]).text(0);
    let sarif: Value = serde_json::from_str(&text).unwrap();
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["help"]["text"].is_string()));
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 20);
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(result["partialFingerprints"]["auditql/v1"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.starts_with("file:///") && !uri.contains(' '), "{uri}");
        assert!(place["region"]["startLine"].as_u64() > Some(0), "{result}");
    }
}

#[test]
fn log_text_is_hostile_in_every_form() {
    let log = own("hostile.jsonl");
    let log = Path::new(&log);
    for form in ["table", "json", "jsonl", "sarif", "junit", "markdown"] {
        let text = check(log, &["-o", form, "--severity", "info"]).text(1);
        assert!(
            !text.contains(['\u{1b}', '\u{202e}', '\u{7}']),
            "{form}: {text}"
        );
        match form {
            "junit" => {
                assert!(!text.contains("]]>") && !text.contains("<b>"), "{text}");
            }
            "markdown" => {
                assert!(!text.contains("[x](") && !text.contains("<b>"), "{text}");
            }
            "sarif" => {
                let sarif: Value = serde_json::from_str(&text).unwrap();
                let result = &sarif["runs"][0]["results"][0];
                let message = result["message"]["text"].as_str().unwrap();
                assert!(
                    message.contains("\\[x\\](https") && message.contains("{{0}}"),
                    "{message}"
                );
            }
            _ => {}
        }
    }
    // The row is the row, whatever is in it.
    let rows = check(log, &["-o", "jsonl", "--query", "secrets-read-by-humans"]).rows(0);
    let actor = rows[0]["row"]["actor"].as_str().unwrap();
    assert!(
        actor.starts_with("=cmd|") && actor.ends_with("\nsecond line"),
        "{actor}"
    );
}

#[test]
fn a_log_from_stdin_is_read_once() {
    let event = fs::read(own("joined.jsonl")).unwrap();
    for more in [&["--severity", "info"][..], &["--query", "denied-requests"]] {
        let chosen = chosen(more);
        let words = [
            &["check", "-i", "-", "-o", "json", "--fail-on", "none"],
            &chosen[..],
            more,
        ]
        .concat();
        let ran = run_with(words, Some(&event));
        let found: Value = serde_json::from_str(&ran.text(0)).unwrap();
        assert_eq!(status(&found, "denied-requests"), "findings");
        assert_eq!(found["account"]["events"], 7);
        assert!(
            ran.stderr.contains("read 7 records: 7 events"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn the_screen_for_people() {
    for (name, input) in [
        ("sample", data("sample")),
        ("metadata", data("check").join("metadata.jsonl")),
        ("hostile", data("check").join("hostile.jsonl")),
    ] {
        let screen = check(&input, &["--fail-on", "none"]).text(0);
        for line in screen.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        compare(&format!("check-{name}"), &screen);
    }
}
