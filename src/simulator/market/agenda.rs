//! What actors have made up their minds to do, by time.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use super::{state::WalletId, truth::Role};

/// Things to do that are kept at most; what would come on top is not done.
const MOST: usize = 200_000;

/// Something an actor does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Launches a token.
    Launch { creator: WalletId, plan: Plan },
    /// Spends lamports on a token, wherever it trades.
    Buy { token: u64, wallet: WalletId, lamports: u64, role: Role },
    /// Sells a share, in percent, of what it holds.
    Sell { token: u64, wallet: WalletId, percent: u64, role: Role },
    /// Turns the crank of a migration.
    Migrate { token: u64, wallet: WalletId },
    /// Buys, and will sell what it bought.
    Churn { token: u64, wallet: WalletId, lamports: u64, rounds: u32 },
    /// Provides liquidity, or takes it back.
    Provide { token: u64 },
    /// Spends the boost of a pool, and will do so again.
    Burn { token: u64 },
    /// Opens a second pool.
    List { token: u64 },
    /// Takes so many percent of a second pool out that one has put in.
    Pull { token: u64, percent: u64 },
    /// Lives on a difference between the prices of two pools.
    Arbitrage { token: u64, wallet: WalletId },
    /// Exchanges one token for another.
    Hop { from: u64, to: u64, wallet: WalletId },
    /// Looks at a pool, and will look again.
    Watch { token: u64, wallet: WalletId, price: f64 },
}

/// What becomes of a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// How much attention it gets at first.
    pub(super) heat: f64,
    /// Share of buys among its organic trades.
    pub(super) mood: f64,
    /// How far early buyers carry it at once; above 1 they complete the curve.
    pub(super) rush: f64,
}

/// Acts by time, those of the same time in the order they were thought of.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BinaryHeap<Reverse<(u64, u64)>>,
    acts: BTreeMap<u64, Act>,
    next: u64,
    refused: u64,
}

impl Agenda {
    /// Plans an act for a time in microseconds.
    pub(super) fn plan(&mut self, at: u64, act: Act) {
        if self.acts.len() >= MOST {
            self.refused += 1;
            return;
        }
        self.due.push(Reverse((at, self.next)));
        self.acts.insert(self.next, act);
        self.next += 1;
    }

    /// The first act that is due.
    pub(super) fn pop(&mut self, now: u64) -> Option<Act> {
        let Reverse((at, number)) = *self.due.peek()?;
        if at > now {
            return None;
        }
        self.due.pop();
        self.acts.remove(&number)
    }

    /// When the first act is due.
    pub(super) fn first(&self) -> Option<u64> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Acts that were refused because too many were planned.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }
}
