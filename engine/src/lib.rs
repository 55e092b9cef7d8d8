//! The engine of auditql: bytes → records → events → batches → tables → answers.
//!
//! ```text
//! source/    a file, folder, glob or stdin → objects → decompressed bytes → chunks of whole records
//! format/    a record in a provider's envelope → audit.k8s.io/v1 events        ★ add a provider here
//! event/     an event's bytes → a borrowed Event
//! batch/     events → Arrow RecordBatches, only the columns asked for          ★ add a column here
//! scan/      a plan over objects → batches, and the account of every record
//! table/     scans and Parquet files → tables and views in the SQL catalogue
//! function/  SQL functions of our own                                          ★ add a function here
//! query/     SQL or a saved query, parameters → a stream of rows
//! convert/   batches → one Parquet file, or the original events again
//! lake/      new sources → transactions of a Delta Lake, each record once; its evidence and upkeep
//! ```
//!
//! Data flows down this list and never back. The engine never prints, exits, or reads arguments or
//! the environment.
//!
//! ```no_run
//! # async fn example() -> auditql_engine::Result<()> {
//! use auditql_engine::{Engine, Options};
//!
//! let engine = Engine::open(Options { inputs: vec!["audit.log".into()], ..Options::default() }).await?;
//! let rows = engine.sql("SELECT count(*) FROM events").await?.collect().await?;
//! assert_eq!(engine.report().total.read(), engine.report().total.events);
//! # Ok(())
//! # }
//! ```

mod account;
mod catalog;
mod column;
mod engine;
mod error;
mod event;
mod file;
mod format;
mod function;
mod json;
mod lake;
mod query;
mod record;
mod scan;
pub mod schema;
mod session;
mod source;
#[doc(hidden)]
pub mod stages;
mod time;

pub use account::{Counts, FileShare, InputReport, Reject, ScanReport, Tally};
pub use datafusion::{self, arrow};
pub use engine::{Engine, Options};
pub use error::{Error, ErrorKind, Hint, Result};
pub use file::Converted;
pub use file::kind::is_lake;
pub use format::{FormatInfo, formats};
pub use function::{FUNCTIONS, Function};
pub use lake::{
    AsOf, Expired, FindingStatus, History, Lake, LakeCommit, LakeFinding, LakeOptions, Optimized,
    PartitionUpkeep, SourceSummaries, SourceSummary, UpkeepOutcome, Vacuumed, VacuumedTable,
    Verified,
};
pub use query::{
    Account, Answer, AuditLevel, Parameter, ParameterType, SavedQuery, Severity, is_complete,
    statements,
};
pub use source::store::StoreSettings;
pub use time::{Clock, Window, format_time, parse_duration, parse_time};
