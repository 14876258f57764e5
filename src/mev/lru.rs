//! Bounded tables: a slab with the least recently used entry given away when it is full. No allocation once it is.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, Hasher, RandomState},
};

const NONE: u32 = u32::MAX;

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

/// A table of at most so many entries.
#[derive(Debug)]
pub(super) struct Lru<K, V> {
    places: HashMap<K, u32, KeyHash>,
    nodes: Vec<Node<K, V>>,
    newest: u32,
    oldest: u32,
    capacity: usize,
    evicted: u64,
}

#[derive(Debug)]
struct Node<K, V> {
    key: K,
    value: V,
    newer: u32,
    older: u32,
}

impl<K: Copy + Eq + Hash, V: Default> Lru<K, V> {
    /// An empty table, with room for all it may ever hold.
    pub(super) fn new(capacity: usize, hash: KeyHash) -> Self {
        // Twice the room: a table that is at most half full is tidied in place and never grows.
        let places = HashMap::with_capacity_and_hasher(capacity * 2, hash);
        let nodes = Vec::with_capacity(capacity);
        Self { places, nodes, newest: NONE, oldest: NONE, capacity, evicted: 0 }
    }

    /// The entry, made if it is new, now the most recently used one; and whether it is new.
    pub(super) fn touch(&mut self, key: K) -> (&mut V, bool) {
        if let Some(at) = self.places.get(&key).copied() {
            if self.newest != at {
                self.unlink(at);
                self.link(at);
            }
            return (&mut self.nodes[at as usize].value, false);
        }
        let at = if self.nodes.len() < self.capacity {
            #[allow(clippy::cast_possible_truncation, reason = "tables are small")]
            let at = self.nodes.len() as u32;
            self.nodes.push(Node { key, value: V::default(), newer: NONE, older: NONE });
            at
        } else {
            let at = self.oldest;
            self.unlink(at);
            self.evicted += 1;
            let node = &mut self.nodes[at as usize];
            self.places.remove(&node.key);
            node.key = key;
            node.value = V::default();
            at
        };
        self.places.insert(key, at);
        self.link(at);
        (&mut self.nodes[at as usize].value, true)
    }

    /// The entry, if it is there; its age does not change.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.places.get(key).map(|at| &self.nodes[*at as usize].value)
    }

    /// The entry, if it is there; its age does not change.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.places.get(key).map(|at| &mut self.nodes[*at as usize].value)
    }

    /// Entries given away because the table was full.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Bytes it holds when full.
    pub(super) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node<K, V>>() + self.places.capacity() * 8 / 7 * (size_of::<(K, u32)>() + 1)
    }

    fn unlink(&mut self, at: u32) {
        let Node { newer, older, .. } = self.nodes[at as usize];
        match self.nodes.get_mut(newer as usize) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
        match self.nodes.get_mut(older as usize) {
            Some(node) => node.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link(&mut self, at: u32) {
        let before = std::mem::replace(&mut self.newest, at);
        let node = &mut self.nodes[at as usize];
        (node.newer, node.older) = (NONE, before);
        match self.nodes.get_mut(before as usize) {
            Some(node) => node.newer = at,
            None => self.oldest = at,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a plain list in order of use.
        #[test]
        fn keeps_the_most_recently_used(keys in proptest::collection::vec(0_u64..12, 1..300), capacity in 1_usize..9) {
            let mut table: Lru<u64, u64> = Lru::new(capacity, KeyHash::default());
            let mut model: Vec<(u64, u64)> = Vec::new();
            let mut evicted = 0;
            for (n, key) in (1..).zip(keys) {
                let known = model.iter().position(|(k, _)| *k == key).map(|at| model.remove(at));
                let (value, new) = table.touch(key);
                prop_assert_eq!(new, known.is_none());
                prop_assert_eq!(*value, known.map_or(0, |(_, value)| value));
                *value = n;
                model.push((key, n));
                if model.len() > capacity {
                    model.remove(0);
                    evicted += 1;
                }
                for key in 0..12 {
                    let expected = model.iter().find(|(k, _)| *k == key).map(|(_, value)| value);
                    prop_assert_eq!(table.get(&key), expected);
                }
                prop_assert_eq!(table.evicted(), evicted);
            }
        }
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
