//! What people are handed: files in files, text beside packed text, parts of a rotated log, and a
//! folder of everything. Read, or refused by name.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::bin::{Ran, run, run_with};

/// An event with this number.
fn event(number: usize) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-{number}","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{{"username":"jane"}},"requestReceivedTimestamp":"2026-11-20T10:00:00.123456Z","stageTimestamp":"2026-11-20T10:00:01.234567Z"}}"#
    )
}

fn events(numbers: std::ops::Range<usize>) -> Vec<u8> {
    numbers
        .map(|number| event(number) + "\n")
        .collect::<String>()
        .into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        out.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        out.append_data(&mut header, name, *bytes).unwrap();
    }
    out.into_inner().unwrap()
}

const COUNT: &str = "SELECT count(*) n, count(DISTINCT audit_id) i FROM events";

fn counted(input: &Path) -> Ran {
    run(["sql", COUNT, "-i", input.to_str().unwrap(), "-o", "csv"])
}

fn counted_stdin(bytes: &[u8]) -> Ran {
    run_with(["sql", COUNT, "-i", "-", "-o", "csv"], Some(bytes))
}

/// The rows of [`COUNT`] and the exit code.
fn shown(ran: &Ran) -> (String, i32) {
    (String::from_utf8(ran.stdout.clone()).unwrap(), ran.code)
}

/// In a file and from stdin, these events are in it.
fn holds(name: &str, bytes: &[u8], count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, bytes).unwrap();
    let want = (format!("n,i\n{count},{count}\n"), 0);
    for (door, ran) in [("file", counted(&file)), ("stdin", counted_stdin(bytes))] {
        assert_eq!(shown(&ran), want, "{name}, {door}: {}", ran.stderr);
    }
}

#[test]
fn gzip_and_text_in_one_file() {
    let (plain, packed) = (events(0..30), gzip(&events(30..60)));
    let more = gzip(&events(60..70));
    holds("plain-then-gzip", &[&plain[..], &packed].concat(), 60);
    holds("gzip-then-plain", &[&packed[..], &plain].concat(), 60);
    holds("plain-then-two", &[&plain[..], &packed, &more].concat(), 70);
    holds("around", &[&packed[..], &plain, &more].concat(), 70);
    let without_newline = &plain[..plain.len() - 1];
    holds("no-newline", &[without_newline, &packed].concat(), 60);
}

#[test]
fn what_is_neither_gzip_nor_text_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let (plain, packed) = (events(0..3), gzip(&events(3..6)));
    for bytes in [
        [&packed[..], b"\x01\x02\x03\x04"].concat(),
        [&plain[..], &packed[..packed.len() / 2]].concat(),
        // Members behind text that was packed as a whole are not read, and nobody may think so.
        gzip(&[&plain[..], &packed].concat()),
    ] {
        fs::write(&file, bytes).unwrap();
        let ran = counted(&file);
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stderr.contains("rejected ("), "{}", ran.stderr);
    }
}

#[test]
fn archives_in_archives() {
    let log = events(0..5);
    let other = gzip(&events(5..9));
    let inner: &[(&str, &[u8])] = &[("a.log", &log), ("b.log.gz", &other)];
    holds("gz-in-zip", &zip(inner), 9);
    holds("gz-in-tar", &tar(inner), 9);
    holds("tgz", &gzip(&tar(inner)), 9);
    holds("zip-gz", &gzip(&zip(inner)), 9);
    holds("zip-in-tgz", &gzip(&tar(&[("in.zip", &zip(inner))])), 9);
    holds("tgz-in-zip", &zip(&[("in.tgz", &gzip(&tar(inner)))]), 9);
    holds("tar-in-tar", &tar(&[("in", &tar(inner))]), 9);
    let thrice = zip(&[("in.zip", &zip(&[("in.zip", &zip(inner))]))]);
    let ran = counted_stdin(&thrice);
    assert_eq!(shown(&ran), ("n,i\n0,0\n".to_owned(), 3));
    assert!(
        ran.stderr.contains("in.zip/in.zip") && ran.stderr.contains("unpack it first"),
        "{}",
        ran.stderr
    );
}

/// Packed files that are not read: what they begin with, and what the message says.
fn foreign() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let body = events(0..2);
    let with = |magic: &[u8]| [magic, b"\0\0{\"a\":1}\n", &body].concat();
    let schema = b"Obj\x01\x04\x16avro.schema\xae\x05{\"type\":\"record\",\"name\":\"EventData\",\"namespace\":\"Microsoft.ServiceBus.Messaging\"}\n";
    vec![
        ("avro", with(schema), "Avro"),
        ("7z", with(b"7z\xbc\xaf\x27\x1c\0\x04"), "7-Zip"),
        ("rar", with(b"Rar!\x1a\x07\x01\0"), "RAR"),
        ("lz4", with(b"\x04\x22\x4d\x18\x64\x40"), "LZ4"),
        ("snappy", with(b"\xff\x06\0\0sNaPpY\x01"), "Snappy"),
    ]
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, says) in foreign() {
        let file = folder.path().join(name);
        fs::write(&file, &bytes).unwrap();
        let packed = folder.path().join(format!("{name}.gz"));
        fs::write(&packed, gzip(&bytes)).unwrap();
        let in_zip = zip(&[(name, &bytes)]);
        for ran in [
            counted(&file),
            counted(&packed),
            counted_stdin(&bytes),
            counted_stdin(&in_zip),
        ] {
            assert_eq!(shown(&ran), ("n,i\n0,0\n".to_owned(), 3), "{name}");
            assert!(
                ran.stderr.contains("unknown format: it is a") && ran.stderr.contains(says),
                "{name}: {}",
                ran.stderr
            );
        }
    }
    let ran = counted(folder.path());
    for (name, _, says) in foreign() {
        assert!(ran.stderr.contains(says), "{name}: {}", ran.stderr);
    }
}

/// The account of a run, and what it printed.
fn account(args: &[&str]) -> (Value, Ran) {
    let summary = tempfile::NamedTempFile::new().unwrap();
    let summary_of = ["--summary", summary.path().to_str().unwrap()];
    let ran = run(args.iter().copied().chain(summary_of));
    let account = serde_json::from_slice(&fs::read(summary.path()).unwrap()).unwrap();
    (account, ran)
}

#[test]
fn skipped_records_are_named_by_example() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = events(0..2);
    for number in 0..477 {
        let record = match number % 3 {
            0 => format!("{{\"kind\":\"Pod\",\"n\":{number}}}\n"),
            1 => "{\"level\":\"info\",\"ts\":1,\"logger\":\"a-rather-long-name\",\"a-member-with-a-very-long-name-indeed\":0,\"and-another-one-that-is-long\":0}\n".to_owned(),
            _ => format!("I1120 10:00:00.{number:06}       1 server.go:12] started\n"),
        };
        log.extend_from_slice(record.as_bytes());
    }
    fs::write(folder.path().join("0.log"), log).unwrap();
    for name in ["a.png", "b.png", "c.png", "d.png"] {
        fs::write(folder.path().join(name), b"\x89PNG\r\n\x1a\n\0\0").unwrap();
    }
    let input = folder.path().to_str().unwrap();
    let (account, ran) = account(&["sql", COUNT, "-i", input, "-o", "csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    for line in &lines[1..] {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(
        lines[1..],
        [
            "skipped 159: an object with the members kind and n",
            "skipped 159: an object with the members level, ts, logger, a-member-with-a-very…",
            "skipped 159: text, such as `I1120 10:00:00.000002       1 server.go:…`",
            "skipped as not an audit log: a.png, b.png, c.png, 1 more",
        ],
        "{}",
        ran.stderr
    );
    let examples = account["skipped_examples"].as_array().unwrap();
    assert_eq!(examples.len(), 3);
    assert_eq!(examples[0]["count"], 159);
    assert_eq!(
        examples[0]["looks_like"],
        "an object with the members kind and n"
    );
}

#[test]
fn a_window_says_how_many_events_have_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let without = event(0)
        .split(",\"requestReceived")
        .next()
        .unwrap()
        .to_owned()
        + "}\n";
    fs::write(&log, [&events(1..4)[..], without.as_bytes()].concat()).unwrap();
    let input = log.to_str().unwrap();
    let says = "1 event has no time: the time window leaves it out";
    let args = ["sql", COUNT, "-i", input, "-o", "csv", "--since"];
    let (account, ran) = account(&[&args[..], &["2026-11-19"]].concat());
    assert_eq!(shown(&ran), ("n,i\n3,3\n".to_owned(), 0), "{}", ran.stderr);
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    assert_eq!(account["events_without_time"], 1);
    let ran = counted(&log);
    assert_eq!(shown(&ran), ("n,i\n4,4\n".to_owned(), 0));
    assert!(!ran.stderr.contains("no time"), "{}", ran.stderr);
}

/// A log of a container runtime that was rotated inside an event: each half is told.
#[test]
fn parts_over_a_rotation() {
    let long = event(1);
    let (left, right) = long.split_at(long.len() / 2);
    let time = "2026-11-20T10:00:00.000000000Z";
    let cri = |parts: &[(&str, &str)]| -> String {
        let lines = parts
            .iter()
            .map(|(tag, text)| format!("{time} stdout {tag} {text}\n"));
        lines.collect()
    };
    let docker = |parts: &[&str]| -> String {
        let line = |text: &&str| {
            let text = Value::from(*text);
            format!("{{\"log\":{text},\"stream\":\"stdout\",\"time\":\"{time}\"}}\n")
        };
        parts.iter().map(line).collect()
    };
    let (first, third) = (event(0), event(2));
    let ends_docker = format!("{right}\n");
    let logs = [
        (
            "0.log",
            "0.log.20261120-100000",
            cri(&[("F", &first), ("P", left)]),
            cri(&[("F", right), ("F", &third)]),
        ),
        (
            "x-json.log",
            "x-json.log.1",
            docker(&[&format!("{first}\n"), left]),
            docker(&[&ends_docker, &format!("{third}\n")]),
        ),
    ];
    for (current, rotated, older, newer) in logs {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(rotated), &older).unwrap();
        fs::write(folder.path().join(current), &newer).unwrap();
        let ran = counted(folder.path());
        assert_eq!(shown(&ran), ("n,i\n2,2\n".to_owned(), 3), "{}", ran.stderr);
        assert!(
            ran.stderr
                .contains("the last part of the record is missing")
                && ran.stderr.contains("beginning is not in this file"),
            "{}",
            ran.stderr
        );
        // The file that is being written may get its last part yet.
        fs::write(folder.path().join(rotated), &first).unwrap();
        fs::write(folder.path().join(current), &older).unwrap();
        let ran = counted(folder.path());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains("incomplete tail 1"), "{}", ran.stderr);
    }
}

/// Two thousand files: the account does not depend on their order, or on the threads.
#[test]
fn two_thousand_files_of_everything() {
    const FILES: usize = 2000;
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    let mut expected = 0;
    for number in 0..FILES {
        let (ending, bytes) = match number % 8 {
            0 | 1 => ("log", events(number * 10..number * 10 + 3)),
            2 => ("log.gz", gzip(&events(number * 10..number * 10 + 2))),
            3 => (
                "klog",
                format!("I1120 10:00:00.{number:06}       1 server.go:12] started\n").into_bytes(),
            ),
            4 => ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
            5 => ("csv", format!("name,count\nx,{number}\n").into_bytes()),
            6 => (
                "json",
                format!("{{\"kind\":\"Pod\",\"m{}\":{number}}}\n", number % 40).into_bytes(),
            ),
            _ => (
                "broken",
                [
                    &events(number * 10..number * 10 + 1)[..],
                    b"{\"kind\":\"Event\",\"auditID\"\n",
                ]
                .concat(),
            ),
        };
        expected += [3, 3, 2, 0, 0, 0, 0, 1][number % 8];
        let path = folder.path().join(format!("{number:04}.{ending}"));
        fs::write(&path, bytes).unwrap();
        names.push(path.to_str().unwrap().to_owned());
    }
    let of = |threads: &str, inputs: &[&str]| {
        let mut args = vec!["sql", COUNT, "-o", "csv", "--threads", threads];
        for input in inputs {
            args.extend(["-i", input]);
        }
        let (mut account, ran) = account(&args);
        let mut inputs = account["inputs"].as_array().unwrap().clone();
        inputs.sort_by_key(|input| input["uri"].to_string());
        account["inputs"] = Value::Array(inputs);
        (shown(&ran), account)
    };
    let root = folder.path().to_str().unwrap();
    let want = of("1", &[root]);
    assert_eq!(want.0, (format!("n,i\n{expected},{expected}\n"), 3));
    assert_eq!(of("7", &[root]), want);
    // Four folders' worth of globs, in another order: what is found is found all the same.
    let globs: Vec<String> = (0..10)
        .rev()
        .map(|digit| format!("{root}/*{digit}.*"))
        .collect();
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    assert_eq!(of("3", &globs), want);
    assert_eq!(names.len(), FILES);
}
