//! Reading one piece: a range of a plain file, or the whole of an object, in; its records handed to
//! a collector out.
//!
//! It runs on a worker's thread and blocks; a consumer that goes away ends it at the next chunk.

use std::io::{self, Read, SeekFrom};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::chunks::ChunkSource;
use super::job::{Collector, Job, LineCount, WorkerMemory};
use super::metrics::ScanMetrics;
use super::open::OpenObject;
use super::plan::{Piece, PlannedObject};
use super::shared::Published;
use crate::account::{Reject, Tally, reason};
use crate::record::records::Records;
use crate::source::object::Location;
use crate::source::{Chunk, ChunkReader, Layout};

/// One piece while it is read.
pub(super) struct PieceReading<'p, C> {
    pub(super) job: &'p Job,
    pub(super) index: usize,
    pub(super) piece: Piece,
    pub(super) object: OpenObject<'p>,
    pub(super) collector: &'p mut C,
    /// What was counted and is not in the account yet.
    pub(super) tally: Tally,
    pub(super) memory: &'p mut WorkerMemory,
    pub(super) metrics: Option<&'p ScanMetrics>,
}

impl Job {
    /// Reads a piece; `Break` when nobody wants more.
    pub(super) fn read_piece(
        &self,
        index: usize,
        collector: &mut impl Collector,
        memory: &mut WorkerMemory,
        metrics: Option<&ScanMetrics>,
    ) -> ControlFlow<()> {
        // However this ends, nobody waits for this piece's newlines for ever.
        let _published = Published {
            newlines: &self.shared.newlines,
            piece: index,
        };
        let piece = self.pieces[index];
        let object = self.scan.object(piece.object);
        let handle = object.held();
        let object = OpenObject {
            handle: &handle,
            ..object
        };
        collector.object(object.planned);
        let mut reading = PieceReading {
            job: self,
            index,
            piece,
            object,
            collector,
            tally: Tally::default(),
            memory,
            metrics,
        };
        let mut flow = reading.read();
        // What was read of a log that was cut meanwhile, as `copytruncate` does, is no state that
        // it had.
        if flow.is_continue() && !reading.object.is_still() && self.shared.note_change(piece.object)
        {
            let message = "the file was cut or written anew while it was read; ask again";
            flow = reading.unreadable(message.to_owned(), 0);
        }
        reading.count();
        flow
    }
}

impl<C: Collector> PieceReading<'_, C> {
    fn read(&mut self) -> ControlFlow<()> {
        let planned = self.object.planned;
        if planned.not_a_file {
            self.tally.skip(reason::NOT_A_FILE);
            return ControlFlow::Continue(());
        }
        if let Some(failure) = &planned.failure {
            if is_broken_link(planned) {
                self.tally.skip(reason::BROKEN_LINK);
                return ControlFlow::Continue(());
            }
            return self.unreadable(failure.clone(), 0);
        }
        let read = match (self.piece.range, planned.layout) {
            (Some(range), Some(layout)) => self.read_range(range, layout),
            _ => self.read_whole(),
        };
        read.unwrap_or_else(|error| {
            self.job.shared.newlines.publish(self.index, 0);
            let message = match planned.compression {
                Some(compression) => {
                    format!("the {} stream is broken: {error}", compression.name())
                }
                None => error.to_string(),
            };
            self.unreadable(message, 0)
        })
    }

    /// The records that begin in a range of a plain file.
    fn read_range(
        &mut self,
        (from, end): (u64, u64),
        layout: Layout,
    ) -> io::Result<ControlFlow<()>> {
        let planned = self.object.planned;
        // Where an earlier run stopped a record begins, whatever it is. Elsewhere the range looks
        // for its first record, and a boundary is a newline and what follows it.
        let resumed = from > 0 && from == planned.from();
        let start = match from {
            from if resumed => from,
            from if from > layout.skip => from - 1,
            _ => layout.skip,
        };
        let (bytes, newlines_before) = self.open_range(from, end, start)?;
        let (chunk, most) = (self.job.chunk, self.job.scan.plan.options.max_record);
        let mut reader = if resumed {
            ChunkReader::resumed(bytes, layout, chunk, most, from, Some(end))
        } else {
            ChunkReader::range(bytes, layout, chunk, most, from, end)
        };
        reader.count_newlines(self.job.lines != LineCount::None);
        let mut records = self.records(layout, true);
        records.newlines_before = newlines_before;
        for memory in self.memory.iter_mut() {
            reader.reuse(std::mem::take(memory));
        }
        let flow = self.chunks(&mut reader, &mut records);
        let flow =
            flow.unwrap_or_else(|error| self.unreadable(error.to_string(), reader.position()));
        *self.memory = reader.into_memory();
        Ok(flow)
    }

    /// The bytes from `start`, and the newlines before it.
    fn open_range(
        &self,
        from: u64,
        end: u64,
        start: u64,
    ) -> io::Result<(Box<dyn Read + Send>, u64)> {
        let planned = self.object.planned;
        if let Location::Store(stored) = &planned.object.location {
            let size = planned.object.size.unwrap_or(end);
            let reader = self.object.stores.reader(stored, start, size)?;
            return Ok((reader, planned.lines()));
        }
        let mut file = self.object.file()?;
        let mut newlines_before = planned.lines();
        if self.job.lines != LineCount::None {
            let newlines = &self.job.shared.newlines;
            if self.job.lines == LineCount::ByWorkers {
                newlines.publish(self.index, count_newlines(&mut file, from, end)?);
            }
            newlines_before += newlines.before(self.index, &self.job.pieces);
            newlines_before -= count_newlines(&mut file, start.min(from), from)?;
        }
        file.seek(SeekFrom::Start(start))?;
        Ok((Box::new(file), newlines_before))
    }

    pub(super) fn records(&self, layout: Layout, plain_file: bool) -> Records {
        let options = &self.job.scan.plan.options;
        let mut records = Records::new(
            options.max_record,
            layout.boundary,
            self.job.lines != LineCount::None,
            plain_file,
            Arc::clone(&self.job.shared.seen),
            options.format.as_deref(),
        );
        records.is_rotated = self.object.planned.is_rotated;
        records
    }

    /// Decodes chunk after chunk until there are no more, or nobody wants more.
    pub(super) fn chunks(
        &mut self,
        chunks: &mut dyn ChunkSource,
        records: &mut Records,
    ) -> io::Result<ControlFlow<()>> {
        while let Some(chunk) = self.timed(|m| &m.time_reading, |_| chunks.next())? {
            let flow = self.decode(&chunk, records);
            chunks.recycle(chunk);
            if flow.is_break() {
                return Ok(flow);
            }
        }
        records.finish(&mut self.tally, self.collector);
        Ok(ControlFlow::Continue(()))
    }

    fn decode(&mut self, chunk: &Chunk, records: &mut Records) -> ControlFlow<()> {
        self.collector.chunk(Some(chunk));
        self.timed(
            |m| &m.time_decoding,
            |this| records.chunk(chunk, &mut this.tally, this.collector),
        );
        // Whoever is shown a row finds it in the account.
        self.count();
        let flow = if self.job.is_stopped() {
            ControlFlow::Break(())
        } else {
            self.timed(|m| &m.time_handing_over, |this| this.collector.hand_over())
        };
        self.collector.chunk(None);
        flow
    }

    fn timed<T>(
        &mut self,
        metric: impl Fn(&ScanMetrics) -> &datafusion::physical_plan::metrics::Time,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let Some(metrics) = self.metrics else {
            return work(self);
        };
        let began = Instant::now();
        let done = work(self);
        metric(metrics).add_elapsed(began);
        done
    }

    /// Adds what was counted so far to the account.
    fn count(&mut self) {
        let tally = std::mem::take(&mut self.tally);
        if let Some(metrics) = self.metrics {
            metrics.add(&tally);
        }
        self.job.account.add(self.piece.object, tally);
    }

    /// The rest of the object cannot be read: a reject of its own.
    pub(super) fn unreadable(&mut self, message: String, at: u64) -> ControlFlow<()> {
        let reject = Reject::new(reason::UNREADABLE, message, at, None, b"");
        self.tally.reject_tail(at, &reject);
        self.collector.reject_tail(reject);
        self.collector.hand_over()
    }

    pub(super) fn reject(&mut self, reject: Reject) {
        self.tally.reject(&reject);
        self.collector.reject(reject);
    }
}

/// Is it a link in a folder whose target is gone? Container runtimes leave such links to logs that
/// were removed.
fn is_broken_link(planned: &PlannedObject) -> bool {
    match &planned.object.location {
        Location::File(path) => !planned.object.named && path.is_symlink() && !path.exists(),
        Location::Stdin | Location::Store(_) => false,
    }
}

/// The newlines in `[from, end)` of a file.
pub(super) fn count_newlines(
    file: &mut (impl Read + io::Seek + ?Sized),
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
