//! SQL or a saved query and its parameters in, a stream of results out.
//!
//! - [`session`]: the one constructor of a session, for the command line, tests and whatever comes;
//! - [`engine`]: the engine that others embed: inputs, questions, the account;
//! - [`saved`], [`params`]: the saved-query library;
//! - [`split`]: statements, for shells and files.

mod engine;
mod params;
mod saved;
pub(crate) mod session;
mod split;

pub use engine::{Answer, Engine, Options};
pub use params::{Parameter, ParameterType, parse_duration, parse_time};
pub use saved::{Level, SavedQuery, Severity};
pub use split::{is_complete, statements};
