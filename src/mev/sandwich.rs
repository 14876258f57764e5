//! Sandwiches: what somebody opened before others' trades and closed after them, and what it cost those between.

use super::{
    alert::{
        ACROSS_GAP, Alert, AlertId, Attacker, Band, Class, Link, PathPoint, Reason, Role, SUSPECTED, State, Victim,
    },
    book::{Book, Entry, Position, Seq},
    features::{Features, Weights},
    handed::Handed,
    leg::Leg,
    order_takers::OrderTakers,
    pools::HotPool,
    replay::{Harm, PoolState, reproduces},
    tracked::Tracked,
    users::Users,
};
use crate::{
    chain::ids::WRAPPED_SOL,
    decode::event::{Flow, Side},
};

/// Share of its slippage below which a victim was hardly aimed at.
const UNFIT: f64 = 0.15;
/// Shares of its slippage that somebody who aims uses up.
const FIT: std::ops::RangeInclusive<f64> = 0.4..=1.02;
/// The same for whoever is hit best, if not worst.
const AIMED: std::ops::RangeInclusive<f64> = 0.45..=1.0;
/// Lamports in a SOL.
const SOL: f64 = 1e9;

/// What a judgement needs to look at.
pub(super) struct Scene<'a> {
    pub(super) book: &'a Book,
    pub(super) users: &'a Users,
    pub(super) handed: &'a Handed,
    pub(super) order_takers: &'a OrderTakers,
    pub(super) pool: &'a HotPool,
    pub(super) tracked: &'a Tracked,
    pub(super) weights: &'a Weights,
    /// Replays also where nothing depends on it.
    pub(super) thorough: bool,
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

/// Whose legs are taken for one entity's.
#[derive(Clone, Copy, Debug, Default)]
struct Entity {
    owners: [u64; 8],
    payers: [u64; 8],
    programs: [u64; 8],
}

impl Entity {
    fn of(position: &Position, scene: &Scene<'_>) -> Self {
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

    fn owns(&self, entry: &Entry) -> bool {
        self.owners.contains(&entry.owner)
            || self.payers.contains(&entry.payer)
            || (entry.program != 0 && self.programs.contains(&entry.program))
    }

    fn wallets(&self) -> usize {
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

impl Judge {
    /// Judges the position whose first leg this is; `None` if nobody stands between its legs.
    pub(super) fn judge(&mut self, first: Seq, scene: &Scene<'_>) -> Option<Judged> {
        let head = scene.book.get(first)?;
        let position = head.position;
        let last = scene.book.get(position.last_back())?;
        let entity = Entity::of(&position, scene);
        self.victims.clear();
        if !scene.book.between(first, last.seq, &mut self.seqs) {
            return None;
        }
        let side = head.leg.side;
        for entry in self.seqs.iter().filter_map(|seq| scene.book.get(*seq)) {
            let foreign_attack = entry.attack.is_some() && entry.attack != position.alert;
            let suffers = entry.leg.side == side
                && entry.leg.flow == Flow::User
                && !entry.arbitrage
                && !foreign_attack
                && !entity.owns(entry);
            if suffers {
                self.victims.push((entry.seq, None, None));
            }
        }
        let largest = self.victims.iter().filter_map(|(seq, ..)| scene.book.get(*seq)).map(|entry| entry.leg.quote);
        let largest = largest.max()?;
        let legs = || self.seqs.iter().filter_map(|seq| scene.book.get(*seq));
        let whole = legs().skip(1).all(|entry| entry.leg.whole);
        let others = legs().filter(|entry| !entity.owns(entry)).count();
        // What is sold later for profit does not change how the attack was made.
        let back = position.main_back().and_then(|seq| scene.book.get(seq)).unwrap_or(last);
        let transactions = back.leg.place.tx_index.saturating_sub(head.leg.place.tx_index);
        let same_slot = head.leg.place.slot == back.leg.place.slot;
        let until_back = || legs().filter(|entry| entry.seq < back.seq && !entity.owns(entry));
        let shape = match same_slot {
            true if until_back().all(|entry| entry.leg.side == side) => Shape::Tight,
            true => Shape::WideSlot,
            false => Shape::WideCross,
        };
        let adjacent =
            shape == Shape::Tight && transactions <= legs().filter(|entry| entry.seq <= back.seq).count() as u64;

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
        let set = |is: bool| if is { 1.0 } else { 0.0 };
        let mine = || position.fronts().chain(position.backs().map(|(seq, _)| seq));
        let mine = || mine().filter_map(|seq| scene.book.get(seq));
        let terminal = mine().any(|entry| entry.leg.terminal);
        let public = mine().any(|entry| entry.program != 0 && scene.users.is_public(entry.program));
        let told = u8::from(position.alert.is_some());
        let record = mine().map(|entry| scene.order_takers.attacks(entry.owner)).max().unwrap_or(0);
        let chance = 1.0 - (1.0 - scene.pool.sizes.share_from(largest)).powf(window);
        let link = self.weakest(&position, scene);
        let front_size = if in_sol { (front / SOL).ln_1p() } else { 0.0 };
        #[allow(clippy::cast_precision_loss, reason = "a share")]
        let depth = head.leg.before.or(head.leg.after).map(|reserves| reserves.quote as f64);
        let impact = depth.map_or(0.0, |depth| (100.0 * large / depth.max(1.0)).clamp(0.01, 100.0).ln());
        let mut features = Features {
            bias: 1.0,
            terminal: set(terminal),
            public: set(public),
            same_slot: set(same_slot),
            slots,
            adjacent: set(adjacent),
            front_size,
            inventory_full: set(closed >= 0.97),
            inventory_most: set((0.85..0.97).contains(&closed)),
            victims: count.ln(),
            size_ratio: (large / front.max(1.0)).max(f64::MIN_POSITIVE).ln().abs(),
            slack_low: 0.0,
            slack_fit: 0.0,
            round_trips: f64::from(scene.pool.trips(head.owner).min(3)),
            record: f64::from(record.saturating_sub(told).min(3)),
            profit: set(profit.is_some_and(|profit| profit > 0)),
            cohort: set(self.is_cohort(&head.leg, scene.book)),
            surprise: -chance.max(1e-9).ln(),
            weak_link: 1.0 - link.strength(),
            impact,
            slack_best: 0.0,
            gain: profit.map_or(0.0, |profit| gain(profit, quote_in)),
            victims_public: self.share_public(scene),
            bid: self.bid(&position, scene.book),
            cross_fit: 0.0,
            cross_front: if same_slot { 0.0 } else { front_size },
            cross_impact: if same_slot { 0.0 } else { impact },
            slack_unknown: 0.0,
            adjacent_front: if adjacent { front_size } else { 0.0 },
            adjacent_impact: if adjacent { impact } else { 0.0 },
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
            features.cross_fit = if same_slot { 0.0 } else { features.slack_best };
        }
        let confidence = scene.weights.score(&features);
        Some(Judged { features, confidence, whole, profit, shape, wallets: entity.wallets(), slack })
    }

    /// What each victim lost, all attackers' legs away and only this one's away.
    fn replay(&mut self, first: Seq, entity: &Entity, position: &Position, scene: &Scene<'_>) {
        // Another attack around the same victims may have begun before this one.
        let others = self.victims.iter().filter_map(|(seq, ..)| scene.book.get(*seq)).flat_map(|entry| entry.harmed_by);
        let others = others.flatten().filter(|id| Some(*id) != position.alert);
        let start = others.filter_map(|id| scene.tracked.first(id)).fold(first, Seq::min);
        let mine = |entry: &Entry| entity.owns(entry);
        if start < first {
            let Some(last) = self.seqs.last().copied() else { return };
            if !scene.book.between(start, last, &mut self.seqs) && !scene.book.between(first, last, &mut self.seqs) {
                return;
            }
        }
        let foreign = |entry: &Entry| entry.attack.is_some_and(|id| Some(id) != position.alert);
        let several =
            self.seqs.iter().filter_map(|seq| scene.book.get(*seq)).any(|entry| foreign(entry) && !mine(entry));
        let Self { seqs, victims } = self;
        let joint = walk(
            seqs,
            scene.book,
            |entry| mine(entry) || foreign(entry),
            |entry, harm, _| {
                if let Some(victim) = victims.iter_mut().find(|(known, ..)| *known == entry.seq) {
                    (victim.1, victim.2) = (harm, harm);
                }
            },
        );
        if joint && several {
            walk(seqs, scene.book, mine, |entry, harm, _| {
                if let Some(victim) = victims.iter_mut().find(|(known, ..)| *known == entry.seq) {
                    victim.2 = harm;
                }
            });
        }
    }

    /// Whether half of the victims pay and ask for the same as the attacker: one operator's wallets.
    fn is_cohort(&self, front: &Leg, book: &Book) -> bool {
        let Some(units) = front.compute_units else { return false };
        let alike = self.victims.iter().filter_map(|(seq, ..)| book.get(*seq)).filter(|entry| {
            entry.leg.tx_fee == front.tx_fee
                && entry.leg.compute_units.is_some_and(|other| other.abs_diff(units) <= units / 20)
        });
        alike.count() * 2 >= self.victims.len()
    }

    /// Share of the victims who came by a way that many take.
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    fn share_public(&self, scene: &Scene<'_>) -> f64 {
        let entries = self.victims.iter().filter_map(|(seq, ..)| scene.book.get(*seq));
        let public = entries
            .filter(|entry| entry.leg.terminal || (entry.program != 0 && scene.users.is_public(entry.program)))
            .count();
        public as f64 / self.victims.len().max(1) as f64
    }

    /// ln of what the attacker's transactions paid for their places by what the victims' paid.
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    fn bid(&self, position: &Position, book: &Book) -> f64 {
        let paid = |seqs: &mut dyn Iterator<Item = Seq>| {
            let (mut sum, mut count) = (0.0, 0.0_f64);
            for entry in seqs.filter_map(|seq| book.get(seq)) {
                sum += entry.leg.tx_fee.saturating_add(entry.leg.tip) as f64;
                count += 1.0;
            }
            sum / count.max(1.0) + 5_000.0
        };
        let mine = paid(&mut position.fronts().chain(position.backs().map(|(seq, _)| seq)));
        let theirs = paid(&mut self.victims.iter().map(|(seq, ..)| *seq));
        (mine / theirs).ln().clamp(-4.0, 4.0)
    }

    /// The weakest of the ties that hold the position together.
    #[allow(clippy::unused_self, reason = "reads as the others")]
    fn weakest(&self, position: &Position, scene: &Scene<'_>) -> Link {
        links(position, scene).map(|(_, link)| link).min().unwrap_or(Link::Owner)
    }

    /// The alert of what was judged last.
    pub(super) fn alert(&self, first: Seq, judged: &Judged, class: Class, scene: &Scene<'_>) -> Option<Alert> {
        let head = scene.book.get(first)?;
        let position = head.position;
        let last = scene.book.get(position.last_back())?;
        let mut attackers: Vec<Attacker> = Vec::new();
        for (wallet, link) in links(&position, scene) {
            if attackers.iter().all(|known| known.wallet != wallet) {
                attackers.push(Attacker { wallet, link });
            }
        }
        let fronts = position.fronts().map(|seq| (seq, Role::Front));
        let backs = position.backs().map(|(seq, _)| (seq, Role::Back));
        let mut roles: Vec<_> =
            fronts.chain(backs).chain(self.victims.iter().map(|(seq, ..)| (*seq, Role::Victim))).collect();
        roles.sort_unstable();
        let path = price_path(first, last.seq, &roles, &Entity::of(&position, scene), scene.book);
        let victims: Vec<Victim> = self
            .victims
            .iter()
            .filter_map(|(seq, joint, alone)| {
                let leg = &scene.book.get(*seq)?.leg;
                Some(Victim {
                    signature: leg.signature,
                    user: leg.user,
                    loss: joint.map(|harm| harm.loss),
                    marginal_loss: alone.map(|harm| harm.loss),
                    token_shortfall: joint.map(|harm| harm.shortfall),
                    slack_use: joint.as_ref().and_then(slack_use),
                })
            })
            .collect();
        let mut reasons = scene.weights.reasons(&judged.features);
        reasons.extend(judged.slack.map(|value| Reason { code: "slack_use", value }));
        Some(Alert {
            id: AlertId(0),
            revision: 0,
            class,
            state: State::Provisional,
            confidence: if judged.whole { judged.confidence } else { judged.confidence.min(ACROSS_GAP) },
            reasons,
            venue: head.leg.venue,
            pool: head.leg.pool,
            mint: head.leg.mint,
            quote_mint: head.leg.quote_mint,
            attackers,
            legs: roles.into_iter().filter_map(|(seq, role)| scene.book.evidence(seq, role)).collect(),
            victim_loss: victims.iter().map(|victim| victim.loss).sum(),
            victims,
            profit: judged.profit,
            open_inventory: position.opened.saturating_sub(position.closed),
            chain_ok: judged.whole,
            slot: last.leg.place.slot,
            recv_us: last.leg.recv_us,
            detect_us: 0,
            path,
            features: Some(judged.features),
        })
    }

    /// Who was harmed by what was judged last.
    pub(super) fn victims(&self) -> impl Iterator<Item = Seq> + '_ {
        self.victims.iter().map(|(seq, ..)| *seq)
    }
}

impl Judged {
    /// What it is, apart from what only other detectors know.
    pub(super) fn class(&self) -> Class {
        let aimed = self.features.slack_best > 0.0 || self.slack.is_none_or(|slack| slack >= UNFIT);
        let by_app = self.features.terminal > 0.0 && Band::of(self.confidence) < Band::Likely;
        if self.features.cohort > 0.0 || self.features.round_trips >= 3.0 {
            Class::Wash
        } else if self.shape == Shape::WideCross && (by_app || !aimed) {
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

/// The wallets of a position's legs, in order, and how each is tied to those before it.
fn links<'a>(
    position: &'a Position,
    scene: &'a Scene<'_>,
) -> impl Iterator<Item = (crate::chain::ids::Wallet, Link)> + 'a {
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

/// The price after each leg of the pool between these two, as it was and without the entity's legs.
fn price_path(
    first: Seq,
    last: Seq,
    roles: &[(Seq, Role)],
    entity: &Entity,
    book: &Book,
) -> Option<std::sync::Arc<[PathPoint]>> {
    let mut seqs = Vec::new();
    if !book.between(first, last, &mut seqs) {
        return None;
    }
    let mut path = Vec::with_capacity(seqs.len());
    let mut not_a_price = false;
    let whole = walk(
        &seqs,
        book,
        |entry| entity.owns(entry),
        |entry, _, state| {
            let role = roles.iter().find(|(seq, _)| *seq == entry.seq).map_or(Role::Other, |(_, role)| *role);
            let with = entry.leg.after.and_then(|after| price(after.base.into(), after.quote));
            let without = price(state.base, state.quote);
            not_a_price |= without.is_none();
            path.extend(without.map(|without| PathPoint { role, with, without }));
        },
    );
    (whole && !not_a_price).then(|| path.into())
}

#[allow(clippy::cast_precision_loss, reason = "a price")]
fn price(base: u128, quote: u128) -> Option<f64> {
    (base > 0).then(|| quote as f64 / base as f64)
}

/// Executes legs of a pool without some of them; tells of each, in order, what it would not have suffered (`None` of the
/// removed), and the pool afterwards. `false` where the pool cannot be replayed to the end.
fn walk(
    seqs: &[Seq],
    book: &Book,
    removed: impl Fn(&Entry) -> bool,
    mut executed: impl FnMut(&Entry, Option<Harm>, &PoolState),
) -> bool {
    let mut state = None;
    let mut expected = None;
    for entry in seqs.iter().filter_map(|seq| book.get(*seq)) {
        let leg = &entry.leg;
        // A pool that changed otherwise in between, or whose trades we do not compute as its program does: no figures.
        if expected.is_some_and(|expected| leg.before != Some(expected)) || !reproduces(leg) {
            return false;
        }
        expected = leg.after;
        let Some(now) = state.or_else(|| PoolState::before(leg)) else { return false };
        if removed(entry) {
            executed(entry, None, &now);
            state = Some(now);
            continue;
        }
        let (Some(fill), Some(harm)) = (now.fill(leg), now.harm(leg)) else { return false };
        executed(entry, Some(harm), &fill.after);
        state = Some(fill.after);
    }
    true
}

#[allow(clippy::cast_precision_loss, reason = "a share")]
fn slack_use(harm: &Harm) -> Option<f64> {
    harm.slack.map(|(part, whole)| part as f64 / whole as f64)
}

/// A profit by what the front cost.
#[allow(clippy::cast_precision_loss, reason = "a ratio")]
fn gain(profit: i64, front: u64) -> f64 {
    (profit as f64 / front.max(1) as f64).clamp(-0.2, 0.3)
}

/// Quote out − quote in on the matched inventory, after fees, transaction fees and tips.
fn profit(position: &Position, book: &Book) -> Option<i64> {
    let matched = i128::from(position.closed.min(position.opened));
    let mut sum = 0_i128;
    let mut last_signature = None;
    let parts = position.fronts().map(|seq| (seq, matched, position.opened));
    let backs = position.backs().map(|(seq, base)| (seq, i128::from(base), 0));
    for (seq, part, whole) in parts.chain(backs) {
        let leg = &book.get(seq)?.leg;
        let whole = if whole == 0 { leg.base } else { whole };
        let share = i128::from(leg.with_fees()) * part / i128::from(whole.max(1));
        sum += if leg.side == Side::Sell { share } else { -share };
        if last_signature.replace(leg.signature) != Some(leg.signature) {
            sum -= i128::from(leg.tx_fee) + i128::from(leg.tip);
        }
    }
    i64::try_from(sum).ok()
}
