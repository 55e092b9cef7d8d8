//! Objects that are replaced while they are read: what is answered is of one state, or the run says
//! that it is not; a lake reads them again.

use serde_json::json;

use super::{Bucket, Course, NOWHERE, Store, ask, event};
use crate::{
    lake_fixture::{Lake, identities},
    packers::gzip,
};

/// Two states of a log, each of several requests: the second is as long as the first, longer, or
/// shorter. Few events, so that they are read fast.
fn states(moment: usize) -> [String; 2] {
    let state = |name: &str, events: usize| {
        let mut number: u64 = events as u64;
        let line = |index: usize| {
            let mut noise = String::new();
            for _ in 0..2048 {
                // Knuth's linear congruential generator.
                number = number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                noise += &format!("{number:016x}");
            }
            let line = event(&format!("{name}-{index:06}"), "2026-11-22T10:00:00.000000Z");
            line.replace(
                "{\"username\"",
                &format!("{{\"uid\":\"{noise}\",\"username\""),
            )
        };
        (0..events).map(line).collect::<String>()
    };
    let other = [600, 700, 500][moment % 3];
    [state("old", 600), state("new", other)]
}

/// Replaces an object after it was read so often.
fn replace_after(bucket: &Bucket, path: &str, reads: usize, new: Vec<u8>) {
    let (path, mut new, mut seen) = (path.to_owned(), Some(new), 0);
    bucket.on_request(move |request, objects| {
        seen += usize::from(request.reads(&path));
        if seen > reads
            && let Some(new) = new.take()
        {
            objects.put(&path, new);
        }
        Course::Usual
    });
}

/// Where an object is read from: S3, Cloud Storage, the web.
fn places(bucket: &Bucket, name: &str) -> Vec<(String, Vec<(String, String)>)> {
    let of = |store: &Store| (store.url("b", name), store.env.clone());
    let mut places: Vec<_> = bucket.stores().iter().map(of).collect();
    places.push((format!("{}/b/{name}", bucket.url), NOWHERE.to_vec()));
    places
}

type Packer = fn(&[u8]) -> Vec<u8>;

const KINDS: [(&str, Packer); 2] = [("plain", <[u8]>::to_vec), ("gz", gzip)];

#[test]
fn no_answer_mixes_two_states() {
    let bucket = Bucket::start();
    let question =
        "SELECT split_part(audit_id, '-', 1) AS state, count(*) n FROM events GROUP BY 1";
    let mut told = 0;
    for moment in [1, 2, 3] {
        let [old, new] = states(moment);
        let whole = |name: &str, log: &str| json!({"state": name, "n": log.lines().count()});
        let wholes = [whole("old", &old), whole("new", &new)];
        for (kind, pack) in KINDS {
            let path = format!("b/{kind}");
            let (old, new) = (pack(old.as_bytes()), pack(new.as_bytes()));
            for (url, env) in places(&bucket, kind) {
                bucket.put(&path, old.clone());
                replace_after(&bucket, &path, moment, new.clone());
                let ran = ask(&env, question, &url, &["--threads", "2"]);
                let rows = ran.rows(ran.code);
                assert!(rows.len() <= 1, "{url} after {moment}: {rows:?}");
                match ran.code {
                    0 => assert!(wholes.contains(&rows[0]), "{url} after {moment}: {rows:?}"),
                    3 => {
                        assert!(ran.stderr.contains("changed"), "{url}: {}", ran.stderr);
                        told += 1;
                    }
                    code => panic!("{url} after {moment}: {code} {}", ran.stderr),
                }
            }
        }
    }
    assert!(told >= 8, "only {told} runs met the change");
}

#[test]
fn ranges_of_one_object_are_of_one_state() {
    let bucket = Bucket::start();
    let [old, new] = states(0);
    // Long enough that two workers read it at the same time.
    let (old, new) = (old.repeat(7), new.repeat(7));
    for (url, env) in places(&bucket, "long") {
        bucket.put("b/long", old.clone());
        replace_after(&bucket, "b/long", 3, new.clone().into_bytes());
        let question = "SELECT DISTINCT split_part(audit_id, '-', 1) AS state FROM events";
        let ran = ask(&env, question, &url, &["--threads", "2"]);
        assert!(
            ran.code == 3 && ran.stderr.contains("changed"),
            "{url}: {} {}",
            ran.code,
            ran.stderr
        );
        assert!(ran.rows(3).len() <= 1, "{url}");
    }
}

#[test]
fn a_lake_reads_again_what_changed() {
    let bucket = Bucket::start();
    for (moment, kind) in [(2, 0), (3, 0), (5, 0), (3, 1), (4, 1)] {
        let (kind, pack) = KINDS[kind];
        let [old_log, new_log] = states(moment);
        let path = format!("b/{kind}");
        for (number, (url, env)) in places(&bucket, kind).into_iter().enumerate() {
            bucket.put(&path, pack(old_log.as_bytes()));
            replace_after(&bucket, &path, moment, pack(new_log.as_bytes()));
            let folder = tempfile::tempdir().unwrap();
            let lake = match bucket.stores().get(number) {
                Some(store) => {
                    let key = format!("{moment}-{kind}");
                    Lake::in_store(store.url(&format!("lakes-{}", store.name), &key), &env)
                }
                None => Lake::in_folder(folder.path().join("lake")),
            };
            let held = || identities(&lake.exported(&[]));
            let (old, new) = (identities(&old_log), identities(&new_log));
            let ran = lake.convert(&[&url]);
            assert_eq!(ran.code, 0, "{url} after {moment}: {}", ran.stderr);
            let first = held();
            assert!(
                first == old || first == new,
                "{url} after {moment}: {} events",
                first.len()
            );
            // What came after it was read comes with the next run. A run that needed fewer reads ended
            // before the change, which is made up for here.
            bucket.on_request(|_, _| Course::Usual);
            bucket.put(&path, pack(new_log.as_bytes()));
            lake.added(&[&url]);
            let mut all = new.clone();
            all.extend(old.iter().filter(|_| first == old).cloned());
            all.sort();
            assert_eq!(held(), all, "{url} after {moment}");
        }
    }
}
