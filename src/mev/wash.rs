//! Volume made by trading with oneself: how much of a pool's volume is of wallets that come out as they went in.

use super::{
    alert::{Alert, AlertId, Attacker, Class, Link, Reason, Role},
    book::{Book, Entry},
    tracked::Tracked,
};
use crate::decode::event::Side;

/// Wallets watched in a pool; the one with the least volume gives way.
const WALLETS: usize = 24;
/// How long a pool's volume counts, in microseconds.
const WINDOW_US: i64 = 300_000_000;
/// Difference of bought and sold, as a share of both, below which a wallet comes out as it went in.
const BALANCED: f64 = 0.1;
/// Round trips that make a washer.
const TRIPS: u16 = 3;
/// Share of the volume from which it is told, and by how much it must grow to be told again.
const SHARE: f64 = 0.3;
const STEP: f64 = 0.1;
/// Trades in the window before a share says anything.
const LEAST: u32 = 12;
/// Wallets named in an alert.
const NAMED: usize = 8;
/// That they come out as they went in is a fact; that they meant to is not.
const CONFIDENCE: f64 = 0.9;

/// A pool's traders within the window.
#[derive(Clone, Debug, Default)]
pub(super) struct Washers {
    /// Lower halves of the wallets' tags, apart from the rest: they are what is searched.
    owners: [u32; WALLETS],
    wallets: [Washer; WALLETS],
    since_us: i64,
    volume: u64,
    trades: u32,
    told: f64,
    alert: Option<AlertId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Washer {
    bought: u64,
    sold: u64,
    /// Changes of side.
    turns: u16,
    bought_last: bool,
    /// Its newest leg.
    seq: u64,
}

impl Washer {
    const fn volume(&self) -> u64 {
        self.bought.saturating_add(self.sold)
    }

    /// What it traded with itself, if it came out as it went in often enough.
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    fn washed(&self) -> u64 {
        let balanced = self.bought.abs_diff(self.sold) as f64 <= self.volume() as f64 * BALANCED;
        if balanced && self.turns >= 2 * TRIPS - 1 { 2 * self.bought.min(self.sold) } else { 0 }
    }
}

impl Washers {
    /// Takes the pool's next leg in.
    #[allow(clippy::cast_precision_loss, reason = "shares")]
    pub(super) fn on(&mut self, entry: &Entry, book: &Book, tracked: &mut Tracked) {
        let leg = &entry.leg;
        if leg.recv_us - self.since_us > WINDOW_US {
            *self = Self { since_us: leg.recv_us, ..Self::default() };
        }
        self.volume = self.volume.saturating_add(leg.quote);
        self.trades = self.trades.saturating_add(1);
        #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
        let owner = entry.owner as u32;
        let known = self.owners.iter().position(|known| *known == owner);
        let at = known.unwrap_or_else(|| {
            let least = self.wallets.iter().enumerate().min_by_key(|(_, washer)| washer.volume());
            let at = least.map_or(0, |(at, _)| at);
            self.owners[at] = owner;
            self.wallets[at] = Washer { bought_last: leg.side == Side::Buy, ..Washer::default() };
            at
        });
        let washer = &mut self.wallets[at];
        let buys = leg.side == Side::Buy;
        washer.turns = washer.turns.saturating_add(u16::from(buys != washer.bought_last));
        washer.bought_last = buys;
        washer.seq = entry.seq;
        let side = if buys { &mut washer.bought } else { &mut washer.sold };
        *side = side.saturating_add(leg.quote);
        // A share grows when a washer comes out, not when it goes in.
        if self.trades < LEAST || washer.washed() == 0 {
            return;
        }
        let washed = self.wallets.iter().map(Washer::washed).fold(0, u64::saturating_add);
        let share = washed as f64 / self.volume.max(1) as f64;
        if share < SHARE.max(self.told + STEP) {
            return;
        }
        self.told = share;
        let mut alert = Alert::about(leg, Class::Wash, CONFIDENCE);
        let mut named: Vec<&Washer> = self.wallets.iter().filter(|washer| washer.washed() > 0).collect();
        named.sort_by_key(|washer| std::cmp::Reverse(washer.volume()));
        alert.reasons = vec![
            Reason { code: "wash_share", value: share },
            Reason { code: "volume", value: self.volume as f64 },
            Reason { code: "wallets", value: named.len() as f64 },
        ];
        let shown = || named.iter().take(NAMED).filter_map(|washer| book.get(washer.seq));
        alert.attackers = shown().map(|entry| Attacker { wallet: entry.leg.user, link: Link::Owner }).collect();
        alert.legs = shown().filter_map(|entry| book.evidence(entry.seq, Role::Other)).collect();
        alert.legs.sort_by_key(|leg| (leg.slot, leg.tx_index));
        self.alert = Some(tracked.raise(self.alert, alert, 0));
    }
}
