//! Servers that fail, cut, dawdle or do not answer: retried where that helps, reported where it
//! does not.

use std::fs;

use serde_json::json;

use super::{
    COUNT, Faulty, NOWHERE, ask, event, long_log, same, same_in, store, stores, upload, write,
};
use crate::bin::data;
use crate::packers::gzip;

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_server_that_fails_now_and_then_costs_nothing() {
    let running = stores();
    let folder = tempfile::tempdir().unwrap();
    for number in 0..60 {
        let content = event(&format!("id-{number}"), "2026-11-22T10:00:00.000000Z");
        write(
            folder.path(),
            &format!("small/{number}"),
            if number % 2 == 0 {
                content.into_bytes()
            } else {
                gzip(content.as_bytes())
            },
        );
    }
    write(folder.path(), "long/plain.log", long_log(9 << 20));
    write(
        folder.path(),
        "long/packed.log.zst",
        zstd::encode_all(long_log(1 << 20).as_bytes(), 1).unwrap(),
    );
    upload("now-and-then", folder.path(), "");
    for store in running {
        let failing = Faulty::before(
            &store,
            json!({"fail_every": 3, "fail_with": "503,reset,500"}),
        );
        same(
            failing.store(),
            &store.url("now-and-then", "small/"),
            &folder.path().join("small"),
            &[],
        );
        assert!(
            failing.seen("failed") > 20,
            "{}: {} failures",
            store.name,
            failing.seen("failed")
        );
        // Bodies and pages that end half way. A window makes it list the folders one by one.
        for only in ["objects", "lists"] {
            let cutting = Faulty::before(&store, json!({"cut_every": 2, "only": only}));
            same(
                cutting.store(),
                &store.url("now-and-then", ""),
                folder.path(),
                &["--since", "2026-01-01"],
            );
            assert!(cutting.seen("cut") > 0, "{} {only}", store.name);
        }
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_slow_server_is_waited_for() {
    let store = store("s3");
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "audit.log",
        fs::read(data("sample/audit.log")).unwrap(),
    );
    upload("slow-server", folder.path(), "");
    // It takes three seconds.
    let slow = Faulty::before(
        &store,
        json!({"slow": 170_000, "latency": 0.5, "only": "objects"}),
    );
    same(
        slow.store(),
        &store.url("slow-server", "audit.log"),
        &folder.path().join("audit.log"),
        &[],
    );
    let slow = Faulty::of(folder.path(), json!({"slow": 170_000, "no_etag": true}));
    same_in(
        NOWHERE,
        &format!("{}/audit.log", slow.url),
        &folder.path().join("audit.log"),
        &[],
    );
}

#[test]
fn a_dead_server_is_told() {
    // Nothing listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let set = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    let keys = [
        ("AWS_ACCESS_KEY_ID", "hush-hush"),
        ("AWS_SECRET_ACCESS_KEY", "hush-hush"),
    ];
    let azure = format!("AccountName=acc;AccountKey=aHVzaA==;BlobEndpoint={url}/acc");
    let web = format!("{url}/x.log?token=hush-hush");
    for (env, input) in [
        (
            set(&[("AWS_ENDPOINT_URL", url.as_str()), keys[0], keys[1]]),
            "s3://bucket/x",
        ),
        (
            set(&[
                ("GOOGLE_BASE_URL", url.as_str()),
                ("GOOGLE_SKIP_SIGNATURE", "true"),
            ]),
            "gs://bucket/x/",
        ),
        (
            set(&[("AZURE_STORAGE_CONNECTION_STRING", azure.as_str())]),
            "az://bucket/x",
        ),
        (set(&[]), web.as_str()),
    ] {
        let ran = ask(&env, COUNT, input, &[]);
        assert!(
            ran.code == 2 && ran.stderr.contains("cannot be reached"),
            "{input}: {} {}",
            ran.code,
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("hush-hush") && !ran.stderr.contains("aHVzaA"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_store_that_only_fails_is_given_up() {
    for store in stores() {
        let dead = Faulty::before(&store, json!({"fail_first": 1_000_000}));
        let ran = ask(
            &dead.store().env,
            COUNT,
            &store.url("any-bucket", "x/"),
            &[],
        );
        assert!(
            ran.code == 2 && ran.stderr.contains("503"),
            "{}: {} {}",
            store.name,
            ran.code,
            ran.stderr
        );
        let requests = dead.seen("requests");
        assert!((2..=20).contains(&requests), "{}: {requests}", store.name);
    }
}
