//! A lake: logs that were converted once, kept for years, and can be proved. Inputs in, committed
//! Parquet out, each record once.
//!
//! Three Delta tables in one folder or bucket: `events`, what could not be read (`rejects`), and
//! the evidence (`sources`).
//!
//! - [`opened`]: what a user does with a lake besides filling and querying it;
//! - [`root`]: where it is ([`folder`]: on this machine); [`delta`]: one table, its snapshot and
//!   its commits;
//! - [`source`]: what is known of sources; [`source_plan`]: what of an object is new; [`identity`]:
//!   which events are;
//! - [`transaction`] with [`day_groups`] and [`hashing`]: sources → data files and evidence;
//!   [`writer`] and [`reject_file`] write the files, to where [`file_target`] says, with what
//!   [`file_statistics`] knows of them; [`convert`]: the commits around it;
//! - [`evidence`]: the table `sources`; [`read`]: data files → a table of a query, by
//!   [`store_file`]; [`input`]: a lake → the tables of an engine;
//! - [`optimize`], [`expire`] and [`vacuum`] with [`upkeep`]: a lake → one with fewer files, days,
//!   leftovers;
//! - [`source_summary`] and [`history`]: what was read, and when; [`verify`]: is the lake what they
//!   say?
//!
//! The promises, and where they are kept: rows, progress and evidence are one commit
//! (`convert/commit.rs`); what is not committed is never read (`file_target.rs`); a source is a
//! content (`source.rs`); an event is all that it says (`identity.rs`, `record/seen.rs`).

mod checked_read;
mod checksum;
mod convert;
mod day_groups;
mod delta;
mod evidence;
mod expire;
mod file_statistics;
mod file_target;
mod folder;
mod hashing;
mod history;
mod identity;
mod input;
mod layout;
mod opened;
mod optimize;
mod read;
mod reject_file;
mod root;
mod source;
mod source_plan;
mod source_summary;
mod store_file;
mod transaction;
mod upkeep;
mod vacuum;
mod verify;
mod writer;

pub(crate) use convert::{Conversion, convert};
pub use delta::AsOf;
pub use expire::Expired;
pub use history::{History, LakeCommit};
pub(crate) use input::LakeInput;
pub(crate) use opened::check;
pub use opened::{Lake, LakeOptions};
pub use optimize::Optimized;
pub(crate) use root::LakeRoot;
pub use source_summary::{SourceSummaries, SourceSummary};
pub use upkeep::{PartitionUpkeep, UpkeepOutcome};
pub use vacuum::{Vacuumed, VacuumedTable};
pub use verify::{FindingStatus, LakeFinding, Verified};
