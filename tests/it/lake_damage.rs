//! Bits that flip in the data files of a lake: every answer is the right one or an error that names
//! the file, and `verify` finds them all.

use std::fs;
use std::path::{Path, PathBuf};

use auditql_engine::arrow::util::pretty::pretty_format_batches;
use auditql_engine::{Engine, Options};

use crate::lake_fixture::{Cluster, Lake, run};

/// What is asked after every flip: each column of each table.
const QUESTIONS: [&str; 4] = [
    "SELECT * FROM events ORDER BY audit_id, stage",
    "SELECT count(*), min(stage_timestamp), sum(length(user_agent)) FROM events WHERE verb = 'get'",
    "SELECT * FROM rejects ORDER BY source_line",
    "SELECT * FROM sources ORDER BY source_id",
];

/// A lake of two days with rejects.
fn lake(folder: &Path) -> Lake {
    let log = folder.join("audit.log");
    let text = Cluster::new("flips").per_day(40).log(0..80) + "no event\n{\"kind\":\n";
    fs::write(&log, text).unwrap();
    let lake = Lake::in_folder(folder.join("lake"));
    lake.take(&[&log]);
    lake
}

/// The data files of all tables.
fn data_files(lake: &Lake) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = lake
        .live()
        .into_iter()
        .map(|name| lake.folder().join("events").join(name))
        .collect();
    for table in ["rejects", "sources"] {
        let files = crate::lake_fixture::files(&lake.folder().join(table));
        let parquet = files.into_keys().filter(|path| {
            path.extension().is_some_and(|ending| ending == "parquet")
                && !path
                    .components()
                    .any(|part| part.as_os_str() == "_delta_log")
        });
        found.extend(parquet.map(|path| lake.folder().join(table).join(path)));
    }
    found
}

/// The answers to all questions; the first error.
async fn answers(lake: &Lake) -> Result<String, String> {
    let options = Options {
        inputs: vec![lake.uri.clone()],
        threads: 1,
        ..Options::default()
    };
    let engine = Engine::open(options)
        .await
        .map_err(|error| error.to_string())?;
    let mut all = String::new();
    for question in QUESTIONS {
        let answer = engine
            .sql(question)
            .await
            .map_err(|error| error.to_string())?;
        let batches = answer.collect().await.map_err(|error| error.to_string())?;
        all += &pretty_format_batches(&batches).unwrap().to_string();
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_never_changes_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let files = data_files(&lake);
    assert_eq!(files.len(), 4, "two days, rejects and sources: {files:?}");
    let whole = answers(&lake).await.unwrap();
    let flips: u64 = if std::env::var_os("AUDITQL_TEST_FULL").is_some() {
        10_000
    } else {
        120
    };
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut found = 0;
    for _ in 0..flips {
        let file = &files[random(files.len())];
        let bytes = fs::read(file).unwrap();
        let mut flipped = bytes.clone();
        let at = random(bytes.len());
        flipped[at] ^= 1 << random(8);
        fs::write(file, &flipped).unwrap();
        match answers(&lake).await {
            Ok(now) => assert_eq!(now, whole, "byte {at} of {}", file.display()),
            Err(message) => {
                found += 1;
                let name = file.file_name().unwrap().to_str().unwrap();
                assert!(message.contains(name), "byte {at}: {message}");
                assert!(
                    message.contains("does not match") || message.contains("do not match"),
                    "{message}"
                );
            }
        }
        fs::write(file, &bytes).unwrap();
    }
    assert!(found * 10 > flips * 9, "{found} of {flips} were found");
    assert_eq!(answers(&lake).await.unwrap(), whole);
}

#[test]
fn verify_reads_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    for file in data_files(&lake) {
        let bytes = fs::read(&file).unwrap();
        for at in (4..bytes.len()).step_by(bytes.len() / 23) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            fs::write(&file, flipped).unwrap();
            let ran = run(&mut lake.verb("verify", &[]));
            let told = String::from_utf8_lossy(&ran.stdout).into_owned() + &ran.stderr;
            let name = file.file_name().unwrap().to_str().unwrap();
            assert_ne!(ran.code, 0, "byte {at} of {}: {told}", file.display());
            assert!(told.contains(name), "byte {at}: {told}");
        }
        fs::write(&file, bytes).unwrap();
    }
    lake.rows_of("verify", &[], 0);
}

/// A lake as earlier versions wrote it.
#[test]
fn a_lake_without_checksums_is_told_and_gets_them() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let logs = crate::lake_fixture::files(lake.folder());
    for (name, bytes) in logs {
        if name
            .components()
            .any(|part| part.as_os_str() == "_delta_log")
        {
            let text = String::from_utf8(bytes).unwrap();
            let without: Vec<String> = text
                .lines()
                .map(|line| {
                    let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
                    if let Some(add) = action.get_mut("add") {
                        add.as_object_mut().unwrap().remove("tags");
                    }
                    action.to_string()
                })
                .collect();
            fs::write(lake.folder().join(&name), without.join("\n")).unwrap();
        }
    }
    let unchecked = |lake: &Lake| {
        let found = lake.rows_of("verify", &[], 0);
        found
            .iter()
            .filter(|row| row["status"] == "unchecked")
            .count()
    };
    assert_eq!(unchecked(&lake), 3);
    let ran = lake.asked("SELECT count(*) n FROM events", &[]);
    assert!(ran.stderr.contains("without checksums"), "{}", ran.stderr);
    run(&mut lake.verb("optimize", &[])).rows(0);
    assert_eq!(unchecked(&lake), 0);
    let ran = lake.asked("SELECT count(*) n FROM events", &[]);
    assert!(!ran.stderr.contains("checksums"), "{}", ran.stderr);
}
