//! Hashing of chain keys: they are random already, but chosen by strangers.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Takes eight bytes from the middle of a key and mixes a secret in: the ends are unsafe, because vanity addresses begin
/// or end alike, and the secret keeps strangers from choosing keys that collide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed {
    secret: u64,
}

impl Default for Keyed {
    fn default() -> Self {
        Self { secret: RandomState::new().hash_one(0_u64) }
    }
}

impl BuildHasher for Keyed {
    type Hasher = Middle;

    fn build_hasher(&self) -> Middle {
        Middle(self.secret)
    }
}

/// See [`Keyed`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Middle(u64);

impl Middle {
    const fn mix(&mut self, value: u64) {
        // A folded product spreads each bit over all.
        let product = (self.0 ^ value) as u128 * 0x9e37_79b9_7f4a_7c15;
        #[allow(clippy::cast_possible_truncation, reason = "both halves are taken")]
        let folded = product as u64 ^ (product >> 64) as u64;
        self.0 = folded;
    }
}

impl Hasher for Middle {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(middle) = bytes.get(12..20).and_then(|middle| middle.first_chunk()) {
            self.mix(u64::from_le_bytes(*middle));
        } else {
            for byte in bytes {
                self.mix(u64::from(*byte));
            }
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    /// The length of a key is always the same.
    fn write_usize(&mut self, _: usize) {}
}

/// For keys that are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Identity;

impl BuildHasher for Identity {
    type Hasher = Same;

    fn build_hasher(&self) -> Same {
        Same(0)
    }
}

/// See [`Identity`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::chain::ids::Mint;

    #[test]
    fn keys_that_differ_in_the_middle_only_spread_over_all_bits() {
        let keyed = Keyed::default();
        let hash = |n: u64| {
            let mut key = [7; 32];
            key[12..20].copy_from_slice(&n.to_le_bytes());
            keyed.hash_one(Mint::new(key))
        };
        let low: HashSet<u64> = (0..4_096).map(|n| hash(n) & 0xffff).collect();
        let high: HashSet<u64> = (0..4_096).map(|n| hash(n << 40) >> 57).collect();
        assert!(low.len() > 3_700, "{}", low.len());
        assert_eq!(high.len(), 128);
    }
}
