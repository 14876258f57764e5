//! Whose legs are one attacker's, and how its wallets are tied.

use super::Scene;
use crate::{
    chain::ids::Wallet,
    mev::{
        alert::Link,
        book::{Entry, Position},
    },
};

/// Whose legs are taken for one entity's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entity {
    owners: [u64; 8],
    payers: [u64; 8],
    programs: [u64; 8],
}

impl Entity {
    pub(super) fn of(position: &Position, scene: &Scene<'_>) -> Self {
        let mut entity = Self::default();
        let legs = position.fronts().chain(position.backs().map(|(seq, _)| seq));
        for (at, entry) in legs.filter_map(|seq| scene.book.get(seq)).enumerate().take(8) {
            entity.owners[at] = entry.owner;
            if scene.users.is_private(entry.payer) {
                entity.payers[at] = entry.payer;
            }
            if scene.users.is_private(entry.program) {
                entity.programs[at] = entry.program;
            }
        }
        entity
    }

    pub(super) fn owns(&self, entry: &Entry) -> bool {
        self.owners.contains(&entry.owner)
            || self.payers.contains(&entry.payer)
            || (entry.program != 0 && self.programs.contains(&entry.program))
    }

    pub(super) fn wallets(&self) -> usize {
        let mut seen = [0; 8];
        let mut count = 0;
        for owner in self.owners.iter().filter(|owner| **owner != 0) {
            if !seen.contains(owner) {
                seen[count] = *owner;
                count += 1;
            }
        }
        count
    }
}

/// The wallets of a position's legs, in order, and how each is tied to those before it.
pub(super) fn links<'a>(position: &'a Position, scene: &'a Scene<'_>) -> impl Iterator<Item = (Wallet, Link)> + 'a {
    let entries =
        || position.fronts().chain(position.backs().map(|(seq, _)| seq)).filter_map(|seq| scene.book.get(seq));
    entries().enumerate().map(move |(at, entry)| {
        let best = entries().take(at).map(|other| {
            if other.owner == entry.owner {
                Link::Owner
            } else if scene.handed.to(entry.owner, &entry.leg.mint) == Some(other.owner) {
                Link::Transfer
            } else if other.payer == entry.payer && scene.users.is_private(entry.payer) {
                Link::Payer
            } else if other.program != 0 && other.program == entry.program && scene.users.is_private(entry.program) {
                // Where the amounts are equal too, that proves more.
                if other.leg.base == entry.leg.base { Link::ExactAmount } else { Link::Program }
            } else {
                Link::ExactAmount
            }
        });
        (entry.leg.user, best.max().unwrap_or(Link::Owner))
    })
}

/// The weakest of the ties that hold the position together.
pub(super) fn weakest(position: &Position, scene: &Scene<'_>) -> Link {
    links(position, scene).map(|(_, link)| link).min().unwrap_or(Link::Owner)
}
