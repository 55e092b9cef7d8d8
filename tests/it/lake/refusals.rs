//! What is refused, in words for users: inputs that a lake cannot take, folders that are no lake,
//! versions that it does not have.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    bin::{Ran, command, run},
    lake_fixture::{self, Cluster, Lake, files},
};

/// The commands of `auditql lake`, each with the arguments that it needs.
const COMMANDS: [&[&str]; 7] = [
    &["sources"],
    &["history"],
    &["verify"],
    &["optimize"],
    &["vacuum"],
    &["expire", "--older-than", "1d"],
    &["export", "--to", "out.jsonl"],
];

/// The run was refused, and what it says is for users.
#[track_caller]
fn refused(ran: Ran, says: &str) {
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.to_lowercase().contains(&says.to_lowercase()),
        "{}",
        ran.stderr
    );
    for rusty in [
        "Error(",
        "panicked",
        "DeltaTable",
        "DataFusionError",
        "ObjectStore",
        "RUST_BACKTRACE",
    ] {
        assert!(!ran.stderr.contains(rusty), "{}", ran.stderr);
    }
}

/// A folder that is something else than a lake.
fn photos(folder: &Path) -> PathBuf {
    let photos = folder.join("photos");
    fs::create_dir_all(photos.join("2026")).unwrap();
    fs::write(photos.join("2026/me.jpg"), "no lake").unwrap();
    photos
}

#[test]
fn what_a_lake_cannot_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("audit.log"), Cluster::new("log").log(0..20)).unwrap();
    let convert = |input: &str, to: &str, more: &[&str]| {
        let (input, to) = (path(input), path(to));
        run([
            "convert",
            "-i",
            input.to_str().unwrap(),
            "--to",
            to.to_str().unwrap(),
        ]
        .iter()
        .chain(more))
    };
    // A lake that lacks events for good, because a window was set once.
    refused(
        convert("audit.log", "lake", &["--since", "2026-11-01"]),
        "--since",
    );
    refused(
        convert("audit.log", "lake", &["--until", "2026-11-01"]),
        "--until",
    );
    assert!(!path("lake").exists());
    assert_eq!(convert("audit.log", "events.parquet", &[]).code, 0);
    refused(convert("events.parquet", "lake", &[]), "parquet");
    refused(convert("none.log", "lake", &[]), "none.log");
    let lake = Lake::in_folder(path("lake"));
    assert_eq!(lake.added(&[path("audit.log")]), 20);
    refused(convert("lake", "other-lake", &[]), "lake");
    refused(convert("lake", "lake", &[]), "lake");
    refused(convert("events.parquet", "lake", &[]), "parquet");
    lake.holds(&Cluster::new("log").log(0..20));
    // A folder that is something else stays what it is.
    let photos = photos(folder.path());
    let before = files(&photos);
    refused(convert("audit.log", "photos", &[]), "photos");
    assert_eq!(files(&photos), before);
    fs::write(path("file"), "text").unwrap();
    refused(convert("audit.log", "file", &[]), "file");
    // An empty one will do.
    fs::create_dir(path("empty")).unwrap();
    assert_eq!(convert("audit.log", "empty", &[]).code, 0);
}

#[test]
fn what_is_no_lake_is_refused_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("audit.log"), Cluster::new("log").log(0..20)).unwrap();
    let photos = photos(folder.path());
    let before = files(&photos);
    for place in ["photos", "nowhere", "audit.log"] {
        let place = path(place);
        for words in COMMANDS {
            let mut command = command();
            // Should it write, then not into the sources.
            command
                .current_dir(folder.path())
                .args(["lake", words[0], place.to_str().unwrap()])
                .args(&words[1..]);
            refused(
                lake_fixture::run(&mut command),
                place.file_name().unwrap().to_str().unwrap(),
            );
        }
    }
    assert_eq!(files(&photos), before);
    assert!(!path("nowhere").exists() && !path("out.jsonl").exists());
}

#[test]
fn a_version_that_a_lake_does_not_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    fs::write(&log, Cluster::new("log").log(0..20)).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    assert_eq!(lake.added(&[&log]), 20);
    refused(
        run([
            "sql",
            "SELECT 1 FROM events",
            "-i",
            &lake.uri,
            "--as-of",
            "999",
        ]),
        "999",
    );
    refused(
        run([
            "sql",
            "SELECT 1 FROM events",
            "-i",
            &lake.uri,
            "--as-of",
            "never",
        ]),
        "never",
    );
}
