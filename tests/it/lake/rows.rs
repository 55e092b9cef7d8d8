//! What a lake holds: the rows, the views, the evidence and the original events of its logs.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use super::{EVENTS, texts};
use crate::{
    bin::{data, run, sql},
    lake_fixture::{Cluster, Lake, assert_same, identities, sum},
};

const VIEWS: [&str; 14] = [
    "requests",
    "unfinished_requests",
    "exec_sessions",
    "denials",
    "admission_decisions",
    "object_writes",
    "object_versions",
    "credentials",
    "sessions",
    "log_gaps",
    "pod_specs",
    "containers",
    "rbac_changes",
    "secret_reads",
];

#[test]
fn a_lake_gives_the_rows_of_the_logs() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let sample = data("sample");
    let account = lake.take(&[&sample]);
    assert_eq!(
        (&account["read"], &account["events"]),
        (&json!(885), &json!(885))
    );
    assert_eq!(account["inputs"].as_array().unwrap().len(), 3);
    let (raw, kept) = (sql(EVENTS, &sample), lake.ask(EVENTS, &[]));
    assert_same(&texts(&kept), &texts(&raw));
    let names = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&kept[0]), names(&raw[0]), "columns and their order");
    let views: Vec<String> = VIEWS
        .iter()
        .map(|view| format!("SELECT * FROM {view}"))
        .collect();
    let views = views.join("; ");
    assert_same(
        &texts(&lake.ask(&views, &[])),
        &texts(&sql(&views, &sample)),
    );
    let hashes = "SELECT count(DISTINCT event_hash) hashes, count(event_hash) hashed, count(DISTINCT source_id) sources, \
        count(source_id) known FROM events";
    assert_eq!(
        lake.ask(hashes, &[]),
        [json!({"hashes": 885, "hashed": 885, "sources": 3, "known": 885})]
    );
    assert_eq!(
        sql(hashes, &sample),
        [json!({"hashes": 0, "hashed": 0, "sources": 0, "known": 0})]
    );
    for query in ["rbac-binding-usage", "requests-by-actor"] {
        let answer = |input: &str| run(["run", query, "-i", input, "-o", "jsonl"]).text(0);
        let sorted = |text: String| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(
            sorted(answer(&lake.uri)),
            sorted(answer(sample.to_str().unwrap())),
            "{query}"
        );
    }
}

#[test]
fn the_evidence_is_that_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    lake.take(&[data("sample")]);
    let rows = lake.ask(
        "SELECT uri, from_offset, to_offset, lines, sha256, stored_bytes, records, events, rejects, skipped, duplicates, days, \
         first_time < last_time AS spans FROM sources ORDER BY uri",
        &[],
    );
    assert_eq!(rows.len(), 3, "{rows:#?}");
    let of = |name: &str| {
        rows.iter()
            .find(|row| row["uri"].as_str().unwrap().ends_with(name))
            .unwrap()
    };
    // What `wc`, `sha256sum` and `ls` say of the file.
    let plain = of("/audit.log");
    for (column, value) in [
        ("from_offset", json!(0)),
        ("to_offset", json!(517_060)),
        ("stored_bytes", json!(517_060)),
        ("lines", json!(445)),
        (
            "sha256",
            json!("10efbe53493dab520ebd814d58b816c0372f25791d49f393b4872c2dbcf9c680"),
        ),
        ("records", json!(445)),
        ("events", json!(445)),
        ("rejects", json!(0)),
        ("skipped", json!(0)),
        ("duplicates", json!(0)),
        ("spans", json!(true)),
    ] {
        assert_eq!(plain[column], value, "{column}");
    }
    let packed = of(".log.gz");
    assert_eq!(
        (
            &packed["to_offset"],
            &packed["lines"],
            &packed["stored_bytes"]
        ),
        (&json!(319_882), &json!(400), &json!(17_238))
    );
    assert_eq!(
        packed["sha256"],
        "a0965ed71af50ec53165cbdc17578d1315dbda77c34951b6a8ec02a421e0f6df"
    );
    for row in &rows {
        let days = match &row["days"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            days => days.clone(),
        };
        assert_eq!(sum(&days), row["events"].as_u64().unwrap(), "{row}");
    }
    assert_eq!(lake.rows_of("sources", &[], 0).len(), 3);
}

#[test]
fn the_original_events_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let lake = Lake::in_folder(path("lake"));
    let (one, two) = (
        Cluster::new("one").log(0..230),
        Cluster::new("two").log(0..120),
    );
    fs::write(path("one.log"), &one).unwrap();
    fs::write(path("two.log"), &two).unwrap();
    let sample = fs::read_to_string(data("sample/audit.log")).unwrap();
    lake.take(&[path("one.log"), path("two.log"), data("sample/audit.log")]);
    lake.holds(&(one.clone() + &two + &sample));
    for (from, to) in [
        ("lake", "back.jsonl"),
        ("lake", "back.parquet"),
        ("back.parquet", "again.jsonl"),
    ] {
        assert_eq!(
            run([
                "convert",
                "-i",
                path(from).to_str().unwrap(),
                "--to",
                path(to).to_str().unwrap()
            ])
            .code,
            0,
            "{to}"
        );
    }
    for name in ["back.jsonl", "again.jsonl"] {
        assert_same(
            &identities(&fs::read_to_string(path(name)).unwrap()),
            &identities(&(one.clone() + &two + &sample)),
        );
    }
    let source = lake.ask(
        "SELECT DISTINCT source_id FROM sources WHERE uri LIKE '%two.log'",
        &[],
    )[0]["source_id"]
        .clone();
    assert_same(
        &identities(&lake.exported(&["--source", source.as_str().unwrap()])),
        &identities(&two),
    );
    let window = lake.exported(&["--since", "2026-11-02", "--until", "2026-11-04"]);
    assert_same(
        &identities(&window),
        &identities(&(Cluster::new("one").log(50..150) + &Cluster::new("two").log(50..120))),
    );
}

#[test]
fn hostile_events_are_kept_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let hostile = data("hostile/round-trip.jsonl");
    let lake = Lake::in_folder(path("lake"));
    assert_eq!(lake.added(&[&hostile]), 403);
    assert_same(
        &texts(&lake.ask(EVENTS, &[])),
        &texts(&sql(EVENTS, &hostile)),
    );
    // serde_json refuses some of them: they are compared as the texts that raw logs give.
    assert_eq!(
        run([
            "convert",
            "-i",
            hostile.to_str().unwrap(),
            "--to",
            path("raw.jsonl").to_str().unwrap()
        ])
        .code,
        0
    );
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_same(
        &lines(&lake.exported(&[])),
        &lines(&fs::read_to_string(path("raw.jsonl")).unwrap()),
    );
    // The same once more in another order, though most of them have no time.
    let text = fs::read_to_string(&hostile).unwrap();
    let turned: Vec<&str> = text.split_terminator('\n').rev().collect();
    fs::write(path("turned.jsonl"), turned.join("\n") + "\n").unwrap();
    assert_eq!(lake.added(&[path("turned.jsonl")]), 0);
    assert_eq!(lake.count(), 403);
}

#[test]
fn a_long_log_that_is_read_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut log: Vec<u8> = Vec::new();
    let made = auditql_benches::generate(&mut log, 24_000_000, 11).unwrap();
    fs::write(path("whole.log"), &log).unwrap();
    let totals = "SELECT count(*) n, count(DISTINCT audit_id || stage) ids, sum(source_line) lines, sum(source_offset) offsets, \
        sum(event_bytes) bytes, sum(CAST(latency_ms * 1000 AS BIGINT)) us, count(request_object) bodies FROM events";
    let lake = Lake::in_folder(path("lake"));
    let mut added = 0;
    for part in [9_000_001, 9_000_002, 17_654_321, log.len()] {
        fs::write(path("audit.log"), &log[..part]).unwrap();
        added += lake.added(&[path("audit.log")]);
    }
    assert_eq!(added, made.events);
    assert_eq!(lake.ask(totals, &[]), sql(totals, &path("whole.log")));
}
