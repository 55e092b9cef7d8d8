//! A record that could not be read: where it was, why, and its first bytes.

/// A record that could not be read.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Why, in a few words that are always the same.
    pub reason: &'static str,
    /// Why, exactly.
    pub message: String,
    /// Byte offset of the record in the decompressed object.
    pub offset: u64,
    /// Line of the record, from 1; `None` until it was counted.
    pub line: Option<u64>,
    /// The first bytes of the record, at most [`Reject::MOST_BYTES`]; bytes that are no UTF-8 are
    /// replaced.
    pub record: String,
}

impl Reject {
    /// How much of a rejected record is kept.
    pub const MOST_BYTES: usize = 4096;

    pub(crate) fn new(
        reason: &'static str,
        message: String,
        offset: u64,
        line: Option<u64>,
        record: &[u8],
    ) -> Self {
        let record =
            String::from_utf8_lossy(&record[..record.len().min(Self::MOST_BYTES)]).into_owned();
        Self {
            reason,
            message,
            offset,
            line,
            record,
        }
    }
}
