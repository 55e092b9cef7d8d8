//! Text that is packed in other text: base64 or a list of bytes in, compressed or not; the text
//! out.
//!
//! Kinesis, Pub/Sub, Kafka's REST proxies and many pipelines carry bytes in base64; Lambda and
//! Kinesis those of gzip; Node's `Buffer` and Go's or Java's dumps a list of numbers.
//!
//! Not responsible for: what the text is.

use std::io::Read;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use crate::json::{Value, ValueKind};

/// More than this in one record is an attack: a Lambda event, for one, may have 6 MB.
const MOST_INFLATED: u64 = 64 << 20;

/// Why packed text cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpacked {
    Base64,
    Compressed,
    TooLong,
    Utf8,
}

impl Unpacked {
    /// For messages: `… is not valid base64`.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Base64 => "the data is not valid base64",
            Self::Compressed => "the data is compressed and cannot be decompressed",
            Self::TooLong => "the data decompresses to more than 64 MiB",
            Self::Utf8 => "the data is not valid UTF-8",
        }
    }
}

/// The text behind base64, decompressed if it is compressed.
pub(super) fn unpack(text: &str) -> Result<String, Unpacked> {
    text_of(base64_bytes(text.as_bytes()).ok_or(Unpacked::Base64)?)
}

/// The text that these bytes are, decompressed if they are compressed.
pub(super) fn text_of(mut bytes: Vec<u8>) -> Result<String, Unpacked> {
    // CloudWatch's gzip in Firehose's gzip.
    for _ in 0..2 {
        let Some(reader) = decompressor(&bytes) else {
            break;
        };
        let mut inside = Vec::new();
        let most = MOST_INFLATED + 1;
        let read = reader.take(most).read_to_end(&mut inside);
        read.map_err(|_| Unpacked::Compressed)?;
        if inside.len() as u64 == most {
            return Err(Unpacked::TooLong);
        }
        bytes = inside;
    }
    utf8(bytes).ok_or(Unpacked::Utf8)
}

/// Text in UTF-8 or UTF-16.
fn utf8(bytes: Vec<u8>) -> Option<String> {
    let units = |of: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2).map(|pair| of([pair[0], pair[1]]));
        String::from_utf16(&pairs.collect::<Vec<_>>()).ok()
    };
    match bytes[..] {
        [0xff, 0xfe, ..] | [b'{' | b'[' | b'"', 0, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, b'{' | b'[' | b'"', ..] => units(u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    }
}

/// Is it long enough to be an event in base64, and nothing else?
pub(super) fn is_base64(text: &str) -> bool {
    text.len() >= 64
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n' | b'\\'
                )
        })
}

/// Base64 in either alphabet, padded or not, on any number of lines; the letters may stand in a JSON
/// string, where `/` and the end of a line may have a backslash.
pub(super) fn base64_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let mut letters = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'-' => letters.push(b'+'),
            b'_' => letters.push(b'/'),
            b'\\' => {
                if bytes.peek().is_some_and(|next| matches!(next, b'n' | b'r')) {
                    bytes.next();
                }
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => letters.push(byte),
        }
    }
    let end = letters.iter().rposition(|byte| *byte != b'=');
    letters.truncate(end.map_or(0, |last| last + 1));
    // A run of letters that was cut out of a text: what does not fill a byte tells nothing.
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    let lenient = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_encode_padding(false)
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
    );
    STANDARD_NO_PAD
        .decode(&letters)
        .or_else(|_| lenient.decode(&letters))
        .ok()
}

/// The bytes that a list of numbers is; Java's are signed.
pub(super) fn byte_list(list: &[u8]) -> Option<Vec<u8>> {
    let list = std::str::from_utf8(list).ok()?;
    let number = |text: &str| {
        let number: i16 = text.trim().parse().ok()?;
        u8::try_from(number)
            .ok()
            .or_else(|| i8::try_from(number).ok().map(i8::cast_unsigned))
    };
    list.trim_matches([',', ' ', '\n', '\r', '\t'])
        .split(',')
        .map(number)
        .collect()
}

/// The bytes that a JSON value is, if it is a list of them long enough to hold an event.
pub(super) fn bytes_of(value: Value<'_>) -> Option<Vec<u8>> {
    let inside = value.raw.strip_prefix('[')?.strip_suffix(']')?;
    let numbers = value.kind == ValueKind::Array && inside.len() >= 128;
    // Nearly every list is of something else, as its first byte says.
    let first = inside.trim_ascii_start().as_bytes().first();
    (numbers && first.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-'))
        .then(|| byte_list(inside.as_bytes()))
        .flatten()
}

/// What these bytes are when they are decompressed, at most `most` of it; `None` if they are not
/// compressed, or nothing of them can be read.
pub(super) fn inflated(bytes: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let read = decompressor(bytes)?.take(most).read_to_end(&mut out);
    // What lies before an error was read.
    (read.is_ok() || !out.is_empty()).then_some(out)
}

/// gzip (RFC 1952), zlib (RFC 1950) and zstd (RFC 8878), by their first bytes.
fn decompressor(bytes: &[u8]) -> Option<Box<dyn Read + '_>> {
    match bytes {
        [0x1f, 0x8b, 8, ..] => Some(Box::new(flate2::read::MultiGzDecoder::new(bytes))),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => {
            Some(Box::new(flate2::read::ZlibDecoder::new(bytes)))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = zstd::stream::read::Decoder::new(bytes).ok()?;
            Some(Box::new(decoder))
        }
        _ => None,
    }
}
