//! The audit level that a saved query asks for.

use serde::Deserialize;

/// The audit level that a query needs to see what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[non_exhaustive]
pub enum AuditLevel {
    /// Who, what, when.
    Metadata,
    /// With the request body.
    Request,
    /// With both bodies.
    RequestResponse,
}

impl AuditLevel {
    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }
}
