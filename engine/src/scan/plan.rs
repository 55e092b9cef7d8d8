//! Objects in, pieces of work out. A plan is plain data, without handles or channels, so that it
//! can be shown, and sent elsewhere.

use std::{
    collections::VecDeque,
    fs::File,
    io::Read,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use tempfile::TempDir;

use crate::{
    scan::{
        report::{InputReport, Tally},
        witness::Witness,
    },
    source::{
        Compression, Layout, Location, Object,
        archive::{self, Archive},
        store::Stores,
    },
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
    /// For a lake: what was read before, and what is to be known of the rest.
    pub(crate) part: Option<Arc<SourcePart>>,
}

/// The part of an object that a lake does not have yet.
#[derive(Debug)]
pub(crate) struct SourcePart {
    /// The source in the lake.
    pub(crate) id: String,
    /// The first byte that was not read, of the decompressed object.
    pub(crate) from: u64,
    /// Newlines before it.
    pub(crate) lines: u64,
    /// What looks at the bytes of a stream while they are read; of a plain local file nothing does.
    pub(crate) witness: Option<Arc<Witness>>,
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
    /// What objects in stores are read through.
    pub(crate) stores: Arc<Stores>,
    /// Where archives were unpacked to.
    _unpacked: Arc<[TempDir]>,
    pub(crate) options: Arc<ScanOptions>,
}

/// Smaller files are not split.
const LEAST_RANGE: u64 = 4 << 20;
/// Nor smaller objects in stores, which are read ahead of what is needed.
const LEAST_REMOTE_RANGE: u64 = 64 << 20;

impl ScanPlan {
    /// Looks at the first bytes of every object. Parquet files are returned apart: they have a
    /// reader of their own.
    pub(crate) fn new(
        objects: Vec<Object>,
        failures: Vec<(String, String)>,
        options: ScanOptions,
        stores: Arc<Stores>,
    ) -> (Self, Vec<Object>) {
        let (mut planned, mut parquet, mut unpacked) = (Vec::new(), Vec::new(), Vec::new());
        let mut failures = failures;
        let mut objects = VecDeque::from(objects);
        while let Some(object) = objects.pop_front() {
            match look(&object, &stores) {
                Ok(Look::Parquet) => parquet.push(object),
                Ok(Look::Archive(_, path))
                    if unpacked
                        .iter()
                        .any(|folder: &TempDir| path.starts_with(folder.path())) =>
                {
                    planned.push(Planned::failed(
                        object,
                        "an archive in an archive is not unpacked; unpack it first".to_owned(),
                    ));
                }
                Ok(Look::Archive(archive, path)) => {
                    match archive::unpack(archive, &object.uri, &path) {
                        Ok((folder, files, broken)) => {
                            // In the place of the archive.
                            files
                                .into_iter()
                                .rev()
                                .for_each(|file| objects.push_front(file));
                            failures.extend(broken);
                            unpacked.push(folder);
                        }
                        Err(error) => planned.push(Planned::failed(
                            object,
                            format!("the archive cannot be unpacked: {error}"),
                        )),
                    }
                }
                Ok(Look::Log {
                    layout,
                    compression,
                }) => planned.push(Planned {
                    object,
                    layout,
                    compression,
                    failure: None,
                    spool: Arc::default(),
                    part: None,
                }),
                Err(error) => planned.push(Planned::failed(object, error.to_string())),
            }
        }
        for (uri, message) in failures {
            let location = Location::File(uri.clone().into());
            planned.push(Planned::failed(
                Object {
                    uri,
                    location,
                    size: None,
                    named: false,
                },
                message,
            ));
        }
        (
            Self {
                objects: planned.into(),
                stores,
                _unpacked: unpacked.into(),
                options: Arc::new(options),
            },
            parquet,
        )
    }

    /// The same with other objects.
    pub(crate) fn with_objects(&self, objects: Vec<Planned>) -> Self {
        Self {
            objects: objects.into(),
            ..self.clone()
        }
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
    /// Where lines are counted, a range has to be read twice: that is not worth it where bytes come
    /// over a network.
    pub(crate) fn pieces(&self, range: u64, lines: bool) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (object, planned) in self.objects.iter().enumerate() {
            let splits = planned
                .layout
                .is_some_and(|layout| !layout.list && !layout.parts && layout.json);
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
                    let size = size - from;
                    let count = size.div_ceil(range);
                    let bound =
                        |index: u64| from + size / count * index + (size % count) * index / count;
                    pieces.extend((0..count).map(|index| Piece {
                        object,
                        range: Some((bound(index), bound(index + 1))),
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

impl Planned {
    /// An object whose only record is the reject that says why.
    fn failed(object: Object, message: String) -> Self {
        Self {
            object,
            layout: None,
            compression: None,
            failure: Some(message),
            spool: Arc::default(),
            part: None,
        }
    }
}

impl Planned {
    /// The first byte to read, decompressed.
    pub(crate) fn from(&self) -> u64 {
        self.part.as_ref().map_or(0, |part| part.from)
    }

    /// Newlines before [`Self::from`].
    pub(crate) fn lines(&self) -> u64 {
        self.part.as_ref().map_or(0, |part| part.lines)
    }

    /// Can its bytes be read only once?
    pub(crate) fn is_stream(&self) -> bool {
        self.object.size.is_none() && self.failure.is_none()
    }
}

enum Look {
    Parquet,
    Archive(Archive, PathBuf),
    Log {
        layout: Option<Layout>,
        compression: Option<Compression>,
    },
}

fn look(object: &Object, stores: &Stores) -> std::io::Result<Look> {
    let unseen = Look::Log {
        layout: None,
        compression: None,
    };
    // A pipe can be read only once, by the worker.
    let Some(size) = object.size else {
        return Ok(unseen);
    };
    let end = size.min(Layout::HEAD as u64);
    let mut head = Vec::new();
    match &object.location {
        Location::Stdin => return Ok(unseen),
        Location::File(path) => File::open(path)?.take(end).read_to_end(&mut head)?,
        Location::Held(held) => held.reader(0).take(end).read_to_end(&mut head)?,
        // A request for each of a thousand small objects would take longer than reading them.
        Location::Store(_) if size <= LEAST_REMOTE_RANGE && !object.uri.ends_with(".parquet") => {
            return Ok(unseen);
        }
        Location::Store(stored) => stores.reader(stored, 0, end)?.read_to_end(&mut head)?,
    };
    if head.starts_with(b"PAR1") {
        return Ok(Look::Parquet);
    }
    let compression = Compression::of(&head);
    if let Location::File(path) = &object.location
        && let Some(archive) = Archive::of(path, &head, compression.is_some())
    {
        return Ok(Look::Archive(archive, path.clone()));
    }
    Ok(Look::Log {
        layout: compression.is_none().then(|| Layout::of(&head)),
        compression,
    })
}
