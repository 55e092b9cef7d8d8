//! Writes numbers and identities as the log spells them.

use super::random::{Random, mix};

/// Kubernetes' alphabet for generated names: no vowels, no look-alikes.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8; 16] = b"0123456789abcdef";

pub(super) fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// The number's last digits, with leading zeros.
pub(super) fn digits(out: &mut Vec<u8>, mut number: u64, count: usize) {
    let mut digits = [b'0'; 20];
    for digit in digits[..count].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[..count]);
}

pub(super) fn hex(out: &mut Vec<u8>, word: u64, digits: usize) {
    let mut text = [0; 16];
    for (position, digit) in text[..digits].iter_mut().enumerate() {
        *digit = HEX[(word >> (4 * (digits - 1 - position))) as usize & 15];
    }
    out.extend_from_slice(&text[..digits]);
}

/// A UUID of version 4.
pub(super) fn uuid(out: &mut Vec<u8>, identity: u64) {
    let high = mix(identity, 100) & !0xf000 | 0x4000;
    let low = mix(identity, 101) & !(0b11 << 62) | (0b10 << 62);
    let mut text = *b"00000000-0000-0000-0000-000000000000";
    let mut position = 0;
    for word in [high, low] {
        for shift in (0..16).rev() {
            if text[position] == b'-' {
                position += 1;
            }
            text[position] = HEX[(word >> (4 * shift)) as usize & 15];
            position += 1;
        }
    }
    out.extend_from_slice(&text);
}

/// A SHA-256 in hexadecimal.
pub(super) fn digest(out: &mut Vec<u8>, identity: u64) {
    for part in 0..4 {
        hex(out, mix(identity, part), 16);
    }
}

pub(super) fn base64(out: &mut Vec<u8>, identity: u64, length: usize) {
    let mut random = Random::new(identity);
    let end = out.len() + length;
    while out.len() < end {
        let mut word = random.next();
        for _ in 0..10.min(end - out.len()) {
            out.push(BASE64[word as usize & 63]);
            word >>= 6;
        }
    }
}

/// A suffix as Kubernetes generates them.
pub(super) fn suffix(out: &mut Vec<u8>, mut word: u64, length: usize) {
    for _ in 0..length {
        out.push(SAFE[(word % SAFE.len() as u64) as usize]);
        word /= SAFE.len() as u64;
    }
}
