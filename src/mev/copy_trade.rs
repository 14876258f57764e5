//! Who buys what another has just bought, mint after mint, more often than that other's own activity explains.
//!
//! On a wallet's first buy of a mint, each of the mint's other first buyers within the last slots is one it may follow. A
//! sniper who is everywhere is before everybody; so what is counted is held against chance: of `S` such neighbours of a
//! follower, a leader with the share `n / N` of all first buys would be `S · n / N` by chance alone (a Poisson count).

use super::{
    alert::{Alert, AlertId, Class, Reason, Role},
    book::{Book, Entry, Seq},
    lru::{KeyHash, Lru},
    tracked::Tracked,
};
use crate::{chain::ids::Mint, decode::event::Side};

const MINTS: usize = 4_096;
const WALLETS: usize = 32_768;
const PAIRS: usize = 16_384;
/// Marks of pairs seen: a newer pair's takes an older one's place.
const SEEN: usize = 1 << 18;
/// First buyers kept of a mint.
const BUYERS: usize = 16;
#[allow(clippy::cast_possible_truncation, reason = "it is 16")]
const BUYERS_U8: u8 = BUYERS as u8;
/// How far behind its leader a follower may be, in slots.
const BEHIND: u64 = 12;
/// How long a wallet counts as having bought a mint, in seconds.
const MEMORY_S: u32 = 600;
/// Least mints in common.
const LEAST: u16 = 5;
/// Least share of a follower's mints.
const SHARE: f64 = 0.3;
/// Highest chance, that of one false pair among all that are watched: 10⁻⁸.
const CHANCE: f64 = 1e-8;
/// Classes of lags: same slot, 1, 2–3, 4–7, 8 and more slots.
const LAGS: usize = 5;
/// Share of the lags in two neighbouring classes that makes them concentrated.
const CONCENTRATED: f64 = 0.6;

/// The newest first buyers of a mint, each field by itself: nearly always only the first one is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Buyers {
    owners: [u64; BUYERS],
    slots: [u64; BUYERS],
    seconds: [i32; BUYERS],
    seqs: [Seq; BUYERS],
    next: u8,
}

#[derive(Clone, Copy, Debug, Default)]
struct Buyer {
    owner: u64,
    seq: Seq,
    slot: u64,
}

/// What a wallet did in all.
#[derive(Clone, Copy, Debug, Default)]
struct Activity {
    /// First buys.
    buys: u32,
    /// First buyers found before its own.
    neighbours: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    mints: u16,
    lags: [u16; LAGS],
    told: u16,
    alert: Option<AlertId>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct CopyTrade {
    mints: Lru<Mint, Buyers>,
    wallets: Lru<u64, Activity>,
    pairs: Lru<(u64, u64), Pair>,
    seen: Vec<u32>,
    all: u64,
    hash: KeyHash,
}

impl CopyTrade {
    pub(super) fn new(hash: KeyHash) -> Self {
        Self {
            mints: Lru::new(MINTS, hash),
            wallets: Lru::new(WALLETS, hash),
            pairs: Lru::new(PAIRS, hash),
            seen: vec![0; SEEN],
            all: 0,
            hash,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.mints.bytes() + self.wallets.bytes() + self.pairs.bytes() + self.seen.capacity() * size_of::<u32>()
    }

    /// Whether this wallet is known to copy that one.
    pub(super) fn is_copier(&self, follower: u64, leader: u64) -> bool {
        self.pairs.get(&(follower, leader)).is_some_and(|pair| pair.alert.is_some())
    }

    /// Takes a leg in.
    pub(super) fn on(&mut self, seq: Seq, book: &Book, tracked: &mut Tracked) {
        let Some(entry) = book.get(seq).filter(|entry| entry.leg.side == Side::Buy && !entry.arbitrage) else { return };
        let (owner, slot) = (entry.owner, entry.leg.place.slot);
        let now_s = i32::try_from(entry.leg.recv_us / 1_000_000 % (1 << 31)).unwrap_or(0);
        let buyers = self.mints.touch(entry.leg.mint).0;
        if let Some(at) = buyers.owners.iter().position(|known| *known == owner)
            && now_s.abs_diff(std::mem::replace(&mut buyers.seconds[at], now_s)) < MEMORY_S
        {
            return;
        }
        let mut leaders = [Buyer::default(); BUYERS];
        let mut count = 0;
        for (at, then) in buyers.slots.iter().enumerate().filter(|(_, then)| slot.saturating_sub(**then) <= BEHIND) {
            if buyers.seqs[at] > 0 && buyers.owners[at] != owner {
                leaders[count] = Buyer { owner: buyers.owners[at], seq: buyers.seqs[at], slot: *then };
                count += 1;
            }
        }
        let at = usize::from(buyers.next);
        (buyers.owners[at], buyers.slots[at], buyers.seconds[at], buyers.seqs[at]) = (owner, slot, now_s, seq);
        buyers.next = (buyers.next + 1) % BUYERS_U8;
        self.all += 1;
        let activity = self.wallets.touch(owner).0;
        activity.buys += 1;
        activity.neighbours += u32::try_from(count).unwrap_or(0);
        let follower = *activity;
        for leader in leaders.iter().take(count) {
            self.follows(entry, follower, leader, book, tracked);
        }
    }

    fn follows(&mut self, entry: &Entry, follower: Activity, leader: &Buyer, book: &Book, tracked: &mut Tracked) {
        let key = (entry.owner, leader.owner);
        let lag = entry.leg.place.slot.saturating_sub(leader.slot);
        // Nobody follows within a slot, and snipers who are everywhere at once would take all the room: that counts against
        // pairs which are known, and makes none. Nearly all others are seen once: their mark is all that is kept of them.
        let is_new = if lag == 0 { self.pairs.get(&key).is_none() } else { !self.was_seen_before(key) };
        if is_new {
            return;
        }
        let (pair, new) = self.pairs.touch(key);
        pair.mints = pair.mints.saturating_add(1 + u16::from(new));
        let class = lag.checked_ilog2().map_or(0, |log| log as usize + 1).min(LAGS - 1);
        pair.lags[class] = pair.lags[class].saturating_add(1);
        let pair = *pair;
        // Told again when it has doubled.
        if pair.mints < LEAST || pair.mints < pair.told.saturating_mul(2) {
            return;
        }
        let share = f64::from(pair.mints) / f64::from(follower.buys.max(1));
        let leads = self.wallets.get(&leader.owner).map_or(0, |activity| activity.buys).max(pair.mints.into());
        #[allow(clippy::cast_precision_loss, reason = "a share")]
        let expected = f64::from(leads) / self.all.max(1) as f64 * f64::from(follower.neighbours);
        let lags: u16 = pair.lags.iter().sum();
        let closest = pair.lags.windows(2).map(|two| two[0] + two[1]).max().unwrap_or(0);
        let concentrated = f64::from(closest) / f64::from(lags.max(1));
        let back = self.pairs.get(&(leader.owner, entry.owner)).map_or(0, |pair| pair.mints);
        // In the same slot, or each before the other: one hand moves both.
        let one_hand = pair.lags[0] * 2 > lags || back * 2 > pair.mints;
        if share < SHARE || one_hand || concentrated < CONCENTRATED || tail(pair.mints, expected) >= CHANCE {
            return;
        }
        let mut alert = Alert::about(&entry.leg, Class::CopyTrade, 1.0 - CHANCE);
        alert.reasons = vec![
            Reason { code: "mints", value: f64::from(pair.mints) },
            Reason { code: "expected", value: expected },
            Reason { code: "share", value: share },
            Reason { code: "lag_concentration", value: concentrated },
        ];
        // The leader's buy, then the follower's.
        alert.legs = [leader.seq, entry.seq].into_iter().filter_map(|seq| book.evidence(seq, Role::Other)).collect();
        let id = tracked.raise(pair.alert, alert, 0);
        if let Some(pair) = self.pairs.get_mut(&key) {
            (pair.alert, pair.told) = (Some(id), pair.mints);
        }
    }

    /// Whether this pair left its mark before and no other pair has left one in its place since; leaves it.
    fn was_seen_before(&mut self, (follower, leader): (u64, u64)) -> bool {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher = self.hash.build_hasher();
        hasher.write_u64(follower);
        hasher.write_u64(leader);
        let hash = hasher.finish();
        #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
        let (place, mark) = (hash as usize % SEEN, (hash >> 32) as u32 | 1);
        self.seen.get_mut(place).is_some_and(|slot| std::mem::replace(slot, mark) == mark)
    }
}

/// The chance of at least so many where so many are expected, by Poisson.
fn tail(count: u16, expected: f64) -> f64 {
    // The terms from `count` on, of which each is the one before times expected / n: they soon vanish.
    let log_factorial: f64 = (1..=count).map(|n| f64::from(n).ln()).sum();
    let mut term = (f64::from(count) * expected.max(1e-12).ln() - expected - log_factorial).exp();
    let mut sum = 0.0;
    for n in count.saturating_add(1)..count.saturating_add(200) {
        sum += term;
        term *= expected / f64::from(n);
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poisson_tail_is_that_of_tables() {
        for (count, expected, chance) in [(1, 1.0, 0.632_120_559), (5, 1.0, 0.003_659_847), (8, 2.5, 0.004_246_6)] {
            assert!((tail(count, expected) - chance).abs() < 1e-6, "{} {chance}", tail(count, expected));
        }
        assert!(tail(20, 40.0) > 0.999);
    }
}
