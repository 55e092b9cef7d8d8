//! An object's bytes in, decompressed bytes out: recognised by content, all members of multi-member
//! files, twice if twice, and text between them.
//!
//! The name of a file says nothing here: CloudWatch exports have no ending, kubelets rotate under
//! any name, Firehose compresses twice. Memory is bounded by the decoders' windows.

use std::io::{self, BufReader, Cursor, Read};

use serde::{Deserialize, Serialize};

use crate::source::members::GzipMembers;
use crate::source::transcode::{Writing, transcoded};

/// How an object is compressed, or its text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    /// Text, and gzip members behind it.
    Mixed,
    /// It is not compressed, but in another writing than lines of JSON in UTF-8.
    Text(Writing),
}

impl Compression {
    /// By the first bytes: RFC 1952 §2.3.1, RFC 8878 §3.1.1 (and skippable frames, §3.1.2), bzip2's
    /// `BZh1`–`BZh9`, the xz file format §2.1.1.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            _ => Writing::of(head).map(Self::Text),
        }
    }

    /// For messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Mixed => "text and gzip",
            Self::Text(writing) => writing.name(),
        }
    }
}

/// The dictionary of an xz stream may claim gigabytes; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;
const BUFFER: usize = 256 << 10;
/// `gzip` of `gzip` occurs (CloudWatch's and Firehose's); deeper nesting is an attack.
const MOST_LAYERS: usize = 3;

/// The decompressed bytes behind `reader`, and the outermost compression.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub(crate) fn decompressed(
    mut reader: Box<dyn Read + Send>,
) -> io::Result<(Box<dyn Read + Send>, Option<Compression>)> {
    let mut outer = None;
    for _ in 0..MOST_LAYERS {
        let (head, whole) = peek(reader)?;
        reader = whole;
        let Some(compression) = Compression::of(&head) else {
            break;
        };
        if matches!(compression, Compression::Text(_)) {
            break;
        }
        outer = outer.or(Some(compression));
        if compression == Compression::Gzip {
            reader = Box::new(GzipMembers::gzip(reader));
            continue;
        }
        let buffered = BufReader::with_capacity(BUFFER, reader);
        reader = match compression {
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(buffered)?),
            Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered)),
            Compression::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(
                    XZ_MEMORY,
                    liblzma::stream::CONCATENATED,
                )?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(buffered, stream))
            }
            Compression::Gzip | Compression::Mixed | Compression::Text(_) => Box::new(buffered),
        };
    }
    let (reader, writing) = transcoded(reader)?;
    Ok((reader, outer.or(writing.map(Compression::Text))))
}

/// As [`decompressed`]; in what begins with text there may be gzip members, too.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub(crate) fn decompressed_mixed(
    reader: Box<dyn Read + Send>,
) -> io::Result<(Box<dyn Read + Send>, Option<Compression>)> {
    let (head, reader) = peek(reader)?;
    if Compression::of(&head).is_some() {
        return decompressed(reader);
    }
    decompressed(Box::new(GzipMembers::text(reader)))
}

/// The first bytes of `reader`, and a reader that still begins with them.
fn peek(mut reader: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::with_capacity(8);
    reader.by_ref().take(8).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(reader))))
}
