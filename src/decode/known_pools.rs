//! Which tokens a pool trades, for the instructions that name only one of them.

use crate::chain::ids::{Mint, Pool};

/// How many pools are remembered: a pool takes the place of another one that falls on it.
const PLACES: usize = 1_024;

/// Pools whose instructions named both tokens, in the pool's own order. What was forgotten, or never seen, shows among the
/// undecoded as a token that nothing names.
#[derive(Debug, Default)]
pub(super) struct KnownPools {
    places: Vec<Option<(Pool, [Mint; 2])>>,
}

impl KnownPools {
    pub(super) fn learn(&mut self, pool: Pool, mints: [Mint; 2]) {
        if self.places.is_empty() {
            self.places.resize(PLACES, None);
        }
        if let Some(place) = self.places.get_mut(place(pool)) {
            *place = Some((pool, mints));
        }
    }

    pub(super) fn mints(&self, pool: Pool) -> Option<[Mint; 2]> {
        let known = self.places.get(place(pool)).copied().flatten()?;
        (known.0 == pool).then_some(known.1)
    }
}

/// By bytes from the middle: the ends of an address can be chosen.
fn place(pool: Pool) -> usize {
    let [.., low, high, _, _, _, _, _, _, _, _, _, _, _, _] = *pool.bytes();
    usize::from(u16::from_le_bytes([low, high])) % PLACES
}
