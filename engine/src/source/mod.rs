//! Where bytes come from: a file, folder, glob or stdin in; ordered objects, decompressed bytes and
//! chunks of whole records out.
//!
//! - [`listing`]: what the user named → objects, in a stable order;
//! - [`store`]: S3, Google Cloud Storage, Azure and web servers: URLs → objects, ranges → bytes;
//! - [`archive`]: a zip or tar file → the files in it;
//! - [`held`]: a local file that stays the same while it is rotated;
//! - [`rotation`]: names → which of the files of a log are not the newest;
//! - [`compress`]: an object's bytes → decompressed bytes, by content and through every member;
//! - [`members`]: gzip members and text in one file → text;
//! - [`layout`]: the first bytes → how the records lie in an object;
//! - [`chunk`]: decompressed bytes → chunks that no record straddles, with bounded memory;
//! - [`elements`]: lists longer than a record → where their elements end.
//!
//! Not responsible for: what is in a record (`format/`), when pieces are read and by whom
//! (`scan/`).

pub(crate) mod archive;
pub(crate) mod chunk;
pub(crate) mod compress;
pub(crate) mod elements;
pub(crate) mod foreign;
pub(crate) mod held;
pub(crate) mod identity;
pub(crate) mod lake_folder;
pub(crate) mod layout;
pub(crate) mod listing;
pub(crate) mod members;
pub(crate) mod object;
pub(crate) mod rotation;
pub(crate) mod store;
pub(crate) mod transcode;
pub(crate) mod witness;

pub(crate) use chunk::{Chunk, ChunkReader};
pub(crate) use compress::Compression;
pub(crate) use held::Held;
pub(crate) use layout::{Boundary, Layout};
