//! A file that is whole or absent: bytes in; at the end, and only then, a file of that name out.
//!
//! It is written beside its place under a hidden name, synced, given its mode and renamed; then its
//! folder is synced, since the rename itself has to survive a power cut. Readers see the old file
//! or the new one. Through a symbolic link the file behind it is replaced. A device or pipe, such as
//! `/dev/stderr`, is written to as it is: there is nothing to replace.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::source::identity::behind_links;
use crate::temporary::UnfinishedFile;

/// A file while it is written. Dropped early, nothing of it is left.
#[derive(Debug)]
pub struct AtomicFile {
    file: BufWriter<File>,
    /// `None`: a device or pipe.
    hidden: Option<UnfinishedFile>,
    path: PathBuf,
}

/// A file whose bytes are all on disk, still under its hidden name.
#[derive(Debug)]
pub(crate) struct WrittenFile {
    hidden: Option<UnfinishedFile>,
    path: PathBuf,
    /// Its length.
    pub(crate) bytes: u64,
}

const BUFFER: usize = 1 << 20;

impl AtomicFile {
    /// Begins the file `path`; its folder has to exist.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    pub fn create(path: &Path) -> io::Result<Self> {
        let path = behind_links(path);
        if path
            .metadata()
            .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
        {
            let file = OpenOptions::new().write(true).open(&path)?;
            return Ok(Self {
                file: BufWriter::with_capacity(BUFFER, file),
                hidden: None,
                path,
            });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A temporary file is readable by its owner alone: audit logs are secret.
        let (file, hidden) = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .tempfile_in(folder_of(&path))?
            .into_parts();
        Ok(Self {
            file: BufWriter::with_capacity(BUFFER, file),
            hidden: Some(UnfinishedFile::new(hidden)),
            path,
        })
    }

    /// The name under which another writer may write it, closed meanwhile; `None` for a device or
    /// pipe.
    pub(crate) fn hidden_path(&self) -> Option<&Path> {
        self.hidden.as_ref()?.path()
    }

    /// The file that is written in the end.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Another writer has put its own file in the hidden place: takes that one.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        if let Some(hidden) = self.hidden_path() {
            let file = OpenOptions::new().append(true).open(hidden)?;
            self.file = BufWriter::with_capacity(BUFFER, file);
        }
        Ok(())
    }

    /// Everything is written: brings it to the disk, still under its hidden name.
    ///
    /// # Errors
    ///
    /// When that fails; nothing is left then.
    pub(crate) fn written(self) -> io::Result<WrittenFile> {
        let Self {
            mut file,
            hidden,
            path,
        } = self;
        file.flush()?;
        let file = file.get_ref();
        let bytes = file.metadata()?.len();
        if hidden.is_some() {
            file.sync_all()?;
            set_mode(file, &path)?;
        }
        Ok(WrittenFile {
            hidden,
            path,
            bytes,
        })
    }

    /// Everything is written: gives it its name. Its length.
    ///
    /// # Errors
    ///
    /// When that fails; nothing is left then.
    pub fn finish(self) -> io::Result<u64> {
        let written = self.written()?;
        let bytes = written.bytes;
        let folder = written.publish()?;
        sync_folder(&folder);
        Ok(bytes)
    }
}

impl WrittenFile {
    /// Gives it its name; the folder that is to be synced, once for many files.
    ///
    /// # Errors
    ///
    /// When it cannot be renamed.
    pub(crate) fn publish(self) -> io::Result<PathBuf> {
        if let Some(hidden) = self.hidden {
            hidden.rename(&self.path)?;
        }
        Ok(folder_of(&self.path).to_owned())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Names have to survive a power cut, too.
pub(crate) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        // A file system that cannot do it has promised nothing.
        let _ = folder.sync_all();
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// The result has the mode of what it replaces, or is its owner's alone: the apiserver writes audit
/// logs with mode 0600, and a copy is no less secret.
#[cfg(unix)]
fn set_mode(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path
        .metadata()
        .map_or(0o600, |metadata| metadata.permissions().mode() & 0o777);
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_whole_or_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.parquet");
        let entries = || std::fs::read_dir(folder.path()).unwrap().count();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(entries(), 0, "nothing is left");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        assert_eq!(file.finish().unwrap(), 5);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(entries(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn it_has_the_mode_of_what_it_replaces() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        AtomicFile::create(&path).unwrap().finish().unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        AtomicFile::create(&path).unwrap().finish().unwrap();
        assert_eq!(mode(), 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_devices_are_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        std::os::unix::fs::symlink("file", &link).unwrap();
        for text in ["new", "newer"] {
            let mut through = AtomicFile::create(&link).unwrap();
            through.write_all(text.as_bytes()).unwrap();
            through.finish().unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        assert!(link.symlink_metadata().unwrap().is_symlink());
        let mut nowhere = AtomicFile::create(Path::new("/dev/null")).unwrap();
        nowhere.write_all(b"nothing").unwrap();
        nowhere.finish().unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }
}
