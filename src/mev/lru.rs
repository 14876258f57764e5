//! Bounded tables: a slab in which an entry that was not used lately gives way when it is full. It grows with what it holds,
//! so that a quiet stream takes little memory; once it has grown it allocates no more.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// Hashes keys of chain accounts by eight bytes from their middle and a random seed: keys are chosen by strangers, and
/// vanity prefixes and suffixes make their ends alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyHash(u64);

impl Default for KeyHash {
    fn default() -> Self {
        Self(RandomState::new().build_hasher().finish() | 1)
    }
}

impl KeyHash {
    /// With a seed that everybody knows.
    pub(super) const PREDICTABLE: Self = Self(0x9e37_79b9_7f4a_7c15);

    /// A number that stands for a key: two of 2³² keys in a table share one with a chance of 2⁻³².
    pub(super) fn tag(self, key: &[u8; 32]) -> u64 {
        let mut hasher = self.build_hasher();
        hasher.write(key);
        hasher.finish()
    }
}

impl BuildHasher for KeyHash {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer { seed: self.0, state: 0 }
    }
}

/// See [`KeyHash`].
#[derive(Debug)]
pub(super) struct Mixer {
    seed: u64,
    state: u64,
}

impl Mixer {
    fn mix(&mut self, value: u64) {
        let wide = u128::from(self.state ^ value ^ self.seed) * u128::from(self.seed | 0x9e37_79b9_7f4a_7c15);
        #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
        let folded = (wide as u64) ^ ((wide >> 64) as u64);
        self.state = folded;
    }
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.state
    }

    fn write(&mut self, bytes: &[u8]) {
        let middle = bytes.get(12..).and_then(<[u8]>::first_chunk::<8>);
        match middle {
            Some(middle) => self.mix(u64::from_le_bytes(*middle)),
            None => bytes.chunks(8).for_each(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                self.mix(u64::from_le_bytes(word));
            }),
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, _length: usize) {
        // All keys of a table are of one length.
    }
}

/// Places in the index of an empty table.
const LEAST_INDEX: usize = 64;

/// A table of at most so many entries; when it is full, one that was not used again lately gives way (a clock with one
/// bit for each entry: using an entry touches no other).
#[derive(Debug)]
pub(super) struct Lru<K, V> {
    /// By hash, linearly probed: upper half of the hash, and the entry's place plus one; 0 is free.
    index: Vec<(u32, u32)>,
    nodes: Vec<Node<K, V>>,
    capacity: usize,
    hash: KeyHash,
    hand: usize,
    evicted: u64,
}

#[derive(Debug)]
struct Node<K, V> {
    key: K,
    value: V,
    used: bool,
}

#[allow(clippy::cast_possible_truncation, reason = "halves of a hash, and places in small tables")]
impl<K: Copy + Eq + Hash, V: Default> Lru<K, V> {
    /// An empty table.
    pub(super) fn new(capacity: usize, hash: KeyHash) -> Self {
        let index = vec![(0, 0); LEAST_INDEX];
        Self { index, nodes: Vec::new(), capacity, hash, hand: 0, evicted: 0 }
    }

    /// The entry, made if it is new; and whether it is new.
    pub(super) fn touch(&mut self, key: K) -> (&mut V, bool) {
        let hash = self.hash.hash_one(key);
        if let Some(at) = self.find(hash, &key) {
            let node = &mut self.nodes[at];
            node.used = true;
            return (&mut node.value, false);
        }
        let at = if self.nodes.len() < self.capacity {
            self.grow();
            self.nodes.push(Node { key, value: V::default(), used: false });
            self.nodes.len() - 1
        } else {
            let at = self.turn();
            self.remove(at);
            self.evicted += 1;
            self.nodes[at] = Node { key, value: V::default(), used: false };
            at
        };
        self.enter(hash, at);
        (&mut self.nodes[at].value, true)
    }

    /// Makes room for one more.
    fn grow(&mut self) {
        let held = self.nodes.len();
        if held == self.nodes.capacity() {
            self.nodes.reserve_exact(held.max(LEAST_INDEX / 2).min(self.capacity - held));
        }
        if 2 * (held + 1) > self.index.len() {
            self.index = vec![(0, 0); 2 * self.index.len()];
            for at in 0..held {
                self.enter(self.hash.hash_one(self.nodes[at].key), at);
            }
        }
    }

    /// Puts an entry that is not there yet into the index.
    fn enter(&mut self, hash: u64, at: usize) {
        let mut slot = self.slot(hash);
        while self.index[slot].1 != 0 {
            slot = self.next(slot);
        }
        self.index[slot] = ((hash >> 32) as u32, at as u32 + 1);
    }

    /// The entry, if it is there; it does not count as used.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.find(self.hash.hash_one(key), key).map(|at| &self.nodes[at].value)
    }

    /// The entry, if it is there; it does not count as used.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.find(self.hash.hash_one(key), key).map(|at| &mut self.nodes[at].value)
    }

    /// Entries given away because the table was full.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Bytes it holds when full.
    pub(super) fn bytes(&self) -> usize {
        let index = (self.capacity * 2).next_power_of_two().max(LEAST_INDEX);
        self.capacity * size_of::<Node<K, V>>() + index * size_of::<(u32, u32)>()
    }

    fn slot(&self, hash: u64) -> usize {
        hash as usize & (self.index.len() - 1)
    }

    fn next(&self, slot: usize) -> usize {
        (slot + 1) & (self.index.len() - 1)
    }

    fn find(&self, hash: u64, key: &K) -> Option<usize> {
        let mut slot = self.slot(hash);
        loop {
            let (upper, place) = self.index[slot];
            let at = (place as usize).checked_sub(1)?;
            if upper == (hash >> 32) as u32 && self.nodes[at].key == *key {
                return Some(at);
            }
            slot = self.next(slot);
        }
    }

    /// The next entry that was not used since the hand passed it last.
    fn turn(&mut self) -> usize {
        loop {
            let at = self.hand;
            self.hand = (self.hand + 1) % self.nodes.len();
            if !std::mem::take(&mut self.nodes[at].used) {
                return at;
            }
        }
    }

    /// Takes an entry out of the index, and closes the gap so that no search ends at it.
    fn remove(&mut self, at: usize) {
        let mut gap = self.slot(self.hash.hash_one(self.nodes[at].key));
        while self.index[gap].1 as usize != at + 1 {
            gap = self.next(gap);
        }
        let mut slot = gap;
        loop {
            slot = self.next(slot);
            let Some(place) = (self.index[slot].1 as usize).checked_sub(1) else { break };
            let home = self.slot(self.hash.hash_one(self.nodes[place].key));
            // It may move up to the gap unless its own place lies between the two.
            let mask = self.index.len() - 1;
            if (slot.wrapping_sub(home) & mask) >= (slot.wrapping_sub(gap) & mask) {
                self.index[gap] = self.index[slot];
                gap = slot;
            }
        }
        self.index[gap] = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is kept is kept right, and whatever is forgotten is counted.
        #[test]
        fn keeps_right_what_it_keeps(keys in proptest::collection::vec(0_u64..40, 1..400), capacity in 2_usize..30) {
            let mut table: Lru<u64, u64> = Lru::new(capacity, KeyHash::default());
            let mut model: HashMap<u64, u64> = HashMap::new();
            let mut forgotten = 0;
            for (n, key) in (1..).zip(keys) {
                let before: Vec<u64> = model.keys().copied().collect();
                let (value, new) = table.touch(key);
                prop_assert_eq!(new, !model.contains_key(&key));
                prop_assert_eq!(*value, model.get(&key).copied().unwrap_or(0));
                *value = n;
                model.insert(key, n);
                model.retain(|key, _| table.get(key).is_some());
                forgotten += before.iter().filter(|key| !model.contains_key(key)).count();
                prop_assert_eq!(u64::try_from(forgotten).unwrap_or(0), table.evicted());
                prop_assert!(model.len() <= capacity);
                for key in 0..40 {
                    prop_assert_eq!(table.get(&key), model.get(&key));
                    prop_assert_eq!(table.get_mut(&key).map(|value| *value), model.get(&key).copied());
                }
            }
        }
    }

    #[test]
    fn an_entry_in_use_outlives_any_number_that_come_once() {
        let mut table: Lru<u64, u64> = Lru::new(8, KeyHash::default());
        for n in 0..1_000 {
            *table.touch(u64::MAX).0 += 1;
            table.touch(n);
        }
        assert_eq!(table.get(&u64::MAX), Some(&1_000));
    }

    #[test]
    fn tags_tell_keys_apart() {
        let hash = KeyHash::default();
        let tags: std::collections::HashSet<_> = (0..=u8::MAX)
            .flat_map(|n| (0..=u8::MAX).map(move |m| (n, m)))
            .map(|(n, m)| {
                let mut key = [7; 32];
                (key[13], key[18]) = (n, m);
                hash.tag(&key)
            })
            .collect();
        assert_eq!(tags.len(), 1 << 16);
    }
}
