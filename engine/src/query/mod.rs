//! SQL or a saved query and its parameters in, a stream of results out.
//!
//! - [`saved`], [`need`], [`params`], [`columns`], [`message`]: the saved-query library;
//! - [`setting`]: what `SET` may change;
//! - [`split`]: statements, for shells and files;
//! - [`batch_rows`]: how many rows a query holds at a time.

mod account;
pub(crate) mod answer;
pub(crate) mod batch_rows;
pub(crate) mod columns;
mod framework;
mod level;
mod message;
mod need;
pub(crate) mod params;
mod saved;
pub(crate) mod setting;
mod split;

pub use account::Account;
pub use answer::Answer;
pub use framework::{Framework, FrameworkControl};
pub use level::AuditLevel;
pub use message::MessageTemplate;
pub use need::{NeededResource, NeededSender, NeededStage, QueryNeed};
pub use params::{Parameter, ParameterType};
pub use saved::{QueryColumns, SavedQuery, Severity};
pub use split::{is_complete, statements};
