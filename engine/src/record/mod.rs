//! Chunks of whole records in; events, rejects and skips out, each with where it lies.
//!
//! - [`sink`]: what events and rejects are handed to;
//! - [`records`]: the state that the records of one object share;
//! - [`walk`]: over the records of a chunk, each of which is a [`value`], a [`list`] or [`text`];
//! - [`attempt`]: one try to read a record;
//! - [`unwrapping`], [`payload`], [`scope`], [`joining`] and [`parts`]: what is in envelopes, in
//!   envelopes inside them, and in payloads that are spread over several records;
//! - [`seen`]: which events came before;
//! - [`description`]: what a record looks like that is no event.
//!
//! Everything that has to be the same for every projection, thread and split is decided here and in
//! `source/chunk.rs`.
//!
//! Not responsible for: what a query wants. The verdict is the same for every question.

mod attempt;
mod description;
mod joining;
mod list;
mod mending;
mod parts;
mod payload;
pub(crate) mod records;
mod scope;
pub(crate) mod seen;
pub(crate) mod sink;
mod text;
mod unwrapping;
mod value;
mod walk;
