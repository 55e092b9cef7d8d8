//! The integration tests: what a user sees, from data files. One binary, because linking DataFusion takes long.

mod bin;
mod cli;
mod convert;
mod formats;
mod memory;
mod queries;
mod real_logs;
mod shell;
mod slt;
