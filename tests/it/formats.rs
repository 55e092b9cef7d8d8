//! Every format, from `data/formats/<format>/<case>/`: `input.*` has to give the events of
//! `expected.jsonl`, the account of `account.json` (none of either where it is absent) and the
//! columns of `columns.json`.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::bin::{Ran, data, run, run_with};

fn json_of(path: &Path) -> Option<Value> {
    fs::read_to_string(path)
        .ok()
        .map(|text| serde_json::from_str(&text).unwrap())
}

fn lines(text: &str) -> Vec<Value> {
    // What is no JSON differs from whatever was expected.
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!({ "no JSON": line })))
        .collect()
}

/// What differs, in words.
fn check(case: &Path) -> Vec<String> {
    let input = fs::read_dir(case)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("input.")
        })
        .unwrap();
    let input = input.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (events, account) = (
        folder.path().join("events.jsonl"),
        folder.path().join("account.json"),
    );
    let ran = run([
        "convert",
        "-i",
        input,
        "--to",
        events.to_str().unwrap(),
        "--summary",
        account.to_str().unwrap(),
    ]);
    let got = lines(&fs::read_to_string(&events).unwrap_or_default());
    let want = lines(&fs::read_to_string(case.join("expected.jsonl")).unwrap());
    let mut failures = other_events(&got, &want, &ran);
    let account = json_of(&account).unwrap_or_default();
    let expected = json_of(&case.join("account.json"))
        .unwrap_or_else(|| json!({"rejects": {}, "skipped": {}}));
    failures.extend(other_account(&account, &expected, &ran));
    if let Some(Value::Object(columns)) = json_of(&case.join("columns.json")) {
        failures.extend(other_columns(input, &columns));
    }
    failures
}

/// Where the events differ from those of `expected.jsonl`.
fn other_events(got: &[Value], want: &[Value], ran: &Ran) -> Vec<String> {
    let mut failures = Vec::new();
    if got.len() != want.len() {
        failures.push(format!(
            "{} events instead of {}: {}",
            got.len(),
            want.len(),
            ran.stderr
        ));
    }
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        let names: BTreeSet<&String> = got
            .as_object()
            .unwrap()
            .keys()
            .chain(want.as_object().unwrap().keys())
            .collect();
        for name in names {
            if got.get(name) != want.get(name) {
                let show = |value: Option<&Value>| {
                    value.map_or_else(|| "absent".to_owned(), Value::to_string)
                };
                failures.push(format!(
                    "event {index}, {name}: {} instead of {}",
                    show(got.get(name)),
                    show(want.get(name))
                ));
            }
        }
    }
    failures
}

/// Where the account of the run differs from `account.json`.
fn other_account(account: &Value, expected: &Value, ran: &Ran) -> Vec<String> {
    let mut failures = Vec::new();
    for (key, value) in expected.as_object().unwrap() {
        if &account[key] != value {
            failures.push(format!(
                "{key} is {} instead of {value}: {}",
                account[key], ran.stderr
            ));
        }
    }
    failures
}

/// Where the columns differ from those of `columns.json`.
fn other_columns(input: &str, columns: &serde_json::Map<String, Value>) -> Vec<String> {
    let mut failures = Vec::new();
    let names: Vec<&str> = columns.keys().map(String::as_str).collect();
    let sql = format!("SELECT {} FROM events", names.join(", "));
    let ran = run([
        "sql",
        "-q",
        "--threads",
        "1",
        &sql,
        "-i",
        input,
        "-o",
        "jsonl",
    ]);
    let rows = lines(&String::from_utf8(ran.stdout).unwrap());
    for (name, want) in columns {
        let got = Value::Array(rows.iter().map(|row| row[name].clone()).collect());
        if &got != want {
            failures.push(format!("{name}: {got} instead of {want}"));
        }
    }
    failures
}

#[test]
fn every_case_of_every_format() {
    let root = data("formats");
    let mut covered = BTreeSet::new();
    let mut failures = Vec::new();
    for format in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap()) {
        for case in fs::read_dir(format.path())
            .unwrap()
            .map(|entry| entry.unwrap())
        {
            let name = format!(
                "{}/{}",
                format.file_name().display(),
                case.file_name().display()
            );
            covered.insert(format.file_name().to_string_lossy().into_owned());
            failures.extend(
                check(&case.path())
                    .into_iter()
                    .map(|failure| format!("{name}: {failure}")),
            );
        }
    }
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
    for format in auditql_engine::formats() {
        assert!(
            covered.contains(format.name),
            "no case for the format {}",
            format.name
        );
    }
}

/// What was read of an input: events, and rejects and skips together. (An incomplete last record is a
/// skip in a plain file and a reject in any other.)
fn counted(input: &str, stdin: Option<&[u8]>) -> (u64, u64) {
    let summary = tempfile::NamedTempFile::new().unwrap();
    let args = [
        "sql",
        "-q",
        "SELECT count(*) FROM events",
        "-i",
        input,
        "--summary",
        summary.path().to_str().unwrap(),
    ];
    run_with(args, stdin);
    let account = json_of(summary.path()).unwrap_or_default();
    let sum = |name: &str| -> u64 {
        let counts = account[name].as_object().into_iter().flatten();
        counts.filter_map(|(_, count)| count.as_u64()).sum()
    };
    (
        account["events"].as_u64().unwrap_or(u64::MAX),
        sum("rejects") + sum("skipped"),
    )
}

/// Every case as a file, compressed, in an archive, in a folder and from stdin is the same.
#[test]
fn every_case_through_every_door() {
    let inputs: Vec<_> = walkdir_files(&data("formats"))
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("input.")
        })
        .collect();
    let half = inputs.len().div_ceil(2);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = inputs
            .chunks(half)
            .map(|some| {
                scope.spawn(|| some.iter().flat_map(|path| doors(path)).collect::<Vec<_>>())
            })
            .collect();
        let joined = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap());
        joined.collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Where a case differs by the way it is read.
fn doors(input: &Path) -> Vec<String> {
    let bytes = fs::read(input).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut gzip = flate2::write::GzEncoder::new(
        fs::File::create(at("packed")).unwrap(),
        flate2::Compression::fast(),
    );
    std::io::Write::write_all(&mut gzip, &bytes).unwrap();
    gzip.finish().unwrap();
    let mut zip = zip::ZipWriter::new(fs::File::create(at("zipped")).unwrap());
    zip.start_file("audit", zip::write::SimpleFileOptions::default())
        .unwrap();
    std::io::Write::write_all(&mut zip, &bytes).unwrap();
    zip.finish().unwrap();
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("folder").join("audit"), &bytes).unwrap();
    let want = counted(input.to_str().unwrap(), None);
    let mut failures = Vec::new();
    for door in ["packed", "zipped", "folder"] {
        let got = counted(at(door).to_str().unwrap(), None);
        if got != want {
            failures.push(format!(
                "{}, {door}: {got:?}, not {want:?}",
                input.display()
            ));
        }
    }
    let got = counted("-", Some(&bytes));
    if got != want {
        failures.push(format!("{}, stdin: {got:?}, not {want:?}", input.display()));
    }
    failures
}

/// Everything at once: a folder of all formats and of what lies beside them gives every event, and
/// what is no audit log is counted.
#[test]
fn a_folder_of_everything() {
    let cases = data("formats");
    let named = |name: &'static str| {
        walkdir_files(&cases).filter(move |path| path.file_name().unwrap() == name)
    };
    let events: usize = named("expected.jsonl")
        .map(|path| fs::read_to_string(path).unwrap().lines().count())
        .sum();
    let duplicates = |account: &Value| account["skipped"]["duplicate"].as_u64().unwrap_or(0);
    let delivered = events as u64
        + named("account.json")
            .map(|path| duplicates(&json_of(&path).unwrap()))
            .sum::<u64>();
    let folder = tempfile::tempdir().unwrap();
    let inputs = walkdir_files(&cases).filter(|path| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("input.")
    });
    for (index, input) in inputs
        .chain(walkdir_files(&data("formats-negative")))
        .enumerate()
    {
        let name = format!("{index:04}-{}", input.file_name().unwrap().display());
        fs::copy(&input, folder.path().join(name)).unwrap();
    }
    // A folder may be called like a log.
    fs::create_dir(folder.path().join("audit.log")).unwrap();
    let summary = tempfile::NamedTempFile::new().unwrap();
    let ran = run([
        "sql",
        "SELECT count(*) n FROM events",
        "-i",
        folder.path().to_str().unwrap(),
        "-o",
        "csv",
        "--summary",
        summary.path().to_str().unwrap(),
    ]);
    // The cases in which AKS's second stream repeats the first repeat each other, too: each of their
    // events is a row or a duplicate.
    let account = json_of(summary.path()).unwrap();
    let read = account["events"].as_u64().unwrap();
    assert_eq!(ran.text(3), format!("n\n{read}\n"));
    assert_eq!(read + duplicates(&account), delivered, "{}", ran.stderr);
}

/// Inputs without an audit event: nothing of them is an event, and only what the user named himself
/// and is no log is a reject.
#[test]
fn what_is_no_audit_log() {
    let folder = data("formats-negative");
    let ran = run([
        "sql",
        "SELECT count(*) n FROM events",
        "-i",
        folder.to_str().unwrap(),
        "-o",
        "csv",
        "--allow-empty",
    ]);
    assert_eq!(
        (String::from_utf8(ran.stdout).unwrap().as_str(), ran.code),
        ("n\n0\n", 0),
        "{}",
        ran.stderr
    );
    for (name, code) in [
        ("kube-apiserver-klog.log", 3),
        ("azure-activity-log.json", 0),
        ("aws-logs-write-test", 3),
        ("pixel.jpg", 3),
        ("empty.log", 0),
        ("gke-container-api.json", 0),
        ("aks-kube-controller-manager.json", 0),
        ("kubernetes-events.json", 0),
    ] {
        let ran = run([
            "sql",
            "SELECT count(*) n FROM events",
            "-i",
            folder.join(name).to_str().unwrap(),
            "-o",
            "csv",
            "--allow-empty",
        ]);
        assert_eq!(
            (String::from_utf8(ran.stdout).unwrap().as_str(), ran.code),
            ("n\n0\n", code),
            "{name}: {}",
            ran.stderr
        );
    }
}

fn walkdir_files(root: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    files.into_iter()
}

/// What a responder is handed: an archive is read as the files in it.
#[test]
fn archives_are_the_files_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let sample = data("sample");
    let (zipped, tarred) = (folder.path().join("logs.zip"), folder.path().join("logs"));
    let mut zip = zip::ZipWriter::new(fs::File::create(&zipped).unwrap());
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
        fs::File::create(&tarred).unwrap(),
        flate2::Compression::fast(),
    ));
    for file in walkdir_files(&sample) {
        let name = format!(
            "must-gather/audit_logs/{}",
            file.file_name().unwrap().display()
        );
        zip.start_file(&name, zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::copy(&mut fs::File::open(&file).unwrap(), &mut zip).unwrap();
        tar.append_path_with_name(&file, &name).unwrap();
    }
    // A broken archive inside costs itself, and says so.
    zip.start_file("inner.zip", zip::write::SimpleFileOptions::default())
        .unwrap();
    std::io::Write::write_all(&mut zip, b"PK\x03\x04 and so on").unwrap();
    zip.finish().unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    let count = |input: &Path| {
        let ran = run([
            "sql",
            "SELECT count(*) n, count(DISTINCT audit_id) i FROM events",
            "-i",
            input.to_str().unwrap(),
            "-o",
            "csv",
        ]);
        (String::from_utf8(ran.stdout).unwrap(), ran.code, ran.stderr)
    };
    let want = count(&sample);
    let (rows, code, stderr) = count(&tarred);
    assert_eq!((rows, code), (want.0.clone(), want.1), "{stderr}");
    let (rows, code, stderr) = count(&zipped);
    assert_eq!((rows, code), (want.0, 3), "{stderr}");
    assert!(
        stderr.contains("inner.zip") && stderr.contains("the archive cannot be read to its end"),
        "{stderr}"
    );
    // Cut in the middle: what is whole is read, and the rest is told.
    let bytes = fs::read(&tarred).unwrap();
    fs::write(&tarred, &bytes[..bytes.len() / 2]).unwrap();
    let (_, code, stderr) = count(&tarred);
    assert!(
        code == 3 && stderr.contains("the archive cannot be read to its end"),
        "{stderr}"
    );
}
