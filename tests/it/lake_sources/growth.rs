//! A log that grows, from whole lines, partial lines and single bytes: each run adds what is new.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::lake_fixture::{Cluster, Lake, append};

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
