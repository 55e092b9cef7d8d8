//! The checksums of a data file: its bytes in, what the log keeps of them out; and bytes that were
//! read in, whether they are the ones that were written out.
//!
//! A Parquet page can carry a checksum of its data, but not of its header, and nothing guards the
//! footer, the page index or the bloom filters, which decide what is read at all. So the checksums
//! here go over all bytes of a file, in blocks of 64 KiB: the log keeps the lower half of each
//! block's XXH3 as a tag of the file's `add` action (Delta PROTOCOL.md, "Add File and Remove File"),
//! 11 KiB for a file of 128 MiB. A reader reads whole blocks and compares them.

use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use deltalake::kernel::Add;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The tag of an `add` action.
const TAG: &str = "auditql.checksums";
/// What the tag's value begins with: how the checksums are made. They follow, each as four bytes in
/// big-endian order, in base64 without padding.
const KIND: &str = "xxh3-64k:";
const BLOCK: usize = 64 << 10;

/// The checksums of a file that is being written.
#[derive(Default)]
pub(crate) struct ChecksumWriter {
    sums: Vec<u8>,
    block: Xxh3,
    /// Bytes of the block so far.
    filled: usize,
}

impl ChecksumWriter {
    /// More bytes of the file.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BLOCK - self.filled));
            self.block.update(now);
            self.filled += now.len();
            if self.filled == BLOCK {
                self.end_block();
            }
            rest = later;
        }
    }

    fn end_block(&mut self) {
        self.sums.extend(lower(self.block.digest()).to_be_bytes());
        self.block.reset();
        self.filled = 0;
    }

    /// The tag of a file with these bytes: its name and its value.
    pub(crate) fn tag(&mut self) -> (String, Option<String>) {
        if self.filled > 0 {
            self.end_block();
        }
        let value = format!("{KIND}{}", BASE64_STANDARD_NO_PAD.encode(&self.sums));
        (TAG.to_owned(), Some(value))
    }
}

const fn lower(hash: u64) -> u32 {
    hash as u32
}

/// The checksums of a file, as the log has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockChecksums(Arc<[u8]>);

impl BlockChecksums {
    /// Those of an action; `None` for a file that was written without. A value that cannot be read
    /// is one that no bytes agree with.
    pub(crate) fn of(add: &Add) -> Option<Self> {
        let value = add.tags.as_ref()?.get(TAG)?.as_deref()?;
        let decoded = value
            .strip_prefix(KIND)
            .and_then(|text| BASE64_STANDARD_NO_PAD.decode(text).ok());
        Some(Self(decoded.unwrap_or_default().into()))
    }

    /// The blocks that a range of a file of this size touches, as bytes.
    pub(crate) fn around(range: &Range<u64>, size: u64) -> Range<u64> {
        let block = BLOCK as u64;
        range.start / block * block..range.end.next_multiple_of(block).min(size)
    }

    /// The first of the blocks `bytes`, which begin at byte `start` of the file, that was not
    /// written so: the range of its bytes.
    pub(crate) fn damaged(&self, start: u64, bytes: &[u8]) -> Option<Range<u64>> {
        let first = usize::try_from(start).unwrap_or(usize::MAX) / BLOCK;
        let mut blocks = bytes.chunks(BLOCK).enumerate();
        let is_damaged = |(index, block): &(usize, &[u8])| {
            let known = self.0.chunks_exact(4).nth(first + index);
            known.is_none_or(|known| known != lower(xxh3_64(block)).to_be_bytes())
        };
        let (index, block) = blocks.find(is_damaged)?;
        let at = start + (index * BLOCK) as u64;
        Some(at..at + block.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn checksums(bytes: &[u8], pieces: usize) -> BlockChecksums {
        let mut writer = ChecksumWriter::default();
        bytes
            .chunks(pieces.max(1))
            .for_each(|piece| writer.update(piece));
        let tags = HashMap::from([writer.tag()]);
        let add = Add {
            tags: Some(tags),
            ..Add::default()
        };
        BlockChecksums::of(&add).unwrap()
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let bytes: Vec<u8> = (0..200_000_u64).map(|n| (n * n % 251) as u8).collect();
        let sums = checksums(&bytes, 777);
        assert_eq!(sums, checksums(&bytes, 200_000));
        assert_eq!(sums.damaged(0, &bytes), None);
        assert_eq!(sums.damaged(BLOCK as u64, &bytes[BLOCK..]), None);
        for at in [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK, 199_999] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let block = at / BLOCK * BLOCK;
            let end = (block + BLOCK).min(bytes.len());
            let want = Some(block as u64..end as u64);
            assert_eq!(sums.damaged(0, &flipped), want, "{at}");
            assert_eq!(sums.damaged(block as u64, &flipped[block..end]), want);
        }
        // What is longer than what was written, and what was cut.
        let longer = [bytes.as_slice(), &[0; BLOCK]].concat();
        assert!(sums.damaged(0, &longer).is_some());
        assert!(sums.damaged(0, &bytes[..199_000]).is_some());
    }

    #[test]
    fn a_range_is_read_in_blocks() {
        let block = BLOCK as u64;
        let size = 3 * block + 5;
        assert_eq!(BlockChecksums::around(&(0..1), size), 0..block);
        assert_eq!(
            BlockChecksums::around(&(block..block + 1), size),
            block..2 * block
        );
        assert_eq!(BlockChecksums::around(&(block - 1..size), size), 0..size);
    }

    #[test]
    fn a_malformed_tag_agrees_with_nothing() {
        for value in ["", "crc:AAAA", "xxh3-64k:!", "xxh3-64k:"] {
            let tags = HashMap::from([(TAG.to_owned(), Some(value.to_owned()))]);
            let add = Add {
                tags: Some(tags),
                ..Add::default()
            };
            let sums = BlockChecksums::of(&add).unwrap();
            assert!(sums.damaged(0, b"bytes").is_some(), "{value}");
        }
        assert_eq!(BlockChecksums::of(&Add::default()), None);
    }
}
