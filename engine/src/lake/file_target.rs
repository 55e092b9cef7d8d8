//! The bytes of a data file in, the file in its place out; whole or absent.
//!
//! In a folder a file has a hidden name until it is whole and on disk: readers
//! without Delta's log never see half of it. In a store it is uploaded in parts, and there is nothing
//! before the last. It blocks.

use std::fs;
use std::io::{self, Write};

use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt};
use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind, Result};
use crate::file::atomic::{AtomicFile, WrittenFile, sync_folder};
use crate::lake::checksum::ChecksumWriter;
use crate::lake::root::LakeRoot;

/// Bytes of a part of an upload; S3 wants at least 5 MiB.
const PART: usize = 8 << 20;

/// A data file while it is written.
pub(crate) struct DataFileTarget {
    bytes: TargetBytes,
    checksums: ChecksumWriter,
}

/// Where the bytes of a file go.
enum TargetBytes {
    /// `None` once it is written.
    File(Option<AtomicFile>),
    Upload {
        upload: Box<dyn MultipartUpload>,
        part: Vec<u8>,
        runtime: Handle,
    },
}

impl DataFileTarget {
    /// A new file of a table.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn create(
        root: &LakeRoot,
        table: &'static str,
        name: &str,
        runtime: &Handle,
    ) -> Result<Self> {
        let Some(folder) = root.folder(table) else {
            let store = root.objects(table)?;
            let key = Key::parse(name).unwrap_or_else(|_| Key::from(name));
            let upload = runtime.block_on(store.put_multipart(&key));
            let upload = upload.map_err(|error| root.unwritable(&error))?;
            return Ok(Self::of(TargetBytes::Upload {
                upload,
                part: Vec::with_capacity(PART),
                runtime: runtime.clone(),
            }));
        };
        let name = folder.join(name);
        let fail = |source| -> Error {
            ErrorKind::Output {
                path: name.display().to_string(),
                source,
            }
            .into()
        };
        let parent = name.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).map_err(fail)?;
        let file = AtomicFile::create(&name).map_err(fail)?;
        Ok(Self::of(TargetBytes::File(Some(file))))
    }

    fn of(bytes: TargetBytes) -> Self {
        Self {
            bytes,
            checksums: ChecksumWriter::default(),
        }
    }

    /// What the log is to keep of the bytes that were written: a tag of the file's `add` action.
    pub(crate) fn tag(&mut self) -> (String, Option<String>) {
        self.checksums.tag()
    }

    /// Everything is in its place; a file is hidden until it is published.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub(crate) fn finish(&mut self) -> io::Result<Option<WrittenFile>> {
        match &mut self.bytes {
            TargetBytes::File(file) => file.take().map(AtomicFile::written).transpose(),
            TargetBytes::Upload {
                upload,
                part,
                runtime,
            } => {
                let rest = std::mem::take(part);
                runtime.block_on(async {
                    if !rest.is_empty() {
                        upload.put_part(rest.into()).await?;
                    }
                    upload.complete().await
                })?;
                Ok(None)
            }
        }
    }

    /// Everything is in its place, and under its name: for a file that comes alone.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub(crate) fn finish_alone(&mut self) -> io::Result<()> {
        if let Some(hidden) = self.finish()? {
            sync_folder(&hidden.publish()?);
        }
        Ok(())
    }

    /// As if it had never been.
    pub(crate) fn discard(&mut self) {
        match &mut self.bytes {
            TargetBytes::File(file) => drop(file.take()),
            TargetBytes::Upload {
                upload, runtime, ..
            } => drop(runtime.block_on(upload.abort())),
        }
    }
}

impl Write for DataFileTarget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.bytes {
            TargetBytes::File(Some(file)) => file.write(bytes)?,
            TargetBytes::File(None) => return Err(io::Error::other("the file is closed")),
            TargetBytes::Upload {
                upload,
                part,
                runtime,
            } => {
                part.extend_from_slice(bytes);
                if part.len() >= PART {
                    let full = std::mem::replace(part, Vec::with_capacity(PART));
                    runtime.block_on(upload.put_part(full.into()))?;
                }
                bytes.len()
            }
        };
        self.checksums.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.bytes {
            TargetBytes::File(Some(file)) => file.flush(),
            TargetBytes::File(None) | TargetBytes::Upload { .. } => Ok(()),
        }
    }
}
