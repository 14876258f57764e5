//! The single owner of market state: tokens, curves, pools, prices. A plain state machine: batches in, changes out.

mod alarms;
pub mod change;
mod creators;
pub mod detail;
mod effects;
mod faces;
mod forecast;
mod forks;
mod hash;
pub mod input;
mod journal;
mod lru;
mod milestones;
mod opened;
mod pools;
mod price;
pub mod reserve_chain;
mod seen;
mod sol_usd;
mod stated;
mod tape;
mod token_lifecycle;
mod traders;
mod trading_activity;
pub mod view;
mod waiting;
mod windows;

use std::hash::{BuildHasher, RandomState};

use creators::{Creators, Deed};
use forks::Forks;
use journal::{Entry, Journal};
use lru::Lru;
use opened::Opened;
use pools::{Facts, MAX_POOLS, PoolState};
use reserve_chain::{Link, Order, Placed, PoolId, Verdict};
use seen::Seen;
use sol_usd::SolUsd;
use stated::Doubts;
pub(crate) use tape::Tape;
use token_lifecycle::{Passed, Token};
use waiting::{Called, Waiting};

pub use alarms::WHALE_SOL;
pub use faces::SHOWN_POOLS;
pub use opened::{DEV_SOLD, RUGGED};
pub use token_lifecycle::{INITIAL_CURVE_TOKENS, PUMP_DECIMALS, PUMP_SUPPLY};

use self::{
    change::{ChainEvent, Change, MilestoneKind, Status},
    forecast::Score,
    input::Transaction,
    view::{Basis, LifecycleStep, LifecycleView, TradeView},
};
use crate::{
    chain::ids::{Mint, Pool},
    decode::{Event, EventKind, EventRef},
};

/// Most tokens kept; beyond it the one without activity for longest is forgotten.
pub const MAX_TOKENS: usize = 50_000;
/// Most bytes that tokens' windows and traders may take: beyond it, too, the token without activity for longest goes.
const MAX_TOKEN_BYTES: usize = 128 << 20;
/// Most tokens in a view: the most recently active ones.
pub const SHOWN_TOKENS: usize = 1_000;
/// Trades kept on the tape.
const TAPE: usize = 500;
/// Most venues shown of the token that is open.
const WATCHED_VENUES: usize = 32;
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
    tokens: Lru<Mint, Token>,
    /// What the tokens hold on the heap.
    token_bytes: usize,
    /// A token that is never forgotten: the one the user looks at.
    watched: Option<Mint>,
    opened: Option<Opened>,
    creators: Creators,
    doubts: Doubts,
    sol_usd: SolUsd,
    /// The price of SOL that the views of tokens hold.
    shown_usd: Option<f64>,
    leader: Option<Mint>,
    eta_score: Score,
    /// Number of the token looked after last.
    swept: u32,
    /// Number of the pool looked after last.
    swept_pool: u32,
    secret: u64,
    activity: u64,
    passed: Vec<Passed>,
    trades: Tape<TradeView>,
    steps: Tape<LifecycleView>,
    trade_count: u64,
}

/// The pool in which an event happened.
struct Scene<'a> {
    id: u32,
    pool: Pool,
    /// What was known of it before.
    before: &'a Facts,
    /// The event's place, if it moves the pool's reserves.
    placed: Option<Placed>,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            seen: Seen::default(),
            pools: Lru::new(MAX_POOLS),
            waiting: Waiting::default(),
            forks: Forks::default(),
            journal: Journal::default(),
            tokens: Lru::new(MAX_TOKENS),
            token_bytes: 0,
            watched: None,
            opened: None,
            creators: Creators::default(),
            doubts: Doubts::default(),
            sol_usd: SolUsd::default(),
            shown_usd: None,
            leader: None,
            eta_score: Score::default(),
            swept: 0,
            swept_pool: 0,
            secret: RandomState::new().hash_one(1_u64),
            activity: 0,
            passed: Vec::new(),
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
    pub fn apply(&mut self, event: impl Into<EventRef>, at: Arrived, changes: &mut Vec<Change>) {
        let event = event.into();
        self.waiting.slot(event.slot);
        self.arrive(event, at, false, changes);
    }

    /// Lets what has waited long enough take its place behind a gap.
    pub fn release(&mut self, now_ms: i64, changes: &mut Vec<Change>) {
        while let Some(pool) = self.waiting.expired(now_ms) {
            self.force(pool, changes);
        }
        self.settle_doubts(now_ms, changes);
    }

    /// Nothing more will come: what waits takes its place.
    pub fn settle(&mut self, changes: &mut Vec<Change>) {
        while let Some(pool) = self.waiting.any() {
            self.force(pool, changes);
        }
        self.settle_doubts(i64::MAX, changes);
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
    fn arrive(&mut self, event: EventRef, at: Arrived, told: bool, changes: &mut Vec<Change>) {
        let curve = if let EventKind::CurveAdjusted { mint, .. } = &event.kind {
            self.tokens.get(mint).and_then(|token| token.core.curve)
        } else {
            None
        };
        let Some(pool) = pools::pool_of(&event.kind, curve) else {
            return self.happen(event, at, told, None, changes);
        };
        let make = || PoolState::new(&event.kind, event.venue());
        let id = self.pools.touch(pool, |_, state| state.waiting > 0, make);
        let Some(state) = self.pools.value_mut(id) else { return };
        let (before, order) = (&{ state.facts }, Order::of(&event));
        let verdict = pools::step(&event.kind).map(|step| (state.facts.chain.take(order, &step, false), step));
        match verdict {
            Some((Verdict::Now { link, post }, _)) => {
                let placed = Some(Placed { pool: PoolId(id), link, post });
                // A pool that is not waited for any more: its gaps are told all the same.
                tell_gap(link, told, &event, at, pool, changes);
                self.happen(event, at, told, Some(Scene { id, pool, before, placed }), changes);
                self.follow_up(id, changes);
            }
            Some((Verdict::Wait, step)) => {
                let crowded = self.waiting.crowded(id);
                state.waiting = state.waiting.saturating_add(1);
                self.waiting.push(id, step, event, at, told);
                if let Some(pool) = crowded {
                    self.force(pool, changes);
                }
                self.follow_up(id, changes);
            }
            Some((Verdict::Nowhere, _)) | None => {
                self.happen(event, at, told, Some(Scene { id, pool, before, placed: None }), changes);
            }
        }
    }

    /// Lets a pool's waiting events take their turn as far as they join.
    fn follow_up(&mut self, id: u32, changes: &mut Vec<Change>) {
        while let Some(state) = self.pools.value(id).filter(|state| state.waiting > 0) {
            let chain = state.facts.chain;
            if let Some(called) = self.waiting.call(id, |order, step| chain.would_take(order, step)) {
                self.place(called, false, changes);
            } else if let Some(called) = self.waiting.call_before(id, |change, next| chain.leads(change, next)) {
                self.place(called, true, changes);
            } else {
                return;
            }
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
        let Some(pool) = self.pools.key(id) else { return };
        let Some(state) = self.pools.value_mut(id) else { return };
        state.waiting = state.waiting.saturating_sub(1);
        let (before, order) = (&{ state.facts }, Order::of(&event));
        let placed = match state.facts.chain.take(order, &step, must) {
            Verdict::Now { link, post } => {
                tell_gap(link, told, &event, at, pool, changes);
                Some(Placed { pool: PoolId(id), link, post })
            }
            Verdict::Wait | Verdict::Nowhere => None,
        };
        self.happen(event, at, told, Some(Scene { id, pool, before, placed }), changes);
    }

    /// Undoes a slot that never happened: everything since then that concerns its tokens is taken back, and what stands is
    /// done again, silently.
    fn undo(&mut self, slot: u64, changes: &mut Vec<Change>) {
        while let Some(called) = self.waiting.forget(slot) {
            if let Some(state) = self.pools.value_mut(called.pool) {
                state.waiting = state.waiting.saturating_sub(1);
            }
        }
        self.doubts.forget(slot);
        changes.push(Change::Dead(slot));
        let undone = self.journal.take_back(slot);
        let mut moved = Vec::new();
        for entry in undone.iter().rev() {
            self.take_back(entry, &mut moved);
        }
        for Entry { event, at, .. } in undone {
            if event.slot == slot {
                let Event { signature, path, event_index, .. } = *event;
                changes.push(Change::Retracted { slot, signature, path, event_index });
            } else {
                self.arrive(event, at, true, changes);
            }
        }
        for id in moved {
            self.follow_up(id, changes);
        }
    }

    /// Takes the newest thing that happened to a token and its pool back.
    fn take_back(&mut self, entry: &Entry, moved: &mut Vec<u32>) {
        if let Some((pool, facts)) = &entry.pool
            && let Some(id) = self.pools.find(pool)
            && let Some(state) = self.pools.value_mut(id)
        {
            state.restore(facts);
            moved.push(id);
        }
        self.activity += 1;
        match &entry.event.kind {
            EventKind::Trade(_) => self.trade_count -= 1,
            EventKind::TokenCreated(created) => self.creators.undo(created.creator, Deed::Launched),
            EventKind::Graduated { mint, .. } => {
                if let Some(creator) = self.tokens.get(mint).and_then(|token| token.core.creator) {
                    self.creators.undo(creator, Deed::Graduated);
                }
            }
            _ => {}
        }
        let Some(undo) = &entry.token else { return };
        let Some(id) = self.tokens.find(&entry.event.kind.mint()) else { return };
        let Some(token) = self.tokens.value_mut(id) else { return };
        if undo.fresh {
            self.token_bytes -= token.bytes();
            self.tokens.remove(id);
        } else {
            let bytes = token.bytes();
            token.undo(undo, self.secret);
            self.token_bytes = self.token_bytes + token.bytes() - bytes;
        }
    }

    /// Applies an event whose turn it is.
    fn happen(
        &mut self,
        event: EventRef,
        at: Arrived,
        told: bool,
        scene: Option<Scene<'_>>,
        changes: &mut Vec<Change>,
    ) {
        let placed = scene.as_ref().and_then(|scene| scene.placed);
        if let Some(state) = scene.as_ref().and_then(|scene| self.pools.value_mut(scene.id)) {
            let late = placed.is_some_and(|placed| placed.link == Link::Late);
            state.happened(&event.kind, late, at.recv_ms());
        }
        if let Some((opened, scene)) = self.opened.as_mut().zip(scene.as_ref())
            && opened.mint == event.kind.mint()
        {
            opened.venue(scene.pool);
        }
        let mut undo = None;
        let effect = self.effect(&event, at, placed, told, &mut undo);
        let alarm = scene.as_ref().and_then(|scene| Some((scene.pool, self.alarm(&event, scene.id, &effect)?)));
        if at.status == Status::Processed && self.forks.is_open(event.slot) {
            let pool = scene.map(|scene| (scene.pool, *scene.before));
            self.journal.push(Entry { event: event.clone(), at, pool, token: undo });
        }
        if told {
            self.passed.clear();
            return;
        }
        let (slot, recv_ms, mint) = (event.slot, at.recv_ms(), event.kind.mint());
        let group = event.venue().program().group();
        let uncertain =
            matches!(&event.kind, EventKind::Trade(trade) if Basis::of(trade.source, placed).is_uncertain());
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
        if let Some(alarm) = alarm {
            let change = self.tell_alarm((slot, mint), at, alarm, uncertain);
            changes.push(change);
        }
        if let Some(progress_pct) = effect.progress_pct {
            changes.push(Change::Progress { slot, recv_ms, mint, progress_pct, eta: effect.eta });
        }
        for (kind, value) in std::mem::take(&mut self.passed) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 100")]
            let step = match kind {
                MilestoneKind::Progress => LifecycleStep::Progress(value as u8),
                MilestoneKind::MarketCapSol => LifecycleStep::MarketCapSol(value),
                MilestoneKind::MarketCapUsd => LifecycleStep::MarketCapUsd(value),
            };
            self.step(mint, slot, at, step, uncertain);
            changes.push(Change::Milestone { slot, recv_ms, mint, kind, value });
        }
    }
}

/// A gap is told once.
fn tell_gap(link: Link, told: bool, event: &Event, at: Arrived, pool: Pool, changes: &mut Vec<Change>) {
    if link == Link::AfterGap && !told {
        changes.push(Change::ChainBroken {
            slot: event.slot,
            recv_ms: at.recv_ms(),
            pool,
            mint: event.kind.mint(),
            connection: at.connection,
        });
    }
}

#[cfg(test)]
mod tests;
