//! Decompressed bytes in, chunks of whole records out, with bounded memory.
//!
//! A chunk ends where a record ends, so chunks can be decoded in any order by any thread. The
//! rules, which are the same for a whole file and for a range of it, so that the records do not
//! depend on how a file is split:
//!
//! - In a log of *values* ([`Boundary::Value`], the usual case: the first line begins with `{`) a
//!   record may go over several lines, but never past a line that begins with `{` or `[`: there a
//!   new record begins, whatever came before. So a broken record costs itself and nothing else,
//!   pretty-printed values work, and a range begins at the first such line in it.
//! - In a log of *lines* ([`Boundary::Line`]: text in front of the JSON) each line is a record.
//! - A file that begins with `[`, and a list longer than the longest record, is read as a *list*:
//!   its elements are the records.
//! - A record longer than the limit is rejected, and reading goes on at the next line.
//!
//! Not responsible for: what is in a record.

use std::io::{self, Read};

use datafusion::arrow::buffer::Buffer;
use serde::{Deserialize, Serialize};

use crate::account::{Reject, reason};
use crate::json::{Fault, ValueKind, container_end, members};

/// Where a record may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Boundary {
    /// At a line that begins with `{` or `[`.
    Value,
    /// At every line.
    Line,
}

/// How an object's records lie in it, seen from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    /// Bytes of a byte-order mark at the start.
    pub(crate) skip: u64,
    pub(crate) boundary: Boundary,
    /// Does it begin with `[`? Then it can only be read from its start.
    pub(crate) list: bool,
    /// May a record be spread over several lines that other records stand between? Then it can only
    /// be read from its start, too.
    pub(crate) parts: bool,
    /// Is there anything that looks like a record among the first bytes?
    pub(crate) json: bool,
}

impl Layout {
    /// Can it be read in ranges, each by another worker?
    pub(crate) const fn can_be_split(&self) -> bool {
        !self.list && !self.parts && self.json
    }

    /// How much of an object tells its layout.
    pub(crate) const HEAD: usize = 64 << 10;

    /// From the first bytes, at most [`Self::HEAD`] of them.
    pub(crate) fn of(head: &[u8]) -> Self {
        let skip = if head.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        let text = &head[skip..];
        let first = text
            .iter()
            .position(|byte| !byte.is_ascii_whitespace())
            .map_or(0, |at| text[at]);
        // A log that begins in the middle of a record is still a log of values.
        let values =
            matches!(first, b'{' | b'[' | 0) || memchr::memmem::find(text, b"\n{").is_some();
        let boundary = if values {
            Boundary::Value
        } else {
            Boundary::Line
        };
        let json = first == 0 || has_record(text);
        Self {
            skip: skip as u64,
            boundary,
            list: first == b'[',
            parts: comes_in_parts(text),
            json,
        }
    }
}

/// Is it what container runtimes write: lines of docker's `json-file`, or of the CRI, where a long
/// line becomes several?
fn comes_in_parts(text: &[u8]) -> bool {
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    let head = &line[..line.len().min(80)];
    let cri = [&b" stdout "[..], b" stderr "]
        .iter()
        .any(|stream| memchr::memmem::find(head, stream).is_some());
    // Docker writes just these members; what a shipper adds comes with whole records.
    let tail = &line[line.len().saturating_sub(160)..];
    let docker = line.starts_with(b"{\"log\":\"")
        && tail.trim_ascii_end().ends_with(b"\"}")
        && [&b"\"stream\":\"std"[..], b"\"time\":\""]
            .iter()
            .all(|name| memchr::memmem::find(tail, name).is_some())
        && memchr::memmem::find(tail, b"\"kubernetes\"").is_none();
    cri || docker
}

/// Does an object with a member begin anywhere in these bytes: `{"name":`? Binary files hold braces
/// and quotes by chance, but not this. Or is there a line of the legacy text format?
pub(crate) fn has_record(bytes: &[u8]) -> bool {
    if memchr::memmem::find(bytes, b" AUDIT: id=\"").is_some() {
        return true;
    }
    memchr::memchr_iter(b'{', bytes).any(|at| {
        let rest = bytes[at + 1..].trim_ascii_start();
        let Some(name) = rest.strip_prefix(b"\"") else {
            return false;
        };
        let Some(end) = name
            .iter()
            .take(200)
            .position(|byte| *byte == b'"' || *byte < 0x20)
        else {
            return false;
        };
        name[end] == b'"' && end > 0 && name[end + 1..].trim_ascii_start().first() == Some(&b':')
    })
}

/// Whole records: the bytes, and where they were.
pub(crate) struct Chunk {
    pub(crate) bytes: Buffer,
    /// Of the first byte, in the decompressed object.
    pub(crate) offset: u64,
    /// Newlines before the first byte, from the start of the object or range.
    pub(crate) newlines: u64,
    /// The elements of a list: a value may go over any lines.
    pub(crate) elements: bool,
    /// The `apiVersion` of the list that the elements are from.
    pub(crate) inherited: Option<String>,
    /// Do the object's bytes end with this chunk?
    pub(crate) last: bool,
    /// What could not become a record while the chunk was cut.
    pub(crate) rejects: Vec<Reject>,
}

/// Cuts a stream of bytes into chunks.
pub(crate) struct ChunkReader<R> {
    reader: R,
    /// Read and not yet handed out.
    buffer: Vec<u8>,
    /// Of the buffer's first byte.
    offset: u64,
    newlines: u64,
    count_newlines: bool,
    boundary: Boundary,
    mode: ChunkMode,
    /// Aim for chunks of this many bytes.
    target: usize,
    /// The longest record.
    limit: usize,
    /// A range's end: records that begin at or after it are the next range's.
    end: Option<u64>,
    eof: bool,
    rejects: Vec<Reject>,
    /// A buffer that came back.
    spare: Vec<u8>,
}

/// The longest envelope of many events, each of which has to be shorter than the longest record:
/// what one request to a cloud's or a log store's API gives.
pub(crate) const DOCUMENT: usize = 128 << 20;
/// Bytes more than are read: reading to the end of a full buffer would grow it.
const SLACK: usize = 64;

enum ChunkMode {
    /// The first record boundary is still to be found: a range that begins inside the file.
    Seek,
    Records,
    /// Before the bracket that a file begins with.
    Open,
    /// Inside a list; `object`: it is a member of an object whose other members follow.
    List {
        object: bool,
        inherited: Option<String>,
    },
    /// Inside a record that is too long, until the next newline.
    Skip,
    Done,
}

impl<R: Read> ChunkReader<R> {
    /// Reads an object from its start, the byte-order mark already skipped.
    pub(crate) fn new(reader: R, layout: Layout, target: usize, limit: usize) -> Self {
        let mode = if layout.list {
            ChunkMode::Open
        } else {
            ChunkMode::Records
        };
        Self {
            reader,
            buffer: Vec::new(),
            offset: layout.skip,
            newlines: 0,
            count_newlines: true,
            boundary: layout.boundary,
            mode,
            target,
            limit,
            end: None,
            eof: false,
            rejects: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Memory of an earlier reader, to read into: fresh memory costs more than reading.
    pub(crate) fn reuse(&mut self, mut memory: Vec<u8>) {
        memory.clear();
        if self.buffer.is_empty() && self.buffer.capacity() == 0 {
            self.buffer = memory;
        } else {
            self.spare = memory;
        }
        self.buffer.reserve(self.target + SLACK);
    }

    /// The memory, for the next reader.
    pub(crate) fn into_memory(self) -> [Vec<u8>; 2] {
        [self.buffer, self.spare]
    }

    /// Takes back the memory of a chunk that nobody needs any more.
    pub(crate) fn recycle(&mut self, chunk: Chunk) {
        if let Ok(mut bytes) = chunk.bytes.into_vec::<u8>() {
            bytes.clear();
            self.spare = bytes;
        }
    }

    /// Reads the records that begin in `[from, end)`. `reader` begins at `from`, or, if `from` is
    /// not the start of the object, one byte before it: a boundary is a newline and what follows
    /// it.
    pub(crate) fn range(
        reader: R,
        layout: Layout,
        target: usize,
        limit: usize,
        from: u64,
        end: u64,
    ) -> Self {
        let mut this = Self::new(reader, layout, target, limit);
        this.end = Some(end);
        this.count_newlines = false;
        if from > layout.skip {
            this.offset = from - 1;
            this.mode = ChunkMode::Seek;
        }
        this
    }

    /// Reads on from the byte `from`, where an earlier run stopped after a record; `reader` begins
    /// there. With an `end`, only the records that begin before it.
    pub(crate) fn resumed(
        reader: R,
        layout: Layout,
        target: usize,
        limit: usize,
        from: u64,
        end: Option<u64>,
    ) -> Self {
        let mut this = Self::new(reader, layout, target, limit);
        this.offset = from;
        this.end = end;
        this.mode = ChunkMode::Records;
        this
    }

    /// Whether to count the newlines before each chunk, from the reader's first byte on.
    pub(crate) const fn count_newlines(&mut self, count: bool) {
        self.count_newlines = count;
    }

    /// The next chunk; `None` at the end. After an error the stream is over.
    ///
    /// # Errors
    ///
    /// When the bytes cannot be read or decompressed; what was read before is handed out first.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        loop {
            let cut = match &self.mode {
                ChunkMode::Done => return Ok(self.leave()),
                ChunkMode::Seek => {
                    self.seek()?;
                    continue;
                }
                ChunkMode::Skip => {
                    self.skip()?;
                    continue;
                }
                ChunkMode::Open => {
                    self.fill(self.target)?;
                    let bracket = self
                        .buffer
                        .iter()
                        .position(|byte| *byte == b'[')
                        .map_or(self.buffer.len(), |at| at + 1);
                    self.drop_bytes(bracket);
                    self.mode = ChunkMode::List {
                        object: false,
                        inherited: None,
                    };
                    continue;
                }
                ChunkMode::Records => self.records()?,
                ChunkMode::List { .. } => self.list()?,
            };
            if let Some(cut) = cut {
                return Ok(Some(cut));
            }
        }
    }

    /// What is in the buffer although no more can be read: for after an error.
    pub(crate) fn rest(&mut self) -> Option<Chunk> {
        self.eof = true;
        self.mode = ChunkMode::Done;
        let length = self.buffer.len();
        (length > 0).then(|| self.cut(length, false))
    }

    /// Of the next byte to hand out.
    pub(crate) const fn position(&self) -> u64 {
        self.offset
    }

    /// The rejects that no chunk has taken with it yet.
    fn leave(&mut self) -> Option<Chunk> {
        (!self.rejects.is_empty()).then(|| self.cut(0, false))
    }

    /// Reads until the buffer holds `wanted` bytes or the stream ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.eof || self.buffer.len() >= wanted {
            return Ok(());
        }
        let missing = (wanted - self.buffer.len()) as u64;
        let read = self
            .reader
            .by_ref()
            .take(missing)
            .read_to_end(&mut self.buffer);
        // `read_to_end` keeps what it read before an error.
        self.eof = self.buffer.len() < wanted;
        read.map(|_| ())
    }

    /// Removes the first `length` bytes as a chunk.
    fn cut(&mut self, length: usize, elements: bool) -> Chunk {
        let mut rest = std::mem::take(&mut self.spare);
        rest.reserve(self.target.max(self.buffer.len() - length) + SLACK);
        rest.extend_from_slice(&self.buffer[length..]);
        self.buffer.truncate(length);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let inherited = match &self.mode {
            ChunkMode::List { inherited, .. } => inherited.clone(),
            _ => None,
        };
        let (offset, newlines) = (self.offset, self.newlines);
        self.advance(&bytes);
        Chunk {
            offset,
            newlines,
            elements,
            inherited,
            last: self.eof && self.buffer.is_empty(),
            rejects: std::mem::take(&mut self.rejects),
            bytes: Buffer::from_vec(bytes),
        }
    }

    /// Removes the first `length` bytes for good.
    fn drop_bytes(&mut self, length: usize) {
        let dropped: Vec<u8> = self.buffer.drain(..length).collect();
        self.advance(&dropped);
    }

    fn advance(&mut self, gone: &[u8]) {
        self.offset += gone.len() as u64;
        if self.count_newlines {
            self.newlines += memchr::memchr_iter(b'\n', gone).count() as u64;
        }
    }

    fn reject(&mut self, reason: &'static str, message: String, length: usize) {
        let record = &self.buffer[..length.min(self.buffer.len())];
        let line = self.count_newlines.then_some(self.newlines + 1);
        self.rejects
            .push(Reject::new(reason, message, self.offset, line, record));
    }

    /// The first position after `from` at which a record may begin.
    fn next_boundary(&self, from: usize) -> Option<usize> {
        next_boundary(&self.buffer, from, self.boundary)
    }

    fn last_boundary(&self) -> Option<usize> {
        let is_start = |at: &usize| match self.boundary {
            Boundary::Line => true,
            Boundary::Value => matches!(self.buffer.get(*at), Some(b'{' | b'[')),
        };
        memchr::memrchr_iter(b'\n', &self.buffer)
            .map(|at| at + 1)
            .find(is_start)
    }

    /// Finds a range's first record.
    fn seek(&mut self) -> io::Result<()> {
        self.fill(self.target.max(2))?;
        // A newline at the very end of the buffer cannot be judged without what follows it.
        match self.next_boundary(0) {
            Some(at) => {
                self.drop_bytes(at);
                self.mode = if self.ended(0) {
                    ChunkMode::Done
                } else {
                    ChunkMode::Records
                };
            }
            None if self.eof || self.ended(self.buffer.len()) => {
                self.buffer.clear();
                self.mode = ChunkMode::Done;
            }
            None => self.drop_bytes(self.buffer.len().saturating_sub(1)),
        }
        if matches!(self.mode, ChunkMode::Done) {
            self.buffer.clear();
        }
        Ok(())
    }

    /// Is the position `at` of the buffer at or past the range's end?
    fn ended(&self, at: usize) -> bool {
        self.end.is_some_and(|end| self.offset + at as u64 >= end)
    }

    fn records(&mut self) -> io::Result<Option<Chunk>> {
        let mut wanted = self.target;
        loop {
            if let Some(end) = self.end {
                // Enough to see the end of the range, and of the record that goes over it.
                wanted = wanted
                    .min(
                        usize::try_from(end.saturating_sub(self.offset))
                            .unwrap_or(usize::MAX)
                            .saturating_add(2),
                    )
                    .max(2);
            }
            self.fill(wanted.max(self.buffer.len()))?;
            if let Some(end) = self.end
                && self.offset + self.buffer.len() as u64 > end
            {
                // `end` itself may be a boundary: the newline is the byte before it.
                let from = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
                if let Some(at) = self.next_boundary(from.saturating_sub(1)) {
                    let chunk = self.cut(at, false);
                    self.mode = ChunkMode::Done;
                    self.buffer.clear();
                    return Ok(Some(chunk));
                }
            }
            if self.eof {
                self.mode = ChunkMode::Done;
                let length = self.buffer.len();
                return Ok((length > 0)
                    .then(|| self.cut(length, false))
                    .or_else(|| self.leave()));
            }
            if let Some(at) = self.last_boundary().filter(|&at| at > 0 && !self.ended(at)) {
                return Ok(Some(self.cut(at, false)));
            }
            if self.buffer.len() > self.limit
                && !(self.buffer.len() <= DOCUMENT && is_document(&self.buffer, self.limit))
            {
                return Ok(self.oversize());
            }
            wanted = self.more();
            // The range's end must not hold the buffer back any longer: the record goes over it.
            if self.ended(self.buffer.len().saturating_sub(2)) {
                self.fill(wanted)?;
            }
        }
    }

    /// How much to have in the buffer when what is there is no whole record: twice as much, but not
    /// far past the limit.
    fn more(&self) -> usize {
        let most = if self.buffer.len() > self.limit {
            DOCUMENT
        } else {
            self.limit
        };
        (self.buffer.len() * 2)
            .max(self.target)
            .min(self.target.max(most) + 2)
    }

    /// More than the limit is in the buffer, and no record boundary.
    fn oversize(&mut self) -> Option<Chunk> {
        // Several values on one line, as Firehose writes them: hand out the complete ones.
        let mut at = 0;
        while let Some(start) = self.buffer[at..]
            .iter()
            .position(|byte| !byte.is_ascii_whitespace() && *byte != b',')
            .map(|n| n + at)
        {
            match container_end(&self.buffer, start) {
                Some(Ok(end)) if end - start <= self.limit => at = end,
                _ => break,
            }
        }
        if at > 0 {
            return Some(self.cut(at, false));
        }
        if let Some((inside, inherited)) = list_start(&self.buffer) {
            self.drop_bytes(inside);
            self.mode = ChunkMode::List {
                object: true,
                inherited,
            };
            return None;
        }
        let start = self
            .buffer
            .iter()
            .position(|byte| !byte.is_ascii_whitespace())
            .unwrap_or(0);
        if self.buffer.get(start) == Some(&b'[') {
            self.drop_bytes(start + 1);
            self.mode = ChunkMode::List {
                object: false,
                inherited: None,
            };
            return None;
        }
        // No value, but lines: text that is no JSON. An indented value may begin among them, and
        // must not be cut.
        let first = self.buffer.iter().find(|byte| !byte.is_ascii_whitespace());
        if let Some(newline) = memchr::memrchr(b'\n', &self.buffer)
            && !matches!(first, Some(b'{' | b'['))
        {
            let begins_value = |at: &usize| {
                matches!(
                    self.buffer[at + 1..].trim_ascii_start().first(),
                    Some(b'{' | b'[')
                )
            };
            let end = memchr::memchr_iter(b'\n', &self.buffer)
                .find(begins_value)
                .unwrap_or(newline);
            return Some(self.cut(end + 1, false));
        }
        // The record begins after the blanks in front of it.
        self.drop_bytes(start);
        let message = format!(
            "the record is longer than {} bytes; --max-record raises the limit",
            self.limit
        );
        self.reject(reason::TOO_LARGE, message, self.buffer.len());
        self.mode = ChunkMode::Skip;
        None
    }

    /// Drops everything up to and with the next newline.
    fn skip(&mut self) -> io::Result<()> {
        self.fill(1)?;
        if let Some(newline) = memchr::memchr(b'\n', &self.buffer) {
            self.drop_bytes(newline + 1);
            // Past a range's end what follows is still this range's, up to the next boundary.
            self.fill(1)?;
            let at_boundary =
                self.boundary == Boundary::Line || matches!(self.buffer.first(), Some(b'{' | b'['));
            self.mode = if self.ended(0) && at_boundary {
                ChunkMode::Done
            } else {
                ChunkMode::Records
            };
            if matches!(self.mode, ChunkMode::Done) {
                self.buffer.clear();
            }
            return Ok(());
        }
        self.drop_bytes(self.buffer.len());
        if self.eof {
            self.mode = ChunkMode::Done;
            return Ok(());
        }
        self.fill(self.target)
    }

    /// A chunk of list elements.
    fn list(&mut self) -> io::Result<Option<Chunk>> {
        let mut wanted = self.target;
        loop {
            self.fill(wanted)?;
            let (at, stop) = scan_elements(&self.buffer, self.target.max(1), self.limit);
            match stop {
                ElementsEnd::Full => return Ok(Some(self.cut(at, true))),
                ElementsEnd::Closed => {
                    let chunk = self.cut(at, true);
                    self.close_list()?;
                    return Ok(Some(chunk));
                }
                ElementsEnd::TooLarge => {
                    let chunk = self.cut(at, true);
                    let message = format!(
                        "the record is longer than {} bytes; --max-record raises the limit",
                        self.limit
                    );
                    self.reject(reason::TOO_LARGE, message, self.buffer.len());
                    self.mode = ChunkMode::Skip;
                    return Ok(Some(chunk));
                }
                ElementsEnd::Open if at > 0 && !self.eof => return Ok(Some(self.cut(at, true))),
                ElementsEnd::Open if self.eof => {
                    let rest = self.buffer.len() - at;
                    let chunk = self.cut(at, true);
                    self.reject(
                        reason::TRUNCATED,
                        "the list is not closed: the file was cut".to_owned(),
                        rest,
                    );
                    self.buffer.clear();
                    self.mode = ChunkMode::Done;
                    return Ok(Some(chunk));
                }
                ElementsEnd::Open => wanted = self.more(),
                ElementsEnd::Broken => {
                    let chunk = self.cut(at, true);
                    let line = memchr::memchr(b'\n', &self.buffer).unwrap_or(self.buffer.len());
                    self.reject(reason::JSON, "brackets do not match".to_owned(), line);
                    self.mode = ChunkMode::Skip;
                    return Ok(Some(chunk));
                }
            }
        }
    }

    /// The buffer begins with the `]` that ends the list.
    fn close_list(&mut self) -> io::Result<()> {
        self.drop_bytes(1);
        let ChunkMode::List { object: true, .. } = self.mode else {
            self.mode = ChunkMode::Records;
            return Ok(());
        };
        // The other members of the object that held the list, up to its brace.
        loop {
            let tail = [b"{\"\":0", &self.buffer[..]].concat();
            match container_end(&tail, 0) {
                Some(Ok(end)) => {
                    self.drop_bytes(end - 5);
                    self.mode = ChunkMode::Records;
                    return Ok(());
                }
                Some(Err(Fault::Incomplete)) if !self.eof && self.buffer.len() < self.limit => {
                    self.fill(self.buffer.len() + self.target)?;
                }
                _ => {
                    let length = self.buffer.len();
                    self.reject(
                        reason::TRUNCATED,
                        "the object around a list is not closed".to_owned(),
                        length,
                    );
                    self.mode = ChunkMode::Skip;
                    return Ok(());
                }
            }
        }
    }
}

/// The first position after `from` at which a record may begin.
pub(crate) fn next_boundary(bytes: &[u8], from: usize, boundary: Boundary) -> Option<usize> {
    let is_start = |at: &usize| match boundary {
        Boundary::Line => true,
        Boundary::Value => matches!(bytes.get(*at), Some(b'{' | b'[')),
    };
    memchr::memchr_iter(b'\n', bytes.get(from..)?)
        .map(|at| from + at + 1)
        .find(is_start)
}

/// Does the buffer, which is longer than the longest record, begin with an object, not an event,
/// that goes on in a list of things? Only as many bytes as tell are looked at, so that the answer
/// does not depend on how many more there are.
pub(crate) fn is_document(buffer: &[u8], limit: usize) -> bool {
    let buffer = &buffer[..buffer.len().min(limit + 1)];
    let text = match std::str::from_utf8(buffer) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&buffer[..error.valid_up_to()]).unwrap_or_default(),
    };
    let mut rest = text.trim_start();
    // Loki's answer has its list two objects deep.
    for _ in 0..3 {
        let mut found = members(rest);
        if found.by_ref().any(|(name, _)| name.eq_str("auditID")) {
            return false;
        }
        let Some((name, at)) = found.unfinished() else {
            return false;
        };
        rest = rest[at..].trim_start();
        if rest.starts_with('[') {
            return !name.eq_str("items");
        }
    }
    false
}

/// Why a walk over list elements stopped.
enum ElementsEnd {
    /// Enough for a chunk.
    Full,
    /// At the closing bracket.
    Closed,
    /// The buffer ends, perhaps inside an element.
    Open,
    /// An element is no JSON.
    Broken,
    /// At an element that is longer than the limit, as far as it can be seen.
    TooLarge,
}

/// Walks over the elements at the start of `buffer`: the position after the last complete one and
/// what separates it from the next, and why it ends there. What it finds does not depend on how
/// much more than the limit is in the buffer.
fn scan_elements(buffer: &[u8], target: usize, limit: usize) -> (usize, ElementsEnd) {
    let mut position = 0;
    loop {
        let end = match buffer.get(position) {
            None => return (position, ElementsEnd::Open),
            Some(byte) if byte.is_ascii_whitespace() || *byte == b',' => {
                position += 1;
                continue;
            }
            Some(b']') => return (position, ElementsEnd::Closed),
            Some(b'{' | b'[') => match container_end(buffer, position) {
                Some(Ok(end)) => Some(end),
                Some(Err(Fault::Syntax { at: bad, .. })) if bad - position <= limit => {
                    return (position, ElementsEnd::Broken);
                }
                Some(Err(Fault::Syntax { .. })) => return (position, ElementsEnd::TooLarge),
                Some(Err(Fault::Incomplete)) | None => None,
            },
            // A scalar, or text that is no JSON: up to where the decoder ends it, too, so that no
            // cut falls inside.
            Some(_) => scalar_end(buffer, position),
        };
        if end.unwrap_or(buffer.len()) - position > limit {
            return (position, ElementsEnd::TooLarge);
        }
        let Some(end) = end else {
            return (position, ElementsEnd::Open);
        };
        position = end;
        if position >= target {
            return (position, ElementsEnd::Full);
        }
    }
}

/// The end of what stands at `from` between the elements of a list and is no object or list itself;
/// `None` if the buffer ends first.
pub(crate) fn scalar_end(buffer: &[u8], from: usize) -> Option<usize> {
    memchr::memchr3(b',', b']', b'\n', &buffer[from..]).map(|step| from + step)
}

/// The start of the elements of an object that holds a list of events, and its `apiVersion`, when
/// the buffer begins with one: an `EventList` longer than the longest record.
pub(crate) fn list_start(buffer: &[u8]) -> Option<(usize, Option<String>)> {
    let text = match std::str::from_utf8(buffer) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&buffer[..error.valid_up_to()]).ok()?,
    };
    let start = text.len() - text.trim_start().len();
    let mut version = None;
    let mut found = members(&text[start..]);
    for (name, value) in found.by_ref() {
        if name.eq_str("apiVersion") && value.kind == ValueKind::String {
            version = value.text().map(|text| text.decode().into_owned());
        }
    }
    // Iteration ended inside the list: its name was read, its value was not complete.
    let (name, at) = found.unfinished()?;
    let bracket = at + text[start + at..].find('[')?;
    (name.eq_str("items") && text[start + at..start + bracket].trim().is_empty())
        .then_some((start + bracket + 1, version))
}
