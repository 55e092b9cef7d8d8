//! gzip members and text in one file, in any order: stored bytes in, text out.
//!
//! `cat audit-1.log audit-2.log.gz`, a rotation that compresses into the file that is still written,
//! and an upload that appends leave such files. A member begins where a line does; text is whatever
//! stands between two members and looks like text. Anything else there is an error, and not passed
//! over, but for the zeros that some tools pad with (as `gzip -d` allows).
//!
//! Not responsible for: gzip in gzip (`compress`).

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use memchr::memmem;

/// RFC 1952 §2.3.1. Text in UTF-8 never holds these bytes.
const GZIP: &[u8] = &[0x1f, 0x8b, 8];
const BUFFER: usize = 256 << 10;
/// So much of what follows a member says whether it is text.
const LOOKED_AT: usize = 512;

/// The text of a file of members and text.
pub(super) struct GzipMembers<R>(State<R>);

enum State<R> {
    Member(Box<GzDecoder<Buffered<R>>>),
    /// Text, and whether a line begins where it goes on.
    Text(Buffered<R>, bool),
    End,
}

impl<R: Read> GzipMembers<R> {
    /// Of a file that begins with a member.
    pub(super) fn gzip(reader: R) -> Self {
        Self(State::Member(Box::new(GzDecoder::new(Buffered::new(
            reader,
        )))))
    }

    /// Of a file that begins with text.
    pub(super) fn text(reader: R) -> Self {
        Self(State::Text(Buffered::new(reader), false))
    }
}

impl<R: Read> Read for GzipMembers<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.0 {
                State::End => return Ok(0),
                State::Member(decoder) => {
                    let read = decoder.read(out)?;
                    if read > 0 || out.is_empty() {
                        return Ok(read);
                    }
                }
                State::Text(source, begins_line) => {
                    let known = source.peek(GZIP.len())?;
                    if let Some(read) = text(known, *begins_line, out) {
                        *begins_line = read.checked_sub(1).is_none_or(|last| ends_line(out[last]));
                        source.consume(read);
                        if read == 0 && !out.is_empty() {
                            self.0 = State::End;
                        }
                        return Ok(read);
                    }
                }
            }
            // A member begins, or ended whole and with the right checksum.
            self.0 = match std::mem::replace(&mut self.0, State::End) {
                State::Member(decoder) => after_member(decoder.into_inner())?,
                State::Text(source, _) => State::Member(Box::new(GzDecoder::new(source))),
                State::End => State::End,
            };
        }
    }
}

/// Copies text up to the next member; `None` if one begins here.
fn text(known: &[u8], begins_line: bool, out: &mut [u8]) -> Option<usize> {
    let is_member = |at: usize| {
        let is_at_start = at
            .checked_sub(1)
            .map_or(begins_line, |before| ends_line(known[before]));
        // Reserved flags are zero.
        is_at_start
            && known
                .get(at + GZIP.len())
                .is_none_or(|flags| flags & 0xe0 == 0)
    };
    let next = memmem::find_iter(known, GZIP).find(|at| is_member(*at));
    if next == Some(0) {
        return None;
    }
    // The first bytes of a member may be the last that are known.
    let held_back = (1..GZIP.len())
        .rev()
        .find(|length| known.len() > *length && known.ends_with(&GZIP[..*length]))
        .unwrap_or(0);
    let end = next.unwrap_or(known.len() - held_back);
    let length = end.min(out.len());
    out[..length].copy_from_slice(&known[..length]);
    Some(length)
}

/// May a member begin behind this byte?
const fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'}' | b']' | 0)
}

fn after_member<R: Read>(mut source: Buffered<R>) -> io::Result<State<R>> {
    loop {
        let rest = source.fill_buf()?;
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        if rest.is_empty() {
            return Ok(State::End);
        }
        let all = zeros == rest.len();
        source.consume(zeros);
        if !all {
            break;
        }
    }
    let rest = source.peek(LOOKED_AT)?;
    if rest[0] == GZIP[0] {
        return Ok(State::Member(Box::new(GzDecoder::new(source))));
    }
    // Text begins with a whole character, and the next member may follow soon.
    let looked_at = &rest[..rest.len().min(LOOKED_AT)];
    let end = memmem::find(looked_at, GZIP).unwrap_or(looked_at.len());
    if rest[0] & 0xc0 != 0x80 && is_text(&looked_at[..end]) {
        return Ok(State::Text(source, true));
    }
    let message = "what follows a gzip member is neither gzip nor text";
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}

/// Does it look like text? It may begin and end inside a character.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b);
    if bytes.iter().any(is_control) {
        return false;
    }
    let cut = bytes
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0xc0 == 0x80);
    let start = cut.count();
    match std::str::from_utf8(&bytes[start..]) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

/// Is there a member behind text?
pub(crate) fn has_member(mut reader: impl Read) -> io::Result<bool> {
    let mut window = vec![0; BUFFER];
    let mut kept = 0;
    loop {
        let read = reader.read(&mut window[kept..])?;
        let known = &window[..kept + read];
        let begins = |at: usize| at > 0 && ends_line(known[at - 1]);
        if memmem::find_iter(known, GZIP).any(begins) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        let all = known.len();
        kept = all.min(GZIP.len());
        window.copy_within(all - kept..all, 0);
    }
}

/// A reader of which some bytes can be looked at before they are read.
struct Buffered<R> {
    reader: R,
    bytes: Vec<u8>,
    at: usize,
    end: usize,
}

impl<R: Read> Buffered<R> {
    fn new(reader: R) -> Self {
        Self {
            reader,
            bytes: vec![0; BUFFER],
            at: 0,
            end: 0,
        }
    }

    /// What is known, at least so many bytes unless there are fewer.
    fn peek(&mut self, least: usize) -> io::Result<&[u8]> {
        while self.end - self.at < least {
            self.bytes.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
            match self.reader.read(&mut self.bytes[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.bytes[self.at..self.end])
    }
}

impl<R: Read> Read for Buffered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let known = self.fill_buf()?;
        let read = known.len().min(out.len());
        out[..read].copy_from_slice(&known[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Buffered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, read: usize) {
        self.at += read;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    /// A reader that gives a few bytes at a time.
    struct Slow<'b>(&'b [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(out.len());
            out[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    proptest! {
        #[test]
        fn members_and_text_in_any_order(
            pieces in proptest::collection::vec((any::<bool>(), "[ -~é]{0,40}"), 1..6),
            step in 1..50_usize,
            size in 1..50_usize,
        ) {
            let (mut stored, mut expected) = (Vec::new(), Vec::new());
            for (is_packed, line) in &pieces {
                let line = format!("{line}\n");
                expected.extend_from_slice(line.as_bytes());
                if *is_packed {
                    stored.extend(packed(line.as_bytes()));
                } else {
                    stored.extend_from_slice(line.as_bytes());
                }
            }
            let source = Slow(&stored, step);
            let mut members = if pieces[0].0 { GzipMembers::gzip(source) } else { GzipMembers::text(source) };
            let mut got = Vec::new();
            let mut buffer = vec![0; size];
            loop {
                match members.read(&mut buffer).unwrap() {
                    0 => break,
                    read => got.extend_from_slice(&buffer[..read]),
                }
            }
            prop_assert_eq!(got, expected);
            let later = pieces[1..].iter().any(|(is_packed, _)| *is_packed);
            if !pieces[0].0 {
                prop_assert_eq!(has_member(&stored[..]).unwrap(), later);
            }
        }
    }

    #[test]
    fn what_is_neither_is_an_error_and_padding_is_not() {
        let read = |stored: Vec<u8>| {
            let mut text = Vec::new();
            let read = GzipMembers::gzip(&stored[..]).read_to_end(&mut text);
            read.map(|_| String::from_utf8(text).unwrap())
        };
        let with = |rest: &[u8]| [&packed(b"a\n")[..], rest].concat();
        assert_eq!(read(with(&[0; 600])).unwrap(), "a\n");
        assert_eq!(read(with(b"\0\0b\n")).unwrap(), "a\nb\n");
        assert!(read(with(&[1, 2, 3])).is_err());
        assert!(read(with(&[0x1f])).is_err());
        assert!(read(with(b"\x89PNG\r\n")).is_err());
    }

    #[test]
    fn text_may_be_cut_inside_a_character() {
        assert!(is_text("xé".as_bytes()) && is_text(&"éa".as_bytes()[1..]));
        assert!(is_text(&"aé".as_bytes()[..2]) && is_text(b""));
        assert!(!is_text(b"a\xe9b") && !is_text(&packed(b"some text")));
    }
}
