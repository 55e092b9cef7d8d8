//! What is found in a store: an object, and what a URL stands for. Plain data.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// An object in a store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct StoreObject {
    /// The store: `s3://bucket`.
    pub(crate) root: String,
    /// The key as it is stored. On a web server, the path as it is in the URL.
    pub(crate) key: String,
    /// Bytes. `None` if the server does not say or does not support ranges: then the object can
    /// only be read as a stream.
    pub(crate) size: Option<u64>,
    /// The ETag that it had when it was listed.
    pub(crate) etag: Option<String>,
    /// The state that its readers have to meet.
    #[serde(skip)]
    pub(crate) state: ObjectState,
}

/// The state of an object that was met by the first of its readers: a tag or a time. All readers of
/// one listing share it, so that no two of them read two states of an object. It tells no objects
/// apart: two are equal whatever was met.
#[derive(Debug, Clone, Default)]
pub(crate) struct ObjectState(Arc<OnceLock<String>>);

impl ObjectState {
    /// A reader meets the object with this tag. Is that the state that was met before?
    pub(super) fn meet(&self, tag: &str) -> bool {
        self.0.get_or_init(|| tag.to_owned()) == tag
    }
}

impl PartialEq for ObjectState {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ObjectState {}

impl Hash for ObjectState {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// What a URL stands for.
#[derive(Debug, Default)]
pub(crate) struct StoreListing {
    /// For each object: what is shown of it (the content of `source_file`), the object, and whether
    /// the user named this very object.
    pub(crate) objects: Vec<(String, StoreObject, bool)>,
    /// What cannot be read: what is shown of it, and why.
    pub(crate) failures: Vec<(String, String)>,
    /// How many folders and objects were skipped because of their date.
    pub(crate) pruned: u64,
}
