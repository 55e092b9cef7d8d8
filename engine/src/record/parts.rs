//! Payloads that are spread over several records, while their last part is still to come.

use std::collections::HashSet;

use crate::account::Reject;
use crate::record::sink::RecordLocation;

/// The payloads whose last part is still to come.
#[derive(Default)]
pub(super) struct UnfinishedPayloads(
    pub(super) Vec<UnfinishedPayload>,
    /// The streams that were met.
    HashSet<String>,
);

/// Streams that are known: a file has a few, a shipper's one a container.
const MOST_STREAMS: usize = 4096;

/// The parts of a payload so far.
pub(super) struct UnfinishedPayload {
    pub(super) stream: String,
    /// Where the first part lies.
    pub(super) location: RecordLocation,
    pub(super) bytes: Vec<u8>,
    /// Is it the first of its stream in the object?
    pub(super) is_first: bool,
}

impl UnfinishedPayload {
    pub(super) fn reject(self, reason: &'static str, message: String) -> Reject {
        let (offset, line) = (self.location.offset, self.location.counted_line());
        Reject::new(reason, message, offset, line, &self.bytes)
    }
}

impl UnfinishedPayloads {
    pub(super) fn take(&mut self) -> Vec<UnfinishedPayload> {
        std::mem::take(&mut self.0)
    }

    /// Is this the first payload of the stream in the object?
    pub(super) fn meet(&mut self, stream: &str) -> bool {
        if self.1.contains(stream) || self.1.len() == MOST_STREAMS {
            return false;
        }
        self.1.insert(stream.to_owned())
    }

    pub(super) fn position(&self, stream: &str) -> Option<usize> {
        self.0.iter().position(|payload| payload.stream == stream)
    }
}
