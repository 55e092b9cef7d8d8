//! Every format, from `data/formats/<format>/<case>/`: `input.*` has to give the events of `expected.jsonl`, and the account of
//! `account.json` where there is one.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::bin::{data, run};

#[test]
fn every_case_of_every_format() {
    let root = data("formats");
    let mut covered = BTreeSet::new();
    let mut failures = Vec::new();
    for format in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap()) {
        for case in fs::read_dir(format.path()).unwrap().map(|entry| entry.unwrap()) {
            let name = format!("{}/{}", format.file_name().display(), case.file_name().display());
            covered.insert(format.file_name().to_string_lossy().into_owned());
            let input = fs::read_dir(case.path())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("input."));
            let folder = tempfile::tempdir().unwrap();
            let (events, account) = (folder.path().join("events.jsonl"), folder.path().join("account.json"));
            let input = input.unwrap();
            let ran =
                run(["convert", "-i", input.to_str().unwrap(), "--to", events.to_str().unwrap(), "--summary", account.to_str().unwrap()]);
            let parse = |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
            let got = parse(&fs::read_to_string(&events).unwrap_or_default());
            let want = parse(&fs::read_to_string(case.path().join("expected.jsonl")).unwrap());
            if got != want {
                failures.push(format!("{name}: {} events instead of {}\n{}", got.len(), want.len(), ran.stderr));
            }
            let account: Value = serde_json::from_str(&fs::read_to_string(&account).unwrap()).unwrap();
            let expected = match fs::read_to_string(case.path().join("account.json")) {
                Ok(text) => serde_json::from_str(&text).unwrap(),
                Err(_) => serde_json::json!({"rejects": {}, "skipped": {}}),
            };
            for (key, value) in expected.as_object().unwrap() {
                if &account[key] != value {
                    failures.push(format!("{name}: {key} is {} instead of {value}", account[key]));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for format in auditql_engine::formats() {
        assert!(covered.contains(format.name), "no case for the format {}", format.name);
    }
}
