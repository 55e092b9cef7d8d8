//! Decompressed bytes in, chunks of whole records out, with bounded memory.
//!
//! A chunk ends where a record ends, so chunks can be decoded in any order by any thread. Where a
//! record begins and ends depends on the bytes and the longest record only, never on the size of
//! chunks or on how a file is split into ranges:
//!
//! - In a log of *values* ([`Boundary::Value`], the usual case: the first line begins with `{`) a
//!   record may span several lines, but never reaches past a line that begins with `{` or `[`. A
//!   new record begins there, whatever came before. So a broken record costs itself and nothing
//!   else, pretty-printed values work, and a range begins at the first such line in it.
//! - In a log of *lines* ([`Boundary::Line`]: text precedes the JSON) each line is a record.
//! - A file that begins with `[`, and a list longer than the longest record, is read as a *list*:
//!   its elements are the records. Inside a file, a list ends at the next line that begins a
//!   record.
//! - A record longer than the limit is rejected, and reading goes on at the next line. A chunk is
//!   hardly longer than a record may be, so that it is nearly always this module, and never the size
//!   of a chunk, that decides what is too long. A *document*, an envelope of many events, may be
//!   longer, and is a chunk of its own.
//!
//! [`by_record`] cuts between records, [`by_element`] between the elements of a list.
//!
//! Not responsible for: what is in a record (`record/`, `format/`).

mod by_element;
mod by_record;

use std::io::{self, Read};

use datafusion::arrow::buffer::Buffer;

use crate::account::Reject;
use crate::source::layout::{Boundary, Layout};

/// Whole records: the bytes, and where they were.
pub(crate) struct Chunk {
    pub(crate) bytes: Buffer,
    /// Of the first byte, in the decompressed object.
    pub(crate) offset: u64,
    /// Newlines before the first byte, from the start of the object or range.
    pub(crate) newlines: u64,
    /// Are these the elements of a list? Then a value may span any lines.
    pub(crate) elements: bool,
    /// The `apiVersion` of the list that the elements are from.
    pub(crate) inherited: Option<String>,
    /// Do the object's bytes end with this chunk?
    pub(crate) last: bool,
    /// What could not become a record while the chunk was cut.
    pub(crate) rejects: Vec<Reject>,
    /// Where the list or record begins that the object's end cuts. Rejects from here on are about
    /// it.
    pub(crate) cut_from: Option<u64>,
}

/// Cuts a stream of bytes into chunks.
pub(crate) struct ChunkReader<R> {
    reader: R,
    /// Read and not yet handed out.
    buffer: Vec<u8>,
    /// Of the buffer's first byte.
    offset: u64,
    /// Does the buffer begin with a line?
    line_start: bool,
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
    cut_from: Option<u64>,
    /// A buffer that came back.
    spare: Vec<u8>,
}

/// The longest document: what one request to a cloud's or a log store's API returns. Each of its
/// events has to be as short as any record.
pub(crate) const DOCUMENT: usize = 128 << 20;
/// Bytes more than are read: reading to the end of a full buffer would grow it.
const SLACK: usize = 64;

enum ChunkMode {
    /// The first record boundary is still to be found: a range that begins inside the file.
    Seek,
    Records,
    /// Before the bracket that a file begins with.
    Open,
    List(OpenList),
    /// Inside a record that is too long, until the next newline.
    Skip,
    Done,
}

/// The list whose elements are read.
struct OpenList {
    /// Where it begins, or the object that it is a member of.
    start: u64,
    /// Is it a member of an object whose other members follow?
    object: bool,
    /// Does it end at the next line that begins a record? Only the list that a file begins with
    /// does not, since such a file is never split.
    bounded: bool,
    inherited: Option<String>,
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
            line_start: false,
            newlines: 0,
            count_newlines: true,
            boundary: layout.boundary,
            mode,
            target: target.min(limit).max(1),
            limit,
            end: None,
            eof: false,
            rejects: Vec::new(),
            cut_from: None,
            spare: Vec::new(),
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

    /// Gives the reader memory of an earlier one: fresh memory costs more than reading.
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

    /// Takes back the memory of a chunk that is no longer needed.
    pub(crate) fn recycle(&mut self, chunk: Chunk) {
        if let Ok(mut bytes) = chunk.bytes.into_vec::<u8>() {
            bytes.clear();
            self.spare = bytes;
        }
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
            let chunk = match &self.mode {
                ChunkMode::Done => return Ok(self.leave()),
                ChunkMode::Seek => {
                    self.seek()?;
                    None
                }
                ChunkMode::Skip => {
                    self.skip()?;
                    None
                }
                ChunkMode::Open => {
                    self.open_list()?;
                    None
                }
                ChunkMode::Records => self.records()?,
                ChunkMode::List(_) => self.list()?,
            };
            if chunk.is_some() {
                return Ok(chunk);
            }
        }
    }

    /// After an error: what is in the buffer although no more can be read.
    pub(crate) fn rest(&mut self) -> Option<Chunk> {
        self.eof = true;
        self.mode = ChunkMode::Done;
        let length = self.buffer.len();
        (length > 0).then(|| self.cut(length, false))
    }

    /// The position of the next byte to hand out.
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
            ChunkMode::List(list) => list.inherited.clone(),
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
            cut_from: self.cut_from,
            bytes: Buffer::from_vec(bytes),
        }
    }

    /// Removes the first `length` bytes for good.
    fn drop_bytes(&mut self, length: usize) {
        let mut bytes = std::mem::take(&mut self.buffer);
        self.advance(&bytes[..length]);
        bytes.drain(..length);
        self.buffer = bytes;
    }

    fn advance(&mut self, gone: &[u8]) {
        let Some(last) = gone.last() else { return };
        self.line_start = *last == b'\n';
        self.offset += gone.len() as u64;
        if self.count_newlines {
            self.newlines += memchr::memchr_iter(b'\n', gone).count() as u64;
        }
    }

    /// Ends the stream: what is in the buffer belongs to another range.
    fn finish(&mut self) {
        self.mode = ChunkMode::Done;
        self.buffer.clear();
    }

    /// Counts what the buffer begins with, `length` bytes, as a reject.
    fn reject(&mut self, reason: &'static str, message: String, length: usize) {
        let record = &self.buffer[..length.min(self.buffer.len())];
        let line = self.count_newlines.then_some(self.newlines + 1);
        self.rejects
            .push(Reject::new(reason, message, self.offset, line, record));
    }

    /// Is the position `at` of the buffer at or past the range's end?
    fn ended(&self, at: usize) -> bool {
        self.end.is_some_and(|end| self.offset + at as u64 >= end)
    }

    /// How many bytes tell whether a record is longer than the limit: it, the newline behind it,
    /// and the first byte of the next line.
    const fn window(&self) -> usize {
        self.limit + 2
    }

    /// How many bytes to have in the buffer when what is there is not enough: twice as many.
    fn more(&self) -> usize {
        (self.buffer.len() * 2).max(self.target).min(self.window())
    }
}

/// The message of a reject that is longer than the limit.
pub(crate) fn too_long(limit: usize) -> String {
    format!("the record is longer than the limit of {limit} bytes")
}
