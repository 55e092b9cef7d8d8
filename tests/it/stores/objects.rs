//! Objects, folders and globs of a store: the rows of the same files on disk.

use std::fs;

use serde_json::{Value, json};

use super::{COUNT, NOWHERE, ask, event, long_log, same, stores, tell, upload, write};
use crate::bin::data;
use crate::packers::gzip;

/// Files in folders, some with names that a URL has to escape, and one beside them.
fn files_with_odd_names() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "audit.log",
        "audit-2026-11-22T10-28-28.612.log.gz",
        "webhook-00001.json",
    ] {
        write(
            folder.path(),
            &format!("one/{name}"),
            fs::read(data("sample").join(name)).unwrap(),
        );
    }
    write(
        folder.path(),
        "one/two/three four+five=six.log",
        event("nested", "2026-11-22T10:00:00.000000Z"),
    );
    write(
        folder.path(),
        "one/two/pct%20x.log",
        event("percent", "2026-11-22T10:00:00.000000Z"),
    );
    write(folder.path(), "one/two/empty", "");
    write(
        folder.path(),
        "one-not/other.log",
        event("other", "2026-11-22T10:00:00.000000Z"),
    );
    folder
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn objects_folders_and_globs_give_the_rows_of_files() {
    let running = stores();
    let folder = files_with_odd_names();
    upload("objects-and-folders", folder.path(), "");
    let local = |path: &str| folder.path().join(path);
    for store in running {
        let url = |key: &str| store.url("objects-and-folders", key);
        for key in [
            "one/audit.log",
            "one/audit-2026-11-22T10-28-28.612.log.gz",
            "one/two/three four+five=six.log",
            "one/two/pct%20x.log",
        ] {
            same(&store, &url(key), &local(key), &[]);
        }
        same(&store, &url(""), &local(""), &[]);
        same(&store, &url("one"), &local("one"), &[]);
        same(&store, &url("one/"), &local("one"), &[]);
        same(&store, &url("one/two/"), &local("one/two"), &[]);
        for glob in ["one/*.json", "o*/audit*", "one/**/*.log", "one/two*", "*"] {
            same(&store, &url(glob), &local(glob), &[]);
        }
        let rows = ask(
            &store.env,
            "SELECT DISTINCT source_file FROM events",
            &url("one/two/"),
            &[],
        )
        .rows(0);
        assert!(
            rows.contains(&json!({"source_file": url("one/two/pct%20x.log")})),
            "{rows:?}"
        );
        for (missing, why) in [
            ("none", "no such object or folder"),
            ("none/", "no object in this folder"),
            ("none*", "no object matches"),
        ] {
            let ran = ask(&store.env, COUNT, &url(missing), &[]);
            assert!(
                ran.code == 2 && ran.stderr.contains(why),
                "{} {missing}: {} {}",
                store.name,
                ran.code,
                ran.stderr
            );
        }
        let ran = ask(
            &store.env,
            COUNT,
            &store.url("there-is-no-such-bucket", "x"),
            &[],
        );
        assert!(
            ran.code == 2 && ran.stderr.contains("there-is-no-such-bucket"),
            "{}: {} {}",
            store.name,
            ran.code,
            ran.stderr
        );
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn objects_of_several_members_are_read_to_the_end() {
    let running = stores();
    let folder = tempfile::tempdir().unwrap();
    let one = |number: usize| {
        event(&format!("member-{number}"), "2026-11-22T10:00:00.000000Z").into_bytes()
    };
    let members = |pack: &dyn Fn(&[u8]) -> Vec<u8>| {
        (0..50)
            .flat_map(|number| pack(&one(number)))
            .collect::<Vec<u8>>()
    };
    write(folder.path(), "gzip", members(&gzip));
    write(
        folder.path(),
        "zstd",
        members(&|bytes| zstd::encode_all(bytes, 1).unwrap()),
    );
    // Members that lie across the border of what is asked for at once.
    let long = long_log(26 << 20);
    let halves: Vec<u8> = long
        .as_bytes()
        .chunks(1 << 20)
        .flat_map(|part| zstd::encode_all(part, -7).unwrap())
        .collect();
    write(folder.path(), "zstd-long", halves);
    upload("several-members", folder.path(), "");
    for store in running {
        for name in ["gzip", "zstd", "zstd-long"] {
            let want = ask(
                NOWHERE,
                COUNT,
                folder.path().join(name).to_str().unwrap(),
                &[],
            )
            .rows(0);
            assert_eq!(
                ask(&store.env, COUNT, &store.url("several-members", name), &[]).rows(0),
                want,
                "{} {name}",
                store.name
            );
        }
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_thousand_small_objects() {
    let running = stores();
    let objects: serde_json::Map<String, Value> = (0..1000)
        .map(|number| {
            (
                format!("p/{}/{number:04}.log", number % 7),
                json!(event(
                    &format!("id-{number}"),
                    "2026-11-22T10:00:00.000000Z"
                )),
            )
        })
        .collect();
    tell(&json!({"do": "upload", "bucket": "a-thousand", "objects": objects}));
    for store in running {
        let rows = ask(&store.env, COUNT, &store.url("a-thousand", "p/"), &[]).rows(0);
        assert_eq!(rows, [json!({"n": 1000, "ids": 1000})], "{}", store.name);
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn keys_that_cannot_be_addressed_are_reported() {
    let running = stores();
    let text = |id: &str| event(id, "2026-11-22T10:00:00.000000Z");
    tell(&json!({"do": "upload", "bucket": "odd-keys", "objects": {
        "p/fine.log": text("fine"), "p/a b+c=d:e#f?.log": text("special"), "p/marker/": "", "p//double.log": text("double"),
        "p/./dot.log": text("dot"), "/lead.log": text("lead"),
    }}));
    for store in running {
        let url = |key: &str| store.url("odd-keys", key);
        let rows = ask(
            &store.env,
            "SELECT audit_id FROM events ORDER BY 1",
            &url("p/"),
            &[],
        )
        .rows(3);
        assert_eq!(
            rows,
            [
                json!({"audit_id": "double"}),
                json!({"audit_id": "fine"}),
                json!({"audit_id": "special"})
            ],
            "{}",
            store.name
        );
        let rejects = "SELECT source_file, message FROM rejects ORDER BY 1";
        let (flat, by_folder): (&[&str], &[&str]) = (&[], &["--since", "2026-11-01"]);
        for more in [flat, by_folder] {
            let rows = ask(&store.env, rejects, &url("p/"), more).rows(3);
            let files: Vec<&str> = rows
                .iter()
                .map(|row| row["source_file"].as_str().unwrap())
                .collect();
            assert_eq!(files, [url("p/./dot.log")], "{}", store.name);
            assert!(
                rows.iter().all(|row| row["message"]
                    .as_str()
                    .unwrap()
                    .contains("cannot be addressed")),
                "{rows:?}"
            );
        }
        let rows = ask(&store.env, rejects, &url(""), &[]).rows(3);
        assert!(
            rows.iter()
                .any(|row| row["source_file"] == url("/lead.log")),
            "{}: {rows:?}",
            store.name
        );
    }
}
