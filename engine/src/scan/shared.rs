//! What the pieces of a scan have to tell each other: newlines before a range, events seen before.
//!
//! This part of a scan needs one process. Whoever sends pieces of one plan to several processes has
//! to keep the pieces of a file together where lines are counted, and all of them where events are
//! told apart.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::plan::Piece;
use crate::record::seen::SeenEvents;

/// The state that the workers of one scan share.
#[derive(Debug)]
pub(crate) struct SharedState {
    /// Which events came before.
    pub(crate) seen: Arc<SeenEvents>,
    /// Newlines in the pieces before each piece.
    pub(crate) newlines: Newlines,
    /// Objects that changed while they were read, by their places: each is told once.
    changed: Mutex<HashSet<usize>>,
}

impl SharedState {
    /// Of a scan of so many pieces.
    pub(crate) fn new(pieces: usize, seen: SeenEvents) -> Self {
        Self {
            seen: Arc::new(seen),
            newlines: Newlines::new(pieces),
            changed: Mutex::default(),
        }
    }

    /// This object changed while it was read; is that news?
    pub(super) fn note_change(&self, object: usize) -> bool {
        self.changed.lock().insert(object)
    }
}

/// The newlines of every piece, so that a range knows its line numbers: workers take pieces in order
/// and publish their counts before they wait for those before them.
#[derive(Debug)]
pub(crate) struct Newlines {
    counts: Mutex<Vec<Option<u64>>>,
    published: Condvar,
}

impl Newlines {
    fn new(pieces: usize) -> Self {
        Self {
            counts: Mutex::new(vec![None; pieces]),
            published: Condvar::new(),
        }
    }

    /// The piece has this many newlines; the first word counts.
    pub(crate) fn publish(&self, piece: usize, count: u64) {
        self.counts.lock()[piece].get_or_insert(count);
        self.published.notify_all();
    }

    /// Newlines in the same object's pieces before this one. Waits until they are known.
    pub(super) fn before(&self, piece: usize, pieces: &[Piece]) -> u64 {
        let is_same = |other: &usize| pieces[*other].object == pieces[piece].object;
        let first = (0..piece).rev().take_while(is_same).last().unwrap_or(piece);
        let mut counts = self.counts.lock();
        loop {
            let known: Option<u64> = counts[first..piece].iter().copied().sum();
            match known {
                Some(sum) => return sum,
                None => self.published.wait(&mut counts),
            }
        }
    }
}

/// Publishes a piece at the latest when it is dropped, so that nobody waits for it for ever.
pub(super) struct Published<'n> {
    pub(super) newlines: &'n Newlines,
    pub(super) piece: usize,
}

impl Drop for Published<'_> {
    fn drop(&mut self) {
        self.newlines.publish(self.piece, 0);
    }
}
