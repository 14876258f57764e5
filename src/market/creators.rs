//! What became of the tokens of each creator.

use super::{detail::CreatorView, lru::Lru};
use crate::chain::ids::Wallet;

/// Most creators remembered; beyond it the one without a launch or an end for longest is forgotten.
const CREATORS: usize = 32_768;

/// What happened to a token of a creator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Launched,
    Graduated,
    DevSold,
    Rugged,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Record {
    launches: u32,
    graduated: u32,
    dev_sold: u32,
    rugged: u32,
}

impl Record {
    const fn count(&mut self, deed: Deed) -> &mut u32 {
        match deed {
            Deed::Launched => &mut self.launches,
            Deed::Graduated => &mut self.graduated,
            Deed::DevSold => &mut self.dev_sold,
            Deed::Rugged => &mut self.rugged,
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Creators {
    records: Lru<Wallet, Record>,
}

impl Default for Creators {
    fn default() -> Self {
        Self { records: Lru::new(CREATORS) }
    }
}

impl Creators {
    pub(super) fn did(&mut self, creator: Wallet, deed: Deed) {
        let id = self.records.touch(creator, |_, _| false, Record::default);
        if let Some(record) = self.records.value_mut(id) {
            let count = record.count(deed);
            *count = count.saturating_add(1);
        }
    }

    /// It did not happen: the slot is dead.
    pub(super) fn undo(&mut self, creator: Wallet, deed: Deed) {
        if let Some(record) = self.records.get_mut(&creator) {
            let count = record.count(deed);
            *count = count.saturating_sub(1);
        }
    }

    pub(super) fn view(&self, wallet: Wallet) -> Option<CreatorView> {
        let Record { launches, graduated, dev_sold, rugged } = *self.records.get(&wallet)?;
        Some(CreatorView { wallet, launches, graduated, dev_sold, rugged })
    }

    /// Creators forgotten at the bound.
    pub(super) const fn evicted(&self) -> u64 {
        self.records.evicted()
    }
}
