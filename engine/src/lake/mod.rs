//! A lake: logs that were converted once, kept for years, and can be proved. Inputs in, committed
//! Parquet out, each record once.
//!
//! Three Delta tables in one folder or bucket: `events`, what could not be read (`rejects`), and
//! the evidence (`sources`).
//!
//! - [`root`]: where it is ([`folder`]: on this machine); [`delta`]: one table, its snapshot and
//!   its commits;
//! - [`source`]: what is known of sources; [`plan`]: what of an object is new; [`identity`]: which
//!   events are;
//! - [`batch`] with [`rows`], [`rejects`] and [`writer`]: sources → data files; [`convert`]: the
//!   transactions around it;
//! - [`evidence`]: the table `sources`; [`read`]: data files → a table of a query; [`input`]: a
//!   lake → the tables of an engine;
//! - [`optimize`], [`expire`] and [`vacuum`] with [`upkeep`]: a lake → one with fewer files, days,
//!   leftovers;
//! - [`command`]: what a user does with a lake, besides these its [`sources`] and its [`history`];
//!   [`verify`]: is it what they say?
//!
//! The promises, and where they are kept: rows, progress and evidence are one commit
//! (`convert.rs`); what is not committed nobody reads (`writer.rs`); a source is a content
//! (`source.rs`); an event is all that it says (`identity.rs`, `scan/seen.rs`).

mod batch;
mod command;
mod convert;
mod delta;
mod evidence;
mod expire;
mod folder;
mod hashing;
mod history;
mod identity;
mod input;
mod optimize;
mod plan;
mod read;
mod rejects;
mod root;
mod rows;
mod source;
mod sources;
mod upkeep;
mod vacuum;
mod verify;
mod writer;

pub(crate) use command::find;
pub use command::{LakeAnswer, LakeCommand, LakeOptions, lake};
pub(crate) use convert::{Conversion, convert};
pub use delta::AsOf;
pub(crate) use input::LakeInput;
pub(crate) use root::Root;
