//! What a lake takes of its sources: of a log that grows, is rotated, copied, compressed, cut or is
//! being written, each record once, whatever the file is called meanwhile.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::{
    lake_fixture::{Cluster, Lake, append, assert_same, sum},
    stores::gzip,
};

/// How many records a reader may find in the first bytes of a log: those that are terminated, and
/// one more where only its end of line is missing.
fn complete(log: &[u8], cut: usize) -> std::ops::RangeInclusive<u64> {
    let terminated = log[..cut].split(|byte| *byte == b'\n').count() as u64 - 1;
    let whole =
        cut > 0 && log[cut - 1] == b'}' && matches!(log.get(cut), None | Some(b'\r' | b'\n'));
    let only_newline_missing = cut > 0 && log[cut - 1] == b'\r' && log.get(cut) == Some(&b'\n');
    terminated..=terminated + u64::from(whole || only_newline_missing)
}

#[test]
fn a_second_run_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    fs::write(&log, Cluster::new("again").log(0..120)).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let first = lake.convert(&[&log]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(
        first.stderr.contains("wrote 120 events") && first.stderr.contains(&lake.uri),
        "{}",
        first.stderr
    );
    let version = lake.version();
    let second = lake.convert(&[&log]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(second.stderr.contains("nothing new"), "{}", second.stderr);
    // The same file by other names, in the same run.
    assert_eq!(
        lake.added(&[
            folder
                .path()
                .join("../")
                .join(folder.path().file_name().unwrap())
                .join("audit.log"),
            log
        ]),
        0
    );
    assert_eq!(lake.version(), version);
    lake.holds(&Cluster::new("again").log(0..120));
}

#[test]
fn a_grown_log_adds_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("grows");
    let mut before = 0;
    for now in [50, 51, 120, 300] {
        append(&log, cluster.log(before..now));
        assert_eq!(lake.added(&[&log]), (now - before) as u64);
        before = now;
    }
    lake.holds(&cluster.log(0..300));
    let parts = lake.ask(
        "SELECT from_offset, to_offset, lines, events FROM sources ORDER BY from_offset",
        &[],
    );
    let numbers = |column: &str| {
        parts
            .iter()
            .map(|part| part[column].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers("events"), [50, 1, 69, 180]);
    assert_eq!(numbers("lines"), [50, 51, 120, 300]);
    let (from, to) = (numbers("from_offset"), numbers("to_offset"));
    assert_eq!(
        (from[0], &from[1..], to[3]),
        (0, &to[..3], fs::metadata(&log).unwrap().len())
    );
    assert_eq!(
        lake.ask(
            "SELECT count(DISTINCT source_id) n, max(source_line) AS line FROM events",
            &[]
        ),
        [json!({"n": 1, "line": 300})]
    );
    lake.rows_of("verify", &[], 0);
}

#[test]
fn a_partial_line_waits_until_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let text = Cluster::new("partial").log(0..10);
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let (eight, nine, ten) = (ends[7], ends[8], ends[9]);
    let mut added = 0;
    for cut in [
        1,
        5,
        30,
        ends[0] - 20,
        ends[0] + 5,
        ends[0] + 6,
        eight + 10,
        eight + 200,
        nine - 2,
        nine - 1,
        nine,
        nine + 1,
        ten - 1,
        ten,
    ] {
        fs::write(&log, &text.as_bytes()[..cut]).unwrap();
        added += lake.added(&[&log]);
        let may = complete(text.as_bytes(), cut);
        assert!(
            may.contains(&added),
            "{added} events after {cut} bytes, which hold {may:?}"
        );
    }
    lake.holds(&text);
    assert!(
        lake.ask("SELECT * FROM rejects", &[]).is_empty(),
        "a line that was too short at first was no line at all"
    );
    // Lines are those of the file, however often it was read in the middle of one.
    let lines = lake.ask(
        "SELECT source_line, source_offset FROM events ORDER BY source_line",
        &[],
    );
    let starts = [0].into_iter().chain(ends);
    let want: Vec<Value> = starts
        .take(10)
        .enumerate()
        .map(|(at, start)| json!({"source_line": at + 1, "source_offset": start}))
        .collect();
    assert_eq!(lines, want);
}

#[test]
fn a_log_may_be_cut_at_any_byte() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    // One log for each byte of the last three of four lines: each is cut there.
    let text = |number: usize| -> String {
        let line = |at: usize| {
            let event = json!({
                "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": format!("c{number:04}-{at}"), "stage": "Panic",
                "verb": "get", "requestURI": "/ü", "stageTimestamp": format!("2026-11-0{}T00:00:00.000000Z", at + 1),
            });
            event.to_string() + if at == 2 { "\r\n" } else { "\n" }
        };
        (0..4).map(line).collect()
    };
    let first = text(0).find('\n').unwrap() + 1;
    let count = text(0).len() - first;
    for later in [0, 7, usize::MAX / 2] {
        let mut may = BTreeMap::new();
        for number in 0..count {
            let text = text(number);
            let cut = text.len().min((first + 1 + number).saturating_add(later));
            fs::write(logs.join(format!("{number}.log")), &text.as_bytes()[..cut]).unwrap();
            may.insert(format!("c{number:04}"), complete(text.as_bytes(), cut));
        }
        lake.take(&[&logs]);
        let found = lake.ask(
            "SELECT split_part(audit_id, '-', 1) log, count(*) n FROM events GROUP BY 1",
            &[],
        );
        assert_eq!(found.len(), count);
        for row in found {
            let (log, events) = (row["log"].as_str().unwrap(), row["n"].as_u64().unwrap());
            assert!(
                may[log].contains(&events),
                "{log}: {events} events instead of {:?}",
                may[log]
            );
        }
    }
    lake.holds(&(0..count).map(text).collect::<String>());
}

#[test]
fn a_small_log_stays_the_same_source() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("small");
    // The first 4 KiB tell sources apart; they are full after seven lines or so.
    let mut before = 0;
    for now in [1, 3, 6, 7, 8, 9, 20] {
        append(&log, cluster.log(before..now));
        assert_eq!(lake.added(&[&log]), (now - before) as u64);
        before = now;
    }
    assert_eq!(
        lake.ask("SELECT count(DISTINCT source_id) n FROM events", &[]),
        [json!({"n": 1})]
    );
    // Just before, at and behind 4 KiB.
    let edges = folder.path().join("edges");
    fs::create_dir(&edges).unwrap();
    let logs = [4095, 4096, 4097].map(|size| {
        (
            edges.join(format!("{size}.log")),
            Cluster::new(format!("edge{size}")).log(0..12),
            size,
        )
    });
    for until in [0, 1, 8000] {
        for (path, text, size) in &logs {
            fs::write(path, &text.as_bytes()[..text.len().min(size + until)]).unwrap();
        }
        lake.take(&[&edges]);
    }
    lake.holds(&(cluster.log(0..20) + &logs.map(|(_, text, _)| text).concat()));
}

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
fn copies_are_recognised_whatever_they_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir_all(logs.join("old")).unwrap();
    let cluster = Cluster::new("copied");
    let text = |events: usize| cluster.log(0..events).into_bytes();
    let pack = |name: &str, packed: Vec<u8>| fs::write(logs.join(name), packed).unwrap();
    let xz = |bytes: &[u8]| {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    let bzip2 = |bytes: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    pack("audit.log", text(100));
    pack("audit.log.gz", gzip(&text(100)));
    let lake = Lake::in_folder(folder.path().join("lake"));
    assert_eq!(lake.added(&[&logs]), 100);
    fs::remove_file(logs.join("audit.log.gz")).unwrap();
    fs::rename(logs.join("audit.log"), logs.join("renamed")).unwrap();
    assert_eq!(lake.added(&[&logs]), 0);
    pack("old/copy.txt", text(100));
    pack("a.zst", zstd::encode_all(text(100).as_slice(), 1).unwrap());
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
    pack("a.zst", zstd::encode_all(text(110).as_slice(), 1).unwrap());
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

#[test]
fn files_with_nothing_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let names = [
        "empty.log",
        "empty-too.log",
        "bom.log",
        "blank.log",
        "bom-too.log",
        "empty.log.gz",
    ];
    let fill = |name: &str, content: &[u8]| fs::write(logs.join(name), content).unwrap();
    let bom = "\u{FEFF}";
    let begin = |name: &str| if name.starts_with("bom") { bom } else { "" };
    for name in names {
        let content = if name == "blank.log" {
            "\n\r\n  \n"
        } else {
            begin(name)
        };
        fill(
            name,
            &if name.ends_with(".gz") {
                gzip(b"")
            } else {
                content.into()
            },
        );
    }
    // Nothing else is there: it may be that there is no lake yet.
    assert_eq!(lake.added(&[&logs]), 0);
    assert_eq!(lake.added(&[logs.join("empty.log")]), 0);
    let cluster = Cluster::new("late");
    append(&logs.join("audit.log"), cluster.log(0..10));
    assert_eq!(lake.added(&[&logs]), 10);
    assert_eq!(lake.added(&[&logs]), 0);
    let mut all = cluster.log(0..10);
    for (number, name) in names.into_iter().enumerate() {
        let log = Cluster::new(format!("late{number}")).log(0..12);
        let whole = if name == "blank.log" {
            "\n\r\n  \n".to_owned() + &log
        } else {
            begin(name).to_owned() + &log
        };
        fill(
            name,
            &if name.ends_with(".gz") {
                gzip(whole.as_bytes())
            } else {
                whole.into()
            },
        );
        all += &log;
    }
    assert_eq!(lake.added(&[&logs]), 12 * names.len() as u64);
    assert_eq!(lake.added(&[&logs]), 0);
    lake.holds(&all);
}

/// Where the lake's rejects lie, and what they are.
#[track_caller]
fn rejects(lake: &Lake) -> Vec<String> {
    let rows = lake.ask("SELECT source_line, source_offset, reason, message, record FROM rejects ORDER BY source_line", &[]);
    rows.iter().map(Value::to_string).collect()
}

/// Where those of a raw log lie.
#[track_caller]
fn raw_rejects(log: &Path) -> Vec<String> {
    let question = "SELECT source_line, source_offset, reason, message, record FROM rejects ORDER BY source_line";
    let ran = crate::bin::run(["sql", question, "-i", log.to_str().unwrap(), "-o", "jsonl"]);
    ran.rows(3).iter().map(Value::to_string).collect()
}

#[test]
fn what_is_no_event_is_rejected_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("garbled");
    let line = |number: usize| cluster.line(number).into_bytes();
    let cut = [&line(90)[..120], b"\n"].concat();
    append(
        &log,
        [
            line(0),
            b"garbage\n".to_vec(),
            line(1),
            cut.clone(),
            line(2),
            b"\xff\xfe\n".to_vec(),
            b"{\"kind\":\"Pod\"}\n".to_vec(),
        ]
        .concat(),
    );
    let account = lake.take(&[&log]);
    assert_eq!(
        (
            &account["read"],
            &account["events"],
            sum(&account["rejects"])
        ),
        (&json!(7), &json!(3), 3),
        "{account}"
    );
    assert_same(&rejects(&lake), &raw_rejects(&log));
    assert_eq!(rejects(&lake).len(), 3);
    assert_eq!(lake.added(&[&log]), 0);
    // Growth that begins with garbage, growth that is nothing else, and what is no event but JSON.
    append(
        &log,
        [b"more garbage\n".to_vec(), line(3), line(4)].concat(),
    );
    assert_eq!((lake.added(&[&log]), rejects(&lake).len()), (2, 4));
    append(&log, "nothing but garbage\nand more\n");
    assert_eq!((lake.added(&[&log]), rejects(&lake).len()), (0, 6));
    append(&log, "{\"other\":1}\n[]\n");
    assert_eq!((lake.added(&[&log]), rejects(&lake).len()), (0, 6));
    append(&log, line(5));
    assert_eq!((lake.added(&[&log]), rejects(&lake).len()), (1, 6));
    // Garbage is written in pieces, too; so are lines that never become events.
    for piece in [
        b"half of the ".as_slice(),
        b"garbage\n",
        &cut[..50],
        &cut[50..100],
        &cut[100..],
        &line(6),
    ] {
        append(&log, piece);
        lake.take(&[&log]);
    }
    assert_same(&rejects(&lake), &raw_rejects(&log));
    // A compressed copy brings none of it again.
    fs::write(
        folder.path().join("audit.log.gz"),
        gzip(&fs::read(&log).unwrap()),
    )
    .unwrap();
    fs::remove_file(&log).unwrap();
    assert_eq!(lake.added(&[folder.path().join("audit.log.gz")]), 0);
    assert_eq!(rejects(&lake).len(), 8);
    lake.holds(&cluster.log(0..7));
    let sums = "SELECT sum(events) events, sum(rejects) rejects, sum(records) - sum(events) - sum(rejects) - sum(skipped) other FROM sources";
    assert_eq!(
        lake.ask(sums, &[]),
        [json!({"events": 7, "rejects": 8, "other": 0})]
    );
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
