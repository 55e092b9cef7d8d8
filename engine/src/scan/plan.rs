//! Objects in, pieces of work out. A plan is plain data, without handles or channels, so that it can be shown, and sent elsewhere.

use std::{
    fs::File,
    io::Read,
    sync::{Arc, OnceLock},
};

use crate::{
    scan::report::{InputReport, Tally},
    source::{Compression, Layout, Location, Object},
};

/// What a scan is told by the user.
#[derive(Debug, Clone)]
pub(crate) struct ScanOptions {
    /// The longest record in bytes.
    pub(crate) max_record: usize,
    /// The content of `cluster` where the input does not know.
    pub(crate) cluster: Option<String>,
    /// Leave out events that were read before.
    pub(crate) dedup: bool,
    /// The name of the only format to look for.
    pub(crate) format: Option<&'static str>,
}

/// One object of a plan.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) object: Object,
    /// What its first bytes say; `None` when it is compressed or a stream: then the worker looks.
    pub(crate) layout: Option<Layout>,
    pub(crate) compression: Option<Compression>,
    /// Why it cannot be read, when that is known already.
    pub(crate) failure: Option<String>,
    /// Where stdin or a pipe was copied to, when it has to be read more than once.
    pub(crate) spool: Arc<OnceLock<tempfile::TempPath>>,
}

/// A range of a plain file, or the whole of any object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Index of the object in the plan.
    pub(crate) object: usize,
    /// `[from, end)` in bytes.
    pub(crate) range: Option<(u64, u64)>,
}

/// The audit logs of an input.
#[derive(Debug, Clone)]
pub(crate) struct ScanPlan {
    pub(crate) objects: Arc<[Planned]>,
    pub(crate) options: Arc<ScanOptions>,
}

/// Smaller files are not split.
const LEAST_RANGE: u64 = 4 << 20;

impl ScanPlan {
    /// Looks at the first bytes of every object. Parquet files are returned apart: they have a reader of their own.
    pub(crate) fn new(objects: Vec<Object>, failures: Vec<(String, String)>, options: ScanOptions) -> (Self, Vec<Object>) {
        let mut planned = Vec::new();
        let mut parquet = Vec::new();
        for object in objects {
            match look(&object) {
                Ok(Look::Parquet) => parquet.push(object),
                Ok(Look::Log { layout, compression }) => {
                    planned.push(Planned { object, layout, compression, failure: None, spool: Arc::default() })
                }
                Err(error) => planned.push(Planned::failed(object, error.to_string())),
            }
        }
        for (uri, message) in failures {
            let location = Location::File(uri.clone().into());
            planned.push(Planned::failed(Object { uri, location, size: None, named: false }, message));
        }
        (Self { objects: planned.into(), options: Arc::new(options) }, parquet)
    }

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
    pub(crate) fn pieces(&self, range: u64) -> Vec<Piece> {
        let range = range.max(1);
        let mut pieces = Vec::new();
        for (object, planned) in self.objects.iter().enumerate() {
            let splits = planned.layout.is_some_and(|layout| !layout.list && !layout.parts && layout.json);
            match planned.object.size {
                Some(size) if splits && size > range => {
                    let count = size.div_ceil(range);
                    let bound = |index: u64| size / count * index + (size % count) * index / count;
                    pieces.extend((0..count).map(|index| Piece { object, range: Some((bound(index), bound(index + 1))) }));
                }
                _ => pieces.push(Piece { object, range: None }),
            }
        }
        pieces
    }

    /// The length of ranges that keeps `workers` busy to the end of a query.
    pub(crate) fn query_range(&self, workers: usize) -> u64 {
        let total: u64 = self.objects.iter().filter_map(|planned| planned.object.size).sum();
        (total / (workers as u64 * 8).max(1)).clamp(LEAST_RANGE, 64 << 20)
    }
}

impl Planned {
    /// An object whose only record is the reject that says why.
    fn failed(object: Object, message: String) -> Self {
        Self { object, layout: None, compression: None, failure: Some(message), spool: Arc::default() }
    }
}

impl Planned {
    /// Can its bytes be read only once?
    pub(crate) fn is_stream(&self) -> bool {
        self.object.size.is_none() && self.failure.is_none()
    }
}

enum Look {
    Parquet,
    Log { layout: Option<Layout>, compression: Option<Compression> },
}

fn look(object: &Object) -> std::io::Result<Look> {
    let Location::File(path) = &object.location else { return Ok(Look::Log { layout: None, compression: None }) };
    let mut head = Vec::new();
    // A pipe can be read only once, by the worker.
    if object.size.is_none() {
        return Ok(Look::Log { layout: None, compression: None });
    }
    File::open(path)?.take(Layout::HEAD as u64).read_to_end(&mut head)?;
    if head.starts_with(b"PAR1") {
        return Ok(Look::Parquet);
    }
    let compression = Compression::of(&head);
    Ok(Look::Log { layout: compression.is_none().then(|| Layout::of(&head)), compression })
}
