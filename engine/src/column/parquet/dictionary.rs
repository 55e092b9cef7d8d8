//! Values in, small numbers out: the distinct values of a column, in the order of their first
//! appearance and in the bytes of a Parquet dictionary page.

use std::{collections::hash_map::RandomState, hash::BuildHasher, sync::LazyLock};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Log text is hostile: nobody may know beforehand which values collide. The output does not depend
/// on it.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));

/// The distinct values of a column.
pub(super) struct Dictionary {
    /// The values in a row, each after its length if the type has one: Parquet's `PLAIN`.
    plain: Vec<u8>,
    /// Where each value begins in `plain`, after its length; and where the next one would.
    starts: Vec<usize>,
    /// An open-addressing table: the upper half of the hash, and 1 + the value's number; 0 is free.
    slots: Vec<u64>,
    /// Bytes of a length, if values have one.
    prefix: usize,
}

/// The bytes in front of a `BYTE_ARRAY`.
const LENGTH: usize = 4;
const LEAST_SLOTS: usize = 64;

impl Dictionary {
    /// Of texts, or, if `fixed`, of numbers as little-endian bytes.
    pub(super) fn new(fixed: bool) -> Self {
        let prefix = if fixed { 0 } else { LENGTH };
        Self {
            plain: Vec::new(),
            starts: vec![prefix],
            slots: vec![0; LEAST_SLOTS],
            prefix,
        }
    }

    pub(super) fn clear(&mut self) {
        self.plain.clear();
        self.starts.truncate(1);
        self.slots.clear();
        self.slots.resize(LEAST_SLOTS, 0);
    }

    /// How many distinct values there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// All values as a dictionary page has them.
    pub(super) fn plain(&self) -> &[u8] {
        &self.plain
    }

    pub(super) fn value(&self, index: u32) -> &[u8] {
        let index = index as usize;
        &self.plain[self.starts[index]..self.starts[index + 1] - self.prefix]
    }

    /// A value as a `PLAIN` page has it.
    pub(super) fn plain_value(&self, index: u32) -> &[u8] {
        let index = index as usize;
        &self.plain[self.starts[index] - self.prefix..self.starts[index + 1] - self.prefix]
    }

    /// The number of `value`, which is new if it was not there.
    #[inline]
    pub(super) fn intern(&mut self, value: &[u8]) -> u32 {
        let hash = xxh3_64_with_seed(value, *SEED);
        let (tag, mask) = (hash & !u64::from(u32::MAX), self.slots.len() - 1);
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return self.add(value, tag, at);
            }
            if slot & !u64::from(u32::MAX) == tag {
                let index = slot as u32 - 1;
                if self.value(index) == value {
                    return index;
                }
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn add(&mut self, value: &[u8], tag: u64, at: usize) -> u32 {
        let index = self.len() as u32;
        self.slots[at] = tag | u64::from(index + 1);
        if self.prefix > 0 {
            // A page of 4 GiB is refused when it is written.
            self.plain
                .extend_from_slice(&(value.len() as u32).to_le_bytes());
        }
        self.plain.extend_from_slice(value);
        self.starts.push(self.plain.len() + self.prefix);
        if self.len() * 2 > self.slots.len() {
            self.grow();
        }
        index
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 4;
        let mut slots = vec![0; size];
        for index in 0..self.len() as u32 {
            let hash = xxh3_64_with_seed(self.value(index), *SEED);
            let mut at = hash as usize & (size - 1);
            while slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            slots[at] = hash & !u64::from(u32::MAX) | u64::from(index + 1);
        }
        self.slots = slots;
    }
}
