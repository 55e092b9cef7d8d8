//! A piece of work in, rows out: opens the object, cuts it into chunks, decodes them into batches.
//!
//! Runs on a thread of its own and blocks; a consumer that goes away ends it at the next batch.

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom},
    ops::ControlFlow,
    sync::{Arc, Condvar, Mutex, PoisonError, mpsc},
};

use super::{
    plan::{Piece, Planned, ScanOptions, ScanPlan},
    records::{Records, Sink},
    report::{Reject, ScanReport, Tally, reason},
    seen::Seen,
};
use crate::source::{
    Chunk, ChunkReader, Layout, Location, chunk::has_record, compress, store::Stores,
};
use crate::{Error, ErrorKind, Result};

/// What the rows of a scan are made of: batches of events, or rejects.
pub(crate) trait Collector: Sink {
    /// The rows that follow come from this object.
    fn object(&mut self, planned: &Planned);
    /// The rows that follow lie in this chunk; after `None` in none.
    fn chunk(&mut self, chunk: Option<&Chunk>);
    /// Hands over what is complete; `Break` when nobody wants more.
    fn hand_over(&mut self, all: bool) -> ControlFlow<()>;
}

/// How the pieces of a scan are read.
pub(crate) struct Work<'w> {
    pub(crate) objects: &'w [Planned],
    pub(crate) options: &'w ScanOptions,
    pub(crate) pieces: &'w [Piece],
    /// Bytes of a chunk.
    pub(crate) chunk: usize,
    /// What objects in stores are read through.
    pub(crate) stores: &'w Stores,
    /// Are line numbers wanted?
    pub(crate) lines: bool,
    /// Does somebody else read the files, too, and publish the newlines of their ranges?
    pub(crate) counted: bool,
    pub(crate) seen: &'w Arc<Seen>,
    /// Newlines in the pieces before each piece.
    pub(crate) newlines: &'w Newlines,
}

/// Memory that a worker reads into, piece after piece.
pub(crate) type Memory = [Vec<u8>; 2];

/// The longest an object may be to be decompressed on the thread that decodes it.
const SMALL: u64 = 256 << 10;

impl Work<'_> {
    /// Reads the piece `index`; what it counted comes back, with whether it was read to its end.
    pub(crate) fn run(
        &self,
        index: usize,
        collector: &mut impl Collector,
        memory: &mut Memory,
    ) -> (Tally, ControlFlow<()>) {
        // However this ends, nobody waits for this piece's newlines for ever.
        let _published = Published {
            newlines: self.newlines,
            piece: index,
        };
        let piece = self.pieces[index];
        let planned = &self.objects[piece.object];
        collector.object(planned);
        let mut tally = Tally::default();
        if let Some(failure) = &planned.failure {
            let flow = self.unreadable(&mut tally, collector, failure.clone(), 0);
            return (tally, flow);
        }
        let done = match self.open_and_read(index, piece, planned, &mut tally, collector, memory) {
            Ok(flow) => flow,
            Err(error) => {
                self.newlines.publish(index, 0);
                let message = match planned.compression {
                    Some(compression) => {
                        format!("the {} stream is broken: {error}", compression.name())
                    }
                    None => error.to_string(),
                };
                self.unreadable(&mut tally, collector, message, 0)
            }
        };
        (tally, done)
    }

    fn open_and_read(
        &self,
        index: usize,
        piece: Piece,
        planned: &Planned,
        tally: &mut Tally,
        collector: &mut impl Collector,
        memory: &mut Memory,
    ) -> io::Result<ControlFlow<()>> {
        if let (Some((from, end)), Some(layout)) = (piece.range, planned.layout) {
            // Where an earlier run stopped a record begins, whatever it is. Elsewhere the range
            // looks for its first record, and a boundary is a newline and what follows it.
            let resumed = from > 0 && from == planned.from();
            let start = match from {
                from if resumed => from,
                from if from > layout.skip => from - 1,
                _ => layout.skip,
            };
            let mut newlines_at_start = planned.lines();
            let bytes: Box<dyn Read + Send> = match &planned.object.location {
                Location::File(_) | Location::Held(_) => {
                    let mut file = open_file(&planned.object.location)?;
                    if self.lines {
                        if !self.counted {
                            self.newlines
                                .publish(index, count_newlines(&mut file, from, end)?);
                        }
                        let before = planned.lines() + self.newlines.before(index, self.pieces);
                        newlines_at_start =
                            before - count_newlines(&mut file, start.min(from), from)?;
                    }
                    file.seek(SeekFrom::Start(start))?;
                    file
                }
                Location::Store(stored) => {
                    self.stores
                        .reader(stored, start, planned.object.size.unwrap_or(end))?
                }
                Location::Stdin => return Err(io::Error::other("a stream has no ranges")),
            };
            let mut reader = match resumed {
                true => ChunkReader::resumed(
                    bytes,
                    layout,
                    self.chunk,
                    self.options.max_record,
                    from,
                    Some(end),
                ),
                false => ChunkReader::range(
                    bytes,
                    layout,
                    self.chunk,
                    self.options.max_record,
                    from,
                    end,
                ),
            };
            reader.count_newlines(self.lines);
            let mut records = self.records(layout, true);
            records.newlines_before = newlines_at_start;
            memory
                .iter_mut()
                .for_each(|memory| reader.reuse(std::mem::take(memory)));
            let flow = self
                .chunks(&mut reader, &mut records, tally, collector)
                .unwrap_or_else(|error| {
                    let at = reader.position();
                    self.unreadable(tally, collector, error.to_string(), at)
                });
            *memory = reader.into_memory();
            return Ok(flow);
        }
        let stored = open(planned, self.stores)?;
        let witness = planned.part.as_ref().and_then(|part| part.witness.as_ref());
        let (mut stream, compression) = match witness {
            Some(witness) => {
                let (stream, compression) =
                    compress::decompressed(Box::new(witness.stored(stored)))?;
                (
                    Box::new(witness.decoded(stream)) as Box<dyn Read + Send>,
                    compression,
                )
            }
            None => compress::decompressed(stored)?,
        };
        let mut head = Vec::new();
        // An error here comes again when the chunks are read: what lies before it is still read.
        let head_error = stream
            .by_ref()
            .take(Layout::HEAD as u64)
            .read_to_end(&mut head)
            .err();
        let layout = Layout::of(&head);
        if !layout.json
            && head_error.is_none()
            && !planned.is_stream()
            && !has_json(planned, self.stores)?
        {
            self.no_log(planned, tally, collector, &head);
            return Ok(collector.hand_over(false));
        }
        let body = head.split_off((layout.skip as usize).min(head.len()));
        let rest: Box<dyn Read + Send> = match head_error {
            Some(error) => Box::new(Failed(Some(error))),
            None => stream,
        };
        let mut bytes = Cursor::new(body).chain(rest);
        let mut newlines_before = 0;
        let reader = match planned.from() {
            0 => ChunkReader::new(bytes, layout, self.chunk, self.options.max_record),
            from => {
                io::copy(
                    &mut bytes.by_ref().take(from.saturating_sub(layout.skip)),
                    &mut io::sink(),
                )?;
                newlines_before = planned.lines();
                ChunkReader::resumed(
                    bytes,
                    layout,
                    self.chunk,
                    self.options.max_record,
                    from,
                    None,
                )
            }
        };
        let plain_file =
            compression.is_none() && !matches!(planned.object.location, Location::Stdin);
        let mut records = self.records(layout, plain_file);
        records.newlines_before = newlines_before;
        let is_stream = planned.object.size.is_none() || compression.is_some();
        if is_stream && planned.object.size.is_none_or(|size| size > SMALL) {
            Ok(self.pipelined(reader, &mut records, tally, collector))
        } else {
            let mut chunks = Chunks {
                reader,
                failed: None,
            };
            memory
                .iter_mut()
                .for_each(|memory| chunks.reader.reuse(std::mem::take(memory)));
            let flow = self.chunks(&mut chunks, &mut records, tally, collector)?;
            *memory = chunks.reader.into_memory();
            Ok(self.after(flow, chunks.failed, tally, collector))
        }
    }

    fn records(&self, layout: Layout, plain_file: bool) -> Records {
        let options = self.options;
        Records::new(
            options.max_record,
            layout.boundary,
            self.lines,
            plain_file,
            Arc::clone(self.seen),
            options.format,
        )
    }

    /// Decodes chunk after chunk until there are no more, or nobody wants more.
    fn chunks(
        &self,
        chunks: &mut dyn ChunkSource,
        records: &mut Records,
        tally: &mut Tally,
        collector: &mut impl Collector,
    ) -> io::Result<ControlFlow<()>> {
        while let Some(chunk) = chunks.next()? {
            collector.chunk(Some(&chunk));
            records.chunk(&chunk, tally, collector);
            let flow = collector.hand_over(false);
            collector.chunk(None);
            chunks.recycle(chunk);
            if flow.is_break() {
                return Ok(flow);
            }
        }
        records.finish(tally, collector);
        Ok(ControlFlow::Continue(()))
    }

    /// Decompresses on another thread while this one decodes.
    fn pipelined<R: Read + Send>(
        &self,
        reader: ChunkReader<R>,
        records: &mut Records,
        tally: &mut Tally,
        collector: &mut impl Collector,
    ) -> ControlFlow<()> {
        let (sender, receiver) = mpsc::sync_channel(1);
        std::thread::scope(|scope| {
            let producer = scope.spawn(move || {
                let mut chunks = Chunks {
                    reader,
                    failed: None,
                };
                while let Some(chunk) = Iterator::next(&mut chunks) {
                    if sender.send(chunk).is_err() {
                        break;
                    }
                }
                chunks.failed
            });
            let mut received = Received(receiver);
            let flow = self
                .chunks(&mut received, records, tally, collector)
                .unwrap_or(ControlFlow::Continue(()));
            // A producer that waits to send learns here that nobody receives.
            drop(received);
            let failed = producer
                .join()
                .unwrap_or_else(|_| Some((io::Error::other("the reader stopped"), 0)));
            self.after(flow, failed, tally, collector)
        })
    }

    fn after(
        &self,
        flow: ControlFlow<()>,
        failed: Option<(io::Error, u64)>,
        tally: &mut Tally,
        collector: &mut impl Collector,
    ) -> ControlFlow<()> {
        match failed {
            Some((error, at)) if flow.is_continue() => self.unreadable(
                tally,
                collector,
                format!("the rest cannot be read or decompressed: {error}"),
                at,
            ),
            _ => flow,
        }
    }

    fn unreadable(
        &self,
        tally: &mut Tally,
        collector: &mut impl Collector,
        message: String,
        at: u64,
    ) -> ControlFlow<()> {
        let reject = Reject::new(reason::UNREADABLE, message, at, None, b"");
        tally.reject(&reject);
        collector.reject(reject);
        collector.hand_over(false)
    }

    /// An object that holds nothing like JSON: found in a folder it is skipped, named by the user
    /// it is a reject.
    fn no_log(
        &self,
        planned: &Planned,
        tally: &mut Tally,
        collector: &mut impl Collector,
        head: &[u8],
    ) {
        if planned.part.is_some()
            && planned.compression.is_none()
            && head.len() < Layout::HEAD
            && !head.ends_with(b"\n")
        {
            // For a lake what was read is read for good: this may be the first bytes of a log.
            tally.skip_tail(planned.from());
        } else if planned.object.named {
            let reject = Reject::new(
                reason::NOT_A_LOG,
                "nothing in it looks like JSON".to_owned(),
                0,
                Some(1),
                head,
            );
            tally.reject(&reject);
            collector.reject(reject);
        } else {
            tally.skip(reason::NO_LOG);
        }
    }
}

/// Where chunks come from, and where their memory goes back to.
trait ChunkSource {
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

impl<R: Read> ChunkSource for Chunks<R> {
    fn next(&mut self) -> io::Result<Option<Chunk>> {
        Ok(Iterator::next(self))
    }

    fn recycle(&mut self, chunk: Chunk) {
        self.reader.recycle(chunk);
    }
}

/// The chunks of a reader on another thread.
struct Received(mpsc::Receiver<Chunk>);

impl ChunkSource for Received {
    fn next(&mut self) -> io::Result<Option<Chunk>> {
        Ok(self.0.recv().ok())
    }

    fn recycle(&mut self, _: Chunk) {}
}

/// A stream that fails with an error met before.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The chunks of a stream up to an error; what was read before the error is a chunk too.
struct Chunks<R> {
    reader: ChunkReader<R>,
    failed: Option<(io::Error, u64)>,
}

impl<R: Read> Iterator for Chunks<R> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        if self.failed.is_some() {
            return None;
        }
        match self.reader.next_chunk() {
            Ok(chunk) => chunk,
            Err(error) => {
                let rest = self.reader.rest();
                self.failed = Some((error, self.reader.position()));
                rest
            }
        }
    }
}

/// The newlines of every piece, so that a range knows its line numbers: workers take pieces in
/// order and publish their counts before they wait for those before them.
#[derive(Debug)]
pub(crate) struct Newlines {
    counts: Mutex<Vec<Option<u64>>>,
    published: Condvar,
}

impl Newlines {
    pub(crate) fn new(pieces: usize) -> Self {
        Self {
            counts: Mutex::new(vec![None; pieces]),
            published: Condvar::new(),
        }
    }

    /// The piece has this many newlines; the first word counts.
    pub(crate) fn publish(&self, piece: usize, count: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts[piece].get_or_insert(count);
        self.published.notify_all();
    }

    /// Newlines in the same object's pieces before this one.
    fn before(&self, piece: usize, pieces: &[Piece]) -> u64 {
        let first = (0..piece)
            .rev()
            .take_while(|&other| pieces[other].object == pieces[piece].object)
            .last()
            .unwrap_or(piece);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let known: Option<u64> = counts[first..piece].iter().copied().sum();
            match known {
                Some(sum) => return sum,
                None => {
                    counts = self
                        .published
                        .wait(counts)
                        .unwrap_or_else(PoisonError::into_inner)
                }
            }
        }
    }
}

/// Publishes a piece at the latest when it is dropped.
struct Published<'n> {
    newlines: &'n Newlines,
    piece: usize,
}

impl Drop for Published<'_> {
    fn drop(&mut self) {
        self.newlines.publish(self.piece, 0);
    }
}

/// Bytes that can be read from any position.
trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

/// A local file.
fn open_file(location: &Location) -> io::Result<Box<dyn Seekable>> {
    match location {
        Location::File(path) => Ok(Box::new(File::open(path)?)),
        Location::Held(held) => Ok(Box::new(held.reader(0))),
        Location::Stdin | Location::Store(_) => Err(io::Error::other("no local file")),
    }
}

/// The newlines in `[from, end)` of a file.
pub(crate) fn count_newlines(
    file: &mut (impl Read + Seek + ?Sized),
    from: u64,
    end: u64,
) -> io::Result<u64> {
    file.seek(SeekFrom::Start(from))?;
    let mut left = end.saturating_sub(from);
    let mut buffer = vec![0; 1 << 20];
    let mut count = 0;
    while left > 0 {
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = file.read(&mut buffer[..most])?;
        if read == 0 {
            break;
        }
        count += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
        left -= read as u64;
    }
    Ok(count)
}

/// Is there an object with a member anywhere in it? Asked only where the first bytes have none.
fn has_json(planned: &Planned, stores: &Stores) -> io::Result<bool> {
    let (mut stream, _) = compress::decompressed(open(planned, stores)?)?;
    let mut window = vec![0; 1 << 20];
    let mut kept = 0;
    loop {
        let read = match stream.read(&mut window[kept..]) {
            Ok(0) => return Ok(false),
            // What is before the error may be a log.
            Err(_) => return Ok(true),
            Ok(read) => read,
        };
        let filled = kept + read;
        if has_record(&window[..filled]) {
            return Ok(true);
        }
        kept = filled.min(512);
        window.copy_within(filled - kept..filled, 0);
    }
}

/// The object's bytes as they are stored, or their copy.
fn open(planned: &Planned, stores: &Stores) -> io::Result<Box<dyn Read + Send>> {
    Ok(match (planned.spool.get(), &planned.object.location) {
        (Some(copy), _) => Box::new(File::open(copy)?),
        (None, Location::File(_) | Location::Held(_)) => open_file(&planned.object.location)?,
        (None, Location::Stdin) => Box::new(io::stdin()),
        (None, Location::Store(stored)) => {
            stores.reader(stored, 0, stored.size.unwrap_or(u64::MAX))?
        }
    })
}

/// Copies what stdin or a pipe holds to a temporary file, once.
///
/// # Errors
///
/// When it cannot be read or the file cannot be written.
pub(crate) fn spool(planned: &Planned, stores: &Stores) -> Result<()> {
    if planned.spool.get().is_some() {
        return Ok(());
    }
    let fail = |source: io::Error| {
        let path = format!("the temporary copy of {}", planned.object.uri);
        Error::from(ErrorKind::Output { path, source })
    };
    let mut copy = tempfile::NamedTempFile::with_prefix("auditql-").map_err(fail)?;
    io::copy(
        &mut open(planned, stores).map_err(fail)?,
        copy.as_file_mut(),
    )
    .map_err(fail)?;
    // Two callers at once: the second copy is empty, and dropped.
    let _ = planned.spool.set(copy.into_temp_path());
    Ok(())
}

/// Counts the lines of the rejects that are shown, where the scan did not: only then the file is
/// read once more.
pub(crate) fn locate_samples(plan: &ScanPlan, report: &mut ScanReport) {
    for (planned, input) in plan.objects.iter().zip(&mut report.inputs) {
        if planned.compression.is_some() || planned.failure.is_some() {
            continue;
        }
        if !matches!(
            planned.object.location,
            Location::File(_) | Location::Held(_)
        ) {
            continue;
        }
        let (mut at, mut line) = (0, 1);
        for sample in &mut input.tally.samples {
            if sample.line.is_none() && sample.offset >= at {
                let counted = open_file(&planned.object.location)
                    .and_then(|mut file| count_newlines(&mut file, at, sample.offset));
                line += counted.unwrap_or(0);
                at = sample.offset;
                sample.line = Some(line);
            }
        }
    }
}
