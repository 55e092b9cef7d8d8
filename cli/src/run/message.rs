//! Where text goes: data to stdout, messages to stderr.

use std::io::{self, BufWriter, Stdout, Write};

use crate::{
    settings::Settings,
    text::{redacted, sanitize},
};

/// Stdout, buffered; its errors say that they are about stdout.
pub(crate) struct BufferedStdout(BufWriter<Stdout>);

/// Stdout, for rows and listings.
pub(crate) fn stdout() -> BufferedStdout {
    BufferedStdout(BufWriter::with_capacity(1 << 16, io::stdout()))
}

fn about_stdout(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write to stdout: {error}"))
}

impl Write for BufferedStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(about_stdout)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(about_stdout)
    }
}

/// Says something on stderr, unless only errors are wanted.
pub(crate) fn say(settings: &Settings, text: &str) {
    if !settings.quiet {
        let _ = writeln!(std::io::stderr(), "{}", safe(text));
    }
}

/// As [`say`], also where only errors are wanted: without it an answer would be taken for another.
pub(crate) fn insist(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", safe(text));
}

/// As [`say`], in faint text: what a user may want to know and need not read.
pub(crate) fn note(settings: &Settings, text: &str) {
    let (faint, plain) = settings.color.faint();
    if !settings.quiet {
        let _ = writeln!(std::io::stderr(), "{faint}{}{plain}", safe(text));
    }
}

/// One line.
fn safe(text: &str) -> String {
    sanitize(&redacted(text), false).into_owned()
}
