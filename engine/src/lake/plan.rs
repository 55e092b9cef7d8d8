//! An object of the input and the sources of the lake in, what of it is to be read out.
//!
//! An object is recognised by its bytes, whatever it is called (`source.rs`). To look at one costs
//! its first bytes and 4 KiB before the place where reading stopped; a compressed object that was
//! not read to its end has to be decompressed up to there.

use std::{
    collections::HashSet,
    io::{self, Read},
    sync::Arc,
};

use crate::lake::source::{HEAD, SourceRead, Sources};
use crate::scan::open::{ObjectHandle, OpenObject};
use crate::scan::plan::{PlannedObject, ResumePoint};
use crate::source::object::Location;
use crate::source::store::Stores;
use crate::source::witness::{SourceProgress, TAIL, Witness, fingerprint};
use crate::source::{Compression, Held, Layout, compress};

/// What is to be done with an object.
pub(crate) enum SourceLook {
    /// It holds nothing.
    Empty,
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

    /// Reads stored bytes `[from, end)` of an object in a store that is not compressed.
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
        let Location::Store(stored) = &self.planned.object.location else {
            return Err(io::Error::other("not in a store"));
        };
        let mut reader = self.stores.reader(stored, from, end)?.take(end - from);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(()),
                read => take(&buffer[..read]),
            }
        }
    }

    /// Are its bytes read only once, so that who reads them has to look at them?
    pub(crate) fn witness(&self) -> Option<&Arc<Witness>> {
        self.handle.witness.as_ref()
    }

    /// Is the file the one that was looked at, with all its bytes? Of a compressed file the first
    /// bytes are not compared: nothing cuts one in place.
    pub(crate) fn is_whole(&self) -> bool {
        let Some(held) = &self.handle.held else {
            return true;
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

/// Looks at an object. `pending` are the sources of the transaction that is being prepared; of a
/// plain local file about `most` bytes are to be read at most.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn look(
    index: usize,
    object: OpenObject<'_>,
    sources: &Sources,
    pending: &HashSet<String>,
    stores: &Arc<Stores>,
    most: u64,
) -> io::Result<SourceLook> {
    let planned = object.planned;
    if let Some(failure) = &planned.failure {
        return Ok(SourceLook::Failed(failure.clone()));
    }
    let mut opened = OpenedSource::of(object)?;
    if opened.size == 0 {
        return Ok(SourceLook::Empty);
    }
    if let Some(etag) = &opened.etag
        && sources
            .tagged(&planned.object.uri, opened.size, etag)
            .is_some()
    {
        return Ok(SourceLook::Known);
    }
    let mut raw = Vec::new();
    opened
        .reader(0)?
        .take(Layout::HEAD as u64)
        .read_to_end(&mut raw)?;
    let (stored_bytes, stored_hash) = (opened.size, opened.stored_hash(&raw)?);
    let compression = Compression::of(&raw);
    let head = match compression {
        None => raw[..raw.len().min(HEAD)].to_vec(),
        Some(_) => match opened.first_decompressed()? {
            Some(head) => head,
            // Not even its first byte can be decompressed: it is told from others by what is
            // stored.
            None => raw[..raw.len().min(HEAD)].to_vec(),
        },
    };
    if head.is_empty() {
        return Ok(SourceLook::Empty);
    }
    if let Some(source) = sources.stored(opened.size, &stored_hash)
        && source.head_bytes <= head.len() as u64
        && source.head_hash == fingerprint(&head[..source.head_bytes as usize])
    {
        return Ok(SourceLook::Known);
    }
    let layout = compression.is_none().then(|| Layout::of(&raw));
    let resumes = layout.is_none_or(|layout| !layout.list);
    let mut found: Option<(SourceRead, SourceProgress)> = None;
    for source in sources.beginning_with(&head) {
        if pending.contains(&source.source_id) {
            return Ok(SourceLook::Later);
        }
        match opened.goes_on(source, compression)? {
            GoesOn::No => {}
            // An older copy of a log that has grown since.
            GoesOn::Shorter if opened.is_end_of(source, sources, compression)? => {
                return Ok(SourceLook::Known);
            }
            GoesOn::Shorter => {}
            GoesOn::AtItsEnd => return Ok(SourceLook::Known),
            GoesOn::With(progress) => {
                found = Some((source.clone(), progress));
                break;
            }
        }
    }
    let (known, start) = match found {
        // A list can only be read from its start; what is known of it is recognised event by event.
        Some((known, _)) if !resumes => (known, SourceProgress::default()),
        Some(found) => found,
        None => (SourceRead::default(), SourceProgress::default()),
    };
    let id = if known.source_id.is_empty() {
        sources.new_id(&fingerprint(&head))
    } else {
        known.source_id.clone()
    };
    if pending.contains(&id) {
        return Ok(SourceLook::Later);
    }
    let remote = matches!(planned.object.location, Location::Store(_));
    let is_part = match layout.filter(|layout| !layout.list && !layout.parts && layout.json) {
        Some(layout) if opened.size - start.bytes > most + most / 2 => {
            opened.cut(layout, start.bytes + most)?
        }
        _ => false,
    };
    let witness = (compression.is_some() || remote).then(|| Arc::new(Witness::new(start.clone())));
    let bytes = if compression.is_some() {
        opened.size.saturating_mul(EXPANSION)
    } else {
        opened.size.saturating_sub(start.bytes)
    };
    let handle = ObjectHandle {
        held: opened.held.clone(),
        spool: Arc::clone(&object.handle.spool),
        witness,
    };
    let mut planned = planned.clone();
    planned.layout = layout;
    planned.compression = compression;
    planned.object.size = Some(opened.size);
    planned.resume = Some(ResumePoint {
        source_id: id,
        from: start.bytes,
        lines: start.newlines,
    });
    Ok(SourceLook::Read(Box::new(SourceWork {
        object: index,
        planned,
        handle,
        head,
        known,
        start,
        stored_bytes,
        stored_hash,
        etag: opened.etag,
        bytes,
        is_part,
        changes: 0,
        stores: Arc::clone(stores),
    })))
}

/// An object that can be read from any place.
struct OpenedSource<'o> {
    object: OpenObject<'o>,
    held: Option<Arc<Held>>,
    size: u64,
    etag: Option<String>,
}

enum GoesOn {
    No,
    /// It ends before the place.
    Shorter,
    AtItsEnd,
    With(SourceProgress),
}

impl<'o> OpenedSource<'o> {
    fn of(object: OpenObject<'o>) -> io::Result<Self> {
        let planned = object.planned;
        let (held, size, etag) = match &planned.object.location {
            Location::Store(stored) if stored.size.is_some() => {
                (None, stored.size.unwrap_or(0), stored.etag.clone())
            }
            Location::File(path) if planned.object.size.is_some() => {
                let held = Held::open(path)?;
                let size = held.size;
                (Some(held), size, None)
            }
            // What can be read only once is copied.
            _ => {
                object
                    .spool()
                    .map_err(|error| io::Error::other(error.to_string()))?;
                let path = object.handle.spool.path();
                let path = path.ok_or_else(|| io::Error::other("the temporary copy is gone"))?;
                let held = Held::open(&path)?;
                let size = held.size;
                (Some(held), size, None)
            }
        };
        Ok(Self {
            object,
            held,
            size,
            etag: etag.filter(|etag| etag.starts_with('"')),
        })
    }

    /// Lets a local file end at the first record from `at` on; false when there is none near.
    fn cut(&mut self, layout: Layout, at: u64) -> io::Result<bool> {
        const NEAR: u64 = 64 << 20;
        let Some(held) = &self.held else {
            return Ok(false);
        };
        let mut text = Vec::new();
        held.reader(at).take(NEAR).read_to_end(&mut text)?;
        let Some(boundary) = layout.boundary.next(&text, 0) else {
            return Ok(false);
        };
        let held = held.until(at + boundary as u64);
        self.size = held.size;
        self.held = Some(held);
        Ok(true)
    }

    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send>> {
        match (&self.held, &self.object.planned.object.location) {
            (Some(held), _) => Ok(Box::new(held.reader(from))),
            (None, Location::Store(stored)) => self.object.stores.reader(stored, from, self.size),
            (None, _) => Err(io::Error::other("cannot be read")),
        }
    }

    /// What tells the stored bytes from others: of a store its tag, else the first and last bytes.
    /// Compressed files end with a checksum.
    fn stored_hash(&self, raw: &[u8]) -> io::Result<String> {
        if let Some(etag) = &self.etag {
            return Ok(fingerprint(format!("etag {etag}").as_bytes()));
        }
        let mut ends = raw[..raw.len().min(HEAD)].to_vec();
        self.reader(self.size.saturating_sub(TAIL as u64))?
            .take(TAIL as u64)
            .read_to_end(&mut ends)?;
        Ok(fingerprint(&ends))
    }

    /// The first decompressed bytes; `None` when there are none because the stream is broken.
    fn first_decompressed(&self) -> io::Result<Option<Vec<u8>>> {
        let mut head = Vec::new();
        let (stream, _) = compress::decompressed(self.reader(0)?)?;
        match stream.take(HEAD as u64).read_to_end(&mut head) {
            Err(_) if head.is_empty() => Ok(None),
            _ => Ok(Some(head)),
        }
    }

    /// Was the source as long as the object once, with the same content?
    fn is_end_of(
        &self,
        source: &SourceRead,
        sources: &Sources,
        compression: Option<Compression>,
    ) -> io::Result<bool> {
        let id = &source.source_id;
        if compression.is_none() && !sources.ends_at(id, self.size) {
            return Ok(false);
        }
        let mut progress = SourceProgress::default();
        let (mut stream, _) = compress::decompressed(self.reader(0)?)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(sources.ended_with(id, progress.bytes, progress.sha256())),
                Ok(read) => progress.update(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Ok(false),
            }
        }
    }

    /// Does the object go on where the source was left?
    fn goes_on(&self, source: &SourceRead, compression: Option<Compression>) -> io::Result<GoesOn> {
        let to = source.to_offset;
        let from = to.saturating_sub(TAIL as u64);
        let mut tail = Vec::new();
        let more = match compression {
            None if self.size < to => return Ok(GoesOn::Shorter),
            None => {
                self.reader(from)?.take(to - from).read_to_end(&mut tail)?;
                self.size > to
            }
            Some(_) => {
                let (mut stream, _) = compress::decompressed(self.reader(0)?)?;
                let skipped = io::copy(&mut stream.by_ref().take(from), &mut io::sink());
                let read = stream.by_ref().take(to - from).read_to_end(&mut tail);
                if skipped.is_err() || read.is_err() {
                    return Ok(GoesOn::No);
                }
                if (tail.len() as u64) < to - from {
                    return Ok(GoesOn::Shorter);
                }
                // An error is something new, too.
                !matches!(stream.read(&mut [0]), Ok(0))
            }
        };
        if tail.len() as u64 != to - from || fingerprint(&tail) != source.tail_hash {
            return Ok(GoesOn::No);
        }
        match source.progress(tail) {
            Some(progress) if more => Ok(GoesOn::With(progress)),
            Some(_) => Ok(GoesOn::AtItsEnd),
            None => Ok(GoesOn::No),
        }
    }
}
