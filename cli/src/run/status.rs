//! How a run ends: exit codes, errors on stderr, and what clap has to say.

use std::io::{ErrorKind, Write};

use super::{hint, message::stdout};
use crate::{
    settings::{Color, Terminal},
    text,
};

/// Success.
pub(crate) const OK: u8 = 0;
/// Success, with findings.
pub(crate) const FINDINGS: u8 = 1;
/// Failure: usage, SQL, I/O.
pub(crate) const ERROR: u8 = 2;
/// Success, but part of the input could not be read.
pub(crate) const PARTIAL: u8 = 3;
/// Stopped by a signal; the program ends with that signal's code.
pub(crate) const INTERRUPTED: u8 = 130;

/// Prints an error on stderr; the exit code it means. A reader that closes our output early, such as
/// `head`, is not an error.
pub(crate) fn report(error: &anyhow::Error, color: Color) -> u8 {
    if is_broken_pipe(error) {
        return OK;
    }
    let interrupted = error
        .downcast_ref::<auditql_engine::Error>()
        .is_some_and(|error| matches!(error.kind(), auditql_engine::ErrorKind::Interrupted));
    if interrupted {
        return INTERRUPTED;
    }
    let (bold, plain) = color.error();
    let said = words(error);
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "{bold}error:{plain} {}", text::message(&said));
    let hint = error
        .downcast_ref::<auditql_engine::Error>()
        .and_then(|error| hint::words(error.hint()?));
    if let Some(hint) = hint {
        let _ = writeln!(err, "{bold}hint:{plain} {}", text::message(&hint));
    }
    ERROR
}

/// What an error says.
pub(crate) fn words(error: &anyhow::Error) -> String {
    // The sources of our errors are in their messages already.
    let mut said = error.to_string();
    if error.downcast_ref::<auditql_engine::Error>().is_none() {
        for cause in error.chain().skip(1) {
            said.push_str(&format!(": {cause}"));
        }
    }
    text::redacted(&said).into_owned()
}

/// Prints what clap has to say: help and the version on stdout, errors on stderr; the exit code it
/// means.
pub(crate) fn print(message: &clap::Error) -> u8 {
    if message.use_stderr() {
        let plain = message.render().to_string();
        let safe = text::redacted(&plain);
        let _ = if safe == plain {
            message.print()
        } else {
            write!(std::io::stderr(), "{safe}")
        };
        return ERROR;
    }
    // What clap prints itself knows the colours of a terminal, and no errors.
    let printed = if Terminal::detect().stdout {
        message.print()
    } else {
        let mut out = stdout();
        write!(out, "{}", message.render()).and_then(|()| out.flush())
    };
    printed.map_or_else(|error| report(&error.into(), Color::OFF), |()| OK)
}

/// Has the reader of our output closed it early, as `head` does?
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    })
}
