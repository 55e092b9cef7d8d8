//! Which files of a partition are rewritten together: what the log says of them in, their places
//! out. Nothing is opened.
//!
//! A file that `optimize` wrote is marked as sorted, and as a part of a run: the files of one
//! rewrite, which follow each other in time. Files without the mark are always rewritten. Runs join
//! them as in a log-structured merge tree, from the smallest on: one is rewritten only when the new
//! files and the smaller runs that are rewritten with it have at least half of its bytes. So each
//! time that a row is written again its run has grown by half, and a row is written a few times in
//! its life, however often `optimize` is called: one large file and many small new ones give one
//! large file and one small one.
//!
//! From a run as large as a file may be, only those files join that others reach into. Files that
//! none reaches into join where all of it fits into one file, since only their number is to be
//! gained.

use std::collections::{BTreeMap, HashMap};

use deltalake::kernel::Add;

use crate::lake::delta::data_file;

/// Bytes of a file that is large enough.
pub(super) const TARGET: u64 = 512 << 20;
/// Bytes that are rewritten at once: sorting takes about ten times as much room in the temporary
/// folder.
const MOST: u64 = 8 * TARGET;
/// Times of the log are cut to milliseconds by some: files that share no more than this follow each
/// other.
const MILLISECOND: i64 = 1000;

/// The mark of a file whose rows are in order.
const SORTED: &str = "auditql.sorted";
/// The mark of the files that were written together.
const RUN: &str = "auditql.run";

/// The marks of the files of a rewrite.
pub(super) fn marks(run: &str) -> HashMap<String, Option<String>> {
    [(SORTED, "1"), (RUN, run)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
        .collect()
}

/// What is to be known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RewriteCandidate {
    size: u64,
    /// Of a sorted file.
    run: Option<String>,
    times: Option<(i64, i64)>,
}

impl RewriteCandidate {
    pub(super) fn of(add: &Add) -> Self {
        let mark = |name: &str| add.tags.as_ref().and_then(|tags| tags.get(name)?.clone());
        let file = data_file(add);
        // What has no checksums gets them with the next rewrite, as if it were new.
        let run = mark(SORTED)
            .filter(|sorted| sorted == "1" && file.checksums.is_some())
            .map(|_| mark(RUN).unwrap_or_else(|| add.path.clone()));
        Self {
            size: file.size,
            run,
            times: file.times,
        }
    }

    /// Do both have rows of the same time? Without times there is no order to be made.
    fn meets(&self, other: &Self) -> bool {
        match (self.times, other.times) {
            (Some((first, last)), Some((from, to))) => {
                first < to - MILLISECOND && from < last - MILLISECOND
            }
            _ => false,
        }
    }
}

/// What of a run may be rewritten.
struct DayPart {
    bytes: u64,
    files: Vec<usize>,
    /// No other file reaches into it.
    is_apart: bool,
}

/// The places of the files to rewrite together; none when all is well.
pub(super) fn chosen(files: &[RewriteCandidate]) -> Vec<usize> {
    let mut new: Vec<usize> = (0..files.len())
        .filter(|&index| files[index].run.is_none())
        .collect();
    new.sort_by_key(|&index| files[index].times.map_or(i64::MAX, |(first, _)| first));
    let (mut chosen, mut bytes) = (Vec::new(), 0);
    for index in new {
        // The rest has its turn after these; they are the first in time, so that what is written is
        // not reached into.
        if !chosen.is_empty() && bytes + files[index].size > MOST / 2 {
            break;
        }
        bytes += files[index].size;
        chosen.push(index);
    }
    let mut waiting = Vec::new();
    for part in parts(files) {
        let most = if part.is_apart { TARGET } else { MOST };
        if bytes + part.bytes > most {
            continue;
        }
        waiting.extend(part.files);
        if bytes >= part.bytes / 2 {
            chosen.append(&mut waiting);
        }
        bytes += part.bytes;
    }
    // The smallest run alone is what it was.
    if chosen.first().is_some_and(|&first| {
        files[first].run.is_some()
            && chosen
                .iter()
                .all(|&index| files[index].run == files[first].run)
    }) {
        chosen.clear();
    }
    chosen
}

/// The parts of all runs, the smallest first.
fn parts(files: &[RewriteCandidate]) -> Vec<DayPart> {
    let mut runs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        if let Some(run) = &file.run {
            runs.entry(run).or_default().push(index);
        }
    }
    let is_met = |index: usize| {
        files
            .iter()
            .any(|other| other.run != files[index].run && other.meets(&files[index]))
    };
    let bytes = |run: &[usize]| run.iter().map(|&index| files[index].size).sum::<u64>();
    let mut parts = Vec::new();
    for run in runs.into_values() {
        let met: Vec<usize> = run.iter().copied().filter(|&index| is_met(index)).collect();
        let part = match bytes(&run) {
            all if all < TARGET => DayPart {
                bytes: all,
                is_apart: met.is_empty(),
                files: run,
            },
            _ => DayPart {
                bytes: bytes(&met),
                is_apart: false,
                files: met,
            },
        };
        if !part.files.is_empty() {
            parts.push(part);
        }
    }
    parts.sort_by_key(|part| part.bytes);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const HOUR: i64 = 3_600_000_000;

    /// A file of so many MiB that goes from one hour to another.
    fn file(run: &str, mib: u64, from: i64, to: i64) -> RewriteCandidate {
        RewriteCandidate {
            size: mib * MIB,
            run: (!run.is_empty()).then(|| run.to_owned()),
            times: Some((from * HOUR, to * HOUR)),
        }
    }

    fn sorted(files: &[RewriteCandidate]) -> Vec<usize> {
        let mut chosen = chosen(files);
        chosen.sort_unstable();
        chosen
    }

    #[test]
    fn new_files_are_put_in_order() {
        assert_eq!(sorted(&[file("", 1, 0, 24)]), [0]);
        assert_eq!(
            sorted(&[file("", 1, 3, 4), file("", 2, 0, 2), file("", 700, 1, 4)]),
            [0, 1, 2]
        );
        assert!(sorted(&[]).is_empty());
    }

    #[test]
    fn what_is_in_order_stays() {
        assert!(sorted(&[file("a", 700, 0, 24)]).is_empty());
        assert!(sorted(&[file("a", 1, 0, 24)]).is_empty());
        assert!(
            sorted(&[
                file("a", 480, 0, 10),
                file("a", 480, 10, 20),
                file("a", 30, 20, 24)
            ])
            .is_empty()
        );
        assert!(sorted(&[file("a", 480, 0, 10), file("a", 21, 10, 24)]).is_empty());
        // Too much to be one file, and in order as it is.
        assert!(sorted(&[file("a", 300, 0, 10), file("b", 300, 10, 24)]).is_empty());
        assert_eq!(
            sorted(&[file("a", 200, 0, 10), file("b", 200, 10, 24)]),
            [0, 1]
        );
        // Rows without a time have no order in time.
        let timeless = |run: &str, mib: u64| RewriteCandidate {
            times: None,
            ..file(run, mib, 0, 0)
        };
        assert!(sorted(&[timeless("a", 400), timeless("b", 300)]).is_empty());
        assert_eq!(
            sorted(&[timeless("a", 100), timeless("b", 90), timeless("", 1)]),
            [0, 1, 2]
        );
    }

    #[test]
    fn a_large_file_waits_for_enough() {
        let large = file("a", 400, 0, 24);
        assert_eq!(
            sorted(&[large.clone(), file("", 3, 5, 6), file("", 4, 6, 7)]),
            [1, 2]
        );
        // What came of them, and more.
        assert_eq!(
            sorted(&[large.clone(), file("b", 7, 5, 7), file("", 3, 7, 8)]),
            [2]
        );
        assert_eq!(
            sorted(&[large.clone(), file("b", 7, 5, 7), file("", 4, 7, 8)]),
            [1, 2]
        );
        assert_eq!(
            sorted(&[large.clone(), file("b", 100, 5, 7), file("", 100, 7, 8)]),
            [0, 1, 2]
        );
        // Two smaller ones are enough for it together.
        assert_eq!(
            sorted(&[large.clone(), file("b", 100, 5, 9), file("c", 110, 7, 8)]),
            [0, 1, 2]
        );
        assert!(sorted(&[large, file("b", 100, 5, 7)]).is_empty());
    }

    #[test]
    fn of_a_long_run_only_what_is_reached_into() {
        let mut files: Vec<RewriteCandidate> = (0..4)
            .map(|at| file("a", 480, at * 6, at * 6 + 6))
            .collect();
        files.push(file("", 250, 7, 8));
        assert_eq!(sorted(&files), [1, 4]);
        files[4] = file("", 100, 7, 8);
        assert_eq!(sorted(&files), [4]);
        files[4] = file("", 500, 0, 24);
        assert_eq!(sorted(&files), [4]);
        files[4] = file("", 1000, 0, 24);
        assert_eq!(sorted(&files), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn not_everything_at_once() {
        let files: Vec<RewriteCandidate> =
            (0..24).map(|at| file("", 480, 23 - at, 24 - at)).collect();
        let first = chosen(&files);
        assert_eq!(first, [23, 22, 21, 20]);
        let much = [file("a", 3000, 0, 24), file("b", 3000, 0, 24)];
        assert!(sorted(&much).is_empty());
    }

    #[test]
    fn it_comes_to_an_end() {
        // New files of every size and place; whatever is chosen becomes one run in order.
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut files: Vec<RewriteCandidate> = Vec::new();
        let (mut added, mut written) = (0, 0);
        for round in 0..300 {
            let (mib, from) = (1 + random(60), random(20) as i64);
            added += mib * MIB;
            files.push(file("", mib, from, from + 1 + random(4) as i64));
            let mut steps = 0;
            loop {
                let chosen = sorted(&files);
                if chosen.is_empty() {
                    break;
                }
                steps += 1;
                assert!(steps < 10, "round {round}: {files:?}");
                let mut bytes: u64 = chosen.iter().map(|&index| files[index].size).sum();
                written += bytes;
                let first = chosen
                    .iter()
                    .filter_map(|&index| files[index].times)
                    .map(|times| times.0)
                    .min()
                    .unwrap();
                let last = chosen
                    .iter()
                    .filter_map(|&index| files[index].times)
                    .map(|times| times.1)
                    .max()
                    .unwrap();
                let run = format!("{round}-{steps}");
                let parts = i64::try_from(bytes.div_ceil(480 * MIB)).unwrap();
                let others = (0..files.len()).filter(|index| !chosen.contains(index));
                let mut kept: Vec<RewriteCandidate> =
                    others.map(|index| files[index].clone()).collect();
                for part in 0..parts {
                    let size = bytes.min(480 * MIB);
                    bytes -= size;
                    let at = |part: i64| first + (last - first) / parts * part;
                    kept.push(RewriteCandidate {
                        size,
                        run: Some(run.clone()),
                        times: Some((at(part), at(part + 1))),
                    });
                }
                files = kept;
            }
        }
        assert!(
            written < added * 8,
            "each byte was written {} times",
            written / added
        );
        assert!(files.len() < 30, "{} files", files.len());
    }
}
