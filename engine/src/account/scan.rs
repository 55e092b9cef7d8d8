//! The account of one scan while it runs, shared by its workers.

use parking_lot::Mutex;

use super::{InputReport, ScanReport, Tally};

/// What the workers of one scan have read so far.
#[derive(Debug)]
pub(crate) struct ScanAccount {
    inputs: Mutex<Vec<InputReport>>,
    work: Mutex<Remaining>,
}

/// How much of the work is done.
#[derive(Debug)]
struct Remaining {
    /// Pieces of work not yet finished.
    open: usize,
    all: usize,
}

impl ScanAccount {
    /// Nothing is read yet; `inputs` has one entry an object of the plan.
    pub(crate) fn new(inputs: Vec<InputReport>, pieces: usize) -> Self {
        Self {
            inputs: Mutex::new(inputs),
            work: Mutex::new(Remaining {
                open: pieces,
                all: pieces,
            }),
        }
    }

    /// Adds what was read from the object `index`.
    pub(crate) fn add(&self, index: usize, tally: Tally) {
        if let Some(input) = self.inputs.lock().get_mut(index) {
            input.tally.merge(tally);
        }
    }

    /// A piece of work is finished: its records are all counted.
    pub(crate) fn finish_piece(&self) {
        let mut work = self.work.lock();
        work.open = work.open.saturating_sub(1);
    }

    /// Pieces finished, and in all.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let work = self.work.lock();
        ((work.all - work.open) as u64, work.all as u64)
    }

    /// The tally of each object, in the order of the plan; the account is empty afterwards.
    pub(crate) fn take_tallies(&self) -> Vec<Tally> {
        let mut inputs = self.inputs.lock();
        inputs
            .iter_mut()
            .map(|input| std::mem::take(&mut input.tally))
            .collect()
    }

    /// The counts so far.
    pub(crate) fn report(&self) -> ScanReport {
        let inputs = self.inputs.lock().clone();
        let partial = self.work.lock().open > 0;
        ScanReport::of(inputs, partial)
    }
}
