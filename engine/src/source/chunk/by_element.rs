//! Cutting between the elements of a list that is longer than a record, or that a file begins with:
//! what is in the buffer in, a chunk of whole elements out.

use std::io::{self, Read};

use super::{Chunk, ChunkMode, ChunkReader, OpenList, too_long};
use crate::account::reason;
use crate::json::{Fault, container_end};
use crate::source::elements::{ElementsEnd, scan_elements};

impl<R: Read> ChunkReader<R> {
    /// Steps over the bracket that a file begins with.
    pub(super) fn open_list(&mut self) -> io::Result<()> {
        self.fill(self.target)?;
        let start = self.offset;
        let bracket = self.buffer.iter().position(|byte| *byte == b'[');
        self.drop_bytes(bracket.map_or(self.buffer.len(), |at| at + 1));
        if bracket.is_some() || self.eof {
            self.mode = ChunkMode::List(OpenList {
                start,
                object: false,
                bounded: false,
                inherited: None,
            });
        }
        Ok(())
    }

    /// A chunk of list elements.
    pub(super) fn list(&mut self) -> io::Result<Option<Chunk>> {
        let mut wanted = self.target;
        loop {
            self.fill(wanted)?;
            let bound = self.list_bound();
            let seen = &self.buffer[..bound.unwrap_or(self.buffer.len())];
            let (at, stop) = scan_elements(seen, self.target, self.limit);
            let rest = seen.len() - at;
            if matches!(stop, ElementsEnd::Open) && bound.is_none() && !self.eof {
                if at > 0 {
                    return Ok(Some(self.cut(at, true)));
                }
                wanted = self.more();
                continue;
            }
            let chunk = self.cut(at, true);
            match stop {
                ElementsEnd::Full => {}
                ElementsEnd::Closed => self.close_list()?,
                ElementsEnd::TooLarge => {
                    self.reject(reason::TOO_LARGE, too_long(self.limit), rest);
                    self.mode = ChunkMode::Skip;
                }
                ElementsEnd::Broken => {
                    let line = memchr::memchr(b'\n', &self.buffer).unwrap_or(self.buffer.len());
                    self.reject(reason::JSON, "brackets do not match".to_owned(), line);
                    self.mode = ChunkMode::Skip;
                }
                ElementsEnd::Open if bound.is_some() => {
                    let message = "the list is not closed before the next record begins".to_owned();
                    self.reject(reason::TRUNCATED, message, rest);
                    self.drop_bytes(rest);
                    self.mode = ChunkMode::Records;
                }
                ElementsEnd::Open => {
                    let message = "the list is not closed: the file was cut".to_owned();
                    self.list_is_cut();
                    self.reject(reason::TRUNCATED, message, rest);
                    self.finish();
                }
            }
            return Ok(Some(chunk));
        }
    }

    /// Where the next record begins, if that ends the list and is in the buffer.
    fn list_bound(&self) -> Option<usize> {
        match &self.mode {
            ChunkMode::List(list) if list.bounded => {
                if self.line_start && self.boundary.is_at_start(&self.buffer) {
                    Some(0)
                } else {
                    self.boundary.next(&self.buffer, 0)
                }
            }
            _ => None,
        }
    }

    /// The object ends inside the list: to find its other elements one has to begin with it again.
    const fn list_is_cut(&mut self) {
        if let ChunkMode::List(list) = &self.mode {
            self.cut_from = Some(list.start);
        }
    }

    /// The buffer begins with the `]` that ends the list.
    fn close_list(&mut self) -> io::Result<()> {
        self.drop_bytes(1);
        if !matches!(&self.mode, ChunkMode::List(list) if list.object) {
            self.mode = ChunkMode::Records;
            return Ok(());
        }
        // The other members of the object that held the list, up to its brace.
        loop {
            let bound = self.list_bound();
            let seen = &self.buffer[..bound.unwrap_or(self.buffer.len()).min(self.limit)];
            let length = seen.len();
            let tail = [b"{\"\":0", seen].concat();
            match container_end(&tail, 0) {
                Some(Ok(end)) => {
                    self.drop_bytes(end - 5);
                    self.mode = ChunkMode::Records;
                    return Ok(());
                }
                Some(Err(Fault::Incomplete))
                    if bound.is_none() && !self.eof && length < self.limit =>
                {
                    self.fill((length + self.target).min(self.limit))?;
                }
                _ => {
                    let message = "the object around a list is not closed".to_owned();
                    if bound.is_none() && self.eof {
                        self.list_is_cut();
                    }
                    self.reject(reason::TRUNCATED, message, length);
                    self.mode = ChunkMode::Skip;
                    return Ok(());
                }
            }
        }
    }
}
