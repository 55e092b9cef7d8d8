//! The handles of a plan: what is open, copied or unpacked while its objects are read.
//!
//! A [`ScanPlan`] in, readers of its objects' stored bytes out. Handles belong to this process; the
//! plan beside them does not.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use super::plan::{PlannedObject, ScanPlan};
use super::spool::Spool;
use crate::error::Result;
use crate::source::Held;
use crate::source::object::Location;
use crate::source::store::Stores;
use crate::source::witness::Witness;
use crate::temporary::TemporaryFolder;

/// A plan with the handles of its objects.
#[derive(Debug, Clone)]
pub(crate) struct OpenScan {
    pub(crate) plan: Arc<ScanPlan>,
    /// One an object, in the order of the plan.
    handles: Arc<[ObjectHandle]>,
    /// What objects in stores are read through.
    pub(crate) stores: Arc<Stores>,
    /// Where archives were unpacked to; the folders are gone with the last scan that needs them.
    unpacked: Arc<[TemporaryFolder]>,
}

/// What is open of one object.
#[derive(Debug, Clone, Default)]
pub(crate) struct ObjectHandle {
    /// The open file, so that a rotation does not put another in its place.
    pub(crate) held: Option<Arc<Held>>,
    /// What stdin or a pipe holds, once it has been copied.
    pub(crate) spool: Arc<Spool>,
    /// What looks at the bytes of a stream while they are read, for a lake.
    pub(crate) witness: Option<Arc<Witness>>,
}

/// Bytes that can be read from any position.
pub(crate) trait SeekableRead: Read + Seek + Send {}

impl<T: Read + Seek + Send> SeekableRead for T {}

/// One object of an open scan.
#[derive(Clone, Copy)]
pub(crate) struct OpenObject<'s> {
    pub(crate) planned: &'s PlannedObject,
    pub(crate) handle: &'s ObjectHandle,
    pub(crate) stores: &'s Stores,
}

impl OpenScan {
    /// A plan of which nothing is open yet.
    pub(crate) fn new(plan: ScanPlan, stores: Arc<Stores>, unpacked: Vec<TemporaryFolder>) -> Self {
        let handles = plan.objects.iter().map(|_| ObjectHandle::default());
        Self {
            handles: handles.collect(),
            plan: Arc::new(plan),
            stores,
            unpacked: unpacked.into(),
        }
    }

    /// The same with other objects.
    pub(crate) fn with_objects(
        &self,
        objects: impl IntoIterator<Item = (PlannedObject, ObjectHandle)>,
    ) -> Self {
        let (objects, handles): (Vec<_>, Vec<_>) = objects.into_iter().unzip();
        let plan = ScanPlan {
            objects,
            options: self.plan.options.clone(),
        };
        Self {
            plan: Arc::new(plan),
            handles: handles.into(),
            stores: Arc::clone(&self.stores),
            unpacked: Arc::clone(&self.unpacked),
        }
    }

    /// The object at this place of the plan.
    pub(crate) fn object(&self, index: usize) -> OpenObject<'_> {
        OpenObject {
            planned: &self.plan.objects[index],
            handle: &self.handles[index],
            stores: &self.stores,
        }
    }

    /// Makes what stdin and pipes hold readable more than once.
    ///
    /// # Errors
    ///
    /// When it was read before, or the temporary file cannot be written.
    pub(crate) fn spool_streams(&self) -> Result<()> {
        (0..self.plan.objects.len())
            .map(|index| self.object(index))
            .filter(|object| object.planned.is_stream())
            .try_for_each(|object| object.spool())
    }
}

impl OpenObject<'_> {
    /// The bytes as they are stored, from the first.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or could be read only once and were.
    pub(crate) fn stored(&self) -> io::Result<Box<dyn Read + Send>> {
        let object = &self.planned.object;
        if self.planned.is_stream() {
            // A web server can be asked again; stdin and pipes cannot.
            let once = !matches!(object.location, Location::Store(_));
            return self.handle.spool.open(once, || self.stream());
        }
        match &object.location {
            Location::Store(stored) => {
                self.stores
                    .reader(stored, 0, stored.size.unwrap_or(u64::MAX))
            }
            _ => Ok(Box::new(self.file()?)),
        }
    }

    /// Its handles, with a local file open: whatever its name is given to, it stays this file.
    pub(super) fn held(&self) -> ObjectHandle {
        let mut handle = self.handle.clone();
        let is_readable = !self.planned.is_stream() && !self.planned.not_a_file;
        if let (Location::File(path), None, true) =
            (&self.planned.object.location, &handle.held, is_readable)
        {
            // One that cannot be opened is told when it is read.
            handle.held = Held::open(path).ok();
        }
        handle
    }

    /// Is a local file that was read still the one that was looked at? Of a source of a lake the
    /// lake judges.
    pub(super) fn is_still(&self) -> bool {
        let planned = self.planned;
        match (&self.handle.held, planned.object.size, planned.head) {
            (Some(held), Some(size), Some(head)) if planned.resume.is_none() => {
                held.is_still(size, head)
            }
            _ => true,
        }
    }

    /// What can be read only once.
    fn stream(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.planned.object.location {
            Location::File(path) => Box::new(File::open(path)?),
            Location::Stdin => Box::new(io::stdin()),
            Location::Store(stored) => self.stores.reader(stored, 0, u64::MAX)?,
        })
    }

    /// The local file; of a pipe its copy, since opening a pipe waits for whoever writes to it.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or the object is none.
    pub(crate) fn file(&self) -> io::Result<Box<dyn SeekableRead>> {
        if self.planned.is_stream() {
            let copy = self.handle.spool.copy();
            let copy = copy.ok_or_else(|| io::Error::other("a stream without a copy"))?;
            return Ok(Box::new(copy.reader(0)));
        }
        match (&self.handle.held, &self.planned.object.location) {
            (Some(held), _) => Ok(Box::new(held.reader(0))),
            (None, Location::File(path)) => Ok(Box::new(File::open(path)?)),
            (None, Location::Stdin | Location::Store(_)) => Err(io::Error::other("no local file")),
        }
    }

    /// Copies what can be read only once to a temporary file.
    ///
    /// # Errors
    ///
    /// When it was read before, or the file cannot be written.
    pub(crate) fn spool(&self) -> Result<()> {
        self.handle
            .spool
            .fill(&self.planned.object.uri, || self.stream())
    }
}
