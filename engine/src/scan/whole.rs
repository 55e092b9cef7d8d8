//! Reading a whole object: stored bytes in, decompressed chunks out; and where chunks come from.

use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::sync::mpsc;

use super::chunks::{ChunksToError, ReceivedChunks};
use super::job::Collector;
use super::open::OpenObject;
use super::piece::PieceReading;
use crate::account::{Reject, reason};
use crate::format::bears_marks;
use crate::record::records::Records;
use crate::source::foreign;
use crate::source::layout::has_record;
use crate::source::object::Location;
use crate::source::transcode::FailedRead;
use crate::source::{ChunkReader, Compression, Layout, compress};

/// The longest an object may be to be decompressed on the thread that decodes it.
const SMALL: u64 = 256 << 10;

impl<C: Collector> PieceReading<'_, C> {
    /// An object from its start, or from where an earlier run stopped.
    pub(super) fn read_whole(&mut self) -> io::Result<ControlFlow<()>> {
        let planned = self.object.planned;
        let (mut stream, compression) = self.decompressed()?;
        let mut head = Vec::new();
        // An error here comes again when the chunks are read: what lies before it is still read.
        let head_error = stream
            .by_ref()
            .take(Layout::HEAD as u64)
            .read_to_end(&mut head)
            .err();
        let layout = Layout::of(&head);
        if !layout.json && head_error.is_none() {
            let content = if foreign::container(&head).is_some() {
                FileContent::Nothing
            } else if planned.is_stream() {
                FileContent::of(&head, layout)
            } else {
                look_through(self.object)?
            };
            if content != FileContent::Records {
                self.no_log(&head, content);
                return Ok(self.collector.hand_over());
            }
        }
        let body = head.split_off((layout.skip as usize).min(head.len()));
        let rest: Box<dyn Read + Send> = match head_error {
            Some(error) => Box::new(FailedRead(Some(error))),
            None => stream,
        };
        let mut bytes = Cursor::new(body).chain(rest);
        let (chunk, most) = (self.job.chunk, self.job.scan.plan.options.max_record);
        let (reader, newlines_before) = match planned.from() {
            0 => (ChunkReader::new(bytes, layout, chunk, most), 0),
            from => {
                let known = from.saturating_sub(layout.skip);
                io::copy(&mut bytes.by_ref().take(known), &mut io::sink())?;
                let reader = ChunkReader::resumed(bytes, layout, chunk, most, from, None);
                (reader, planned.lines())
            }
        };
        let plain_file =
            compression.is_none() && !matches!(planned.object.location, Location::Stdin);
        let mut records = self.records(layout, plain_file);
        records.newlines_before = newlines_before;
        let is_stream = planned.object.size.is_none() || compression.is_some();
        if is_stream && planned.object.size.is_none_or(|size| size > SMALL) {
            Ok(self.pipelined(reader, &mut records))
        } else {
            self.on_this_thread(reader, &mut records)
        }
    }

    fn decompressed(&self) -> io::Result<(Box<dyn Read + Send>, Option<Compression>)> {
        let stored = self.object.stored()?;
        let planned = self.object.planned;
        let Some(witness) = &self.object.handle.witness else {
            // One that was looked at, and is plain, has no members.
            return match (planned.layout, planned.compression) {
                (_, Some(Compression::Mixed)) => {
                    let (stream, _) = compress::decompressed_mixed(stored)?;
                    Ok((stream, planned.compression))
                }
                (None, None) => compress::decompressed_mixed(stored),
                _ => compress::decompressed(stored),
            };
        };
        let (stream, compression) = compress::decompressed(Box::new(witness.stored(stored)))?;
        Ok((Box::new(witness.decoded(stream)), compression))
    }

    fn on_this_thread<R: Read>(
        &mut self,
        reader: ChunkReader<R>,
        records: &mut Records,
    ) -> io::Result<ControlFlow<()>> {
        let mut chunks = ChunksToError {
            reader,
            failed: None,
        };
        for memory in self.memory.iter_mut() {
            chunks.reader.reuse(std::mem::take(memory));
        }
        let flow = self.chunks(&mut chunks, records)?;
        *self.memory = chunks.reader.into_memory();
        Ok(self.after(flow, chunks.failed))
    }

    /// Decompresses on another thread while this one decodes.
    fn pipelined<R: Read + Send>(
        &mut self,
        reader: ChunkReader<R>,
        records: &mut Records,
    ) -> ControlFlow<()> {
        let (sender, receiver) = mpsc::sync_channel(1);
        std::thread::scope(|scope| {
            let producer = scope.spawn(move || {
                let mut chunks = ChunksToError {
                    reader,
                    failed: None,
                };
                while let Some(chunk) = chunks.advance() {
                    if sender.send(chunk).is_err() {
                        break;
                    }
                }
                chunks.failed
            });
            let mut received = ReceivedChunks(receiver);
            let flow = self
                .chunks(&mut received, records)
                .unwrap_or(ControlFlow::Continue(()));
            // A producer that waits to send learns here that nobody receives.
            drop(received);
            let failed = producer
                .join()
                .unwrap_or_else(|_| Some((io::Error::other("the reader stopped"), 0)));
            self.after(flow, failed)
        })
    }

    fn after(
        &mut self,
        flow: ControlFlow<()>,
        failed: Option<(io::Error, u64)>,
    ) -> ControlFlow<()> {
        match failed {
            Some((error, at)) if flow.is_continue() => {
                let message = format!("the rest cannot be read or decompressed: {error}");
                self.unreadable(message, at)
            }
            _ => flow,
        }
    }

    /// An object without records. One that bears the marks of events, or may hold anything, is a
    /// reject; any other is skipped if it was found in a folder, and a reject if the user named it.
    fn no_log(&mut self, head: &[u8], content: FileContent) {
        let planned = self.object.planned;
        let unterminated = head.len() < Layout::HEAD && !head.ends_with(b"\n");
        // For a lake what was read is read for good: this may be the first bytes of a log.
        let may_grow = planned.resume.is_some() && unterminated;
        if may_grow && planned.compression.is_none() {
            return self.tally.skip_tail(planned.from());
        }
        if may_grow {
            self.tally.end_at(planned.from());
        }
        let container = foreign::container(head);
        let (reason, message) = if let Some(what) = container {
            (reason::UNKNOWN_FORMAT, format!("it is {what}"))
        } else if content == FileContent::Marks {
            let what = foreign::text(head);
            let message = format!("it bears the marks of audit events, but is {what}");
            (reason::UNKNOWN_FORMAT, message)
        } else if planned.object.named {
            (
                reason::NOT_A_LOG,
                "nothing in it looks like JSON".to_owned(),
            )
        } else {
            return self.tally.skip(reason::NO_LOG);
        };
        let head = if container.is_some() { b"" } else { head };
        let reject = Reject::new(reason, message, 0, Some(1), head);
        if may_grow {
            self.tally.reject_tail(planned.from(), &reject);
            self.collector.reject_tail(reject);
        } else {
            self.reject(reject);
        }
    }
}

/// What an object holds whose first bytes have no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileContent {
    /// There are records after all.
    Records,
    /// Nothing that looks like a record, but the marks of events.
    Marks,
    Nothing,
}

impl FileContent {
    /// Of a stream, which cannot be read twice: what its first bytes say. More may follow.
    fn of(head: &[u8], layout: Layout) -> Self {
        let complete = head.len() < Layout::HEAD;
        if layout.json || !complete {
            Self::Records
        } else if bears_marks(head) {
            Self::Marks
        } else {
            Self::Records
        }
    }
}

/// Looks for a record, and for marks, in the whole object.
fn look_through(object: OpenObject<'_>) -> io::Result<FileContent> {
    /// So much of a window is looked at again with the next.
    const KEPT: usize = 64 << 10;
    let (mut stream, _) = compress::decompressed_mixed(object.stored()?)?;
    let mut window = vec![0; 1 << 20];
    let mut kept = 0;
    let mut marks = false;
    loop {
        let mut filled = kept;
        while filled < window.len() {
            match stream.read(&mut window[filled..]) {
                Ok(0) => break,
                // What is before the error may be a log.
                Err(_) => return Ok(FileContent::Records),
                Ok(read) => filled += read,
            }
        }
        if filled == kept {
            return Ok(if marks {
                FileContent::Marks
            } else {
                FileContent::Nothing
            });
        }
        if has_record(&window[..filled]) {
            return Ok(FileContent::Records);
        }
        marks = marks || bears_marks(&window[..filled]);
        kept = filled.min(KEPT);
        window.copy_within(filled - kept..filled, 0);
    }
}
