//! One log in every envelope: what `oracle/formats/wrap.py` wraps, in another language and by
//! another hand, has to give the same rows as the log itself.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::bin::{data, run};

/// Where a row came from is another matter, and what stands around the event is in
/// `unknown_fields`.
const PROVENANCE: [&str; 9] = [
    "cluster",
    "account",
    "log_stream",
    "format",
    "source_file",
    "source_line",
    "source_offset",
    "event_bytes",
    "unknown_fields",
];

fn rows(input: &Path) -> (Vec<Value>, String) {
    let ran = run([
        "sql",
        "--threads",
        "1",
        "SELECT * FROM events",
        "-i",
        input.to_str().unwrap(),
        "-o",
        "jsonl",
    ]);
    let rows = String::from_utf8(ran.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (rows, ran.stderr)
}

/// The order in a folder is that of its files' names.
fn sorted(mut rows: Vec<Value>, leave_out: &[&str]) -> Vec<String> {
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        leave_out.iter().for_each(|name| drop(row.remove(*name)));
    }
    let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

/// The columns that a member of an event fills.
fn columns_of(member: &str) -> &'static [&'static str] {
    match member {
        "authenticationMetadata" => &["impersonation_constraint"],
        "kind" | "apiVersion" => &["event_api_version"],
        "impersonatedUser" => &[
            "impersonated_username",
            "impersonated_uid",
            "impersonated_groups",
            "impersonated_extra",
            "actor",
            "actor_groups",
            "actor_kind",
            "service_account_namespace",
            "service_account_name",
        ],
        _ => panic!("the columns of {member} are not known here"),
    }
}

#[test]
#[cfg_attr(not(python), ignore = "python3 is not installed")]
fn the_same_rows_in_every_envelope() {
    let script = data("..").join("oracle/formats/wrap.py");
    let folder = tempfile::tempdir().unwrap();
    let log = data("sample").join("audit.log");
    let wrapped = Command::new("python3")
        .arg(&script)
        .arg(&log)
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        wrapped.status.success(),
        "{}",
        String::from_utf8_lossy(&wrapped.stderr)
    );
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("manifest.json")).unwrap())
            .unwrap();
    let (plain, _) = rows(&log);
    let mut failures = Vec::new();
    for (name, variant) in manifest.as_object().unwrap() {
        let drops: Vec<&str> = variant["drops"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member.as_str().unwrap())
            .collect();
        let leave_out: Vec<&str> = PROVENANCE
            .iter()
            .chain(drops.iter().flat_map(|member| columns_of(member)))
            .copied()
            .collect();
        let (got, account) = rows(&folder.path().join(name));
        if let Some(row) = got.iter().find(|row| row["format"] != variant["format"]) {
            failures.push(format!(
                "{name}: the format {} instead of {}",
                row["format"], variant["format"]
            ));
        }
        let (got, want) = (sorted(got, &leave_out), sorted(plain.clone(), &leave_out));
        if got.len() != want.len() {
            failures.push(format!(
                "{name}: {} rows instead of {}: {account}",
                got.len(),
                want.len()
            ));
        } else if let Some((got, want)) = got.iter().zip(&want).find(|(got, want)| got != want) {
            failures.push(format!("{name}: {got}\ninstead of {want}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}\n{}",
        failures.len(),
        manifest.as_object().unwrap().len(),
        failures.join("\n")
    );
}
