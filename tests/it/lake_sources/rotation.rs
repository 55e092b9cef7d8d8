//! A log that is rotated, by renaming or by copying and truncating it, between runs and during one.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::json;

use crate::{
    lake_fixture::{Cluster, Lake, append},
    packers::gzip,
};

#[test]
fn rotation_by_rename() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let path = |name: &str| logs.join(name);
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("rotated");
    let active = path("audit.log");
    append(&active, cluster.log(0..60));
    assert_eq!(lake.added(&[&logs]), 60);
    // What came between the last run and the rotation is in the rotated file only, with a line that
    // was cut.
    let line = cluster.line(80);
    append(&active, cluster.log(60..80) + &line[..100]);
    assert_eq!(lake.added(&[&logs]), 20);
    append(&active, &line[100..]);
    fs::rename(&active, path("audit-1.log")).unwrap();
    append(&active, cluster.log(81..100));
    assert_eq!(lake.added(&[&logs]), 20);
    // Compressed only now, and the next one at once.
    fs::write(
        path("audit-1.log.gz"),
        gzip(&fs::read(path("audit-1.log")).unwrap()),
    )
    .unwrap();
    fs::remove_file(path("audit-1.log")).unwrap();
    append(&active, cluster.log(100..110));
    fs::write(path("audit-2.log.gz"), gzip(&fs::read(&active).unwrap())).unwrap();
    fs::write(&active, cluster.log(110..112)).unwrap();
    assert_eq!(lake.added(&[&logs]), 12);
    // Named one by one, in another order.
    assert_eq!(
        lake.added(&[active, path("audit-2.log.gz"), path("audit-1.log.gz")]),
        0
    );
    lake.holds(&cluster.log(0..112));
    assert_eq!(
        lake.ask("SELECT count(DISTINCT source_id) n FROM sources", &[]),
        [json!({"n": 3})]
    );
    lake.rows_of("verify", &[], 0);
}

#[test]
fn rotation_by_copy_and_truncate() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("truncated");
    let active = logs.join("audit.log");
    append(&active, cluster.log(0..60));
    assert_eq!(lake.added(&[&logs]), 60);
    append(&active, cluster.log(60..70));
    // The new log is shorter than the old one, then as long, then longer.
    for (number, (from, to)) in [(70, 90), (90, 110), (110, 300)].into_iter().enumerate() {
        fs::copy(&active, logs.join(format!("audit.log.{number}"))).unwrap();
        fs::File::options()
            .write(true)
            .open(&active)
            .unwrap()
            .set_len(0)
            .unwrap();
        append(&active, cluster.log(from..to));
        assert_eq!(
            lake.added(&[&logs]),
            (to - from + if number == 0 { 10 } else { 0 }) as u64
        );
    }
    // Truncated, and nothing written yet.
    fs::write(&active, "").unwrap();
    assert_eq!(lake.added(&[&logs]), 0);
    append(&active, cluster.log(300..310));
    assert_eq!(lake.added(&[&logs]), 10);
    // The last one was truncated without a copy: it is in the lake only.
    lake.holds(&cluster.log(0..310));
    lake.rows_of("verify", &[], 0);
}

#[test]
fn a_log_is_converted_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("live").per_day(4000);
    append(&logs.join("audit.log"), "");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for part in 0..8 {
                // In pieces that end anywhere, and rotated in between.
                for piece in cluster
                    .log(part * 400..(part + 1) * 400)
                    .as_bytes()
                    .chunks(4999)
                {
                    append(&logs.join("audit.log"), piece);
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                fs::rename(
                    logs.join("audit.log"),
                    logs.join(format!("audit-{part}.log")),
                )
                .unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            // A file that is renamed between listing and opening may be missed now: the next run
            // finds it. What was listed may be gone.
            let ran = lake.convert(&[&logs]);
            assert!(matches!(ran.code, 0 | 3), "{}: {}", ran.code, ran.stderr);
        }
    });
    lake.take(&[&logs]);
    lake.holds(&cluster.log(0..3200));
}
