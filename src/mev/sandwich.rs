//! Sandwiches: what somebody opened before others' trades and closed after them, and what it cost those between.

mod counterfactual;
mod entity;
mod evidence;
mod measures;

use self::{
    counterfactual::{aimed_at, slack_use},
    entity::{Entity, weakest},
    measures::{gain, profit},
};
use super::{
    alert::{Band, Class, SUSPECTED},
    book::{Book, Entry, Seq},
    features::{Features, Weights},
    habits::Habits,
    handed::Handed,
    order_takers::{OrderTakers, moved},
    pools::HotPool,
    replay::Harm,
    tracked::Tracked,
    users::Users,
};
use crate::{chain::ids::WRAPPED_SOL, decode::event::Flow};

/// Share of its slippage below which a victim was hardly aimed at.
const UNFIT: f64 = 0.15;
/// Shares of its slippage that somebody who aims uses up.
const FIT: std::ops::RangeInclusive<f64> = 0.4..=1.02;
/// The same for whoever is hit best, if not worst.
const AIMED: std::ops::RangeInclusive<f64> = 0.45..=1.0;
/// Transactions that a block holds at least, as far as their order tells anything.
const LEAST_BLOCK: u64 = 20;
/// Lamports in a SOL.
const SOL: f64 = 1e9;

/// What a judgement needs to look at.
pub(super) struct Scene<'a> {
    pub(super) book: &'a Book,
    pub(super) users: &'a Users,
    pub(super) handed: &'a Handed,
    pub(super) order_takers: &'a OrderTakers,
    pub(super) habits: &'a Habits,
    pub(super) pool: &'a HotPool,
    pub(super) tracked: &'a Tracked,
    pub(super) weights: &'a Weights,
    /// Replays also where nothing depends on it.
    pub(super) thorough: bool,
}

impl Scene<'_> {
    /// Whether a leg came by a way that many take.
    fn is_public(&self, entry: &Entry) -> bool {
        entry.leg.terminal || (entry.program != 0 && self.users.is_public(entry.program))
    }
}

/// Room for one judgement, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Judge {
    seqs: Vec<Seq>,
    /// The victims and what both replays say of them: without all attackers, without this one.
    victims: Vec<(Seq, Option<Harm>, Option<Harm>)>,
}

/// What a judgement found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) features: Features,
    pub(super) confidence: f64,
    /// The reserve chain is whole from front to back.
    whole: bool,
    profit: Option<i64>,
    shape: Shape,
    wallets: usize,
    /// Of the worst-hit victim.
    slack: Option<f64>,
}

/// How its legs lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Front, victims and back stand next to each other in the pool, in one slot.
    Tight,
    WideSlot,
    WideCross,
}

impl Judge {
    /// Judges the position whose first leg this is; `None` if nobody stands between its legs or most of it is open.
    pub(super) fn judge(&mut self, first: Seq, scene: &Scene<'_>) -> Option<Judged> {
        let head = scene.book.get(first)?;
        let position = head.position;
        // Whoever has taken the lesser part out may be taking a profit; the alert of more comes with more.
        if position.closed < position.opened / 2 {
            return None;
        }
        let last = scene.book.get(position.last_back())?;
        let entity = Entity::of(&position, scene);
        self.victims.clear();
        if !scene.book.between(first, last.seq, &mut self.seqs) {
            return None;
        }
        let side = head.leg.side;
        let is_foreign = |entry: &Entry| scene.tracked.is_part_of_another(entry, position.alert);
        for entry in self.seqs.iter().filter_map(|seq| scene.book.get(*seq)) {
            let suffers = entry.leg.side == side
                && entry.leg.flow == Flow::User
                && !entry.arbitrage
                && !is_foreign(entry)
                && !entity.owns(entry);
            if suffers {
                self.victims.push((entry.seq, None, None));
            }
        }
        let victims = self.victims.iter().filter_map(|(seq, ..)| scene.book.get(*seq));
        let prey = victims.max_by_key(|entry| entry.leg.quote)?;
        let largest = prey.leg.quote;
        let legs = || self.seqs.iter().filter_map(|seq| scene.book.get(*seq));
        let whole = legs().skip(1).all(|entry| entry.leg.whole);
        let others = legs().filter(|entry| !entity.owns(entry)).count();
        // What is sold later for profit does not change how the attack was made.
        let back = position.main_back().and_then(|seq| scene.book.get(seq)).unwrap_or(last);
        let transactions = back.leg.place.tx_index.saturating_sub(head.leg.place.tx_index);
        let same_slot = head.leg.place.slot == back.leg.place.slot;
        // Of two attackers around one victim, neither stands between the other's legs as a stranger would.
        let strangers = || legs().filter(|entry| entry.seq < back.seq && !entity.owns(entry) && !is_foreign(entry));
        let shape = match same_slot {
            true if strangers().all(|entry| entry.leg.side == side) => Shape::Tight,
            true => Shape::WideSlot,
            false => Shape::WideCross,
        };
        let adjacent = same_slot && transactions <= legs().filter(|entry| entry.seq <= back.seq).count() as u64;

        let quote_in: u64 = position.fronts().filter_map(|seq| scene.book.get(seq)).map(|entry| entry.leg.quote).sum();
        let in_sol = head.leg.quote_mint == WRAPPED_SOL;
        let profit = profit(&position, scene.book).filter(|_| in_sol);
        #[allow(clippy::cast_precision_loss, reason = "features")]
        let (closed, front, large, count, slots, window) = (
            position.closed as f64 / position.opened.max(1) as f64,
            quote_in as f64,
            largest as f64,
            self.victims.len() as f64,
            back.leg.place.slot.saturating_sub(head.leg.place.slot) as f64,
            others as f64,
        );
        #[allow(clippy::cast_precision_loss, reason = "features")]
        let (delay, block) = (
            prey.leg.place.slot.saturating_sub(head.leg.place.slot) as f64,
            back.leg.place.tx_index.saturating_add(1).max(LEAST_BLOCK) as f64,
        );
        let set = |is: bool| if is { 1.0 } else { 0.0 };
        let mine = || position.fronts().chain(position.backs().map(|(seq, _)| seq));
        let mine = || mine().filter_map(|seq| scene.book.get(seq));
        let terminal = mine().any(|entry| entry.leg.terminal);
        let public = mine().any(|entry| entry.program != 0 && scene.users.is_public(entry.program));
        let told = u8::from(position.alert.is_some());
        let record = mine().map(|entry| scene.order_takers.attacks(entry.owner)).max().unwrap_or(0);
        let chance = 1.0 - (1.0 - scene.pool.sizes.share_from(largest)).powf(window);
        let link = weakest(&position, scene);
        let front_size = if in_sol { (front * closed.min(1.0) / SOL).ln_1p() } else { 0.0 };
        #[allow(clippy::cast_precision_loss, reason = "a share")]
        let depth = head.leg.before.or(head.leg.after).map(|reserves| reserves.quote as f64);
        let impact = depth.map_or(0.0, |depth| (100.0 * large / depth.max(1.0)).clamp(0.01, 100.0).ln());
        // What a pool's last trade did tempts others, not whoever waits for a victim.
        let move_before = scene.book.get(head.before).filter(|before| !entity.owns(before) && moved(&before.leg));
        let move_before = move_before.map(|before| before.leg.side);
        let mut features = Features {
            bias: 1.0,
            terminal: set(terminal),
            public: set(public),
            same_slot,
            slots,
            adjacent: if adjacent { block.ln() } else { 0.0 },
            front_size,
            inventory_full: set(closed >= 0.97),
            inventory_most: set((0.85..0.97).contains(&closed)),
            victims: count.ln(),
            size_ratio: (large / front.max(1.0)).max(f64::MIN_POSITIVE).ln().abs(),
            slack_low: 0.0,
            slack_fit: 0.0,
            round_trips: f64::from(scene.pool.trips(head.owner).min(3)),
            record: f64::from(record.saturating_sub(told)).ln_1p(),
            profit: set(profit.is_some_and(|profit| profit > 0)),
            cohort: set(self.is_cohort(&head.leg, scene.book)),
            surprise: -chance.max(1e-9).ln(),
            weak_link: 1.0 - link.strength(),
            impact,
            slack_best: 0.0,
            gain: profit.map_or(0.0, |profit| gain(profit, quote_in)),
            victims_public: self.share_public(scene),
            bid: self.bid(&position, scene.book),
            slack_unknown: 0.0,
            adjacent_front: if adjacent { front_size } else { 0.0 },
            adjacent_impact: if adjacent { impact } else { 0.0 },
            aimed_low: 0.0,
            aimed_fit: 0.0,
            aimed_over: 0.0,
            delay,
            prey_public: set(scene.is_public(prey)),
            harmed: set(head.harmed_by.iter().flatten().any(|id| scene.tracked.is_live(*id))),
            trader: f64::from(scene.habits.round_trips(head.owner)).ln_1p(),
            prey_trader: f64::from(scene.habits.round_trips(prey.owner)).ln_1p(),
            chased: set(move_before.is_some_and(|before| before == side)),
            leaned: set(move_before.is_some_and(|before| before != side)),
        };
        // Replaying costs more than all else: it is not done where the best it could show would change nothing.
        let is_open = scene.weights.best(&features) >= SUSPECTED;
        let mut slack = None;
        if position.alert.is_some() || is_open || scene.thorough {
            self.replay(first, &entity, &position, scene);
            let worst = self.victims.iter().max_by_key(|(_, joint, _)| joint.map_or(i64::MIN, |harm| harm.loss));
            slack = worst.and_then(|(_, joint, _)| joint.as_ref()).and_then(slack_use);
            features.slack_unknown = set(slack.is_none());
            features.slack_low = set(slack.is_some_and(|slack| slack < UNFIT));
            features.slack_fit = set(slack.is_some_and(|slack| FIT.contains(&slack)));
            let fits = |(_, joint, _): &(Seq, Option<Harm>, Option<Harm>)| {
                joint.as_ref().and_then(slack_use).is_some_and(|slack| AIMED.contains(&slack))
            };
            features.slack_best = set(self.victims.iter().any(fits));
            if let Some(aimed) = aimed_at(prey, &position, scene.book).filter(|_| slack.is_some()) {
                features.aimed_low = set(aimed < UNFIT);
                features.aimed_fit = set(AIMED.contains(&aimed));
                features.aimed_over = set(aimed > *FIT.end());
            }
        }
        let confidence = scene.weights.score(&features);
        Some(Judged { features, confidence, whole, profit, shape, wallets: entity.wallets(), slack })
    }

    /// Who was harmed by what was judged last.
    pub(super) fn victims(&self) -> impl Iterator<Item = Seq> + '_ {
        self.victims.iter().map(|(seq, ..)| *seq)
    }
}

impl Judged {
    /// What it is, apart from what only other detectors know.
    pub(super) fn class(&self) -> Class {
        let doubtful = Band::of(self.confidence) < Band::Likely;
        let aimed = self.features.slack_best > 0.0 || self.slack.is_none_or(|slack| slack >= UNFIT);
        let by_app = self.features.terminal > 0.0;
        if self.features.cohort > 0.0 || self.features.round_trips >= 3.0 {
            Class::Wash
        } else if self.shape == Shape::WideCross && doubtful && (by_app || !aimed) {
            Class::Momentum
        } else if self.wallets > 1 {
            Class::SandwichEvasive
        } else {
            match self.shape {
                Shape::Tight => Class::SandwichTight,
                Shape::WideSlot => Class::SandwichWideSlot,
                Shape::WideCross => Class::SandwichWideCross,
            }
        }
    }
}
