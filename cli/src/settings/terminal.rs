//! The terminal: which of the standard streams are one, and how wide it is.

use std::io::IsTerminal;

/// The narrowest terminal that output is fitted to.
const NARROWEST: usize = 20;

/// Which of the standard streams are a terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

impl Terminal {
    pub(crate) fn detect() -> Self {
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
        }
    }

    /// Columns of the terminal that stdout is; `None` for a file or a pipe. Asked anew for each
    /// answer, since windows are resized.
    pub(crate) fn width(self) -> Option<usize> {
        if !self.stdout {
            return None;
        }
        terminal_size::terminal_size().map(|(width, _)| usize::from(width.0).max(NARROWEST))
    }
}
