//! UTF-16 and UTF-32 in, UTF-8 out.
//!
//! Windows PowerShell's `>` writes UTF-16 with a byte-order mark. Without one, zeros between the
//! letters tell. Source: The Unicode Standard, §23.8; about_Redirection of PowerShell 5.1.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

/// How many bytes a unit of text has, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Width {
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

impl Width {
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        Some(match head {
            [0xff, 0xfe, 0, 0, ..] => Self::Utf32Le,
            [0, 0, 0xfe, 0xff, ..] => Self::Utf32Be,
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            [a, 0, 0, 0, b, 0, 0, 0, ..] if is_text(*a) && is_text(*b) => Self::Utf32Le,
            [0, 0, 0, a, 0, 0, 0, b, ..] if is_text(*a) && is_text(*b) => Self::Utf32Be,
            [a, 0, b, 0, c, 0, ..] if [a, b, c].into_iter().all(|byte| is_text(*byte)) => {
                Self::Utf16Le
            }
            [0, a, 0, b, 0, c, ..] if [a, b, c].into_iter().all(|byte| is_text(*byte)) => {
                Self::Utf16Be
            }
            _ => return None,
        })
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Utf32Le | Self::Utf32Be => "UTF-32",
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::Utf16Le | Self::Utf16Be => 2,
            Self::Utf32Le | Self::Utf32Be => 4,
        }
    }

    fn unit(self, bytes: &[u8]) -> u32 {
        match (self, bytes) {
            (Self::Utf16Le, [a, b, ..]) => u32::from(u16::from_le_bytes([*a, *b])),
            (Self::Utf16Be, [a, b, ..]) => u32::from(u16::from_be_bytes([*a, *b])),
            (Self::Utf32Le, [a, b, c, d, ..]) => u32::from_le_bytes([*a, *b, *c, *d]),
            (Self::Utf32Be, [a, b, c, d, ..]) => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => u32::from(char::REPLACEMENT_CHARACTER),
        }
    }
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}

/// Reads wide text as UTF-8.
pub(super) struct WideReader<R> {
    reader: R,
    width: Width,
    raw: Vec<u8>,
    /// Read and not yet handed out.
    text: Vec<u8>,
    at: usize,
    /// The first half of a surrogate pair.
    high: Option<u32>,
    started: bool,
}

impl<R: Read> WideReader<R> {
    pub(super) fn new(reader: R, width: Width) -> Self {
        Self {
            reader,
            width,
            raw: Vec::new(),
            text: Vec::new(),
            at: 0,
            high: None,
            started: false,
        }
    }

    /// More text; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        const BUFFER: u64 = 64 << 10;
        let before = self.raw.len();
        let read = self.reader.by_ref().take(BUFFER).read_to_end(&mut self.raw);
        let more = self.raw.len() > before;
        if !more {
            read?;
        }
        self.text.clear();
        self.at = 0;
        let raw = std::mem::take(&mut self.raw);
        let units = raw.chunks_exact(self.width.bytes());
        self.raw = units.remainder().to_vec();
        for bytes in units {
            self.push(self.width.unit(bytes));
        }
        if !more && (!self.raw.is_empty() || self.high.is_some()) {
            self.raw.clear();
            self.high = None;
            self.write(char::REPLACEMENT_CHARACTER);
        }
        Ok(more || !self.text.is_empty())
    }

    fn push(&mut self, unit: u32) {
        let pair = self.high.take();
        let low = (0xdc00..0xe000).contains(&unit);
        match pair {
            Some(high) if low => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
                return self.write(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(_) => self.write(char::REPLACEMENT_CHARACTER),
            None => {}
        }
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
        } else if std::mem::replace(&mut self.started, true) || unit != 0xfeff {
            self.write(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }

    fn write(&mut self, letter: char) {
        let mut utf8 = [0; 4];
        self.text
            .extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
    }
}

impl<R: Read> Read for WideReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if buffer.is_empty() || !self.fill()? {
                return Ok(0);
            }
        }
        let some = (self.text.len() - self.at).min(buffer.len());
        buffer[..some].copy_from_slice(&self.text[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_is_the_same_text() {
        let text = "{\"a\":\"\u{e9}\u{1f600}\"}\r\n".repeat(20_000);
        let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        let utf32 = |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
            text.chars().map(u32::from).flat_map(bytes).collect()
        };
        for (mark, bytes) in [
            (&[0xff, 0xfe][..], utf16(u16::to_le_bytes)),
            (&[0xfe, 0xff], utf16(u16::to_be_bytes)),
            (&[0xff, 0xfe, 0, 0], utf32(u32::to_le_bytes)),
            (&[0, 0, 0xfe, 0xff], utf32(u32::to_be_bytes)),
        ] {
            for start in [mark, b""] {
                let wide = [start, &bytes].concat();
                let width = Width::of(&wide).unwrap();
                let mut out = String::new();
                WideReader::new(&wide[..], width)
                    .read_to_string(&mut out)
                    .unwrap();
                assert_eq!(out, text, "{width:?}");
            }
        }
    }

    #[test]
    fn what_is_cut_is_replaced() {
        let mut out = String::new();
        WideReader::new(&b"\xff\xfea\0\x3d\xd8b"[..], Width::Utf16Le)
            .read_to_string(&mut out)
            .unwrap();
        assert_eq!(out, "a\u{fffd}");
    }
}
