//! Files of Kubernetes objects among the inputs: their bytes in, the RBAC objects of a cluster and an
//! account of every object out.
//!
//! What `kubectl get -o json|yaml` prints, manifests, must-gather: recognised by the first bytes
//! ([`holds_objects`]), compressed or not. How objects are read is in
//! [`rbac`](crate::rbac); a file is held in memory while it is.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};

use crate::account::{InputReport, Reject, Tally, reason};
use crate::error::{ErrorKind, Result};
use crate::rbac::ManifestReader;
use crate::rbac::RbacObjects;
use crate::rbac::ReadObjects;
use crate::rbac::lay_bootstrap_under;
use crate::rbac::looks_like_objects;
use crate::rbac::resolve_aggregation;
use crate::source::compress::decompressed;
use crate::source::object::{InputObject, Location};
use crate::source::store::Stores;

/// A file of objects may be so long: it is held in memory.
const MOST_BYTES: u64 = 1 << 30;

/// The value of the column `format` would be this, if objects were events.
const FORMAT: &str = "kubernetes-objects";

/// The objects of the inputs.
#[derive(Debug, Default)]
pub(crate) struct ClusterObjects {
    /// What was read; aggregated roles are resolved.
    pub(crate) read: ReadObjects,
    /// By file.
    pub(crate) accounts: Vec<InputReport>,
}

/// Do the first bytes of a file, which may be compressed, begin Kubernetes objects?
pub(crate) fn holds_objects(head: &[u8], is_compressed: bool) -> bool {
    if !is_compressed {
        return looks_like_objects(&String::from_utf8_lossy(head));
    }
    let mut start = Vec::new();
    let whole = io::Cursor::new(head.to_vec());
    let Ok((reader, _)) = decompressed(Box::new(whole)) else {
        return false;
    };
    // The head ends somewhere in the compressed stream: what comes before its end counts.
    let _ = reader.take(head.len() as u64).read_to_end(&mut start);
    looks_like_objects(&String::from_utf8_lossy(&start))
}

impl ClusterObjects {
    /// The objects, if they can be those of one cluster.
    ///
    /// # Errors
    ///
    /// When two objects of one name have different UIDs: the inputs are dumps of two clusters.
    pub(crate) fn of_one_cluster(&self) -> Result<&RbacObjects> {
        let Some(conflict) = self.read.conflicts.first() else {
            return Ok(&self.read.objects);
        };
        let message = format!(
            "{} and {} are dumps of two clusters, or of one at two times: {} has another UID in each",
            conflict.earlier, conflict.later, conflict.object
        );
        Err(ErrorKind::Options(message).into())
    }

    /// Reads files of objects. `minor` is the version of Kubernetes, 1.`minor`, whose own roles are
    /// laid under an input that has none of them. It blocks.
    pub(crate) fn read(files: Vec<InputObject>, stores: &Stores, minor: u32) -> Self {
        let mut reader = ManifestReader::new();
        let mut accounts = Vec::with_capacity(files.len());
        for file in files {
            let mut tally = Tally {
                format: Some(FORMAT),
                ..Tally::default()
            };
            match text(&file, stores) {
                Ok(text) => read_file(&mut reader, &file.uri, &text, &mut tally),
                Err(error) => tally.reject(&Reject::new(
                    reason::UNREADABLE,
                    error.to_string(),
                    0,
                    None,
                    b"",
                )),
            }
            accounts.push(InputReport {
                uri: file.uri,
                size: file.size,
                compression: None,
                tally,
            });
        }
        let mut read = reader.finish();
        let is_empty = read.objects.roles.is_empty() && read.objects.bindings.is_empty();
        if !is_empty {
            lay_bootstrap_under(&mut read.objects, minor);
        }
        resolve_aggregation(&mut read.objects, &HashSet::new());
        Self { read, accounts }
    }
}

/// Reads one file, and counts what was in it.
fn read_file(reader: &mut ManifestReader, uri: &str, text: &str, tally: &mut Tally) {
    let before = reader.counts();
    let rejects = reader.rejects().len();
    reader.read_text(uri, text);
    let after = reader.counts();
    tally.bytes = text.len() as u64;
    tally.objects = after.kept - before.kept;
    if after.skipped > before.skipped {
        let skipped = after.skipped - before.skipped;
        tally.skipped.insert(reason::OTHER_OBJECT, skipped);
    }
    for reject in reader.rejects().get(rejects..).unwrap_or_default() {
        let message = reject.message.clone();
        let line = Some(reject.line);
        tally.reject(&Reject::new(reason::MANIFEST, message, 0, line, b""));
    }
}

/// The text of a file.
fn text(file: &InputObject, stores: &Stores) -> io::Result<String> {
    let raw: Box<dyn Read + Send> = match &file.location {
        Location::File(path) => Box::new(File::open(path)?),
        Location::Stdin => Box::new(io::stdin()),
        Location::Store(stored) => stores.reader(stored, 0, u64::MAX)?,
    };
    let (reader, _) = decompressed(raw)?;
    let mut bytes = Vec::new();
    reader.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = "longer than 1 GiB: split it, for example by kind or namespace";
        return Err(io::Error::other(message));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8"))
}
