//! What is refused and what is said: errors that tell what to do, statements that write, queries
//! that the log cannot answer.

use super::{EVENT, log};
use crate::bin::run;

#[test]
fn statements_that_write_are_refused() {
    let (folder, log) = log(&format!("{EVENT}\n"));
    let out = folder.path().join("x.csv");
    for statement in [
        format!("COPY (SELECT 1) TO '{}'", out.display()),
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "DROP TABLE events".to_owned(),
        "INSERT INTO events SELECT * FROM events".to_owned(),
        format!(
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{}'",
            folder.path().display()
        ),
    ] {
        let ran = run(["sql", &statement, "-i", &log]);
        assert_eq!(ran.code, 2, "{statement}");
        assert!(
            ran.stderr.contains("--allow-writes"),
            "{statement}: {}",
            ran.stderr
        );
    }
    assert!(!out.exists());
    assert_eq!(
        run([
            "sql",
            &format!("COPY (SELECT 1 AS one) TO '{}'", out.display()),
            "-i",
            &log,
            "--allow-writes"
        ])
        .code,
        0
    );
    assert!(out.exists());
}

#[test]
fn errors_say_what_and_what_to_do() {
    for (args, code, says) in [
        (vec!["sql", "SELECT nme FROM events"], 2, "nme"),
        (vec!["sql", "SELEC 1"], 2, "SELEC"),
        (vec!["sql", ""], 2, "no SQL statement"),
        (
            vec!["run", "secrets-reed"],
            2,
            "did you mean `secrets-read`",
        ),
        (
            vec!["run", "slow-requests", "-P", "threshold_ms=fast"],
            2,
            "invalid value `fast` for parameter `threshold_ms`; expected a number",
        ),
        (
            vec!["run", "slow-requests", "-P", "treshold=1"],
            2,
            "unknown parameter `treshold`; known parameters: `threshold_ms`",
        ),
        (
            vec!["convert", "--to", "x.parquet"],
            2,
            "convert needs an input",
        ),
        (
            vec!["convert", "-i", "/dev/null", "--to", "x.doc"],
            2,
            ".parquet",
        ),
        (
            vec!["queries", "show", "nothing"],
            2,
            "unknown saved query `nothing`; `auditql queries` lists them",
        ),
        (
            vec!["schema", "nothing"],
            2,
            "unknown table or view `nothing`; known tables and views: events, ",
        ),
        (vec!["sql", "SELECT 1", "-o", "xml"], 2, "invalid value"),
        (vec!["nonsense"], 2, "unrecognized subcommand"),
        (
            vec!["schema", "--since", "24h"],
            2,
            "`schema` does not use `--since`",
        ),
        (
            vec!["--summary", "run.json", "lake", "history", "lake"],
            2,
            "`--summary` works with: shell, sql, run, check, convert, lake export, policy explain, ",
        ),
        (
            vec!["sql", "SELECT 1 FROM evnts"],
            2,
            "unknown table `evnts`; did you mean `events`?",
        ),
        (vec!["--help"], 0, ""),
        (vec!["--version"], 0, ""),
    ] {
        let ran = run(&args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
        for rusty in [
            "Error(",
            "panicked",
            "DataFusionError",
            "RUST_BACKTRACE",
            "External",
        ] {
            assert!(!ran.stderr.contains(rusty), "{args:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_query_that_needs_bodies_says_so() {
    let (_folder, log) = log(&format!("{EVENT}\n"));
    let ran = run(["run", "privileged-pods-created", "-i", &log]);
    assert!(
        ran.stderr
            .contains("not evaluable: `privileged-pods-created` needs events of level Request"),
        "{}",
        ran.stderr
    );
}
