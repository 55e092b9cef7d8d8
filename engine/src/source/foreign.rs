//! Files in no format that is read: the first bytes in; the name of what it is, for messages, out.
//!
//! Not responsible for: what to do with them (`scan/whole.rs`).

/// Packed files that may hold logs, by their first bytes: what they are, and the tool that unpacks
/// them.
pub(crate) fn container(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "a 7-Zip archive; unpack it with `7z x` first",
        [b'R', b'a', b'r', b'!', 0x1a, 0x07, ..] => "a RAR archive; unpack it with `unrar x` first",
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => {
            "an ar archive; unpack it with `ar x` first"
        }
        [0x04, 0x22, 0x4d, 0x18, ..] => "an LZ4 file; decompress it with `lz4 -d` first",
        [0xff, 0x06, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y', ..] => {
            "a Snappy file; decompress it first"
        }
        [b'L', b'Z', b'I', b'P', 1, ..] => "an lzip file; decompress it with `lzip -d` first",
        [0x1f, 0x9d, ..] => "a file of compress(1); decompress it with `uncompress` first",
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => "a cabinet file; unpack it first",
        [b'O', b'b', b'j', 1, ..] => "an Avro file; convert it with `avro-tools tojson` first",
        [b'O', b'R', b'C', ..] if head.contains(&0) => {
            "an ORC file; convert it to Parquet or JSON lines first"
        }
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => {
            "an Arrow file; convert it to Parquet or JSON lines first"
        }
        _ if head.starts_with(b"SQLite format 3\0") => {
            "an SQLite database; export its rows as JSON lines first"
        }
        [b'S', b'a', b'l', b't', b'e', b'd', b'_', b'_', ..]
        | [b'a', b'g', b'e', b'-', b'e', b'n', b'c', b'r', ..] => "encrypted; decrypt it first",
        // Archives are unpacked where they can be looked at before they are read.
        [b'P', b'K', 3, 4, ..] => "a zip archive; save it as a local file first",
        _ if head.get(257..262) == Some(b"ustar") => "a tar archive; save it as a local file first",
        _ => return None,
    })
}

/// What a file of text looks like that bears the marks of events and has no record that is read.
pub(crate) fn text(head: &[u8]) -> &'static str {
    let start = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let first = &start[..memchr::memchr(b'\n', start).unwrap_or(start.len())];
    let has = |mark: &[u8]| memchr::memmem::find(start, mark).is_some();
    if head.contains(&0) {
        "a binary file"
    } else if start.starts_with(b"<?xml") || start.starts_with(b"<") {
        "XML or HTML; export JSON instead"
    } else if start.starts_with(b"---")
        || has(b"\nkind: ")
        || has(b"\napiVersion: ")
        || has(b"\nprotoPayload:")
    {
        "YAML; export JSON instead (`-o json`, `--format=json`)"
    } else if first.contains(&b'\t') || first.contains(&b',') {
        "a table whose header row is not known; export JSON instead"
    } else {
        "text in no known format"
    }
}
