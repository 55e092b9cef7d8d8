//! Where text goes: data to stdout, messages to stderr.

use std::io::{BufWriter, Stdout, Write};

use crate::{settings::Settings, text::sanitize};

/// Stdout, buffered.
pub(crate) fn stdout() -> BufWriter<Stdout> {
    BufWriter::with_capacity(1 << 16, std::io::stdout())
}

/// Says something on stderr, unless only errors are wanted.
pub(crate) fn say(settings: &Settings, text: &str) {
    if !settings.quiet {
        let _ = writeln!(std::io::stderr(), "{}", sanitize(text, false));
    }
}

/// As [`say`], in faint text: what a user may want to know and need not read.
pub(crate) fn note(settings: &Settings, text: &str) {
    let (faint, plain) = settings.color.faint();
    if !settings.quiet {
        let _ = writeln!(std::io::stderr(), "{faint}{}{plain}", sanitize(text, false));
    }
}
