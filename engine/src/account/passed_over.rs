//! What the records look like that are no audit events: descriptions in; the most frequent of them,
//! each with its count, out.
//!
//! A log of another program has a million such records of a few kinds, and hostile input one kind a
//! record: of the kinds, those with the first names in the order of their letters are kept. Which
//! these are, and how often each was met, does not depend on the order in which they are met, so
//! that an account is the same for any number of threads.
//!
//! Not responsible for: the words (`record/description.rs`).

use std::collections::BTreeMap;

/// Kinds of records, each with how often it was met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassedOver(BTreeMap<String, KindCount>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct KindCount {
    count: u64,
    /// The first in the order of their letters.
    example: Option<String>,
}

/// A kind of records that are no audit events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedOverKind<'a> {
    /// What one looks like, in words.
    pub looks_like: &'a str,
    /// How many there are.
    pub count: u64,
    /// One of them, where the words say little.
    pub example: Option<&'a str>,
}

/// Kinds that are kept.
const MOST: usize = 32;

impl PassedOver {
    /// One more record.
    pub(crate) fn add(&mut self, looks_like: String, example: Option<String>) {
        self.add_some(looks_like, KindCount { count: 1, example });
    }

    fn add_some(&mut self, looks_like: String, more: KindCount) {
        if let Some(known) = self.0.get_mut(&looks_like) {
            known.count += more.count;
            known.example = known.example.take().into_iter().chain(more.example).min();
            return;
        }
        self.0.insert(looks_like, more);
        // One that is dropped is behind `MOST` others, and never among the first again.
        if self.0.len() > MOST {
            self.0.pop_last();
        }
    }

    /// Adds what another worker met.
    pub(crate) fn merge(&mut self, other: Self) {
        for (looks_like, more) in other.0 {
            self.add_some(looks_like, more);
        }
    }

    /// The kinds, the most frequent first.
    pub fn kinds(&self) -> Vec<PassedOverKind<'_>> {
        let kinds = self.0.iter().map(|(looks_like, kind)| PassedOverKind {
            looks_like,
            count: kind.count,
            example: kind.example.as_deref(),
        });
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
        kinds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_order_does_not_count(
            records in proptest::collection::vec((0..60_u8, 0..5_u8), 0..300),
            cut in 0..300_usize,
        ) {
            let of = |records: &[(u8, u8)]| {
                let mut all = PassedOver::default();
                for (kind, example) in records {
                    all.add(format!("kind {kind}"), Some(example.to_string()));
                }
                all
            };
            let whole = of(&records);
            let (left, right) = records.split_at(cut.min(records.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            prop_assert_eq!(&whole, &merged);
            for kind in whole.kinds() {
                let met = records.iter().filter(|(name, _)| kind.looks_like == format!("kind {name}"));
                prop_assert_eq!(kind.count, met.count() as u64);
            }
        }
    }
}
