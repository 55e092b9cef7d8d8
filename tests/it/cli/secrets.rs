//! Passwords, tokens and signatures in URLs are in no message, and settings that write or lift a
//! limit are for runs that may write.

use super::{EVENT, log};
use crate::bin::run;

const SCHEMES: [&str; 12] = [
    "s3",
    "s3a",
    "gs",
    "az",
    "abfss",
    "http",
    "https",
    "file",
    "ftp",
    "sftp",
    "hdfs",
    "x-unknown",
];

#[test]
fn secrets_of_urls_are_in_no_message() {
    let (_folder, log) = log(&format!("{EVENT}\n"));
    for scheme in SCHEMES {
        for place in [
            "user:hush@127.0.0.1:1/x",
            "user:hu/sh@127.0.0.1:1/x/",
            "127.0.0.1:1/x?sig=hush",
            "user:hush@127.0.0.1:1/x.jsonl?X-Amz-Signature=hush&token=hush",
        ] {
            // These would be asked for, and time passes until they do not answer.
            if ["http", "https"].contains(&scheme) && place.contains("/x/") {
                continue;
            }
            let url = format!("{scheme}://{place}");
            let copy = format!("COPY (SELECT 1 AS one) TO '{url}' STORED AS CSV");
            let table = format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{url}'");
            let cast = format!("SELECT CAST('{url}' AS INT)");
            let invocations: [&[&str]; 7] = [
                &["sql", "SELECT 1", &url],
                &["sql", &cast],
                &["sql", &copy, "--allow-writes"],
                &["sql", &table, "--allow-writes"],
                &["sql", "SELECT 1", "--summary", &url],
                &["lake", "history", &url, "--limit", &url],
                &["run", &url],
            ];
            let reading: [&[&str]; 3] = [
                &["sql", "SELECT 1", "-i", &url],
                &["lake", "history", &url],
                &["convert", "-i", &log, "--to", &url],
            ];
            let is_local = !["s3", "s3a", "gs", "az", "abfss", "http", "https"].contains(&scheme);
            let reading = reading.into_iter().filter(|_| is_local);
            for args in invocations.into_iter().chain(reading) {
                let ran = run(args);
                assert!(
                    !ran.stderr.contains("hush") && !ran.stderr.contains("sh@"),
                    "{args:?}: {}",
                    ran.stderr
                );
            }
        }
    }
}

#[test]
fn settings_that_write_or_lift_a_limit_need_leave() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    let temporary = format!(
        "SET datafusion.runtime.temp_directory = '{}'",
        made.display()
    );
    for statement in [
        temporary.as_str(),
        "SET datafusion.runtime.memory_limit = '900G'",
        "RESET datafusion.runtime.memory_limit",
        "SET datafusion.runtime.max_temp_directory_size = '900G'",
        "SET datafusion.execution.batch_size = 1000000000",
        "SET datafusion.execution.target_partitions = 100000",
        "SET datafusion.sql_parser.recursion_limit = 1000000",
    ] {
        let ran = run(["sql", statement]);
        assert_eq!(ran.code, 2, "{statement}: {}", ran.stderr);
        let hint = "hint: --allow-writes";
        assert!(ran.stderr.contains(hint), "{statement}: {}", ran.stderr);
    }
    assert!(!made.exists());
    for statement in [
        "SET datafusion.explain.logical_plan_only = true; EXPLAIN SELECT 1",
        "SET datafusion.optimizer.prefer_hash_join = false",
        "SET datafusion.execution.time_zone = 'UTC'",
    ] {
        let ran = run(["sql", statement]);
        assert_eq!(ran.code, 0, "{statement}: {}", ran.stderr);
    }
    let allowed = [
        "sql",
        "SET datafusion.runtime.memory_limit = '2G'",
        "--allow-writes",
    ];
    assert_eq!(run(allowed).code, 0);
}
