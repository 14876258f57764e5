//! What the market shows of itself.

use std::sync::Arc;

use super::{
    Market, SHOWN_TOKENS,
    forecast::Score,
    pools,
    stated::Stated,
    token_lifecycle::{Around, Token},
    view::{EtaScoreView, Feed, LifecycleView, PoolView, SolUsdView, Stage, TokenView, TradeView},
};
use crate::{
    chain::{
        ids::{Mint, Pool},
        text::Shown,
    },
    decode::{accounts::Account, event::Reserves},
};

/// Most pools in a view: the most recently active ones.
pub const SHOWN_POOLS: usize = 500;
/// A token leads while it was traded within this time, in milliseconds.
const LEADS_MS: i64 = 60_000;
/// Tokens looked after in each second, beyond those shown.
const SWEPT: u32 = 1_024;
/// The price of SOL in the views is made anew when it moved by more than this.
const USD_MOVED: f64 = 0.001;

impl Market {
    /// Takes an account that tells the price of SOL, or how a curve stands.
    pub fn account(&mut self, slot: u64, address: Pool, account: &Account, recv_ms: i64) {
        if let Some(price) = account.sol_usd() {
            self.sol_usd.observe(address, price, recv_ms);
        } else if let Account::BondingCurve(curve) = account {
            self.curve_stated(Stated {
                slot,
                curve: address,
                reserves: Reserves { base: curve.virtual_tokens, quote: curve.virtual_quote.into() },
                tokens_left: curve.real_tokens,
                recv_ms,
            });
        }
    }

    /// US dollars per SOL to go by while the stream does not tell.
    pub fn assume_sol_usd(&mut self, price: Option<f64>) {
        self.sol_usd.assume(price);
    }

    /// Never forget this token: the user looks at it.
    pub const fn watch(&mut self, mint: Option<Mint>) {
        self.watched = mint;
    }

    /// A token's symbol, made safe; empty when unknown.
    #[must_use]
    pub fn symbol(&self, mint: &Mint) -> Shown {
        self.tokens.get(mint).map_or_else(Shown::default, |token| token.symbol.clone())
    }

    /// Lets rolling figures age; call about once a second.
    pub fn age(&mut self, now_ms: i64) {
        self.sol_usd.age(now_ms);
        let usd = self.sol_usd.price();
        let moved = match (usd, self.shown_usd) {
            (Some(usd), Some(shown)) => (usd / shown - 1.0).abs() > USD_MOVED,
            (usd, shown) => usd != shown,
        };
        if moved {
            self.shown_usd = usd;
        }
        let shown: Vec<u32> = self.tokens.newest_first().take(SHOWN_TOKENS).collect();
        for id in &shown {
            self.look_after(*id, now_ms, true, moved);
        }
        let all = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
        for _ in 0..SWEPT.min(all) {
            self.swept = if self.swept >= all { 0 } else { self.swept + 1 };
            self.look_after(self.swept, now_ms, false, false);
        }
        let pools = u32::try_from(self.pools.len()).unwrap_or(u32::MAX);
        for _ in 0..SWEPT.min(pools) {
            self.swept_pool = if self.swept_pool >= pools { 0 } else { self.swept_pool + 1 };
            if let Some(pool) = self.pools.value_mut(self.swept_pool) {
                pool.rest();
            }
        }
        self.elect(&shown, now_ms);
    }

    fn look_after(&mut self, id: u32, now_ms: i64, in_view: bool, refresh: bool) {
        let Some(token) = self.tokens.value_mut(id) else { return };
        let bytes = token.bytes();
        token.age(now_ms, in_view);
        self.token_bytes = (self.token_bytes + token.bytes()).saturating_sub(bytes);
        if refresh {
            token.refresh();
        }
        if let Some(promise) =
            token.core.promise.as_mut().filter(|promise| !promise.overdue && promise.high_ms < now_ms)
        {
            promise.overdue = true;
            self.eta_score.overdue += 1;
        }
    }

    /// The leader: the curve token with the highest market cap among those traded of late.
    fn elect(&mut self, shown: &[u32], now_ms: i64) {
        let runs = |token: &Token| {
            matches!(token.core.stage, Stage::Trading)
                && token.core.last_trade_ms.is_some_and(|last| now_ms - last <= LEADS_MS)
        };
        let candidates = shown.iter().filter_map(|id| self.tokens.value(*id)).filter(|token| runs(token));
        let best = candidates.filter_map(|token| Some((token.core.market_cap_sol?, token.mint)));
        let leader = best.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, mint)| mint);
        if leader != self.leader {
            for (mint, leads) in [(self.leader, false), (leader, true)] {
                if let Some(token) = mint.and_then(|mint| self.tokens.get_mut(&mint)) {
                    token.leader = leads;
                    token.refresh();
                }
            }
            self.leader = leader;
        }
    }

    /// The most recently active tokens, newest first. Unchanged tokens are the same `Arc` as before.
    pub fn shown_tokens(&mut self, now_ms: i64) -> Arc<[Arc<TokenView>]> {
        let shown: Vec<u32> = self.tokens.newest_first().take(SHOWN_TOKENS).collect();
        let views = shown.into_iter().filter_map(|id| {
            let around = self.shown_around(self.tokens.value(id)?.core.quote_mint);
            Some(self.tokens.value_mut(id)?.view(now_ms, &around))
        });
        views.collect()
    }

    /// The most recently active pools and curves, newest first. Unchanged ones are the same `Arc` as before.
    pub fn shown_pools(&mut self) -> Arc<[Arc<PoolView>]> {
        let shown: Vec<u32> = self.pools.newest_first().take(SHOWN_POOLS).collect();
        shown.into_iter().filter_map(|id| self.pool_view(id)).collect()
    }

    /// What stands around a token of this quote, as the views hold it.
    pub(super) fn shown_around(&self, quote: Mint) -> Around {
        Around { sol_usd: self.shown_usd, ..self.around(quote) }
    }

    pub(super) fn pool_view(&mut self, id: u32) -> Option<Arc<PoolView>> {
        let (pool, state) = self.pools.key(id).zip(self.pools.value(id))?;
        let token = self.tokens.get(&state.facts.mint);
        let symbol = token.map_or_else(Shown::default, |token| token.symbol.clone());
        let around = pools::Around {
            lamports_per_unit: self.around(state.quote_mint()).lamports_per_unit,
            sol_usd: self.shown_usd,
            decimals: token.and_then(|token| token.core.decimals),
            home_price: token.and_then(|token| token.price_sol(&self.around(token.core.quote_mint))),
            sold_out: token.is_some_and(|token| token.has_left(pool, Stage::Completing)),
            closed: token.is_some_and(|token| token.has_left(pool, Stage::Migrated)),
        };
        Some(self.pools.value_mut(id)?.view(pool, &symbol, &around))
    }

    /// The price of SOL.
    #[must_use]
    pub fn sol_usd(&self) -> SolUsdView {
        self.sol_usd.view()
    }

    /// How forecasts of completion came out.
    #[must_use]
    pub const fn eta_score(&self) -> EtaScoreView {
        let Score { scored, inside, overdue } = self.eta_score;
        EtaScoreView { scored, inside, overdue }
    }

    /// Counts activity: a reader compares it to tell whether anything changed.
    #[must_use]
    pub const fn activity(&self) -> u64 {
        self.activity
    }

    /// Tokens known.
    #[must_use]
    pub fn tokens_known(&self) -> usize {
        self.tokens.len()
    }

    /// Pools and curves known.
    #[must_use]
    pub fn pools_known(&self) -> usize {
        self.pools.len()
    }

    /// What was forgotten at a bound: tokens, pools, creators, events that could no longer be undone, and accounts that
    /// could not wait for trades.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.tokens.evicted()
            + self.pools.evicted()
            + self.creators.evicted()
            + self.journal.forgotten()
            + self.doubts.skipped()
    }

    /// Trades applied.
    #[must_use]
    pub const fn trade_count(&self) -> u64 {
        self.trade_count
    }

    /// The newest trades.
    pub fn trades(&mut self) -> Feed<TradeView> {
        self.trades.feed()
    }

    /// The newest steps in tokens' lives.
    pub fn steps(&mut self) -> Feed<LifecycleView> {
        self.steps.feed()
    }
}
