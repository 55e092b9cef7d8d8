//! The bytes of an object in, what it is of each source that begins as it does out.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read};

use crate::lake::source::SourceRead;
use crate::source::witness::SourceProgress;

const BUFFER: usize = 256 << 10;

/// What an object is of a source that begins as it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It holds what was read.
    Same,
    /// It goes on otherwise.
    Other,
    /// It ends after so many bytes.
    Short(u64),
    /// Behind so many bytes it cannot be decompressed.
    Broken(u64, String),
}

/// What was seen of an object.
#[derive(Debug, Default)]
pub(super) struct SeenObject {
    /// By the id of the source, with the byte up to which it was read.
    pub(super) likeness: HashMap<String, (Likeness, u64)>,
    /// Its decompressed bytes, where its end was met.
    pub(super) length: Option<u64>,
}

/// An object while it is compared.
pub(super) struct OriginalComparison<'s> {
    /// Those that were not compared yet, the shortest first.
    candidates: VecDeque<&'s SourceRead>,
    progress: SourceProgress,
    seen: SeenObject,
}

impl<'s> OriginalComparison<'s> {
    pub(super) fn new(mut candidates: Vec<&'s SourceRead>) -> Self {
        candidates.sort_by_key(|source| source.to_offset);
        Self {
            candidates: candidates.into(),
            progress: SourceProgress::default(),
            seen: SeenObject::default(),
        }
    }

    fn note(&mut self, source: &SourceRead, likeness: Likeness) {
        self.seen
            .likeness
            .insert(source.source_id.clone(), (likeness, source.to_offset));
    }

    /// More bytes of the object.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        while let Some(source) = self.candidates.front().copied() {
            let left = usize::try_from(source.to_offset.saturating_sub(self.progress.bytes))
                .unwrap_or(usize::MAX);
            let Some((before, after)) = bytes.split_at_checked(left) else {
                break;
            };
            self.progress.update(before);
            bytes = after;
            let is_same =
                self.progress.sha256() == source.sha256 && self.progress.newlines == source.lines;
            self.note(
                source,
                if is_same {
                    Likeness::Same
                } else {
                    Likeness::Other
                },
            );
            self.candidates.pop_front();
        }
        self.progress.update(bytes);
    }

    /// Reads on until all are compared; was the end met?
    pub(super) fn read(&mut self, stream: &mut dyn Read, careful: Option<u64>) -> io::Result<bool> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let is_done = self.candidates.is_empty();
            let most = if is_done || careful.is_some_and(|at| self.progress.bytes >= at) {
                1
            } else {
                BUFFER
            };
            match stream.read(&mut buffer[..most]) {
                Ok(0) => return Ok(true),
                Ok(_) if is_done => return Ok(false),
                Ok(read) => self.take(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // What is behind everything that was ever read does not matter.
                Err(_) if is_done => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn end(mut self, ended: io::Result<bool>) -> SeenObject {
        let at = self.progress.bytes;
        let message = ended.as_ref().err().map(ToString::to_string);
        while let Some(source) = self.candidates.pop_front() {
            self.note(
                source,
                message
                    .clone()
                    .map_or(Likeness::Short(at), |message| Likeness::Broken(at, message)),
            );
        }
        self.seen.length = ended.is_ok_and(|ended| ended).then_some(at);
        self.seen
    }
}
