//! Patterns that are no sandwich: made histories of trades, played to the detectors alone, and what is found of what was
//! planted in them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fastrand::Rng;

use super::{goals::Goal, tally::Part};
use crate::{
    chain::ids::{Key, Mint, Signature, WRAPPED_SOL, Wallet},
    decode::{
        Event, EventKind,
        event::{Flow, Path, Reserves, Side, TokenCreated, Venue},
    },
    mev::{
        Alert, Class, Detectors, Leg, Weights,
        leg::{Intent, Place, Rates},
        replay::PoolState,
    },
};

const SOL: u64 = 1_000_000_000;
const SUPPLY: u64 = 1_000_000_000_000_000;
/// Microseconds of a slot.
const SLOT_US: i64 = 212_500;
/// Wallets by trade.
const LEADER: u64 = 1;
const FOLLOWERS: std::ops::Range<u64> = 100..120;
const SNIPERS: std::ops::Range<u64> = 2_000..2_200;
const CROWD: std::ops::Range<u64> = 10_000..1_000_000;
/// Mints a follower must have followed into to count as planted.
const FOLLOWED: usize = 8;

/// The goals that such histories can show; `seed` makes them.
#[must_use]
pub fn patterns(seed: u64) -> Vec<Goal> {
    let mut rng = Rng::with_seed(seed);
    let mut goals = copied(&mut rng);
    goals.extend(bundled(&mut rng));
    goals.push(washed(&mut rng));
    goals.push(sold_by_creators(&mut rng));
    goals
}

/// A key that stands for a number.
fn key<K>(number: u64) -> Key<K> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes[12..20].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    Key::new(bytes)
}

/// A bonding curve in which orders are executed as they come, each in a transaction of its own.
struct Curve {
    state: PoolState,
    next: Leg,
    count: u64,
}

impl Curve {
    fn new(number: u64, slot: u64) -> Self {
        let (base, quote) = (SUPPLY + SUPPLY / 1_000 * 73, 30 * SOL);
        let next = Leg {
            place: Place { slot, tx_index: 0, path: Path { outer: 2, inner: None }, event_index: 0 },
            signature: Signature::default(),
            venue: Venue::Pump,
            flow: Flow::User,
            pool: key(number),
            mint: key(number + 1_000_000),
            quote_mint: WRAPPED_SOL,
            side: Side::Buy,
            user: key(0),
            payer: key(0),
            outer_program: None,
            terminal: false,
            base: 0,
            quote: 0,
            rates: Rates { lp: 0, others: [95, 30, 0, 0] },
            fees: 0,
            before: None,
            after: None,
            curve_left: None,
            curve_quote: None,
            intent: Intent::ExactIn,
            limit: None,
            tip: 0,
            tx_fee: 5_000,
            compute_units: None,
            recv_us: i64::try_from(slot).unwrap_or(0) * SLOT_US,
            whole: true,
        };
        Self { state: PoolState { base: base.into(), quote: quote.into(), left: None }, next, count: 0 }
    }

    fn wait(&mut self, slots: u64) {
        self.next.place.slot += slots;
        self.next.place.tx_index = 0;
        self.next.recv_us += i64::try_from(slots).unwrap_or(0) * SLOT_US;
    }

    /// Spends so many lamports, or sells so many tokens, in the transaction that stands so far behind the one before.
    fn trade(&mut self, user: u64, side: Side, amount: u64, gap: u64) -> Option<Leg> {
        self.next.place.tx_index += gap;
        self.count += 1;
        let (base, quote) = if side == Side::Buy { (0, amount) } else { (amount, 0) };
        let mut leg = Leg { user: key(user), payer: key(user), side, base, quote, ..self.next.clone() };
        let fill = self.state.fill(&leg)?;
        let mut signature = [0; 64];
        signature[..8].copy_from_slice(&self.count.to_le_bytes());
        signature[8..40].copy_from_slice(leg.pool.bytes());
        let reserves = |state: PoolState| Some(Reserves { base: u64::try_from(state.base).ok()?, quote: state.quote });
        (leg.signature, leg.before, leg.after) = (signature.into(), reserves(self.state), reserves(fill.after));
        (leg.base, leg.quote, leg.fees) = (fill.base, fill.quote, fill.fees);
        self.state = fill.after;
        Some(leg)
    }

    fn buy(&mut self, user: u64, lamports: u64) -> Option<Leg> {
        self.trade(user, Side::Buy, lamports, 1)
    }

    /// Its launch, by this wallet, where the next trade stands.
    fn created(&self, creator: u64) -> Event {
        let Place { slot, tx_index, path, event_index } = self.next.place;
        let kind = EventKind::TokenCreated(TokenCreated {
            venue: Venue::Pump,
            mint: self.next.mint,
            curve: self.next.pool,
            name: b""[..].into(),
            symbol: b""[..].into(),
            uri: b""[..].into(),
            creator: key(creator),
            token_program: None,
            quote_mint: WRAPPED_SOL,
            mayhem: false,
            initial: None,
            initial_tokens_left: None,
            supply: Some(SUPPLY),
        });
        let signature = Signature::default();
        Event { slot, signature, tx_index, path, event_index, timestamp: None, payer: key(creator), kind }
    }
}

fn detectors() -> Detectors {
    Detectors::predictable(Weights::built_in(), false)
}

/// What is told of this class.
fn told<'a>(detectors: &mut Detectors, class: Class, legs: impl IntoIterator<Item = &'a Leg>) -> Vec<Alert> {
    let mut found = Vec::new();
    legs.into_iter().for_each(|leg| detectors.trade(leg, &mut found));
    found.retain(|alert| alert.class == class);
    found
}

/// A leader into every eighth mint, whom some follow 1 to 3 slots later two times in five; 200 snipers who are early in every
/// mint; and people.
fn copied(rng: &mut Rng) -> Vec<Goal> {
    let mut legs: Vec<Leg> = Vec::new();
    let mut followed: BTreeMap<u64, usize> = BTreeMap::new();
    for mint in 0..320 {
        let mut curve = Curve::new(mint, 1_000 + 40 * mint);
        let mut snipers: Vec<u64> = SNIPERS.filter(|_| rng.u8(0..10) < 9).collect();
        rng.shuffle(&mut snipers);
        legs.extend(snipers.into_iter().filter_map(|sniper| curve.buy(sniper, SOL / 20)));
        curve.wait(2);
        legs.extend((0..3).filter_map(|_| curve.buy(rng.u64(CROWD), SOL / 20)));
        if mint % 8 == 0 {
            legs.extend(curve.buy(LEADER, SOL / 10));
        }
        let mut late: Vec<(u64, u64)> = Vec::new();
        for follower in FOLLOWERS {
            if mint % 8 == 0 && rng.u8(0..5) < 2 {
                *followed.entry(follower).or_default() += 1;
                late.push((rng.u64(1..=3), follower));
            } else if rng.u8(0..40) == 0 {
                // Now and then one buys of its own accord.
                late.push((rng.u64(1..=12), follower));
            }
        }
        late.sort_unstable();
        let mut now = 0;
        for (slot, follower) in late {
            curve.wait(slot - now);
            now = slot;
            legs.extend(curve.buy(follower, SOL / 20));
        }
    }
    let planted: BTreeSet<Wallet> =
        followed.iter().filter(|(_, mints)| **mints >= FOLLOWED).map(|(follower, _)| key(*follower)).collect();
    let alerts = told(&mut detectors(), Class::CopyTrade, &legs);
    let pairs: BTreeSet<(Wallet, Wallet)> =
        alerts.iter().filter_map(|alert| Some((alert.legs.first()?.user, alert.attackers.first()?.wallet))).collect();
    let found = planted.iter().filter(|follower| pairs.contains(&(key(LEADER), **follower))).count();
    let snipers: BTreeSet<Wallet> = SNIPERS.map(key).collect();
    let sniped = |pairs: &BTreeSet<(Wallet, Wallet)>| {
        pairs.iter().filter(|(leader, follower)| snipers.contains(leader) || snipers.contains(follower)).count()
    };
    let (false_ones, counted) = (sniped(&pairs), sniped(&repeats(&legs, &planted)));
    let found = Part { of_those: found as u64, all: planted.len() as u64 };
    vec![
        Goal::share("copy trade: planted followers found ≥ .95", found, |share| share >= 0.95),
        Goal::new(
            "copy trade: pairs told with 200 snipers: 0",
            format!("{false_ones}; a plain count of repeats tells {counted}"),
            Some(false_ones == 0),
        ),
    ]
}

/// Pairs by a plain count of repeats, as solana-copy-trade-detect takes them: of a wallet's last 15 first buys, who bought
/// within 50 trades of the token before, twice or more.
fn repeats(legs: &[Leg], wallets: &BTreeSet<Wallet>) -> BTreeSet<(Wallet, Wallet)> {
    let mut before: BTreeMap<Mint, VecDeque<Wallet>> = BTreeMap::new();
    let mut buys: BTreeMap<Wallet, VecDeque<BTreeSet<Wallet>>> = BTreeMap::new();
    for leg in legs {
        let earlier = before.entry(leg.mint).or_default();
        if wallets.contains(&leg.user) {
            let mine = buys.entry(leg.user).or_default();
            mine.push_back(earlier.iter().copied().collect());
            if mine.len() > 15 {
                mine.pop_front();
            }
        }
        earlier.push_back(leg.user);
        if earlier.len() > 50 {
            earlier.pop_front();
        }
    }
    let mut pairs = BTreeSet::new();
    for (wallet, buys) in &buys {
        let mut counts: BTreeMap<Wallet, usize> = BTreeMap::new();
        buys.iter().flatten().for_each(|leader| *counts.entry(*leader).or_default() += 1);
        pairs.extend(counts.into_iter().filter(|(_, count)| *count >= 2).map(|(leader, _)| (leader, *wallet)));
    }
    pairs
}

/// Launches with wallets right behind them, and popular ones with snipers who came by themselves.
fn bundled(rng: &mut Rng) -> Vec<Goal> {
    let (mut recall, mut precision) = (Part::default(), Part::default());
    let mut detectors = detectors();
    for number in 0..400 {
        let mut curve = Curve::new(number, 1_000 + 40 * number);
        let planted = rng.bool();
        detectors.event(&curve.created(5_000 + number), 0, true, &mut Vec::new());
        let mut legs: Vec<Leg> = Vec::new();
        if planted {
            let wallets = rng.u64(3..=8);
            legs.extend((0..wallets).filter_map(|wallet| curve.buy(10_000 * (1 + number) + wallet, SOL / 2)));
        }
        for _ in 0..rng.u8(10..30) {
            legs.extend(curve.trade(rng.u64(SNIPERS), Side::Buy, SOL / 5, rng.u64(1..=6)));
        }
        let told = !told(&mut detectors, Class::Bundle, &legs).is_empty();
        if planted {
            recall.add(told);
        }
        if told {
            precision.add(planted);
        }
    }
    vec![
        Goal::share("bundles of 3 and more wallets found ≥ .98", recall, |share| share >= 0.98),
        Goal::share("bundles told that are none's chance ≥ .95", precision, |share| share >= 0.95),
    ]
}

/// Pools of which a share of the volume is one wallet's with itself.
#[allow(clippy::cast_precision_loss, reason = "shares")]
fn washed(rng: &mut Rng) -> Goal {
    let mut within = Part::default();
    for number in 0..100 {
        let mut curve = Curve::new(number, 1_000);
        let share = 0.45 + 0.45 * rng.f64();
        let mut legs: Vec<Leg> = Vec::new();
        for _ in 0..200 {
            curve.wait(1);
            if rng.f64() < share / (2.0 - share) {
                let Some(bought) = curve.buy(LEADER, SOL / 2) else { continue };
                let sold = curve.trade(LEADER, Side::Sell, bought.base, 1);
                legs.extend([Some(bought), sold].into_iter().flatten());
            } else {
                legs.extend(curve.buy(rng.u64(CROWD), rng.u64(SOL / 4..SOL / 4 * 3)));
            }
        }
        let alerts = told(&mut detectors(), Class::Wash, &legs);
        let said = alerts.last().and_then(|alert| {
            let cited = alert.legs.iter().map(|leg| (leg.slot, leg.tx_index)).max()?;
            let share = alert.reasons.iter().find(|reason| reason.code == "wash_share")?.value;
            Some((cited, share))
        });
        let near = said.is_some_and(|(cited, said)| {
            let seen = || legs.iter().filter(|leg| (leg.place.slot, leg.place.tx_index) <= cited);
            let all: u64 = seen().map(|leg| leg.quote).sum();
            let own: u64 = seen().filter(|leg| leg.user == key(LEADER)).map(|leg| leg.quote).sum();
            (said - own as f64 / all.max(1) as f64).abs() <= 0.05
        });
        within.add(near);
    }
    Goal::share("wash share within 5 points: all", within, |share| share >= 1.0)
}

/// Creators who sell a fifth or more of what they hold, at once or bit by bit.
fn sold_by_creators(rng: &mut Rng) -> Goal {
    let mut found = Part::default();
    let mut detectors = detectors();
    for number in 0..300 {
        let (mut curve, creator) = (Curve::new(number, 1_000 + 40 * number), 5_000 + number);
        detectors.event(&curve.created(creator), 0, true, &mut Vec::new());
        let Some(bag) = curve.buy(creator, rng.u64(SOL / 20..3 * SOL)) else { continue };
        let mut legs = vec![bag.clone()];
        legs.extend((0..rng.u8(0..20)).filter_map(|_| curve.buy(rng.u64(CROWD), SOL / 5)));
        let (parts, sold) = (rng.u64(1..=4), bag.base / 100 * rng.u64(21..=100));
        for _ in 0..parts {
            curve.wait(rng.u64(1..5));
            legs.extend(curve.trade(creator, Side::Sell, sold / parts, 1));
        }
        found.add(!told(&mut detectors, Class::DevSell, &legs).is_empty());
    }
    Goal::share("creators' sales of ≥ 20 % found: all", found, |share| share >= 1.0)
}
