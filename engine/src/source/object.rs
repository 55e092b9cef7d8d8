//! What an input is made of: one object, and where its bytes are. Plain data, without handles.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};
use crate::source::store::StoreObject;

/// Where the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Location {
    /// A local file.
    File(#[serde(with = "os_path")] PathBuf),
    /// The standard input of this process.
    Stdin,
    /// An object in a store.
    Store(StoreObject),
}

/// One file, or stdin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputObject {
    /// As given or found; the content of `source_file`.
    pub(crate) uri: String,
    pub(crate) location: Location,
    /// Bytes as stored; `None` for stdin, pipes, and web servers that do not say.
    pub(crate) size: Option<u64>,
    /// Named by the user, not found in a folder: then it is meant to be an audit log.
    pub(crate) named: bool,
}

/// What could not be listed: its name, and why.
pub(crate) type Failures = Vec<(String, String)>;

/// The path that an input or output names: itself, or that of a `file` URL (RFC 8089), which has no
/// host but this one. A URL of any other kind is left as it is.
///
/// # Errors
///
/// When the URL names a host.
pub(crate) fn local_path(named: &str) -> Result<&str> {
    let Some(rest) = named.strip_prefix("file://") else {
        return Ok(named);
    };
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if path.starts_with('/') {
        return Ok(path);
    }
    let message = "the URL of a local file has no host: file:///folder/file";
    Err(Error::input(named, message))
}

/// Paths as the system has them: a name need not be UTF-8.
mod os_path {
    use super::{Deserialize, Deserializer, OsString, Path, PathBuf, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        OsString::deserialize(from).map(PathBuf::from)
    }
}
