//! Any character, as a key, a value or the name of a column, through every output: what can be
//! parsed comes back equal, and nothing reaches a terminal that it would obey. No line of stderr
//! begins with what a client wrote.

use std::fs;

use serde_json::{Map, Value, json};

use super::{EVENT, log};
use crate::bin::run;

/// The characters that an event of the log has.
const PART: usize = 64;

/// Every character of the Basic Multilingual Plane and some beyond, [`PART`] at a time.
fn parts() -> Vec<String> {
    let beyond = [
        0x1_f600..=0x1_f63f,
        0xe_0000..=0xe_007f,
        0x10_ffc0..=0x10_ffff,
    ];
    let all: Vec<char> = (0..=0xffff)
        .chain(beyond.into_iter().flatten())
        .filter_map(char::from_u32)
        .collect();
    all.chunks(PART).map(|part| part.iter().collect()).collect()
}

/// A log with an event for each part: in one value, and each character in a key and value of its
/// own.
fn hostile_log(parts: &[String]) -> String {
    let event: Value = serde_json::from_str(EVENT).unwrap();
    let lines = parts.iter().enumerate().map(|(index, part)| {
        let keys = part
            .chars()
            .map(|ch| (format!("k{ch}"), json!(format!("{ch}v"))));
        let mut annotations: Map<String, Value> = keys.collect();
        // Longer than a key of YAML may be without a mark.
        annotations.insert(part.repeat(40), json!(part));
        let mut event = event.clone();
        event["auditID"] = json!(format!("{index:05}"));
        event["userAgent"] = json!(part);
        event["annotations"] = Value::Object(annotations);
        event["requestObject"] = json!({"o": {part.as_str(): [part, 1.5, null]}});
        format!("{event}\n")
    });
    lines.collect()
}

fn is_obeyed(ch: char) -> bool {
    ch.is_control() && ch != '\n'
        || matches!(ch, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

#[test]
fn any_character_comes_back_and_none_is_obeyed() {
    let parts = parts();
    let (_folder, log) = log(&hostile_log(&parts));
    let question = "SELECT user_agent, annotations, request_object->'o' AS o, \
         user_agent AS \"n\u{9b}\u{202e}\u{e0041}\" FROM events ORDER BY audit_id";
    let ask = |output: &str| run(["sql", question, "-i", &log, "-q", "-o", output]).text(0);
    for output in ["json", "jsonl", "yaml", "table", "line", "markdown"] {
        let text = ask(output);
        let obeyed = text.chars().find(|ch| is_obeyed(*ch));
        assert_eq!(obeyed, None, "{output}");
        let rows: Vec<Value> = match output {
            "json" => serde_json::from_str(&text).unwrap(),
            "jsonl" => text
                .split_terminator('\n')
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            "yaml" => yaml_rows(&text),
            _ => continue,
        };
        assert_eq!(rows.len(), parts.len(), "{output}");
        for (row, part) in rows.iter().zip(&parts) {
            assert_eq!(row["user_agent"], json!(part), "{output}");
            assert_eq!(row["n\u{9b}\u{202e}\u{e0041}"], json!(part), "{output}");
            assert_eq!(
                row["o"],
                json!({part.as_str(): [part, 1.5, null]}),
                "{output}"
            );
            let annotations = row["annotations"].as_object().unwrap();
            assert_eq!(annotations[&part.repeat(40)], json!(part), "{output}");
            for ch in part.chars() {
                let value = &annotations[&format!("k{ch}")];
                assert_eq!(*value, json!(format!("{ch}v")), "{output} {ch:?}");
            }
        }
    }
}

/// Our YAML, by way of JSON: the two differ in the escapes of characters beyond U+FFFF and in the
/// mark of long keys. (PyYAML and libyaml were compared by hand.)
fn yaml_rows(text: &str) -> Vec<Value> {
    let is_printable = |ch: char| matches!(ch, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(text.chars().find(|ch| !is_printable(*ch)), None);
    let mut rows: Vec<Value> = Vec::new();
    for line in text.split_terminator('\n') {
        if line.starts_with("- ") {
            rows.push(json!({}));
        }
        let (name, value) = line[2..].split_once(": ").unwrap();
        let name = match name.strip_prefix('"') {
            Some(_) => json_of(name).as_str().unwrap().to_owned(),
            None => name.to_owned(),
        };
        rows.last_mut().unwrap()[name] = json_of(value);
    }
    rows
}

fn json_of(yaml: &str) -> Value {
    let mut json = String::new();
    let mut chars = yaml.chars().peekable();
    let mut in_string = false;
    while let Some(ch) = chars.next() {
        match ch {
            '?' if !in_string => {
                assert_eq!(chars.next(), Some(' '));
                assert_eq!(chars.peek(), Some(&'"'));
            }
            '\\' if chars.peek() == Some(&'U') => {
                let digits: String = chars.by_ref().skip(1).take(8).collect();
                let ch = u32::from_str_radix(&digits, 16).unwrap();
                json.push(char::from_u32(ch).unwrap());
            }
            '\\' => json.extend([Some(ch), chars.next()].into_iter().flatten()),
            ch => {
                in_string ^= ch == '"';
                json.push(ch);
            }
        }
    }
    serde_json::from_str(&json).unwrap()
}

#[test]
fn nobody_writes_a_line_of_stderr() {
    const FORGED: &str = "read 5 records: 5 events";
    let forged = format!("\"x\\n{FORGED}\\r{FORGED}\\u2028{FORGED}\\u0085{FORGED}\\u009b2K\"");
    let event = EVENT.replace("\"kubectl\"", &forged);
    let (folder, log) = log(&format!("{event}\n"));
    let archive = folder.path().join("logs.tar");
    let mut tar = tar::Builder::new(fs::File::create(&archive).unwrap());
    let mut header = tar::Header::new_gnu();
    let content = format!("{}\n{EVENT}\n", &EVENT[..100]);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let member = format!("a\n{FORGED}\u{9b}");
    tar.append_data(&mut header, &member, content.as_bytes())
        .unwrap();
    tar.into_inner().unwrap();
    let archive = archive.to_str().unwrap();
    let out = folder.path().join(format!("a\n{FORGED}.jsonl"));
    let cast = "SELECT CAST(user_agent AS INT) FROM events";
    let time = "SELECT CAST(user_agent AS TIMESTAMP) FROM events";
    let count = "SELECT count(*) FROM events";
    let invocations: [&[&str]; 5] = [
        &["sql", cast, "-i", &log],
        &["sql", time, "-i", &log],
        &["sql", count, "-i", archive],
        &["convert", "-i", &log, "--to", out.to_str().unwrap()],
        &["sql", count, "-i", &format!("nothing\n{FORGED}")],
    ];
    for args in invocations {
        let ran = run(args);
        assert!(ran.stderr.contains("read 5"), "{args:?}: {}", ran.stderr);
        for line in ran.stderr.split(['\n', '\r', '\u{85}', '\u{2028}']) {
            assert!(!line.starts_with("read 5"), "{args:?}: {}", ran.stderr);
        }
        assert_eq!(
            ran.stderr.chars().find(|ch| is_obeyed(*ch)),
            None,
            "{args:?}"
        );
    }
}
