//! What curves' accounts say, against what their trades say.
//!
//! Accounts and transactions come in no order. So an account that says another state than the trades led to is looked at
//! again when the trades before it have had time to come: then it either says the same, or the curve has moved on, or
//! something is missing.

use std::collections::VecDeque;

use super::{Market, change::Change};
use crate::{chain::ids::Pool, decode::event::Reserves};

/// Most accounts that wait.
const MOST: usize = 4_096;
/// How long they wait, in milliseconds: longer than an event waits for the one before it.
const PATIENCE_MS: i64 = 3_000;

/// How a curve stands by its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) slot: u64,
    pub(super) curve: Pool,
    /// Virtual.
    pub(super) reserves: Reserves,
    /// Tokens for sale.
    pub(super) tokens_left: u64,
    pub(super) recv_ms: i64,
}

/// Accounts that say something else, oldest first.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    waiting: VecDeque<Stated>,
    /// How many found no room.
    skipped: u64,
}

impl Doubts {
    fn push(&mut self, stated: Stated) {
        if self.waiting.len() == MOST {
            self.waiting.pop_front();
            self.skipped += 1;
        }
        self.waiting.push_back(stated);
    }

    fn due(&mut self, now_ms: i64) -> Option<Stated> {
        let waited = |stated: &Stated| now_ms.saturating_sub(stated.recv_ms) > PATIENCE_MS;
        if self.waiting.front().is_some_and(waited) { self.waiting.pop_front() } else { None }
    }

    fn has(&self, curve: Pool) -> bool {
        self.waiting.iter().any(|stated| stated.curve == curve)
    }

    /// A slot that never happened has written nothing.
    pub(super) fn forget(&mut self, slot: u64) {
        self.waiting.retain(|stated| stated.slot != slot);
    }

    /// How many were never looked at again.
    pub(super) const fn skipped(&self) -> u64 {
        self.skipped
    }
}

impl Market {
    /// Takes what the account of a curve says. Of a curve that nobody was seen trading on there is nothing to compare.
    pub(super) fn curve_stated(&mut self, stated: Stated) {
        if self.pools.find(&stated.curve).is_some() && !self.agrees(&stated) {
            self.doubts.push(stated);
        }
    }

    fn agrees(&mut self, stated: &Stated) -> bool {
        let state = self.pools.find(&stated.curve).and_then(|id| self.pools.value_mut(id));
        state.is_some_and(|state| {
            let same = state.facts.chain.head() == Some(stated.reserves);
            if same {
                state.confirm(stated.slot);
            }
            same
        })
    }

    /// Looks again at accounts whose time is up.
    pub(super) fn settle_doubts(&mut self, now_ms: i64, changes: &mut Vec<Change>) {
        while let Some(stated) = self.doubts.due(now_ms) {
            // Of several writes the last one counts.
            if !self.doubts.has(stated.curve) && !self.agrees(&stated) {
                self.contradict(&stated, now_ms, changes);
            }
        }
    }

    /// The account is right: what led there is missing. It is told as a gap, and the curve stands as the account says.
    fn contradict(&mut self, stated: &Stated, now_ms: i64, changes: &mut Vec<Change>) {
        let state = self.pools.find(&stated.curve).and_then(|id| self.pools.value_mut(id));
        let Some(state) = state else { return };
        if !state.restate(stated.slot, stated.reserves) {
            return;
        }
        let mint = state.facts.mint;
        let around = self.around_token(mint);
        if let Some(token) = self.tokens.get_mut(&mint) {
            token.stated(stated.curve, stated.reserves, stated.tokens_left, &around);
        }
        self.activity += 1;
        let Stated { slot, curve: pool, .. } = *stated;
        changes.push(Change::ChainBroken { slot, recv_ms: now_ms, pool, mint, connection: 0 });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::{
        chain::ids::{Mint, Pool, Signature, WRAPPED_SOL, Wallet},
        decode::{
            Event, EventKind,
            event::{Path, TokenCreated, Venue},
        },
        market::{Arrived, change::Status},
    };

    const CURVE: Pool = Pool::new([7; 32]);
    const OPENED: Reserves = Reserves { base: 1_000, quote: 30 };

    /// A market with one curve, launched in slot 10.
    fn market() -> Market {
        let created = TokenCreated {
            venue: Venue::Pump,
            mint: Mint::new([1; 32]),
            curve: CURVE,
            name: (&b"n"[..]).into(),
            symbol: (&b"s"[..]).into(),
            uri: (&b"u"[..]).into(),
            creator: Wallet::new([2; 32]),
            token_program: None,
            quote_mint: WRAPPED_SOL,
            mayhem: false,
            initial: Some(OPENED),
            initial_tokens_left: Some(900),
            supply: None,
        };
        let event = Event {
            slot: 10,
            signature: Signature::from([3; 64]),
            tx_index: 0,
            path: Path { outer: 0, inner: None },
            event_index: 0,
            timestamp: None,
            payer: Wallet::new([2; 32]),
            kind: EventKind::TokenCreated(created),
        };
        let mut market = Market::default();
        market.apply(event, Arrived { connection: 0, recv_us: 0, status: Status::Processed }, &mut Vec::new());
        market
    }

    fn says(market: &mut Market, slot: u64, base: u64, recv_ms: i64) {
        let reserves = Reserves { base, quote: 30_000 / u128::from(base) };
        market.curve_stated(Stated { slot, curve: CURVE, reserves, tokens_left: base - 100, recv_ms });
    }

    fn told(market: &mut Market, now_ms: i64) -> usize {
        let mut changes = Vec::new();
        market.release(now_ms, &mut changes);
        changes.iter().filter(|change| matches!(change, Change::ChainBroken { .. })).count()
    }

    #[test]
    fn an_account_that_says_the_same_confirms() {
        let mut market = market();
        says(&mut market, 10, 1_000, 0);
        assert_eq!(told(&mut market, 60_000), 0);
        let pools = market.shown_pools();
        assert_eq!((pools[0].confirmed_slot, pools[0].open_gaps, pools[0].reserves), (Some(10), 0, Some(OPENED)));
    }

    #[test]
    fn one_that_says_something_else_is_a_gap_when_what_led_there_has_had_time_to_come() {
        let mut market = market();
        says(&mut market, 11, 500, 0);
        assert_eq!(told(&mut market, PATIENCE_MS), 0, "trades may still come");
        assert_eq!(market.shown_pools()[0].confirmed_slot, None);
        assert_eq!(told(&mut market, PATIENCE_MS + 1), 1);
        let pools = market.shown_pools();
        assert_eq!((pools[0].open_gaps, pools[0].broken_since, pools[0].confirmed_slot), (1, Some(11), Some(11)));
        assert_eq!(pools[0].reserves, Some(Reserves { base: 500, quote: 60 }), "it stands as the account says");
        let token = market.shown_tokens(0)[0].clone();
        assert_eq!(token.progress_pct, Some(55.55), "400 of 900 tokens are left");
        says(&mut market, 12, 500, 5_000);
        assert_eq!((told(&mut market, 60_000), market.shown_pools()[0].open_gaps), (0, 1), "told once");
    }

    #[test]
    fn of_several_writes_the_last_counts_and_a_dead_slot_has_written_nothing() {
        let mut market = market();
        says(&mut market, 10, 500, 0);
        says(&mut market, 10, 1_000, 0);
        assert_eq!(told(&mut market, 60_000), 0, "the first was on the way to the last");
        says(&mut market, 12, 500, 60_000);
        market.slot(12, Some(10), 6, &mut Vec::new());
        assert_eq!(told(&mut market, 120_000), 0);
        assert_eq!(market.shown_pools()[0].open_gaps, 0);
    }
}
