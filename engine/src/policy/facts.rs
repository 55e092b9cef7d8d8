//! What is known of recorded events that are alike: the request behind them, stage, level, size by
//! part, and how many there are.
//!
//! Plain data, given by whoever reads the log. Not responsible for: sums (`simulate.rs`,
//! `suggest.rs`, `observe.rs`).

use std::ops::AddAssign;

use super::evaluate::PolicyDecision;
use super::model::{PolicyLevel, PolicyStage};
use super::request::{RequestAttributes, RequestedTarget};

/// A recorded event, or several that differ in nothing that a policy looks at.
#[derive(Debug, Clone, Copy)]
pub struct EventFacts<'a> {
    /// The request: the authenticated user, and the target of the URI.
    pub request: RequestAttributes<'a>,
    /// The stage.
    pub stage: PolicyStage,
    /// The level at which the event was recorded.
    pub level: PolicyLevel,
    /// How many such events there are.
    pub events: u64,
    /// Their size, summed.
    pub bytes: EventBytes,
    /// Whether the request was refused (401 or 403).
    pub refused: bool,
}

/// The size of an event in bytes, by part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventBytes {
    /// All but the bodies.
    pub metadata: u64,
    /// `requestObject` with its managed fields.
    pub request_object: u64,
    /// `responseObject` with its managed fields.
    pub response_object: u64,
    /// The managed fields within the two bodies; `None` if they were not measured.
    pub managed_fields: Option<(u64, u64)>,
}

impl EventBytes {
    /// The size at a level.
    pub fn at_level(&self, level: PolicyLevel, omit_managed_fields: bool) -> u64 {
        let (in_request, in_response) = match (omit_managed_fields, self.managed_fields) {
            (true, Some(measured)) => measured,
            _ => (0, 0),
        };
        let request = self.request_object.saturating_sub(in_request);
        let response = self.response_object.saturating_sub(in_response);
        match level {
            PolicyLevel::None => 0,
            PolicyLevel::Metadata => self.metadata,
            PolicyLevel::Request => self.metadata + request,
            PolicyLevel::RequestResponse => self.metadata + request + response,
        }
    }
}

impl EventFacts<'_> {
    /// What a decision leaves of the events.
    pub(super) fn recorded(&self, decision: &PolicyDecision) -> LogVolume {
        if !decision.records(self.stage) {
            return LogVolume::default();
        }
        LogVolume {
            events: self.events,
            bytes: self
                .bytes
                .at_level(decision.level, decision.omit_managed_fields),
        }
    }

    /// The events as they are.
    pub(super) fn volume(&self) -> LogVolume {
        LogVolume {
            events: self.events,
            bytes: self.bytes.at_level(PolicyLevel::RequestResponse, false),
        }
    }

    /// Whether a decision asks for bodies that the log was not made to hold.
    pub(super) fn lacks_bodies(&self, decision: &PolicyDecision) -> bool {
        matches!(self.request.target, RequestedTarget::Resource { .. })
            && decision.records(self.stage)
            && self.stage != PolicyStage::RequestReceived
            && decision.level >= PolicyLevel::Request
            && decision.level > self.level
    }
}

/// A number of events and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogVolume {
    /// Events.
    pub events: u64,
    /// Their bytes, uncompressed.
    pub bytes: u64,
}

impl AddAssign for LogVolume {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
    }
}

impl LogVolume {
    /// What is gone if this much was, and `left` is.
    pub(super) fn less(self, left: Self) -> Self {
        Self {
            events: self.events.saturating_sub(left.events),
            bytes: self.bytes.saturating_sub(left.bytes),
        }
    }
}
