//! The characters of a YAML stream: bytes in, characters with look-ahead and line and column out.
//!
//! Bytes are decoded a block at a time, as go-yaml does, so that a broken second document is not
//! noticed. Not responsible for: what the characters mean (`scanner.rs`).

use super::value::SyntaxProblem;

/// How many bytes go-yaml decodes at once.
const BLOCK: usize = 512;

/// Where a character stands; lines and columns count from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct YamlMark {
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum YamlEncoding {
    Utf8,
    Utf16 { little: bool },
}

/// A stream of characters. Past the end every character is NUL, which cannot occur in YAML.
pub(super) struct Characters<'a> {
    bytes: &'a [u8],
    /// Where the next block begins.
    undecoded: usize,
    encoding: YamlEncoding,
    decoded: Vec<char>,
    mark: YamlMark,
}

impl<'a> Characters<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (encoding, undecoded) = match bytes {
            [0xef, 0xbb, 0xbf, ..] => (YamlEncoding::Utf8, 3),
            [0xff, 0xfe, ..] => (YamlEncoding::Utf16 { little: true }, 2),
            [0xfe, 0xff, ..] => (YamlEncoding::Utf16 { little: false }, 2),
            _ => (YamlEncoding::Utf8, 0),
        };
        Self {
            bytes,
            undecoded,
            encoding,
            decoded: Vec::new(),
            mark: YamlMark::default(),
        }
    }

    pub(super) fn mark(&self) -> YamlMark {
        self.mark
    }

    /// Whether a byte order mark follows the one that gives the encoding, or stands without it.
    pub(super) fn begins_with_mark(&mut self) -> Result<bool, SyntaxProblem> {
        self.peek()?;
        Ok(self.decoded.first() == Some(&'\u{feff}'))
    }

    /// Moves the mark behind the last line for the end of the stream.
    pub(super) fn end_line(&mut self) {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
    }

    pub(super) fn peek(&mut self) -> Result<char, SyntaxProblem> {
        self.ahead(0)
    }

    /// The character `distance` places on.
    pub(super) fn ahead(&mut self, distance: usize) -> Result<char, SyntaxProblem> {
        let wanted = self.mark.index + distance;
        while self.decoded.len() <= wanted && self.undecoded < self.bytes.len() {
            self.decode_block()?;
        }
        Ok(self.decoded.get(wanted).copied().unwrap_or('\0'))
    }

    /// Passes a character that does not end a line.
    pub(super) fn skip(&mut self) {
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Takes a character that does not end a line.
    pub(super) fn read(&mut self, text: &mut String) -> Result<(), SyntaxProblem> {
        text.push(self.peek()?);
        self.skip();
        Ok(())
    }

    /// Passes a line break, of two characters if it is CR LF; nothing if there is none.
    pub(super) fn read_break(&mut self, text: &mut String) -> Result<(), SyntaxProblem> {
        let first = self.peek()?;
        let length = match first {
            '\r' if self.ahead(1)? == '\n' => 2,
            _ if is_break(first) => 1,
            _ => return Ok(()),
        };
        text.push(match first {
            '\u{2028}' | '\u{2029}' => first,
            _ => '\n',
        });
        self.mark.index += length;
        self.mark.column = 0;
        self.mark.line += 1;
        Ok(())
    }

    pub(super) fn skip_break(&mut self) -> Result<(), SyntaxProblem> {
        self.read_break(&mut String::new())
    }

    pub(super) fn skip_blanks(&mut self) -> Result<(), SyntaxProblem> {
        while is_blank(self.peek()?) {
            self.skip();
        }
        Ok(())
    }

    /// Passes a comment up to the line break behind it; nothing if there is none.
    pub(super) fn skip_comment(&mut self) -> Result<(), SyntaxProblem> {
        if self.peek()? == '#' {
            while !is_break_or_end(self.peek()?) {
                self.skip();
            }
        }
        Ok(())
    }

    /// Whether `---` or `...` stands alone at the beginning of a line.
    pub(super) fn at_document_indicator(&mut self) -> Result<Option<char>, SyntaxProblem> {
        let first = self.peek()?;
        let found = self.mark.column == 0
            && matches!(first, '-' | '.')
            && self.ahead(1)? == first
            && self.ahead(2)? == first
            && is_blank_or_end(self.ahead(3)?);
        Ok(found.then_some(first))
    }

    fn decode_block(&mut self) -> Result<(), SyntaxProblem> {
        // The first block holds the byte order mark.
        let end = match self.decoded.is_empty() {
            true => BLOCK.max(self.undecoded + 4),
            false => self.undecoded + BLOCK,
        };
        let end = end.min(self.bytes.len());
        let before = self.undecoded;
        while self.undecoded < end {
            let rest = self.bytes.get(self.undecoded..end).unwrap_or_default();
            let Some((found, width)) = self.decode_one(rest, end == self.bytes.len())? else {
                break;
            };
            self.check_allowed(found)?;
            self.decoded.push(found);
            self.undecoded += width;
        }
        match self.undecoded == before {
            true => Err(self.problem("incomplete character")),
            false => Ok(()),
        }
    }

    fn problem(&self, message: &str) -> SyntaxProblem {
        let breaks = self.decoded.iter().filter(|found| **found == '\n').count();
        SyntaxProblem::new(1 + breaks, message)
    }

    /// A character and its width, or `None` if it goes on in the next block.
    fn decode_one(&self, bytes: &[u8], last: bool) -> Result<Option<(char, usize)>, SyntaxProblem> {
        let found = match self.encoding {
            YamlEncoding::Utf8 => decode_utf8(bytes),
            YamlEncoding::Utf16 { little } => decode_utf16(bytes, little),
        };
        match found {
            Decoded::Character(found, width) => Ok(Some((found, width))),
            Decoded::Incomplete if !last => Ok(None),
            Decoded::Incomplete => Err(self.problem("incomplete character at the end")),
            Decoded::Invalid if self.encoding == YamlEncoding::Utf8 => {
                Err(self.problem("the document is not valid UTF-8"))
            }
            Decoded::Invalid => Err(self.problem("the document is not valid UTF-16")),
        }
    }

    fn check_allowed(&self, found: char) -> Result<(), SyntaxProblem> {
        match found {
            '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => {
                Ok(())
            }
            _ => Err(self.problem("control characters are not allowed")),
        }
    }
}

enum Decoded {
    Character(char, usize),
    Incomplete,
    Invalid,
}

fn decode_utf8(bytes: &[u8]) -> Decoded {
    let width = match bytes.first() {
        None => return Decoded::Incomplete,
        Some(0..=0x7f) => 1,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) => return Decoded::Invalid,
    };
    let Some(character) = bytes.get(..width) else {
        return Decoded::Incomplete;
    };
    let decoded = std::str::from_utf8(character).ok();
    match decoded.and_then(|text| text.chars().next()) {
        Some(found) => Decoded::Character(found, width),
        None => Decoded::Invalid,
    }
}

fn decode_utf16(bytes: &[u8], little: bool) -> Decoded {
    let unit = |at: usize| {
        let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(match little {
            true => u16::from_le_bytes(pair),
            false => u16::from_be_bytes(pair),
        })
    };
    let Some(first) = unit(0) else {
        return Decoded::Incomplete;
    };
    let (units, width) = match first {
        0xd800..=0xdbff => match unit(2) {
            Some(second) => (vec![first, second], 4),
            None => return Decoded::Incomplete,
        },
        _ => (vec![first], 2),
    };
    match char::decode_utf16(units).next() {
        Some(Ok(found)) => Decoded::Character(found, width),
        _ => Decoded::Invalid,
    }
}

pub(super) fn is_blank(found: char) -> bool {
    matches!(found, ' ' | '\t')
}

pub(super) fn is_break(found: char) -> bool {
    matches!(found, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_break_or_end(found: char) -> bool {
    found == '\0' || is_break(found)
}

pub(super) fn is_blank_or_end(found: char) -> bool {
    is_blank(found) || is_break_or_end(found)
}

/// What anchors, directives and tag handles consist of.
pub(super) fn is_word(found: char) -> bool {
    found.is_ascii_alphanumeric() || matches!(found, '_' | '-')
}
