//! Text in another writing than lines of JSON in UTF-8: its bytes in; lines of JSON out.
//!
//! Recognised by content, as compression is. What comes out has a line for each line that goes in,
//! so that line numbers are those of the file. Offsets are those of what comes out, which is what
//! every reader of the object sees, a lake too.
//!
//! Not responsible for: what the records are (`format/`).

mod table;
mod wide;

use std::io::{self, Cursor, Read};

use serde::{Deserialize, Serialize};

use table::Delimiter;
use wide::Width;

/// Another writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Writing {
    /// UTF-16 or UTF-32.
    Wide(Width),
    /// Rows of text below a row of names.
    Table(Delimiter),
}

/// How many of the first bytes tell the writing.
pub(crate) const HEAD: usize = 64 << 10;

impl Writing {
    /// By the first bytes, at most [`HEAD`] of them.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        Width::of(head)
            .map(Self::Wide)
            .or_else(|| Delimiter::of(head).map(Self::Table))
    }

    /// For messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Wide(width) => width.name(),
            Self::Table(delimiter) => delimiter.name(),
        }
    }

    fn reader(self, reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        match self {
            Self::Wide(width) => Box::new(wide::WideReader::new(reader, width)),
            Self::Table(delimiter) => Box::new(table::TableReader::new(reader, delimiter)),
        }
    }
}

/// The text behind `reader` as lines of JSON in UTF-8, and what it was. A table may be in UTF-16.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub(crate) fn transcoded(
    mut reader: Box<dyn Read + Send>,
) -> io::Result<(Box<dyn Read + Send>, Option<Writing>)> {
    let mut outer = None;
    for _ in 0..2 {
        let mut head = Vec::new();
        let error = reader
            .by_ref()
            .take(HEAD as u64)
            .read_to_end(&mut head)
            .err();
        let writing = Writing::of(&head);
        let rest: Box<dyn Read + Send> = match error {
            // It comes again when the bytes are read: what lies before it is still read.
            Some(error) => Box::new(FailedRead(Some(error))),
            None => reader,
        };
        reader = Box::new(Cursor::new(head).chain(rest));
        let Some(writing) = writing else { break };
        outer = outer.or(Some(writing));
        reader = writing.reader(reader);
    }
    Ok((reader, outer))
}

/// A stream that fails with an error met before.
pub(crate) struct FailedRead(pub(crate) Option<io::Error>);

impl Read for FailedRead {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
