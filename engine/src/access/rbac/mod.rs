//! RBAC as a log sees it: rows of fixed statements in, the facts that the room `rbac` works on; its
//! answers in, rows out.
//!
//! - [`events`]: events as requests with decisions;
//! - [`writes`]: writes to roles and bindings, for their history;
//! - [`silence`]: what a log does not record, as far as that shows;
//! - [`usage`], [`unused`], [`suggestion`], [`changes`], [`decisions`]: answers as rows.

mod changes;
mod decisions;
mod events;
mod silence;
mod suggestion;
mod unused;
mod usage;
mod writes;

pub use changes::{denied_rows, path_text, risk_rows, what_if_rows};
pub use decisions::{
    Replay, ReplayDisagreement, ReplayTotals, cover_rows, replay_rows, who_can_rows,
};
pub use events::{ACCESS_EVENTS, AccessRows, access_events_by_time, access_events_of};
pub use silence::LogSilence;
pub use suggestion::{suggestion_diff_rows, suggestion_rows};
pub use unused::{
    NamedObject, UnusedFinding, binding_name, named_object, role_name, subject_name,
    unused_findings, unused_rows,
};
pub use usage::{Observable, UsageFold, folded_usage, usage_rows, usage_schema};
pub use writes::{RBAC_WRITES, rbac_changes};
