//! Parquet files and lakes of an earlier layout, made before there was `object_name` and when absent
//! members of `objectRef` were NULL: they open, grow, and give the rows of today's.
//!
//! `tests/data/earlier` holds a log and what an earlier version made of it.

use std::{fs, path::Path};

use crate::{
    bin::{data, sql},
    lake_fixture::{Cluster, Lake, assert_same, identities},
};

const OBJECTS: &str = "SELECT audit_id, stage, api_group, resource, subresource, namespace, name, \
    object_name, api_version FROM events";

fn lines(rows: &[serde_json::Value]) -> Vec<String> {
    rows.iter().map(serde_json::Value::to_string).collect()
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_columns_of_an_object_are_those_of_the_log() {
    let log = lines(&sql(OBJECTS, &data("earlier/audit.log")));
    for earlier in ["earlier/events.parquet", "earlier/lake"] {
        assert_same(&lines(&sql(OBJECTS, &data(earlier))), &log);
        let question = "SELECT count(*) n FROM events WHERE subresource <> 'status' \
            AND namespace NOT IN ('dev-a') AND object_name IS NULL";
        let of_log = sql(question, &data("earlier/audit.log"));
        assert_eq!(sql(question, &data(earlier)), of_log, "{earlier}");
        assert_ne!(of_log[0]["n"], 0, "{of_log:?}");
    }
}

#[test]
fn an_earlier_lake_grows_and_is_optimized() {
    let folder = tempfile::tempdir().unwrap();
    copied(&data("earlier/lake"), &folder.path().join("lake"));
    let lake = Lake::in_folder(folder.path().join("lake"));
    let earlier = fs::read_to_string(data("earlier/audit.log")).unwrap();
    let new = Cluster::new("new").log(0..100);
    let whole = folder.path().join("whole.log");
    fs::write(&whole, format!("{earlier}{new}")).unwrap();
    let added = folder.path().join("new.log");
    fs::write(&added, &new).unwrap();
    assert_eq!(lake.added(&[&added]), 100);
    let expected = lines(&sql(OBJECTS, &whole));
    assert_same(&lines(&lake.ask(OBJECTS, &[])), &expected);
    lake.rows_of("optimize", &[], 0);
    assert_same(&lines(&lake.ask(OBJECTS, &[])), &expected);
    assert_eq!(
        identities(&lake.exported(&[])),
        identities(&format!("{earlier}{new}"))
    );
    lake.rows_of("verify", &["--no-originals"], 0);
}
