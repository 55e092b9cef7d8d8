//! Events that are delivered twice, or by two runs at the same time: in the lake once; and events
//! that only look alike, each of which stays.

use std::fs;

use serde_json::{Value, json};

use crate::{
    bin::{Ran, data},
    lake_fixture::{Cluster, Lake, at_once, sum},
};

/// How many events were left out because they were there before, in the lake or in the run.
fn known(account: &Value) -> u64 {
    let skipped = &account["skipped"];
    ["already in the lake", "duplicate"]
        .iter()
        .filter_map(|reason| skipped[reason].as_u64())
        .sum()
}

/// All ended well.
#[track_caller]
fn fine(ran: &[Ran]) {
    for one in ran {
        assert_eq!(one.code, 0, "{}", one.stderr);
    }
}

#[test]
fn exports_that_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let lake = Lake::in_folder(path("lake"));
    let (cluster, other) = (Cluster::new("export"), Cluster::new("other"));
    fs::write(path("first.log"), cluster.log(0..100)).unwrap();
    assert_eq!(lake.added(&[path("first.log")]), 100);
    // Events that are known stand between others, in another order, and two of them twice.
    let second = [
        cluster.log(95..100),
        other.log(0..10),
        cluster.log(90..95),
        cluster.log(100..110),
        cluster.line(93),
        other.log(10..20),
        cluster.line(105),
    ];
    fs::write(path("second.log"), second.concat()).unwrap();
    let account = lake.take(&[path("second.log")]);
    assert_eq!(
        (
            &account["events"],
            known(&account),
            sum(&account["skipped"])
        ),
        (&json!(30), 12, 12),
        "{account}"
    );
    let evidence =
        "SELECT records, events, skipped, duplicates FROM sources WHERE uri LIKE '%second.log'";
    assert_eq!(
        lake.ask(evidence, &[]),
        [json!({"records": 42, "events": 30, "skipped": 12, "duplicates": 12})]
    );
    // In one run, it does not matter which comes first.
    fs::write(
        path("third.log"),
        other.log(15..40) + &cluster.log(105..130),
    )
    .unwrap();
    fs::write(
        path("fourth.log"),
        cluster.log(120..140) + &other.log(0..45),
    )
    .unwrap();
    let account = lake.take(&[path("third.log"), path("fourth.log")]);
    assert_eq!(
        (&account["events"], known(&account)),
        (&json!(30 + 25), 60),
        "{account}"
    );
    lake.holds(&(cluster.log(0..140) + &other.log(0..45)));
    lake.rows_of("verify", &[], 0);
}

#[test]
fn a_log_and_the_batches_of_its_webhook() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let cluster = Cluster::new("both");
    let batch = |from: usize, to: usize| {
        let items: Vec<Value> = (from..to)
            .map(|number| {
                let event = cluster.event(number);
                // As the webhook writes them: the list says what they are. And in another order.
                let members = event
                    .as_object()
                    .unwrap()
                    .iter()
                    .rev()
                    .filter(|(name, _)| !matches!(name.as_str(), "kind" | "apiVersion"));
                Value::Object(
                    members
                        .map(|(name, value)| (name.clone(), value.clone()))
                        .collect(),
                )
            })
            .collect();
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items})
    };
    fs::write(path("audit.log"), cluster.log(0..60)).unwrap();
    fs::write(path("batch-1.json"), batch(40, 80).to_string()).unwrap();
    fs::write(
        path("batch-2.json"),
        serde_json::to_string_pretty(&batch(55, 85)).unwrap(),
    )
    .unwrap();
    let lake = Lake::in_folder(path("lake"));
    assert_eq!(lake.added(&[path("audit.log")]), 60);
    assert_eq!(lake.added(&[path("batch-1.json")]), 20);
    assert_eq!(lake.added(&[path("batch-2.json")]), 5);
    let ids = "SELECT count(*) n, count(DISTINCT audit_id || stage) ids, count(DISTINCT event_hash) hashes FROM events";
    assert_eq!(
        lake.ask(ids, &[]),
        [json!({"n": 85, "ids": 85, "hashes": 85})]
    );
    // All in one run, the log last.
    let lake = Lake::in_folder(path("other-lake"));
    assert_eq!(
        lake.added(&[
            path("batch-2.json"),
            path("batch-1.json"),
            path("audit.log")
        ]),
        85
    );
    assert_eq!(
        lake.ask(ids, &[]),
        [json!({"n": 85, "ids": 85, "hashes": 85})]
    );
    assert_eq!(
        lake.added(&[
            path("audit.log"),
            path("batch-1.json"),
            path("batch-2.json")
        ]),
        0
    );
}

#[test]
fn an_id_that_is_used_again_hides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let victim = Cluster::new("victim").event(5);
    // Whoever sends a request chooses its id. Each of these differs in one thing from what is
    // known.
    let changes: [(&str, Value); 12] = [
        ("/user/username", json!("mallory")),
        ("/user/groups", json!(["system:masters"])),
        ("/responseStatus/code", json!(403)),
        ("/stageTimestamp", json!("2026-11-01T00:57:20.250003Z")),
        (
            "/requestReceivedTimestamp",
            json!("2026-11-01T00:57:20.000003Z"),
        ),
        ("/stage", json!("Panic")),
        ("/requestURI", json!("/api/v1/secrets")),
        ("/verb", json!("delete")),
        ("/sourceIPs/0", json!("10.6.6.6")),
        ("/userAgent", json!("curl/8")),
        ("/objectRef/namespace", json!("kube-system")),
        (
            "/annotations/authorization.k8s.io~1decision",
            json!("forbid"),
        ),
    ];
    let mut all: Vec<Value> = Vec::new();
    for (pointer, value) in changes {
        let mut event = victim.clone();
        let place = event.pointer_mut(pointer).unwrap();
        assert_ne!(*place, value, "{pointer}");
        *place = value;
        all.push(event);
    }
    for body in [
        json!({"a": 1}),
        json!({"a": 2}),
        json!([]),
        json!({"a": "1"}),
    ] {
        let mut event = victim.clone();
        event["requestObject"] = body;
        all.push(event);
    }
    let log = |events: &[Value]| {
        events
            .iter()
            .map(|event| format!("{event}\n"))
            .collect::<String>()
    };
    // The attacker's come after the victim's, before it, and beside it.
    let parts = [vec![victim.clone()], all];
    for (name, order) in [("after", [0, 1]), ("before", [1, 0])] {
        let lake = Lake::in_folder(path(name));
        for part in order {
            let file = path(&format!("{name}-{part}.log"));
            fs::write(&file, log(&parts[part])).unwrap();
            assert_eq!(lake.added(&[&file]), parts[part].len() as u64, "{name}");
        }
        lake.holds(&log(&parts.concat()));
    }
    let lake = Lake::in_folder(path("beside"));
    fs::write(path("beside.log"), log(&parts.concat())).unwrap();
    assert_eq!(lake.added(&[path("beside.log")]), 17);
    assert_eq!(
        lake.ask(
            "SELECT count(*) n, count(DISTINCT audit_id) ids FROM events",
            &[]
        ),
        [json!({"n": 17, "ids": 1})]
    );
    // The victim's own event is known all the same.
    fs::write(path("copy.log"), log(&[victim])).unwrap();
    assert_eq!(lake.added(&[path("copy.log")]), 0);
}

#[test]
fn converters_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let logs = ["a", "b", "c", "d"].map(|name| {
        fs::write(path(name), Cluster::new(name).log(0..150)).unwrap();
        path(name)
    });
    let all = ["a", "b", "c", "d"]
        .map(|name| Cluster::new(name).log(0..150))
        .concat();
    // The same inputs, into a lake that is not there yet; then other inputs each; then both.
    let same = Lake::in_folder(path("same"));
    fine(&at_once(vec![same.converter(&logs), same.converter(&logs)]));
    same.holds(&all);
    assert_eq!(same.added(&logs), 0);
    let different = Lake::in_folder(path("different"));
    fine(&at_once(
        logs.iter().map(|log| different.converter(&[log])).collect(),
    ));
    different.holds(&all);
    assert_eq!(different.added(&logs), 0);
    for (number, log) in logs.iter().enumerate() {
        crate::lake_fixture::append(
            log,
            Cluster::new(["a", "b", "c", "d"][number]).log(150..190),
        );
    }
    let [a, b, c, d] = &logs;
    fine(&at_once(vec![
        different.converter(&[a, b]),
        different.converter(&[b, c]),
        different.converter(&[d, c, a]),
        different.converter(&[c, d]),
    ]));
    different.holds(
        &["a", "b", "c", "d"]
            .map(|name| Cluster::new(name).log(0..190))
            .concat(),
    );
    for lake in [same, different] {
        lake.rows_of("verify", &[], 0);
    }
}

#[test]
fn overlapping_exports_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::new("shared");
    let lake = Lake::in_folder(folder.path().join("lake"));
    // Different sources that hold the same events: what one converter commits, the others have to
    // notice before they do.
    let logs: Vec<_> = [0, 40, 80, 20]
        .into_iter()
        .enumerate()
        .map(|(number, from)| {
            let own = Cluster::new(format!("own{number}"));
            let log = folder.path().join(format!("{number}.log"));
            fs::write(
                &log,
                own.log(0..20) + &cluster.log(from..from + 100) + &own.log(20..30),
            )
            .unwrap();
            log
        })
        .collect();
    let mut converters: Vec<_> = logs.iter().map(|log| lake.converter(&[log])).collect();
    converters.push(lake.converter(&logs));
    fine(&at_once(converters));
    let own: String = (0..4)
        .map(|number| Cluster::new(format!("own{number}")).log(0..30))
        .collect();
    lake.holds(&(own + &cluster.log(0..180)));
    assert_eq!(lake.added(&logs), 0);
    lake.rows_of("verify", &[], 0);
}

#[test]
fn readers_beside_converters_see_whole_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let lake = Lake::in_folder(path("lake"));
    assert_eq!(lake.added(&[data("sample")]), 885);
    let mut sizes = vec![885];
    for (number, events) in [400, 300].into_iter().enumerate() {
        fs::write(
            path("audit.log"),
            Cluster::new("beside")
                .per_day(20)
                .log(0..400 * number + events),
        )
        .unwrap();
        sizes.push(885 + 400 * number + events);
        let question = [
            "sql",
            "SELECT count(*) n, count(DISTINCT event_hash) hashes FROM events",
            "-i",
            &lake.uri,
            "-o",
            "jsonl",
        ];
        let mut commands = vec![lake.converter(&[path("audit.log")])];
        commands.extend((0..3).map(|_| lake.command(&question)));
        let ran = at_once(commands);
        fine(&ran);
        for reader in &ran[1..] {
            let row = reader.rows(0)[0].clone();
            assert!(
                sizes
                    .iter()
                    .any(|size| row == json!({"n": size, "hashes": size})),
                "{row} is none of {sizes:?}"
            );
        }
    }
    assert_eq!(lake.count(), 885 + 700);
}
