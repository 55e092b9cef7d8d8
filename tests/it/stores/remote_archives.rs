//! Archives in stores and on web servers: the rows of the same archive on disk.

use std::{fs, io::Write as _};

use serde_json::json;

use super::{Bucket, COUNT, NOWHERE, ROWS, ask, event, long_log, same_in};
use crate::{
    lake_fixture::{Cluster, Lake},
    packers::{gzip, tar, xz, zstd},
};

/// A zip file with these members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Archives by name: small ones of every kind, one with an odd name, and one that is read in
/// several requests.
fn archives(log: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let long = long_log(24 << 20);
    vec![
        (
            "logs.zip",
            zip(&[("a/audit.log", log), ("b.json.gz", &gzip(log))]),
        ),
        ("logs.tar", tar(log)),
        ("logs.tar.gz", gzip(&tar(log))),
        ("logs.tgz", gzip(&tar(log))),
        ("logs.tar.zst", zstd(&tar(log))),
        ("logs.tar.xz", xz(&tar(log))),
        ("bundle", gzip(&tar(log))),
        ("long.zip", zip(&[("audit.log", long.as_bytes())])),
    ]
}

#[test]
fn archives_are_read_as_if_they_were_local() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::start();
    let log = Cluster::new("packed").log(0..60);
    for (name, bytes) in archives(log.as_bytes()) {
        let local = folder.path().join(name);
        fs::write(&local, &bytes).unwrap();
        bucket.put(&format!("b/{name}"), bytes);
        let key = |store: &super::Store| store.url("b", name);
        for store in bucket.stores() {
            same_in(&store.env, &key(&store), &local, &[]);
        }
        same_in(NOWHERE, &format!("{}/b/{name}", bucket.url), &local, &[]);
        let url = format!("{}/b/{name}?token=hush", bucket.url);
        same_in(NOWHERE, &url, &local, &[]);
    }
    let [store, _] = bucket.stores();
    let members = ask(
        &store.env,
        "SELECT DISTINCT source_file FROM events ORDER BY 1",
        &store.url("b", "logs.zip"),
        &[],
    );
    let members = members.rows(0);
    let name = |member: &str| json!({"source_file": store.url("b", &format!("logs.zip/{member}"))});
    assert_eq!(members, [name("a/audit.log"), name("b.json.gz")]);
}

#[test]
fn archives_in_a_folder_of_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::start();
    let log = event("plain", "2026-11-22T10:00:00.000000Z");
    for (name, bytes) in [
        ("one.log", log.clone().into_bytes()),
        (
            "two.zip",
            zip(&[(
                "x.log",
                event("zip", "2026-11-22T10:00:00.000000Z").as_bytes(),
            )]),
        ),
        (
            "three.tar.gz",
            gzip(&tar(event("tar", "2026-11-22T10:00:00.000000Z").as_bytes())),
        ),
        ("cut.zip", zip(&[("x.log", log.as_bytes())])[..60].to_vec()),
    ] {
        fs::write(folder.path().join(name), &bytes).unwrap();
        bucket.put(&format!("b/p/{name}"), bytes);
    }
    let want = ask(NOWHERE, ROWS, folder.path().to_str().unwrap(), &[]).rows(3);
    for store in bucket.stores() {
        let got = ask(&store.env, ROWS, &store.url("b", "p/"), &[]).rows(3);
        assert_eq!(got, want, "{}", store.name);
    }
}

#[test]
fn archives_of_a_bucket_into_a_lake() {
    let bucket = Bucket::start();
    let cluster = Cluster::new("packed");
    for store in bucket.stores() {
        let name = &store.name;
        let put = |key: &str, bytes: Vec<u8>| bucket.put(&format!("{name}/logs/{key}"), bytes);
        put(
            "one.zip",
            zip(&[("audit.log", cluster.log(0..40).as_bytes())]),
        );
        put("two.tar.gz", gzip(&tar(cluster.log(40..70).as_bytes())));
        let lake = Lake::in_store(store.url(name, "lake"), &store.env);
        let logs = store.url(name, "logs/");
        assert_eq!(lake.added(&[&logs]), 70, "{name}");
        assert_eq!(lake.added(&[&logs]), 0, "{name}");
        // The log inside has grown.
        put("two.tar.gz", gzip(&tar(cluster.log(40..90).as_bytes())));
        assert_eq!(lake.added(&[&logs]), 20, "{name}");
        lake.holds(&cluster.log(0..90));
        lake.rows_of("verify", &[], 0);
    }
}

#[test]
fn an_archive_that_changes_is_copied_again() {
    let bucket = Bucket::start();
    let (old, new) = (long_log(24 << 20), long_log(20 << 20));
    let count = new.lines().count();
    for store in bucket.stores() {
        let path = format!("{}/logs.zip", store.name);
        bucket.put(&path, zip(&[("audit.log", old.as_bytes())]));
        let mut new = Some(zip(&[("audit.log", new.as_bytes())]));
        let mut reads = 0;
        bucket.on_request(move |request, objects| {
            reads += usize::from(request.reads(&path));
            if reads == 3
                && let Some(new) = new.take()
            {
                objects.put(&path, new);
            }
            super::Course::Usual
        });
        let rows = ask(&store.env, COUNT, &store.url(&store.name, "logs.zip"), &[]).rows(0);
        let want = json!({"n": count, "ids": count});
        assert_eq!(rows, [want], "{}", store.name);
    }
}
