//! Files without events and records that are no events: counted and rejected once.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    lake_fixture::{Cluster, Lake, append, assert_same, sum},
    packers::gzip,
};

#[test]
fn files_with_nothing_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let names = [
        "empty.log",
        "empty-too.log",
        "bom.log",
        "blank.log",
        "bom-too.log",
        "empty.log.gz",
    ];
    let fill = |name: &str, content: &[u8]| fs::write(logs.join(name), content).unwrap();
    let bom = "\u{FEFF}";
    let begin = |name: &str| if name.starts_with("bom") { bom } else { "" };
    for name in names {
        let content = if name == "blank.log" {
            "\n\r\n  \n"
        } else {
            begin(name)
        };
        fill(
            name,
            &if name.ends_with(".gz") {
                gzip(b"")
            } else {
                content.into()
            },
        );
    }
    // Nothing else is there: it may be that there is no lake yet.
    assert_eq!(lake.added(&[&logs]), 0);
    assert_eq!(lake.added(&[logs.join("empty.log")]), 0);
    let cluster = Cluster::new("late");
    append(&logs.join("audit.log"), cluster.log(0..10));
    assert_eq!(lake.added(&[&logs]), 10);
    assert_eq!(lake.added(&[&logs]), 0);
    let mut all = cluster.log(0..10);
    for (number, name) in names.into_iter().enumerate() {
        let log = Cluster::new(format!("late{number}")).log(0..12);
        let whole = if name == "blank.log" {
            "\n\r\n  \n".to_owned() + &log
        } else {
            begin(name).to_owned() + &log
        };
        fill(
            name,
            &if name.ends_with(".gz") {
                gzip(whole.as_bytes())
            } else {
                whole.into()
            },
        );
        all += &log;
    }
    assert_eq!(lake.added(&[&logs]), 12 * names.len() as u64);
    assert_eq!(lake.added(&[&logs]), 0);
    lake.holds(&all);
}

/// Where the lake's rejects lie, and what they are.
#[track_caller]
fn rejects(lake: &Lake) -> Vec<String> {
    let rows = lake.ask("SELECT source_line, source_offset, reason, message, record FROM rejects ORDER BY source_line", &[]);
    rows.iter().map(Value::to_string).collect()
}

/// Where those of a raw log lie.
#[track_caller]
fn raw_rejects(log: &Path) -> Vec<String> {
    let question = "SELECT source_line, source_offset, reason, message, record FROM rejects ORDER BY source_line";
    let ran = crate::bin::run(["sql", question, "-i", log.to_str().unwrap(), "-o", "jsonl"]);
    ran.rows(3).iter().map(Value::to_string).collect()
}

#[test]
fn what_is_no_event_is_rejected_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("garbled");
    let line = |number: usize| cluster.line(number).into_bytes();
    let cut = [&line(90)[..120], b"\n"].concat();
    append(
        &log,
        [
            line(0),
            b"garbage\n".to_vec(),
            line(1),
            cut.clone(),
            line(2),
            b"\xff\xfe\n".to_vec(),
            b"{\"kind\":\"Pod\"}\n".to_vec(),
        ]
        .concat(),
    );
    let account = lake.take(&[&log]);
    assert_eq!(
        (
            &account["read"],
            &account["events"],
            sum(&account["rejects"])
        ),
        (&json!(7), &json!(3), 3),
        "{account}"
    );
    assert_same(&rejects(&lake), &raw_rejects(&log));
    assert_eq!(rejects(&lake).len(), 3);
    assert_eq!(lake.added(&[&log]), 0);
    // Growth that begins with garbage, growth that is nothing else, and what is no event but JSON.
    append(
        &log,
        [b"more garbage\n".to_vec(), line(3), line(4)].concat(),
    );
    assert_eq!((lake.added(&[&log]), rejects(&lake).len()), (2, 4));
    append(&log, "nothing but garbage\nand more\n");
    assert_eq!((lake.added(&[&log]), rejects(&lake).len()), (0, 6));
    append(&log, "{\"other\":1}\n[]\n");
    assert_eq!((lake.added(&[&log]), rejects(&lake).len()), (0, 6));
    append(&log, line(5));
    assert_eq!((lake.added(&[&log]), rejects(&lake).len()), (1, 6));
    // Garbage is written in pieces, too; so are lines that never become events.
    for piece in [
        b"half of the ".as_slice(),
        b"garbage\n",
        &cut[..50],
        &cut[50..100],
        &cut[100..],
        &line(6),
    ] {
        append(&log, piece);
        lake.take(&[&log]);
    }
    assert_same(&rejects(&lake), &raw_rejects(&log));
    // A compressed copy brings none of it again.
    fs::write(
        folder.path().join("audit.log.gz"),
        gzip(&fs::read(&log).unwrap()),
    )
    .unwrap();
    fs::remove_file(&log).unwrap();
    assert_eq!(lake.added(&[folder.path().join("audit.log.gz")]), 0);
    assert_eq!(rejects(&lake).len(), 8);
    lake.holds(&cluster.log(0..7));
    let sums = "SELECT sum(events) events, sum(rejects) rejects, sum(records) - sum(events) - sum(rejects) - sum(skipped) other FROM sources";
    assert_eq!(
        lake.ask(sums, &[]),
        [json!({"events": 7, "rejects": 8, "other": 0})]
    );
}
