//! A first look at the objects of an input: their first bytes in, a plan of the logs and the
//! Parquet files beside them out.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::open::OpenScan;
use super::plan::{LEAST_REMOTE_RANGE, PlannedObject, ScanOptions, ScanPlan};
use crate::objects::holds_objects;
use crate::source::archive::{self, Archive};
use crate::source::held::HeadMark;
use crate::source::object::{Failures, InputObject, Location};
use crate::source::store::{StoreObject, Stores};
use crate::source::{Compression, Layout};
use crate::temporary::TemporaryFolder;

/// What an input turned out to be.
pub(crate) struct Looked {
    /// The logs, with what cannot be read among them.
    pub(crate) logs: OpenScan,
    /// Parquet files: they have a reader of their own.
    pub(crate) parquet: Vec<InputObject>,
    /// Files of Kubernetes objects.
    pub(crate) manifests: Vec<InputObject>,
}

/// Looks at the first bytes of every object, and unpacks archives. `failures` are what could not be
/// listed. It blocks.
pub(crate) fn look(
    objects: Vec<InputObject>,
    failures: Failures,
    options: ScanOptions,
    stores: Arc<Stores>,
) -> Looked {
    let mut planned = Vec::new();
    let (mut parquet, mut manifests) = (Vec::new(), Vec::new());
    let mut unpacked: Vec<TemporaryFolder> = Vec::new();
    let mut failures = failures;
    let mut objects = VecDeque::from(objects);
    while let Some(object) = objects.pop_front() {
        match look_at(&object, &stores) {
            Ok(ObjectLook::Parquet) => parquet.push(object),
            Ok(ObjectLook::Manifest) => manifests.push(object),
            Ok(ObjectLook::Archive(_, path, _))
                if unpacked
                    .iter()
                    .any(|folder| path.starts_with(folder.path())) =>
            {
                let message = "an archive in an archive is not unpacked; unpack it first";
                planned.push(PlannedObject::failed(object, message.to_owned()));
            }
            // A copy is gone with its folder, once it is unpacked.
            Ok(ObjectLook::Archive(archive, path, _copy)) => {
                match archive::unpack(archive, &object.uri, &path) {
                    Ok(members) => {
                        // In the place of the archive.
                        let files = members.files.into_iter().rev();
                        files.for_each(|file| objects.push_front(file));
                        planned
                            .extend(members.not_files.into_iter().map(PlannedObject::not_a_file));
                        failures.extend(members.failures);
                        unpacked.push(members.folder);
                    }
                    Err(error) => {
                        let message = format!("the archive cannot be unpacked: {error}");
                        planned.push(PlannedObject::failed(object, message));
                    }
                }
            }
            Ok(ObjectLook::Log(layout, compression, head)) => planned.push(PlannedObject {
                head,
                ..PlannedObject::new(object, layout, compression)
            }),
            Err(error) => planned.push(PlannedObject::failed(object, error.to_string())),
        }
    }
    planned.extend(failures.into_iter().map(|(uri, message)| {
        let object = InputObject {
            location: Location::File(PathBuf::from(&uri)),
            uri,
            size: None,
            named: false,
        };
        PlannedObject::failed(object, message)
    }));
    let plan = ScanPlan {
        objects: planned,
        options,
    };
    Looked {
        logs: OpenScan::new(plan, stores, unpacked),
        parquet,
        manifests,
    }
}

enum ObjectLook {
    Parquet,
    /// Kubernetes objects.
    Manifest,
    /// Where it is; the folder of a copy.
    Archive(Archive, PathBuf, Option<TemporaryFolder>),
    Log(Option<Layout>, Option<Compression>, Option<HeadMark>),
}

/// How much of a compressed object is read to see whether it is a tar: what a block of bzip2 takes
/// at most, twice.
const FIRST_BLOCKS: u64 = 2 << 20;

fn look_at(object: &InputObject, stores: &Stores) -> io::Result<ObjectLook> {
    let unseen = ObjectLook::Log(None, None, None);
    let mut head = Vec::new();
    let end = object.size.map(|size| size.min(Layout::HEAD as u64));
    match (&object.location, end) {
        // A pipe can be read only once, by the worker.
        (Location::Stdin, _) | (Location::File(_), None) => return Ok(unseen),
        (Location::File(path), Some(end)) => File::open(path)?.take(end).read_to_end(&mut head)?,
        (Location::Store(stored), _) if !is_worth_a_look(object, stored) => return Ok(unseen),
        (Location::Store(stored), None) => {
            let copy = copied_archive(stored, stores)?;
            return Ok(copy.unwrap_or(unseen));
        }
        (Location::Store(stored), Some(end)) => {
            stores.reader(stored, 0, end)?.read_to_end(&mut head)?
        }
    };
    if head.starts_with(b"PAR1") {
        return Ok(ObjectLook::Parquet);
    }
    let compression = Compression::of(&head);
    let found = match &object.location {
        Location::Store(stored) => {
            let size = object.size.unwrap_or_default().min(FIRST_BLOCKS);
            let open = || stores.reader(stored, 0, size);
            match Archive::of(&head, compression.is_some(), open) {
                Some(_) => copied_archive(stored, stores)?,
                None => None,
            }
        }
        Location::File(path) => Archive::of(&head, compression.is_some(), || File::open(path))
            .map(|archive| ObjectLook::Archive(archive, path.clone(), None)),
        Location::Stdin => None,
    };
    if let Some(archive) = found {
        return Ok(archive);
    }
    if holds_objects(&head, compression.is_some()) {
        return Ok(ObjectLook::Manifest);
    }
    let layout = compression.is_none().then(|| Layout::of(&head));
    let is_local = matches!(object.location, Location::File(_));
    let mark = is_local.then(|| HeadMark::of(&head));
    Ok(ObjectLook::Log(layout, compression, mark))
}

/// Is an object of a store looked at before it is read? A request for each of a thousand small
/// objects would take longer than reading them, so that of those only a name counts.
fn is_worth_a_look(object: &InputObject, stored: &StoreObject) -> bool {
    let is_telling = archive::is_named_so(&stored.key);
    match object.size {
        None => is_telling,
        Some(size) => {
            is_telling
                || object.named
                || size > LEAST_REMOTE_RANGE
                || [".parquet", ".yaml", ".yml"]
                    .iter()
                    .any(|end| stored.key.ends_with(end))
        }
    }
}

/// A copy of an object, if it is an archive.
fn copied_archive(stored: &StoreObject, stores: &Stores) -> io::Result<Option<ObjectLook>> {
    let folder = TemporaryFolder::create()?;
    let path = stores.copied(stored, &folder, "archive")?;
    let mut head = Vec::new();
    let start = File::open(&path)?;
    start.take(Layout::HEAD as u64).read_to_end(&mut head)?;
    let is_compressed = Compression::of(&head).is_some();
    let found = Archive::of(&head, is_compressed, || File::open(&path));
    Ok(found.map(|archive| ObjectLook::Archive(archive, path, Some(folder))))
}
