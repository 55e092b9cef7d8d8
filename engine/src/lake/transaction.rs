//! The sources of one transaction in; its data files, its rejects and the evidence of each source
//! out. Nothing is committed here.
//!
//! Threads decode and encode, this one writes what they hand over, and one more reads plain files
//! once again for their SHA-256 ([`Hashing`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use datafusion::parquet::schema::types::SchemaDescPtr;
use parking_lot::Mutex;

use crate::account::{ScanAccount, Tally, reason};
use crate::error::{Error, ErrorKind, Result};
use crate::file::parquet::GROUP;
use crate::lake::convert::Conversion;
use crate::lake::day_groups::{DayGroup, LakeRows, SourceRows};
use crate::lake::hashing::{Hashing, hash_to_end, rehashed_to_tail};
use crate::lake::identity::Identities;
use crate::lake::reject_file::RejectFile;
use crate::lake::source::{HEAD, SourceRead};
use crate::lake::source_plan::SourceWork;
use crate::lake::writer::DataFiles;
use crate::record::seen::{KnownEvents, SeenEvents};
use crate::scan::job::{Job, LineCount};
use crate::scan::shared::SharedState;
use crate::source::witness::{SourceProgress, fingerprint};

/// What became of the sources of a transaction.
pub(crate) enum TransactionEnd {
    /// All were read; in their order, what was counted and what is to be known of each.
    Read(Vec<(Tally, SourceRead)>),
    /// All is to be read again.
    Again(ReadAgain),
}

/// The sources because of which a transaction is read again, by their places.
#[derive(Debug, Default)]
pub(crate) struct ReadAgain {
    /// These changed while they were read.
    pub(crate) changed: Vec<usize>,
    /// These could not be read: they are left out.
    pub(crate) failed: Vec<(usize, Tally)>,
}

/// Where the rows of a transaction go.
pub(crate) struct TransactionOutput<'o, 'f> {
    /// The name of the lake.
    pub(crate) lake: &'o str,
    pub(crate) schema: &'o SchemaDescPtr,
    pub(crate) files: &'o mut DataFiles<'f>,
    pub(crate) rejects: &'o Mutex<RejectFile>,
}

/// Reads the sources.
///
/// # Errors
///
/// When something cannot be written, or the user stopped the run.
pub(crate) fn read(
    conversion: &Conversion,
    works: &[SourceWork],
    identities: &Arc<Identities>,
    output: TransactionOutput<'_, '_>,
) -> Result<TransactionEnd> {
    let objects = works
        .iter()
        .map(|work| (work.planned.clone(), work.handle.clone()));
    let scan = conversion.scan.with_objects(objects);
    let pieces = scan.plan.pieces(GROUP, true);
    let units = scan.plan.units(&pieces, GROUP);
    // What is counted here may be thrown away: it has no part in the account of the run yet.
    let account = Arc::new(ScanAccount::new(scan.plan.accounts(), pieces.len()));
    let known = Arc::clone(identities) as Arc<dyn KnownEvents>;
    let shared = SharedState::new(pieces.len(), SeenEvents::for_lake(known));
    let ledger = Arc::clone(&conversion.ledger);
    let job = Job::new(scan, pieces, shared, Arc::clone(&account), ledger)
        .in_units(units)
        .counting(LineCount::Elsewhere);
    let threads = conversion.threads.min(job.units.len().max(1));
    // With fewer units than threads there is less to collect; the groups are as large all the same.
    let full = GROUP + GROUP / 4 / threads as u64;
    let totals = Mutex::default();
    let TransactionOutput {
        lake,
        schema,
        files,
        rejects,
    } = output;
    let (sender, receiver) = sync_channel(threads);
    let make = {
        let (job, totals) = (&job, &totals);
        move || LakeRows::new(job, schema, full, rejects, totals, sender.clone())
    };
    let (written, hashed) = std::thread::scope(|scope| {
        let hashing = Hashing {
            works,
            pieces: &job.pieces,
            newlines: &job.shared.newlines,
        };
        let job = &job;
        let hashing = scope.spawn(move || hashing.run(|| job.is_stopped()));
        let written = job.run(threads, make, || {
            let written = append(job, &receiver, files);
            if written.is_err() {
                job.stop();
            }
            // Threads that wait to hand over learn here that nothing is taken any more.
            drop(receiver);
            written
        });
        (written, hashing.join().unwrap_or_default())
    });
    written?;
    if job.is_cancelled() {
        return Err(ErrorKind::Interrupted.into());
    }
    if let Some(message) = identities.failure() {
        return Err(Error::lake(lake, message));
    }
    let mut rows = totals.into_inner();
    let tallies = account.take_tallies();
    let now = conversion.clock.now();
    let rejects = rejects.lock();
    Ok(judge(works, tallies, &mut rows, hashed, &rejects, now))
}

/// Appends what the threads hand over, until they have ended.
fn append(
    job: &Job,
    groups: &std::sync::mpsc::Receiver<Result<DayGroup>>,
    files: &mut DataFiles<'_>,
) -> Result<()> {
    for group in groups {
        let DayGroup {
            day,
            group,
            statistics,
        } = group?;
        files.append(day, group, statistics)?;
        if job.is_cancelled() {
            return Err(ErrorKind::Interrupted.into());
        }
    }
    Ok(())
}

/// Were the sources read as they are, and how far?
fn judge(
    works: &[SourceWork],
    tallies: Vec<Tally>,
    rows: &mut HashMap<String, SourceRows>,
    hashed: Vec<Option<SourceProgress>>,
    rejects: &RejectFile,
    now: i64,
) -> TransactionEnd {
    let changed: Vec<usize> = (0..works.len())
        .filter(|&index| !works[index].is_whole())
        .collect();
    if !changed.is_empty() {
        return TransactionEnd::Again(ReadAgain {
            changed,
            failed: Vec::new(),
        });
    }
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
                    evidence(work, &tally, &found, met, &progress, now),
                ));
            }
            None => failed.push((index, tally)),
        }
    }
    if failed.is_empty() {
        TransactionEnd::Read(done)
    } else {
        TransactionEnd::Again(ReadAgain {
            changed: Vec::new(),
            failed,
        })
    }
}

/// What is to be known of what was read of a source; the id of the transaction is filled in when it is committed.
fn evidence(
    work: &SourceWork,
    tally: &Tally,
    rows: &SourceRows,
    rejects: u64,
    progress: &SourceProgress,
    converted_at: i64,
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
        records: tally.read_for_good(),
        events: tally.events,
        rejects,
        skipped: tally.skipped.values().sum(),
        duplicates,
        first_time: rows.staged.0.map(|times| times.0),
        last_time: rows.staged.0.map(|times| times.1),
        days,
        events_hash,
        converted_at,
        auditql_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..SourceRead::default()
    }
}
