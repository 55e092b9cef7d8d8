//! The care of a lake: small files made few, old days expired, old versions seen and removed,
//! and evidence that tells whether everything is as it was; all of it beside converters and
//! readers.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    lake_fixture::{Cluster, Lake, append, at_once, files, run},
    packers::gzip,
};

/// What `lake verify` says of something, by a part of its name.
fn said(rows: &[Value], name: &str) -> BTreeSet<String> {
    let names = |column: &Value| column.as_str().is_some_and(|text| text.contains(name));
    let of = rows
        .iter()
        .filter(|row| names(&row["subject"]) || names(&row["message"]));
    of.map(|row| row["status"].as_str().unwrap().to_owned())
        .collect()
}

fn statuses(rows: &[Value]) -> BTreeSet<String> {
    rows.iter()
        .map(|row| row["status"].as_str().unwrap().to_owned())
        .collect()
}

fn one(status: &str) -> BTreeSet<String> {
    BTreeSet::from([status.to_owned()])
}

/// A reader as of a version or a time.
#[track_caller]
fn count_as_of(lake: &Lake, when: &str) -> Value {
    lake.ask("SELECT count(*) n FROM events", &["--as-of", when])[0]["n"].clone()
}

#[test]
fn many_small_files_become_few() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("small").per_day(100);
    let mut tenth = 0;
    for number in 0..30 {
        append(&log, cluster.log(number * 10..(number + 1) * 10));
        assert_eq!(lake.added(&[&log]), 10);
        if number == 9 {
            tenth = lake.version();
        }
    }
    let (before, version) = (lake.live(), lake.version());
    assert!(before.len() >= 30);
    let history = lake.rows_of("history", &[], 0).len();
    assert!(history >= 30, "{history} rows of history");
    lake.rows_of("optimize", &[], 0);
    let (after, optimized) = (lake.live(), lake.version());
    assert!(
        (3..=6).contains(&after.len()) && optimized > version,
        "{after:?} of three days"
    );
    assert!(lake.rows_of("history", &[], 0).len() > history);
    lake.holds(&cluster.log(0..300));
    // Once is enough.
    lake.rows_of("optimize", &[], 0);
    assert_eq!((lake.live(), lake.version()), (after, optimized));
    assert_eq!(lake.added(&[&log]), 0);
    assert_eq!(lake.rows_of("sources", &[], 0).len(), 1);
    let verified = lake.rows_of("verify", &[], 0);
    assert_eq!(statuses(&verified), one("ok"), "{verified:#?}");
    // What was replaced is still there for those who ask for it, and goes only when it is old
    // enough.
    assert_eq!(
        (
            count_as_of(&lake, &version.to_string()),
            count_as_of(&lake, &tenth.to_string())
        ),
        (json!(300), json!(100))
    );
    let stored = lake.stored();
    assert!(before.is_subset(&stored));
    lake.rows_of("vacuum", &[], 0);
    lake.rows_of("vacuum", &["--older-than", "0s", "--dry-run"], 0);
    assert_eq!(lake.stored(), stored);
    assert_eq!(count_as_of(&lake, &tenth.to_string()), 100);
    lake.rows_of("vacuum", &["--older-than", "0s"], 0);
    assert_eq!(lake.stored(), lake.live());
    lake.holds(&cluster.log(0..300));
    append(&log, cluster.log(300..310));
    assert_eq!(lake.added(&[&log]), 10);
    lake.rows_of("verify", &[], 0);
}

#[test]
fn maintenance_beside_converters_and_itself() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let (cluster, old) = (
        Cluster::new("busy").month("2099-05"),
        Cluster::new("old").month("2001-03"),
    );
    append(&log, old.log(0..20));
    let mut now = 0;
    let mut grow = |log: &Path| {
        append(log, cluster.log(now..now + 20));
        now += 20;
    };
    for _ in 0..4 {
        grow(&log);
        lake.take(&[&log]);
    }
    let fine = |commands: Vec<std::process::Command>| {
        for ran in at_once(commands) {
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
    };
    for _ in 0..2 {
        grow(&log);
        fine(vec![
            lake.converter(&[&log]),
            lake.verb("optimize", &[]),
            lake.verb("optimize", &[]),
        ]);
        assert_eq!(lake.added(&[&log]), 0);
    }
    lake.holds(&(old.log(0..20) + &cluster.log(0..120)));
    grow(&log);
    fine(vec![
        lake.verb("expire", &["--older-than", "3650d"]),
        lake.converter(&[&log]),
        lake.verb("optimize", &[]),
        lake.verb("vacuum", &[]),
        lake.verb("verify", &[]),
    ]);
    lake.holds(&cluster.log(0..140));
    grow(&log);
    fine(vec![
        lake.verb("expire", &["--older-than", "3650d"]),
        lake.verb("expire", &["--older-than", "3650d"]),
        lake.converter(&[&log]),
        lake.converter(&[&log]),
    ]);
    lake.holds(&cluster.log(0..160));
    assert_eq!(lake.added(&[&log]), 0);
    lake.rows_of("verify", &[], 0);
}

#[test]
fn old_days_expire_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let lake = Lake::in_folder(path("lake"));
    let (old, new) = (
        Cluster::new("old").month("2001-03"),
        Cluster::new("new").month("2099-05"),
    );
    append(&path("audit.log"), old.log(0..137) + &new.log(0..60));
    append(&path("older.log"), old.log(200..220));
    assert_eq!(lake.added(&[path("audit.log"), path("older.log")]), 217);
    let version = lake.version();
    let expire = ["--older-than", "3650d"];
    let dry = run(&mut lake.verb("expire", &["--older-than", "3650d", "--dry-run"]));
    let told = dry.text(0) + &dry.stderr;
    assert!(
        told.contains("157") || told.contains("2001-03-01"),
        "it says neither how many events nor which days: {told}"
    );
    assert_eq!((lake.version(), lake.count()), (version, 217));
    lake.rows_of("expire", &expire, 0);
    assert_eq!(
        lake.ask(
            "SELECT count(*) n, min(stage_timestamp) >= '2099-05-01' AS kept FROM events",
            &[]
        ),
        [json!({"n": 60, "kept": true})]
    );
    lake.holds(&new.log(0..60));
    let expired = lake.version();
    assert!(expired > version);
    lake.rows_of("expire", &expire, 0);
    assert_eq!(lake.version(), expired, "nothing was left to expire");
    assert_eq!(count_as_of(&lake, &version.to_string()), 217);
    // The logs are still there. What they had is not taken again: not as they are, grown, renamed
    // or compressed.
    assert_eq!(lake.added(&[path("audit.log"), path("older.log")]), 0);
    fs::rename(path("older.log"), path("renamed.log")).unwrap();
    fs::write(
        path("audit.log.gz"),
        gzip(&fs::read(path("audit.log")).unwrap()),
    )
    .unwrap();
    assert_eq!(lake.added(&[path("renamed.log"), path("audit.log.gz")]), 0);
    append(&path("audit.log"), new.log(60..90));
    assert_eq!(lake.added(&[path("audit.log")]), 30);
    for maintenance in ["verify", "optimize", "verify"] {
        let rows = lake.rows_of(maintenance, &[], 0);
        assert!(
            maintenance != "verify" || !statuses(&rows).contains("differs"),
            "{rows:#?}"
        );
    }
    lake.rows_of("vacuum", &["--older-than", "0s"], 0);
    assert_eq!(lake.stored(), lake.live());
    assert!(
        lake.stored().iter().all(|file| !file.contains("date=2001")),
        "{:?}",
        lake.stored()
    );
    lake.rows_of("verify", &[], 0);
    assert_eq!(
        lake.added(&[path("audit.log"), path("renamed.log"), path("audit.log.gz")]),
        0
    );
    lake.holds(&new.log(0..90));
}

#[test]
fn the_lake_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("past");
    append(&log, cluster.log(0..30));
    assert_eq!(lake.added(&[&log]), 30);
    let first = lake.version();
    // Any clock will do that the commits are timed by, too.
    let time = crate::bin::run(["sql", "SELECT now() AS t", "-o", "jsonl"]).rows(0)[0]["t"]
        .as_str()
        .unwrap()
        .to_owned();
    append(&log, cluster.log(30..80));
    assert_eq!(lake.added(&[&log]), 50);
    let second = lake.version();
    lake.rows_of("optimize", &[], 0);
    for (when, events) in [
        (first.to_string(), 30),
        (second.to_string(), 80),
        (time, 30),
        ("2099-01-01".to_owned(), 80),
    ] {
        assert_eq!(count_as_of(&lake, &when), events, "{when}");
    }
    assert_eq!(
        lake.ask(
            "SELECT count(*) n FROM requests",
            &["--as-of", &first.to_string()]
        ),
        [json!({"n": 15})]
    );
}

/// Where a file has this user name between its first and its last 8 KiB, another one of the same
/// length.
fn tamper(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let at = (8192..bytes.len() - 8192)
        .find(|at| bytes[*at..].starts_with(b"alice"))
        .unwrap();
    bytes[at..at + 5].copy_from_slice(b"mallo");
    fs::write(file, bytes).unwrap();
}

#[test]
fn originals_that_are_not_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let lake = Lake::in_folder(path("lake"));
    for name in ["first", "second", "third"] {
        append(&path(name), Cluster::new(name).log(0..60));
    }
    assert_eq!(lake.added(&["first", "second", "third"].map(path)), 180);
    let rows = lake.rows_of("verify", &[], 0);
    for row in &rows {
        let names: Vec<&str> = row
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(names, ["check", "subject", "status", "message"]);
    }
    assert_eq!(statuses(&rows), one("ok"), "{rows:#?}");
    // A log that grew is what it was.
    append(&path("first"), Cluster::new("first").log(60..70));
    assert_eq!(statuses(&lake.rows_of("verify", &[], 0)), one("ok"));
    tamper(&path("second"));
    let rows = lake.rows_of("verify", &[], 1);
    let (first, second) = (
        said(&rows, path("first").to_str().unwrap()),
        said(&rows, path("second").to_str().unwrap()),
    );
    assert!(
        second.contains("differs") && !first.contains("differs"),
        "{rows:#?}"
    );
    // Who deletes the original after it was converted did nothing wrong.
    fs::rename(path("second"), folder.path().join("elsewhere")).unwrap();
    let rows = lake.rows_of("verify", &[], 0);
    assert!(
        said(&rows, path("second").to_str().unwrap()).contains("gone"),
        "{rows:#?}"
    );
    // One that ends earlier than it was read is not it.
    let third = fs::read(path("third")).unwrap();
    fs::write(path("third"), &third[..third.len() / 2]).unwrap();
    lake.rows_of("verify", &[], 1);
    fs::write(path("third"), third).unwrap();
    lake.rows_of("verify", &[], 0);
}

#[test]
fn data_files_that_are_not_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Two lakes that differ in a name only.
    let make = |name: &str, is_other: bool| -> (Lake, PathBuf) {
        fs::create_dir(path(name)).unwrap();
        let log = path(name).join("audit.log");
        append(&log, Cluster::new("data").log(0..100));
        if is_other {
            tamper(&log);
        }
        let lake = Lake::in_folder(path(name).join("lake"));
        assert_eq!(lake.added(&[&log]), 100);
        // What the lake says of itself has to do without the original.
        fs::remove_file(log).unwrap();
        lake.rows_of("verify", &[], 0);
        let day_one = lake
            .live()
            .into_iter()
            .find(|file| file.contains("date=2026-11-01"))
            .unwrap();
        let file = lake.folder().join("events").join(day_one);
        (lake, file)
    };
    let ((lake, file), (_, other)) = (make("lake-a", false), make("lake-b", true));
    let whole = fs::read(&file).unwrap();
    let otherwise = fs::read(other).unwrap();
    assert_ne!(whole, otherwise);
    fs::write(&file, otherwise).unwrap();
    assert_ne!(
        run(&mut lake.verb("verify", &[])).code,
        0,
        "rows of another log"
    );
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert_ne!(
        run(&mut lake.verb("verify", &[])).code,
        0,
        "a file that ends too early"
    );
    fs::remove_file(&file).unwrap();
    let rows = lake.rows_of("verify", &[], 1);
    assert!(
        statuses(&rows).iter().any(|status| status != "ok"),
        "{rows:#?}"
    );
    fs::write(&file, whole).unwrap();
    lake.rows_of("verify", &[], 0);
    lake.holds(&Cluster::new("data").log(0..100));
}

#[test]
fn what_others_left_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    append(&log, Cluster::new("left").log(0..60));
    assert_eq!(lake.added(&[&log]), 60);
    let live = lake.live();
    // As a converter leaves it that was killed before its commit.
    let data = lake.folder().join("events").join(live.first().unwrap());
    let left = data.with_file_name("part-00000000-0000-4000-8000-000000000000.parquet");
    fs::copy(&data, &left).unwrap();
    lake.holds(&Cluster::new("left").log(0..60));
    lake.rows_of("verify", &[], 0);
    let before: BTreeSet<PathBuf> = files(lake.folder()).into_keys().collect();
    // It may belong to one that still runs.
    lake.rows_of("vacuum", &[], 0);
    let after: BTreeSet<PathBuf> = files(lake.folder()).into_keys().collect();
    assert!(left.exists() && before.is_subset(&after));
    lake.rows_of("vacuum", &["--older-than", "0s"], 0);
    assert!(!left.exists());
    assert_eq!(lake.stored(), live);
    lake.holds(&Cluster::new("left").log(0..60));
}
