//! The sources of one transaction in; its data files, its rejects and the evidence of each source
//! out. Nothing is committed here.
//!
//! Threads decode and encode, this one writes what they hand over, and one more reads plain files
//! once again, from the page cache, for their SHA-256: that has to go over the bytes in order, and
//! the threads do not.

use std::{
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom},
    ops::ControlFlow,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
};

use datafusion::parquet::schema::types::SchemaDescPtr;

use super::{
    identity::Identities,
    now_micros,
    plan::SourceWork,
    rejects::RejectFile,
    rows::{DayGroup, LakeRows, SourceRows},
    source::{HEAD, SourceRead},
    writer::DataFiles,
};
use crate::{
    Engine, ErrorKind, Result,
    convert::parquet::{CHUNK, GROUP, units},
    scan::{
        plan::{Piece, ScanPlan},
        report::{Tally, reason},
        seen::Seen,
        witness::{Progress, fingerprint},
        worker::{Memory, Newlines, Work},
    },
};

/// What became of the sources of a transaction.
pub(crate) enum Done {
    /// All were read; in their order, what was counted and what is to be known of each.
    Read(Vec<(Tally, SourceRead)>),
    /// These, by their place, changed while they were read: all is to be done again.
    Changed(Vec<usize>),
    /// These could not be read: all is to be done again without them.
    Failed(Vec<(usize, Tally)>),
}

/// Reads the sources.
///
/// # Errors
///
/// When something cannot be written, or the user stopped the run.
pub(crate) fn read(
    engine: &Engine,
    works: &[SourceWork],
    identities: &Arc<Identities>,
    schema: &SchemaDescPtr,
    files: &mut DataFiles<'_>,
    rejects: &Mutex<RejectFile>,
) -> Result<Done> {
    let plan = engine
        .logs
        .with_objects(works.iter().map(|work| work.planned.clone()).collect());
    let pieces = plan.pieces(GROUP, true);
    let shared = Shared {
        units: units(&plan, &pieces),
        next: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
        cancelled: engine.cancelled(),
        tallies: Mutex::new(vec![Tally::default(); works.len()]),
        rows: Mutex::default(),
    };
    let newlines = Newlines::new(pieces.len());
    let seen = Arc::new(Seen::for_lake(
        Arc::clone(identities) as Arc<dyn crate::scan::seen::Lake>
    ));
    let work = Work {
        objects: &plan.objects,
        options: &plan.options,
        pieces: &pieces,
        chunk: CHUNK,
        stores: &plan.stores,
        lines: true,
        counted: true,
        seen: &seen,
        newlines: &newlines,
    };
    let threads = engine.options.threads.max(1).min(shared.units.len().max(1));
    let (sender, receiver) = sync_channel(threads);
    let (written, hashed) = std::thread::scope(|scope| {
        let hashing = scope.spawn(|| {
            Hashing {
                works,
                pieces: &pieces,
                newlines: &newlines,
            }
            .run(|| shared.stopped())
        });
        for _ in 0..threads {
            let (sender, work, shared, plan) = (sender.clone(), &work, &shared, &plan);
            scope.spawn(move || shared.encode(work, schema, plan, rejects, threads, &sender));
        }
        drop(sender);
        let written = (|| -> Result<()> {
            for group in &receiver {
                let DayGroup {
                    day,
                    group,
                    statistics,
                } = group?;
                files.append(day, group, statistics)?;
                if shared.cancelled.load(Ordering::Relaxed) {
                    return Err(ErrorKind::Interrupted.into());
                }
            }
            Ok(())
        })();
        shared.stopped.fetch_or(written.is_err(), Ordering::Relaxed);
        // Who waits to hand over learns here that nobody takes.
        drop(receiver);
        (written, hashing.join().unwrap_or_default())
    });
    written?;
    if shared.cancelled.load(Ordering::Relaxed) {
        return Err(ErrorKind::Interrupted.into());
    }
    if let Some(message) = identities.failure() {
        return Err(ErrorKind::Output {
            path: "the lake".to_owned(),
            source: io::Error::other(message),
        }
        .into());
    }
    let tallies = shared
        .tallies
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let mut rows = shared
        .rows
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    Ok(judge(works, tallies, &mut rows, hashed, rejects))
}

/// Were the sources read as they are, and how far?
fn judge(
    works: &[SourceWork],
    tallies: Vec<Tally>,
    rows: &mut HashMap<String, SourceRows>,
    hashed: Vec<Option<Progress>>,
    rejects: &Mutex<RejectFile>,
) -> Done {
    let changed: Vec<usize> = (0..works.len())
        .filter(|&index| !works[index].is_whole())
        .collect();
    if !changed.is_empty() {
        return Done::Changed(changed);
    }
    let rejects = rejects.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (index, ((work, tally), hashed)) in works
        .iter()
        .zip(tallies)
        .zip(hashed.into_iter().chain(std::iter::repeat(None)))
        .enumerate()
    {
        let unreadable = tally.rejects.contains_key(reason::UNREADABLE);
        let progress = match work.witness() {
            // A stream that is broken for good is read up to there; one that could not be read is
            // read again another time.
            Some(witness) if !witness.failed() => {
                rehashed_to_tail(work, witness.progress(), tally.tail)
            }
            None if !unreadable => {
                hashed.and_then(|hashed| hash_to_end(work, hashed, tally.tail).ok())
            }
            _ => None,
        };
        match progress {
            Some(progress) => {
                let found = rows.remove(work.id()).unwrap_or_default();
                let met = rejects.counts.get(work.id()).copied().unwrap_or(0);
                done.push((
                    tally.clone(),
                    evidence(work, &tally, &found, met, &progress),
                ));
            }
            None => failed.push((index, tally)),
        }
    }
    if failed.is_empty() {
        Done::Read(done)
    } else {
        Done::Failed(failed)
    }
}

/// What is to be known of what was read of a source; the transaction is filled in by who commits.
fn evidence(
    work: &SourceWork,
    tally: &Tally,
    rows: &SourceRows,
    rejects: u64,
    progress: &Progress,
) -> SourceRead {
    let duplicates = [reason::DUPLICATE, reason::IN_THE_LAKE]
        .iter()
        .filter_map(|reason| tally.skipped.get(reason))
        .sum();
    let (days, events_hash) = rows.days().texts();
    let head = &work.head[..work.head.len().min(HEAD)];
    let whole = tally.tail.is_none() && !work.is_part;
    SourceRead {
        source_id: work.id().to_owned(),
        uri: work.planned.object.uri.clone(),
        from_offset: work.start.bytes,
        to_offset: progress.bytes,
        lines: progress.newlines,
        sha256: progress.sha256(),
        sha256_state: progress.state(),
        // A source keeps the head that it was first known by.
        head_bytes: if work.known.head_bytes > 0 {
            work.known.head_bytes
        } else {
            head.len() as u64
        },
        head_hash: if work.known.head_bytes > 0 {
            work.known.head_hash.clone()
        } else {
            fingerprint(head)
        },
        tail_hash: progress.tail_hash(),
        stored_bytes: Some(work.stored_bytes),
        stored_hash: whole.then(|| work.stored_hash.clone()),
        compression: work
            .planned
            .compression
            .map(|compression| compression.name().to_owned()),
        etag: work.etag.clone(),
        format: tally.format.map(str::to_owned),
        records: tally.read(),
        events: tally.events,
        rejects,
        skipped: tally.skipped.values().sum(),
        duplicates,
        first_time: rows.staged.0.map(|times| times.0),
        last_time: rows.staged.0.map(|times| times.1),
        days,
        events_hash,
        converted_at: now_micros(),
        auditql_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..SourceRead::default()
    }
}

/// What the threads share.
struct Shared<'s> {
    units: Vec<std::ops::Range<usize>>,
    next: AtomicUsize,
    stopped: AtomicBool,
    cancelled: &'s AtomicBool,
    /// By the place of the source.
    tallies: Mutex<Vec<Tally>>,
    /// By the id of the source.
    rows: Mutex<HashMap<String, SourceRows>>,
}

impl Shared<'_> {
    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.cancelled.load(Ordering::Relaxed)
    }

    /// Reads units until there are none.
    fn encode(
        &self,
        work: &Work<'_>,
        schema: &SchemaDescPtr,
        plan: &ScanPlan,
        rejects: &Mutex<RejectFile>,
        threads: usize,
        sender: &SyncSender<Result<DayGroup>>,
    ) {
        let encoded = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let take = |group: DayGroup| {
                if sender.send(Ok(group)).is_ok() && !self.stopped() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            };
            // With fewer units than threads there is less to collect; the groups are as large all
            // the same.
            let full = GROUP + GROUP / 4 / threads.max(1) as u64;
            let mut rows =
                LakeRows::new(schema, full, plan.options.cluster.as_deref(), rejects, take);
            let mut memory = Memory::default();
            while !self.stopped() {
                let Some(unit) = self.units.get(self.next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                for piece in unit.clone() {
                    let (tally, flow) = work.run(piece, &mut rows, &mut memory);
                    let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
                    tallies[work.pieces[piece].object].merge(tally);
                    drop(tallies);
                    if flow.is_break() || self.stopped() {
                        self.stopped.store(true, Ordering::Relaxed);
                        break;
                    }
                }
                // A unit that was left early: nobody must wait for the newlines of its other
                // pieces.
                unit.clone()
                    .for_each(|piece| work.newlines.publish(piece, 0));
            }
            rows.finish();
            let mut all = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            rows.sources
                .drain()
                .for_each(|(id, rows)| all.entry(id).or_default().merge(rows));
            rows.failure.take().map_or(Ok(()), Err)
        }));
        let encoded = encoded.unwrap_or_else(|_| {
            Err(ErrorKind::Internal("encoding a row group failed".to_owned()).into())
        });
        if let Err(error) = encoded {
            self.stopped.store(true, Ordering::Relaxed);
            // Nobody waits for the newlines of pieces that nobody will read.
            (0..work.pieces.len()).for_each(|piece| work.newlines.publish(piece, 0));
            let _ = sender.send(Err(error));
        }
    }
}

/// The thread that reads plain local files in order.
struct Hashing<'h> {
    works: &'h [SourceWork],
    pieces: &'h [Piece],
    /// Of the pieces that are ranges: who decodes one has to know its lines.
    newlines: &'h Newlines,
}

impl Hashing<'_> {
    /// The hashes of the files up to their last newline: what follows it may be an incomplete
    /// record.
    fn run(&self, stopped: impl Fn() -> bool) -> Vec<Option<Progress>> {
        let mut hashed: Vec<Option<Progress>> = Vec::with_capacity(self.works.len());
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
            let plain = work.held.as_ref().filter(|_| work.witness().is_none());
            hashed.push(
                plain.and_then(|held| self.file(work, held.size, first..next, &stopped).ok()),
            );
            // Whatever happened, nobody waits for ever.
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
    ) -> io::Result<Progress> {
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
    let Some(held) = &work.held else { return Ok(0) };
    let from = size.saturating_sub(FAR);
    let mut end = Vec::new();
    held.reader(from).take(size - from).read_to_end(&mut end)?;
    Ok(memchr::memrchr(b'\n', &end).map_or(from, |at| from + at as u64 + 1))
}

/// Hashes a file from where `progress` is to `end`.
fn hash(
    work: &SourceWork,
    progress: &mut Progress,
    end: u64,
    stopped: impl Fn() -> bool,
) -> io::Result<()> {
    let Some(held) = &work.held else {
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
fn hash_to_end(work: &SourceWork, hashed: Progress, tail: Option<u64>) -> io::Result<Progress> {
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
fn rehashed_to_tail(work: &SourceWork, progress: Progress, tail: Option<u64>) -> Option<Progress> {
    let Some(tail) = tail else {
        return Some(progress);
    };
    let mut again = work.start.clone();
    work.read_again(again.bytes, tail, |bytes| again.update(bytes))
        .ok()?;
    (again.bytes == tail).then_some(again)
}
