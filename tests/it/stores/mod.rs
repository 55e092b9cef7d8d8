//! Inputs in stores, against emulators of S3, Cloud Storage and Azure and against servers that
//! misbehave on purpose: the same rows as from local files, whatever happens on the way, and a
//! message at once where there is nothing to be had.
//!
//! Here is what these tests share: the command in an environment of stores, the comparison with a
//! local file, and logs to upload.

mod bucket;
mod changes;
mod credentials;
mod emulators;
mod fault_server;
mod faults;
mod objects;
mod remote_archives;
mod unusual_keys;
mod web;
mod window;

use std::{fs, path::Path, process::Command, sync::LazyLock};

use serde_json::json;

use crate::bin::{Ran, command};

pub(crate) use self::{
    bucket::{Answer, Bucket, Course},
    emulators::{Store, store, stores, tell, upload},
    fault_server::Faulty,
};

/// Everything that could differ, in a fixed order.
const ROWS: &str = "SELECT audit_id, stage, verb, request_uri, username, response_code, request_object, source_line, source_offset, \
    event_bytes FROM events ORDER BY audit_id, stage, source_offset, event_bytes";

const COUNT: &str = "SELECT count(*) n, count(DISTINCT audit_id) ids FROM events";

/// An environment that knows of no store.
const NOWHERE: &[(String, String)] = &[];

/// The command, in an environment that says nothing of stores but this.
pub(crate) fn command_in(env: &[(String, String)]) -> Command {
    static HOME: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    let mut command = command();
    for (name, _) in std::env::vars_os() {
        let is_setting = [
            "AWS_",
            "AZURE_",
            "GOOGLE_",
            "GCE_",
            "IDENTITY_",
            "CLOUDSDK_",
            "STORAGE_",
            "SERVICE_ACCOUNT",
        ]
        .iter()
        .any(|prefix| name.to_string_lossy().starts_with(prefix));
        if is_setting {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", HOME.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(env.iter().map(|(name, value)| (name, value)));
    command
}

/// Asks about an input, in such an environment.
fn ask(env: &[(String, String)], question: &str, input: &str, more: &[&str]) -> Ran {
    let output = command_in(env)
        .args(["sql", question, "-i", input, "-o", "jsonl"])
        .args(more)
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The input in the store gives the rows that the local one gives.
#[track_caller]
fn same(store: &Store, url: &str, local: &Path, more: &[&str]) {
    same_in(&store.env, url, local, more);
}

#[track_caller]
fn same_in(env: &[(String, String)], url: &str, local: &Path, more: &[&str]) {
    let want = ask(NOWHERE, ROWS, local.to_str().unwrap(), more).rows(0);
    let got = ask(env, ROWS, url, more).rows(0);
    assert!(!want.is_empty(), "{} has no events", local.display());
    assert!(
        got == want,
        "{url}: {} rows instead of {}",
        got.len(),
        want.len()
    );
}

fn event(id: &str, time: &str) -> String {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": id, "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/ns/pods", "verb": "list", "user": {"username": "alice"}, "sourceIPs": ["10.0.0.1"],
        "objectRef": {"resource": "pods", "namespace": "ns", "apiVersion": "v1"}, "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": time, "stageTimestamp": time,
    })
    .to_string()
        + "\n"
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A log of so many bytes and more, whose events can be told apart and hardly compressed.
pub(crate) fn long_log(bytes: usize) -> String {
    let mut log = String::new();
    let mut state: u64 = 1;
    while log.len() < bytes {
        let mut id = String::new();
        for _ in 0..40 {
            // Knuth's linear congruential generator.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            id.push_str(&format!("{state:016x}"));
        }
        log.push_str(&event(&id, "2026-11-22T10:00:00.000000Z"));
    }
    log
}
