//! A lake and an age in, its folders without what nobody needs any more out: `lake vacuum`.
//!
//! That is what the current version does not have and no version had within the age; what was never
//! committed, and is older than it; and temporary files. Earlier versions that had it cannot be
//! read in full afterwards, and the answer says which can.
//!
//! It is safe beside readers and writers as long as none of them takes longer than the age. The
//! files are listed before the log is read: what was listed and is committed meanwhile is seen as a
//! part of the table. Only names that auditql gives are touched, in the folders of the three
//! tables; of `_delta_log` nothing but what a killed commit left. Uploads to a store that were
//! never ended are no files: the store's own rule for incomplete uploads clears them.
//!
//! When a file was removed is taken from the log and not from the snapshot, whose tombstones are
//! forgotten after a week.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use datafusion::arrow::array::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, path::Path as Key};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use walkdir::WalkDir;

use crate::error::{Error, ErrorKind, Result};
use crate::lake::delta::TableSnapshot;
use crate::lake::root::{EVENTS, REJECTS, Root, SOURCES};
use crate::lake::upkeep;
use crate::lake::upkeep::{DONE, DRY_RUN, numbers, table, texts};
use crate::time::now_micros;

const DAY: i64 = 86_400_000_000;
/// Entries of the log that are read at once.
const AHEAD: usize = 16;

/// What became of a table.
#[derive(Debug, Default)]
struct Swept {
    table: &'static str,
    /// Files of ours that lay there.
    files: VacuumShare,
    /// Those that go, or went.
    gone: VacuumShare,
    /// Files that the table does not have, and that are too young to go.
    kept: u64,
    /// Files of others.
    unknown: u64,
    /// The first version from which on all can be read in full.
    oldest: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct VacuumShare {
    files: u64,
    bytes: u64,
}

impl VacuumShare {
    fn add(&mut self, file: &StoredFile) {
        self.files += 1;
        self.bytes += file.size;
    }
}

/// Removes what is older than `age`, in microseconds, and not needed. One row for each table.
///
/// # Errors
///
/// When there is no lake, or something cannot be read or removed. It can be run again.
pub(crate) async fn vacuum(root: &Root, age: i64, dry_run: bool) -> Result<RecordBatch> {
    let limit = Limit::new(age);
    let mut all = Vec::new();
    for name in [EVENTS, REJECTS, SOURCES] {
        let listing = list(root, name).await?;
        let Some(table) = upkeep::open(root, name).await? else {
            continue;
        };
        let active = active(&table)?;
        let past = past(root, &table, &listing, &active, limit).await?;
        let mut swept = Swept {
            table: name,
            unknown: listing.unknown,
            oldest: past.oldest,
            ..Swept::default()
        };
        let mut gone = Vec::new();
        for file in listing.files {
            swept.files.add(&file);
            if active.contains(&file.path) {
                continue;
            }
            if limit.is_old(file.modified) && !past.young.contains(&file.path) {
                swept.gone.add(&file);
                gone.push(file.path);
            } else {
                swept.kept += 1;
            }
        }
        if !dry_run {
            remove(root, name, gone).await?;
        }
        all.push(swept);
    }
    batch(&all, age, dry_run)
}

fn batch(all: &[Swept], age: i64, dry_run: bool) -> Result<RecordBatch> {
    let number = |value: fn(&Swept) -> u64| numbers(all.iter().map(|swept| Some(value(swept))));
    let messages: Vec<String> = all.iter().map(|swept| message(swept, age)).collect();
    table([
        ("table", texts(all.iter().map(|swept| Some(swept.table)))),
        ("files_before", number(|swept| swept.files.files)),
        (
            "files_after",
            number(|swept| swept.files.files - swept.gone.files),
        ),
        ("bytes_before", number(|swept| swept.files.bytes)),
        (
            "bytes_after",
            number(|swept| swept.files.bytes - swept.gone.bytes),
        ),
        ("kept", number(|swept| swept.kept)),
        ("unknown", number(|swept| swept.unknown)),
        ("oldest_version", number(|swept| swept.oldest)),
        (
            "done",
            texts(
                all.iter()
                    .map(|_| Some(if dry_run { DRY_RUN } else { DONE })),
            ),
        ),
        (
            "message",
            texts(messages.iter().map(|message| Some(message.as_str()))),
        ),
    ])
}

fn message(swept: &Swept, age: i64) -> String {
    let mut parts = vec![match swept.oldest {
        0 => "all versions can be read in full".to_owned(),
        oldest => format!("versions before {oldest} cannot be read in full"),
    }];
    if swept.kept > 0 {
        parts.push(format!(
            "{} files that the newest does not need are too young",
            swept.kept
        ));
    }
    if swept.unknown > 0 {
        parts.push(format!(
            "{} files that are not auditql's were left",
            swept.unknown
        ));
    }
    if age < DAY {
        parts.push(
            "with less than a day, runs that still read or write may lose their files".to_owned(),
        );
    }
    parts.join("; ")
}

/// What is old.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// `None`: everything is.
    before: Option<i64>,
}

impl Limit {
    fn new(age: i64) -> Self {
        // A store's clock need not be ours.
        Self {
            before: (age > 0).then(|| now_micros().saturating_sub(age)),
        }
    }

    fn is_old(self, micros: i64) -> bool {
        self.before.is_none_or(|before| micros <= before)
    }
}

/// A file of ours that lies in a table's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StoredFile {
    path: String,
    size: u64,
    /// In microseconds since the epoch.
    modified: i64,
}

/// What lies in a table's folder.
#[derive(Debug, Default)]
struct Listing {
    files: Vec<StoredFile>,
    unknown: u64,
}

impl Listing {
    fn add(&mut self, path: &str, size: u64, modified: i64) {
        match LeftoverKind::of(path) {
            LeftoverKind::Ours => self.files.push(StoredFile {
                path: path.to_owned(),
                size,
                modified,
            }),
            LeftoverKind::Log => {}
            LeftoverKind::Unknown => self.unknown += 1,
        }
    }
}

/// What a file is, by its path in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeftoverKind {
    /// A data file, or one that is not finished.
    Ours,
    /// Of Delta's log: not to be touched.
    Log,
    Unknown,
}

impl LeftoverKind {
    fn of(path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // What object_store stages it calls by its name, with a number behind it.
        let staged = name.rsplit_once('#').filter(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if folder == "_delta_log" || folder.starts_with("_delta_log/") {
            let is_left = folder == "_delta_log"
                && (staged.is_some()
                    || name.starts_with("_commit_") && name.ends_with(".json.tmp"));
            return if is_left { Self::Ours } else { Self::Log };
        }
        let is_partition =
            folder.is_empty() || folder.starts_with("date=") && !folder.contains('/');
        let name = staged.map_or(name, |(name, _)| name);
        let name = name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(".tmp"))
            .unwrap_or(name);
        if is_partition && name.starts_with("part-") && name.ends_with(".parquet") {
            Self::Ours
        } else {
            Self::Unknown
        }
    }
}

/// Lists a table's folder; of one that is not there, nothing.
async fn list(root: &Root, name: &str) -> Result<Listing> {
    if let Some(folder) = root.folder(name) {
        let fail = |error: io::Error| Error::input(&root.shown, format!("table {name}: {error}"));
        let walked = tokio::task::spawn_blocking(move || walk(&folder)).await;
        let walked = walked.map_err(|error| {
            Error::from(ErrorKind::Internal(format!(
                "listing a table failed: {error}"
            )))
        })?;
        return walked.map_err(fail);
    }
    let mut listing = Listing::default();
    let mut objects = root.objects(name)?.list(None);
    while let Some(object) = objects
        .try_next()
        .await
        .map_err(|error| root.failed("list", &error))?
    {
        listing.add(
            object.location.as_ref(),
            object.size,
            object.last_modified.timestamp_micros(),
        );
    }
    Ok(listing)
}

/// All files below a folder, hidden ones too; links are not followed. What goes meanwhile is gone.
fn walk(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in WalkDir::new(folder).min_depth(1) {
        let looked = entry.and_then(|entry| entry.metadata().map(|metadata| (entry, metadata)));
        let (entry, metadata) = match looked {
            Ok(looked) => looked,
            Err(error)
                if error
                    .io_error()
                    .is_some_and(|error| error.kind() == io::ErrorKind::NotFound) =>
            {
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if metadata.is_dir() {
            continue;
        }
        let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        match parts {
            Some(parts) if metadata.is_file() => {
                let since = metadata
                    .modified()?
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                listing.add(
                    &parts.join("/"),
                    metadata.len(),
                    i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
                );
            }
            _ => listing.unknown += 1,
        }
    }
    Ok(listing)
}

/// The files of the current version.
fn active(table: &TableSnapshot) -> Result<HashSet<String>> {
    let active: HashSet<String> = table.adds()?.into_iter().map(|add| add.path).collect();
    // Another spelling of a path would look like a file that nobody has.
    if let Some(path) = active
        .iter()
        .find(|path| path.contains("://") || path.starts_with('/') || path.contains("//"))
    {
        let message = format!(
            "table {}: another tool has added {path}, by its whole path; nothing is removed",
            table.name
        );
        return Err(Error::input(&table.root.shown, message));
    }
    Ok(active)
}

/// What the log says of files that are no longer part of the table.
#[derive(Debug, Default)]
struct Past {
    /// Removed so lately that they stay.
    young: HashSet<String>,
    oldest: u64,
}

/// A line of a commit.
#[derive(Deserialize)]
struct VacuumRow {
    remove: Option<Removed>,
    #[serde(rename = "commitInfo")]
    info: Option<Info>,
}

#[derive(Deserialize)]
struct Removed {
    path: String,
    #[serde(rename = "deletionTimestamp")]
    at: Option<i64>,
}

#[derive(Deserialize)]
struct Info {
    timestamp: Option<i64>,
}

/// Reads the log back from the current version, to where nothing is young any more and a file is
/// missing: no version before can be read in full.
async fn past(
    root: &Root,
    table: &TableSnapshot,
    listing: &Listing,
    active: &HashSet<String>,
    limit: Limit,
) -> Result<Past> {
    let old: HashSet<&str> = listing
        .files
        .iter()
        .filter(|file| limit.is_old(file.modified))
        .map(|file| file.path.as_str())
        .collect();
    let listed: HashSet<&str> = listing
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let log = root.log(table.name, false)?;
    let entries = futures::stream::iter((0..=table.version()).rev()).map(|version| {
        let log = Arc::clone(&log);
        async move { (version, log.read_commit_entry(version).await) }
    });
    let mut entries = entries.buffered(AHEAD);
    let (mut past, mut is_missing) = (Past::default(), false);
    while let Some((version, entry)) = entries.next().await {
        let Some(entry) = entry.map_err(|error| root.delta_failed(&error))? else {
            // What it removed nobody knows.
            past.oldest = past.oldest.max(version + 1);
            break;
        };
        let (removed, committed) = read_commit(&entry).map_err(|error| {
            Error::input(
                &root.shown,
                format!(
                    "table {}: version {version} of the log cannot be read: {error}",
                    table.name
                ),
            )
        })?;
        for (path, at) in removed {
            if active.contains(&path) {
                continue;
            }
            // When it was removed nobody says: as far as is known, now.
            let is_young = !at
                .or(committed)
                .map_or(limit.before.is_none(), |at| limit.is_old(at));
            let goes = !listed.contains(path.as_str()) || !is_young && old.contains(path.as_str());
            if goes && !is_missing {
                (past.oldest, is_missing) = (version, true);
            }
            if is_young {
                past.young.insert(path);
            }
        }
        // Clocks differ: a day more.
        if is_missing && committed.is_some_and(|at| limit.is_old(at.saturating_add(DAY))) {
            break;
        }
    }
    Ok(past)
}

/// The path of a file, and when it was removed, in microseconds since the epoch.
type Gone = (String, Option<i64>);

/// The files that a commit removed, and when; and when it was made. In microseconds since the
/// epoch.
fn read_commit(entry: &[u8]) -> serde_json::Result<(Vec<Gone>, Option<i64>)> {
    let (mut removed, mut committed) = (Vec::new(), None);
    let micros = |millis: i64| millis.saturating_mul(1000);
    for line in entry
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
    {
        let line: VacuumRow = serde_json::from_slice(line)?;
        if let Some(remove) = line.remove {
            removed.push((
                percent_decode_str(&remove.path)
                    .decode_utf8_lossy()
                    .into_owned(),
                remove.at.map(micros),
            ));
        }
        committed = line
            .info
            .and_then(|info| info.timestamp)
            .map(micros)
            .or(committed);
    }
    Ok((removed, committed))
}

/// Removes files of a table; one that is gone already is none to complain of.
async fn remove(root: &Root, name: &str, paths: Vec<String>) -> Result<()> {
    if let Some(folder) = root.folder(name) {
        let removed = tokio::task::spawn_blocking(move || {
            paths
                .iter()
                .map(|path| folder.join(path))
                .try_for_each(|path| match std::fs::remove_file(&path) {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => Err((path, source)),
                    _ => Ok(()),
                })
        });
        let removed = removed.await.map_err(|error| {
            Error::from(ErrorKind::Internal(format!(
                "removing files failed: {error}"
            )))
        })?;
        return removed.map_err(|(path, source): (PathBuf, io::Error)| {
            ErrorKind::Output {
                path: path.display().to_string(),
                source,
            }
            .into()
        });
    }
    let keys = paths.into_iter().map(|path| {
        Ok::<Key, object_store::Error>(Key::parse(&path).unwrap_or_else(|_| Key::from(path)))
    });
    let mut removed = root
        .objects(name)?
        .delete_stream(futures::stream::iter(keys.collect::<Vec<_>>()).boxed());
    while let Some(result) = removed.next().await {
        match result {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(root.failed("delete", &error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ours_is_touched() {
        let ours = [
            "part-1.parquet",
            ".part-1.parquet.tmp",
            "date=2026-11-01/part-1.parquet",
            "date=__HIVE_DEFAULT_PARTITION__/.part-1.parquet.tmp",
            "date=2026-11-01/part-1.parquet#1",
            "_delta_log/_commit_1.json.tmp",
            "_delta_log/_commit_1.json.tmp#2",
            "_delta_log/00000000000000000050.checkpoint.parquet#1",
        ];
        let log = [
            "_delta_log/00000000000000000000.json",
            "_delta_log/_last_checkpoint",
            "_delta_log/part-1.parquet",
            "_delta_log/_sidecars/part-1.parquet",
            "_delta_log/_sidecars/part-1.parquet#1",
            "_delta_log/name#",
            "_delta_log/name#1a",
        ];
        let unknown = [
            "notes.txt",
            "date=2026-11-01/notes.parquet",
            "date=2026-11-01/hour=1/part-1.parquet",
            "_change_data/part-1.parquet",
            "other/part-1.parquet",
            "part-1.parquet.bak",
            ".part-1.crc",
            "deletion_vector_1.bin",
        ];
        for (paths, kind) in [
            (&ours[..], LeftoverKind::Ours),
            (&log[..], LeftoverKind::Log),
            (&unknown[..], LeftoverKind::Unknown),
        ] {
            paths
                .iter()
                .for_each(|path| assert_eq!(LeftoverKind::of(path), kind, "{path}"));
        }
    }

    #[test]
    fn a_folder_is_walked_without_its_links() {
        let folder = tempfile::tempdir().unwrap();
        assert!(walk(&folder.path().join("none")).unwrap().files.is_empty());
        for path in [
            "events/date=2026-11-01/.part-1.parquet.tmp",
            "events/part-2.parquet",
            "other/part-3.parquet",
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        #[cfg(unix)]
        {
            let events = folder.path().join("events");
            std::os::unix::fs::symlink(folder.path().join("other"), events.join("date=2026-11-02"))
                .unwrap();
            std::os::unix::fs::symlink(
                events.join("part-2.parquet"),
                events.join("part-4.parquet"),
            )
            .unwrap();
        }
        let mut listing = walk(&folder.path().join("events")).unwrap();
        listing
            .files
            .sort_by(|one, other| one.path.cmp(&other.path));
        let paths: Vec<&str> = listing
            .files
            .iter()
            .map(|file| file.path.as_str())
            .collect();
        assert_eq!(
            paths,
            ["date=2026-11-01/.part-1.parquet.tmp", "part-2.parquet"]
        );
        assert_eq!(listing.unknown, if cfg!(unix) { 2 } else { 0 });
        assert!(
            listing
                .files
                .iter()
                .all(|file| file.size == 1 && file.modified > 0)
        );
    }

    #[test]
    fn a_commit_says_what_it_removed() {
        let commit = concat!(
            r#"{"commitInfo":{"timestamp":7,"operation":"OPTIMIZE","auditql":{"sources":[{"remove":1}]}}}"#,
            "\n",
            r#"{"remove":{"path":"date=a%20b/part-1.parquet","dataChange":false,"deletionTimestamp":5}}"#,
            "\n",
            r#"{"remove":{"path":"part-2.parquet","dataChange":true}}"#,
            "\n",
            r#"{"add":{"path":"part-3.parquet","size":1}}"#,
            "\n",
        );
        let (removed, committed) = read_commit(commit.as_bytes()).unwrap();
        let expected = [
            ("date=a b/part-1.parquet".to_owned(), Some(5000)),
            ("part-2.parquet".to_owned(), None),
        ];
        assert_eq!((&removed[..], committed), (&expected[..], Some(7000)));
        assert!(read_commit(b"{\"remove\":1}").is_err());
        assert!(read_commit(b"").unwrap().0.is_empty());
    }
}
