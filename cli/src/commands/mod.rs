//! The commands, one file each: arguments and settings in, rows on stdout and an exit code out.
//!
//! Not responsible for what the shell also does: that is in `run/` and `listing/`.

mod check;
mod convert;
mod lake;
mod manual;
mod policy;
mod queries;
mod rbac;
mod run;
mod schema;
mod screen;
mod sql;

pub(crate) use check::check;
pub(crate) use convert::convert;
pub(crate) use lake::lake;
pub(crate) use manual::{completions, man};
pub(crate) use policy::policy;
pub(crate) use queries::queries;
pub(crate) use rbac::rbac;
pub(crate) use run::run;
pub(crate) use schema::{formats, schema};
pub(crate) use sql::sql;
