//! What SQL is answered: the sample, the operators and functions of JSON, limits.

use std::fs;

use serde_json::json;

use super::{EVENT, log};
use crate::bin::{data, run, sql};

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
