//! An archive in, the files in it out, each an object of its own: zip, and tar in any compression.
//!
//! Files are unpacked into a temporary folder, so that they are read as any others are: in
//! parallel, each by its own content. What else an archive holds is named: links and devices as what
//! is rightly not read, and what cannot be read as a failure.
//! Not responsible for: what the files are, archives among them (`scan/look.rs`).

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use tar::EntryType;

use crate::source::compress;
use crate::source::object::{Failures, InputObject, Location};
use crate::temporary::TemporaryFolder;

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archive {
    Zip,
    Tar,
}

/// A zip file's first header (APPNOTE.TXT, 4.3.7).
const ZIP: &[u8] = b"PK\x03\x04";
/// A tar file's first header, with the magic at 257 (POSIX `ustar`, and GNU's).
const TAR_HEADER: u64 = 512;
/// An archive that unpacks to more than this many times its size, and a little, is an attack.
const MOST_TIMES: u64 = 256;
const LITTLE: u64 = 1 << 30;

/// What the names of archives end with, beside `.tar.gz` and the like.
const ENDINGS: [&str; 7] = [".zip", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst"];

/// Types of members that the tar crate has no name for: GNU tar's `V`, `D` and `M` (GNU tar manual,
/// "Extensions to the standard").
const VOLUME_LABEL: u8 = b'V';
const OLD_DIRECTORY: u8 = b'D';
const REST_OF_A_FILE: u8 = b'M';

impl Archive {
    /// By the first bytes of a file; if it is compressed, by those of what `open` gives, which is
    /// the file from its first byte.
    pub(crate) fn of<R: Read + Send + 'static>(
        head: &[u8],
        compressed: bool,
        open: impl FnOnce() -> io::Result<R>,
    ) -> Option<Self> {
        if head.starts_with(ZIP) {
            return Some(Self::Zip);
        }
        let is_tar = |head: &[u8]| head.get(257..262) == Some(b"ustar");
        if !compressed {
            return is_tar(head).then_some(Self::Tar);
        }
        let (stream, _) = compress::decompressed(Box::new(open().ok()?)).ok()?;
        let mut head = Vec::new();
        // What cannot be decompressed is told when it is read.
        let _ = stream.take(TAR_HEADER).read_to_end(&mut head);
        if head.starts_with(ZIP) {
            return Some(Self::Zip);
        }
        is_tar(&head).then_some(Self::Tar)
    }
}

/// How many bytes may be unpacked of an archive of this size, and of all archives in it.
pub(crate) const fn most_unpacked(size: u64) -> u64 {
    size.saturating_mul(MOST_TIMES).saturating_add(LITTLE)
}

/// Is this the name of an archive? Only for objects that cost a request to look at.
pub(crate) fn is_named_so(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    name.contains(".tar.") || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What an archive held.
pub(crate) struct UnpackedArchive {
    /// The files are gone when it is dropped.
    pub(crate) folder: TemporaryFolder,
    pub(crate) files: Vec<InputObject>,
    /// The names of members that hold no bytes of their own: links, devices.
    pub(crate) not_files: Vec<String>,
    pub(crate) failures: Failures,
}

/// The files of one archive while they are unpacked.
struct Unpacking<'u> {
    uri: &'u str,
    unpacked: UnpackedArchive,
    /// Bytes that may still be unpacked.
    left: &'u mut u64,
}

/// Unpacks the archive at `path`, `left` bytes at most; what remains of them is left.
///
/// # Errors
///
/// When there is no place for its files. What is broken in the archive is a failure beside the files
/// before it.
pub(crate) fn unpack(
    archive: Archive,
    uri: &str,
    path: &Path,
    left: &mut u64,
) -> io::Result<UnpackedArchive> {
    let mut unpacking = Unpacking {
        uri,
        unpacked: UnpackedArchive {
            folder: TemporaryFolder::create()?,
            files: Vec::new(),
            not_files: Vec::new(),
            failures: Vec::new(),
        },
        left,
    };
    let done = match archive {
        Archive::Zip => unpacking.zip(path),
        Archive::Tar => unpacking.tar(path),
    };
    if let Err(error) = done {
        unpacking.fail(
            uri.to_owned(),
            format!("the archive cannot be read to its end: {error}"),
        );
    }
    Ok(unpacking.unpacked)
}

impl Unpacking<'_> {
    fn zip(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut head = Vec::new();
        Read::by_ref(&mut file)
            .take(ZIP.len() as u64)
            .read_to_end(&mut head)?;
        file.rewind()?;
        if head != ZIP {
            // A zip file is read from its end: one that is compressed is decompressed first.
            let (mut stream, _) = compress::decompressed(Box::new(file))?;
            let (path, _) = self.copy("packed", &mut stream)?;
            file = File::open(path)?;
        }
        let mut archive = zip::ZipArchive::new(file).map_err(io::Error::other)?;
        for index in 0..archive.len() {
            match archive.by_index(index) {
                Ok(file) if file.is_dir() => {}
                Ok(mut file) => {
                    let name = file
                        .name()
                        .map_or_else(|_| format!("file {}", index + 1), |name| name.into_owned());
                    if file.is_file() {
                        self.file(&name, &mut file)?;
                    } else {
                        self.unpacked.not_files.push(self.uri_of(&name));
                    }
                }
                // One in a method that we do not know, or with a password, costs the others
                // nothing.
                Err(error) => {
                    let uri = format!("{}/file {}", self.uri, index + 1);
                    self.fail(uri, error.to_string());
                }
            }
        }
        Ok(())
    }

    fn tar(&mut self, path: &Path) -> io::Result<()> {
        let (stream, _) = compress::decompressed(Box::new(File::open(path)?))?;
        let mut archive = tar::Archive::new(stream);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let kind = entry.header().entry_type();
            let mut name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            match kind {
                EntryType::Directory | EntryType::XGlobalHeader => {}
                EntryType::Link
                | EntryType::Symlink
                | EntryType::Char
                | EntryType::Block
                | EntryType::Fifo => self.unpacked.not_files.push(self.uri_of(&name)),
                other if matches!(other.as_byte(), VOLUME_LABEL | OLD_DIRECTORY) => {}
                other if other.as_byte() == REST_OF_A_FILE => {
                    let message = "it begins in another volume of the archive";
                    self.fail(self.uri_of(&name), message.to_owned());
                }
                // Regular, contiguous and sparse files; of any other type, POSIX says, as if it were
                // a regular file.
                _ => {
                    if let Some(sparse) = sparse_name(&mut entry)? {
                        name = sparse;
                        skip_sparse_map(&mut entry)?;
                    }
                    self.file(&name, &mut entry)?;
                }
            }
        }
        Ok(())
    }

    fn uri_of(&self, name: &str) -> String {
        format!("{}/{}", self.uri, name.trim_start_matches("./"))
    }

    fn fail(&mut self, uri: String, message: String) {
        self.unpacked.failures.push((uri, message));
    }

    /// Copies bytes to a file of the folder; its path and size.
    fn copy(&mut self, name: &str, bytes: &mut impl Read) -> io::Result<(PathBuf, u64)> {
        let (path, copy) = self.unpacked.folder.file(name)?;
        let mut copy = io::BufWriter::with_capacity(256 << 10, copy);
        let size = io::copy(&mut bytes.take(self.left.saturating_add(1)), &mut copy)?;
        copy.flush()?;
        if size > *self.left {
            return Err(io::Error::other(format!(
                "it unpacks to more than {MOST_TIMES} times its size"
            )));
        }
        *self.left -= size;
        Ok((path, size))
    }

    /// Copies one file. Its name is told, and never used as a path.
    fn file(&mut self, name: &str, bytes: &mut impl Read) -> io::Result<()> {
        let count = self.unpacked.files.len();
        let (path, size) = self.copy(&count.to_string(), bytes)?;
        self.unpacked.files.push(InputObject {
            uri: self.uri_of(name),
            location: Location::File(path),
            size: Some(size),
            named: false,
        });
        Ok(())
    }
}

/// The name of a sparse file in PAX format 1.0 (GNU tar manual, "PAX Format, Version 1.0"); `None` for
/// any other file.
fn sparse_name<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Option<String>> {
    let (mut name, mut is_sparse) = (None, false);
    if let Some(extensions) = entry.pax_extensions()? {
        for extension in extensions {
            let extension = extension?;
            match extension.key_bytes() {
                b"GNU.sparse.major" => is_sparse = extension.value_bytes() == b"1",
                b"GNU.sparse.name" => {
                    name = Some(String::from_utf8_lossy(extension.value_bytes()).into_owned());
                }
                _ => {}
            }
        }
    }
    Ok(name.filter(|_| is_sparse))
}

/// Skips the map that such a file's data begins with: a count, then an offset and a length for each
/// piece, a number a line, filled up to a block. The holes between the pieces are zeros, and nothing
/// in a log.
fn skip_sparse_map(data: &mut impl Read) -> io::Result<()> {
    const BLOCK: usize = 512;
    let broken = || io::Error::other("the map of a sparse file is malformed");
    let (mut left, mut number, mut read) = (None::<u64>, 0_u64, 0);
    let mut byte = [0];
    while left != Some(0) {
        data.read_exact(&mut byte)?;
        read += 1;
        match byte[0] {
            digit @ b'0'..=b'9' => {
                let digit = u64::from(digit - b'0');
                let longer = number.checked_mul(10).and_then(|n| n.checked_add(digit));
                number = longer.ok_or_else(broken)?;
            }
            b'\n' => {
                left = match left {
                    None => Some(number.checked_mul(2).ok_or_else(broken)?),
                    Some(left) => Some(left - 1),
                };
                number = 0;
            }
            _ => return Err(broken()),
        }
    }
    let padding = (BLOCK - read % BLOCK) % BLOCK;
    io::copy(&mut data.take(padding as u64), &mut io::sink())?;
    Ok(())
}
