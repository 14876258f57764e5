//! Who traded a token.

use crate::chain::ids::Wallet;

/// Most traders of one token that are told apart; beyond it their number is a lower bound.
const TRADERS: usize = 8_192;
/// Up to so many traders are found by looking at each.
const FEW: usize = 8;
/// Bits of a place in the index that hold the trader's place plus one; the rest is a part of the wallet's hash.
const PLACE_BITS: u32 = 14;
const PLACE: u32 = (1 << PLACE_BITS) - 1;
const _: () = assert!(TRADERS < PLACE as usize);

/// What one wallet did with one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trader {
    pub(super) wallet: Wallet,
    pub(super) buys: u32,
    pub(super) sells: u32,
    pub(super) last_s: u32,
    /// Lamports spent and received.
    pub(super) spent: u64,
    pub(super) received: u64,
    /// Raw base units bought and sold.
    pub(super) bought: u64,
    pub(super) sold: u64,
}

impl Trader {
    /// One side of it: how often, lamports, raw base units.
    pub(super) const fn side(&mut self, buy: bool) -> (&mut u32, &mut u64, &mut u64) {
        if buy {
            (&mut self.buys, &mut self.spent, &mut self.bought)
        } else {
            (&mut self.sells, &mut self.received, &mut self.sold)
        }
    }
}

/// The traders of a token, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Traders {
    entries: Vec<Trader>,
    /// Trades of wallets that found no place.
    over: u64,
    /// By hash, linearly probed; 0 is free. Made when there are more than a few traders, and at most half full. One word
    /// tells nearly always whether it is the wallet's, so that one look into memory finds a trader and one more reads it.
    index: Vec<u32>,
}

/// A hash of the middle of a wallet's address, which is random already but chosen by a stranger.
fn hash(wallet: &Wallet, secret: u64) -> u64 {
    let bytes = wallet.bytes().get(12..20).and_then(|middle| middle.first_chunk());
    let middle = bytes.copied().map_or(0, u64::from_le_bytes);
    (middle ^ secret).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A place of the index, and what stands in it but for the trader's place.
#[allow(clippy::cast_possible_truncation, reason = "parts of a hash")]
const fn split(hash: u64) -> (usize, u32) {
    ((hash >> 40) as usize, (hash as u32 >> PLACE_BITS) << PLACE_BITS)
}

impl Traders {
    pub(super) fn entries(&self) -> &[Trader] {
        &self.entries
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Trader> {
        self.entries.get_mut(at as usize)
    }

    /// Trades of wallets beyond those that are told apart.
    pub(super) const fn over(&self) -> u64 {
        self.over
    }

    /// The place of a wallet, made if it is new; whether it is new. `None` where there is no room: counted.
    pub(super) fn touch(&mut self, wallet: &Wallet, now_s: u32, secret: u64) -> Option<(u32, bool)> {
        if let Some(at) = self.find(wallet, secret) {
            return Some((at, false));
        }
        if self.entries.len() >= TRADERS {
            self.over += 1;
            return None;
        }
        let at = u32::try_from(self.entries.len()).ok()?;
        let wallet = *wallet;
        self.entries.push(Trader {
            wallet,
            buys: 0,
            sells: 0,
            last_s: now_s,
            spent: 0,
            received: 0,
            bought: 0,
            sold: 0,
        });
        if self.index.is_empty() || self.entries.len() * 2 > self.index.len() {
            self.index_all(secret);
        } else {
            self.enter(at, secret);
        }
        Some((at, true))
    }

    fn find(&mut self, wallet: &Wallet, secret: u64) -> Option<u32> {
        if self.entries.len() <= FEW {
            return (0..).zip(&self.entries).find(|(_, trader)| trader.wallet == *wallet).map(|(at, _)| at);
        }
        if self.index.is_empty() {
            self.index_all(secret);
        }
        let (mut place, tag) = split(hash(wallet, secret));
        let mask = self.index.len() - 1;
        loop {
            let word = *self.index.get(place & mask)?;
            let at = (word & PLACE).checked_sub(1)?;
            let is_it = || self.entries.get(at as usize).is_some_and(|trader| trader.wallet == *wallet);
            if word & !PLACE == tag && is_it() {
                return Some(at);
            }
            place += 1;
        }
    }

    /// Makes the index of all traders anew.
    fn index_all(&mut self, secret: u64) {
        if self.entries.len() <= FEW {
            return;
        }
        self.index.clear();
        self.index.resize((self.entries.len() * 4).next_power_of_two(), 0);
        for at in (0..).take(self.entries.len()) {
            self.enter(at, secret);
        }
    }

    /// Enters a trader that is not in the index.
    fn enter(&mut self, at: u32, secret: u64) {
        let Some(trader) = self.entries.get(at as usize) else { return };
        let (mut place, tag) = split(hash(&trader.wallet, secret));
        let mask = self.index.len().wrapping_sub(1);
        while let Some(word) = self.index.get_mut(place & mask) {
            if *word == 0 {
                *word = tag | (at + 1);
                return;
            }
            place += 1;
        }
    }

    /// Forgets the newest trader.
    pub(super) fn pop(&mut self, secret: u64) {
        let Some(trader) = self.entries.pop() else { return };
        // Nobody came after it, so that no search goes past its place to another.
        let (mut place, _) = split(hash(&trader.wallet, secret));
        let mask = self.index.len().wrapping_sub(1);
        while let Some(word) = self.index.get_mut(place & mask)
            && *word != 0
        {
            if (*word & PLACE) as usize == self.entries.len() + 1 {
                *word = 0;
                return;
            }
            place += 1;
        }
    }

    /// A trade found no room after all: it is taken back.
    pub(super) const fn uncount(&mut self) {
        self.over = self.over.saturating_sub(1);
    }

    /// Gives back what can be made again.
    pub(super) fn rest(&mut self) {
        self.entries.shrink_to_fit();
        self.index = Vec::new();
    }

    /// What it holds on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Trader>() + self.index.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a plain map, with the newest taken back now and then; wallets share their hash's ends and beginnings.
        #[test]
        fn each_wallet_keeps_its_place(
            secret: u64,
            steps in proptest::collection::vec((0_u16..600, 0_u8..8), 0..900),
        ) {
            let mut traders = Traders::default();
            let mut known: HashMap<u16, u32> = HashMap::new();
            for (n, what) in steps {
                let mut key = [9; 32];
                key[14..16].copy_from_slice(&n.to_le_bytes());
                if what == 0 && !known.is_empty() {
                    traders.pop(secret);
                    let newest = u32::try_from(known.len() - 1).unwrap_or(0);
                    known.retain(|_, place| *place != newest);
                    continue;
                }
                if what == 1 {
                    traders.rest();
                }
                let next = u32::try_from(known.len()).unwrap_or(0);
                let is_new = !known.contains_key(&n);
                let place = *known.entry(n).or_insert(next);
                prop_assert_eq!(traders.touch(&Wallet::new(key), 1, secret), Some((place, is_new)));
                prop_assert_eq!(traders.entries().len(), known.len());
            }
        }
    }

    #[test]
    fn those_beyond_the_bound_are_counted() {
        let mut traders = Traders::default();
        let wallet = |n: usize| {
            let mut key = [1; 32];
            key[12..20].copy_from_slice(&(n as u64).to_le_bytes());
            Wallet::new(key)
        };
        for n in 0..TRADERS + 5 {
            assert_eq!(traders.touch(&wallet(n), 1, 3).is_some(), n < TRADERS);
        }
        assert_eq!((traders.entries().len(), traders.over()), (TRADERS, 5));
        assert_eq!(traders.touch(&wallet(TRADERS - 1), 1, 3), u32::try_from(TRADERS - 1).ok().map(|at| (at, false)));
    }
}
