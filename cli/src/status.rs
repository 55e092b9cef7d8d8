//! Exit codes, and how an error is told.

use std::io::{ErrorKind, Write};

use crate::terminal::{Color, sanitize};

/// Fine.
pub(crate) const OK: u8 = 0;
/// Finished, and something was found that should not be so.
pub(crate) const FINDINGS: u8 = 1;
/// Something went wrong: usage, SQL, I/O.
pub(crate) const ERROR: u8 = 2;
/// Finished, but part of the input could not be read.
pub(crate) const PARTIAL: u8 = 3;
/// The user stopped it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Tells an error on stderr; its exit code. A reader of our output who has seen enough is no error.
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
    let _ = writeln!(
        std::io::stderr(),
        "{bold}error:{plain} {}",
        sanitize(&text, true)
    );
    ERROR
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    })
}
