//! An archive in, the files in it out, each an object of its own: zip, and tar in any compression.
//!
//! Files are unpacked into a temporary folder, so that they are read as any others are: in
//! parallel, each by its own content. Archives in archives are not unpacked. Not responsible for:
//! what the files are.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use crate::source::compress;
use crate::source::object::{Failures, InputObject, Location};
use crate::temporary::TemporaryFolder;

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archive {
    Zip,
    Tar,
}

/// A tar file's first header, with the magic at 257 (POSIX `ustar`, and GNU's).
const TAR_HEADER: u64 = 512;
/// An archive that unpacks to more than this many times its size, and a little, is an attack.
const MOST_TIMES: u64 = 256;
const LITTLE: u64 = 1 << 30;

impl Archive {
    /// By the first bytes of a file, decompressed if need be.
    pub(crate) fn of(path: &Path, head: &[u8], compressed: bool) -> Option<Self> {
        if head.starts_with(b"PK\x03\x04") {
            return Some(Self::Zip);
        }
        let is_tar = |head: &[u8]| head.get(257..262) == Some(b"ustar");
        if !compressed {
            return is_tar(head).then_some(Self::Tar);
        }
        let (stream, _) = compress::decompressed(Box::new(File::open(path).ok()?)).ok()?;
        let mut head = Vec::new();
        // What cannot be decompressed is told when it is read.
        let _ = stream.take(TAR_HEADER).read_to_end(&mut head);
        is_tar(&head).then_some(Self::Tar)
    }
}

/// The files of one archive while they are unpacked.
struct Unpacking<'u> {
    uri: &'u str,
    folder: &'u TemporaryFolder,
    objects: Vec<InputObject>,
    failures: Failures,
    /// Bytes that may still be unpacked.
    left: u64,
}

/// Unpacks the archive at `path`; its files are gone when the folder is dropped.
///
/// # Errors
///
/// When there is no place for them. What is broken in the archive is a failure beside the files
/// before it.
pub(crate) fn unpack(
    archive: Archive,
    uri: &str,
    path: &Path,
) -> io::Result<(TemporaryFolder, Vec<InputObject>, Failures)> {
    let folder = TemporaryFolder::create()?;
    let left = path
        .metadata()?
        .len()
        .saturating_mul(MOST_TIMES)
        .saturating_add(LITTLE);
    let mut unpacking = Unpacking {
        uri,
        folder: &folder,
        objects: Vec::new(),
        failures: Vec::new(),
        left,
    };
    let done = match archive {
        Archive::Zip => unpacking.zip(path),
        Archive::Tar => unpacking.tar(path),
    };
    if let Err(error) = done {
        unpacking.failures.push((
            uri.to_owned(),
            format!("the archive cannot be read to its end: {error}"),
        ));
    }
    let Unpacking {
        objects, failures, ..
    } = unpacking;
    Ok((folder, objects, failures))
}

impl Unpacking<'_> {
    fn zip(&mut self, path: &Path) -> io::Result<()> {
        let mut archive = zip::ZipArchive::new(File::open(path)?).map_err(io::Error::other)?;
        for index in 0..archive.len() {
            match archive.by_index(index) {
                Ok(mut file) if file.is_file() => {
                    let name = file
                        .name()
                        .map_or_else(|_| format!("file {}", index + 1), |name| name.into_owned());
                    self.file(&name, &mut file)?;
                }
                Ok(_) => {}
                // One in a method that we do not know, or with a password, costs the others
                // nothing.
                Err(error) => self.failures.push((
                    format!("{}/file {}", self.uri, index + 1),
                    error.to_string(),
                )),
            }
        }
        Ok(())
    }

    fn tar(&mut self, path: &Path) -> io::Result<()> {
        let (stream, _) = compress::decompressed(Box::new(File::open(path)?))?;
        let mut archive = tar::Archive::new(stream);
        for entry in archive.entries()? {
            let mut entry = entry?;
            if entry.header().entry_type().is_file() {
                let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                self.file(&name, &mut entry)?;
            }
        }
        Ok(())
    }

    /// Copies one file. Its name is told, and never used as a path.
    fn file(&mut self, name: &str, bytes: &mut impl Read) -> io::Result<()> {
        let (path, copy) = self.folder.file(&self.objects.len().to_string())?;
        let mut copy = io::BufWriter::with_capacity(256 << 10, copy);
        let size = io::copy(&mut bytes.take(self.left.saturating_add(1)), &mut copy)?;
        copy.flush()?;
        let uri = format!("{}/{}", self.uri, name.trim_start_matches("./"));
        if size > self.left {
            return Err(io::Error::other(format!(
                "it unpacks to more than {MOST_TIMES} times its size"
            )));
        }
        self.left -= size;
        self.objects.push(InputObject {
            uri,
            location: Location::File(path),
            size: Some(size),
            named: false,
        });
        Ok(())
    }
}
