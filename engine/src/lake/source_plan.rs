//! An object of the input and the sources of the lake in, what of it is to be read out.
//!
//! An object is recognised by its bytes, whatever it is called (`source.rs`). To look at one costs
//! its first bytes and 4 KiB before the place where reading stopped; a compressed object that was
//! not read to its end has to be decompressed up to there.

mod opened;

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::Arc;

use crate::lake::source::{HEAD, SourceRead, Sources};
use crate::lake::source_plan::opened::{Continuation, OpenedSource};
use crate::scan::open::{ObjectHandle, OpenObject};
use crate::scan::plan::{PlannedObject, ResumePoint};
use crate::source::object::Location;
use crate::source::store::Stores;
use crate::source::witness::{SourceProgress, Witness, fingerprint};
use crate::source::{Compression, Layout, compress};

/// What is to be done with an object.
pub(crate) enum SourceLook {
    /// It holds nothing.
    Empty,
    /// It is rightly not read.
    NotAFile,
    /// All of it is in the lake.
    Known,
    /// What is to be done shows when the transaction that is being prepared is committed.
    Later,
    /// It cannot be read.
    Failed(String),
    /// There is something new in it.
    Read(Box<SourceWork>),
}

/// A source with something new in it.
pub(crate) struct SourceWork {
    /// Index of the object in the input.
    pub(crate) object: usize,
    pub(crate) planned: PlannedObject,
    pub(crate) handle: ObjectHandle,
    /// The first bytes, decompressed; at most [`HEAD`].
    pub(crate) head: Vec<u8>,
    /// As the lake has it; of a new source empty.
    pub(crate) known: SourceRead,
    /// What was read in earlier runs.
    pub(crate) start: SourceProgress,
    pub(crate) stored_bytes: u64,
    pub(crate) stored_hash: String,
    pub(crate) etag: Option<String>,
    /// Decompressed bytes to read, roughly.
    pub(crate) bytes: u64,
    /// Does more of it follow, for the next transaction?
    pub(crate) is_part: bool,
    /// How often it changed while it was read.
    pub(crate) changes: usize,
    stores: Arc<Stores>,
}

impl SourceWork {
    /// The source in the lake.
    pub(crate) fn id(&self) -> &str {
        self.planned
            .resume
            .as_ref()
            .map_or("", |resume| &resume.source_id)
    }

    /// Forgets what was seen in a try that came to nothing.
    pub(crate) fn begin_again(&mut self) {
        if let Some(witness) = &mut self.handle.witness {
            *witness = Arc::new(Witness::new(self.start.clone()));
        }
    }

    /// Reads bytes `[from, end)` once more, decompressed. Nothing behind them is asked of a decoder,
    /// so that one which fails there fails no earlier than the first time.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub(crate) fn read_again(
        &self,
        from: u64,
        end: u64,
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let is_compressed = self.planned.compression.is_some();
        let (start, stored_end) = if is_compressed {
            (0, self.stored_bytes)
        } else {
            (from, end)
        };
        let stored: Box<dyn Read + Send> = match (&self.handle.held, &self.planned.object.location)
        {
            (Some(held), _) => Box::new(held.reader(start)),
            (None, Location::Store(stored)) => self.stores.reader(stored, start, stored_end)?,
            (None, _) => return Err(io::Error::other("it cannot be read twice")),
        };
        let mut reader = stored;
        if is_compressed {
            (reader, _) = compress::decompressed(reader)?;
            io::copy(&mut reader.by_ref().take(from), &mut io::sink())?;
        }
        let mut reader = reader.take(end - from);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(()),
                read => take(&buffer[..read]),
            }
        }
    }

    /// Looks at the bytes as they are read, where they are read only once.
    pub(crate) fn witness(&self) -> Option<&Arc<Witness>> {
        self.handle.witness.as_ref()
    }

    /// Is the file the one that was looked at, with all its bytes? Of a compressed file the first
    /// bytes are not compared: nothing cuts one in place. An object of a store is judged by those
    /// who read it.
    pub(crate) fn is_whole(&self) -> bool {
        let Some(held) = &self.handle.held else {
            return self.witness().is_none_or(|witness| !witness.changed());
        };
        let mut head = Vec::new();
        held.is_whole()
            && (self.planned.compression.is_some()
                || (held
                    .reader(0)
                    .take(HEAD as u64)
                    .read_to_end(&mut head)
                    .is_ok()
                    && head == self.head))
    }
}

/// How much a compressed object may hold for each of its bytes.
const EXPANSION: u64 = 12;

/// The lake, and the transaction that is being prepared.
pub(crate) struct SourcePlanner<'p> {
    pub(crate) sources: &'p Sources,
    /// The ids of the sources of that transaction.
    pub(crate) pending: &'p HashSet<String>,
    pub(crate) stores: &'p Arc<Stores>,
    /// Bytes of a plain local file that are read at once, roughly.
    pub(crate) most: u64,
}

/// What was seen of an object.
struct LookedObject<'o> {
    opened: OpenedSource<'o>,
    /// Of an object that is not compressed.
    layout: Option<Layout>,
    compression: Option<Compression>,
    head: Vec<u8>,
    stored_hash: String,
}

/// Where reading begins.
struct StartingPoint {
    /// As the lake has it; of a new source empty.
    known: SourceRead,
    progress: SourceProgress,
}

/// What is known already, or where to go on.
enum SourceMatch {
    Settled(SourceLook),
    From(Box<StartingPoint>),
}

impl SourcePlanner<'_> {
    /// The same as [`Self::plan`]; an object of a store that changed is looked up again, since its
    /// size and tag are not those that were listed.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn plan_as_it_is(
        &self,
        index: usize,
        object: OpenObject<'_>,
        changes: usize,
    ) -> io::Result<SourceLook> {
        let (1.., Location::Store(stored)) = (changes, &object.planned.object.location) else {
            return self.plan(index, object);
        };
        let stored = self.stores.renewed(stored)?;
        let mut planned = object.planned.clone();
        planned.object.size = stored.size;
        planned.object.location = Location::Store(stored);
        let planned = &planned;
        self.plan(index, OpenObject { planned, ..object })
    }

    /// Says what is to be done with an object; `index` is its place in the input.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn plan(&self, index: usize, object: OpenObject<'_>) -> io::Result<SourceLook> {
        let planned = object.planned;
        if let Some(failure) = &planned.failure {
            return Ok(SourceLook::Failed(failure.clone()));
        }
        if planned.not_a_file {
            return Ok(SourceLook::NotAFile);
        }
        let opened = OpenedSource::of(object)?;
        if opened.size == 0 {
            return Ok(SourceLook::Empty);
        }
        if let Some(etag) = &opened.etag {
            let (uri, size) = (&planned.object.uri, opened.size);
            if self.sources.tagged(uri, size, etag).is_some() {
                return Ok(SourceLook::Known);
            }
        }
        let looked = LookedObject::of(opened)?;
        if looked.head.is_empty() {
            return Ok(SourceLook::Empty);
        }
        if self.is_stored(&looked) {
            return Ok(SourceLook::Known);
        }
        let start = match self.find(&looked)? {
            SourceMatch::Settled(look) => return Ok(look),
            SourceMatch::From(start) => *start,
        };
        let id = if start.known.source_id.is_empty() {
            self.sources.new_id(&fingerprint(&looked.head))
        } else {
            start.known.source_id.clone()
        };
        if self.pending.contains(&id) {
            return Ok(SourceLook::Later);
        }
        let work = self.work(index, id, looked, start)?;
        Ok(SourceLook::Read(Box::new(work)))
    }

    /// Was an object with these stored bytes read to its end?
    fn is_stored(&self, looked: &LookedObject<'_>) -> bool {
        let (size, head) = (looked.opened.size, &looked.head);
        let source = self.sources.stored(size, &looked.stored_hash);
        source.is_some_and(|source| {
            source.head_bytes <= head.len() as u64
                && source.head_hash == fingerprint(&head[..source.head_bytes as usize])
        })
    }

    /// Finds the source that the object is, among those that begin as it does.
    fn find(&self, looked: &LookedObject<'_>) -> io::Result<SourceMatch> {
        let (opened, compression) = (&looked.opened, looked.compression);
        for source in self.sources.beginning_with(&looked.head) {
            if self.pending.contains(&source.source_id) {
                return Ok(SourceMatch::Settled(SourceLook::Later));
            }
            match opened.goes_on(source, compression)? {
                Continuation::No => {}
                // An older copy of a log that has grown since.
                Continuation::Shorter if opened.is_end_of(source, self.sources, compression)? => {
                    return Ok(SourceMatch::Settled(SourceLook::Known));
                }
                Continuation::Shorter => {}
                Continuation::AtItsEnd => return Ok(SourceMatch::Settled(SourceLook::Known)),
                Continuation::With(progress) => {
                    // A list can only be read from its start; what is known of it is recognised
                    // event by event.
                    let is_list = looked.layout.is_some_and(|layout| layout.list);
                    return Ok(SourceMatch::From(Box::new(StartingPoint {
                        known: source.clone(),
                        progress: if is_list {
                            SourceProgress::default()
                        } else {
                            progress
                        },
                    })));
                }
            }
        }
        Ok(SourceMatch::From(Box::new(StartingPoint {
            known: SourceRead::default(),
            progress: SourceProgress::default(),
        })))
    }

    /// The work on an object, from where it is to be read.
    fn work(
        &self,
        index: usize,
        source_id: String,
        looked: LookedObject<'_>,
        start: StartingPoint,
    ) -> io::Result<SourceWork> {
        let LookedObject {
            mut opened,
            layout,
            compression,
            head,
            stored_hash,
        } = looked;
        let StartingPoint { known, progress } = start;
        let (stored_bytes, most) = (opened.size, self.most);
        let is_part = match layout.filter(|layout| !layout.list && !layout.parts && layout.json) {
            Some(layout) if opened.size - progress.bytes > most + most / 2 => {
                opened.cut(layout, progress.bytes + most)?
            }
            _ => false,
        };
        let bytes = if compression.is_some() {
            opened.size.saturating_mul(EXPANSION)
        } else {
            opened.size.saturating_sub(progress.bytes)
        };
        let mut planned = opened.object.planned.clone();
        let is_remote = matches!(planned.object.location, Location::Store(_));
        let is_watched = compression.is_some() || is_remote;
        let handle = ObjectHandle {
            held: opened.held.clone(),
            spool: Arc::clone(&opened.object.handle.spool),
            witness: is_watched.then(|| Arc::new(Witness::new(progress.clone()))),
        };
        planned.layout = layout;
        planned.compression = compression;
        planned.object.size = Some(opened.size);
        planned.resume = Some(ResumePoint {
            source_id,
            from: progress.bytes,
            lines: progress.newlines,
        });
        Ok(SourceWork {
            object: index,
            planned,
            handle,
            head,
            known,
            start: progress,
            stored_bytes,
            stored_hash,
            etag: opened.etag,
            bytes,
            is_part,
            changes: 0,
            stores: Arc::clone(self.stores),
        })
    }
}

impl<'o> LookedObject<'o> {
    fn of(opened: OpenedSource<'o>) -> io::Result<Self> {
        let mut raw = Vec::new();
        let start = opened.reader(0)?;
        start.take(Layout::HEAD as u64).read_to_end(&mut raw)?;
        let compression = Compression::of(&raw);
        let decompressed = match compression {
            None => None,
            Some(_) => opened.first_decompressed()?,
        };
        // A compressed object of which not even the first byte can be decompressed is told from
        // others by what is stored.
        let head = decompressed.unwrap_or_else(|| raw[..raw.len().min(HEAD)].to_vec());
        Ok(Self {
            layout: compression.is_none().then(|| Layout::of(&raw)),
            stored_hash: opened.stored_hash(&raw)?,
            opened,
            compression,
            head,
        })
    }
}
