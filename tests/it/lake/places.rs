//! Where a lake may lie and what it may be filled from: odd folder names, stdin, its own parent.

use std::fs;

use serde_json::json;

use crate::{
    bin::run_with,
    lake_fixture::{Cluster, Lake},
};

#[test]
fn a_folder_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("ä b%20c=d.log");
    fs::write(&log, Cluster::new("odd").log(0..60)).unwrap();
    for name in [
        "with space/per%20cent%",
        "zoë-日本/key=value",
        "date=1999-01-01/lake",
        "a+b&c#d?e;f'g/[x]*{y}",
    ] {
        let lake = Lake::in_folder(folder.path().join(name));
        assert_eq!(lake.added(&[&log]), 60, "{name}");
        assert_eq!(lake.added(&[&log]), 0, "{name}");
        // Folders named by dates in front of a lake say nothing of what it holds.
        assert_eq!(
            lake.ask("SELECT count(*) n FROM events", &["--since", "2026-11-02"]),
            [json!({"n": 10})],
            "{name}"
        );
        lake.rows_of("verify", &[], 0);
        lake.rows_of("optimize", &[], 0);
        lake.holds(&Cluster::new("odd").log(0..60));
    }
}

#[test]
fn stdin_is_a_source_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("pipe");
    for log in [cluster.log(0..40), cluster.log(0..40), cluster.log(0..70)] {
        let ran = run_with(
            ["convert", "-i", "-", "--to", &lake.uri],
            Some(log.as_bytes()),
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        lake.holds(&log);
    }
    // And what was piped once is known when it comes as a file.
    let file = folder.path().join("audit.log");
    fs::write(&file, cluster.log(0..75)).unwrap();
    assert_eq!(lake.added(&[&file]), 5);
    lake.rows_of("verify", &[], 0);
}

#[test]
fn a_lake_among_its_inputs_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::new("near");
    fs::write(folder.path().join("audit.log"), cluster.log(0..60)).unwrap();
    let lake = Lake::in_folder(folder.path().join("lake"));
    assert_eq!(lake.added(&[folder.path()]), 60);
    lake.holds(&cluster.log(0..60));
    // From now on it finds itself.
    let again = lake.convert(&[folder.path()]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    lake.holds(&cluster.log(0..60));
}
