//! Every saved query, against the cases beside it, on the log and on the Parquet that it converts
//! to.
//!
//! A case file has prose around fenced blocks: an optional `json` event under `## base`, then for
//! each `## case` the `jsonl events` (merged over the base; `null` removes a member; members that
//! the base lacks stay byte for byte), optional `toml parameters`, `csv NAME` (rows of a lookup table)
//! and `jsonl earlier` (events of the baseline), and the `jsonl rows` expected: only the columns named
//! are compared, in order.
//!
//! A third of the queries is also tried on Parquet, through `check`, and without bodies; with
//! `AUDITQL_TEST_FULL=1` all of them.
//!
//! `AUDITQL_TEST_LIBRARY=FOLDER` tests a library of one's own in place of the shipped one, and
//! `AUDITQL_TEST_QUERIES=ID,ID` only some queries of it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use auditql_engine::{SavedQuery, schema};
use serde_json::{Map, Value, value::RawValue};

use crate::bin::{Ran, data, run};

struct Case {
    name: String,
    events: String,
    parameters: Vec<String>,
    /// Lookup tables: name and CSV.
    tables: Vec<(String, String)>,
    /// Events of the baseline.
    earlier: Option<String>,
    rows: Vec<Map<String, Value>>,
}

/// The folder of a library of one's own.
static OWN: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folder = PathBuf::from(std::env::var_os("AUDITQL_TEST_LIBRARY")?);
    SavedQuery::add_library(&folder).unwrap();
    Some(folder)
});

/// The queries under test.
fn tested() -> Vec<&'static SavedQuery> {
    LazyLock::force(&OWN);
    let own = OWN.as_ref().map(|folder| {
        let files = walkdir::WalkDir::new(folder)
            .into_iter()
            .map(Result::unwrap);
        let files = files.map(|file| {
            file.path()
                .with_extension("")
                .file_name()
                .unwrap()
                .to_owned()
        });
        files.collect::<BTreeSet<_>>()
    });
    let chosen = std::env::var("AUDITQL_TEST_QUERIES").ok();
    let is_chosen = |id: &str| {
        let chosen = chosen.as_deref().unwrap_or_default();
        chosen.is_empty() || chosen.split(',').any(|name| name == id)
    };
    let queries = SavedQuery::library().iter();
    let is_own = |id: &str| {
        own.as_ref()
            .is_none_or(|own| own.contains(std::ffi::OsStr::new(id)))
    };
    let tested: Vec<_> = queries
        .filter(|query| is_own(&query.id) && is_chosen(&query.id))
        .collect();
    assert!(!tested.is_empty(), "there are such queries");
    tested
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
                tables: Vec::new(),
                earlier: None,
                rows: Vec::new(),
            });
        }
        let case = cases.last_mut().unwrap();
        let lines = content.lines().filter(|line| !line.trim().is_empty());
        match info.as_str() {
            "jsonl events" => case.events = lines.map(|line| merge(&base, line) + "\n").collect(),
            "jsonl earlier" => {
                case.earlier = Some(lines.map(|line| merge(&base, line) + "\n").collect());
            }
            table if table.starts_with("csv ") => {
                let name = table.trim_start_matches("csv ").to_owned();
                case.tables.push((name, content.clone()));
            }
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

/// Runs a command that takes what a case gives.
fn ask(command: &[&str], case: &Case, folder: &Path, input: &Path) -> Ran {
    let mut args: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
    args.extend(["-i".to_owned(), input.display().to_string()]);
    // A case may have no events, and a query may look at RBAC objects only if there are any.
    args.push("--allow-empty".to_owned());
    for (name, rows) in &case.tables {
        let file = folder.join(format!("{name}.csv"));
        std::fs::write(&file, rows).unwrap();
        args.extend(["--table".to_owned(), format!("{name}={}", file.display())]);
    }
    if let Some(earlier) = &case.earlier {
        let file = folder.join("earlier.log");
        std::fs::write(&file, earlier).unwrap();
        args.extend(["--baseline-input".to_owned(), file.display().to_string()]);
    }
    if let Some(library) = &*OWN {
        args.extend(["--library".to_owned(), library.display().to_string()]);
    }
    run(args)
}

fn answer(query: &SavedQuery, case: &Case, folder: &Path, input: &Path) -> Ran {
    let mut command = vec!["run", query.id.as_str(), "-o", "jsonl"];
    for parameter in &case.parameters {
        command.extend(["-P", parameter]);
    }
    ask(&command, case, folder, input)
}

fn check(query: &SavedQuery, case: &Case, is_first: bool, failures: &mut Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let parquet = folder.path().join("events.parquet");
    std::fs::write(&log, &case.events).unwrap();
    let mut fail = |what: String| failures.push(format!("{}: {}: {what}", query.id, case.name));
    let on_log = answer(query, case, folder.path(), &log);
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
    if !is_first || case.events.is_empty() {
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
    let on_parquet = answer(query, case, folder.path(), &parquet);
    if converted.code != 0 || on_parquet.stdout != on_log.stdout {
        fail(format!(
            "on Parquet (exit {}):\n{}{}",
            on_parquet.code,
            String::from_utf8_lossy(&on_parquet.stdout),
            on_parquet.stderr
        ));
    }
    if case.parameters.is_empty() {
        check_findings(query, case, rows.len(), folder.path(), &log, &mut fail);
    }
}

/// Queries about the log or the RBAC objects as a whole, whose rows do not rest on some of its lines.
const WITHOUT_LINES: [&str; 4] = [
    "inactive-identities",
    "log-level-coverage",
    "log-required-fields",
    "personal-data-in-log",
];

/// The findings of a case: as many as rows, each with a line behind it; and none that could be trusted
/// where the log holds less than the query needs.
fn check_findings(
    query: &SavedQuery,
    case: &Case,
    rows: usize,
    folder: &Path,
    log: &Path,
    fail: &mut dyn FnMut(String),
) {
    let command = [
        "check",
        "--query",
        &query.id,
        "--severity",
        "info",
        "-o",
        "json",
    ];
    let found = ask(&command, case, folder, log);
    let Ok(report) = serde_json::from_slice::<Value>(&found.stdout) else {
        return fail(format!("check: exit {}: {}", found.code, found.stderr));
    };
    let findings = report["findings"].as_array().unwrap();
    if findings.len() != rows {
        let answer = &report["queries"][0];
        fail(format!(
            "check finds {} of {rows} rows: {answer}",
            findings.len()
        ));
    }
    for finding in findings {
        if !WITHOUT_LINES.contains(&query.id.as_str())
            && finding["evidence"].as_array().is_none_or(Vec::is_empty)
        {
            fail(format!("a finding without evidence: {}", finding["row"]));
        }
    }
    if query.header.level.name() == "Metadata" {
        return;
    }
    let below: String = case
        .events
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|mut event| {
            event["level"] = "Metadata".into();
            let members = event.as_object_mut().unwrap();
            members.remove("requestObject");
            members.remove("responseObject");
            event.to_string() + "\n"
        })
        .collect();
    let metadata = folder.join("metadata.log");
    std::fs::write(&metadata, below).unwrap();
    let found = ask(&command, case, folder, &metadata);
    let report: Value = serde_json::from_slice(&found.stdout).unwrap_or_default();
    let status = report["queries"][0]["status"].as_str().unwrap_or_default();
    if !["not evaluable", "partly"].contains(&status) && report["queries"][0]["reason"] == "" {
        fail(format!("at level Metadata the answer is `{status}`"));
    }
}

#[test]
fn every_case_of_every_query() {
    let is_full = OWN.is_some() || std::env::var_os("AUDITQL_TEST_FULL").is_some();
    let mut work: Vec<(&SavedQuery, Case, bool)> = Vec::new();
    for (place, query) in tested().into_iter().enumerate() {
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
        // Each third query with its Parquet and its findings, unless all are wanted.
        let is_probed = is_full || place.is_multiple_of(3);
        let first = found.iter().position(|case| !case.rows.is_empty());
        let first = first.filter(|_| is_probed);
        let found = found.into_iter().enumerate();
        work.extend(found.map(|(index, case)| (query, case, Some(index) == first)));
    }
    let queue = std::sync::Mutex::new(work.iter());
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((query, case, is_first)) = next else {
                        return;
                    };
                    let mut mine = Vec::new();
                    check(query, case, *is_first, &mut mine);
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

/// Ids that scripts use.
const PROMISED: [&str; 12] = [
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
];

#[test]
fn the_library_is_well_formed() {
    // The library is read once: with what the user adds.
    LazyLock::force(&OWN);
    assert_eq!(SavedQuery::broken(), [] as [&str; 0]);
    assert_eq!(schema::broken(), [] as [&str; 0]);
    let found: Vec<String> = tested()
        .into_iter()
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
    for promised in PROMISED {
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
    let ask = |input: &Path| {
        let ran = run([
            "check",
            "--severity",
            "info",
            "-o",
            "json",
            "-i",
            input.to_str().unwrap(),
        ]);
        let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
        let rows = |query: &SavedQuery| {
            let findings = report["findings"].as_array().unwrap().iter();
            let mut rows: Vec<String> = findings
                .filter(|finding| finding["query"] == query.id.as_str())
                .map(|finding| finding["row"].to_string())
                .collect();
            rows.sort();
            rows
        };
        SavedQuery::library().iter().map(rows).collect::<Vec<_>>()
    };
    let (log, parquet) = (ask(&sample), ask(&parquet));
    let answers = SavedQuery::library().iter().zip(log.iter().zip(&parquet));
    for (query, (log, parquet)) in answers {
        assert!(
            !log.is_empty() || !PROMISED.contains(&query.id.as_str()),
            "{} finds nothing in the sample",
            query.id
        );
        assert_eq!(log, parquet, "{}", query.id);
    }
}
