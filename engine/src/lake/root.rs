//! Where a lake is: a folder or a URL in, the object stores and log stores of its tables out; and
//! how failures there are worded.
//!
//! Not responsible for: what the tables hold ([`super::delta`]).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deltalake::DeltaTableError;
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ListResult, ObjectStore};
use url::Url;

use crate::error::{Error, ErrorKind, Hint, Result};
use crate::lake::checked_read::CheckedTable;
use crate::lake::folder::DeltaFolder;
use crate::source::lake_folder::{DELTA_LOG, is_lake};
use crate::source::object::local_path;
use crate::source::store::Stores;
use crate::time::Clock;

/// The table of the events.
pub(crate) use crate::source::lake_folder::EVENTS;
/// The table of what could not be read.
pub(crate) const REJECTS: &str = "rejects";
/// The table of what was read, and when: the evidence.
pub(crate) const SOURCES: &str = "sources";

/// The place of a lake.
#[derive(Debug, Clone)]
pub(crate) struct LakeRoot {
    /// As the user wrote it, without secrets.
    pub(crate) shown: String,
    /// Dates what is written there.
    pub(crate) clock: Clock,
    place: LakePlace,
}

#[derive(Debug, Clone)]
enum LakePlace {
    Folder(PathBuf),
    Store {
        bucket: Arc<dyn ObjectStore>,
        key: String,
    },
}

impl LakeRoot {
    /// The place that the user named; it need not exist yet.
    ///
    /// # Errors
    ///
    /// When the store does not let us in, or cannot hold a lake.
    pub(crate) async fn of(input: &str, stores: &Stores) -> Result<Self> {
        let clock = Clock::system();
        if Stores::is_url(input) {
            let bucket = stores.bucket(input).await?;
            let key = bucket.key.trim_matches('/').to_owned();
            if Key::parse(&key).is_err() {
                let message = "the prefix of a lake has no empty, `.` or `..` part";
                return Err(Error::lake(bucket.shown, message));
            }
            let place = LakePlace::Store {
                bucket: bucket.store,
                key,
            };
            return Ok(Self {
                shown: bucket.shown,
                clock,
                place,
            });
        }
        let is_local = |scheme: &str| scheme == "file";
        if let Some((scheme, _)) = input.split_once("://").filter(|(name, _)| !is_local(name)) {
            let message = format!("a lake cannot be at a URL of the scheme `{scheme}`");
            return Err(Error::input(
                input,
                format!("{message}; use a folder, s3://, gs:// or az://"),
            ));
        }
        let path = Path::new(local_path(input)?);
        let path =
            std::path::absolute(path).map_err(|error| Error::lake(input, error.to_string()))?;
        Ok(Self {
            shown: Stores::redacted(input),
            clock,
            place: LakePlace::Folder(path),
        })
    }

    /// Dates what is written by this clock.
    pub(crate) fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Is there a lake? `None`: there is nothing at all.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at.
    pub(crate) async fn holds_lake(&self) -> Result<Option<bool>> {
        match &self.place {
            LakePlace::Folder(path) => self.folder_holds_lake(path),
            LakePlace::Store { .. } => {
                let store = self.objects(EVENTS)?;
                let log = Key::from(DELTA_LOG);
                if self.is_found(store.list_with_delimiter(Some(&log)).await)? {
                    return Ok(Some(true));
                }
                let all = self.prefixed("")?;
                let is_used = self.is_found(all.list_with_delimiter(None).await)?;
                Ok(is_used.then_some(false))
            }
        }
    }

    fn folder_holds_lake(&self, path: &Path) -> Result<Option<bool>> {
        if is_lake(path) {
            return Ok(Some(true));
        }
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::lake(&self.shown, error.to_string())),
        };
        // A folder `events` without a log is what is left of a lake whose making was interrupted.
        let is_foreign = |entry: std::fs::DirEntry| {
            let name = entry.file_name();
            [EVENTS, REJECTS, SOURCES]
                .iter()
                .all(|table| name != *table)
        };
        let is_used = entries.filter_map(std::io::Result::ok).any(is_foreign);
        Ok(is_used.then_some(false))
    }

    fn is_found(&self, listed: object_store::Result<ListResult>) -> Result<bool> {
        match listed {
            Ok(listed) => Ok(!listed.objects.is_empty() || !listed.common_prefixes.is_empty()),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.unreadable("list", &error)),
        }
    }

    /// A table whose files are read, and compared with their checksums.
    ///
    /// # Errors
    ///
    /// When the folder does not exist.
    pub(crate) fn checked(&self, table: &str) -> Result<CheckedTable> {
        Ok(CheckedTable {
            lake: self.shown.clone(),
            table: table.to_owned(),
            store: self.objects(table)?,
        })
    }

    /// The object store whose root is the table's folder.
    ///
    /// # Errors
    ///
    /// When the folder does not exist.
    pub(crate) fn objects(&self, table: &str) -> Result<Arc<dyn ObjectStore>> {
        self.prefixed(table)
    }

    fn prefixed(&self, table: &str) -> Result<Arc<dyn ObjectStore>> {
        Ok(match &self.place {
            LakePlace::Folder(path) => {
                let path = if table.is_empty() {
                    path.clone()
                } else {
                    path.join(table)
                };
                Arc::new(
                    LocalFileSystem::new_with_prefix(path)
                        .map_err(|error| self.unreadable("open", &error))?,
                )
            }
            LakePlace::Store { bucket, key, .. } => Arc::new(PrefixStore::new(
                Arc::clone(bucket),
                self.key_of(key, table),
            )),
        })
    }

    fn key_of(&self, key: &str, table: &str) -> Key {
        let parts = [key, table]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/");
        Key::parse(&parts).unwrap_or_else(|_| Key::from(parts))
    }

    /// The table's folder, where the lake is in a folder.
    pub(crate) fn folder(&self, table: &str) -> Option<PathBuf> {
        match &self.place {
            LakePlace::Folder(path) => Some(path.join(table)),
            LakePlace::Store { .. } => None,
        }
    }

    /// What Delta's log of the table is kept in; of a folder it is made.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made.
    pub(crate) fn log(&self, table: &str, make: bool) -> Result<LogStoreRef> {
        // Neither the file's nor the store's own URL: what lies in names with a percent sign would
        // be decoded twice.
        let location = |host: &str| {
            Url::parse(&format!("lake://{host}/{table}/"))
                .map_err(|error| Error::lake(&self.shown, error.to_string()))
        };
        let config = StorageConfig::default();
        match &self.place {
            LakePlace::Folder(path) => {
                if make {
                    make_folder(&path.join(table))?;
                }
                let fail = |error: object_store::Error| self.unreadable("open", &error);
                let root = DeltaFolder::new(path.clone()).map_err(fail)?;
                let prefixed = DeltaFolder::new(path.join(table)).map_err(fail)?;
                let (prefixed, root) = (Arc::new(prefixed), Arc::new(root));
                Ok(default_logstore(
                    prefixed,
                    root,
                    &location("folder")?,
                    &config,
                ))
            }
            LakePlace::Store { bucket, key } => {
                let prefixed = |table: &str| {
                    let key = self.key_of(key, table);
                    Arc::new(PrefixStore::new(Arc::clone(bucket), key))
                };
                let (prefixed, root) = (prefixed(table), prefixed(""));
                Ok(default_logstore(
                    prefixed,
                    root,
                    &location("root")?,
                    &config,
                ))
            }
        }
    }

    /// What is there cannot be read: `doing` is what was tried with it.
    pub(crate) fn unreadable(&self, doing: &str, error: &object_store::Error) -> Error {
        let message = format!("cannot {doing} it: {}", innermost(error));
        match &self.place {
            LakePlace::Folder(_) => Error::lake(&self.shown, message),
            LakePlace::Store { .. } => Error::store(&self.shown, message),
        }
    }

    /// A data file, named with its table, cannot be read.
    pub(crate) fn unreadable_file(&self, file: &str, message: &str) -> Error {
        let message = format!("{file}: cannot read it: {message}");
        match &self.place {
            LakePlace::Folder(_) => Error::lake(&self.shown, message),
            LakePlace::Store { .. } => Error::store(&self.shown, message),
        }
    }

    /// Delta's log of a table cannot be read.
    pub(crate) fn unreadable_log(&self, table: &str, error: &DeltaTableError) -> Error {
        let message = format!(
            "table {table}: cannot read Delta's log: {}",
            innermost(error)
        );
        match (&self.place, error) {
            (LakePlace::Store { .. }, DeltaTableError::ObjectStore { .. }) => {
                Error::store(&self.shown, message)
            }
            _ => Error::lake(&self.shown, message),
        }
    }

    /// Nothing can be written there.
    pub(crate) fn unwritable(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        self.not_written(innermost(error))
    }

    /// Nothing was written there, for this reason.
    pub(crate) fn not_written(&self, reason: impl Into<String>) -> Error {
        ErrorKind::Output {
            path: self.shown.clone(),
            source: std::io::Error::other(reason.into()),
        }
        .into()
    }

    /// There is no lake.
    pub(crate) fn missing(&self) -> Error {
        Error::lake(&self.shown, "there is no lake here").with_hint(Hint::MakeLake {
            lake: self.shown.clone(),
        })
    }
}

/// What went wrong in the end: the messages around it name classes.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Makes a folder for its owner alone: audit logs are secret.
fn make_folder(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| {
        ErrorKind::Output {
            path: path.display().to_string(),
            source,
        }
        .into()
    })
}
