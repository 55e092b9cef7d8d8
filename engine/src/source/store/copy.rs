//! An object of a store in, a copy of it in a file out, for readers that need to seek.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use super::{StoreObject, Stores, failure::CHANGED};
use crate::temporary::TemporaryFolder;

/// How often an object is copied that changes meanwhile.
const MOST_COPIES: usize = 3;

impl Stores {
    /// Copies an object to a new file. One that changes meanwhile is copied again, as it is then.
    /// It blocks.
    ///
    /// # Errors
    ///
    /// If it cannot be read, keeps changing, or the copy cannot be written.
    pub(crate) fn copied(
        &self,
        object: &StoreObject,
        folder: &TemporaryFolder,
        name: &str,
    ) -> io::Result<PathBuf> {
        let mut object = object.clone();
        for copies in 1.. {
            let (path, file) = folder.file(&format!("{name}-{copies}"))?;
            let mut copy = BufWriter::with_capacity(256 << 10, file);
            let mut reader = self.reader(&object, 0, u64::MAX)?;
            match io::copy(&mut reader, &mut copy) {
                Ok(_) => return copy.flush().map(|()| path),
                Err(error) if error.kind() == CHANGED && copies < MOST_COPIES => {
                    std::fs::remove_file(&path)?;
                    object = self.renewed(&object)?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(CHANGED, "the object keeps changing"))
    }
}
