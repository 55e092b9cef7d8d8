//! How a run ends: exit codes, and errors on stderr.

use std::io::{ErrorKind, Write};

use super::hint;
use crate::{settings::Color, text::sanitize};

/// Success.
pub(crate) const OK: u8 = 0;
/// Success, with findings.
pub(crate) const FINDINGS: u8 = 1;
/// Failure: usage, SQL, I/O.
pub(crate) const ERROR: u8 = 2;
/// Success, but part of the input could not be read.
pub(crate) const PARTIAL: u8 = 3;
/// Stopped by the user.
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
    // The sources of our errors are in their messages already.
    let mut text = error.to_string();
    if error.downcast_ref::<auditql_engine::Error>().is_none() {
        for cause in error.chain().skip(1) {
            text.push_str(&format!(": {cause}"));
        }
    }
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "{bold}error:{plain} {}", sanitize(&text, true));
    let hint = error
        .downcast_ref::<auditql_engine::Error>()
        .and_then(|error| hint::words(error.hint()?));
    if let Some(hint) = hint {
        let _ = writeln!(err, "{bold}hint:{plain} {}", sanitize(&hint, true));
    }
    ERROR
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    })
}
