//! Which transactions were applied already: the same one arrives on several connections and again after a reconnect.

use std::{
    collections::{HashSet, VecDeque, hash_map::RandomState},
    hash::{BuildHasher, Hasher},
};

use super::hash::Identity;

/// How many transactions are remembered: a replay brings again what arrived before a break, which at the highest rate of
/// our programs (some 3,000/s) and the longest replay (150 slots) is a minute ago and more.
const CAPACITY: usize = 1 << 19;

/// The newest `(slot, signature)` pairs. The same signature in another slot is another execution: a fork, or a loop of
/// the demo.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hasher: RandomState,
    known: HashSet<u64, Identity>,
    order: VecDeque<u64>,
}

impl Seen {
    /// Whether this pair is new; remembers it.
    pub(super) fn insert(&mut self, slot: u64, signature: &[u8]) -> bool {
        // A keyed 64-bit hash stands for the pair: a stranger cannot make two collide, and by chance one transaction
        // in 10^14 would.
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(slot);
        hasher.write(signature);
        let key = hasher.finish();
        if !self.known.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_new_once_and_memory_is_bounded() {
        let mut seen = Seen::default();
        let signature = |n: usize| n.to_le_bytes();
        for n in 0..3 * CAPACITY {
            assert!(seen.insert(1, &signature(n)));
            assert!(!seen.insert(1, &signature(n)));
            assert!(n < CAPACITY / 2 || !seen.insert(1, &signature(n - CAPACITY / 2)));
        }
        assert!(seen.insert(2, &signature(3 * CAPACITY - 1)), "another slot is another execution");
        assert_eq!(seen.order.len(), CAPACITY);
        assert_eq!(seen.known.len(), CAPACITY);
    }
}
