//! Events in, Arrow `RecordBatch`es out: only the columns asked for are built.
//!
//! [`BatchBuilder`] holds one builder a projected column; [`columns::COLUMNS`] says how each column
//! is filled from an event. Short text is copied; bodies, the bulk of a log, stay where they are:
//! their array points into the input chunk ([`BatchBuilder::chunk`]). Not responsible for: which
//! records are events (`event/`), filters (`table/`).

pub(crate) mod batch;
pub(crate) mod json;
pub(crate) mod parquet;
mod rejects;
mod row;
mod rules;

pub(crate) use batch::{BatchBuilder, map_entries};
pub(crate) use rejects::rejects_batch;
pub(crate) use row::{Row, RowOrigin};
pub(crate) use rules::{COLUMNS, EventPart, Fill, Rule, fill};
