//! What a run may write: its inputs and outputs in, an error out if an output would destroy an
//! input, another output, or a part of a lake.
//!
//! Everything that writes a file by a name of the user's asks here first. Not responsible for how
//! it is written ([`super::atomic`]).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::source::identity::{FileIdentity, behind_links};
use crate::source::lake_folder::is_lake;
use crate::source::object::{InputObject, Location};

/// The files that belong to a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutputGuard {
    inputs: HashSet<FileIdentity>,
    outputs: HashSet<FileIdentity>,
    /// The lake that is written to, if it is in a folder.
    lake: Option<PathBuf>,
}

impl OutputGuard {
    /// Of a run with these inputs and outputs; a name that ends with `/` is a lake.
    ///
    /// # Errors
    ///
    /// When an output is an input, or another output.
    pub(crate) fn new(objects: &[InputObject], outputs: &[PathBuf]) -> Result<Self> {
        let inputs = objects.iter().filter_map(|object| match &object.location {
            Location::File(path) => FileIdentity::of(path),
            Location::Stdin => FileIdentity::of_stdin(),
            Location::Store(_) => None,
        });
        let mut guard = Self {
            inputs: inputs.collect(),
            ..Self::default()
        };
        let is_url = |output: &Path| output.to_string_lossy().contains("://");
        let is_lake = |output: &Path| output.as_os_str().as_encoded_bytes().ends_with(b"/");
        let outputs = || outputs.iter().filter(|output| !is_url(output));
        for output in outputs().filter(|output| is_lake(output)) {
            guard.lake = std::path::absolute(output).ok();
        }
        for output in outputs() {
            guard.check(output)?;
            guard.outputs.extend(FileIdentity::of(output));
        }
        Ok(guard)
    }

    /// May this file be written, besides the outputs that are known?
    ///
    /// # Errors
    ///
    /// When it is an input, an output, or lies in a lake.
    pub(crate) fn check(&self, output: &Path) -> Result<()> {
        if FileIdentity::of(output).is_some_and(|identity| self.outputs.contains(&identity)) {
            let message = "is written twice in this run; give each output a file of its own";
            return Err(refused(output, message));
        }
        self.check_inputs(output)
    }

    /// May this output be written, which may be one of those that are known?
    ///
    /// # Errors
    ///
    /// When it is an input, or lies in a lake.
    pub(crate) fn check_inputs(&self, output: &Path) -> Result<()> {
        if FileIdentity::of(output).is_some_and(|identity| self.inputs.contains(&identity)) {
            let message = "is an input, too; write the output to another file";
            return Err(refused(output, message));
        }
        let absolute = std::path::absolute(output).unwrap_or_else(|_| output.to_owned());
        let folder = behind_links(output);
        let folder = folder
            .parent()
            .and_then(|folder| folder.canonicalize().ok());
        let in_lake = [absolute.parent(), folder.as_deref()]
            .into_iter()
            .flatten()
            .flat_map(Path::ancestors)
            .any(|folder| is_lake(folder) || self.lake.as_deref() == Some(folder));
        if in_lake {
            let message = "lies in a lake, where only lakes write; write it elsewhere";
            return Err(refused(output, message));
        }
        Ok(())
    }
}

fn refused(output: &Path, message: &str) -> Error {
    Error::input(output.display().to_string(), message)
}

/// Do these two paths name one file?
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    FileIdentity::of(a).is_some_and(|identity| FileIdentity::of(b) == Some(identity))
}
