//! What is read: files however they are packed and named, windows, duplicates, and the account of
//! what could not be read.

use std::fs;

use serde_json::json;

use super::{EVENT, log};
use crate::bin::{run, run_with};
use crate::packers::{bzip2, gzip, xz, zstd};

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
    assert_eq!(ran.code, 3);
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

/// A tar of one member of this type, made with GNU's header.
fn tar_of(kind: tar::EntryType, bytes: &[u8]) -> Vec<u8> {
    let octal = |number: usize| format!("{number:011o}\0").into_bytes();
    let mut header = tar::Header::new_gnu();
    header.set_path("var/log/audit.log").unwrap();
    header.set_mode(0o600);
    header.set_size(bytes.len() as u64);
    header.set_entry_type(kind);
    if kind == tar::EntryType::GNUSparse {
        let gnu = header.as_gnu_mut().unwrap();
        gnu.sparse[0].offset.copy_from_slice(&octal(0));
        gnu.sparse[0].numbytes.copy_from_slice(&octal(bytes.len()));
        // A hole at its end.
        gnu.sparse[1]
            .offset
            .copy_from_slice(&octal(bytes.len() + 4096));
        gnu.sparse[1].numbytes.copy_from_slice(&octal(0));
        gnu.realsize.copy_from_slice(&octal(bytes.len() + 4096));
    }
    if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
        header.set_link_name("elsewhere.log").unwrap();
    }
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, bytes).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn every_member_of_a_tar_is_read_or_named() {
    use tar::EntryType;
    let folder = tempfile::tempdir().unwrap();
    let line = format!("{EVENT}\n");
    let ask = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let summary = folder.path().join("summary.json");
        let ran = run([
            "sql",
            "SELECT count(*) n FROM events",
            "-i",
            path.to_str().unwrap(),
            "-o",
            "csv",
            "--summary",
            summary.to_str().unwrap(),
        ]);
        let account: serde_json::Value =
            serde_json::from_slice(&fs::read(&summary).unwrap()).unwrap();
        (ran, account)
    };
    for (name, kind) in [
        ("regular.tar", EntryType::Regular),
        ("contiguous.tar", EntryType::Continuous),
        ("sparse.tar", EntryType::GNUSparse),
        ("unknown.tar", EntryType::new(b'x' + 1)),
    ] {
        let (ran, account) = ask(name, &tar_of(kind, line.as_bytes()));
        assert_eq!(account["events"], 1, "{name}: {}", ran.stderr);
        assert_eq!(account["rejects"], json!({}), "{name}");
    }
    // GNU tar's `--format=posix --sparse`.
    let mut builder = tar::Builder::new(Vec::new());
    let extensions = [
        ("GNU.sparse.major", "1".as_bytes()),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"audit.log"),
    ];
    builder.append_pax_extensions(extensions).unwrap();
    let mut map = format!("1\n0\n{}\n", line.len()).into_bytes();
    map.resize(512, 0);
    let data = [map.as_slice(), line.as_bytes()].concat();
    let mut header = tar::Header::new_ustar();
    header.set_size(data.len() as u64);
    header.set_path("GNUSparseFile.0/audit.log").unwrap();
    header.set_cksum();
    builder.append(&header, data.as_slice()).unwrap();
    let (ran, account) = ask("posix-sparse.tar", &builder.into_inner().unwrap());
    assert_eq!(
        (&account["events"], ran.code),
        (&json!(1), 0),
        "{}",
        ran.stderr
    );
    assert!(
        account["inputs"][0]["uri"]
            .as_str()
            .unwrap()
            .ends_with("/audit.log")
    );
    for (name, kind) in [
        ("symlink.tar", EntryType::Symlink),
        ("hardlink.tar", EntryType::Link),
    ] {
        let (_, account) = ask(name, &tar_of(kind, b""));
        assert_eq!(account["skipped"], json!({"not a file": 1}), "{name}");
        let uri = account["inputs"][0]["uri"].as_str().unwrap();
        assert!(uri.ends_with("/var/log/audit.log"), "{uri}");
    }
    let (ran, account) = ask("volume.tar", &tar_of(EntryType::new(b'M'), line.as_bytes()));
    assert_eq!(
        (&account["rejects"], ran.code),
        (&json!({"unreadable": 1}), 3)
    );
}

#[cfg(unix)]
#[test]
fn a_log_with_several_names_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("audit.log"), format!("{EVENT}\n")).unwrap();
    fs::hard_link(path("audit.log"), path("hard.log")).unwrap();
    std::os::unix::fs::symlink("hard.log", path("soft.log")).unwrap();
    let input = folder.path().to_str().unwrap();
    let ran = run([
        "sql",
        "SELECT count(*) n FROM events",
        "-i",
        input,
        "-o",
        "csv",
    ]);
    assert_eq!(ran.text(0), "n\n1\n");
}
