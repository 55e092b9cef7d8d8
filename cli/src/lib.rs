//! The command line of auditql: arguments in; rows on stdout, everything else on stderr, an exit
//! code out.
//!
//! A thin layer over `auditql-engine`: it knows no log format and no SQL statement of its own. Its
//! rooms, each of which imports only from those above it:
//!
//! ```text
//! text/      text made safe to show, numbers, "did you mean"
//! output/    rows → a table, CSV, JSON, …                                ★ add an output here
//! args/      words → a command and its flags                             ★ add a flag here
//! settings/  flags, environment, terminal, clock → Settings, once
//! run/       the engine opened, answers written, the account, how a run ends
//! listing/   tables, queries and formats, listed or found by name
//! commands/  one file a command                                          ★ add a command here
//! shell/     the interactive shell                                       ★ add a shell command here
//! ```
//!
//! `commands/` and `shell/` do not import each other.

mod args;
mod commands;
mod listing;
mod output;
mod run;
mod settings;
mod shell;
mod text;

use std::process::ExitCode;

use anyhow::Result;

use args::Command;
use run::{block_on, status};
use settings::{Interrupt, Settings};

/// The whole program; the binary only calls this.
pub fn main() -> ExitCode {
    let interrupt = Interrupt::listen();
    // A panic is reported as an error of the run; a backtrace does not help the user.
    std::panic::set_hook(Box::new(|_| {}));
    let code = match Settings::read(interrupt.clone()) {
        Ok((command, settings)) => {
            let color = settings.color;
            run::on_large_stack(move || dispatch(&command, &settings))
                .unwrap_or_else(|error| status::report(&error, color))
        }
        Err(message) => status::print(&message),
    };
    // Work that was told to stop, and has not yet, may hold them.
    auditql_engine::remove_temporary_files();
    ExitCode::from(match interrupt.received() {
        Some(signal) if code != status::OK => signal.exit_code(),
        _ => code,
    })
}

fn dispatch(command: &Command, settings: &Settings) -> Result<u8> {
    for folder in &settings.library {
        auditql_engine::SavedQuery::add_library(folder)?;
    }
    match command {
        Command::Shell(_) => block_on(settings, shell::run(settings)),
        Command::Sql(args) => block_on(settings, commands::sql(args, settings)),
        Command::Run(args) => block_on(settings, commands::run(args, settings)),
        Command::Check(args) => block_on(settings, commands::check(args, settings)),
        Command::Convert(args) => block_on(settings, commands::convert(args, settings)),
        Command::Lake(args) => block_on(settings, commands::lake(args, settings)),
        Command::Policy(args) => block_on(settings, commands::policy(args, settings)),
        Command::Rbac(args) => block_on(settings, commands::rbac(args, settings)),
        Command::Queries(args) => commands::queries(args, settings),
        Command::Schema(args) => commands::schema(args, settings),
        Command::Formats(_) => commands::formats(settings),
        Command::Completions(args) => commands::completions(args),
        Command::Man => commands::man(),
    }
}
