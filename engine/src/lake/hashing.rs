//! The SHA-256 of plain files, computed beside the threads that decode them: files in, their hashes
//! and the newlines of their ranges out.
//!
//! A hash has to go over the bytes in order, and the threads do not. So one more thread reads the
//! files once again, from the page cache.

use std::io::{self, Read, Seek, SeekFrom};

use crate::lake::source_plan::SourceWork;
use crate::scan::plan::Piece;
use crate::scan::shared::Newlines;
use crate::source::witness::SourceProgress;

/// The thread that reads plain local files in order.
pub(crate) struct Hashing<'h> {
    pub(crate) works: &'h [SourceWork],
    pub(crate) pieces: &'h [Piece],
    /// Of the pieces that are ranges: the thread that decodes one has to know its lines.
    pub(crate) newlines: &'h Newlines,
}

impl Hashing<'_> {
    /// The hashes of the files up to their last newline: what follows it may be an incomplete
    /// record.
    pub(crate) fn run(&self, stopped: impl Fn() -> bool) -> Vec<Option<SourceProgress>> {
        let mut hashed: Vec<Option<SourceProgress>> = Vec::with_capacity(self.works.len());
        let mut next = 0;
        for (object, work) in self.works.iter().enumerate() {
            let first = next;
            while self
                .pieces
                .get(next)
                .is_some_and(|piece| piece.object == object)
            {
                next += 1;
            }
            let plain = work
                .handle
                .held
                .as_ref()
                .filter(|_| work.witness().is_none());
            hashed.push(
                plain.and_then(|held| self.file(work, held.size, first..next, &stopped).ok()),
            );
            // Whatever happened, no thread waits for ever.
            (first..next).for_each(|piece| self.newlines.publish(piece, 0));
        }
        hashed
    }

    fn file(
        &self,
        work: &SourceWork,
        size: u64,
        pieces: std::ops::Range<usize>,
        stopped: &impl Fn() -> bool,
    ) -> io::Result<SourceProgress> {
        let mut progress = work.start.clone();
        let end = last_line(work, size)?.max(progress.bytes);
        for piece in pieces {
            let Some((_, to)) = self.pieces[piece].range else {
                continue;
            };
            let before = progress.newlines;
            hash(work, &mut progress, to.min(end), stopped)?;
            self.newlines.publish(piece, progress.newlines - before);
        }
        hash(work, &mut progress, end, stopped)?;
        Ok(progress)
    }
}

/// The byte after the last newline before `size`, if it is not far.
fn last_line(work: &SourceWork, size: u64) -> io::Result<u64> {
    const FAR: u64 = 64 << 10;
    let Some(held) = &work.handle.held else {
        return Ok(0);
    };
    let from = size.saturating_sub(FAR);
    let mut end = Vec::new();
    held.reader(from).take(size - from).read_to_end(&mut end)?;
    Ok(memchr::memrchr(b'\n', &end).map_or(from, |at| from + at as u64 + 1))
}

/// Hashes a file from where `progress` is to `end`.
fn hash(
    work: &SourceWork,
    progress: &mut SourceProgress,
    end: u64,
    stopped: impl Fn() -> bool,
) -> io::Result<()> {
    let Some(held) = &work.handle.held else {
        return Err(io::Error::other("no local file"));
    };
    let mut reader = held.reader(0);
    reader.seek(SeekFrom::Start(progress.bytes))?;
    let mut buffer = vec![0; 256 << 10];
    while progress.bytes < end {
        if stopped() {
            return Err(io::Error::other("stopped"));
        }
        let most = buffer
            .len()
            .min(usize::try_from(end - progress.bytes).unwrap_or(usize::MAX));
        let read = reader.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        progress.update(&buffer[..read]);
    }
    Ok(())
}

/// From the last newline on to what was read for good.
pub(crate) fn hash_to_end(
    work: &SourceWork,
    hashed: SourceProgress,
    tail: Option<u64>,
) -> io::Result<SourceProgress> {
    let end = tail.or(work.planned.object.size).unwrap_or(hashed.bytes);
    // An incomplete record may go over several lines.
    let mut progress = if end < hashed.bytes {
        work.start.clone()
    } else {
        hashed
    };
    hash(work, &mut progress, end, || false)?;
    Ok(progress)
}

/// A stream was hashed to its end: without the incomplete tail it has to be read once more.
pub(crate) fn rehashed_to_tail(
    work: &SourceWork,
    progress: SourceProgress,
    tail: Option<u64>,
) -> Option<SourceProgress> {
    let Some(tail) = tail else {
        return Some(progress);
    };
    let mut again = work.start.clone();
    let tail = tail.max(again.bytes);
    if tail == progress.bytes {
        return Some(progress);
    }
    work.read_again(again.bytes, tail, |bytes| again.update(bytes))
        .ok()?;
    (again.bytes == tail).then_some(again)
}
