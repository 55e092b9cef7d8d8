//! Rows in, one file out: Parquet, or the original events as JSON lines. Whole or absent.
//!
//! - [`kind`]: what a name says about the kind of output;
//! - [`atomic`]: the one way in which files are written; [`guard`]: which files may be, with
//! - [`logs`]: raw logs → Parquet, by several threads; [`batches`]: batches → Parquet; [`parquet`]:
//!   what both write;
//! - [`jsonl`]: batches → the original events.
//!
//! Not responsible for: lakes (`lake/`), which are folders of such files and a log of commits.

pub(crate) mod atomic;
pub(crate) mod batches;
pub(crate) mod guard;
pub(crate) mod jsonl;
pub(crate) mod kind;
pub(crate) mod logs;
pub(crate) mod parquet;

/// What a conversion did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Converted {
    /// Rows written.
    pub rows: u64,
    /// Bytes of the file, or of the new files of a lake.
    pub bytes: u64,
    /// New files of a lake.
    pub files: u64,
    /// Sources that a lake had all of.
    pub known: u64,
    /// The version of the lake; `None` for a file.
    pub version: Option<u64>,
}
