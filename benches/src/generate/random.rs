//! Pseudo-random numbers that depend on the seed alone.

/// SplitMix64: one word of state, one multiplication chain a number; good enough for names and
/// times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        finish(self.0)
    }

    /// A number below `bound`, which must not be 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A waiting time of a Poisson process, in the unit of `mean`.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        let uniform = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        -mean * (1.0 - uniform).ln()
    }
}

/// A number that belongs to the pair: what an object's UID, addresses and suffixes are made of.
pub(super) fn mix(identity: u64, salt: u64) -> u64 {
    finish(identity ^ finish(salt.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// A number that belongs to the text.
pub(super) fn mix_text(text: &str, salt: u64) -> u64 {
    text.bytes()
        .fold(finish(salt), |hash, byte| mix(hash, u64::from(byte)))
}

fn finish(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
