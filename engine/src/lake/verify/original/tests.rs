//! Originals where they were, elsewhere, changed, and gone.

use std::io::Write;

use super::*;
use crate::lake::source::SourceRead;
use crate::lake::verify::known;
use crate::source::store::StoreSettings;
use crate::source::witness::{SourceProgress, fingerprint};

const HEADER: &str = "{\"the\":\"same beginning\"}\n";

/// What the lake knows of this content under this name.
fn row(id: &str, uri: &Path, content: &str) -> SourceRead {
    let mut progress = SourceProgress::default();
    progress.update(content.as_bytes());
    let head = &content.as_bytes()[..content.len().min(HEAD)];
    SourceRead {
        source_id: id.to_owned(),
        uri: uri.display().to_string(),
        to_offset: progress.bytes,
        lines: progress.newlines,
        sha256: progress.sha256(),
        head_bytes: head.len() as u64,
        head_hash: fingerprint(head),
        ..SourceRead::default()
    }
}

fn check(rows: &[SourceRead], given: &[&Path]) -> Vec<(FindingStatus, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let stores = Stores::new(StoreSettings::default(), runtime.handle().clone());
    let sources = Sources::new(rows.to_vec());
    let search = OriginalSearch {
        sources: &sources,
        stores: &stores,
        runtime: runtime.handle(),
        threads: 2,
    };
    let objects: Vec<InputObject> = given
        .iter()
        .map(|path| search.find(path.to_str().unwrap()).unwrap())
        .collect();
    let findings = search
        .check(&known::sources(rows.to_vec()), &objects)
        .unwrap();
    findings
        .into_iter()
        .map(|finding| (finding.status, finding.message))
        .collect()
}

#[track_caller]
fn status(rows: &[SourceRead], given: &[&Path], status: FindingStatus, says: &str) {
    let found = check(rows, given);
    assert!(
        found[0].0 == status && found[0].1.contains(says),
        "{found:?}"
    );
}

fn long(middle: &str) -> String {
    format!(
        "{HEADER}{}{middle}{}\n",
        "a\n".repeat(4000),
        "b\n".repeat(4000)
    )
}

#[test]
fn originals_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let content = long("middle");
    let rows = [row("a", &path, &content)];
    status(&rows, &[], FindingStatus::Gone, "no longer exists");
    std::fs::write(&path, content.clone() + "more\n").unwrap();
    status(&rows, &[], FindingStatus::Ok, "source a");
    std::fs::write(&path, long("muddle")).unwrap();
    status(&rows, &[], FindingStatus::Differs, "has changed");
    std::fs::write(&path, &content[..9000]).unwrap();
    status(&rows, &[], FindingStatus::Differs, "ends after 9000 bytes");
    std::fs::write(&path, "another").unwrap();
    status(
        &rows,
        &[],
        FindingStatus::Gone,
        "another log has taken its place",
    );
    std::fs::write(&path, "").unwrap();
    status(&rows, &[], FindingStatus::Gone, "another log");
}

#[test]
fn compressed_and_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log.gz");
    let content = long("middle");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(content.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    std::fs::write(&path, &packed).unwrap();
    status(
        &[row("a", &path, &content)],
        &[],
        FindingStatus::Ok,
        "as they were read",
    );
    status(
        &[row("a", &path, &content[..7000])],
        &[],
        FindingStatus::Ok,
        "its first 7000 bytes",
    );
    // It ends in the middle of its last checksum: all of its bytes come out all the same.
    std::fs::write(&path, &packed[..packed.len() - 2]).unwrap();
    status(
        &[row("a", &path, &content)],
        &[],
        FindingStatus::Ok,
        "as they were read",
    );
    status(
        &[row("a", &path, &(content + "more\n"))],
        &[],
        FindingStatus::Differs,
        "cannot be decompressed",
    );
}

#[test]
fn logs_that_begin_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (path, rotated) = (
        folder.path().join("audit.log"),
        folder.path().join("audit.log.1"),
    );
    let head = "h\n".repeat(HEAD);
    let (old, new) = (format!("{head}old\n"), format!("{head}new and longer\n"));
    let rows = [row("old", &path, &old), row("new", &path, &new)];
    std::fs::write(&path, &new).unwrap();
    let found = check(&rows, &[]);
    assert_eq!(
        (found[0].0, found[1].0),
        (FindingStatus::Ok, FindingStatus::Gone),
        "{found:?}"
    );
    // The one that was rotated is found when it is named.
    std::fs::write(&rotated, &old).unwrap();
    let found = check(&rows, &[&rotated]);
    assert_eq!(
        (found[0].0, found[1].0),
        (FindingStatus::Ok, FindingStatus::Ok),
        "{found:?}"
    );
    assert!(found[1].1.contains("audit.log.1"), "{found:?}");
    std::fs::write(&rotated, format!("{head}odd\n")).unwrap();
    assert_eq!(check(&rows, &[&rotated])[1].0, FindingStatus::Differs);
    // An older copy speaks for nothing.
    std::fs::write(&rotated, &head).unwrap();
    assert_eq!(check(&rows, &[&rotated])[1].0, FindingStatus::Gone);
}

#[test]
fn files_in_archives_and_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("logs.zip");
    std::fs::write(&archive, "PK").unwrap();
    status(
        &[row("a", &archive.join("audit.log"), "x\n")],
        &[],
        FindingStatus::Gone,
        "from an archive",
    );
    status(
        &[row("a", Path::new("stdin"), "x\n")],
        &[],
        FindingStatus::Gone,
        "through a pipe",
    );
    status(
        &[row("a", Path::new("nowhere"), "")],
        &[],
        FindingStatus::Ok,
        "nothing of it",
    );
}
