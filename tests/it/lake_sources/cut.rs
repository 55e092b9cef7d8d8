//! What was cut, by a copy of half a file or by packing a log while it was written, goes into a lake
//! up to a record, and once it is whole the lake holds what the whole alone gives.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::bin::run_with;
use crate::lake_fixture::{Cluster, Lake};
use crate::packers::{PACKERS, gzip};

/// What makes a file of events.
type Writer = fn(&[Value]) -> String;

/// How logs are written: each event a line, over several lines, as one list or document, with text
/// before it, or in two parts.
const WRITERS: [(&str, Writer); 8] = [
    ("lines", |events| each(events, |event| format!("{event}\n"))),
    ("crlf", |events| {
        each(events, |event| format!("{event}\r\n"))
    }),
    ("pretty", |events| {
        each(events, |event| format!("{event:#}\n"))
    }),
    ("array", |events| json!(events).to_string()),
    ("array lines", |events| {
        let elements: Vec<String> = events.iter().map(Value::to_string).collect();
        format!("[\n{}\n]\n", elements.join(",\n"))
    }),
    ("document", |events| {
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events})
            .to_string()
    }),
    ("cri", |events| {
        each(events, |event| {
            format!("2026-11-01T00:00:00.000000000Z stdout F {event}\n")
        })
    }),
    ("cri parts", |events| {
        each(events, |event| {
            let text = event.to_string();
            let half = text.len() / 2;
            let half = (half..).find(|&at| text.is_char_boundary(at)).unwrap();
            let (first, second) = text.split_at(half);
            let time = "2026-11-01T00:00:00.000000000Z stdout";
            format!("{time} P {first}\n{time} F {second}\n")
        })
    }),
];

fn each(events: &[Value], write: impl Fn(&Value) -> String) -> String {
    events.iter().map(write).collect()
}

/// The bytes of a file at first, and when it is whole.
type States = (Vec<u8>, Vec<u8>);
/// Files by their names.
type Files = BTreeMap<String, States>;

/// The numbers that follow from `seed`: the same in every run.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

/// Brings the first files into a lake, then those of the same names that are whole.
#[track_caller]
fn first_then_whole(files: &Files, clusters: &[Cluster]) {
    const EVENTS: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let write = |of: fn(&States) -> &Vec<u8>| {
        for (name, states) in files {
            fs::write(logs.join(name), of(states)).unwrap();
        }
    };
    write(|states| &states.0);
    lake.take(&[&logs]);
    // Nothing has changed, and nothing is taken twice.
    assert_eq!(lake.added(&[&logs]), 0);
    write(|states| &states.1);
    let account = lake.take(&[&logs]);
    assert_eq!(account["rejects"], json!({}), "the whole has no fault");
    assert_eq!(lake.added(&[&logs]), 0);
    let question = "SELECT split_part(audit_id, '-', 1) log, count(*) n,
        count(DISTINCT audit_id || stage) kinds FROM events GROUP BY 1";
    let found: BTreeMap<String, (u64, u64)> = lake
        .ask(question, &[])
        .iter()
        .map(|row| {
            let count = |name: &str| row[name].as_u64().unwrap();
            (
                row["log"].as_str().unwrap().to_owned(),
                (count("n"), count("kinds")),
            )
        })
        .collect();
    for (cluster, name) in clusters.iter().zip(files.keys()) {
        let of_cluster = cluster.event(0)["auditID"].as_str().unwrap().to_owned();
        let log = of_cluster.split('-').next().unwrap();
        let events = EVENTS as u64;
        assert_eq!(found.get(log), Some(&(events, events)), "{name}");
    }
    lake.rows_of("verify", &[], 0);
}

/// Each kind of file cut at random bytes of what is stored, and at random bytes before it was
/// packed.
fn cut_files(packers: &[usize], cuts: usize) -> (Files, Vec<Cluster>) {
    let (mut files, mut clusters) = (BTreeMap::new(), Vec::new());
    for &packer in packers {
        let (ending, pack) = PACKERS[packer];
        for (writer, (_, write)) in WRITERS.iter().enumerate() {
            let mut random = numbers((packer * WRITERS.len() + writer) as u64);
            for cut in 0..cuts {
                let cluster = Cluster::new(format!("{packer}x{writer}x{cut}"));
                let events: Vec<Value> = (0..12).map(|number| cluster.event(number)).collect();
                let text = write(&events);
                let whole = pack(text.as_bytes());
                let first = if cut % 2 == 0 {
                    whole[..random(whole.len())].to_vec()
                } else {
                    pack(&text.as_bytes()[..random(text.len())])
                };
                // In the order of their names.
                let number = clusters.len();
                files.insert(format!("{number:06}.{ending}"), (first, whole));
                clusters.push(cluster);
            }
        }
    }
    (files, clusters)
}

#[test]
fn cut_then_whole_in_every_compression() {
    let packers: Vec<usize> = (0..PACKERS.len()).collect();
    let (files, clusters) = cut_files(&packers, 6);
    first_then_whole(&files, &clusters);
}

/// A pipe has no name to come back to; what it held is known all the same.
#[test]
fn a_pipe_that_was_cut() {
    let cluster = Cluster::new("piped");
    let log = cluster.log(0..12);
    let folder = tempfile::tempdir().unwrap();
    let mut random = numbers(7);
    for (round, pack) in [<[u8]>::to_vec, gzip].into_iter().enumerate() {
        for cut in 0..6 {
            let lake = Lake::in_folder(folder.path().join(format!("{round}-{cut}")));
            let cut = &log.as_bytes()[..random(log.len())];
            for bytes in [pack(cut), pack(log.as_bytes())] {
                let ran = run_with(["convert", "-i", "-", "--to", &lake.uri], Some(&bytes));
                assert!(matches!(ran.code, 0 | 3), "{}: {}", ran.code, ran.stderr);
            }
            lake.holds(&log);
        }
    }
}
