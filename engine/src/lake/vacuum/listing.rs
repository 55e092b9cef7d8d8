//! The folder of a table in, the files that lie there and whose they are out.

use std::io;
use std::path::Path;

use futures::TryStreamExt;
use object_store::ObjectStore;
use walkdir::WalkDir;

use crate::error::{Error, ErrorKind, Result};
use crate::lake::root::LakeRoot;
use crate::source::lake_folder::DELTA_LOG;
use crate::time::micros_of;

/// A file of ours that lies in a table's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredFile {
    pub(super) path: String,
    pub(super) size: u64,
    /// In microseconds since the epoch.
    pub(super) modified: i64,
}

/// What lies in a table's folder.
#[derive(Debug, Default)]
pub(super) struct TableListing {
    pub(super) files: Vec<StoredFile>,
    pub(super) unknown: u64,
}

impl TableListing {
    fn add(&mut self, path: &str, size: u64, modified: i64) {
        match StoredKind::of(path) {
            StoredKind::Ours => self.files.push(StoredFile {
                path: path.to_owned(),
                size,
                modified,
            }),
            StoredKind::Log => {}
            StoredKind::Unknown => self.unknown += 1,
        }
    }
}

/// What a file is, by its path in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoredKind {
    /// A data file, or one that is not finished.
    Ours,
    /// Of Delta's log: not to be touched.
    Log,
    Unknown,
}

impl StoredKind {
    fn of(path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // What object_store stages it calls by its name, with a number behind it.
        let staged = name.rsplit_once('#').filter(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let is_log = folder == DELTA_LOG;
        if is_log || folder.starts_with("_delta_log/") {
            let is_commit = name.starts_with("_commit_") && name.ends_with(".json.tmp");
            let is_left = is_log && (staged.is_some() || is_commit);
            return if is_left { Self::Ours } else { Self::Log };
        }
        let is_partition =
            folder.is_empty() || folder.starts_with("date=") && !folder.contains('/');
        let name = staged.map_or(name, |(name, _)| name);
        if is_partition && (is_data_file(name) || is_unfinished(name)) {
            Self::Ours
        } else {
            Self::Unknown
        }
    }
}

/// A data file: `part-….parquet`.
fn is_data_file(name: &str) -> bool {
    name.starts_with("part-") && name.ends_with(".parquet")
}

/// A data file under the hidden name that it has while it is written: `.part-….parquet.tmp`, and
/// since `file/atomic.rs` writes it with a few letters that tell tries apart, before the ending.
fn is_unfinished(name: &str) -> bool {
    let Some(name) = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".tmp"))
    else {
        return false;
    };
    let is_try = |letters: &str| letters.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_data_file(name)
        || name
            .rsplit_once('.')
            .is_some_and(|(name, letters)| is_data_file(name) && is_try(letters))
}

/// Lists a table's folder; of one that is not there, nothing.
pub(super) async fn list(root: &LakeRoot, name: &str) -> Result<TableListing> {
    if let Some(folder) = root.folder(name) {
        let fail = |error: io::Error| Error::lake(&root.shown, format!("table {name}: {error}"));
        let walked = tokio::task::spawn_blocking(move || walk(&folder)).await;
        let walked = walked.map_err(|error| {
            Error::from(ErrorKind::Internal(format!(
                "listing a table failed: {error}"
            )))
        })?;
        return walked.map_err(fail);
    }
    let mut listing = TableListing::default();
    let mut objects = root.objects(name)?.list(None);
    while let Some(object) = objects
        .try_next()
        .await
        .map_err(|error| root.unreadable("list", &error))?
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
fn walk(folder: &Path) -> io::Result<TableListing> {
    let mut listing = TableListing::default();
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
                let modified = micros_of(metadata.modified()?);
                listing.add(&parts.join("/"), metadata.len(), modified);
            }
            _ => listing.unknown += 1,
        }
    }
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::atomic::AtomicFile;

    #[test]
    fn only_what_is_ours_is_touched() {
        let ours = [
            "part-1.parquet",
            ".part-1.parquet.tmp",
            ".part-1.parquet.a1B2c3.tmp",
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
            ".part-1.parquet",
            ".part-1.parquet.a-b.tmp",
            ".notes.parquet.a1B2c3.tmp",
            "deletion_vector_1.bin",
        ];
        for (paths, kind) in [
            (&ours[..], StoredKind::Ours),
            (&log[..], StoredKind::Log),
            (&unknown[..], StoredKind::Unknown),
        ] {
            paths
                .iter()
                .for_each(|path| assert_eq!(StoredKind::of(path), kind, "{path}"));
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
    fn files_of_killed_runs_are_ours() {
        let folder = tempfile::tempdir().unwrap();
        let file = AtomicFile::create(&folder.path().join("part-1.parquet")).unwrap();
        let listing = walk(folder.path()).unwrap();
        assert_eq!(
            (listing.files.len(), listing.unknown),
            (1, 0),
            "{listing:?}"
        );
        drop(file);
    }
}
