//! What is known of a source's bytes after they were read: a stream in, its SHA-256, its length,
//! its newlines and its last bytes out.
//!
//! Two readers share a [`Witness`]: [`Witness::stored`] stands before decompression and notes
//! whether reading failed, so that a store that fails is told from a stream that is broken for
//! good; [`Witness::decoded`] stands after it.

use std::{
    io::{self, Read},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use sha2::{
    Digest, Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use crate::source::store::CHANGED;

/// How many bytes before a position are part of a source's fingerprint.
pub(crate) const TAIL: usize = 4 << 10;

/// What was read of a source, from its first byte.
#[derive(Debug, Clone)]
pub(crate) struct SourceProgress {
    sha256: Sha256,
    /// Decompressed bytes.
    pub(crate) bytes: u64,
    pub(crate) newlines: u64,
    /// The last bytes, at most [`TAIL`].
    tail: Vec<u8>,
}

impl Default for SourceProgress {
    fn default() -> Self {
        Self {
            sha256: Sha256::new(),
            bytes: 0,
            newlines: 0,
            tail: Vec::new(),
        }
    }
}

impl SourceProgress {
    /// Goes on after bytes that were read in an earlier run; `None` when `state` is none.
    pub(crate) fn resume(state: &str, bytes: u64, newlines: u64, tail: Vec<u8>) -> Option<Self> {
        let state = unhex(state)?;
        let state = SerializedState::<Sha256>::try_from(state.as_slice()).ok()?;
        Some(Self {
            sha256: Sha256::deserialize(&state).ok()?,
            bytes,
            newlines,
            tail,
        })
    }

    /// More bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
        self.newlines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        if bytes.len() >= TAIL {
            self.tail.clear();
            self.tail.extend_from_slice(&bytes[bytes.len() - TAIL..]);
        } else {
            self.tail.extend_from_slice(bytes);
            let over = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..over);
        }
    }

    /// The hash of all bytes, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        hex(&self.sha256.clone().finalize())
    }

    /// What [`Self::resume`] needs.
    pub(crate) fn state(&self) -> String {
        hex(&self.sha256.serialize())
    }

    /// The fingerprint of the last bytes.
    pub(crate) fn tail_hash(&self) -> String {
        fingerprint(&self.tail)
    }
}

/// 128 bits of SHA-256, in hexadecimal: what tells sources from each other. Nobody can make another
/// content for it.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..16])
}

/// What looks on while a stream is read.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    progress: Mutex<SourceProgress>,
    failed: AtomicBool,
    changed: AtomicBool,
}

impl Witness {
    /// Goes on from here.
    pub(crate) fn new(progress: SourceProgress) -> Self {
        Self {
            progress: Mutex::new(progress),
            failed: AtomicBool::new(false),
            changed: AtomicBool::new(false),
        }
    }

    /// What was read so far.
    pub(crate) fn progress(&self) -> SourceProgress {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Could bytes not be read, although they may be there? A stream that cannot be decompressed is
    /// another matter.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Did reading fail because the object changed meanwhile?
    pub(crate) fn changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }

    /// The stored bytes.
    pub(crate) fn stored<R: Read>(self: &std::sync::Arc<Self>, reader: R) -> impl Read + use<R> {
        StoredBytes {
            reader,
            witness: std::sync::Arc::clone(self),
        }
    }

    /// The decompressed bytes, from the first.
    pub(crate) fn decoded<R: Read>(self: &std::sync::Arc<Self>, reader: R) -> impl Read + use<R> {
        let known = self.progress().bytes;
        DecodedBytes {
            reader,
            witness: std::sync::Arc::clone(self),
            known,
        }
    }
}

struct StoredBytes<R> {
    reader: R,
    witness: std::sync::Arc<Witness>,
}

impl<R: Read> Read for StoredBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        match read.as_ref().map_err(io::Error::kind) {
            Ok(_) | Err(io::ErrorKind::Interrupted) => {}
            Err(kind) => {
                let changed = &self.witness.changed;
                changed.fetch_or(kind == CHANGED, Ordering::Relaxed);
                self.witness.failed.store(true, Ordering::Relaxed);
            }
        }
        read
    }
}

struct DecodedBytes<R> {
    reader: R,
    witness: std::sync::Arc<Witness>,
    /// Bytes still to come that the witness knows already.
    known: u64,
}

impl<R: Read> Read for DecodedBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let known = usize::try_from(self.known).unwrap_or(usize::MAX).min(read);
        self.known -= known as u64;
        if known < read {
            self.witness
                .progress
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .update(&buffer[known..read]);
        }
        Ok(read)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let value = |digit: u8| (digit as char).to_digit(16).map(|value| value as u8);
    (digits.len().is_multiple_of(2))
        .then(|| {
            digits
                .chunks_exact(2)
                .map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?))
                .collect::<Option<Vec<u8>>>()
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_hash_goes_on_where_it_stopped() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|n| (n % 251) as u8).collect();
        let mut whole = SourceProgress::default();
        whole.update(&bytes);
        for cut in [0, 1, 63, 64, 65, 4096, 10_000, 20_000] {
            let mut first = SourceProgress::default();
            first.update(&bytes[..cut]);
            let tail = bytes[cut.saturating_sub(TAIL)..cut].to_vec();
            assert_eq!(first.tail_hash(), fingerprint(&tail));
            let mut then =
                SourceProgress::resume(&first.state(), first.bytes, first.newlines, tail).unwrap();
            bytes[cut..]
                .chunks(777)
                .for_each(|chunk| then.update(chunk));
            assert_eq!(
                (then.sha256(), then.bytes, then.newlines),
                (whole.sha256(), whole.bytes, whole.newlines)
            );
            assert_eq!(then.tail_hash(), whole.tail_hash());
        }
        assert!(SourceProgress::resume("zz", 0, 0, Vec::new()).is_none());
        assert_eq!(
            SourceProgress::default().sha256(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn known_bytes_are_not_counted_twice() {
        let bytes = b"one\ntwo\nthree\n";
        let mut first = SourceProgress::default();
        first.update(&bytes[..4]);
        let witness = Arc::new(Witness::new(first));
        io::copy(
            &mut witness.decoded(witness.stored(&bytes[..])),
            &mut io::sink(),
        )
        .unwrap();
        let mut whole = SourceProgress::default();
        whole.update(bytes);
        assert_eq!(
            (witness.progress().sha256(), witness.progress().newlines),
            (whole.sha256(), 3)
        );
        assert!(!witness.failed());
    }
}
