//! Lakes as inputs: the rows and views of the logs they were made from, alone and together with
//! other inputs, within a window, from folders with odd names; the original events again; and what
//! is refused.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    bin::{data, run, run_with, sql},
    lake_fixture::{Cluster, Lake, assert_same, files, identities, sum},
};

const VIEWS: [&str; 8] = [
    "requests",
    "unfinished_requests",
    "exec_sessions",
    "object_writes",
    "pod_specs",
    "containers",
    "rbac_changes",
    "secret_reads",
];

/// Every column that raw logs have, too.
const EVENTS: &str = "SELECT * FROM events";

/// Rows as texts, without what only a lake knows.
fn texts(rows: &[Value]) -> Vec<String> {
    let members = |row: &Value| -> serde_json::Map<String, Value> {
        let members = row
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "source_id" | "event_hash"));
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    rows.iter()
        .map(|row| Value::Object(members(row)).to_string())
        .collect()
}

/// What several inputs answer together.
#[track_caller]
fn ask(inputs: &[&Path], question: &str, more: &[&str]) -> Vec<Value> {
    let mut args = vec!["sql", question, "-o", "jsonl"];
    for input in inputs {
        args.extend(["-i", input.to_str().unwrap()]);
    }
    args.extend(more);
    run(args).rows(0)
}

#[track_caller]
fn count(inputs: &[&Path], more: &[&str]) -> Value {
    ask(inputs, "SELECT count(*) n FROM events", more)[0]["n"].clone()
}

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

#[test]
fn lakes_and_logs_are_asked_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let lakes = ["a", "b"].map(|name| {
        fs::write(path(&format!("{name}.log")), Cluster::new(name).log(0..120)).unwrap();
        let lake = Lake::in_folder(path(&format!("lake-{name}")));
        assert_eq!(lake.added(&[path(&format!("{name}.log"))]), 120);
        lake
    });
    let (a, b) = (lakes[0].folder(), lakes[1].folder());
    let sample = data("sample/audit.log");
    assert_eq!(count(&[a, b], &[]), 240);
    assert_eq!(count(&[a, &sample], &[]), 565);
    assert_eq!(count(&[&sample, b, a, &path("a.log")], &[]), 805);
    let by_log = "SELECT split_part(audit_id, '-', 1) log, count(*) n FROM events WHERE username = 'alice' GROUP BY ALL ORDER BY 1";
    assert_eq!(
        ask(&[b, &path("a.log")], by_log, &[]),
        ask(&[a, &path("b.log")], by_log, &[])
    );
    assert_eq!(
        ask(&[a, b, &sample], "SELECT count(*) n FROM sources", &[]),
        [json!({"n": 2})]
    );
    // A view over both.
    let requests = "SELECT count(*) n FROM requests";
    assert_eq!(
        ask(&[a, &path("b.log")], requests, &[]),
        ask(&[&path("a.log"), &path("b.log")], requests, &[])
    );
    for window in [
        ["--since", "2026-11-02T03:04:05Z", "--until", "2026-11-03"],
        [
            "--since",
            "2026-11-01",
            "--until",
            "2026-11-01T00:00:00.000001Z",
        ],
        ["--since", "2026-11-03", "--until", "2099-01-01"],
        ["--since", "2001-01-01", "--until", "2026-11-01"],
    ] {
        let kept = ask(&[a], EVENTS, &window);
        assert_same(
            &texts(&kept),
            &texts(&ask(&[&path("a.log")], EVENTS, &window)),
        );
        assert_eq!(
            count(&[a, &path("b.log")], &window),
            2 * kept.len(),
            "{window:?}"
        );
    }
}

#[test]
fn days_that_are_not_asked_for_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    fs::write(&log, Cluster::new("days").log(0..200)).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    assert_eq!(lake.added(&[&log]), 200);
    let question = "SELECT count(*) n FROM events WHERE date = '2026-11-02'";
    let plan = lake.asked(&format!("EXPLAIN {question}"), &[]).text(0);
    assert!(!plan.contains("date=2026-11-04"), "{plan}");
    // Nothing shows that a file is not read as well as its absence.
    for file in lake.live() {
        if !file.contains("date=2026-11-02") {
            fs::remove_file(lake.folder().join("events").join(file)).unwrap();
        }
    }
    let by_time = "SELECT count(*) n FROM events WHERE stage_timestamp >= '2026-11-02' AND stage_timestamp < '2026-11-03'";
    assert_eq!(lake.ask(question, &[]), [json!({"n": 50})]);
    assert_eq!(lake.ask(by_time, &[]), [json!({"n": 50})]);
    assert_eq!(
        lake.ask(
            "SELECT count(*) n FROM requests",
            &["--since", "2026-11-02", "--until", "2026-11-03"]
        ),
        [json!({"n": 25})]
    );
    // And where a file is missed, that is no smaller number.
    assert_ne!(
        lake.asked("SELECT count(DISTINCT audit_id) n FROM events", &[])
            .code,
        0
    );
}

#[test]
fn a_folder_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("ä b%20c=d.log");
    fs::write(&log, Cluster::new("odd").log(0..60)).unwrap();
    for name in [
        "with space/per%20cent%",
        "zoë-日本/key=value",
        "date=1999-01-01/lake",
        "a+b&c#d?e;f'g/[x]*{y}",
    ] {
        let lake = Lake::in_folder(folder.path().join(name));
        assert_eq!(lake.added(&[&log]), 60, "{name}");
        assert_eq!(lake.added(&[&log]), 0, "{name}");
        // Folders named by dates in front of a lake say nothing of what it holds.
        assert_eq!(
            lake.ask("SELECT count(*) n FROM events", &["--since", "2026-11-02"]),
            [json!({"n": 10})],
            "{name}"
        );
        lake.rows_of("verify", &[], 0);
        lake.rows_of("optimize", &[], 0);
        lake.holds(&Cluster::new("odd").log(0..60));
    }
}

#[test]
fn what_a_lake_cannot_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("audit.log"), Cluster::new("log").log(0..20)).unwrap();
    let refused = |ran: crate::bin::Ran, says: &str| {
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(
            ran.stderr.to_lowercase().contains(&says.to_lowercase()),
            "{}",
            ran.stderr
        );
        for rusty in [
            "Error(",
            "panicked",
            "DeltaTable",
            "DataFusionError",
            "ObjectStore",
            "RUST_BACKTRACE",
        ] {
            assert!(!ran.stderr.contains(rusty), "{}", ran.stderr);
        }
    };
    let convert = |input: &str, to: &str, more: &[&str]| {
        let (input, to) = (path(input), path(to));
        run([
            "convert",
            "-i",
            input.to_str().unwrap(),
            "--to",
            to.to_str().unwrap(),
        ]
        .iter()
        .chain(more))
    };
    // A lake that lacks events for good, because a window was set once.
    refused(
        convert("audit.log", "lake", &["--since", "2026-11-01"]),
        "--since",
    );
    refused(
        convert("audit.log", "lake", &["--until", "2026-11-01"]),
        "--until",
    );
    assert!(!path("lake").exists());
    assert_eq!(convert("audit.log", "events.parquet", &[]).code, 0);
    refused(convert("events.parquet", "lake", &[]), "parquet");
    refused(convert("none.log", "lake", &[]), "none.log");
    let lake = Lake::in_folder(path("lake"));
    assert_eq!(lake.added(&[path("audit.log")]), 20);
    refused(convert("lake", "other-lake", &[]), "lake");
    refused(convert("lake", "lake", &[]), "lake");
    refused(convert("events.parquet", "lake", &[]), "parquet");
    lake.holds(&Cluster::new("log").log(0..20));
    // A folder that is something else stays what it is.
    fs::create_dir_all(path("photos/2026")).unwrap();
    fs::write(path("photos/2026/me.jpg"), "no lake").unwrap();
    let before = files(&path("photos"));
    refused(convert("audit.log", "photos", &[]), "photos");
    assert_eq!(files(&path("photos")), before);
    fs::write(path("file"), "text").unwrap();
    refused(convert("audit.log", "file", &[]), "file");
    // An empty one will do.
    fs::create_dir(path("empty")).unwrap();
    assert_eq!(convert("audit.log", "empty", &[]).code, 0);
    for place in ["photos", "nowhere", "audit.log"] {
        let place = path(place);
        let verbs: [&[&str]; 7] = [
            &["sources"],
            &["history"],
            &["verify"],
            &["optimize"],
            &["vacuum"],
            &["expire", "--older-than", "1d"],
            &["export", "--to", "out.jsonl"],
        ];
        for verb in verbs {
            let mut command = crate::bin::command();
            // Should it write, then not into the sources.
            command
                .current_dir(folder.path())
                .args(["lake", verb[0], place.to_str().unwrap()])
                .args(&verb[1..]);
            refused(
                crate::lake_fixture::run(&mut command),
                place.file_name().unwrap().to_str().unwrap(),
            );
        }
    }
    assert_eq!(files(&path("photos")), before);
    assert!(!path("nowhere").exists() && !path("out.jsonl").exists());
    refused(
        run([
            "sql",
            "SELECT 1 FROM events",
            "-i",
            &lake.uri,
            "--as-of",
            "999",
        ]),
        "999",
    );
    refused(
        run([
            "sql",
            "SELECT 1 FROM events",
            "-i",
            &lake.uri,
            "--as-of",
            "never",
        ]),
        "never",
    );
}

#[test]
fn stdin_is_a_source_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("pipe");
    for log in [cluster.log(0..40), cluster.log(0..40), cluster.log(0..70)] {
        let ran = run_with(
            ["convert", "-i", "-", "--to", &lake.uri],
            Some(log.as_bytes()),
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        lake.holds(&log);
    }
    // And what was piped once is known when it comes as a file.
    let file = folder.path().join("audit.log");
    fs::write(&file, cluster.log(0..75)).unwrap();
    assert_eq!(lake.added(&[&file]), 5);
    lake.rows_of("verify", &[], 0);
}

#[test]
fn a_lake_among_its_inputs_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::new("near");
    fs::write(folder.path().join("audit.log"), cluster.log(0..60)).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    assert_eq!(lake.added(&[folder.path()]), 60);
    lake.holds(&cluster.log(0..60));
    // From now on it finds itself.
    let again = lake.convert(&[folder.path()]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    lake.holds(&cluster.log(0..60));
}
