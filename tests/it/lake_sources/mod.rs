//! What a lake takes of its sources: of a log that grows, is rotated, copied, compressed, cut or is
//! being written, each record once, whatever the file is called meanwhile.

mod copies;
mod cut;
mod growth;
mod rejects;
mod rotation;
