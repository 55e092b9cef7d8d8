//! The command line as its users and scripts see it.

use std::fs;

use serde_json::json;

use crate::bin::{data, run, run_with, sql};

const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a-1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/ns/pods?limit=5","verb":"list","user":{"username":"alice","groups":["g"]},"sourceIPs":["10.0.0.1"],"userAgent":"kubectl","objectRef":{"resource":"pods","namespace":"ns","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-11-22T10:00:00.000000Z","stageTimestamp":"2026-11-22T10:00:00.250000Z","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}"#;

fn log(content: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn the_sample_answers_the_first_question() {
    let sample = data("sample");
    let sample = sample.to_str().unwrap();
    let ran = run([
        "sql",
        "SELECT username, verb, resource, count(*) n FROM requests GROUP BY ALL ORDER BY n DESC LIMIT 10",
        "-i",
        sample,
    ]);
    assert_eq!(ran.text(0).lines().count(), 12);
    assert!(
        ran.stderr.contains("read 885 records: 885 events"),
        "{}",
        ran.stderr
    );
}

#[test]
fn every_output_writes_every_column() {
    let (_folder, log) = log(&format!("{EVENT}\n"));
    for output in [
        "table", "line", "csv", "tsv", "json", "jsonl", "markdown", "yaml", "arrow", "parquet",
    ] {
        for table in [
            "events",
            "requests",
            "exec_sessions",
            "object_writes",
            "pod_specs",
            "containers",
            "rbac_changes",
            "secret_reads",
            "unfinished_requests",
            "rejects",
        ] {
            let ran = run([
                "sql",
                &format!("SELECT * FROM {table}"),
                "-i",
                &log,
                "-o",
                output,
            ]);
            assert_eq!(ran.code, 0, "{output} {table}: {}", ran.stderr);
        }
    }
    let ran = run([
        "sql",
        "SELECT username, latency_ms, stage_timestamp, date, user_groups, annotations, response_code, unknown_fields FROM events",
        "-i",
        &log,
        "-o",
        "json",
    ]);
    let rows: serde_json::Value = serde_json::from_str(&ran.text(0)).unwrap();
    assert_eq!(
        rows,
        json!([{"username": "alice", "latency_ms": 250.0, "stage_timestamp": "2026-11-22T10:00:00.250000Z", "date": "2026-11-22", "user_groups": ["g"],
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}, "response_code": 200, "unknown_fields": null}])
    );
}

#[test]
fn log_text_is_hostile() {
    let event = EVENT.replace("\"kubectl\"", r#""=1+1\u001b[2J\u202e|<b>\n,x""#);
    let (_folder, log) = log(&format!("{event}\n"));
    let ask = |output: &str| {
        run([
            "sql",
            "SELECT user_agent FROM events",
            "-i",
            &log,
            "-o",
            output,
        ])
        .text(0)
    };
    assert_eq!(
        ask("csv"),
        "user_agent\n\"'=1+1\u{1b}[2J\u{202e}|<b>\n,x\"\n"
    );
    for output in ["table", "line", "markdown"] {
        let text = ask(output);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{output}: {text:?}");
    }
    assert!(ask("markdown").contains("\\|&lt;b&gt;"));
    assert_eq!(
        ask("jsonl"),
        "{\"user_agent\":\"=1+1\\u001b[2J\\u202e|<b>\\n,x\"}\n"
    );
}

#[test]
fn what_cannot_be_read_is_counted_told_and_exits_3() {
    let (_folder, log) = log(&format!(
        "{EVENT}\nnot json\n{{\"kind\":\"Event\",\"aud\n{EVENT}\n{{\"other\":1}}\n"
    ));
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("run.json");
    let ran = run([
        "sql",
        "SELECT count(*) FROM events",
        "-i",
        &log,
        "-o",
        "csv",
        "--summary",
        summary.to_str().unwrap(),
    ]);
    assert_eq!(ran.text(3), "count(*)\n2\n");
    assert!(
        ran.stderr.contains(&format!("{log}:2: invalid JSON")),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("read 5 records: 2 events, 2 rejected (invalid JSON 2), 1 skipped (not an audit event 1)"),
        "{}",
        ran.stderr
    );
    let summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(summary).unwrap()).unwrap();
    assert_eq!(
        (&summary["read"], &summary["events"]),
        (&json!(5), &json!(2))
    );
    assert_eq!(summary["rejects"], json!({"invalid JSON": 2}));
    let rows = run([
        "sql",
        "SELECT source_line, reason, record FROM rejects ORDER BY 1",
        "-i",
        &log,
        "-o",
        "jsonl",
    ])
    .rows(3);
    assert_eq!(
        rows[0],
        json!({"source_line": 2, "reason": "invalid JSON", "record": "not json"})
    );
    assert_eq!(rows[1]["source_line"], 3);
}

#[test]
fn an_incomplete_tail_is_being_written() {
    let (_folder, log) = log(&format!("{EVENT}\n{}", &EVENT[..200]));
    let ran = run([
        "sql",
        "SELECT count(*) FROM events",
        "-i",
        &log,
        "-o",
        "csv",
    ]);
    assert_eq!(ran.text(0), "count(*)\n1\n");
    assert!(
        ran.stderr.contains("1 skipped (incomplete tail 1)"),
        "{}",
        ran.stderr
    );
}

#[test]
fn inputs_come_in_any_way() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    let line = format!("{EVENT}\n").into_bytes();
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    let bzip2 = |bytes: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    let xz = |bytes: &[u8]| {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    // Two members each, names that say nothing, folders in folders.
    fs::create_dir_all(folder.path().join("a/b.log")).unwrap();
    write("a/b.log/one", [gzip(&line), gzip(&line)].concat());
    write("a/two.gz", [zstd(&line), zstd(&line)].concat());
    write("a/three.zst", [bzip2(&line), bzip2(&line)].concat());
    write("four.txt", [xz(&line), xz(&line)].concat());
    write("five", gzip(&gzip(&line)));
    write(
        "six.log",
        [
            b"\xef\xbb\xbf".to_vec(),
            EVENT.replace("Z\",\"ann", "Z\"\r\n,\"ann").into_bytes(),
        ]
        .concat(),
    );
    write("empty", Vec::new());
    let path = folder.path().to_str().unwrap();
    let count = |args: &[&str], stdin: Option<&[u8]>| {
        let mut all = vec!["sql", "SELECT count(*) n FROM events", "-q", "-o", "csv"];
        all.extend(args);
        run_with(all, stdin).text(0)
    };
    assert_eq!(count(&["-i", path], None), "n\n10\n");
    assert_eq!(count(&["-i", &format!("{path}/a/*")], None), "n\n6\n");
    assert_eq!(
        count(
            &[
                "-i",
                &format!("{path}/five"),
                "-i",
                &format!("{path}/six.log")
            ],
            None
        ),
        "n\n2\n"
    );
    assert_eq!(count(&["-i", "-"], Some(&line)), "n\n1\n");
    assert_eq!(count(&["-i", "-"], Some(&gzip(&line))), "n\n1\n");
    // A view that reads its input twice reads stdin once.
    let ran = run_with(
        [
            "sql",
            "SELECT count(*) n FROM unfinished_requests",
            "-q",
            "-o",
            "csv",
            "-i",
            "-",
        ],
        Some(&line),
    );
    assert_eq!(ran.text(0), "n\n0\n");
}

#[test]
fn a_named_input_that_is_no_log_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note.txt");
    fs::write(&note, "just text\n").unwrap();
    let ask = |input: &std::path::Path| {
        run([
            "sql",
            "SELECT count(*) FROM events",
            "-o",
            "csv",
            "-i",
            input.to_str().unwrap(),
        ])
    };
    assert_eq!(ask(&note).code, 3);
    let ran = ask(folder.path());
    assert_eq!(ran.code, 0);
    assert!(
        ran.stderr.contains("1 skipped (not an audit log 1)"),
        "{}",
        ran.stderr
    );
    let ran = ask(&folder.path().join("none"));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("no such file or folder"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_window_is_half_open_and_says_what_there_is() {
    let other = EVENT.replace("10:00:00.250000Z", "11:00:00.000000Z");
    let (_folder, log) = log(&format!("{EVENT}\n{other}\n"));
    let count = |args: &[&str]| {
        let mut all = vec![
            "sql",
            "SELECT count(*) n FROM events",
            "-o",
            "csv",
            "-i",
            &log,
        ];
        all.extend(args);
        run(all)
    };
    assert_eq!(
        count(&[
            "--since",
            "2026-11-22T10:00:00.250000Z",
            "--until",
            "2026-11-22T11:00:00Z"
        ])
        .text(0),
        "n\n1\n"
    );
    assert_eq!(count(&["--since", "2026-11-22"]).text(0), "n\n2\n");
    let empty = count(&["--until", "2026-11-22T10:00:00.250000Z"]);
    assert_eq!(empty.text(0), "n\n0\n");
    assert!(
        empty.stderr.contains(
            "the input has events from 2026-11-22T10:00:00.250000Z to 2026-11-22T11:00:00.000000Z"
        ),
        "{}",
        empty.stderr
    );
    assert_eq!(count(&["--since", "yesterday"]).code, 2);
}

#[test]
fn statements_that_write_are_refused() {
    let (folder, log) = log(&format!("{EVENT}\n"));
    let out = folder.path().join("x.csv");
    for statement in [
        format!("COPY (SELECT 1) TO '{}'", out.display()),
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "DROP TABLE events".to_owned(),
        "INSERT INTO events SELECT * FROM events".to_owned(),
        format!(
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{}'",
            folder.path().display()
        ),
    ] {
        let ran = run(["sql", &statement, "-i", &log]);
        assert_eq!(ran.code, 2, "{statement}");
        assert!(
            ran.stderr.contains("--allow-writes"),
            "{statement}: {}",
            ran.stderr
        );
    }
    assert!(!out.exists());
    assert_eq!(
        run([
            "sql",
            &format!("COPY (SELECT 1 AS one) TO '{}'", out.display()),
            "-i",
            &log,
            "--allow-writes"
        ])
        .code,
        0
    );
    assert!(out.exists());
}

#[test]
fn errors_say_what_and_what_to_do() {
    for (args, code, says) in [
        (vec!["sql", "SELECT nme FROM events"], 2, "nme"),
        (vec!["sql", "SELEC 1"], 2, "SELEC"),
        (vec!["sql", ""], 2, "no SQL statement"),
        (
            vec!["run", "secrets-read"],
            2,
            "did you mean `secrets-read-by-humans`",
        ),
        (
            vec!["run", "slow-requests", "-P", "threshold_ms=fast"],
            2,
            "parameter `threshold_ms` is of type number",
        ),
        (
            vec!["run", "slow-requests", "-P", "treshold=1"],
            2,
            "it has `threshold_ms`",
        ),
        (
            vec!["convert", "--to", "x.parquet"],
            2,
            "convert needs an input",
        ),
        (
            vec!["convert", "-i", "/dev/null", "--to", "x.doc"],
            2,
            ".parquet",
        ),
        (
            vec!["queries", "show", "nothing"],
            2,
            "unknown saved query `nothing`; `auditql queries` lists them",
        ),
        (
            vec!["schema", "nothing"],
            2,
            "unknown table or view `nothing`; known tables and views: events, ",
        ),
        (vec!["sql", "SELECT 1", "-o", "xml"], 2, "invalid value"),
        (vec!["nonsense"], 2, "unrecognized subcommand"),
        (
            vec!["schema", "--since", "24h"],
            2,
            "`schema` does not use `--since`",
        ),
        (
            vec!["--summary", "run.json", "lake", "history", "lake"],
            2,
            "`--summary` works with: shell, sql, run, convert, lake export",
        ),
        (
            vec!["sql", "SELECT 1 FROM evnts"],
            2,
            "unknown table `evnts`; did you mean `events`?",
        ),
        (vec!["--help"], 0, ""),
        (vec!["--version"], 0, ""),
    ] {
        let ran = run(&args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
        for rusty in [
            "Error(",
            "panicked",
            "DataFusionError",
            "RUST_BACKTRACE",
            "External",
        ] {
            assert!(!ran.stderr.contains(rusty), "{args:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn what_stock_datafusion_panics_on_is_answered() {
    let (_folder, log) = log(&format!("{EVENT}\n"));
    for statement in [
        "SELECT map_entries(annotations) FROM events",
        "SELECT request_object->'spec' FROM events",
    ] {
        for output in ["json", "parquet", "csv"] {
            let ran = run(["sql", statement, "-i", &log, "-o", output]);
            assert_eq!(ran.code, 0, "{statement} {output}: {}", ran.stderr);
        }
    }
}

#[test]
fn json_operators_and_own_functions() {
    let event = EVENT.replace(
        "\"annotations\"",
        r#""requestObject":{"spec":{"a":[1,{"b":"x"}]},"n":1.50},"annotations""#,
    );
    let (_folder, log) = log(&format!("{event}\n"));
    let path = std::path::Path::new(&log);
    let rows = sql(
        "SELECT request_object->'spec'->'a' AS a, request_object->>'n' AS n, request_object ? 'spec' AS has, request_object FROM events",
        path,
    );
    assert_eq!(rows[0]["a"], json!([1, {"b": "x"}]));
    assert_eq!(rows[0]["has"], json!(true));
    assert_eq!(
        rows[0]["request_object"],
        json!(r#"{"spec":{"a":[1,{"b":"x"}]},"n":1.50}"#)
    );
}

#[test]
fn a_limit_stops_the_run_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..400 {
        fs::write(
            folder.path().join(format!("{index:04}.log")),
            format!("{EVENT}\n").repeat(200),
        )
        .unwrap();
    }
    let ran = run([
        "sql",
        "SELECT audit_id FROM events LIMIT 1",
        "-i",
        folder.path().to_str().unwrap(),
        "-o",
        "csv",
    ]);
    assert_eq!(ran.text(0), "audit_id\na-1\n");
    assert!(ran.stderr.contains("partial: stopped"), "{}", ran.stderr);
}

#[test]
fn duplicates_are_left_out_when_asked() {
    let batch = format!(
        r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{}]}}"#,
        EVENT.replace(r#""kind":"Event","apiVersion":"audit.k8s.io/v1","#, "")
    );
    let other = EVENT.replace("kubectl", "curl");
    let (_folder, log) = log(&format!("{EVENT}\n{batch}\n{other}\n{EVENT}\n"));
    let ran = run([
        "sql",
        "SELECT count(*) n FROM events",
        "-i",
        &log,
        "-o",
        "csv",
        "--dedup",
    ]);
    assert_eq!(ran.text(0), "n\n2\n");
    assert!(
        ran.stderr
            .contains("read 4 records: 2 events, 2 skipped (duplicate 2)"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_query_that_needs_bodies_says_so() {
    let (_folder, log) = log(&format!("{EVENT}\n"));
    let ran = run(["run", "privileged-pods-created", "-i", &log]);
    assert!(
        ran.stderr
            .contains("not evaluable: `privileged-pods-created` needs events of level Request"),
        "{}",
        ran.stderr
    );
}

#[test]
fn listings_show_everything() {
    let listed = run(["queries", "-o", "csv"]).text(0);
    assert!(listed.lines().count() > 12 && listed.contains("secrets-read-by-humans"));
    let shown = run(["queries", "show", "secrets-read-by-humans"]).text(0);
    assert!(shown.contains("namespace (string)") && shown.contains("FROM secret_reads"));
    let schema = run(["schema", "-o", "csv"]).text(0);
    for name in [
        "events",
        "rejects",
        "requests",
        "exec_sessions",
        "containers",
        "go_duration",
    ] {
        assert!(schema.contains(name), "{name}");
    }
    assert_eq!(run(["schema", "events", "-o", "jsonl"]).rows(0).len(), 71);
    assert!(run(["formats", "-o", "csv"]).text(0).contains("eventlist"));
    assert!(run(["completions", "bash"]).text(0).contains("auditql"));
    assert!(run(["man"]).text(0).contains(".TH"));
}
