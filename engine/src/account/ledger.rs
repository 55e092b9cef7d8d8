//! The account, progress and cancellation of one answer.
//!
//! A question may scan its input several times, and many questions may be asked of one engine at
//! once: each has a [`Ledger`] of its own, so that no question's account is another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::task::AtomicWaker;
use parking_lot::Mutex;

use super::{FileShare, InputReport, ScanAccount, ScanReport};

/// What one question has read so far, and whether it has been stopped.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    scans: Mutex<Vec<LedgerScan>>,
    files: Mutex<FileShare>,
    /// Does the question read events?
    reads_events: AtomicBool,
    /// Does it read Kubernetes objects?
    reads_objects: AtomicBool,
    cancelled: AtomicBool,
    /// Whoever waits for the next rows of the answer.
    waiting: AtomicWaker,
}

/// One scan of a question.
#[derive(Debug)]
struct LedgerScan {
    account: Arc<ScanAccount>,
    /// Is it of the logs to compare with?
    is_baseline: bool,
}

impl Ledger {
    /// A scan begins: its account is a part of this one.
    pub(crate) fn begin_scan(
        &self,
        inputs: Vec<InputReport>,
        pieces: usize,
        is_baseline: bool,
    ) -> Arc<ScanAccount> {
        let account = Arc::new(ScanAccount::new(inputs, pieces));
        self.scans.lock().push(LedgerScan {
            account: Arc::clone(&account),
            is_baseline,
        });
        account
    }

    /// What was read. Rows are counted once, however often the question reads them: the report is
    /// that of a scan that got to its end, else of the one that got furthest. `None` before the
    /// first scan. The logs to compare with are inputs like the others.
    pub(crate) fn report(&self) -> Option<ScanReport> {
        let scans = self.scans.lock();
        let of = |is_baseline: bool| {
            let scans = scans.iter().filter(|scan| scan.is_baseline == is_baseline);
            let mut reports: Vec<_> = scans.map(|scan| scan.account.report()).collect();
            let complete = reports.iter().position(|report| !report.partial);
            let furthest = (0..reports.len()).max_by_key(|&index| reports[index].total.read());
            complete
                .or(furthest)
                .map(|index| reports.swap_remove(index))
        };
        let (report, baseline) = (of(false), of(true));
        let Some(baseline) = baseline else {
            return report;
        };
        // Whether the answer is of the whole input, the input says: where it has no rows, nothing is
        // compared with.
        let mut report = report.unwrap_or_default();
        let inputs = baseline.inputs.into_iter();
        inputs.for_each(|input| report.add_baseline(input));
        Some(report)
    }

    /// A scan of a lake had these files before it.
    pub(crate) fn add_files(&self, share: FileShare) {
        let mut files = self.files.lock();
        *files = files.and(share);
    }

    /// The files of all scans of lakes.
    pub(crate) fn files(&self) -> FileShare {
        *self.files.lock()
    }

    /// Pieces of work finished, and in all; `None` before the first scan.
    pub(crate) fn progress(&self) -> Option<(u64, u64)> {
        let scans = self.scans.lock();
        scans
            .iter()
            .map(|scan| scan.account.progress())
            .reduce(|a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// The question reads events.
    pub(crate) fn note_events(&self) {
        self.reads_events.store(true, Ordering::Relaxed);
    }

    /// Does the question read events?
    pub(crate) fn reads_events(&self) -> bool {
        self.reads_events.load(Ordering::Relaxed)
    }

    /// The question reads Kubernetes objects.
    pub(crate) fn note_objects(&self) {
        self.reads_objects.store(true, Ordering::Relaxed);
    }

    /// Does the question read Kubernetes objects?
    pub(crate) fn reads_objects(&self) -> bool {
        self.reads_objects.load(Ordering::Relaxed)
    }

    /// Stops the question at the next opportunity.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.waiting.wake();
    }

    /// Has the question been stopped?
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Wakes this task when the question is stopped.
    pub(crate) fn wake_when_cancelled(&self, waker: &std::task::Waker) {
        self.waiting.register(waker);
    }
}
