//! How many data files of lakes a question had before it, and how many it left out.

/// Data files, and how many of them were left out; those are among all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileShare {
    /// Data files of the lakes that were asked.
    pub files: u64,
    /// Files that cannot hold a row of the answer.
    pub skipped_files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes of those that were left out.
    pub skipped_bytes: u64,
    /// Files that were written without checksums: damage in them goes unnoticed.
    pub unchecked_files: u64,
}

impl FileShare {
    /// The sum.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            skipped_files: self.skipped_files + other.skipped_files,
            bytes: self.bytes + other.bytes,
            skipped_bytes: self.skipped_bytes + other.skipped_bytes,
            unchecked_files: self.unchecked_files + other.unchecked_files,
        }
    }
}
