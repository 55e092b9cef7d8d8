//! Where the chunks of a piece come from, and where their memory goes back to.

use std::io::{self, Read};
use std::sync::mpsc;

use crate::source::{Chunk, ChunkReader};

/// Where chunks come from, and where their memory goes back to.
pub(super) trait ChunkSource {
    fn next(&mut self) -> io::Result<Option<Chunk>>;
    fn recycle(&mut self, chunk: Chunk);
}

impl<R: Read> ChunkSource for ChunkReader<R> {
    fn next(&mut self) -> io::Result<Option<Chunk>> {
        self.next_chunk()
    }

    fn recycle(&mut self, chunk: Chunk) {
        ChunkReader::recycle(self, chunk);
    }
}

/// The chunks of a reader on another thread.
pub(super) struct ReceivedChunks(pub(super) mpsc::Receiver<Chunk>);

impl ChunkSource for ReceivedChunks {
    fn next(&mut self) -> io::Result<Option<Chunk>> {
        Ok(self.0.recv().ok())
    }

    fn recycle(&mut self, _: Chunk) {}
}

/// The chunks of a stream up to an error; what was read before the error is a chunk too.
pub(super) struct ChunksToError<R> {
    pub(super) reader: ChunkReader<R>,
    pub(super) failed: Option<(io::Error, u64)>,
}

impl<R: Read> ChunksToError<R> {
    pub(super) fn advance(&mut self) -> Option<Chunk> {
        if self.failed.is_some() {
            return None;
        }
        self.reader.next_chunk().unwrap_or_else(|error| {
            let rest = self.reader.rest();
            self.failed = Some((error, self.reader.position()));
            rest
        })
    }
}

impl<R: Read> ChunkSource for ChunksToError<R> {
    fn next(&mut self) -> io::Result<Option<Chunk>> {
        Ok(self.advance())
    }

    fn recycle(&mut self, chunk: Chunk) {
        self.reader.recycle(chunk);
    }
}
