//! What is written: every output with every table, and log text that attacks its reader.

use serde_json::json;

use super::{EVENT, log};
use crate::bin::run;

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
