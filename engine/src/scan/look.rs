//! A first look at the objects of an input: their first bytes in, a plan of the logs and the
//! Parquet files beside them out.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::open::{ObjectHandle, OpenScan};
use super::plan::{LEAST_REMOTE_RANGE, PlannedObject, ScanOptions, ScanPlan};
use super::spool::Spool;
use crate::objects::holds_objects;
use crate::source::archive::{self, Archive};
use crate::source::held::HeadMark;
use crate::source::members;
use crate::source::object::{Failures, InputObject, Location};
use crate::source::rotation;
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

/// What becomes of a stream, which can be read only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamLook {
    /// Its first bytes are looked at, too, and kept for whoever reads it.
    Taken,
    /// Somebody else reads it from its start.
    Left,
}

/// Archives in each other that are unpacked: a support bundle holds the archives of nodes.
const MOST_ARCHIVES: usize = 2;

/// What is still to be looked at: an object, the archives that it was in, and how many bytes may be
/// unpacked of it.
struct ToLookAt {
    object: InputObject,
    depth: usize,
    budget: Option<Rc<Cell<u64>>>,
}

/// Looks at the first bytes of every object, and unpacks archives. `failures` are what could not be
/// listed. It blocks.
pub(crate) fn look(
    objects: Vec<InputObject>,
    failures: Failures,
    options: ScanOptions,
    stores: Arc<Stores>,
    streams: StreamLook,
) -> Looked {
    // Two pipes may have one writer, which waits until the first is read.
    let only_stream = objects.iter().filter(|object| is_stream(object)).count() == 1;
    let streams = streams == StreamLook::Taken && only_stream;
    let queue = objects.into_iter().map(|object| ToLookAt {
        object,
        depth: 0,
        budget: None,
    });
    let mut looking = Looking {
        queue: queue.collect(),
        failures,
        ..Looking::default()
    };
    while let Some(next) = looking.queue.pop_front() {
        looking.look(next, &stores, streams);
    }
    let Looking {
        mut planned,
        parquet,
        manifests,
        unpacked,
        failures,
        ..
    } = looking;
    planned.extend(failures.into_iter().map(|(uri, message)| {
        let object = InputObject {
            location: Location::File(PathBuf::from(&uri)),
            uri,
            size: None,
            named: false,
        };
        (
            PlannedObject::failed(object, message),
            ObjectHandle::default(),
        )
    }));
    let uris = planned
        .iter()
        .map(|(planned, _)| planned.object.uri.as_str());
    let rotated = rotation::rotated(uris);
    for ((planned, _), is_rotated) in planned.iter_mut().zip(rotated) {
        planned.is_rotated = is_rotated;
    }
    let plan = ScanPlan {
        objects: Vec::new(),
        options,
    };
    Looked {
        logs: OpenScan::new(plan, stores, unpacked).with_objects(planned),
        parquet,
        manifests,
    }
}

/// What was found so far, and what is still to be looked at.
#[derive(Default)]
struct Looking {
    queue: VecDeque<ToLookAt>,
    planned: Vec<(PlannedObject, ObjectHandle)>,
    parquet: Vec<InputObject>,
    manifests: Vec<InputObject>,
    unpacked: Vec<TemporaryFolder>,
    failures: Failures,
}

impl Looking {
    fn look(&mut self, next: ToLookAt, stores: &Stores, streams: bool) {
        let object = next.object;
        let planned = match look_at(&object, stores, streams) {
            Ok(ObjectLook::Parquet) => return self.parquet.push(object),
            Ok(ObjectLook::Manifest(None)) => return self.manifests.push(object),
            Ok(ObjectLook::Manifest(Some((path, folder)))) => {
                self.unpacked.push(folder);
                return self.manifests.push(InputObject {
                    location: Location::File(path),
                    ..object
                });
            }
            Ok(ObjectLook::Archive(..)) if next.depth == MOST_ARCHIVES => {
                let message =
                    "an archive in an archive in an archive is not unpacked; unpack it first";
                PlannedObject::failed(object, message.to_owned())
            }
            // A copy is gone with its folder, once it is unpacked.
            Ok(ObjectLook::Archive(archive, path, _copy)) => {
                match self.unpack(archive, &object.uri, &path, next.depth, next.budget) {
                    Ok(()) => return,
                    Err(error) => {
                        let message = format!("the archive cannot be unpacked: {error}");
                        PlannedObject::failed(object, message)
                    }
                }
            }
            Ok(ObjectLook::Begun(spool)) => {
                let handle = ObjectHandle {
                    spool: Arc::new(spool),
                    ..ObjectHandle::default()
                };
                let planned = PlannedObject::new(object, None, None);
                return self.planned.push((planned, handle));
            }
            Ok(ObjectLook::Log(layout, compression, head)) => PlannedObject {
                head,
                ..PlannedObject::new(object, layout, compression)
            },
            Err(error) => PlannedObject::failed(object, error.to_string()),
        };
        self.planned.push((planned, ObjectHandle::default()));
    }

    /// Puts the files of an archive in its place.
    fn unpack(
        &mut self,
        archive: Archive,
        uri: &str,
        path: &Path,
        depth: usize,
        budget: Option<Rc<Cell<u64>>>,
    ) -> io::Result<()> {
        // Archives in an archive share what may be unpacked of it.
        let size = path.metadata()?.len();
        let budget = budget.unwrap_or_else(|| Rc::new(Cell::new(archive::most_unpacked(size))));
        let mut left = budget.get();
        let members = archive::unpack(archive, uri, path, &mut left);
        budget.set(left);
        let members = members?;
        for object in members.files.into_iter().rev() {
            self.queue.push_front(ToLookAt {
                object,
                depth: depth + 1,
                budget: Some(Rc::clone(&budget)),
            });
        }
        let not_files = members.not_files.into_iter().map(PlannedObject::not_a_file);
        let not_files = not_files.map(|planned| (planned, ObjectHandle::default()));
        self.planned.extend(not_files);
        self.failures.extend(members.failures);
        self.unpacked.push(members.folder);
        Ok(())
    }
}

fn is_stream(object: &InputObject) -> bool {
    match object.location {
        Location::Stdin => true,
        Location::File(_) => object.size.is_none(),
        Location::Store(_) => false,
    }
}

enum ObjectLook {
    Parquet,
    /// Kubernetes objects; of a stream the copy.
    Manifest(Option<(PathBuf, TemporaryFolder)>),
    /// Where it is; the folder of a copy.
    Archive(Archive, PathBuf, Option<TemporaryFolder>),
    Log(Option<Layout>, Option<Compression>, Option<HeadMark>),
    /// A stream of which the first bytes were read: they are in here again.
    Begun(Spool),
}

/// How much of a compressed object is read to see whether it is a tar: what a block of bzip2 takes
/// at most, twice.
const FIRST_BLOCKS: u64 = 2 << 20;

fn look_at(object: &InputObject, stores: &Stores, streams: bool) -> io::Result<ObjectLook> {
    let unseen = ObjectLook::Log(None, None, None);
    if streams && is_stream(object) {
        return match &object.location {
            Location::File(path) => begun(Box::new(File::open(path)?)),
            _ => begun(Box::new(io::stdin())),
        };
    }
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
        return Ok(ObjectLook::Manifest(None));
    }
    let layout = compression.is_none().then(|| Layout::of(&head));
    if let (Location::File(path), Some(size)) = (&object.location, object.size)
        && layout.is_some_and(|layout| layout.json)
        && ends_packed(path, size)?
    {
        return Ok(ObjectLook::Log(None, Some(Compression::Mixed), None));
    }
    let is_local = matches!(object.location, Location::File(_));
    let mark = is_local.then(|| HeadMark::of(&head));
    Ok(ObjectLook::Log(layout, compression, mark))
}

/// Does a file of text end with gzip members? Only one that does not end as text is read through.
fn ends_packed(path: &Path, size: u64) -> io::Result<bool> {
    const TAIL: u64 = 1 << 10;
    let mut file = File::open(path)?;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    file.by_ref().take(TAIL).read_to_end(&mut tail)?;
    // Zeros are what a lost disk leaves.
    tail.retain(|byte| *byte != 0);
    if members::is_text(&tail) {
        return Ok(false);
    }
    file.rewind()?;
    members::has_member(file)
}

/// A copy of a stream, if it is an archive or holds objects; else the stream, from its start.
fn begun(mut stream: Box<dyn Read + Send>) -> io::Result<ObjectLook> {
    const FIRST: u64 = 512;
    let mut head = Vec::new();
    stream.by_ref().take(FIRST).read_to_end(&mut head)?;
    let compression = Compression::of(&head);
    let more = match compression {
        None | Some(Compression::Text(_)) => 0,
        Some(Compression::Bzip2) => FIRST_BLOCKS,
        Some(_) => Layout::HEAD as u64,
    };
    stream.by_ref().take(more).read_to_end(&mut head)?;
    let archive = Archive::of(&head, compression.is_some(), || {
        Ok(Cursor::new(head.clone()))
    });
    let is_manifest = archive.is_none() && holds_objects(&head, compression.is_some());
    let mut whole = Cursor::new(head).chain(stream);
    if archive.is_none() && !is_manifest {
        return Ok(ObjectLook::Begun(Spool::begun(Box::new(whole))));
    }
    let folder = TemporaryFolder::create()?;
    let (path, mut copy) = folder.file("copy")?;
    io::copy(&mut whole, &mut copy)?;
    Ok(match archive {
        Some(archive) => ObjectLook::Archive(archive, path, Some(folder)),
        None => ObjectLook::Manifest(Some((path, folder))),
    })
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
