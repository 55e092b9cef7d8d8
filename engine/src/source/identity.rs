//! Which file a path names: a path in, an identity out that is equal for all names of one file.
//!
//! Hard links, symbolic links and names that a file system folds to one are the same file by device
//! and inode. Files that do not exist yet are the same if they would lie in the same folder under
//! names that differ in case at most: whether the file system folds case is not known before.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// Symbolic links that are followed, as in Linux.
const MOST_LINKS: usize = 40;

/// A file, whatever its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum FileIdentity {
    /// A file that exists.
    Existing(Inode),
    /// One that does not: its folder, and its name in lower case.
    Absent(Option<Inode>, OsString),
}

/// Device and inode; where a system does not tell them, the path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Inode(u64, u64, PathBuf);

impl FileIdentity {
    /// The file that a path names. `None` for devices and pipes, which any number may use.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let path = behind_links(path);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() || metadata.is_dir() => {
                Some(Self::Existing(inode(&path, &metadata)))
            }
            Ok(_) => None,
            Err(_) => {
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty())
                    .unwrap_or_else(|| Path::new("."));
                let metadata = fs::metadata(folder).ok();
                let name = match metadata {
                    Some(_) => path.file_name().unwrap_or_default(),
                    None => path.as_os_str(),
                };
                Some(Self::Absent(
                    metadata.map(|metadata| inode(folder, &metadata)),
                    name.to_ascii_lowercase(),
                ))
            }
        }
    }

    /// The file that stdin is read from; `None` for a terminal or a pipe.
    #[cfg(unix)]
    pub(crate) fn of_stdin() -> Option<Self> {
        use std::os::fd::AsFd;
        let stdin = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
        let metadata = fs::File::from(stdin).metadata().ok()?;
        metadata
            .is_file()
            .then(|| Self::Existing(inode(Path::new(""), &metadata)))
    }

    /// Its path is not known there.
    #[cfg(not(unix))]
    pub(crate) fn of_stdin() -> Option<Self> {
        None
    }
}

#[cfg(unix)]
fn inode(_: &Path, metadata: &Metadata) -> Inode {
    use std::os::unix::fs::MetadataExt;
    Inode(metadata.dev(), metadata.ino(), PathBuf::new())
}

#[cfg(not(unix))]
fn inode(path: &Path, _: &Metadata) -> Inode {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Inode(0, 0, PathBuf::from(path.as_os_str().to_ascii_lowercase()))
}

/// Where a path leads in the end, also if nothing is there yet.
pub(crate) fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
        // What `/dev/stdout` leads to has no name if it is a pipe.
        if !is_link || is_special(&path) {
            break;
        }
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = match path.parent() {
            Some(folder) => folder.join(target),
            None => target,
        };
    }
    path
}

fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let same = |a: &str, b: &str| FileIdentity::of(&path(a)) == FileIdentity::of(&path(b));
        fs::write(path("a"), "").unwrap();
        fs::write(path("b"), "").unwrap();
        fs::create_dir(path("sub")).unwrap();
        fs::hard_link(path("a"), path("hard")).unwrap();
        std::os::unix::fs::symlink("a", path("soft")).unwrap();
        std::os::unix::fs::symlink("soft", path("soft-to-soft")).unwrap();
        std::os::unix::fs::symlink("new", path("dangling")).unwrap();
        std::os::unix::fs::symlink(".", path("sub/up")).unwrap();
        for name in ["hard", "soft", "soft-to-soft", "./a", "sub/../a"] {
            assert!(same("a", name), "{name}");
        }
        assert!(!same("a", "b") && !same("a", "new") && !same("new", "other"));
        assert!(same("new", "dangling") && same("new", "NEW") && same("sub/../new", "new"));
        assert!(same("sub/x", "sub/up/x") && !same("sub/x", "x"));
        assert!(same("none/x", "none/x"));
        assert!(FileIdentity::of(Path::new("/dev/null")).is_none());
    }
}
