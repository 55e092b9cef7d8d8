//! The terminal: is it one, how wide, may it be coloured; and text from a log made safe to show on
//! it.

use std::{borrow::Cow, io::IsTerminal};

use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether stderr is coloured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Color(bool);

impl Color {
    pub(crate) fn detect(when: When) -> Self {
        Self(match when {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                std::io::stderr().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        })
    }

    /// What to write before and after the word `error:`.
    pub(crate) const fn error(self) -> (&'static str, &'static str) {
        if self.0 {
            ("\x1b[1;31m", "\x1b[0m")
        } else {
            ("", "")
        }
    }

    /// What to write before and after something less important.
    pub(crate) const fn faint(self) -> (&'static str, &'static str) {
        if self.0 {
            ("\x1b[2m", "\x1b[0m")
        } else {
            ("", "")
        }
    }
}

/// Log text is hostile: control characters move the cursor, bidirectional ones change what is read.
/// They are shown as escapes; line ends and tabs too, unless `lines`.
pub(crate) fn sanitize(text: &str, lines: bool) -> Cow<'_, str> {
    let bad = |ch: char| match ch {
        '\n' | '\t' => !lines,
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => true,
        ch => ch.is_control() || ('\u{e0000}'..='\u{e007f}').contains(&ch),
    };
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for ch in text.chars() {
        if bad(ch) {
            safe.extend(ch.escape_default())
        } else {
            safe.push(ch)
        }
    }
    Cow::Owned(safe)
}

/// Columns of the terminal that stdout is; `None` when it is none.
pub(crate) fn width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0).max(20))
}
