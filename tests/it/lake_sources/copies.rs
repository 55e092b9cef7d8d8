//! Copies of a log, compressed, renamed or older, add nothing; logs that begin alike stay apart.

use std::fs;

use serde_json::json;

use crate::lake_fixture::{Cluster, Lake, append};
use crate::packers::{bzip2, gzip, xz, zstd};

#[test]
fn copies_are_recognised_whatever_they_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir_all(logs.join("old")).unwrap();
    let cluster = Cluster::new("copied");
    let text = |events: usize| cluster.log(0..events).into_bytes();
    let pack = |name: &str, packed: Vec<u8>| fs::write(logs.join(name), packed).unwrap();
    pack("audit.log", text(100));
    pack("audit.log.gz", gzip(&text(100)));
    let lake = Lake::in_folder(folder.path().join("lake"));
    assert_eq!(lake.added(&[&logs]), 100);
    fs::remove_file(logs.join("audit.log.gz")).unwrap();
    fs::rename(logs.join("audit.log"), logs.join("renamed")).unwrap();
    assert_eq!(lake.added(&[&logs]), 0);
    pack("old/copy.txt", text(100));
    pack("a.zst", zstd(&text(100)));
    pack("b.xz", xz(&text(100)));
    pack("c.bz2", bzip2(&text(100)));
    let whole = text(100);
    pack("d", [gzip(&whole[..5000]), gzip(&whole[5000..])].concat());
    pack("twice.gz", gzip(&gzip(&whole)));
    // Older copies: the beginning of what is known, one of them cut in a line.
    pack("older.log", text(60));
    pack("older.gz", gzip(&text(3)));
    pack("older-cut.log", whole[..whole.len() - 300].to_vec());
    let account = lake.take(&[&logs]);
    assert_eq!(
        (&account["events"], &account["rejects"]),
        (&json!(0), &json!({}))
    );
    // Copies that go on, in any order and each with more.
    pack("a.zst", zstd(&text(110)));
    pack("b.xz", xz(&text(130)));
    pack("renamed", text(120));
    assert_eq!(lake.added(&[&logs]), 30);
    lake.holds(&cluster.log(0..130));
    // A compressed one first, then the log itself, which went on.
    let later = Cluster::new("later");
    pack("later.gz", gzip(later.log(0..40).as_bytes()));
    assert_eq!(lake.added(&[&logs]), 40);
    pack("later.log", later.log(0..55).into_bytes());
    assert_eq!(lake.added(&[&logs]), 15);
    lake.holds(&(cluster.log(0..130) + &later.log(0..55)));
    lake.rows_of("verify", &[], 0);
}

#[test]
fn logs_that_begin_alike_are_different_logs() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let [same, a, b, c] = ["same", "a", "b", "c"].map(Cluster::new);
    let head = same.log(0..12);
    assert!(head.len() > 4096);
    // In one run, then one that comes later, then all three go on.
    append(&logs.join("a.log"), head.clone() + &a.log(0..20));
    append(&logs.join("b.log"), head.clone() + &b.log(0..90));
    assert_eq!(lake.added(&[&logs]), 12 + 110);
    append(&logs.join("c.log"), head.clone() + &c.log(0..50));
    assert_eq!(lake.added(&[&logs]), 50);
    append(&logs.join("a.log"), a.log(20..80));
    append(&logs.join("b.log"), b.log(90..91));
    append(&logs.join("c.log"), c.log(50..60));
    assert_eq!(lake.added(&[&logs]), 71);
    fs::write(
        logs.join("b.gz"),
        gzip(&fs::read(logs.join("b.log")).unwrap()),
    )
    .unwrap();
    fs::rename(logs.join("a.log"), logs.join("b.log")).unwrap();
    assert_eq!(lake.added(&[&logs]), 0);
    // A log that was put back to an earlier state and went on differently.
    fs::write(
        logs.join("c.log"),
        head.clone() + &c.log(0..30) + &c.log(200..230),
    )
    .unwrap();
    assert_eq!(lake.added(&[&logs]), 30);
    let mut all = head + &a.log(0..80) + &b.log(0..91) + &c.log(0..60) + &c.log(200..230);
    lake.holds(&all);
    // Two logs that were the same when they were seen first: a few bytes of a line.
    let young = ["young1", "young2"].map(|name| (logs.join(name), Cluster::new(name).log(0..30)));
    for cut in [40, 41, 9000] {
        for (path, text) in &young {
            fs::write(path, &text.as_bytes()[..cut]).unwrap();
        }
        lake.take(&[&logs]);
    }
    for (path, text) in young {
        fs::write(path, &text).unwrap();
        all += &text;
    }
    lake.take(&[&logs]);
    lake.holds(&all);
}
