//! What was read: the words of an account, the tally of one object, the account of one scan, and
//! the ledger of one answer.
//!
//! `read = events + rejects + skipped`, always, whatever a query asks for. Not responsible for:
//! what decides between the three (`record/`).

mod files;
mod ledger;
mod passed_over;
pub(crate) mod reason;
mod reject;
mod report;
mod scan;
mod tally;

pub use files::FileShare;
pub(crate) use ledger::Ledger;
pub use passed_over::{PassedOver, PassedOverKind};
pub use reject::Reject;
pub use report::{InputReport, ScanReport};
pub(crate) use scan::ScanAccount;
pub use tally::{Counts, Tally};
