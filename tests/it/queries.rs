//! Every saved query, against the cases beside it, on the log and on the Parquet that it converts
//! to.
//!
//! A case file has prose around fenced blocks: an optional `json` event under `## base`, then for
//! each `## case` the `jsonl events` (merged over the base; `null` removes a member; members that
//! the base lacks stay byte for byte), optional `toml parameters`, and the `jsonl rows` expected:
//! only the columns named are compared, in order.

use std::{collections::BTreeSet, path::Path};

use auditql_engine::{SavedQuery, schema};
use serde_json::{Map, Value, value::RawValue};

use crate::bin::{Ran, data, run};

struct Case {
    name: String,
    events: String,
    parameters: Vec<String>,
    rows: Vec<Map<String, Value>>,
}

/// The fenced blocks of a Markdown text: (section, info string, content).
fn blocks(text: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut section = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.trim().to_owned();
        } else if let Some(info) = line.strip_prefix("```") {
            let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((section.clone(), info.trim().to_owned(), content.join("\n")));
        }
    }
    found
}

/// `over` merged into `base` as JSON texts: objects member by member, anything else replaced.
fn merge(base: &str, over: &str) -> String {
    let (Some(base_members), Some(over_members)) = (object(base), object(over)) else {
        return over.to_owned();
    };
    // Duplicate members of the event itself are what some cases are about: they are kept as they
    // are.
    let names: BTreeSet<&String> = over_members.iter().map(|(name, _)| name).collect();
    if names.len() < over_members.len() {
        return over.to_owned();
    }
    let mut members: Vec<(String, String)> = Vec::new();
    for (name, value) in base_members {
        match over_members.iter().find(|(key, _)| *key == name) {
            Some((_, over)) if over == "null" => {}
            Some((_, over)) => members.push((name, merge(&value, over))),
            None => members.push((name, value)),
        }
    }
    for (name, value) in over_members {
        if value != "null"
            && !members.iter().any(|(key, _)| *key == name)
            && object(base).is_some_and(|base| !base.iter().any(|(key, _)| *key == name))
        {
            members.push((name, value));
        }
    }
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The members of an object in order, duplicates included, values as they are written.
fn object(text: &str) -> Option<Vec<(String, String)>> {
    struct Members(Vec<(String, String)>);
    impl<'de> serde::Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Members;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                        members.push((name, value.get().to_owned()));
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    serde_json::from_str::<Members>(text)
        .ok()
        .map(|members| members.0)
}

fn cases(query: &SavedQuery) -> Vec<Case> {
    let mut base = "{}".to_owned();
    let mut cases: Vec<Case> = Vec::new();
    for (section, info, content) in blocks(&query.cases) {
        if section == "base" {
            base = content;
            continue;
        }
        if cases.last().is_none_or(|case| case.name != section) {
            cases.push(Case {
                name: section.clone(),
                events: String::new(),
                parameters: Vec::new(),
                rows: Vec::new(),
            });
        }
        let case = cases.last_mut().unwrap();
        let lines = content.lines().filter(|line| !line.trim().is_empty());
        match info.as_str() {
            "jsonl events" => case.events = lines.map(|line| merge(&base, line) + "\n").collect(),
            "jsonl rows" => {
                case.rows = lines
                    .map(|line| {
                        serde_json::from_str(line).unwrap_or_else(|error| {
                            panic!("{}: {section}: {error}: {line}", query.id)
                        })
                    })
                    .collect()
            }
            "toml parameters" => {
                case.parameters = lines
                    .map(|line| {
                        let (name, value) = line.split_once('=').unwrap();
                        let value = value.trim();
                        let value = match serde_json::from_str::<Value>(value) {
                            Ok(Value::String(text)) => text,
                            Ok(Value::Array(items)) => items
                                .iter()
                                .map(|item| item.as_str().unwrap())
                                .collect::<Vec<_>>()
                                .join(","),
                            _ => value.to_owned(),
                        };
                        format!("{}={value}", name.trim())
                    })
                    .collect();
            }
            other => panic!("{}: {section}: unknown block `{other}`", query.id),
        }
    }
    cases
}

fn ask(query: &SavedQuery, case: &Case, input: &Path) -> Ran {
    let mut args = vec![
        "run".to_owned(),
        query.id.clone(),
        "-i".to_owned(),
        input.display().to_string(),
        "-o".to_owned(),
        "jsonl".to_owned(),
    ];
    for parameter in &case.parameters {
        args.extend(["-P".to_owned(), parameter.clone()]);
    }
    run(args)
}

fn check(query: &SavedQuery, case: &Case, failures: &mut Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let parquet = folder.path().join("events.parquet");
    std::fs::write(&log, &case.events).unwrap();
    let mut fail = |what: String| failures.push(format!("{}: {}: {what}", query.id, case.name));
    let on_log = ask(query, case, &log);
    if on_log.code != 0 {
        return fail(format!("exit {}: {}", on_log.code, on_log.stderr));
    }
    let rows: Vec<Map<String, Value>> = String::from_utf8_lossy(&on_log.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown = |rows: &[Map<String, Value>]| {
        rows.iter()
            .map(|row| Value::Object(row.clone()).to_string())
            .collect::<Vec<_>>()
            .join("\n")
    };
    if rows.len() != case.rows.len() {
        return fail(format!(
            "{} rows instead of {}:\n{}",
            rows.len(),
            case.rows.len(),
            shown(&rows)
        ));
    }
    for (index, (row, expected)) in rows.iter().zip(&case.rows).enumerate() {
        for (column, value) in expected {
            if row.get(column) != Some(value) {
                fail(format!(
                    "row {index}: {column} is {:?} instead of {value}",
                    row.get(column)
                ));
            }
        }
    }
    if case.events.is_empty() {
        return;
    }
    let converted = run([
        "convert",
        "-q",
        "-i",
        log.to_str().unwrap(),
        "--to",
        parquet.to_str().unwrap(),
    ]);
    let on_parquet = ask(query, case, &parquet);
    if converted.code != 0 || on_parquet.stdout != on_log.stdout {
        fail(format!(
            "on Parquet (exit {}):\n{}{}",
            on_parquet.code,
            String::from_utf8_lossy(&on_parquet.stdout),
            on_parquet.stderr
        ));
    }
}

#[test]
fn every_case_of_every_query() {
    let mut work: Vec<(&SavedQuery, Case)> = Vec::new();
    for query in SavedQuery::library() {
        let found = cases(query);
        assert!(
            found.iter().any(|case| !case.rows.is_empty()),
            "{}: no case that must match",
            query.id
        );
        assert!(
            found.iter().any(|case| case.rows.is_empty()),
            "{}: no case that must not",
            query.id
        );
        work.extend(found.into_iter().map(|case| (query, case)));
    }
    let queue = std::sync::Mutex::new(work.iter());
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((query, case)) = next else { return };
                    let mut mine = Vec::new();
                    check(query, case, &mut mine);
                    failures.lock().unwrap().extend(mine);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} failures in {} cases:\n{}",
        failures.len(),
        work.len(),
        failures.join("\n")
    );
}

#[test]
fn the_library_is_well_formed() {
    assert_eq!(SavedQuery::broken(), [] as [&str; 0]);
    assert_eq!(schema::broken(), [] as [&str; 0]);
    let found: Vec<String> = SavedQuery::library()
        .iter()
        .flat_map(|query| {
            query
                .lint()
                .into_iter()
                .map(|what| format!("{}: {what}", query.id))
        })
        .collect();
    assert_eq!(found, [] as [&str; 0]);
    let ids: BTreeSet<&str> = SavedQuery::library()
        .iter()
        .map(|query| query.id.as_str())
        .collect();
    assert_eq!(
        ids.len(),
        SavedQuery::library().len(),
        "two queries have one id"
    );
    for promised in [
        "requests-by-actor",
        "denied-requests",
        "failed-authentication",
        "anonymous-requests",
        "secrets-read-by-humans",
        "pod-exec-sessions",
        "rbac-changes",
        "rbac-binding-usage",
        "cluster-admin-usage",
        "privileged-pods-created",
        "deprecated-api-usage",
        "slow-requests",
    ] {
        assert!(ids.contains(promised), "{promised} is an id for good");
    }
}

#[test]
fn every_query_has_rows_in_the_sample_and_the_same_on_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let parquet = folder.path().join("sample.parquet");
    let sample = data("sample");
    assert_eq!(
        run([
            "convert",
            "-q",
            "-i",
            sample.to_str().unwrap(),
            "--to",
            parquet.to_str().unwrap()
        ])
        .code,
        0
    );
    for query in SavedQuery::library() {
        let ask = |input: &Path| {
            run([
                "run",
                &query.id,
                "-i",
                input.to_str().unwrap(),
                "-o",
                "jsonl",
            ])
        };
        let (log, parquet) = (ask(&sample), ask(&parquet));
        assert!(
            !log.rows(0).is_empty(),
            "{} finds nothing in the sample",
            query.id
        );
        assert_eq!(log.text(0), parquet.text(0), "{}", query.id);
    }
}
