//! Lakes in stores, against the emulators that `stores` starts: filled, asked, cared for;
//! through a server that fails, and one that does what it is told and does not say so.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use serde_json::json;

use crate::{
    bin::data,
    lake_fixture::{Cluster, Lake, append, at_once},
    stores::{Faulty, Store, store, stores, tell, upload},
};

/// The stores that a lake can be tested in.
fn writable() -> Vec<Store> {
    // object_store writes to Cloud Storage through its XML API, of which fake-gcs-server has the
    // reading half only.
    stores()
        .into_iter()
        .filter(|store| store.name != "gcs")
        .collect()
}

fn make_bucket(bucket: &str) {
    tell(&json!({"do": "upload", "bucket": bucket}));
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_lake_in_a_store() {
    let running = writable();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let cluster = Cluster::new("kept");
    let sample = fs::read_to_string(data("sample/audit.log")).unwrap();
    make_bucket("a-lake");
    for store in running {
        fs::write(&log, cluster.log(0..70)).unwrap();
        // A prefix with all that has to be encoded, or must not be.
        let lake = Lake::in_store(store.url("a-lake", "audit/pro d+1=x%20y"), &store.env);
        let name = &store.name;
        assert_eq!(
            lake.added(&[log.clone(), data("sample/audit.log")]),
            70 + 445,
            "{name}"
        );
        let again = lake.convert(&[log.clone(), data("sample/audit.log")]);
        assert!(
            again.code == 0 && again.stderr.contains("nothing new"),
            "{name}: {} {}",
            again.code,
            again.stderr
        );
        append(&log, cluster.log(70..90));
        assert_eq!(lake.added(&[&log]), 20, "{name}");
        assert_eq!(
            lake.ask(
                "SELECT count(*) n FROM requests WHERE date = '2026-11-02'",
                &[]
            ),
            [json!({"n": 20})],
            "{name}"
        );
        assert_eq!(
            lake.ask(
                "SELECT count(*) n FROM events",
                &["--since", "2026-11-02", "--until", "2026-11-03"]
            ),
            [json!({"n": 40})]
        );
        assert_eq!(lake.rows_of("sources", &[], 0).len(), 2, "{name}");
        assert!(lake.rows_of("history", &[], 0).len() >= 2, "{name}");
        lake.rows_of("verify", &[], 0);
        lake.rows_of("optimize", &[], 0);
        lake.rows_of("vacuum", &["--older-than", "0s"], 0);
        lake.rows_of("verify", &[], 0);
        lake.holds(&(cluster.log(0..90) + &sample));
        assert_eq!(lake.added(&[&log]), 0, "{name}");
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn objects_into_a_lake_beside_them() {
    let running = writable();
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::new("object");
    let put = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    make_bucket("objects-to-lake");
    for store in running {
        let prefix = format!("{}/logs/", store.name);
        put("one.log", cluster.log(0..40));
        put("two.log", cluster.log(40..60));
        upload("objects-to-lake", folder.path(), &prefix);
        let lake = Lake::in_store(
            store.url("objects-to-lake", &format!("{}/lake", store.name)),
            &store.env,
        );
        let logs = store.url("objects-to-lake", &prefix);
        assert_eq!(lake.added(&[&logs]), 60, "{}", store.name);
        assert_eq!(lake.added(&[&logs]), 0, "{}", store.name);
        put("two.log", cluster.log(40..75));
        put("three.log", cluster.log(0..40));
        upload("objects-to-lake", folder.path(), &prefix);
        assert_eq!(lake.added(&[&logs]), 15, "{}", store.name);
        lake.holds(&cluster.log(0..75));
        lake.rows_of("verify", &[], 0);
        // A local lake of the same objects, and what is no lake.
        let local = Lake::in_store(
            folder
                .path()
                .join(format!("lake-{}", store.name))
                .display()
                .to_string(),
            &store.env,
        );
        assert_eq!(local.added(&[&logs]), 75, "{}", store.name);
        let other = Lake::in_store(logs, &store.env).convert(&[folder.path().join("one.log")]);
        assert!(
            other.code == 2,
            "{}: {} {}",
            store.name,
            other.code,
            other.stderr
        );
        fs::remove_dir_all(local.folder()).unwrap();
        fs::remove_file(folder.path().join("three.log")).unwrap();
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn converters_of_different_logs_at_the_same_time() {
    // moto looks and writes in two steps; Azurite's condition is one.
    let store = store("azure");
    let folder = tempfile::tempdir().unwrap();
    make_bucket("at-once");
    let lake = Lake::in_store(store.url("at-once", "lake"), &store.env);
    let logs = ["a", "b", "c"].map(|name| {
        let log = folder.path().join(name);
        fs::write(
            &log,
            Cluster::new(name).log(0..50) + &Cluster::new("all").log(0..20),
        )
        .unwrap();
        log
    });
    for ran in at_once(logs.iter().map(|log| lake.converter(&[log])).collect()) {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    lake.holds(
        &(["a", "b", "c"]
            .map(|name| Cluster::new(name).log(0..50))
            .concat()
            + &Cluster::new("all").log(0..20)),
    );
    assert_eq!(lake.added(&logs), 0);
}

/// Converts until it succeeds, which it has to soon.
#[track_caller]
fn insist(lake: &Lake, input: &std::path::Path) {
    let mut said = String::new();
    for _ in 0..20 {
        let ran = lake.convert(&[input]);
        assert!(matches!(ran.code, 0 | 2), "{}: {}", ran.code, ran.stderr);
        if ran.code == 0 {
            return;
        }
        said = ran.stderr;
    }
    panic!("twenty runs failed: {said}");
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_store_that_fails_now_and_then() {
    let running = writable();
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::new("failing");
    make_bucket("failing-lake");
    for store in running {
        let log = folder.path().join(format!("{}.log", store.name));
        let mut before = 0;
        for faults in [
            json!({"fail_every": 4, "fail_with": "503,reset,500"}),
            json!({"cut_every": 5}),
            // More failures after each other than the client takes.
            json!({"fail_first": 14, "fail_with": "reset"}),
        ] {
            append(&log, cluster.log(before..before + 60));
            before += 60;
            let failing = Faulty::before(&store, faults.clone());
            let url = store.url("failing-lake", "lake");
            insist(&Lake::in_store(url.clone(), &failing.store().env), &log);
            assert!(
                failing.seen("failed") + failing.seen("cut") > 0,
                "{}: {faults}",
                store.name
            );
            let lake = Lake::in_store(url, &store.env);
            assert_eq!(lake.added(&[&log]), 0, "{}: {faults}", store.name);
            lake.holds(&cluster.log(0..before));
        }
        let lake = Lake::in_store(store.url("failing-lake", "lake"), &store.env);
        let failing = Faulty::before(&store, json!({"fail_every": 5, "fail_with": "500"}));
        for verb in ["optimize", "verify"] {
            let through = Lake::in_store(lake.uri.clone(), &failing.store().env);
            let ended =
                (0..20).any(|_| crate::lake_fixture::run(&mut through.verb(verb, &[])).code == 0);
            assert!(ended, "{}: {verb}", store.name);
        }
        lake.holds(&cluster.log(0..before));
    }
}

/// A server in front of a store that keeps back the answer to every n-th commit, or gives a wrong
/// one: the commit is there, and its writer does not know.
struct Silent {
    env: Vec<(String, String)>,
    kept_back: Arc<AtomicU64>,
}

impl Silent {
    fn before(store: &Store, every: u64, instead: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let is_url = |value: &str| value.starts_with("http://127.0.0.1:");
        let upstream = store
            .env
            .iter()
            .map(|(_, value)| value.clone())
            .find(|value| is_url(value))
            .unwrap();
        let env = store
            .env
            .iter()
            .map(|(name, value)| {
                (
                    name.clone(),
                    if is_url(value) {
                        own.clone()
                    } else {
                        value.clone()
                    },
                )
            })
            .collect();
        let host = upstream
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let (seen, kept_back) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counter = Arc::clone(&kept_back);
        // Both end with the tests.
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&host).unwrap());
                let keep = Arc::new(AtomicBool::new(false));
                let (from, to, flag, seen) = (
                    client.try_clone().unwrap(),
                    server.try_clone().unwrap(),
                    Arc::clone(&keep),
                    Arc::clone(&seen),
                );
                thread::spawn(move || {
                    let is_passed = |bytes: &[u8]| {
                        if is_commit(bytes)
                            && seen.fetch_add(1, Ordering::SeqCst).is_multiple_of(every)
                        {
                            flag.store(true, Ordering::SeqCst);
                        }
                        true
                    };
                    pass(from, to, is_passed, b"");
                });
                let counter = Arc::clone(&counter);
                thread::spawn(move || {
                    let is_passed = |_: &[u8]| {
                        let kept = keep.load(Ordering::SeqCst);
                        counter.fetch_add(u64::from(kept), Ordering::SeqCst);
                        !kept
                    };
                    pass(server, client, is_passed, instead);
                });
            }
        });
        Self { env, kept_back }
    }
}

/// Does a request begin here that puts a file into Delta's log?
fn is_commit(bytes: &[u8]) -> bool {
    let line = String::from_utf8_lossy(
        bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default(),
    );
    let path = line.split('?').next().unwrap_or_default();
    path.starts_with("PUT ") && path.contains("/_delta_log/") && path.contains(".json")
}

/// Passes bytes on until they end, or are not to be passed; then neither side hears more.
fn pass(mut from: TcpStream, mut to: TcpStream, is_passed: impl Fn(&[u8]) -> bool, instead: &[u8]) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !is_passed(&buffer[..length]) {
            let _ = to.write_all(instead);
            break;
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_commit_whose_answer_is_lost() {
    let running = writable();
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::new("silent");
    make_bucket("silent-lake");
    for store in running {
        let log = folder.path().join(format!("{}.log", store.name));
        // A client repeats what it takes for not sent, and finds its own commit there; of a wrong
        // answer it makes nothing.
        for (every, instead) in [
            (2, b"".as_slice()),
            (1, b"no HTTP at all\r\n\r\n".as_slice()),
        ] {
            let silent = Silent::before(&store, every, instead);
            let url = store.url("silent-lake", &format!("{}-{every}", store.name));
            let (through, lake) = (
                Lake::in_store(url.clone(), &silent.env),
                Lake::in_store(url, &store.env),
            );
            fs::write(&log, "").unwrap();
            for part in 0..3 {
                append(&log, cluster.log(part * 30..(part + 1) * 30));
                insist(&through, &log);
            }
            lake.holds(&cluster.log(0..90));
            assert!(
                silent.kept_back.load(Ordering::SeqCst) > 0,
                "{}",
                store.name
            );
            assert_eq!(lake.added(&[&log]), 0, "{}", store.name);
            lake.rows_of("verify", &[], 0);
        }
    }
}
