//! A lake and an age in, its folders without the files that nothing needs any more out: `lake
//! vacuum`.
//!
//! These are files that the current version does not have and no version had within the age; files
//! that were never committed, and are older than it; and temporary files. Earlier versions that had
//! them cannot be read in full afterwards, and the answer says which can.
//!
//! It is safe beside readers and writers as long as none of them takes longer than the age. The
//! files are listed ([`listing`]) before the log is read ([`past`]): what was listed and is
//! committed meanwhile is seen as a part of the table. Only names that auditql gives are touched, in
//! the folders of the three tables; of `_delta_log` nothing but what a killed commit left. Uploads
//! to a store that were never completed are no files: the store's own rule for incomplete uploads
//! clears them.

mod listing;
mod past;

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use datafusion::arrow::array::RecordBatch;
use futures::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path as Key;

use crate::error::{Error, ErrorKind, Result};
use crate::lake::delta::TableSnapshot;
use crate::lake::root::{EVENTS, LakeRoot, REJECTS, SOURCES};
use crate::lake::upkeep;
use crate::lake::upkeep::{DRY_RUN, numbers, table, texts};
use crate::lake::vacuum::listing::{TableListing, list};
use crate::lake::vacuum::past::{AgeLimit, past};
use crate::time::MICROS_A_DAY;

/// What `vacuum` removed, or would remove.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vacuumed {
    /// How long nothing may have needed a file that is removed, in microseconds.
    pub older_than: i64,
    /// Was nothing changed?
    pub dry_run: bool,
    /// The tables of the lake.
    pub tables: Vec<VacuumedTable>,
}

/// What `vacuum` did to one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VacuumedTable {
    /// Its name.
    pub table: &'static str,
    /// Files of auditql's that lay in its folder.
    pub files_before: u64,
    /// Those that are left.
    pub files_after: u64,
    /// Bytes of the files before.
    pub bytes_before: u64,
    /// Bytes of the files after.
    pub bytes_after: u64,
    /// Files that the newest version does not need, and that are too young to be removed.
    pub kept: u64,
    /// Files that are not auditql's.
    pub unknown: u64,
    /// The first version from which on all can be read in full.
    pub oldest_version: u64,
}

impl Vacuumed {
    /// Files that were removed, or would be.
    pub fn files(&self) -> u64 {
        let removed = |table: &VacuumedTable| table.files_before - table.files_after;
        self.tables.iter().map(removed).sum()
    }

    /// Bytes of these files.
    pub fn bytes(&self) -> u64 {
        let removed = |table: &VacuumedTable| table.bytes_before - table.bytes_after;
        self.tables.iter().map(removed).sum()
    }

    /// One row for each table.
    ///
    /// # Errors
    ///
    /// Never: the columns have the types of the schema.
    pub fn rows(&self) -> Result<RecordBatch> {
        let all = || self.tables.iter();
        let number = |value: fn(&VacuumedTable) -> u64| numbers(all().map(|one| Some(value(one))));
        let done = if self.dry_run { DRY_RUN } else { "yes" };
        let messages: Vec<String> = all().map(|one| one.message(self.older_than)).collect();
        table([
            ("table", texts(all().map(|one| Some(one.table)))),
            ("files_before", number(|one| one.files_before)),
            ("files_after", number(|one| one.files_after)),
            ("bytes_before", number(|one| one.bytes_before)),
            ("bytes_after", number(|one| one.bytes_after)),
            ("kept", number(|one| one.kept)),
            ("unknown", number(|one| one.unknown)),
            ("oldest_version", number(|one| one.oldest_version)),
            ("done", texts(all().map(|_| Some(done)))),
            (
                "message",
                texts(messages.iter().map(|message| Some(message.as_str()))),
            ),
        ])
    }
}

impl VacuumedTable {
    fn message(&self, older_than: i64) -> String {
        let mut parts = vec![match self.oldest_version {
            0 => "all versions can be read in full".to_owned(),
            oldest => format!("versions before {oldest} cannot be read in full"),
        }];
        if self.kept > 0 {
            let kept = self.kept;
            parts.push(format!("{kept} unneeded files are too young to be removed"));
        }
        if self.unknown > 0 {
            let unknown = self.unknown;
            parts.push(format!("{unknown} files that are not auditql's were kept"));
        }
        if older_than < MICROS_A_DAY {
            let warning = "an age below one day can take files from runs that still read or write";
            parts.push(warning.to_owned());
        }
        parts.join("; ")
    }
}

/// Removes what is older than an age, in microseconds, and not needed.
///
/// # Errors
///
/// When there is no lake, or something cannot be read or removed. It can be run again.
pub(crate) async fn vacuum(root: &LakeRoot, older_than: i64, dry_run: bool) -> Result<Vacuumed> {
    let limit = AgeLimit::new(root.clock.now(), older_than);
    let mut tables = Vec::new();
    for name in [EVENTS, REJECTS, SOURCES] {
        let listing = list(root, name).await?;
        if let Some(table) = upkeep::open(root, name).await? {
            let (swept, gone) = sweep(root, &table, listing, limit).await?;
            if !dry_run {
                remove(root, name, gone).await?;
            }
            tables.push(swept);
        }
    }
    Ok(Vacuumed {
        older_than,
        dry_run,
        tables,
    })
}

/// What is to go of a table, and what is left then.
async fn sweep(
    root: &LakeRoot,
    table: &TableSnapshot,
    listing: TableListing,
    limit: AgeLimit,
) -> Result<(VacuumedTable, Vec<String>)> {
    let active = active(table)?;
    let past = past(root, table, &listing, &active, limit).await?;
    let mut swept = VacuumedTable {
        table: table.name,
        unknown: listing.unknown,
        oldest_version: past.oldest,
        ..VacuumedTable::default()
    };
    let mut gone = Vec::new();
    for file in listing.files {
        swept.files_before += 1;
        swept.bytes_before += file.size;
        let is_needed = active.contains(&file.path);
        if !is_needed && limit.is_old(file.modified) && !past.young.contains(&file.path) {
            gone.push(file.path);
            continue;
        }
        swept.files_after += 1;
        swept.bytes_after += file.size;
        swept.kept += u64::from(!is_needed);
    }
    Ok((swept, gone))
}

/// The files of the current version.
fn active(table: &TableSnapshot) -> Result<HashSet<String>> {
    let active: HashSet<String> = table.adds()?.into_iter().map(|add| add.path).collect();
    // Another spelling of a path would look like a file that the table does not have.
    if let Some(path) = active
        .iter()
        .find(|path| path.contains("://") || path.starts_with('/') || path.contains("//"))
    {
        let message = format!(
            "table {}: another tool added {path} by an absolute path; nothing was removed",
            table.name
        );
        return Err(Error::lake(&table.root.shown, message));
    }
    Ok(active)
}

/// Removes files of a table; one that is gone already is none to complain of.
async fn remove(root: &LakeRoot, name: &str, paths: Vec<String>) -> Result<()> {
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
            Err(error) => return Err(root.unwritable(&error)),
        }
    }
    Ok(())
}
