//! Files and folders of web servers, with and without WebDAV, ranges and entity tags.

use std::fs;

use serde_json::json;

use super::{COUNT, Faulty, NOWHERE, ask, event, long_log, same_in, write};
use crate::bin::data;
use crate::packers::gzip;

/// What the servers serve: a log, a long one, and folders of days.
fn served_files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "logs/audit.log",
        fs::read(data("sample/audit.log")).unwrap(),
    );
    write(
        folder.path(),
        "logs/long.log.gz",
        gzip(long_log(9 << 20).as_bytes()),
    );
    write(
        folder.path(),
        "logs/2026/11/21/a b.log",
        event("old", "2026-11-21T10:00:00.000000Z"),
    );
    write(
        folder.path(),
        "logs/2026/11/25/new.log",
        event("new", "2026-11-25T10:00:00.000000Z"),
    );
    folder
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn files_and_folders_of_web_servers() {
    let folder = served_files();
    let local = |path: &str| folder.path().join(path);
    for faults in [
        json!({}),
        json!({"cut_every": 2}),
        json!({"fail_every": 3, "fail_with": "503,reset"}),
        json!({"no_range": true}),
        json!({"no_range": true, "no_etag": true, "fail_every": 4}),
    ] {
        let server = Faulty::of(folder.path(), faults.clone());
        for path in ["logs/audit.log", "logs/long.log.gz"] {
            same_in(
                NOWHERE,
                &format!("{}/{path}", server.url),
                &local(path),
                &[],
            );
        }
        same_in(
            NOWHERE,
            &format!("{}/logs/audit.log?token=hush&name=x", server.url),
            &local("logs/audit.log"),
            &[],
        );
    }
    let server = Faulty::of(folder.path(), json!({}));
    let url = |path: &str| format!("{}/{path}", server.url);
    same_in(
        NOWHERE,
        &url("logs/2026/11/21/a%20b.log"),
        &local("logs/2026/11/21/a b.log"),
        &[],
    );
    same_in(NOWHERE, &url("logs/"), &local("logs"), &[]);
    same_in(
        NOWHERE,
        &url("logs/2026/"),
        &local("logs/2026"),
        &["--since", "2026-11-25"],
    );
    let rows = ask(
        NOWHERE,
        "SELECT DISTINCT source_file FROM events",
        &url("logs/audit.log?token=hush&name=x"),
        &[],
    )
    .rows(0);
    assert_eq!(
        rows,
        [json!({"source_file": url("logs/audit.log?token=…&name=x")})]
    );
    let ran = ask(NOWHERE, COUNT, &url("logs/none.log"), &[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("no such file"),
        "{} {}",
        ran.code,
        ran.stderr
    );
    let plain = Faulty::of(folder.path(), json!({"no_webdav": true}));
    let ran = ask(NOWHERE, COUNT, &format!("{}/logs/", plain.url), &[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("does not list folders"),
        "{} {}",
        ran.code,
        ran.stderr
    );
}
