//! The plan of a scan: objects in, pieces of work out.
//!
//! A plan is plain data: URIs, ranges, layouts and options, without handles, channels or locks. It
//! can be shown, compared, and sent to another process; a test carries one through serde and back.
//! What is open belongs to [`OpenScan`](super::open::OpenScan), and what pieces of one file have to
//! tell each other to [`SharedState`](super::shared::SharedState).

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::account::{InputReport, Tally};
use crate::source::held::HeadMark;
use crate::source::object::{InputObject, Location};
use crate::source::{Compression, Layout};

/// What a scan is told by the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScanOptions {
    /// The longest record in bytes.
    pub(crate) max_record: usize,
    /// The content of `cluster` where the input does not know.
    pub(crate) cluster: Option<String>,
    /// Leave out events that were read before.
    pub(crate) dedup: bool,
    /// The name of the only format to look for.
    pub(crate) format: Option<String>,
    /// Are these the logs to compare with, beside those that are asked about?
    pub(crate) is_baseline: bool,
}

/// One object of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedObject {
    pub(crate) object: InputObject,
    /// What its first bytes say; `None` when it is compressed or a stream: then the worker looks.
    pub(crate) layout: Option<Layout>,
    pub(crate) compression: Option<Compression>,
    /// Why it cannot be read, when that is known already.
    pub(crate) failure: Option<String>,
    /// Is it something without bytes of its own, which is rightly not read?
    pub(crate) not_a_file: bool,
    /// Is there a newer file of the same log beside it?
    pub(crate) is_rotated: bool,
    /// What a local file began with.
    pub(crate) head: Option<HeadMark>,
    /// Where reading goes on, when a part of the object is in a lake.
    pub(crate) resume: Option<ResumePoint>,
}

/// Where an earlier run stopped reading a source of a lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResumePoint {
    /// The source in the lake.
    pub(crate) source_id: String,
    /// The first byte that was not read, of the decompressed object.
    pub(crate) from: u64,
    /// Newlines before it.
    pub(crate) lines: u64,
}

/// A range of a plain file, or the whole of any object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// Index of the object in the plan.
    pub(crate) object: usize,
    /// `[from, end)` in bytes.
    pub(crate) range: Option<(u64, u64)>,
}

/// The audit logs of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScanPlan {
    pub(crate) objects: Vec<PlannedObject>,
    pub(crate) options: ScanOptions,
}

/// Smaller files are not split.
const LEAST_RANGE: u64 = 4 << 20;
/// Nor smaller objects in stores, which are read ahead of what is needed.
pub(crate) const LEAST_REMOTE_RANGE: u64 = 64 << 20;

impl ScanPlan {
    /// The account before anything is read.
    pub(crate) fn accounts(&self) -> Vec<InputReport> {
        self.objects
            .iter()
            .map(|planned| InputReport {
                uri: planned.object.uri.clone(),
                size: planned.object.size,
                compression: planned.compression.map(Compression::name),
                tally: Tally::default(),
            })
            .collect()
    }

    /// The pieces of work, in the order of the input; plain files in ranges of about `range` bytes.
    /// Where lines are counted, a range has to be read twice: that is not worth it where bytes come
    /// over a network.
    pub(crate) fn pieces(&self, range: u64, lines: bool) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (object, planned) in self.objects.iter().enumerate() {
            let splits = planned.layout.is_some_and(|layout| layout.can_be_split());
            let remote = matches!(planned.object.location, Location::Store(_));
            let range = if remote {
                range.max(LEAST_REMOTE_RANGE)
            } else {
                range.max(1)
            };
            let from = planned.from();
            let resumes = from > 0
                && planned.compression.is_none()
                && planned.layout.is_some_and(|layout| !layout.list);
            match planned.object.size {
                Some(size) if splits && size.saturating_sub(from) > range && !(remote && lines) => {
                    let ranges = even_ranges(from, size, range);
                    pieces.extend(ranges.map(|range| Piece {
                        object,
                        range: Some(range),
                    }));
                }
                Some(size) if resumes => pieces.push(Piece {
                    object,
                    range: Some((from, size)),
                }),
                _ => pieces.push(Piece {
                    object,
                    range: None,
                }),
            }
        }
        pieces
    }

    /// Consecutive pieces of about `bytes` together. What is compressed or of unknown size may be
    /// large: it stands alone unless it is small.
    pub(crate) fn units(&self, pieces: &[Piece], bytes: u64) -> Vec<Range<usize>> {
        const COMPRESSED: u64 = 16;
        let mut units: Vec<Range<usize>> = Vec::new();
        let mut filled = 0;
        for (index, piece) in pieces.iter().enumerate() {
            let planned = &self.objects[piece.object];
            let size = match piece.range {
                Some((from, end)) => end - from,
                None => {
                    let stored = planned.object.size.unwrap_or(bytes);
                    stored.saturating_mul(if planned.compression.is_some() {
                        COMPRESSED
                    } else {
                        1
                    })
                }
            };
            match units.last_mut() {
                Some(unit) if filled + size <= bytes => {
                    unit.end = index + 1;
                    filled += size;
                }
                _ => {
                    units.push(index..index + 1);
                    filled = size;
                }
            }
        }
        units
    }

    /// The length of ranges that keeps `workers` busy to the end of a query.
    pub(crate) fn query_range(&self, workers: usize) -> u64 {
        let total: u64 = self
            .objects
            .iter()
            .filter_map(|planned| planned.object.size)
            .sum();
        (total / (workers as u64 * 8).max(1)).clamp(LEAST_RANGE, 64 << 20)
    }
}

/// Ranges of nearly equal length, none longer than `range`, that cover `[from, end)`.
fn even_ranges(from: u64, end: u64, range: u64) -> impl Iterator<Item = (u64, u64)> {
    let size = end - from;
    let count = size.div_ceil(range);
    let bound = move |index: u64| from + size / count * index + (size % count) * index / count;
    (0..count).map(move |index| (bound(index), bound(index + 1)))
}

impl PlannedObject {
    /// An object that can be read, as far as is known.
    pub(crate) fn new(
        object: InputObject,
        layout: Option<Layout>,
        compression: Option<Compression>,
    ) -> Self {
        Self {
            object,
            layout,
            compression,
            failure: None,
            not_a_file: false,
            is_rotated: false,
            head: None,
            resume: None,
        }
    }

    /// An object whose only record is the reject that says why.
    pub(crate) fn failed(object: InputObject, message: String) -> Self {
        Self {
            failure: Some(message),
            ..Self::new(object, None, None)
        }
    }

    /// Something of this name that is rightly not read: a link in an archive, for one.
    pub(crate) fn not_a_file(uri: String) -> Self {
        let object = InputObject {
            location: Location::File(PathBuf::from(&uri)),
            uri,
            size: Some(0),
            named: false,
        };
        Self {
            not_a_file: true,
            ..Self::new(object, None, None)
        }
    }

    /// The first byte to read, decompressed.
    pub(crate) fn from(&self) -> u64 {
        self.resume.as_ref().map_or(0, |resume| resume.from)
    }

    /// Newlines before [`Self::from`].
    pub(crate) fn lines(&self) -> u64 {
        self.resume.as_ref().map_or(0, |resume| resume.lines)
    }

    /// Can its bytes be read only once?
    pub(crate) fn is_stream(&self) -> bool {
        self.object.size.is_none() && self.failure.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(list: bool) -> Layout {
        Layout::of(if list { b"[{\"a\":1}]" } else { b"{\"a\":1}\n" })
    }

    fn file(name: &str, size: u64, layout: Option<Layout>) -> PlannedObject {
        let object = InputObject {
            uri: name.to_owned(),
            location: Location::File(PathBuf::from(name)),
            size: Some(size),
            named: true,
        };
        PlannedObject::new(object, layout, None)
    }

    fn plan(objects: Vec<PlannedObject>) -> ScanPlan {
        let options = ScanOptions {
            max_record: 1 << 20,
            cluster: Some("prod".to_owned()),
            dedup: false,
            format: Some("gke".to_owned()),
            is_baseline: false,
        };
        ScanPlan { objects, options }
    }

    #[test]
    fn ranges_cover_a_file_and_lists_stay_whole() {
        let plan = plan(vec![
            file("a", 10, Some(layout(false))),
            file("list", 10, Some(layout(true))),
            file("packed", 10, None),
            file("empty", 0, Some(layout(false))),
        ]);
        let pieces = plan.pieces(4, false);
        let of = |object| -> Vec<_> {
            let pieces = pieces.iter().filter(|piece| piece.object == object);
            pieces.map(|piece| piece.range).collect()
        };
        assert_eq!(of(0), [Some((0, 3)), Some((3, 6)), Some((6, 10))]);
        assert_eq!((of(1), of(2), of(3)), (vec![None], vec![None], vec![None]));
        assert_eq!(plan.pieces(100, false)[0].range, None, "it is short enough");
    }

    #[test]
    fn a_file_that_has_grown_is_read_from_where_it_was_left() {
        let mut grown = file("a", 100, Some(layout(false)));
        grown.resume = Some(ResumePoint {
            source_id: "s".to_owned(),
            from: 90,
            lines: 3,
        });
        assert_eq!(plan(vec![grown]).pieces(64, true)[0].range, Some((90, 100)));
    }

    #[test]
    fn small_files_share_a_unit_and_large_ones_stand_alone() {
        let small = |name| file(name, 10, Some(layout(false)));
        let large = file("large", 70, Some(layout(false)));
        let plan = plan(vec![small("a"), small("b"), large, small("c")]);
        let pieces = plan.pieces(1000, false);
        assert_eq!(plan.units(&pieces, 64), [0..2, 2..3, 3..4]);
    }

    #[test]
    fn a_plan_travels_as_data() {
        let mut objects = vec![
            file("a.log", 1 << 30, Some(layout(false))),
            file("list.json", 7, Some(layout(true))),
            PlannedObject::failed(file("b", 1, None).object, "no such file".to_owned()),
        ];
        objects[1].resume = Some(ResumePoint {
            source_id: "5f0c".to_owned(),
            from: 7,
            lines: 1,
        });
        objects[1].compression = Compression::of(b"\x1f\x8b");
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt;
            let name = std::ffi::OsString::from_vec(b"caf\xe9.log".to_vec());
            objects[0].object.location = Location::File(name.into());
        }
        let plan = plan(objects);
        let text = serde_json::to_string(&plan).unwrap();
        let back: ScanPlan = serde_json::from_str(&text).unwrap();
        assert_eq!(back, plan);
        assert_eq!(back.pieces(1 << 20, true), plan.pieces(1 << 20, true));
    }
}
