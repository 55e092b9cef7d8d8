//! Questions about nothing: without an input, or over inputs without a single event, an empty table
//! would look like a good answer.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::EVENT;
use crate::bin::{Ran, command, run};

const COUNT: &str = "SELECT count(*) AS n FROM events";

fn ask(inputs: &[&str], more: &[&str]) -> Ran {
    let mut args = vec!["sql", COUNT, "-o", "csv"];
    inputs.iter().for_each(|input| args.extend(["-i", input]));
    args.extend(more);
    run(args)
}

#[test]
fn without_an_input_there_is_no_answer() {
    for args in [
        ["sql", COUNT].as_slice(),
        &["sql", "SELECT * FROM requests"],
        &["sql", "SELECT 1; SELECT * FROM rejects"],
        &["run", "denied-requests"],
    ] {
        for input in [None, Some(""), Some(","), Some(" , ")] {
            let mut command = command();
            command.args(args).stdin(Stdio::null());
            if let Some(input) = input {
                command.env("AUDITQL_INPUT", input);
            }
            let ran = command.output().unwrap();
            let told = String::from_utf8(ran.stderr).unwrap();
            assert_eq!(ran.status.code(), Some(2), "{args:?} {input:?}: {told}");
            assert!(told.contains("there is no input"), "{told}");
            assert!(told.contains("hint: ") && told.contains("-i -"), "{told}");
        }
    }
    // What reads no event needs none.
    for args in [
        ["sql", "SELECT 1"].as_slice(),
        &["sql", "SELECT table_name FROM information_schema.tables"],
        &["sql", "EXPLAIN SELECT * FROM events"],
        &["queries"],
    ] {
        assert_eq!(run(args).code, 0, "{args:?}");
    }
}

#[test]
fn inputs_without_an_event_say_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    fs::create_dir(folder.path().join("none")).unwrap();
    write("empty/a.log", "");
    write("empty/b.log", "\n \n");
    write("empty/c.log", "");
    write("json/list.json", "{\"kind\":\"PodList\",\"items\":[]}\n");
    write("text/note.txt", "nothing to see here\n");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, said) in [
        ("none", "there are no files"),
        ("empty", "3 empty files"),
        ("empty/a.log", "a.log is empty"),
        ("empty/*.log", "3 empty files"),
        ("json", "an object with the members kind and items"),
        (
            "json/list.json",
            "an object with the members kind and items",
        ),
        ("text", "not an audit log"),
    ] {
        let ran = ask(&[&path(name)], &[]);
        assert_eq!(ran.code, 3, "{name}: {}", ran.stderr);
        let told = "no audit events in the input: ";
        let line = ran.stderr.lines().find(|line| line.starts_with(told));
        let line = line.unwrap_or_else(|| panic!("{name}: {}", ran.stderr));
        assert!(line.contains(said), "{name}: {line}");
        assert_eq!(ask(&[&path(name)], &["-q"]).code, 3, "{name}");
        assert!(ask(&[&path(name)], &["-q"]).stderr.contains(told), "{name}");
        let ran = ask(&[&path(name)], &["--allow-empty"]);
        assert_eq!(ran.text(0), "n\n0\n", "{name}");
    }
    // With an event beside them they are what they always were.
    write("json/audit.log", &format!("{EVENT}\n"));
    let inputs = [path("none"), path("empty"), path("json"), path("text")];
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    assert_eq!(ask(&inputs, &[]).text(0), "n\n1\n");
    // No row in a window is an answer.
    let ran = ask(&inputs, &["--since", "2030-01-01"]);
    assert_eq!(ran.text(0), "n\n0\n");
}

#[test]
fn a_lake_on_a_schedule_takes_what_is_not_there_yet() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    fs::write(&log, "").unwrap();
    let lake = folder.path().join("lake/");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let convert = || run(["convert", "-i", &text(&log), "--to", &text(&lake)]);
    assert_eq!(convert().code, 0);
    assert_eq!(ask(&[&text(&lake)], &[]).code, 3);
    fs::write(&log, format!("{EVENT}\n")).unwrap();
    assert_eq!(convert().code, 0);
    assert_eq!(ask(&[&text(&lake)], &[]).text(0), "n\n1\n");
    assert_eq!(convert().code, 0);
}

/// A conversion answers no question: of an empty log it is empty, whatever it is written to.
#[test]
fn what_is_converted_may_be_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("empty.log"), "").unwrap();
    for to in ["events.jsonl", "events.parquet", "lake/"] {
        let ran = run(["convert", "-i", &path("empty.log"), "--to", &path(to)]);
        assert_eq!(ran.code, 0, "{to}: {}", ran.stderr);
        assert!(
            !ran.stderr.contains("--allow-empty"),
            "{to}: {}",
            ran.stderr
        );
    }
}
