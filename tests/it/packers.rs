//! Logs in, the same in every compression and container that a tool delivers them in out.

use std::io::Write as _;

/// What makes a file of a log's bytes.
pub(crate) type Packer = fn(&[u8]) -> Vec<u8>;

/// Every compression, and tar in two of them, with what their files' names end with.
pub(crate) const PACKERS: [(&str, Packer); 9] = [
    ("plain", <[u8]>::to_vec),
    ("gz", gzip),
    ("members.gz", gzip_members),
    ("gz.gz", |bytes| gzip(&gzip(bytes))),
    ("zst", zstd),
    ("bz2", bzip2),
    ("xz", xz),
    ("tar", tar),
    ("tar.gz", |bytes| gzip(&tar(bytes))),
];

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Two members, as `cat a.gz b.gz` and log shippers make them.
fn gzip_members(bytes: &[u8]) -> Vec<u8> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    [gzip(first), gzip(second)].concat()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// With one file in it, `var/log/audit.log`.
pub(crate) fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    builder
        .append_data(&mut header, "var/log/audit.log", bytes)
        .unwrap();
    builder.into_inner().unwrap()
}
