//! Cutting between records: what is in the buffer in, a chunk that ends where a record may begin
//! out.

use std::io::{self, Read};

use super::{Chunk, ChunkMode, ChunkReader, DOCUMENT, OpenList, too_long};
use crate::account::reason;
use crate::json::container_end;
use crate::source::elements::{is_document, list_start};

impl<R: Read> ChunkReader<R> {
    /// Finds a range's first record.
    pub(super) fn seek(&mut self) -> io::Result<()> {
        self.fill(self.target.max(2))?;
        match self.boundary.next(&self.buffer, 0) {
            Some(at) => {
                self.drop_bytes(at);
                self.mode = ChunkMode::Records;
            }
            None if self.eof || self.ended(self.buffer.len()) => self.finish(),
            // A newline at the very end of the buffer cannot be judged without what follows it.
            None => self.drop_bytes(self.buffer.len().saturating_sub(1)),
        }
        Ok(())
    }

    /// A chunk of records.
    pub(super) fn records(&mut self) -> io::Result<Option<Chunk>> {
        if self.line_start && self.ended(0) {
            self.fill(1)?;
            if self.boundary.is_at_start(&self.buffer) {
                self.finish();
                return Ok(self.leave());
            }
        }
        let mut wanted = self.target;
        loop {
            self.fill(self.up_to_the_end(wanted))?;
            let seen = &self.buffer[..self.buffer.len().min(self.window())];
            if let Some(end) = self.end
                && self.offset + seen.len() as u64 >= end
            {
                // `end` itself may be a boundary: the newline is the byte before it.
                let from = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
                if let Some(at) = self.boundary.next(seen, from.saturating_sub(1)) {
                    let chunk = self.cut(at, false);
                    self.finish();
                    return Ok(Some(chunk));
                }
            }
            let complete = seen.len() == self.window();
            if self.eof && !complete {
                self.mode = ChunkMode::Done;
                let length = self.buffer.len();
                return Ok((length > 0)
                    .then(|| self.cut(length, false))
                    .or_else(|| self.leave()));
            }
            if let Some(at) = self.boundary.last(seen) {
                return Ok(Some(self.cut(at, false)));
            }
            if complete {
                return if self.window() <= DOCUMENT && is_document(&self.buffer, self.limit) {
                    self.document()
                } else {
                    Ok(self.oversize())
                };
            }
            wanted = self.more();
        }
    }

    /// Not more than it takes to see the end of the range, if that is not in the buffer yet.
    fn up_to_the_end(&self, wanted: usize) -> usize {
        let Some(end) = self.end else { return wanted };
        let to_end = usize::try_from(end.saturating_sub(self.offset))
            .unwrap_or(usize::MAX)
            .saturating_add(2);
        if to_end > self.buffer.len() {
            wanted.min(to_end)
        } else {
            wanted
        }
    }

    /// A document, and what follows it up to the next record: a chunk of its own.
    fn document(&mut self) -> io::Result<Option<Chunk>> {
        let mut looked_at = self.window();
        loop {
            let seen = &self.buffer[..self.buffer.len().min(DOCUMENT + 1)];
            if let Some(at) = self.boundary.next(seen, looked_at - 1) {
                return Ok(Some(self.cut(at, false)));
            }
            if seen.len() > DOCUMENT {
                return Ok(self.skip_record());
            }
            if self.eof {
                self.mode = ChunkMode::Done;
                return Ok(Some(self.cut(self.buffer.len(), false)));
            }
            looked_at = seen.len();
            self.fill(looked_at + self.target)?;
        }
    }

    /// More than the limit is in the buffer, and no record boundary.
    fn oversize(&mut self) -> Option<Chunk> {
        let seen = &self.buffer[..self.window()];
        let values = self.whole_values(seen);
        if values > 0 {
            return Some(self.cut(values, false));
        }
        let start = seen
            .iter()
            .position(|byte| !byte.is_ascii_whitespace())
            .unwrap_or(0);
        let list = match seen[start] {
            b'[' => Some((start + 1, None, false)),
            _ => list_start(seen).map(|(inside, version)| (inside, version, true)),
        };
        if let Some((inside, inherited, object)) = list {
            let start = self.offset + start as u64;
            self.drop_bytes(inside);
            self.mode = ChunkMode::List(OpenList {
                start,
                object,
                bounded: true,
                inherited,
            });
            return None;
        }
        if let Some(end) = text_end(seen).filter(|_| seen[start] != b'{') {
            return Some(self.cut(end, false));
        }
        self.skip_record()
    }

    /// The end of the complete values that `seen` begins with. Firehose, for one, writes several on
    /// one line.
    fn whole_values(&self, seen: &[u8]) -> usize {
        let mut at = 0;
        while let Some(start) = seen[at..]
            .iter()
            .position(|byte| !byte.is_ascii_whitespace() && *byte != b',')
            .map(|step| at + step)
        {
            match container_end(seen, start) {
                Some(Ok(end)) if end - start <= self.limit => at = end,
                _ => break,
            }
        }
        at
    }

    /// Rejects the record that the buffer begins with and skips the rest of its line.
    fn skip_record(&mut self) -> Option<Chunk> {
        // It begins after the blanks in front of it.
        let start = self
            .buffer
            .iter()
            .position(|byte| !byte.is_ascii_whitespace())
            .unwrap_or(0);
        self.drop_bytes(start);
        self.reject(reason::TOO_LARGE, too_long(self.limit), self.buffer.len());
        self.mode = ChunkMode::Skip;
        None
    }

    /// Drops everything up to and including the next newline.
    pub(super) fn skip(&mut self) -> io::Result<()> {
        self.fill(self.target)?;
        match memchr::memchr(b'\n', &self.buffer) {
            Some(newline) => {
                self.drop_bytes(newline + 1);
                self.mode = ChunkMode::Records;
            }
            None => {
                self.drop_bytes(self.buffer.len());
                if self.eof {
                    self.mode = ChunkMode::Done;
                }
            }
        }
        Ok(())
    }
}

/// The end of the lines of text that `seen` begins with. An indented value may begin among them,
/// and must not be cut.
fn text_end(seen: &[u8]) -> Option<usize> {
    let begins_value =
        |at: &usize| matches!(seen[at + 1..].trim_ascii_start().first(), Some(b'{' | b'['));
    memchr::memchr_iter(b'\n', seen)
        .find(begins_value)
        .or_else(|| memchr::memrchr(b'\n', seen))
        .map(|newline| newline + 1)
}
