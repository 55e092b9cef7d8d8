//! An object of the input in; its size, tag and first bytes out, and whether it goes on where a
//! source was left.

use std::io::{self, Read};
use std::sync::Arc;

use crate::lake::source::{HEAD, SourceRead, Sources};
use crate::scan::open::OpenObject;
use crate::source::object::Location;
use crate::source::witness::{SourceProgress, TAIL, fingerprint};
use crate::source::{Compression, Held, Layout, compress};

/// An object that can be read from any place.
pub(super) struct OpenedSource<'o> {
    pub(super) object: OpenObject<'o>,
    pub(super) held: Option<Arc<Held>>,
    pub(super) size: u64,
    pub(super) etag: Option<String>,
}

/// How an object stands to the place where a source was left.
pub(super) enum Continuation {
    /// It is another source's.
    No,
    /// It ends before the place.
    Shorter,
    /// It ends at the place.
    AtItsEnd,
    /// It has more, to be read from here.
    With(SourceProgress),
}

impl<'o> OpenedSource<'o> {
    pub(super) fn of(object: OpenObject<'o>) -> io::Result<Self> {
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
                let held = object.handle.spool.copy();
                let held = held.ok_or_else(|| io::Error::other("the temporary copy is gone"))?;
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
    pub(super) fn cut(&mut self, layout: Layout, at: u64) -> io::Result<bool> {
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

    pub(super) fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send>> {
        match (&self.held, &self.object.planned.object.location) {
            (Some(held), _) => Ok(Box::new(held.reader(from))),
            (None, Location::Store(stored)) => self.object.stores.reader(stored, from, self.size),
            (None, _) => Err(io::Error::other("cannot be read")),
        }
    }

    /// What tells the stored bytes from others: of a store its tag, else the first and last bytes.
    /// Compressed files end with a checksum.
    pub(super) fn stored_hash(&self, raw: &[u8]) -> io::Result<String> {
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
    pub(super) fn first_decompressed(&self) -> io::Result<Option<Vec<u8>>> {
        let mut head = Vec::new();
        let (stream, _) = compress::decompressed(self.reader(0)?)?;
        match stream.take(HEAD as u64).read_to_end(&mut head) {
            Err(_) if head.is_empty() => Ok(None),
            _ => Ok(Some(head)),
        }
    }

    /// Was the source as long as the object once, with the same content?
    pub(super) fn is_end_of(
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
    pub(super) fn goes_on(
        &self,
        source: &SourceRead,
        compression: Option<Compression>,
    ) -> io::Result<Continuation> {
        let to = source.to_offset;
        let from = to.saturating_sub(TAIL as u64);
        let mut tail = Vec::new();
        let more = match compression {
            None if self.size < to => return Ok(Continuation::Shorter),
            None => {
                self.reader(from)?.take(to - from).read_to_end(&mut tail)?;
                self.size > to
            }
            Some(_) => {
                let (mut stream, _) = compress::decompressed(self.reader(0)?)?;
                let skipped = io::copy(&mut stream.by_ref().take(from), &mut io::sink());
                let read = stream.by_ref().take(to - from).read_to_end(&mut tail);
                if skipped.is_err() || read.is_err() {
                    return Ok(Continuation::No);
                }
                if (tail.len() as u64) < to - from {
                    return Ok(Continuation::Shorter);
                }
                // An error is something new, too.
                !matches!(stream.read(&mut [0]), Ok(0))
            }
        };
        if tail.len() as u64 != to - from || fingerprint(&tail) != source.tail_hash {
            return Ok(Continuation::No);
        }
        match source.progress(tail) {
            Some(progress) if more => Ok(Continuation::With(progress)),
            Some(_) => Ok(Continuation::AtItsEnd),
            None => Ok(Continuation::No),
        }
    }
}
