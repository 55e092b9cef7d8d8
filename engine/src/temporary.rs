//! Temporary files: a name nobody else has in, a private folder or file out, which is gone when it
//! is dropped, when the process ends, or at the latest when the next one starts.
//!
//! A process has one folder in the system's temporary folder, of mode 0700. It holds a lock on the
//! file `owner` in it for as long as it lives, so that a later process can tell what a killed one
//! left behind, and removes it. What has to be read once only is a file without a name
//! ([`nameless`]). Not responsible for: what the files hold.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tempfile::TempPath;

/// How the folder of a process is called, before the part that is drawn by lot.
const PREFIX: &str = "auditql-";
/// The file in it that is locked while its process lives. It holds the id of the process.
const OWNER: &str = "owner";
/// How often something is tried that another process can get in the way of.
const MOST_TRIES: usize = 200;

/// What this process has to remove before it ends.
static LEFT: Mutex<TemporaryPaths> = Mutex::new(TemporaryPaths {
    folder: Weak::new(),
    folders: BTreeSet::new(),
    files: BTreeSet::new(),
    is_ending: false,
});

struct TemporaryPaths {
    /// The folder of this process, while something uses it.
    folder: Weak<ProcessFolder>,
    folders: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
    /// Nothing more is made.
    is_ending: bool,
}

/// A private folder; it is removed with everything in it when this is dropped.
#[derive(Debug)]
pub(crate) struct TemporaryFolder {
    path: PathBuf,
    _process: Arc<ProcessFolder>,
}

/// The folder of a process.
#[derive(Debug)]
struct ProcessFolder {
    path: PathBuf,
    /// Locked.
    _owner: File,
}

/// A file that is written beside its place and has not got its name yet.
#[derive(Debug)]
pub(crate) struct UnfinishedFile {
    /// `None` once it has its name.
    path: Option<TempPath>,
}

impl TemporaryFolder {
    /// An empty folder.
    ///
    /// # Errors
    ///
    /// When none can be made, or the process is ending.
    pub(crate) fn create() -> io::Result<Self> {
        let process = process_folder()?;
        let path = private_folder_in(&process.path, "")?;
        Ok(Self {
            path,
            _process: process,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A new file in it, for its owner alone.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or is there.
    pub(crate) fn file(&self, name: &str) -> io::Result<(PathBuf, File)> {
        if LEFT.lock().is_ending {
            return Err(ending());
        }
        let path = self.path.join(name);
        let file = create_private(&path)?;
        Ok((path, file))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl UnfinishedFile {
    /// This file is removed unless it gets its name.
    pub(crate) fn new(path: TempPath) -> Self {
        LEFT.lock().files.insert(path.to_path_buf());
        Self { path: Some(path) }
    }

    /// Gives it its name, in place of what has it now.
    ///
    /// # Errors
    ///
    /// When it cannot be renamed.
    pub(crate) fn rename(mut self, name: &Path) -> io::Result<()> {
        let Some(path) = self.path.take() else {
            return Ok(());
        };
        let hidden = path.to_path_buf();
        let renamed = path.persist(name).map_err(|error| error.error);
        LEFT.lock().files.remove(&hidden);
        renamed
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            let hidden = path.to_path_buf();
            drop(path);
            LEFT.lock().files.remove(&hidden);
        }
    }
}

impl Drop for ProcessFolder {
    fn drop(&mut self) {
        remove_folder(&self.path);
        LEFT.lock().folders.remove(&self.path);
    }
}

/// A file without a name, which only this process can read.
///
/// # Errors
///
/// When none can be made, or the process is ending.
pub(crate) fn nameless() -> io::Result<File> {
    if LEFT.lock().is_ending {
        return Err(ending());
    }
    tempfile::tempfile()
}

/// Removes all temporary files and unfinished outputs of this process, which is about to end: work
/// that still runs cannot make new ones.
pub fn remove_temporary_files() {
    let (folders, files) = {
        let mut left = LEFT.lock();
        left.is_ending = true;
        (
            std::mem::take(&mut left.folders),
            std::mem::take(&mut left.files),
        )
    };
    for file in files {
        // `object_store` has a name of its own for what is not complete.
        let mut staged = file.clone().into_os_string();
        staged.push("#1");
        let _ = fs::remove_file(staged);
        let _ = fs::remove_file(file);
    }
    folders.iter().for_each(|folder| remove_folder(folder));
}

/// Somebody may be writing there: a file that comes while its folder is emptied is removed as well.
fn remove_folder(folder: &Path) {
    for _ in 0..MOST_TRIES {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {}
            _ => return,
        }
    }
}

fn ending() -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, "the run was stopped")
}

/// The folder of this process; the first to ask makes it.
fn process_folder() -> io::Result<Arc<ProcessFolder>> {
    let (made, folder) = {
        let mut left = LEFT.lock();
        if left.is_ending {
            return Err(ending());
        }
        match left.folder.upgrade() {
            Some(folder) => (false, folder),
            None => {
                let folder = Arc::new(ProcessFolder::create(&tempfile::env::temp_dir())?);
                left.folder = Arc::downgrade(&folder);
                left.folders.insert(folder.path.clone());
                (true, folder)
            }
        }
    };
    if made {
        sweep(&tempfile::env::temp_dir(), &folder.path);
    }
    Ok(folder)
}

impl ProcessFolder {
    fn create(parent: &Path) -> io::Result<Self> {
        for _ in 0..MOST_TRIES {
            let path = private_folder_in(parent, PREFIX)?;
            // Until the lock is there, another process can take the folder for a leftover.
            let mut owner = match create_private(&path.join(OWNER)) {
                Ok(owner) => owner,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            // Where files cannot be locked nobody removes what is not his.
            if matches!(owner.try_lock(), Err(TryLockError::WouldBlock)) {
                continue;
            }
            // For people; the lock is what counts.
            let _ = writeln!(owner, "{}", std::process::id());
            return Ok(Self {
                path,
                _owner: owner,
            });
        }
        Err(io::Error::other("other processes keep removing it"))
    }
}

/// Removes what killed processes left behind.
fn sweep(parent: &Path, ours: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.filter_map(io::Result::ok) {
        let path = entry.path();
        let is_candidate = entry.file_name().to_string_lossy().starts_with(PREFIX) && path != ours;
        if is_candidate && has_same_owner(&path, ours) {
            remove_if_left(&path);
        }
    }
}

fn remove_if_left(folder: &Path) {
    let owner = folder.join(OWNER);
    // Opening a pipe would wait for whoever writes to it.
    if !fs::symlink_metadata(&owner).is_ok_and(|metadata| metadata.is_file()) {
        // Empty, it is what is left of a process that was killed while it made the folder.
        let _ = fs::remove_dir(folder);
        return;
    }
    if let Ok(owner) = File::open(&owner)
        && owner.try_lock().is_ok()
    {
        let _ = fs::remove_dir_all(folder);
    }
}

/// A folder, and the same user's as `ours`.
#[cfg(unix)]
fn has_same_owner(folder: &Path, ours: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = |path: &Path| {
        let metadata = fs::symlink_metadata(path).ok()?;
        metadata.is_dir().then(|| metadata.uid())
    };
    user(ours).is_some() && user(folder) == user(ours)
}

#[cfg(not(unix))]
fn has_same_owner(folder: &Path, _: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir())
}

fn private_folder_in(parent: &Path, prefix: &str) -> io::Result<PathBuf> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    Ok(builder.tempdir_in(parent)?.keep())
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let ours = ProcessFolder::create(parent.path()).unwrap();
        let alive = ProcessFolder::create(parent.path()).unwrap();
        let killed = ProcessFolder::create(parent.path()).unwrap();
        let left = killed.path.clone();
        fs::write(left.join("0"), "a log").unwrap();
        // As the kernel does it for one that was killed: the lock goes, the files stay.
        killed._owner.unlock().unwrap();
        let half = private_folder_in(parent.path(), PREFIX).unwrap();
        let foreign = parent.path().join("auditql-notes");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("notes"), "mine").unwrap();
        sweep(parent.path(), &ours.path);
        assert!(!left.exists() && !half.exists());
        assert!(ours.path.exists() && alive.path.exists() && foreign.exists());
        drop(alive);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn folders_and_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let folder = TemporaryFolder::create().unwrap();
        let (path, _) = folder.file("0").unwrap();
        assert_eq!(mode(&folder._process.path), 0o700);
        assert_eq!((mode(folder.path()), mode(&path)), (0o700, 0o600));
        drop(folder);
        assert!(!path.exists());
    }
}
