//! A local file that is opened once and read many times: its bytes, up to the length that it had
//! when it was opened.
//!
//! Logs are rotated while they are read. What is read through one handle is one file, whatever its
//! name is given to meanwhile; and what is appended meanwhile belongs to the next run. A file that
//! shrinks under its reader, or is written anew, ends early or holds two states at once: who read it
//! has to ask [`Held::is_whole`] or [`Held::is_still`] afterwards.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// How many bytes at a file's start tell whether it is still the same.
const HEAD: usize = 4 << 10;

/// What a file began with when it was looked at: of a log that grows the same for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadMark {
    bytes: usize,
    hash: u64,
}

impl HeadMark {
    /// Of a file whose first bytes these are.
    pub(crate) fn of(head: &[u8]) -> Self {
        let head = &head[..head.len().min(HEAD)];
        Self {
            bytes: head.len(),
            hash: xxh3_64(head),
        }
    }
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: HeldBytes,
    pub(crate) size: u64,
}

#[derive(Debug, Clone)]
enum HeldBytes {
    File(Arc<File>),
    /// For tests and benches.
    Memory(Arc<[u8]>),
}

/// Reads a held file from a position of its own.
#[derive(Debug)]
pub(crate) struct HeldReader {
    held: Arc<Held>,
    at: u64,
}

impl Held {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Arc<Self>> {
        Self::of(File::open(path)?)
    }

    /// An open file.
    ///
    /// # Errors
    ///
    /// When its length is not known.
    pub(crate) fn of(file: File) -> io::Result<Arc<Self>> {
        let size = file.metadata()?.len();
        Ok(Arc::new(Self {
            bytes: HeldBytes::File(Arc::new(file)),
            size,
        }))
    }

    /// Bytes in memory that stand for a file.
    pub(crate) fn in_memory(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self {
            size: bytes.len() as u64,
            bytes: HeldBytes::Memory(bytes.into()),
        })
    }

    /// A reader that begins at this byte.
    pub(crate) fn reader(self: &Arc<Self>, at: u64) -> HeldReader {
        HeldReader {
            held: Arc::clone(self),
            at,
        }
    }

    /// The same, as if it ended at this byte.
    pub(crate) fn until(&self, size: u64) -> Arc<Self> {
        Arc::new(Self {
            bytes: self.bytes.clone(),
            size: size.min(self.size),
        })
    }

    /// Are all the bytes still there that were there when it was opened?
    pub(crate) fn is_whole(&self) -> bool {
        match &self.bytes {
            HeldBytes::File(file) => file
                .metadata()
                .is_ok_and(|metadata| metadata.len() >= self.size),
            HeldBytes::Memory(_) => true,
        }
    }

    /// Has it still at least so many bytes, and does it begin as it did?
    pub(crate) fn is_still(&self, size: u64, head: HeadMark) -> bool {
        let HeldBytes::File(file) = &self.bytes else {
            return true;
        };
        let mut now = vec![0; head.bytes];
        let mut filled = 0;
        while filled < now.len() {
            match read_at(file, &mut now[filled..], filled as u64) {
                Ok(0) => return false,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        HeadMark::of(&now) == head && file.metadata().is_ok_and(|metadata| metadata.len() >= size)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        match &self.bytes {
            HeldBytes::File(file) => read_at(file, buffer, at),
            HeldBytes::Memory(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                (&bytes[from..]).read(buffer)
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

impl Read for HeldReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.held.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let read = self.held.read_at(&mut buffer[..most], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for HeldReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.held.size.checked_add_signed(by),
        };
        self.at = to.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "before the start of the file")
        })?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn it_stays_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("a.log"), folder.path().join("a.log.1"));
        std::fs::write(&path, "first line\n").unwrap();
        let held = Held::open(&path).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        std::fs::write(&path, "another file").unwrap();
        std::fs::OpenOptions::new()
            .append(true)
            .open(&moved)
            .unwrap()
            .write_all(b"more")
            .unwrap();
        let mut text = String::new();
        held.reader(0).read_to_string(&mut text).unwrap();
        assert_eq!(text, "first line\n");
        let mut reader = held.reader(0);
        reader.seek(SeekFrom::End(-5)).unwrap();
        text.clear();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "line\n");
        assert!(held.is_whole());
        let head = HeadMark::of(b"first line\n");
        assert!(held.is_still(11, head));
        // Cut, written anew, and longer than it was.
        std::fs::write(&moved, "other lines than those").unwrap();
        assert!(held.is_whole() && !held.is_still(11, head));
        std::fs::write(&moved, "first").unwrap();
        assert!(!held.is_whole() && !held.is_still(11, head));
    }
}
