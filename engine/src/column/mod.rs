//! Events in; Arrow batches, encoded Parquet row groups, and the events again out.
//!
//! [`fill`] takes the value of each column from a [`Row`]; what else there is to know of a column
//! stands in `schemas/tables/events.toml`. [`BatchBuilder`] builds only the columns that a query
//! asks for, [`parquet`] encodes all of them without Arrow arrays in between, and [`json`] turns
//! rows back into events. Not responsible for: which records are events (`event/`), the files that
//! row groups go into (`file/`).

pub(crate) mod batch;
pub(crate) mod cells;
pub(crate) mod json;
pub(crate) mod parquet;
pub(crate) mod rbac;
mod rejects;
mod row;
mod rules;

pub(crate) use batch::{BatchBuilder, map_entries};
pub(crate) use rejects::rejects_batch;
pub(crate) use row::{Row, RowOrigin};
pub(crate) use rules::{Fill, fill};
