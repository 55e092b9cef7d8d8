//! The integration tests: what a user sees, from data files. One binary, because linking DataFusion
//! takes long.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

mod acceptance;
mod bin;
mod cli;
mod containers;
mod convert;
#[cfg(unix)]
mod docs;
mod envelopes;
mod formats;
mod guards;
mod lake;
mod lake_buckets;
mod lake_crash;
mod lake_damage;
mod lake_fixture;
mod lake_maintenance;
mod lake_sources;
mod lake_stores;
mod lake_twice;
mod library_pages;
mod memory;
mod packers;
mod queries;
mod real_logs;
mod rooms;
mod screens;
mod shell;
#[cfg(unix)]
mod signals;
mod slt;
mod stores;
