//! Keys with empty segments, as exports to a prefix that ends in `/` write them: listed, matched and
//! read as any others.

use serde_json::json;

use super::{Bucket, COUNT, ask, event};
use crate::lake_fixture::{Cluster, Lake};

const IDS: &str = "SELECT audit_id FROM events ORDER BY 1";

#[test]
fn keys_with_empty_segments_are_read() {
    let bucket = Bucket::start();
    for key in [
        "p/fine.log",
        "p//double.log",
        "p//2026/11/22/day.log",
        "p///triple.log",
        "p/q//deep a+b.log",
        "other//x.log",
    ] {
        bucket.put(
            &format!("b/{key}"),
            event(key, "2026-11-22T10:00:00.000000Z"),
        );
    }
    bucket.put("b/p//", "");
    for store in bucket.stores() {
        let found = |key: &str, more: &[&str]| {
            let ran = ask(&store.env, IDS, &store.url("b", key), more);
            let rows = ran.rows(0);
            let ids = rows
                .iter()
                .map(|row| row["audit_id"].as_str().unwrap().to_owned());
            ids.collect::<Vec<_>>()
        };
        let all = [
            "p///triple.log",
            "p//2026/11/22/day.log",
            "p//double.log",
            "p/fine.log",
            "p/q//deep a+b.log",
        ];
        assert_eq!(found("p/", &[]), all, "{}", store.name);
        // Folder by folder.
        assert_eq!(
            found("p/", &["--since", "2026-11-01"]),
            all,
            "{}",
            store.name
        );
        assert_eq!(
            found("p/", &["--since", "2026-11-25"]),
            Vec::<String>::new()
        );
        assert_eq!(found("p//", &[]), all[..3], "{}", store.name);
        assert_eq!(
            found("p//double.log", &[]),
            ["p//double.log"],
            "{}",
            store.name
        );
        assert_eq!(
            found("p/q//deep a+b.log", &[]),
            ["p/q//deep a+b.log"],
            "{}",
            store.name
        );
        assert_eq!(found("p//*.log", &[]), ["p//double.log"], "{}", store.name);
        assert_eq!(
            found("*//*.log", &[]),
            ["other//x.log", "p//double.log"],
            "{}",
            store.name
        );
        assert_eq!(found("p/**/*.log", &[]).len(), 5, "{}", store.name);
        let double = store.url("b", "p//double.log");
        let ran = ask(&store.env, "SELECT source_file FROM events", &double, &[]);
        assert_eq!(ran.rows(0), [json!({"source_file": double})]);
        let ran = ask(&store.env, COUNT, &store.url("b", "p//none.log"), &[]);
        assert!(
            ran.code == 2 && ran.stderr.contains("no such object"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn keys_with_empty_segments_go_into_a_lake() {
    let bucket = Bucket::start();
    let cluster = Cluster::new("export");
    for store in bucket.stores() {
        let name = &store.name;
        bucket.put(&format!("{name}/logs//one.log"), cluster.log(0..30));
        let lake = Lake::in_store(store.url(name, "lake"), &store.env);
        let logs = store.url(name, "logs/");
        assert_eq!(lake.added(&[&logs]), 30, "{name}");
        bucket.put(&format!("{name}/logs//one.log"), cluster.log(0..50));
        assert_eq!(lake.added(&[&logs]), 20, "{name}");
        assert_eq!(lake.added(&[&logs]), 0, "{name}");
        lake.holds(&cluster.log(0..50));
        lake.rows_of("verify", &[], 0);
    }
}
