//! Commands that list what there is: saved queries, tables, formats, completions, the manual.

use crate::bin::run;

#[test]
fn listings_show_everything() {
    let listed = run(["queries", "-o", "csv"]).text(0);
    assert!(listed.lines().count() > 12 && listed.contains("secrets-read-by-humans"));
    let shown = run(["queries", "show", "secrets-read-by-humans"]).text(0);
    assert!(shown.contains("namespace (string)") && shown.contains("FROM secret_reads"));
    let schema = run(["schema", "-o", "csv"]).text(0);
    for name in [
        "events",
        "rejects",
        "requests",
        "exec_sessions",
        "containers",
        "go_duration",
    ] {
        assert!(schema.contains(name), "{name}");
    }
    assert_eq!(run(["schema", "events", "-o", "jsonl"]).rows(0).len(), 73);
    assert!(run(["formats", "-o", "csv"]).text(0).contains("eventlist"));
    assert!(run(["completions", "bash"]).text(0).contains("auditql"));
    assert!(run(["man"]).text(0).contains(".TH"));
}
