//! Payloads that are spread over several records, while their last part is still to come.

use crate::account::Reject;
use crate::record::sink::RecordLocation;

/// The payloads whose last part is still to come.
#[derive(Default)]
pub(super) struct UnfinishedPayloads(pub(super) Vec<UnfinishedPayload>);

/// The parts of a payload so far.
pub(super) struct UnfinishedPayload {
    pub(super) stream: String,
    /// Where the first part lies.
    pub(super) location: RecordLocation,
    pub(super) bytes: Vec<u8>,
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

    pub(super) fn position(&self, stream: &str) -> Option<usize> {
        self.0.iter().position(|payload| payload.stream == stream)
    }
}
