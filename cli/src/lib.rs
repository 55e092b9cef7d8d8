//! The command line of auditql: arguments in; rows on stdout, everything else on stderr, an exit
//! code out.
//!
//! A thin layer over `auditql-engine`: it knows no log format and no SQL statement of its own.

mod args;
mod args_lake;
mod commands;
mod output;
mod progress;
mod shell;
mod status;
mod summary;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

/// The whole program; the binary is a call of this.
pub fn main() -> ExitCode {
    // A panic is reported as an error of the run; its backtrace helps nobody who runs this.
    std::panic::set_hook(Box::new(|_| {}));
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                status::ERROR
            } else {
                status::OK
            });
        }
    };
    let color = terminal::Color::detect(args.color);
    match std::panic::catch_unwind(|| commands::run(args)) {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => ExitCode::from(status::report(&error, color)),
        Err(_) => ExitCode::from(status::report(
            &anyhow::anyhow!("auditql failed inside; please report the command that did it"),
            color,
        )),
    }
}
