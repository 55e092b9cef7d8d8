//! Numbers in, packed bytes as in Parquet out: the RLE/bit-packing hybrid of levels and dictionary
//! indices, and `DELTA_BINARY_PACKED`. Source: `Encodings.md` of the Parquet format.

/// The number of bits that numbers up to `most` need.
pub(super) const fn width(most: u32) -> u8 {
    (u32::BITS - most.leading_zeros()) as u8
}

/// Runs of equal numbers by their length, everything else packed into `width` bits each.
pub(super) fn hybrid(values: &[u32], width: u8, out: &mut Vec<u8>) {
    /// Shorter runs are not worth a header.
    const LEAST_RUN: usize = 8;
    let mut literals = 0;
    let mut at = 0;
    while at < values.len() {
        let value = values[at];
        let run = values[at..]
            .iter()
            .take_while(|other| **other == value)
            .count();
        // Packed numbers come in groups of eight: the run lends what the last group lacks.
        let lent = (8 - (at - literals) % 8) % 8;
        if run >= LEAST_RUN + lent {
            pack(&values[literals..at + lent], width, out);
            varint(((run - lent) as u64) << 1, out);
            out.extend_from_slice(&value.to_le_bytes()[..usize::from(width.div_ceil(8))]);
            literals = at + run;
        }
        at += run;
    }
    pack(&values[literals..], width, out);
}

/// A run of packed numbers, filled up with zeros to a multiple of eight.
fn pack(values: &[u32], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * usize::from(width);
    pack_bits(values.iter().map(|value| u64::from(*value)), width, out);
    out.resize(end, 0);
}

/// Numbers of `width` bits, least significant bit first; the last byte is filled up with zeros.
fn pack_bits(values: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    let (mut bits, mut used) = (0_u128, 0_u8);
    for value in values {
        bits |= u128::from(value) << used;
        used += width;
        if used >= 64 {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            used -= 64;
        }
    }
    out.extend_from_slice(&(bits as u64).to_le_bytes()[..usize::from(used.div_ceil(8))]);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Blocks of differences, each in as few bits as its largest needs. Differences wrap, as the format
/// says.
pub(super) fn delta(values: &[i64], out: &mut Vec<u8>) {
    const BLOCK: usize = 128;
    const MINIBLOCK: usize = 32;
    varint(BLOCK as u64, out);
    varint((BLOCK / MINIBLOCK) as u64, out);
    varint(values.len() as u64, out);
    let Some(&first) = values.first() else {
        zigzag(0, out);
        return;
    };
    zigzag(first, out);
    let mut deltas = [0_i64; BLOCK];
    for block in values[1..].chunks(BLOCK).scan(first, |last, block| {
        Some((std::mem::replace(last, block[block.len() - 1]), block))
    }) {
        let (mut last, block) = block;
        for (delta, &value) in deltas.iter_mut().zip(block) {
            *delta = value.wrapping_sub(last);
            last = value;
        }
        let deltas = &deltas[..block.len()];
        let least = deltas.iter().copied().min().unwrap_or(0);
        zigzag(least, out);
        let widths = out.len();
        out.extend_from_slice(&[0; BLOCK / MINIBLOCK]);
        for (index, miniblock) in deltas.chunks(MINIBLOCK).enumerate() {
            let above = |delta: &i64| delta.wrapping_sub(least) as u64;
            let most = miniblock
                .iter()
                .map(above)
                .fold(0, |all, value| all | value);
            let width = (u64::BITS - most.leading_zeros()) as u8;
            out[widths + index] = width;
            let end = out.len() + MINIBLOCK / 8 * usize::from(width);
            pack_bits(miniblock.iter().map(above), width, out);
            out.resize(end, 0);
        }
    }
}

/// One bit each, least significant first.
pub(super) fn booleans(values: impl Iterator<Item = bool>, out: &mut Vec<u8>) {
    pack_bits(values.map(u64::from), 1, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The inverse of [`varint`].
    fn read_varint(bytes: &[u8], at: &mut usize) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = bytes[*at];
            *at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    fn read_bits(bytes: &[u8], index: usize, width: u8) -> u64 {
        let bit = |at: usize| u64::from(bytes[at / 8] >> (at % 8) & 1);
        (0..usize::from(width))
            .map(|place| bit(index * usize::from(width) + place) << place)
            .sum()
    }

    fn read_hybrid(bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let (mut at, mut values) = (0, Vec::new());
        while values.len() < count {
            let header = read_varint(bytes, &mut at);
            if header & 1 == 1 {
                let groups = (header >> 1) as usize;
                values.extend(
                    (0..groups * 8).map(|index| read_bits(&bytes[at..], index, width) as u32),
                );
                at += groups * usize::from(width);
            } else {
                let size = usize::from(width.div_ceil(8));
                let mut value = [0; 4];
                value[..size].copy_from_slice(&bytes[at..at + size]);
                at += size;
                values.extend(std::iter::repeat_n(
                    u32::from_le_bytes(value),
                    (header >> 1) as usize,
                ));
            }
        }
        assert_eq!(at, bytes.len(), "bytes left over");
        values.truncate(count);
        values
    }

    fn read_delta(bytes: &[u8]) -> Vec<i64> {
        let mut at = 0;
        let unzigzag = |value: u64| (value >> 1) as i64 ^ -((value & 1) as i64);
        let (block, miniblocks) = (
            read_varint(bytes, &mut at) as usize,
            read_varint(bytes, &mut at) as usize,
        );
        let count = read_varint(bytes, &mut at) as usize;
        let mut last = unzigzag(read_varint(bytes, &mut at));
        let mut values = vec![last];
        while values.len() < count {
            let least = unzigzag(read_varint(bytes, &mut at));
            let widths = bytes[at..at + miniblocks].to_vec();
            at += miniblocks;
            for width in widths {
                if values.len() >= count {
                    break;
                }
                for index in 0..block / miniblocks {
                    if values.len() < count {
                        last = last.wrapping_add(least).wrapping_add(read_bits(
                            &bytes[at..],
                            index,
                            width,
                        )
                            as i64);
                        values.push(last);
                    }
                }
                at += block / miniblocks / 8 * usize::from(width);
            }
        }
        values.truncate(count);
        values
    }

    proptest! {
        #[test]
        fn hybrid_comes_back(runs in prop::collection::vec((0_u32..300, 1_usize..40), 0..60)) {
            let values: Vec<u32> = runs.iter().flat_map(|&(value, times)| std::iter::repeat_n(value, times)).collect();
            let width = width(values.iter().copied().max().unwrap_or(0));
            let mut bytes = Vec::new();
            hybrid(&values, width, &mut bytes);
            prop_assert_eq!(read_hybrid(&bytes, width, values.len()), values);
        }

        #[test]
        fn delta_comes_back(values in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..1000, Just(7)], 1..400)) {
            let mut bytes = Vec::new();
            delta(&values, &mut bytes);
            prop_assert_eq!(read_delta(&bytes), values);
        }
    }
}
