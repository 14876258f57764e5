//! The single owner of market state: tokens, curves, pools, prices. A plain state machine: batches in, changes out.

pub mod change;
pub mod input;
mod seen;
mod tape;
mod token_lifecycle;
pub mod view;
mod window;

use std::{
    collections::{BTreeMap, HashMap, hash_map::RandomState},
    sync::Arc,
};

use seen::Seen;
pub(crate) use tape::Tape;
use token_lifecycle::{Token, TradeEffect, lamports_to_sol};

pub use token_lifecycle::{INITIAL_CURVE_TOKENS, PUMP_DECIMALS, PUMP_SUPPLY};

use self::{
    change::{ChainEvent, Change, Status},
    input::Transaction,
    view::{Feed, LifecycleStep, LifecycleView, TokenView, TradeView},
};
use crate::{
    chain::{
        ids::{Mint, Pool, WRAPPED_SOL},
        text::Shown,
    },
    decode::{
        Event, EventKind,
        event::{Liquidity, LiquidityAction, Reserves, Trade, Venue},
    },
};

/// Most tokens kept; beyond it the one without activity for longest is forgotten.
pub const MAX_TOKENS: usize = 50_000;
/// Most tokens in a view: the most recently active ones.
pub const SHOWN_TOKENS: usize = 1_000;
/// Trades kept on the tape.
const TAPE: usize = 500;
/// Steps kept in the lifecycle feed.
const STEPS: usize = 200;

/// Where and when a transaction arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// The connection.
    pub connection: usize,
    /// In milliseconds since the Unix epoch.
    pub recv_ms: i64,
    /// Status at which it was accepted.
    pub status: Status,
}

/// All state derived from the chain.
#[derive(Debug)]
pub struct Market {
    seen: Seen,
    hasher: RandomState,
    tokens: HashMap<Mint, Token>,
    /// Tokens by last activity.
    active: BTreeMap<u64, Mint>,
    activity: u64,
    evicted: u64,
    trades: Tape<TradeView>,
    steps: Tape<LifecycleView>,
    trade_count: u64,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            seen: Seen::default(),
            hasher: RandomState::new(),
            tokens: HashMap::new(),
            active: BTreeMap::new(),
            activity: 0,
            evicted: 0,
            trades: Tape::new(TAPE),
            steps: Tape::new(STEPS),
            trade_count: 0,
        }
    }
}

impl Market {
    /// Whether this transaction was not seen before; remembers it.
    pub fn is_new(&mut self, transaction: &Transaction) -> bool {
        self.seen.insert(transaction.slot, transaction.signature.as_ref())
    }

    /// Applies one event of a transaction that [`is_new`](Self::is_new), and appends what it changed.
    pub fn apply(&mut self, event: Event, at: Arrived, changes: &mut Vec<Change>) {
        let mut effect = TradeEffect::default();
        let mut mint = None;
        match &event.kind {
            EventKind::Trade(trade) => {
                effect = self.trade(&event, trade, at);
                mint = Some(trade.mint);
            }
            EventKind::TokenCreated(created) => {
                let token = self.token(created.mint, created.venue);
                token.created(event.slot, event.timestamp, created);
                self.step(created.mint, event.slot, at, LifecycleStep::Created);
            }
            EventKind::CurveCompleted { venue, mint, .. } => {
                self.token(*mint, *venue).completed();
                self.step(*mint, event.slot, at, LifecycleStep::Completed);
            }
            EventKind::Graduated { venue, mint, pool, quote_amount, base_amount, .. } => {
                let token = self.token(*mint, *venue);
                token.graduated(*venue, *pool);
                // Other pools than PumpSwap's are not priced by what went into them.
                let reserves = Reserves { base: *base_amount, quote: (*quote_amount).into() };
                token.reserves_changed(*pool, |_| (*venue == Venue::Pump).then_some(reserves));
                self.step(*mint, event.slot, at, LifecycleStep::Graduated(*pool));
            }
            EventKind::PoolCreated(created) => {
                // A pool of a token we do not know says nothing worth a row: its first trade will.
                if let Some(token) = self.tokens.get_mut(&created.mint)
                    && token.pool == Some(created.pool)
                {
                    token.set_decimals(created.base_decimals);
                }
            }
            EventKind::Liquidity(liquidity) => self.liquidity(liquidity),
            EventKind::BoostInitialized { mint, pool, virtual_quote, real_quote } => {
                let quote = virtual_quote.saturating_add((*real_quote).into());
                self.change_reserves(*mint, *pool, |reserves| {
                    reserves.map(|reserves| Reserves { quote: u128::try_from(quote).unwrap_or(0), ..reserves })
                });
            }
            EventKind::CurveAdjusted { mint, reserves } => {
                if let Some(token) = self.tokens.get_mut(mint)
                    && let Some(curve) = token.pool
                {
                    token.reserves_changed(curve, |_| Some(*reserves));
                }
            }
        }
        let (slot, recv_ms) = (event.slot, at.recv_ms);
        let group = event.venue().program().group();
        changes.push(Change::Chain(Box::new(ChainEvent {
            event,
            recv_ms,
            group,
            connection: at.connection,
            status: at.status,
            price_sol: effect.price_sol,
            market_cap_sol: effect.market_cap_sol,
        })));
        if let Some((mint, progress_pct)) = mint.zip(effect.progress_pct) {
            changes.push(Change::Progress { slot, recv_ms, mint, progress_pct });
        }
        if let Some((mint, progress_pct)) = mint.zip(effect.milestone) {
            self.step(mint, slot, at, LifecycleStep::Progress(progress_pct));
            changes.push(Change::Milestone { slot, recv_ms, mint, progress_pct });
        }
    }

    fn trade(&mut self, event: &Event, trade: &Trade, at: Arrived) -> TradeEffect {
        self.trade_count += 1;
        let hasher = self.hasher.clone();
        let token = self.token(trade.mint, trade.venue);
        let effect = token.traded(&hasher, at.recv_ms, trade);
        let symbol = token.symbol.clone();
        self.trades.push(TradeView {
            recv_ms: at.recv_ms,
            slot: event.slot,
            signature: event.signature,
            venue: trade.venue,
            flow: trade.flow,
            mint: trade.mint,
            symbol,
            user: trade.user,
            side: trade.side,
            base: trade.base_decimals.or((trade.venue == Venue::Pump).then_some(PUMP_DECIMALS)).map(|decimals| {
                #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
                let raw = trade.base_amount as f64;
                raw / 10_f64.powi(decimals.into())
            }),
            sol: (trade.quote_mint == WRAPPED_SOL).then(|| lamports_to_sol(trade.quote_amount.into())),
            price_sol: effect.price_sol,
            market_cap_sol: effect.market_cap_sol,
        });
        effect
    }

    fn liquidity(&mut self, liquidity: &Liquidity) {
        let (base, quote) = (liquidity.base_amount, u128::from(liquidity.quote_amount));
        self.change_reserves(liquidity.mint, liquidity.pool, |reserves| {
            let reserves = reserves?;
            Some(match liquidity.action {
                LiquidityAction::Deposit => {
                    Reserves { base: reserves.base.saturating_add(base), quote: reserves.quote.saturating_add(quote) }
                }
                LiquidityAction::Withdraw => {
                    Reserves { base: reserves.base.saturating_sub(base), quote: reserves.quote.saturating_sub(quote) }
                }
            })
        });
    }

    fn change_reserves(&mut self, mint: Mint, pool: Pool, change: impl FnOnce(Option<Reserves>) -> Option<Reserves>) {
        if let Some(token) = self.tokens.get_mut(&mint) {
            token.reserves_changed(pool, change);
        }
    }

    /// The token, made if it is new, now the most recently active one.
    fn token(&mut self, mint: Mint, venue: Venue) -> &mut Token {
        if self.tokens.len() >= MAX_TOKENS
            && !self.tokens.contains_key(&mint)
            && let Some((_, oldest)) = self.active.pop_first()
        {
            self.tokens.remove(&oldest);
            self.evicted += 1;
        }
        let token = self.tokens.entry(mint).or_insert_with(|| Token::new(mint, venue));
        self.active.remove(&token.touched);
        self.activity += 1;
        token.touched = self.activity;
        self.active.insert(self.activity, mint);
        token
    }

    fn step(&mut self, mint: Mint, slot: u64, at: Arrived, step: LifecycleStep) {
        let symbol = self.tokens.get(&mint).map_or_else(Shown::default, |token| token.symbol.clone());
        self.steps.push(LifecycleView { recv_ms: at.recv_ms, slot, mint, symbol, step });
    }

    /// A token's symbol, made safe; empty when unknown.
    #[must_use]
    pub fn symbol(&self, mint: &Mint) -> Shown {
        self.tokens.get(mint).map_or_else(Shown::default, |token| token.symbol.clone())
    }

    /// Marks a token, if it is known, with what was found about it.
    pub fn flag(&mut self, mint: &Mint, flag: Option<&'static str>) {
        if let Some((flag, token)) = flag.zip(self.tokens.get_mut(mint)) {
            token.flag(flag);
        }
    }

    /// Lets rolling figures age; call about once a second.
    pub fn age(&mut self, now_ms: i64) {
        for mint in self.active.values().rev().take(SHOWN_TOKENS) {
            if let Some(token) = self.tokens.get_mut(mint) {
                token.age(now_ms);
            }
        }
    }

    /// The most recently active tokens, newest first. Unchanged tokens are the same `Arc` as before.
    pub fn shown_tokens(&mut self, now_ms: i64) -> Arc<[Arc<TokenView>]> {
        let tokens = &mut self.tokens;
        let shown = self.active.values().rev().take(SHOWN_TOKENS);
        shown.filter_map(|mint| tokens.get_mut(mint).map(|token| token.view(now_ms))).collect()
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

    /// Tokens forgotten at the bound [`MAX_TOKENS`].
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
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

#[cfg(test)]
mod tests;
