//! The hot loops under the cursor: where does this string end, where does this container end?
//!
//! A slice and the position of the byte after an opening quote, or of an opening bracket, in; a
//! position, or that the slice ends first, out. 64 bytes are classified at a time into bit
//! masks (the technique of simdjson's first stage: Langdale and Lemire, "Parsing Gigabytes of JSON
//! per Second", 2019): with AVX2 where the processor has it, with the baseline of the target
//! elsewhere. Measured on bodies of real logs against a byte loop this is 8 to 10 times as fast
//! (`benches/README.md`), and a narrow query spends most of its time here, which is why this is the
//! one module that may use `unsafe`.

/// What ended a scan before its target was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The slice ended inside the string or container.
    End,
    /// A bracket closes a container of the other kind, or a string holds a raw newline; at this
    /// position.
    Bad(usize),
}

/// The position of the first byte at or after `from` that a JSON string treats specially: a quote,
/// a backslash or a control byte; `bytes.len()` if there is none.
#[inline(always)]
pub(super) fn special(bytes: &[u8], from: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    return sse2::special(bytes, from.min(bytes.len()));
    #[cfg(not(target_arch = "x86_64"))]
    special_bytes(bytes, from.min(bytes.len()))
}

/// As [`special`], a byte at a time.
#[inline(always)]
fn special_bytes(bytes: &[u8], from: usize) -> usize {
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes[from..]
        .iter()
        .position(special)
        .map_or(bytes.len(), |step| from + step)
}

/// Steps over the text of a string with many escapes, JSON inside JSON. `from` is not inside an
/// escape. Comes out: the first position, not inside an escape either, of a closing quote, a
/// control byte or an escape other than those of two bytes; or, when too few bytes are left to look
/// at many at once, of what is left.
#[inline]
pub(super) fn escapes(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut escaped_first = 0_u64;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        let m = string_masks(block);
        let escaped = if m.backslash == 0 {
            std::mem::take(&mut escaped_first)
        } else {
            escaped(m.backslash, &mut escaped_first)
        };
        let mut odd = escaped;
        let mut rest = escaped;
        while rest != 0 {
            let bit = rest.trailing_zeros();
            if matches!(
                block[bit as usize],
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'
            ) {
                odd &= !(1 << bit);
            }
            rest &= rest - 1;
        }
        let stop = (m.quote & !escaped) | m.control;
        // An odd escape begins at its backslash, a byte earlier, which may lie in the block before.
        let first_odd = if odd == 0 {
            None
        } else {
            Some((at + odd.trailing_zeros() as usize).saturating_sub(1))
        };
        let first_stop = if stop == 0 {
            None
        } else {
            Some(at + stop.trailing_zeros() as usize)
        };
        match (first_odd, first_stop) {
            (Some(odd), Some(stop)) => return odd.min(stop),
            (Some(end), None) | (None, Some(end)) => return end,
            (None, None) => at += 64,
        }
    }
    // A backslash whose second byte is not looked at yet is still to be judged.
    if escaped_first != 0 { at - 1 } else { at }
}

/// The bits of one block of 64 bytes of a string.
struct StringMasks {
    quote: u64,
    backslash: u64,
    control: u64,
}

#[inline(always)]
fn string_masks(block: &[u8; 64]) -> StringMasks {
    #[cfg(target_arch = "x86_64")]
    return sse2::string_masks(block);
    #[cfg(not(target_arch = "x86_64"))]
    string_masks_bytes(block)
}

/// As [`string_masks`], a byte at a time.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn string_masks_bytes(block: &[u8; 64]) -> StringMasks {
    let mut masks = StringMasks {
        quote: 0,
        backslash: 0,
        control: 0,
    };
    for (i, &byte) in block.iter().enumerate() {
        masks.quote |= u64::from(byte == b'"') << i;
        masks.backslash |= u64::from(byte == b'\\') << i;
        masks.control |= u64::from(byte < 0x20) << i;
    }
    masks
}

/// The position after the container that opens at `open` (a `{` or `[`), with brackets matched by
/// kind and strings closed.
#[inline]
pub(super) fn container(bytes: &[u8], open: usize) -> Result<usize, Stop> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("pclmulqdq")
    {
        return avx2::container(bytes, open);
    }
    walk(bytes, open, portable_masks, prefix_xor)
}

/// The bits of one block of 64 bytes.
#[derive(Clone, Copy)]
struct Masks {
    quote: u64,
    backslash: u64,
    open: u64,
    close: u64,
    newline: u64,
}

/// One bit a level of nesting: is the container an object? The newest 64 levels are in a register.
struct Levels {
    depth: usize,
    top: u64,
    below: Vec<u64>,
}

impl Levels {
    #[inline(always)]
    fn push(&mut self, object: bool) {
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.below.push(self.top);
        }
        self.top = (self.top << 1) | u64::from(object);
        self.depth += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> bool {
        let object = self.top & 1 == 1;
        self.top >>= 1;
        self.depth -= 1;
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.top = self.below.pop().unwrap_or(0);
        }
        object
    }
}

#[inline(always)]
fn walk(
    bytes: &[u8],
    open: usize,
    masks: impl Fn(&[u8; 64]) -> Masks,
    prefix_xor: impl Fn(u64) -> u64,
) -> Result<usize, Stop> {
    let mut levels = Levels {
        depth: 0,
        top: 0,
        below: Vec::new(),
    };
    let mut in_string = 0_u64; // all ones while a string is open across a block's edge
    let mut escaped_first = 0_u64; // the first byte of the next block is escaped
    let mut at = open;
    let mut padded = [b' '; 64];
    while at < bytes.len() {
        let rest = &bytes[at..];
        let block: &[u8; 64] = match rest.first_chunk() {
            Some(block) => block,
            None => {
                padded[..rest.len()].copy_from_slice(rest);
                &padded
            }
        };
        let m = masks(block);
        let escaped = if m.backslash == 0 {
            std::mem::take(&mut escaped_first)
        } else {
            escaped(m.backslash, &mut escaped_first)
        };
        let strings = prefix_xor(m.quote & !escaped) ^ in_string;
        let broken = m.newline & strings;
        // Only brackets before a raw newline in a string count; without one this keeps all 64.
        let before_broken = (broken & broken.wrapping_neg()).wrapping_sub(1);
        let mut brackets = (m.open | m.close) & !strings & before_broken;
        while brackets != 0 {
            let bit = brackets.trailing_zeros() as usize;
            let object = block[bit] & 0x20 != 0;
            if m.open >> bit & 1 == 1 {
                levels.push(object);
            } else {
                if levels.pop() != object {
                    return Err(Stop::Bad(at + bit));
                }
                if levels.depth == 0 {
                    return Ok(at + bit + 1);
                }
            }
            brackets &= brackets - 1;
        }
        if broken != 0 {
            return Err(Stop::Bad(at + broken.trailing_zeros() as usize));
        }
        in_string = ((strings as i64) >> 63) as u64;
        at += 64;
    }
    Err(Stop::End)
}

/// The bytes that a backslash escapes. A run of backslashes escapes what follows it if its length
/// is odd.
#[inline(always)]
fn escaped(backslash: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslash = backslash & !*carry;
    let follows = (backslash << 1) | *carry;
    let odd_starts = backslash & !EVEN & !follows;
    let (even_runs, overflow) = odd_starts.overflowing_add(backslash);
    *carry = u64::from(overflow);
    (EVEN ^ (even_runs << 1)) & follows
}

/// Bit n is the parity of bits 0..=n: from quotes to the insides of strings.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ (bits << 32)
}

/// The masks without intrinsics, eight bytes at a time.
#[inline(always)]
fn portable_masks(block: &[u8; 64]) -> Masks {
    let mut masks = Masks {
        quote: 0,
        backslash: 0,
        open: 0,
        close: 0,
        newline: 0,
    };
    for (i, &byte) in block.iter().enumerate() {
        let folded = byte | 0x20;
        masks.quote |= u64::from(byte == b'"') << i;
        masks.backslash |= u64::from(byte == b'\\') << i;
        masks.open |= u64::from(folded == b'{') << i;
        masks.close |= u64::from(folded == b'}') << i;
        masks.newline |= u64::from(byte == b'\n') << i;
    }
    masks
}

#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "the measured hot path: a load of 16 bytes that the slice has"
)]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8,
    };

    /// As [`super::special`], 16 bytes at a time; SSE2 is part of every x86-64 processor.
    #[inline(always)]
    pub(super) fn special(bytes: &[u8], mut from: usize) -> usize {
        while let Some(chunk) = bytes[from..].first_chunk::<16>() {
            // SAFETY: the chunk is 16 readable bytes; the load has no alignment. SSE2 is in the
            // baseline of the target.
            let mask = unsafe {
                let chunk: __m128i = _mm_loadu_si128(chunk.as_ptr().cast());
                let quote = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'"' as i8));
                let backslash = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'\\' as i8));
                let control = _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1f)), chunk);
                _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control))
            };
            if mask != 0 {
                return from + mask.trailing_zeros() as usize;
            }
            from += 16;
        }
        super::special_bytes(bytes, from)
    }

    /// The masks of 64 bytes, 16 at a time.
    #[inline(always)]
    pub(super) fn string_masks(block: &[u8; 64]) -> super::StringMasks {
        let mut masks = super::StringMasks {
            quote: 0,
            backslash: 0,
            control: 0,
        };
        for (index, chunk) in block.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: the chunk is 16 readable bytes; the load has no alignment. SSE2 is in the
            // baseline of the target.
            let bits = unsafe {
                let chunk: __m128i = _mm_loadu_si128(chunk.as_ptr().cast());
                let quote = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'"' as i8));
                let backslash = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(b'\\' as i8));
                let control = _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1f)), chunk);
                [
                    _mm_movemask_epi8(quote),
                    _mm_movemask_epi8(backslash),
                    _mm_movemask_epi8(control),
                ]
            };
            let place = |bits: i32| u64::from(bits as u32) << (index * 16);
            masks.quote |= place(bits[0]);
            masks.backslash |= place(bits[1]);
            masks.control |= place(bits[2]);
        }
        masks
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "the measured hot path: loads and calls that need AVX2, checked by the caller"
)]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8,
    };

    use crate::json::skip::{Masks, Stop, walk};

    /// As [`super::walk`]; only to be called after both features were detected.
    #[inline]
    pub(super) fn container(bytes: &[u8], open: usize) -> Result<usize, Stop> {
        // SAFETY: `super::container`, the only caller, has just detected AVX2 and PCLMULQDQ.
        unsafe { detected(bytes, open) }
    }

    #[target_feature(enable = "avx2,pclmulqdq,bmi1,lzcnt")]
    fn detected(bytes: &[u8], open: usize) -> Result<usize, Stop> {
        walk(
            bytes,
            open,
            #[inline(always)]
            |block| masks(block),
            #[inline(always)]
            |bits| prefix_xor(bits),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn masks(block: &[u8; 64]) -> Masks {
        let (low, high) = block.split_at(32);
        // SAFETY: both halves are 32 readable bytes; the load has no alignment.
        let (low, high) = unsafe {
            (
                _mm256_loadu_si256(low.as_ptr().cast()),
                _mm256_loadu_si256(high.as_ptr().cast()),
            )
        };
        let fold = _mm256_set1_epi8(0x20);
        let (low_folded, high_folded) = (_mm256_or_si256(low, fold), _mm256_or_si256(high, fold));
        Masks {
            quote: equal(low, high, b'"'),
            backslash: equal(low, high, b'\\'),
            open: equal(low_folded, high_folded, b'{'),
            close: equal(low_folded, high_folded, b'}'),
            newline: equal(low, high, b'\n'),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn equal(low: __m256i, high: __m256i, byte: u8) -> u64 {
        let byte = _mm256_set1_epi8(byte as i8);
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte)) as u32;
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte)) as u32;
        u64::from(low) | u64::from(high) << 32
    }

    /// A carry-less product with all ones is the running parity.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn prefix_xor(bits: u64) -> u64 {
        _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(
            _mm_set_epi64x(0, bits as i64),
            _mm_set1_epi8(-1),
        )) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, a byte at a time.
    fn naive(bytes: &[u8], open: usize) -> Result<usize, Stop> {
        let (mut stack, mut string, mut escape) = (Vec::new(), false, false);
        for (i, &byte) in bytes.iter().enumerate().skip(open) {
            let escaped = std::mem::take(&mut escape);
            match byte {
                b'\\' if !escaped => escape = true,
                b'"' if !escaped => string = !string,
                b'\n' if string => return Err(Stop::Bad(i)),
                b'{' | b'[' if !string => stack.push(byte),
                b'}' | b']' if !string => {
                    if stack.pop() != Some(byte - 2) {
                        return Err(Stop::Bad(i));
                    }
                    if stack.is_empty() {
                        return Ok(i + 1);
                    }
                }
                _ => {}
            }
        }
        Err(Stop::End)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn container_agrees_with_its_definition(body in r#"[\[{]([\[\]{}"\\a ,]|\\\\|\\"|"[a{}\[\]]{0,40}"|\n){0,300}"#) {
            let bytes = body.as_bytes();
            let want = naive(bytes, 0);
            prop_assert_eq!(walk(bytes, 0, portable_masks, prefix_xor), want);
            prop_assert_eq!(container(bytes, 0), want);
        }

        #[test]
        fn escapes_stop_where_one_by_one_would(body in r#"(\\["\\/bfnrt]|\\u00e9|\\x|[a-z:,{}]|"|\n|\\){0,200}"#) {
            let bytes = body.as_bytes();
            // The definition: from the start, one character or escape at a time.
            let mut steps = vec![0];
            let mut at = 0;
            loop {
                match (bytes.get(at), bytes.get(at + 1)) {
                    (None | Some(b'"' | 0..0x20), _) => break,
                    (Some(b'\\'), Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => at += 2,
                    (Some(b'\\'), _) => break,
                    _ => at += 1,
                }
                steps.push(at);
            }
            let end = escapes(bytes, 0);
            prop_assert!(steps.contains(&end), "{end} of {steps:?}");
            // It stops early only where the bytes run out.
            prop_assert!(end == at || bytes.len() - end < 65, "{end} instead of {at}");
            if let Some(block) = bytes.first_chunk() {
                let (fast, slow) = (string_masks(block), string_masks_bytes(block));
                prop_assert_eq!((fast.quote, fast.backslash, fast.control), (slow.quote, slow.backslash, slow.control));
            }
        }

        #[test]
        fn special_agrees_with_its_definition(body in proptest::collection::vec(any::<u8>(), 0..64), from in 0usize..64) {
            let from = from.min(body.len());
            let want = body[from..].iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20).map_or(body.len(), |i| i + from);
            prop_assert_eq!(special(&body, from), want);
        }
    }

    #[test]
    fn a_million_levels_are_a_value() {
        let deep = [vec![b'['; 1_000_000], vec![b']'; 1_000_000]].concat();
        assert_eq!(container(&deep, 0), Ok(deep.len()));
        assert_eq!(container(&deep[..deep.len() - 1], 0), Err(Stop::End));
    }
}
