//! What SQL is answered: the sample, the operators and functions of JSON, limits.

use std::fs;

use serde_json::json;

use super::{EVENT, log};
use crate::bin::{data, run, run_with, sql};

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

/// What was read before a statement failed was read all the same: it is told, and replaces what an
/// earlier run said.
#[test]
fn a_run_that_fails_has_an_account() {
    let (folder, log) = log(&format!("{EVENT}\n"));
    let summary = folder.path().join("run.json");
    let file = summary.to_str().unwrap();
    for (statements, read) in [
        ("SELECT count(*) FROM events; SELECT nothing FROM events", 1),
        ("SELECT CAST(username AS INT) FROM events", 1),
        ("SELECT nothing FROM events", 0),
    ] {
        fs::write(&summary, "of an earlier run").unwrap();
        let ran = run(["sql", statements, "-i", &log, "--summary", file]);
        assert_eq!(ran.code, 2, "{statements}");
        let told = ran.stderr.contains("read 1 records: 1 events");
        assert_eq!(told, read == 1, "{statements}: {}", ran.stderr);
        let text = fs::read_to_string(&summary).unwrap();
        let account: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(account["read"], json!(read), "{statements}");
        assert!(account["error"].is_string(), "{statements}");
    }
    let script = b"SELECT count(*) FROM events; SELECT 1;\nSELECT nothing;";
    let ran = run_with(["-i", &log, "--summary", file], Some(script));
    assert_eq!(ran.code, 2);
    let text = fs::read_to_string(&summary).unwrap();
    let account: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        account["read"],
        json!(1),
        "the shell's account is of all its answers"
    );
}

/// Commands whose rows, listings and help cannot be written say so.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_every_command() {
    let (folder, log) = log(&format!("{EVENT}\n"));
    let lake = folder.path().join("lake");
    let lake = lake.to_str().unwrap();
    assert_eq!(run(["convert", "-i", &log, "--to", lake]).code, 0);
    let invocations: [&[&str]; 14] = [
        &["--help"],
        &["--version"],
        &["help", "sql"],
        &["lake", "--help"],
        &["queries"],
        &["queries", "show", "slow-requests"],
        &["schema"],
        &["formats", "-o", "yaml"],
        &["completions", "bash"],
        &["man"],
        &["sql", "SELECT 1"],
        &["run", "slow-requests", "-i", &log],
        &["lake", "history", lake],
        &["lake", "export", lake, "--to", "-"],
    ];
    for args in invocations {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = crate::bin::command().args(args).stdout(full).output();
        let output = output.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains("cannot write"), "{args:?}: {stderr}");
        assert!(stderr.contains("No space left"), "{args:?}: {stderr}");
    }
}
