//! The file that keeps the history of the shell, readable by its owner alone.

use std::path::{Path, PathBuf};

use rustyline::{Editor, Helper, history::FileHistory};

/// The history file; none without a home.
pub(super) struct History(Option<PathBuf>);

impl History {
    /// The history in this folder, which is made if need be.
    pub(super) fn in_folder(folder: Option<&Path>) -> Self {
        let folder = folder.filter(|folder| std::fs::create_dir_all(folder).is_ok());
        Self(folder.map(|folder| folder.join("history")))
    }

    pub(super) fn load<H: Helper>(&self, editor: &mut Editor<H, FileHistory>) {
        if let Some(file) = &self.0 {
            let _ = editor.load_history(file);
        }
    }

    /// Adds the new lines to the file.
    pub(super) fn save<H: Helper>(&self, editor: &mut Editor<H, FileHistory>) {
        if let Some(file) = &self.0 {
            let _ = editor.append_history(file);
            make_private(file);
        }
    }
}

#[cfg(unix)]
fn make_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600));
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}
