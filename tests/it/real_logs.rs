//! Whole logs of real clusters, where they are at hand (`../shared/data` beside the checkout);
//! ignored elsewhere.

use std::path::PathBuf;

use crate::bin::sql;

/// Rows of a view in the logs of one cluster, counted independently.
fn check(name: &str, files: &str, counts: &[(&str, i64)]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(name)
        .join(files);
    for (view, count) in counts {
        let rows = sql(&format!("SELECT count(*) AS n FROM {view}"), &path);
        assert_eq!(rows[0]["n"], *count, "{name} {view}");
    }
}

#[test]
#[cfg_attr(not(recordings), ignore = "the recordings are not beside the checkout")]
fn gke_policy() {
    check(
        "cluster-gke-policy",
        "audit.log.gz",
        &[
            ("events", 10_685),
            ("requests", 10_123),
            ("unfinished_requests", 0),
            ("exec_sessions", 13),
            ("secret_reads", 165),
            ("rbac_changes", 296),
            ("containers", 612),
        ],
    );
}

#[test]
#[cfg_attr(not(recordings), ignore = "the recordings are not beside the checkout")]
fn metadata_rotated() {
    check(
        "cluster-metadata-rotated",
        "audit*.log*",
        &[
            ("events", 24_114),
            ("requests", 11_773),
            ("exec_sessions", 12),
            ("secret_reads", 181),
            ("rbac_changes", 310),
        ],
    );
}

#[test]
#[cfg_attr(not(recordings), ignore = "the recordings are not beside the checkout")]
fn webhook() {
    check(
        "cluster-webhook",
        "audit.log.gz",
        &[
            ("events", 6651),
            ("requests", 6199),
            ("exec_sessions", 12),
            ("secret_reads", 109),
            ("rbac_changes", 247),
        ],
    );
    check("cluster-webhook", "batches", &[("events", 2296)]);
}

#[test]
#[cfg_attr(not(recordings), ignore = "the recordings are not beside the checkout")]
fn lost_events() {
    check(
        "cluster-lost-events",
        "audit.log.gz",
        &[
            ("events", 3909),
            ("requests", 1790),
            ("unfinished_requests", 11),
            ("rbac_changes", 190),
        ],
    );
}
