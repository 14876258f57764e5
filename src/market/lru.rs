//! A bounded table in the order of last use: entries live in a slab and are linked by their numbers, so using one moves
//! no memory and asks for none.

use std::{collections::HashMap, hash::Hash};

use super::hash::Keyed;

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Node<K, V> {
    key: K,
    value: V,
    newer: u32,
    older: u32,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Lru<K, V> {
    index: HashMap<K, u32, Keyed>,
    nodes: Vec<Option<Node<K, V>>>,
    free: Vec<u32>,
    newest: u32,
    oldest: u32,
    capacity: usize,
    evicted: u64,
}

impl<K: Copy + Eq + Hash, V> Lru<K, V> {
    /// An empty table for at most so many entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            index: HashMap::default(),
            nodes: Vec::new(),
            free: Vec::new(),
            newest: NONE,
            oldest: NONE,
            capacity,
            evicted: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Entries that went because the table was full.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The number of a key's entry; it holds until the entry is evicted or removed, then another may get it.
    pub(super) fn find(&self, key: &K) -> Option<u32> {
        self.index.get(key).copied()
    }

    fn node(&self, id: u32) -> Option<&Node<K, V>> {
        self.nodes.get(id as usize)?.as_ref()
    }

    fn node_mut(&mut self, id: u32) -> Option<&mut Node<K, V>> {
        self.nodes.get_mut(id as usize)?.as_mut()
    }

    pub(super) fn key(&self, id: u32) -> Option<K> {
        self.node(id).map(|node| node.key)
    }

    pub(super) fn value(&self, id: u32) -> Option<&V> {
        self.node(id).map(|node| &node.value)
    }

    pub(super) fn value_mut(&mut self, id: u32) -> Option<&mut V> {
        self.node_mut(id).map(|node| &mut node.value)
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.value(self.find(key)?)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let id = self.find(key)?;
        self.value_mut(id)
    }

    /// The entry of a key, now the newest; made if there is none. A full table first gives up its oldest entry that is
    /// not `kept`, or takes no notice of its bound where all of the oldest are.
    pub(super) fn touch(&mut self, key: K, kept: impl Fn(&K, &V) -> bool, make: impl FnOnce() -> V) -> u32 {
        if let Some(id) = self.find(&key) {
            if self.newest != id {
                self.unlink(id);
                self.link(id);
            }
            return id;
        }
        if self.len() >= self.capacity {
            drop(self.evict(kept));
        }
        let node = Node { key, value: make(), newer: NONE, older: NONE };
        let id = if let Some(id) = self.free.pop() {
            if let Some(place) = self.nodes.get_mut(id as usize) {
                *place = Some(node);
            }
            id
        } else {
            self.nodes.push(Some(node));
            u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
        };
        self.index.insert(key, id);
        self.link(id);
        id
    }

    /// Gives up the oldest entry that is not `kept`.
    pub(super) fn evict(&mut self, kept: impl Fn(&K, &V) -> bool) -> Option<V> {
        /// How many kept ones are passed over: they go to the front, so that each is met once in a round.
        const TRIES: usize = 64;
        for _ in 0..TRIES {
            let id = self.oldest;
            let node = self.node(id)?;
            if kept(&node.key, &node.value) {
                self.unlink(id);
                self.link(id);
            } else {
                self.evicted += 1;
                return self.remove(id);
            }
        }
        None
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, id: u32) -> Option<V> {
        self.unlink(id);
        let node = self.nodes.get_mut(id as usize)?.take()?;
        self.index.remove(&node.key);
        self.free.push(id);
        Some(node.value)
    }

    fn unlink(&mut self, id: u32) {
        let Some((newer, older)) = self.node(id).map(|node| (node.newer, node.older)) else { return };
        match self.node_mut(newer) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
        match self.node_mut(older) {
            Some(node) => node.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link(&mut self, id: u32) {
        let newest = std::mem::replace(&mut self.newest, id);
        match self.node_mut(newest) {
            Some(node) => node.newer = id,
            None => self.oldest = id,
        }
        if let Some(node) = self.node_mut(id) {
            (node.newer, node.older) = (NONE, newest);
        }
    }

    /// The numbers of all entries, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(self.newest), |id| self.node(*id).map(|node| node.older))
            .take_while(|id| *id != NONE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The slab against a plain list.
        #[test]
        fn equals_a_list_that_is_searched(uses in proptest::collection::vec((0_u8..24, any::<bool>()), 0..300)) {
            let mut table = Lru::new(8);
            let mut list: Vec<u8> = Vec::new();
            let kept = |key: &u8| key % 8 == 3;
            let mut evicted = 0;
            for (key, removes) in uses {
                if removes && let Some(id) = table.find(&key) {
                    table.remove(id);
                    list.retain(|other| *other != key);
                    continue;
                }
                if !list.contains(&key) && list.len() >= 8 {
                    while list.last().is_some_and(kept) {
                        let last = list.pop();
                        list.splice(0..0, last);
                    }
                    list.pop();
                    evicted += 1;
                }
                list.retain(|other| *other != key);
                list.insert(0, key);
                table.touch(key, |key, _| kept(key), || key);
                let got: Vec<u8> = table.newest_first().filter_map(|id| table.value(id).copied()).collect();
                prop_assert_eq!(&got, &list);
                prop_assert_eq!((table.len(), table.evicted()), (list.len(), evicted));
                prop_assert!(list.iter().all(|key| table.get(key) == Some(key)));
            }
        }
    }
}
