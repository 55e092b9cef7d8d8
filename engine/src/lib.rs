//! The engine of auditql: bytes → records → events → batches → tables → answers.
//!
//! Its folders and files are rooms, and a room imports only from those before it:
//!
//! ```text
//! error, time, schema   the words that everybody uses
//! json, temporary       raw JSON → borrowed slices; private temporary files
//! request               a URI, and a method or verb → what a request is about
//! policy                an audit policy and requests → what the apiserver would record
//! rbac                  RBAC objects and requests → who may what, who used what
//! account               what was read: rejects, tallies, the ledger of an answer
//! event                 an event's bytes → a borrowed Event
//! format                a provider's envelope → audit.k8s.io/v1 events           ★ add a provider
//! source                files, stores, stdin → decompressed bytes → chunks of whole records
//! record                chunks → events, rejects and skips
//! objects               files of Kubernetes objects → the RBAC of a cluster
//! column                events → Arrow batches, Parquet row groups, JSON again   ★ add a column
//! scan                  a plan, which is data → one pool of workers → batches
//! function              SQL functions of our own                                 ★ add a function
//! lookup                lists of the library and of the user → tables and matchers
//! session, file         a DataFusion session; one file, whole or absent
//! lake                  new sources → transactions of a Delta Lake, each record once
//! catalog               scans, files, lakes → tables and views in SQL            ★ add a table
//! query                 saved queries, parameters, an Answer and its Account
//! access                events → facts for policies and RBAC, and their answers
//! check                 plans → the lines behind rows; rows → findings
//! engine                what others embed
//! ```
//!
//! The engine never prints, exits, or reads arguments or the environment.
//!
//! ```no_run
//! # async fn example() -> auditql_engine::Result<()> {
//! use auditql_engine::{Engine, Options};
//!
//! let inputs = vec!["audit.log".into()];
//! let engine = Engine::open(Options { inputs, ..Options::default() }).await?;
//! let answer = engine.sql("SELECT count(*) FROM events").await?;
//! let account = answer.account().clone();
//! let rows = answer.collect().await?;
//! assert_eq!(account.report().total.read(), account.report().total.events);
//! # Ok(())
//! # }
//! ```

pub mod access;
mod account;
mod catalog;
mod check;
mod column;
mod engine;
mod error;
mod event;
mod file;
mod format;
mod function;
mod json;
mod lake;
mod lookup;
mod objects;
pub mod policy;
mod query;
pub mod rbac;
mod record;
pub mod request;
mod scan;
pub mod schema;
mod session;
mod source;
#[doc(hidden)]
pub mod stages;
mod temporary;
mod time;

pub use account::{
    Counts, FileShare, InputReport, PassedOver, PassedOverKind, Reject, ScanReport, Tally,
};
pub use check::{CheckReport, CheckStatus, EvidenceLine, Finding, FindingRow, QueryOutcome};
pub use datafusion::{self, arrow};
pub use engine::{Baseline, Engine, Options};
pub use error::redact::redacted_text;
pub use error::{Error, ErrorKind, Hint, Result};
pub use file::Converted;
pub use file::atomic::AtomicFile;
pub use file::guard::is_same_file;
pub use file::kind::is_lake;
pub use format::{FormatInfo, formats};
pub use function::{FUNCTIONS, Function};
pub use lake::{
    AsOf, Expired, FindingStatus, History, Lake, LakeCommit, LakeFinding, LakeOptions, Optimized,
    PartitionUpkeep, SourceSummaries, SourceSummary, UpkeepOutcome, Vacuumed, VacuumedTable,
    Verified,
};
pub use lookup::{GivenTable, LookupColumn, LookupDefinition, LookupType};
pub use query::{
    Account, Answer, AuditLevel, Framework, FrameworkControl, MessageTemplate, NeededResource,
    NeededSender, NeededStage, Parameter, ParameterType, QueryColumns, QueryNeed, SavedQuery,
    Severity, is_complete, statements,
};
pub use source::store::StoreSettings;
pub use temporary::remove_temporary_files;
pub use time::{Clock, Window, format_time, parse_duration, parse_time};
