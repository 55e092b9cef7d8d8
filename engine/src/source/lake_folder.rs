//! A folder in, whether it is a lake out.
//!
//! A lake is known by the Delta log of its table of events. What is in it is `lake/`'s to say.

use std::path::Path;

/// The folder of a lake's events, and that of a table's Delta log.
pub(crate) const EVENTS: &str = "events";
pub(crate) const DELTA_LOG: &str = "_delta_log";

/// Is this folder a lake?
pub(crate) fn is_lake(folder: &Path) -> bool {
    folder.join(EVENTS).join(DELTA_LOG).is_dir()
}
