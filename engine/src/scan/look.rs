//! A first look at the objects of an input: their first bytes in, a plan of the logs and the
//! Parquet files beside them out.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::open::OpenScan;
use super::plan::{LEAST_REMOTE_RANGE, PlannedObject, ScanOptions, ScanPlan};
use crate::source::archive::{self, Archive};
use crate::source::held::HeadMark;
use crate::source::object::{Failures, InputObject, Location};
use crate::source::store::Stores;
use crate::source::{Compression, Layout};
use crate::temporary::TemporaryFolder;

/// What an input turned out to be.
pub(crate) struct Looked {
    /// The logs, with what cannot be read among them.
    pub(crate) logs: OpenScan,
    /// Parquet files: they have a reader of their own.
    pub(crate) parquet: Vec<InputObject>,
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
    let mut parquet = Vec::new();
    let mut unpacked: Vec<TemporaryFolder> = Vec::new();
    let mut failures = failures;
    let mut objects = VecDeque::from(objects);
    while let Some(object) = objects.pop_front() {
        match look_at(&object, &stores) {
            Ok(ObjectLook::Parquet) => parquet.push(object),
            Ok(ObjectLook::Archive(_, path))
                if unpacked
                    .iter()
                    .any(|folder| path.starts_with(folder.path())) =>
            {
                let message = "an archive in an archive is not unpacked; unpack it first";
                planned.push(PlannedObject::failed(object, message.to_owned()));
            }
            Ok(ObjectLook::Archive(archive, path)) => {
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
    }
}

enum ObjectLook {
    Parquet,
    Archive(Archive, PathBuf),
    Log(Option<Layout>, Option<Compression>, Option<HeadMark>),
}

fn look_at(object: &InputObject, stores: &Stores) -> io::Result<ObjectLook> {
    let unseen = ObjectLook::Log(None, None, None);
    // A pipe can be read only once, by the worker.
    let Some(size) = object.size else {
        return Ok(unseen);
    };
    let end = size.min(Layout::HEAD as u64);
    let mut head = Vec::new();
    match &object.location {
        Location::Stdin => return Ok(unseen),
        Location::File(path) => File::open(path)?.take(end).read_to_end(&mut head)?,
        // A request for each of a thousand small objects would take longer than reading them.
        Location::Store(_) if size <= LEAST_REMOTE_RANGE && !object.uri.ends_with(".parquet") => {
            return Ok(unseen);
        }
        Location::Store(stored) => stores.reader(stored, 0, end)?.read_to_end(&mut head)?,
    };
    if head.starts_with(b"PAR1") {
        return Ok(ObjectLook::Parquet);
    }
    let compression = Compression::of(&head);
    if let Location::File(path) = &object.location
        && let Some(archive) = Archive::of(path, &head, compression.is_some())
    {
        return Ok(ObjectLook::Archive(archive, path.clone()));
    }
    let layout = compression.is_none().then(|| Layout::of(&head));
    let is_local = matches!(object.location, Location::File(_));
    let mark = is_local.then(|| HeadMark::of(&head));
    Ok(ObjectLook::Log(layout, compression, mark))
}
