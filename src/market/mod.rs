//! The single owner of market state: tokens, curves, pools, prices. A plain state machine: batches in, changes out.

pub mod change;
mod forks;
mod hash;
pub mod input;
mod journal;
mod lru;
mod pools;
pub mod reserve_chain;
mod seen;
mod tape;
mod token_lifecycle;
pub mod view;
mod waiting;
mod window;

use std::{
    collections::{BTreeMap, HashMap, hash_map::RandomState},
    sync::Arc,
};

use forks::Forks;
use journal::{Entry, Journal};
use lru::Lru;
use pools::{MAX_POOLS, PoolState};
use reserve_chain::{Chain, Link, Order, Placed, PoolId, Verdict};
use seen::Seen;
pub(crate) use tape::Tape;
use token_lifecycle::{Token, TradeEffect, lamports_to_sol};
use waiting::{Called, Waiting};

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
    /// In microseconds since the Unix epoch.
    pub recv_us: i64,
    /// Status at which it was accepted.
    pub status: Status,
}

impl Arrived {
    /// In milliseconds since the Unix epoch.
    const fn recv_ms(self) -> i64 {
        self.recv_us.div_euclid(1_000)
    }
}

/// All state derived from the chain.
#[derive(Debug)]
pub struct Market {
    seen: Seen,
    pools: Lru<Pool, PoolState>,
    waiting: Waiting,
    forks: Forks,
    journal: Journal,
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

/// A pool that an event moved.
struct Moved {
    pool: Pool,
    before: Chain,
    placed: Placed,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            seen: Seen::default(),
            pools: Lru::new(MAX_POOLS),
            waiting: Waiting::default(),
            forks: Forks::default(),
            journal: Journal::default(),
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

    /// Takes one event of a transaction that [`is_new`](Self::is_new), and appends what it changed: nothing where it waits
    /// for an event before it, and more where others waited for it.
    pub fn apply(&mut self, event: Event, at: Arrived, changes: &mut Vec<Change>) {
        self.waiting.slot(event.slot);
        self.arrive(event, at, false, changes);
    }

    /// Lets what has waited long enough take its place behind a gap.
    pub fn release(&mut self, now_ms: i64, changes: &mut Vec<Change>) {
        while let Some(pool) = self.waiting.expired(now_ms) {
            self.force(pool, changes);
        }
    }

    /// Nothing more will come: what waits takes its place.
    pub fn settle(&mut self, changes: &mut Vec<Change>) {
        while let Some(pool) = self.waiting.any() {
            self.force(pool, changes);
        }
    }

    /// Takes a slot's status (`SlotStatus` by number).
    pub fn slot(&mut self, slot: u64, parent: Option<u64>, status: i32, changes: &mut Vec<Change>) {
        const CONFIRMED: i32 = 1;
        const FINALIZED: i32 = 2;
        const DEAD: i32 = 6;
        if let Some(parent) = parent {
            self.forks.parent(slot, parent);
        }
        let decided = match status {
            CONFIRMED | FINALIZED => self.forks.confirmed(slot),
            DEAD => self.forks.dead(slot),
            _ => {
                self.waiting.slot(slot);
                return;
            }
        };
        for dead in decided.dead {
            self.undo(dead, changes);
        }
        changes.extend(decided.settled.into_iter().rev().map(Change::Confirmed));
        self.journal.settle(|slot| !self.forks.is_open(slot));
    }

    /// Learns a slot's parent.
    pub fn parent(&mut self, slot: u64, parent: u64) {
        self.forks.parent(slot, parent);
    }

    /// An event, perhaps told before its predecessor was undone.
    fn arrive(&mut self, event: Event, at: Arrived, told: bool, changes: &mut Vec<Change>) {
        let curve = if let EventKind::CurveAdjusted { mint, .. } = &event.kind {
            self.tokens.get(mint).and_then(|token| token.pool)
        } else {
            None
        };
        let Some((pool, step)) = pools::step(&event.kind, curve) else {
            return self.happen(event, at, told, None, changes);
        };
        let order = Order::of(&event);
        let id = self.pools.touch(pool, |_, state| state.waiting > 0, PoolState::default);
        let Some(state) = self.pools.value_mut(id) else { return };
        let before = state.chain;
        match state.chain.take(order, &step, false) {
            Verdict::Now { link, pre, post } => {
                let placed = Placed { pool: PoolId(id), link, order, pre, post };
                self.happen(event, at, told, Some(Moved { pool, before, placed }), changes);
                self.follow_up(id, changes);
            }
            Verdict::Wait => {
                let crowded = self.waiting.crowded(id);
                state.waiting += 1;
                self.waiting.push(id, step, event, at, told);
                if let Some(pool) = crowded {
                    self.force(pool, changes);
                }
            }
            Verdict::Nowhere => self.happen(event, at, told, None, changes),
        }
    }

    /// Lets a pool's waiting events take their turn as far as they join.
    fn follow_up(&mut self, id: u32, changes: &mut Vec<Change>) {
        while let Some(state) = self.pools.value(id).filter(|state| state.waiting > 0) {
            let chain = state.chain;
            let Some(called) = self.waiting.call(id, |order, step| chain.would_take(order, step)) else { return };
            self.place(called, false, changes);
        }
    }

    /// Lets the oldest of a pool's waiting events take its place, whatever is missing before it.
    fn force(&mut self, id: u32, changes: &mut Vec<Change>) {
        if let Some(called) = self.waiting.call(id, |_, _| true) {
            self.place(called, true, changes);
            self.follow_up(id, changes);
        }
    }

    fn place(&mut self, called: Called, must: bool, changes: &mut Vec<Change>) {
        let Called { pool: id, step, event, at, told } = called;
        let Some(state) = self.pools.value_mut(id) else { return };
        state.waiting = state.waiting.saturating_sub(1);
        let (before, order) = (state.chain, Order::of(&event));
        let Verdict::Now { link, pre, post } = state.chain.take(order, &step, must) else {
            return self.happen(event, at, told, None, changes);
        };
        let placed = Placed { pool: PoolId(id), link, order, pre, post };
        let Some(pool) = self.pools.key(id) else { return };
        if link == Link::AfterGap && !told {
            changes.push(Change::ChainBroken {
                slot: event.slot,
                recv_ms: at.recv_ms(),
                pool,
                mint: event.kind.mint(),
                connection: at.connection,
            });
        }
        self.happen(event, at, told, Some(Moved { pool, before, placed }), changes);
    }

    /// Undoes a slot that never happened: everything since then that concerns its tokens is taken back, and what stands is
    /// done again, silently.
    fn undo(&mut self, slot: u64, changes: &mut Vec<Change>) {
        while let Some(called) = self.waiting.forget(slot) {
            if let Some(state) = self.pools.value_mut(called.pool) {
                state.waiting = state.waiting.saturating_sub(1);
            }
        }
        changes.push(Change::Dead(slot));
        let undone = self.journal.take_back(slot);
        let mut moved = Vec::new();
        for entry in undone.iter().rev() {
            if let Some((pool, chain)) = entry.chain
                && let Some(id) = self.pools.find(&pool)
                && let Some(state) = self.pools.value_mut(id)
            {
                state.chain = chain;
                moved.push(id);
            }
        }
        for Entry { event, at, .. } in undone {
            if event.slot == slot {
                let Event { signature, path, event_index, .. } = event;
                changes.push(Change::Retracted { slot, signature, path, event_index });
            } else {
                self.arrive(event, at, true, changes);
            }
        }
        for id in moved {
            self.follow_up(id, changes);
        }
    }

    /// Applies an event whose turn it is.
    fn happen(&mut self, event: Event, at: Arrived, told: bool, placed: Option<Moved>, changes: &mut Vec<Change>) {
        if at.status == Status::Processed && self.forks.is_open(event.slot) {
            let chain = placed.as_ref().map(|moved| (moved.pool, moved.before));
            self.journal.push(Entry { event: event.clone(), at, chain });
        }
        let placed = placed.map(|moved| moved.placed);
        let effect = self.effect(&event, at);
        if told {
            return;
        }
        let (slot, recv_ms, mint) = (event.slot, at.recv_ms(), event.kind.mint());
        let group = event.venue().program().group();
        changes.push(Change::Chain(ChainEvent {
            event,
            recv_us: at.recv_us,
            group,
            connection: at.connection,
            status: at.status,
            placed,
            price_sol: effect.price_sol,
            market_cap_sol: effect.market_cap_sol,
        }));
        if let Some(progress_pct) = effect.progress_pct {
            changes.push(Change::Progress { slot, recv_ms, mint, progress_pct });
        }
        if let Some(progress_pct) = effect.milestone {
            self.step(mint, slot, at, LifecycleStep::Progress(progress_pct));
            changes.push(Change::Milestone { slot, recv_ms, mint, progress_pct });
        }
    }

    /// What an event does to its token.
    fn effect(&mut self, event: &Event, at: Arrived) -> TradeEffect {
        match &event.kind {
            EventKind::Trade(trade) => return self.trade(event, trade, at),
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
        TradeEffect::default()
    }

    fn trade(&mut self, event: &Event, trade: &Trade, at: Arrived) -> TradeEffect {
        self.trade_count += 1;
        let hasher = self.hasher.clone();
        let token = self.token(trade.mint, trade.venue);
        let effect = token.traded(&hasher, at.recv_ms(), trade);
        let symbol = token.symbol.clone();
        self.trades.push(TradeView {
            recv_ms: at.recv_ms(),
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
        self.steps.push(LifecycleView { recv_ms: at.recv_ms(), slot, mint, symbol, step });
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

    /// What was forgotten at a bound: tokens at [`MAX_TOKENS`], pools, and events that could no longer be undone.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted + self.pools.evicted() + self.journal.forgotten()
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
