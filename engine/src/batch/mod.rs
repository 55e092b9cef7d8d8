//! Events in, Arrow `RecordBatch`es out: only the columns asked for are built.
//!
//! [`BatchBuilder`] holds one builder a projected column; [`columns::COLUMNS`] says how each column
//! is filled from an event. Short text is copied; bodies, the bulk of a log, stay where they are:
//! their array points into the input chunk ([`BatchBuilder::chunk`]). Not responsible for: which
//! records are events (`event/`), filters (`table/`).

mod builder;
mod columns;
mod rejects;
mod row;

pub(crate) use builder::{BatchBuilder, map_entries};
pub(crate) use columns::{COLUMNS, Fill, Part, Rule, fill};
pub(crate) use rejects::rejects_batch;
pub(crate) use row::{Origin, Row};
