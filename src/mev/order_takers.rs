//! Who keeps landing right before others' large trades, or right after others' moves, more often than chance explains.
//!
//! One such trade proves nothing: on a busy pool somebody is always next to somebody. So each wallet is put to a sequential
//! test (Page's cumulative sum) against the pool's own rate of such neighbours: three times that rate, and on average no
//! false alarm in a hundred thousand of its trades.

use super::{
    alert::{Alert, AlertId, Class, Reason, Role, Victim},
    book::{Book, Entry, Seq},
    leg::Leg,
    lru::{KeyHash, Lru},
    pools::Sizes,
    replay::PoolState,
    tracked::Tracked,
};
use crate::decode::event::Side;

/// Wallets under test.
const WALLETS: usize = 16_384;
/// Legs after its own within which a wallet's prey must follow.
const AHEAD: usize = 3;
/// How much more often than by chance.
const TIMES: f64 = 3.0;
/// ln of the trades between two false alarms.
const PROVEN: f64 = 11.513;
/// Trades of a pool before its rate is taken for anything.
const LEAST: u32 = 20;
/// A move of the price by at least this share is worth taking back.
const MOVE: f64 = 0.01;
/// What is proven is the wallet's habit, not the one trade.
const CONFIDENCE: f64 = 0.95;

/// How often something happened by chance in a pool.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    hits: u32,
    trials: u32,
}

impl Rate {
    fn add(&mut self, hit: bool) {
        if self.trials > 1 << 16 {
            (self.hits, self.trials) = (self.hits / 2, self.trials / 2);
        }
        self.hits += u32::from(hit);
        self.trials += 1;
    }

    /// With one hit more than were seen: never 0.
    fn share(self) -> Option<f64> {
        (self.trials >= LEAST).then(|| (f64::from(self.hits) + 1.0) / (f64::from(self.trials) + 2.0))
    }
}

/// A sequential test.
#[derive(Clone, Copy, Debug, Default)]
struct Trial {
    evidence: f64,
    hits: u16,
    alert: Option<AlertId>,
}

impl Trial {
    /// Whether this observation proves it, now or again.
    fn add(&mut self, hit: bool, chance: f64) -> bool {
        let claimed = (TIMES * chance).min(0.95).max(chance);
        self.evidence += if hit { (claimed / chance).ln() } else { ((1.0 - claimed) / (1.0 - chance)).ln() };
        self.hits = self.hits.saturating_add(u16::from(hit));
        if self.evidence <= 0.0 {
            (self.evidence, self.hits) = (0.0, 0);
        }
        // What is proven stays so, but not for ever.
        self.evidence = self.evidence.min(2.0 * PROVEN);
        hit && self.evidence >= PROVEN
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Trials {
    before: Trial,
    after: Trial,
    /// Sandwiches told of it: what it does before others is told as those.
    attacks: u8,
}

/// A pool's newest legs, still to be followed or not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Neighbours {
    legs: [Option<Near>; AHEAD],
    before: Rate,
    after: Rate,
}

#[derive(Clone, Copy, Debug)]
struct Near {
    seq: Seq,
    owner: u64,
    payer: u64,
    side: Side,
    slot: u64,
    moved: bool,
    /// The first large foreign leg of the same side behind it.
    prey: Option<Seq>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct OrderTakers {
    wallets: Lru<u64, Trials>,
}

impl OrderTakers {
    pub(super) fn new(hash: KeyHash) -> Self {
        Self { wallets: Lru::new(WALLETS, hash) }
    }

    /// This wallet was found to sandwich.
    pub(super) fn attacked(&mut self, owner: u64) {
        let attacks = &mut self.wallets.touch(owner).0.attacks;
        *attacks = attacks.saturating_add(1);
    }

    /// Sandwiches told of a wallet.
    pub(super) fn attacks(&self, owner: u64) -> u8 {
        self.wallets.get(&owner).map_or(0, |trials| trials.attacks)
    }

    pub(super) fn bytes(&self) -> usize {
        self.wallets.bytes()
    }

    /// Takes a pool's next leg; `closes` if it closes somebody's position.
    pub(super) fn on(
        &mut self,
        seq: Seq,
        closes: bool,
        near: &mut Neighbours,
        sizes: &Sizes,
        book: &Book,
        tracked: &mut Tracked,
    ) {
        let Some(entry) = book.get(seq) else { return };
        let leg = &entry.leg;
        let last = near.legs[0];
        // After: next to a foreign move, against it, with nothing open.
        if let Some(last) = last {
            let foreign = last.owner != entry.owner && last.payer != entry.payer;
            let hit = last.moved && foreign && last.side != leg.side && last.slot == leg.place.slot && !closes;
            if let Some(chance) = near.after.share()
                && let Some(trial) = self.trials(entry.owner, hit).map(|trials| &mut trials.after)
                && trial.add(hit, chance)
            {
                let mut alert = Alert::about(leg, Class::Backrun, CONFIDENCE);
                alert.reasons = reasons(trial, chance);
                alert.legs = [(last.seq, Role::Other), (seq, Role::Back)]
                    .into_iter()
                    .filter_map(|(seq, role)| book.evidence(seq, role))
                    .collect();
                trial.alert = Some(tracked.raise(trial.alert, alert, 0));
            }
            near.after.add(hit);
        }
        // Before: those whose time is over are judged.
        if let Some(over) = near.legs[AHEAD - 1] {
            self.judge(&over, near, book, tracked);
        }
        let large = sizes.is_large(leg.quote);
        for earlier in near.legs.iter_mut().flatten() {
            let foreign = earlier.owner != entry.owner && earlier.payer != entry.payer;
            if large && foreign && earlier.side == leg.side && earlier.prey.is_none() {
                earlier.prey = Some(seq);
            }
        }
        near.legs.rotate_right(1);
        near.legs[0] = Some(Near {
            seq,
            owner: entry.owner,
            payer: entry.payer,
            side: leg.side,
            slot: leg.place.slot,
            moved: moved(leg),
            prey: None,
        });
    }

    /// A wallet's tests: a miss says nothing of one that is not under test.
    fn trials(&mut self, owner: u64, hit: bool) -> Option<&mut Trials> {
        if hit { Some(self.wallets.touch(owner).0) } else { self.wallets.get_mut(&owner) }
    }

    fn judge(&mut self, over: &Near, near: &mut Neighbours, book: &Book, tracked: &mut Tracked) {
        let hit = over.prey.is_some();
        let chance = near.before.share();
        near.before.add(hit);
        let (Some(chance), Some(front)) = (chance, book.get(over.seq)) else { return };
        // What is part of a sandwich is told as that.
        if over.side != Side::Buy || front.attack.is_some() || front.arbitrage {
            return;
        }
        let Some(trials) = self.trials(over.owner, hit) else { return };
        if !trials.before.add(hit, chance) || trials.attacks > 0 {
            return;
        }
        let Some(prey) = over.prey.and_then(|seq| book.get(seq)) else { return };
        let mut alert = Alert::about(&front.leg, Class::Frontrun, CONFIDENCE);
        alert.reasons = reasons(&trials.before, chance);
        alert.legs = [(front.seq, Role::Front), (prey.seq, Role::Victim)]
            .into_iter()
            .filter_map(|(seq, role)| book.evidence(seq, role))
            .collect();
        let victim = harmed(front, prey);
        alert.victim_loss = victim.loss;
        alert.victims.push(victim);
        alert.slot = prey.leg.place.slot;
        trials.before.alert = Some(tracked.raise(trials.before.alert, alert, 0));
    }
}

/// What the one behind lost to the one before it, where nothing lies between them.
fn harmed(front: &Entry, prey: &Entry) -> Victim {
    let next = prey.before == front.seq && front.leg.after == prey.leg.before;
    let harm = PoolState::before(&front.leg).filter(|_| next).and_then(|state| state.harm(&prey.leg));
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    let slack = harm.and_then(|harm| harm.slack).map(|(part, whole)| part as f64 / whole as f64);
    Victim {
        signature: prey.leg.signature,
        user: prey.leg.user,
        loss: harm.map(|harm| harm.loss),
        marginal_loss: harm.map(|harm| harm.loss),
        token_shortfall: harm.map(|harm| harm.shortfall),
        slack_use: slack,
    }
}

fn reasons(trial: &Trial, chance: f64) -> Vec<Reason> {
    vec![
        Reason { code: "hits", value: f64::from(trial.hits) },
        Reason { code: "chance", value: chance },
        Reason { code: "evidence", value: trial.evidence },
    ]
}

/// Whether a leg moved the price by at least [`MOVE`]: in a constant product the price moves by the square of what the
/// quote reserve does.
pub(super) fn moved(leg: &Leg) -> bool {
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    leg.before.zip(leg.after).is_some_and(|(before, after)| {
        let ratio = after.quote as f64 / (before.quote as f64).max(1.0);
        (ratio * ratio - 1.0).abs() >= MOVE
    })
}
