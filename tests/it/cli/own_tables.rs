//! What the user gives beside logs: tables, a baseline, a library of saved queries.

use std::fs;

use crate::bin::{data, run};

fn sample() -> String {
    data("sample").display().to_string()
}

#[test]
fn a_table_of_ones_own_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("teams.csv");
    fs::write(&file, "principal,team\nalice@*,blue\nmallory@*,red\n").unwrap();
    let table = format!("crews={}", file.display());
    let sql = "SELECT team, count(*) AS n FROM requests JOIN crews \
               ON requests.principal LIKE replace(crews.principal, '*', '%') GROUP BY team ORDER BY team";
    let rows = run([
        "sql",
        sql,
        "-i",
        &sample(),
        "--table",
        &table,
        "-o",
        "jsonl",
    ])
    .rows(0);
    let teams: Vec<&str> = rows
        .iter()
        .map(|row| row["team"].as_str().unwrap())
        .collect();
    assert_eq!(teams, ["blue", "red"]);
    let sql = "SELECT count(*) AS n FROM requests WHERE listed('crews', principal, 'red')";
    let rows = run([
        "sql",
        sql,
        "-i",
        &sample(),
        "--table",
        &table,
        "-o",
        "jsonl",
    ])
    .rows(0);
    assert!(rows[0]["n"].as_i64().unwrap() > 0);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.csv");
    fs::write(&file, "a\n1\n").unwrap();
    for (table, expected) in [
        (
            format!("events={}", file.display()),
            "is a table of auditql",
        ),
        (format!("x={}.gone", file.display()), "No such file"),
        ("x".to_owned(), "expected NAME=FILE"),
    ] {
        let ran = run(["sql", "SELECT 1", "-i", &sample(), "--table", &table]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    let ran = run([
        "sql",
        "SELECT listed('nobody', verb) FROM events",
        "-i",
        &sample(),
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("there is no lookup table `nobody`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_baseline_is_the_time_before_the_window_or_another_log() {
    let numbers = |extra: &[&str]| {
        let sql = "SELECT (SELECT count(*) FROM earlier_requests) AS earlier, count(*) AS now FROM requests";
        let sample = sample();
        let mut words = vec!["sql", sql, "-i", &sample, "-o", "jsonl"];
        words.extend(extra);
        let rows = run(words).rows(0);
        (
            rows[0]["earlier"].as_i64().unwrap(),
            rows[0]["now"].as_i64().unwrap(),
        )
    };
    let (none, all) = numbers(&[]);
    assert_eq!(none, 0);
    let since = ["--since", "2026-11-22T10:16:00Z"];
    let (earlier, now) = numbers(&[since[0], since[1], "--baseline", "1d"]);
    assert!(earlier > 0 && now > 0);
    assert_eq!(
        earlier + now,
        all,
        "the window and what lies before it are all"
    );
    let sample = sample();
    assert_eq!(numbers(&["--baseline-input", &sample]), (all, all));
    let ran = run([
        "sql",
        "SELECT 1 FROM events",
        "-i",
        &sample,
        "--baseline",
        "1d",
    ]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--since"), "{}", ran.stderr);
}

#[test]
fn what_the_baseline_could_not_read_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("earlier.log");
    fs::write(
        &broken,
        "{\"apiVersion\":\"audit.k8s.io/v1\",\"kind\":\"Event\",\n",
    )
    .unwrap();
    let broken = broken.display().to_string();
    let sql = "SELECT count(*) FROM earlier_requests";
    let ran = run(["sql", sql, "-i", &sample(), "--baseline-input", &broken]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}

#[test]
fn a_library_of_ones_own_adds_queries() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("house/rules");
    fs::create_dir_all(&pack).unwrap();
    fs::create_dir(folder.path().join("tables")).unwrap();
    let table =
        "doc = 'd'\nblind = true\nrows = []\n[[column]]\nname = 'verb'\ntype = 'text'\ndoc = 'd'\n";
    fs::write(folder.path().join("tables/odd_verbs.toml"), table).unwrap();
    let query = "-- title = 'Verbs'\n-- question = 'Which verbs?'\n-- description = 'd'\n\
                 -- severity = 'low'\n-- level = 'Metadata'\n-- limits = 'l'\n-- message = '{verb}'\n\
                 -- columns.key = ['verb']\n-- tables = ['odd_verbs']\n-- [[needs]]\n-- resources = ['*']\n\
                 SELECT verb, count(*) AS n FROM requests WHERE listed('odd_verbs', verb) GROUP BY verb ORDER BY verb\n";
    fs::write(pack.join("odd-verbs.sql"), query).unwrap();
    let library = folder.path().display().to_string();
    let sample = sample();
    let listed = run(["queries", "--library", &library, "-o", "jsonl"]).rows(0);
    assert!(
        listed
            .iter()
            .any(|row| row["id"] == "odd-verbs" && row["pack"] == "house")
    );
    let check = |extra: &[&str]| {
        let mut words = vec!["check", "--query", "odd-verbs", "--library", &library];
        words.extend(["-i", &sample, "-o", "json"]);
        words.extend(extra);
        let report: serde_json::Value = serde_json::from_slice(&run(words).stdout).unwrap();
        report["queries"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(check(&[]), "not evaluable");
    let file = folder.path().join("verbs.txt");
    fs::write(&file, "deletecollection\n").unwrap();
    let given = format!("odd_verbs={}", file.display());
    assert_eq!(check(&["--table", &given]), "findings");
}

#[test]
fn a_library_without_queries_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().display().to_string();
    let fails = |expected: &str| {
        let ran = run(["check", "--library", &library, "-i", &sample()]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    };
    fails("no saved queries");
    fs::write(folder.path().join("lost.sql"), "SELECT 1").unwrap();
    fails("PACK/ID.sql");
}

/// A query of one's own with these lines in its header.
fn query(header: &str, sql: &str) -> String {
    format!(
        "-- title = 't'\n-- question = 'q?'\n-- description = 'd'\n-- severity = 'low'\n\
         -- level = 'Metadata'\n-- limits = 'l'\n-- message = 'm'\n{header}{sql}\n"
    )
}

#[test]
fn a_query_of_ones_own_is_asked_whatever_its_header_says() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("house");
    fs::create_dir(&pack).unwrap();
    let needs_nothing_there = "-- [[needs]]\n-- resources = ['unicorns']\n";
    for (id, header, sql) in [
        (
            "without-needs",
            "",
            "SELECT VERB, count(*) AS n FROM events GROUP BY VERB ORDER BY 1",
        ),
        (
            "wrong-needs",
            needs_nothing_there,
            "SELECT Verb FROM (SELECT DISTINCT * FROM requests) AS r ORDER BY 1",
        ),
        (
            "broken",
            needs_nothing_there,
            "SELECT no_such_column FROM events ORDER BY 1",
        ),
    ] {
        fs::write(pack.join(format!("{id}.sql")), query(header, sql)).unwrap();
    }
    let library = folder.path().display().to_string();
    let words = [
        "check",
        "--pack",
        "house",
        "--severity",
        "info",
        "--library",
        &library,
    ];
    let sample = sample();
    let ran = run([&words[..], &["-i", &sample, "-o", "json"]].concat());
    assert_eq!(ran.code, 2, "one of them is broken: {}", ran.stderr);
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let queries = report["queries"].as_array().unwrap();
    let status = |id: &str| {
        let found = queries.iter().find(|query| query["id"] == id).unwrap();
        found["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("broken"), "error");
    assert_eq!(status("without-needs"), "findings");
    let findings = report["findings"].as_array().unwrap().iter();
    let of = |id: &'static str| {
        findings
            .clone()
            .filter(move |finding| finding["query"] == id)
    };
    assert!(of("without-needs").all(|finding| finding["row"]["verb"].is_string()));
    let sql = "SELECT count(*) AS n FROM requests";
    let rows = run(["sql", sql, "-i", &sample, "-o", "jsonl"]).rows(0);
    let requests = rows[0]["n"].as_u64().unwrap();
    assert_eq!(of("wrong-needs").count() as u64, requests);
}

#[test]
fn what_a_query_lacks_is_said_by_run_as_by_check() {
    let sample = sample();
    let says = |words: &[&str], expected: &str| {
        let ran = run([&["run", "-q", "-i", &sample][..], words].concat());
        assert!(
            ran.stderr.contains("not evaluable"),
            "{words:?}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(expected), "{words:?}: {}", ran.stderr);
    };
    says(&["image-outside-allowlist"], "`allowed_images` has no rows");
    says(&["first-seen"], "no baseline is given");
    let since = ["--since", "2026-11-22T10:16:00Z"];
    says(
        &["first-seen", since[0], since[1], "--baseline", "1d"],
        "reaches back",
    );
    says(
        &["first-seen", "--since", "2026-01-01", "--baseline", "30d"],
        "no requests",
    );
}

#[test]
fn a_log_without_events_is_told_though_the_baseline_has_some() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.log");
    fs::write(&empty, "").unwrap();
    let parquet = folder.path().join("earlier.parquet");
    let (empty, parquet) = (empty.display().to_string(), parquet.display().to_string());
    let sample = sample();
    assert_eq!(
        run(["convert", "-q", "-i", &sample, "--to", &parquet]).code,
        0
    );
    for earlier in [&sample, &parquet] {
        let sql = "SELECT r.audit_id FROM requests r LEFT ANTI JOIN earlier_requests e ON r.audit_id = e.audit_id";
        let ran = run(["sql", sql, "-i", &empty, "--baseline-input", earlier]);
        assert_eq!(ran.code, 3, "{}", ran.stderr);
    }
}
