//! The terminal: which of the standard streams are one, and how wide it is.

use std::io::IsTerminal;

/// What a terminal is taken for that does not say.
const USUAL: usize = 80;
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
        let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        // A terminal that does not say how wide it is may be told by COLUMNS.
        let told = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
        let width = width.filter(|width| *width > 0).or_else(told);
        Some(width.unwrap_or(USUAL).max(NARROWEST))
    }
}
