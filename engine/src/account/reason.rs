//! The reasons of rejects and skips, as they are shown and counted.
//!
//! Each is a few words that never change: scripts compare them. What else there is to say of a
//! record stands in the message of its [`Reject`](super::Reject).

/// The record is no JSON object, or its own members are malformed.
pub(crate) const JSON: &str = "invalid JSON";
/// The record is no UTF-8.
pub(crate) const UTF8: &str = "invalid UTF-8";
/// The record is longer than the limit.
pub(crate) const TOO_LARGE: &str = "too large";
/// A list or object around records does not end.
pub(crate) const TRUNCATED: &str = "truncated";
/// The bytes could not be read or decompressed.
pub(crate) const UNREADABLE: &str = "unreadable";
/// The record bears the marks of an audit event, and no format knows it.
pub(crate) const UNKNOWN_FORMAT: &str = "unknown format";
/// An input that the user named holds nothing that looks like JSON.
pub(crate) const NOT_A_LOG: &str = "not an audit log";

/// An object of a manifest that Kubernetes would not take.
pub(crate) const MANIFEST: &str = "invalid object";

/// Skipped: a Kubernetes object that says nothing of RBAC.
pub(crate) const OTHER_OBJECT: &str = "object of another kind";
/// Skipped: JSON, but no audit event.
pub(crate) const NOT_AN_EVENT: &str = "not an audit event";
/// Skipped: an object in a folder that holds nothing that looks like JSON.
pub(crate) const NO_LOG: &str = "not an audit log";
/// Skipped: what holds no bytes of its own: a link or a device in an archive.
pub(crate) const NOT_A_FILE: &str = "not a file";
/// Skipped: a link in a folder whose target does not exist.
pub(crate) const BROKEN_LINK: &str = "broken link";
/// Skipped: the unterminated, incomplete last record of a plain file is still being written.
pub(crate) const INCOMPLETE_TAIL: &str = "incomplete tail";
/// Skipped: the same event was read before.
pub(crate) const DUPLICATE: &str = "duplicate";
/// Skipped: the same event is in the lake that the run writes to.
pub(crate) const IN_THE_LAKE: &str = "already in the lake";
