//! What the commands and the shell share: the runtime they run on, a [`Session`] with the engine,
//! its answers written, its account told, and how a run ends.
//!
//! Not responsible for what is asked, nor for how rows look (`output/`).

mod account;
mod answer;
mod hint;
mod message;
mod progress;
mod runtime;
mod session;
mod skipped;
pub(crate) mod status;

pub(crate) use account::{AccountOfRun, conclude, tell};
pub(crate) use answer::{Ended, write_batch};
pub(crate) use message::{insist, note, say, stdout};
pub(crate) use runtime::{block_on, on_large_stack};
pub(crate) use session::{Question, Session, Shown};
