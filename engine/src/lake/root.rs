//! Where a lake is: a folder or a URL in, the object stores and log stores of its tables out.
//!
//! Not responsible for: what the tables hold ([`super::delta`]).

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use object_store::{ObjectStore, local::LocalFileSystem, path::Path as Key, prefix::PrefixStore};
use url::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::lake::folder::DeltaFolder;
use crate::source::store::Stores;

/// The table of the events.
pub(crate) const EVENTS: &str = "events";
/// The table of what could not be read.
pub(crate) const REJECTS: &str = "rejects";
/// The table of what was read, and when: the evidence.
pub(crate) const SOURCES: &str = "sources";

/// The folder that makes a folder a Delta table.
const LOG: &str = "_delta_log";

/// The place of a lake.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// As the user wrote it, without secrets.
    pub(crate) shown: String,
    place: LakePlace,
}

#[derive(Debug, Clone)]
enum LakePlace {
    DeltaFolder(PathBuf),
    Store {
        bucket: Arc<dyn ObjectStore>,
        key: String,
    },
}

impl Root {
    /// The place that the user named; nothing need be there yet.
    ///
    /// # Errors
    ///
    /// When the store does not let us in, or cannot hold a lake.
    pub(crate) async fn of(input: &str, stores: &Stores) -> Result<Self> {
        if Stores::is_url(input) {
            let bucket = stores.bucket(input).await?;
            let key = bucket.key.trim_matches('/').to_owned();
            let fail = |message: &str| Error::input(&bucket.shown, message.to_owned());
            if Key::parse(&key).is_err() {
                return Err(fail("a lake's prefix has no empty, `.` or `..` part"));
            }
            return Ok(Self {
                shown: bucket.shown,
                place: LakePlace::Store {
                    bucket: bucket.store,
                    key,
                },
            });
        }
        let path = Path::new(input.strip_prefix("file://").unwrap_or(input));
        let path =
            std::path::absolute(path).map_err(|error| Error::input(input, error.to_string()))?;
        Ok(Self {
            shown: input.to_owned(),
            place: LakePlace::DeltaFolder(path),
        })
    }

    /// Is there a lake? `None`: there is nothing at all.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at.
    pub(crate) async fn holds_lake(&self) -> Result<Option<bool>> {
        match &self.place {
            LakePlace::DeltaFolder(path) => {
                if is_lake(path) {
                    return Ok(Some(true));
                }
                match std::fs::read_dir(path) {
                    // A folder `events` without a log is what is left of a lake that was never
                    // made.
                    Ok(mut entries) => Ok(entries
                        .any(|entry| {
                            entry.is_ok_and(|entry| {
                                ![EVENTS, REJECTS, SOURCES]
                                    .iter()
                                    .any(|table| entry.file_name() == **table)
                            })
                        })
                        .then_some(false)),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(Error::input(&self.shown, error.to_string())),
                }
            }
            LakePlace::Store { .. } => {
                let found =
                    |listed: object_store::Result<object_store::ListResult>| -> Result<bool> {
                        match listed {
                            Ok(listed) => Ok(
                                !listed.objects.is_empty() || !listed.common_prefixes.is_empty()
                            ),
                            Err(object_store::Error::NotFound { .. }) => Ok(false),
                            Err(error) => Err(self.failed("list", &error)),
                        }
                    };
                let store = self.objects(EVENTS)?;
                if found(store.list_with_delimiter(Some(&Key::from(LOG))).await)? {
                    return Ok(Some(true));
                }
                let all = self.prefixed("")?;
                Ok(found(all.list_with_delimiter(None).await)?.then_some(false))
            }
        }
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
            LakePlace::DeltaFolder(path) => {
                let path = if table.is_empty() {
                    path.clone()
                } else {
                    path.join(table)
                };
                Arc::new(
                    LocalFileSystem::new_with_prefix(path)
                        .map_err(|error| self.failed("open", &error))?,
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
            LakePlace::DeltaFolder(path) => Some(path.join(table)),
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
        let location = Url::parse(&format!("lake://root/{table}/"))
            .map_err(|error| Error::input(&self.shown, error.to_string()))?;
        match &self.place {
            LakePlace::DeltaFolder(path) => {
                if make {
                    make_folder(&path.join(table))?;
                }
                let fail = |error: object_store::Error| self.failed("open", &error);
                let root = DeltaFolder::new(path.clone()).map_err(fail)?;
                let prefixed = DeltaFolder::new(path.join(table)).map_err(fail)?;
                // Not a `file` URL: names with a percent sign in them would be decoded twice.
                let location = Url::parse(&format!("lake://folder/{table}/"))
                    .map_err(|error| Error::input(&self.shown, error.to_string()))?;
                Ok(default_logstore(
                    Arc::new(prefixed),
                    Arc::new(root),
                    &location,
                    &StorageConfig::default(),
                ))
            }
            LakePlace::Store { bucket, key } => {
                let prefixed =
                    |table: &str| PrefixStore::new(Arc::clone(bucket), self.key_of(key, table));
                Ok(default_logstore(
                    Arc::new(prefixed(table)),
                    Arc::new(prefixed("")),
                    &location,
                    &StorageConfig::default(),
                ))
            }
        }
    }

    /// An error of the store, in words.
    pub(crate) fn failed(&self, what: &str, error: &object_store::Error) -> Error {
        let source = std::io::Error::other(format!("{what}: {}", innermost(error)));
        ErrorKind::Output {
            path: self.shown.clone(),
            source,
        }
        .into()
    }

    /// An error of Delta's log, in words.
    pub(crate) fn delta_failed(&self, error: &deltalake::DeltaTableError) -> Error {
        let source = std::io::Error::other(innermost(error));
        ErrorKind::Output {
            path: self.shown.clone(),
            source,
        }
        .into()
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

/// Is this folder a lake?
pub(crate) fn is_lake(folder: &Path) -> bool {
    folder.join(EVENTS).join(LOG).is_dir()
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
