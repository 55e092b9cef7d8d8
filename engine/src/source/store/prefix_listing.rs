//! What a listing finds under a prefix of a bucket: objects and folders, as plain data.
//!
//! Not responsible for: asking for them (`cloud.rs`).

use object_store::ObjectMeta;

/// What has a prefix. Folders end in `/`; there are none if the listing went into them.
#[derive(Debug, Default)]
pub(super) struct PrefixListing {
    pub(super) folders: Vec<String>,
    pub(super) objects: Vec<ObjectMeta>,
}
