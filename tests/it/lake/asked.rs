//! Lakes asked together with other lakes and logs, and within a window.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{EVENTS, texts};
use crate::{
    bin::{data, run},
    lake_fixture::{Cluster, Lake, assert_same},
};

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
