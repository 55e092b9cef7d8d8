//! Conversions: nothing lost, whole or absent, and the original events again.

use std::{fs, path::Path};

use serde_json::Value;

use crate::bin::{data, run};

fn convert(input: &Path, to: &Path) -> crate::bin::Ran {
    run([
        "convert",
        "-i",
        input.to_str().unwrap(),
        "--to",
        to.to_str().unwrap(),
    ])
}

/// Events as JSON values in a stable order; of duplicate members the last counts, as everywhere.
fn events(path: &Path) -> Vec<String> {
    let mut events: Vec<String> = fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| sorted(serde_json::from_str(line).unwrap()).to_string())
        .collect();
    events.sort();
    events
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[test]
fn the_sample_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let original = data("sample/audit.log");
    assert_eq!(convert(&original, &path("direct.jsonl")).code, 0);
    assert_eq!(convert(&original, &path("e.parquet")).code, 0);
    assert_eq!(convert(&path("e.parquet"), &path("back.jsonl")).code, 0);
    let want = events(&original);
    assert_eq!(events(&path("direct.jsonl")), want);
    assert_eq!(events(&path("back.jsonl")), want);
    // Parquet of Parquet is the same events once more.
    assert_eq!(convert(&path("e.parquet"), &path("f.parquet")).code, 0);
    assert_eq!(convert(&path("f.parquet"), &path("again.jsonl")).code, 0);
    assert_eq!(events(&path("again.jsonl")), want);
}

#[test]
fn odd_events_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let odd = data("hostile/round-trip.jsonl");
    for (from, to) in [
        (odd.clone(), path("direct.jsonl")),
        (odd.clone(), path("e.parquet")),
        (path("e.parquet"), path("back.jsonl")),
    ] {
        let ran = convert(&from, &to);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let parsable = |path: &Path| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .map(|event| sorted(event).to_string())
            .collect()
    };
    // serde_json refuses lone surrogates and numbers like 1e400, even where a later duplicate makes
    // them void: what it can read of the originals has to come back; the rest is compared by the
    // oracle.
    let originals = parsable(&odd);
    assert!(originals.len() > 350);
    for name in ["direct.jsonl", "back.jsonl"] {
        let back: std::collections::HashSet<String> = parsable(&path(name)).into_iter().collect();
        let lost: Vec<&String> = originals
            .iter()
            .filter(|event| !back.contains(*event))
            .take(3)
            .collect();
        assert!(lost.is_empty(), "{name}: {lost:#?}");
    }
}

#[test]
fn numbers_come_back_by_their_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let numbers = r#"{"a":[1e400,-0,1.0,12345678901234567890123,4.03e2]}"#;
    let event = format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"n","stage":"Panic","verb":"get","responseStatus":{{"metadata":{{}},"code":4.03e2}},"requestObject":{numbers},"newField":{numbers}}}"#
    );
    fs::write(path("n.log"), &event).unwrap();
    for (from, to) in [
        ("n.log", "direct.jsonl"),
        ("n.log", "e.parquet"),
        ("e.parquet", "back.jsonl"),
    ] {
        assert_eq!(convert(&path(from), &path(to)).code, 0);
    }
    for name in ["direct.jsonl", "back.jsonl"] {
        let text = fs::read_to_string(path(name)).unwrap();
        assert_eq!(text.matches(numbers).count(), 2, "{text}");
        assert!(text.contains(r#""code":4.03e2"#), "{text}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (
        folder.path().join("a.parquet"),
        folder.path().join("b.parquet"),
    );
    assert_eq!(convert(&data("sample"), &a).code, 0);
    assert_eq!(convert(&data("sample"), &b).code, 0);
    assert!(fs::read(a).unwrap() == fs::read(b).unwrap());
}

#[test]
fn a_file_is_whole_or_absent() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("none/e.parquet");
    assert_eq!(convert(&data("sample"), &target).code, 2);
    let input = folder.path().join("in.jsonl");
    fs::copy(data("sample/audit.log"), &input).unwrap();
    let before = fs::read(&input).unwrap();
    let ran = convert(&input, &input);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("is an input, too"), "{}", ran.stderr);
    assert!(fs::read(&input).unwrap() == before);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "a temporary file was left behind"
    );
}

#[test]
fn a_broken_parquet_file_is_a_reject() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("e.parquet");
    assert_eq!(convert(&data("sample"), &whole).code, 0);
    let bytes = fs::read(&whole).unwrap();
    fs::write(folder.path().join("cut.parquet"), &bytes[..bytes.len() / 2]).unwrap();
    let ran = run([
        "sql",
        "SELECT count(*) n FROM events",
        "-i",
        folder.path().to_str().unwrap(),
        "-o",
        "csv",
    ]);
    assert_eq!(ran.text(3), "n\n885\n");
    assert!(ran.stderr.contains("cut.parquet"), "{}", ran.stderr);
}
