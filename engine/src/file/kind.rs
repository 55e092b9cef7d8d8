//! The name of an output in, what kind of output it means out.

use std::path::Path;

use crate::error::{Error, Result};

/// A kind of output, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputKind {
    Parquet,
    JsonLines,
    /// A folder or bucket.
    Lake,
}

impl OutputKind {
    /// By the ending of a file's name; a folder, a URL and a name without an ending mean a lake.
    ///
    /// # Errors
    ///
    /// When the name has another ending: it could be meant to be anything.
    pub(crate) fn of(path: &str) -> Result<Self> {
        if path.contains("://") || path.ends_with(['/', '\\']) || Path::new(path).is_dir() {
            return Ok(Self::Lake);
        }
        let ending = Path::new(path)
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        match ending.as_str() {
            "parquet" => Ok(Self::Parquet),
            "jsonl" | "ndjson" | "log" => Ok(Self::JsonLines),
            "" => Ok(Self::Lake),
            _ => Err(Error::input(
                path,
                "unknown kind of output; the name of a file ends with .parquet, .jsonl, .ndjson or \
                 .log, that of a lake (a folder) with `/`",
            )),
        }
    }
}

/// Does this name mean a lake, and not one file?
pub fn is_lake(to: &str) -> bool {
    matches!(OutputKind::of(to), Ok(OutputKind::Lake))
}
