//! The simulated market: launches, trades, graduations, pools and liquidity as real transactions, from a seed.
//!
//! ```text
//! crowd, deeds, aside_deeds    who does what next: creators, people, snipers, copiers, volume bots, market makers, liquidity
//!                              providers, aggregators, arbitrageurs
//!   launch, curve_call, migration, pool_call, raydium_call, raydium_liquidity, liquidity, boost    one transaction each, with the
//!                              accounts, calls and logs of mainnet
//!     curve, pool, raydium    the programs' integer arithmetic        body    their events        draft    the transaction format
//! stage      transactions one by one, as a scenario orders them
//! sol_usd    the price of SOL in the accounts of other pools
//! truth      what happened, for tests
//! ```

mod address;
mod agenda;
mod aside_deeds;
mod body;
mod boost;
mod breed;
mod crowd;
pub(super) mod curve;
mod curve_account;
mod curve_call;
mod curve_instructions;
mod deeds;
mod draft;
mod launch;
mod liquidity;
mod migration;
mod names;
mod parts;
pub(super) mod pool;
mod pool_call;
mod raydium;
mod raydium_call;
mod raydium_liquidity;
mod sol_usd;
pub(super) mod stage;
mod state;
pub mod truth;

use std::{collections::BTreeSet, time::Duration};

use self::{
    address::{Purpose, made},
    crowd::Crowd,
    parts::{Done, Moment},
    sol_usd::SolUsd,
    truth::{Sink, Truth},
};
use super::{
    feed::{Producer, SlotItem, SlotItemKind, SlotPlan},
    noise,
};

/// How long a slot lasts (mainnet, October 2026).
pub const SLOT: Duration = Duration::from_micros(SLOT_MICROS);
const SLOT_MICROS: u64 = 212_500;
/// The earliest slot a simulation starts at; the seed adds up to a million.
const FIRST_SLOT: u64 = 470_000_000;
/// Blocks are fewer than slots by those skipped in the past.
const SKIPPED: u64 = 22_000_000;
/// How long the beginning lasts, in microseconds: then there are tokens of all stages.
const WARM_UP: u64 = 1_700_000;
/// Slots in which all that is planned happens, whatever the rate: the beginning and what follows at once.
const WARM_SLOTS: u64 = 14;
/// One slot in so many has no block: its leader missed it.
const SKIPS_EVERY: u32 = 60;
/// One slot in so many is a fork that dies, where there are forks: as often as a server tells of such a slot on mainnet is not
/// known, and a demo wants to show one.
const FORKS_EVERY: u32 = 60;
/// Tokens on their curve and tokens that graduate in the beginning.
const WARM_TOKENS: u32 = 48;
const WARM_GRADUATES: u32 = 10;

/// What a simulated market is like.
#[derive(Clone, Copy, Debug)]
pub struct MarketSettings {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// Transactions per second, 1 to 20,000; the first three seconds bring some hundreds more.
    pub rate: f64,
    /// When it begins, in seconds since the Unix epoch: events carry the time.
    pub start_time: i64,
}

/// Makes slots without end; the same settings make the same slots.
pub struct SimulatedMarket {
    settings: MarketSettings,
    crowd: Crowd,
    sol_usd: SolUsd,
    truth: Option<Sink>,
    pace: fastrand::Rng,
    first_slot: u64,
    /// Slots gone by, those without a block included.
    slots: u64,
    blocks: u64,
    parent: u64,
    transactions: u64,
    /// Transactions of earlier slots that are still owed, a fraction.
    owed: f64,
    forks: bool,
    curve_accounts: bool,
    /// The slot that follows a fork.
    next: Option<SlotPlan>,
}

impl SimulatedMarket {
    /// A market at its beginning.
    #[must_use]
    pub fn new(settings: MarketSettings) -> Self {
        let rate = settings.rate.clamp(1.0, 20_000.0);
        let mut crowd = Crowd::new(settings.seed, rate);
        crowd.warm_up(WARM_TOKENS, WARM_GRADUATES, WARM_UP);
        let first_slot = FIRST_SLOT + noise::mix(settings.seed) % 1_000_000;
        Self {
            settings: MarketSettings { rate, ..settings },
            crowd,
            sol_usd: SolUsd::new(settings.seed),
            truth: None,
            pace: fastrand::Rng::with_seed(noise::mix(settings.seed ^ 1)),
            first_slot,
            slots: 0,
            blocks: 0,
            parent: first_slot - 1,
            transactions: 0,
            owed: 0.0,
            forks: false,
            curve_accounts: false,
            next: None,
        }
    }

    /// Tells this sink what happens.
    #[must_use]
    pub fn with_truth(self, sink: Sink) -> Self {
        Self { truth: Some(sink), ..self }
    }

    /// Lets some creators buy right behind their launch with several wallets, which leave together.
    #[must_use]
    pub fn with_bundles(mut self) -> Self {
        self.crowd.bundles = true;
        self
    }

    /// Lets some slots die: what happened in them happens again in the next one.
    #[must_use]
    pub const fn with_forks(mut self) -> Self {
        self.forks = true;
        self
    }

    /// Writes the curves that were traded on as accounts too, at the end of each slot.
    #[must_use]
    pub const fn with_curve_accounts(mut self) -> Self {
        self.curve_accounts = true;
        self
    }

    /// Acts that actors planned and that were given up because too many were planned.
    #[must_use]
    pub const fn acts_given_up(&self) -> u64 {
        self.crowd.refused()
    }

    fn block_hash(&self, slot: u64) -> [u8; 32] {
        made(self.settings.seed, Purpose::Blockhash, slot)
    }

    /// When this slot's transactions happen, in microseconds since its start.
    fn times(&mut self) -> Vec<u64> {
        let slot = SLOT.as_secs_f64();
        self.owed += self.settings.rate * slot * (0.6 + 0.8 * self.pace.f64());
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 6,000")]
        let count = self.owed as u64;
        #[allow(clippy::cast_precision_loss, reason = "at most 6,000")]
        {
            self.owed -= count as f64;
        }
        let mut times: Vec<u64> = (0..count).map(|_| self.pace.u64(0..SLOT_MICROS)).collect();
        times.sort_unstable();
        times
    }

    fn tell(&mut self, slot: u64, time: i64, number: usize, done: &Done) {
        let Some(sink) = &mut self.truth else { return };
        let signature: [u8; 64] = done.info.signature.as_slice().try_into().unwrap_or([0; 64]);
        let signature = solana_sdk::signature::Signature::from(signature).to_string();
        for ((outer, inner), what) in &done.truth {
            sink(&Truth {
                slot,
                transaction: u32::try_from(number).unwrap_or(u32::MAX),
                signature: signature.clone(),
                outer: *outer,
                inner: *inner,
                time,
                payer: done.payer,
                role: done.role,
                what: what.clone(),
            });
        }
    }
}

impl Producer for SimulatedMarket {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        let warm = self.slots < WARM_SLOTS;
        if !warm && self.forks && self.pace.u32(0..FORKS_EVERY) == 0 {
            return Some(self.fork());
        }
        // What a slot without a block leaves behind is a block that comes later, on an older parent.
        let skipped = u64::from(!warm && self.pace.u32(0..SKIPS_EVERY) == 0);
        Some(self.block(warm, skipped))
    }
}

impl SimulatedMarket {
    /// A slot that dies before its end. The next one has the same parent, and what happened in both.
    fn fork(&mut self) -> SlotPlan {
        let slot = self.first_slot + self.slots;
        self.slots += 1;
        let next = self.block(false, 0);
        let share = self.pace.usize(0..=4);
        let transactions = next.items.iter().filter(|item| matches!(item.kind, SlotItemKind::Transaction(_)));
        let items = transactions.take(next.items.len() * share / 4).cloned().collect();
        let fork = SlotPlan {
            slot,
            parent: next.parent,
            block_height: next.block_height,
            block_time: next.block_time,
            blockhash: self.block_hash(slot),
            parent_blockhash: next.parent_blockhash,
            duration: next.duration,
            dies: true,
            items,
        };
        self.next = Some(next);
        fork
    }

    /// A slot that lives, behind so many without a block.
    fn block(&mut self, warm: bool, skipped: u64) -> SlotPlan {
        self.slots += skipped;
        let slot = self.first_slot + self.slots;
        let parent = std::mem::replace(&mut self.parent, slot);
        let start = SLOT_MICROS * self.slots;
        let block_time = self.settings.start_time.saturating_add_unsigned(start / 1_000_000);
        let blockhash = self.block_hash(parent);
        let mut times = self.times().into_iter().peekable();
        let mut items = Vec::with_capacity(times.len());
        let mut now = 0;
        let mut touched = BTreeSet::new();
        self.slots += 1;
        self.blocks += 1;
        loop {
            // In the beginning what is planned does not wait for the rate's turn.
            let due = self.crowd.next_due().filter(|due| warm && *due < start + SLOT_MICROS);
            let due = due.map(|due| due.saturating_sub(start));
            now = now.max(match (due, times.peek()) {
                (Some(due), Some(next)) if due < *next => due,
                (Some(due), None) => due,
                (_, Some(next)) => {
                    let next = *next;
                    times.next();
                    next
                }
                (None, None) => break,
            });
            let moment = Moment { seed: self.settings.seed, time: block_time, blockhash, number: self.transactions };
            let done = self.crowd.act(start + now, &moment);
            self.transactions += 1;
            if self.curve_accounts {
                touched.extend(done.truth.iter().filter_map(|(_, what)| what.curve()));
            }
            self.tell(slot, block_time, items.len(), &done);
            let at = Duration::from_micros(SLOT_MICROS * skipped + now);
            items.push(SlotItem { at, kind: SlotItemKind::Transaction(Box::new(done.info)) });
        }
        let offset = |at: u64| Duration::from_micros(at.saturating_sub(start) + SLOT_MICROS * skipped);
        for (at, account) in self.sol_usd.until(start + SLOT_MICROS) {
            let item = SlotItem { at: offset(at), kind: SlotItemKind::Account(Box::new(account)) };
            items.insert(items.partition_point(|other| other.at <= item.at), item);
        }
        let at = Duration::from_micros(SLOT_MICROS * (1 + skipped) - 1);
        for (place, token) in (0..).zip(touched.iter().filter_map(|mint| self.crowd.by_mint(mint))) {
            let number = self.transactions + place;
            let account = curve_account::write(self.settings.seed, number, token, &self.crowd.wallets);
            items.push(SlotItem { at, kind: SlotItemKind::Account(Box::new(account)) });
        }
        SlotPlan {
            slot,
            parent,
            block_height: self.first_slot - SKIPPED + self.blocks,
            block_time,
            blockhash: self.block_hash(slot),
            parent_blockhash: blockhash,
            duration: Duration::from_micros(SLOT_MICROS * (1 + skipped)),
            dies: false,
            items,
        }
    }
}
