//! What happened to one token lately: its trades in buckets of three widths, and who made them.
//!
//! Figures over a window are exact to the width of a bucket: the window is the present bucket and as many whole ones before
//! it as fill it. A bucket counts the traders whose last trade fell into it, so the distinct traders of any window are a sum.

use super::{
    traders::{Trader, Traders},
    view::WindowView,
    windows::{Ring, Was},
};
use crate::chain::ids::Wallet;

/// Bounds of trade sizes, in lamports; those without a path to SOL are not counted.
pub(super) const SIZES: [u64; 5] = [10_000_000, 100_000_000, 1_000_000_000, 5_000_000_000, 10_000_000_000];

/// A trade as the figures see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) now_s: u32,
    pub(super) buy: bool,
    /// Its value, where there is a path to SOL.
    pub(super) lamports: u64,
    /// Raw base units.
    pub(super) base: u64,
    /// SOL per token before and after, where known.
    pub(super) price: [f64; 2],
    /// The second leg of an order that was counted.
    pub(super) second_leg: bool,
    /// See [`Trade::app`](crate::decode::event::Trade::app).
    pub(super) app: Option<&'static str>,
    /// Better than its sender's bound by so many basis points.
    pub(super) room_bp: Option<i32>,
}

/// What is kept of a trade to take it back: what was added is taken off again. (A sum that was at the end of its range is
/// not exact afterwards; no such sum is told of tokens that are traded for money.)
#[derive(Clone, Copy, Debug)]
pub(super) struct Undone {
    pub(super) lamports: u64,
    pub(super) base: u64,
    now_s: u32,
    room_bp: Option<i32>,
    pub(super) buy: bool,
    pub(super) second_leg: bool,
}

/// What came through one app. Their names are ours, so there are few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct App {
    pub(super) name: Option<&'static str>,
    pub(super) buys: u32,
    pub(super) sells: u32,
    pub(super) lamports: u64,
}

impl App {
    const fn count(&mut self, buy: bool) -> &mut u32 {
        if buy { &mut self.buys } else { &mut self.sells }
    }
}

/// How large the trades were, and how near to their senders' bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Trades by worth, up to each of [`SIZES`] and beyond.
    pub(super) counts: [u32; SIZES.len() + 1],
    /// Trades with a bound, and the sum of their room in basis points.
    pub(super) bounded: u32,
    pub(super) room_bp: i64,
}

impl Sizes {
    /// Adds a trade, or takes it back.
    fn count(&mut self, trade: &Undone, back: bool) {
        if trade.lamports == 0 || trade.second_leg {
            return;
        }
        let by = |count: u32| if back { count.saturating_sub(1) } else { count.saturating_add(1) };
        let place = SIZES.partition_point(|bound| *bound <= trade.lamports);
        if let Some(count) = self.counts.get_mut(place) {
            *count = by(*count);
        }
        if let Some(room) = trade.room_bp {
            self.bounded = by(self.bounded);
            self.room_bp += i64::from(if back { -room } else { room });
        }
    }
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Activity {
    pub(super) fine: Ring<5, 60>,
    pub(super) minutes: Ring<60, 60>,
    pub(super) quarters: Ring<900, 96>,
    traders: Traders,
    apps: Vec<App>,
    sizes: Sizes,
}

/// How to take a trade back.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActivityUndo {
    trade: Undone,
    fine: Was,
    minutes: Was,
    quarters: Was,
    /// The trader's place, and when it had traded last if it had.
    trader: Option<(u32, Option<u32>)>,
    app: u32,
}

impl Activity {
    /// Takes a trade of a wallet; how to take it back.
    pub(super) fn add(&mut self, wallet: &Wallet, taken: &Taken, secret: u64) -> ActivityUndo {
        let (fine, minutes, quarters) = (self.fine.add(taken), self.minutes.add(taken), self.quarters.add(taken));
        let Taken { lamports, base, room_bp, buy, second_leg, .. } = *taken;
        // Buckets do not run backwards, and neither do traders.
        let now_s = taken.now_s.max(self.fine.newest().map_or(0, |number| number * 5));
        let trade = Undone { lamports, base, now_s, room_bp, buy, second_leg };
        let found = self.traders.touch(wallet, now_s, secret);
        let mut traded = None;
        if let Some((at, new)) = found
            && let Some(trader) = self.traders.get_mut(at)
        {
            let (count, money, tokens) = trader.side(buy);
            *count += u32::from(!second_leg);
            *money = money.saturating_add(lamports);
            *tokens = tokens.saturating_add(base);
            let before = (!new).then_some(trader.last_s);
            trader.last_s = now_s;
            self.moved(before, Some(now_s));
            traded = Some((at, before));
        }
        let app = self.through(taken);
        self.sizes.count(&trade, false);
        ActivityUndo { trade, fine, minutes, quarters, trader: traded, app }
    }

    /// A trader's last trade moved from one time to another.
    fn moved(&mut self, from: Option<u32>, to: Option<u32>) {
        if from != to {
            self.fine.moved(from, to);
            self.minutes.moved(from, to);
            self.quarters.moved(from, to);
        }
    }

    /// Counts a trade for its app; the app's place.
    fn through(&mut self, taken: &Taken) -> u32 {
        let place = self.apps.iter().position(|app| app.name == taken.app).unwrap_or(self.apps.len());
        if place == self.apps.len() {
            // Most tokens are traded with one or two.
            self.apps.reserve_exact(1);
            self.apps.push(App { name: taken.app, buys: 0, sells: 0, lamports: 0 });
        }
        if let Some(app) = self.apps.get_mut(place) {
            app.lamports = app.lamports.saturating_add(taken.lamports);
            *app.count(taken.buy) += u32::from(!taken.second_leg);
        }
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Takes back the newest trade.
    pub(super) fn undo(&mut self, undo: &ActivityUndo, secret: u64) {
        let trade = &undo.trade;
        if let Some(app) = self.apps.get_mut(undo.app as usize) {
            app.lamports = app.lamports.saturating_sub(trade.lamports);
            let count = app.count(trade.buy);
            *count = count.saturating_sub(u32::from(!trade.second_leg));
        }
        self.sizes.count(trade, true);
        match undo.trader {
            Some((at, before)) => {
                self.moved(Some(trade.now_s), before);
                match before {
                    Some(last_s) => {
                        if let Some(trader) = self.traders.get_mut(at) {
                            let (count, money, tokens) = trader.side(trade.buy);
                            *count = count.saturating_sub(u32::from(!trade.second_leg));
                            *money = money.saturating_sub(trade.lamports);
                            *tokens = tokens.saturating_sub(trade.base);
                            trader.last_s = last_s;
                        }
                    }
                    None => self.traders.pop(secret),
                }
            }
            None => self.traders.uncount(),
        }
        self.fine.undo(trade, undo.fine);
        self.minutes.undo(trade, undo.minutes);
        self.quarters.undo(trade, undo.quarters);
    }

    /// The last minute, five minutes and hour.
    pub(super) fn windows(&self, now_s: u32, decimals: Option<u8>) -> [WindowView; 3] {
        [
            self.fine.window(60, now_s, decimals),
            self.fine.window(300, now_s, decimals),
            self.minutes.window(3_600, now_s, decimals),
        ]
    }

    /// Lamports that came in, less those that went out, in each of the last five-second buckets since the first with a
    /// trade, oldest first.
    pub(super) fn inflows(&self, now_s: u32) -> impl Iterator<Item = i64> {
        let now = now_s / 5;
        let first = self.fine.last(300, now_s).next().map_or(now + 1, |bucket| bucket.number);
        let mut live = self.fine.last(300, now_s).peekable();
        (first..=now).map(move |number| {
            let bucket = live.next_if(|bucket| bucket.number == number);
            bucket.map_or(0, |bucket| {
                i64::try_from(i128::from(bucket.bought) - i128::from(bucket.sold)).unwrap_or(i64::MAX)
            })
        })
    }

    /// Distinct traders.
    pub(super) fn traders(&self) -> &[Trader] {
        self.traders.entries()
    }

    /// Trades of wallets beyond those that are told apart.
    pub(super) const fn traders_over(&self) -> u64 {
        self.traders.over()
    }

    /// How large the trades were.
    pub(super) const fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The apps, in the order in which they were met; some perhaps without a trade that stands.
    pub(super) fn apps(&self) -> &[App] {
        &self.apps
    }

    /// Gives back what is outside all windows.
    pub(super) fn prune(&mut self, now_s: u32) {
        self.fine.prune(now_s / 5);
        self.minutes.prune(now_s / 60);
        self.quarters.prune(now_s / 900);
        self.fine.shrink();
        self.minutes.shrink();
        self.quarters.shrink();
    }

    /// Gives back all that is held in reserve.
    pub(super) fn rest(&mut self) {
        self.fine.rest();
        self.minutes.rest();
        self.quarters.rest();
        self.traders.rest();
    }

    /// What it holds on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.fine.bytes()
            + self.minutes.bytes()
            + self.quarters.bytes()
            + self.traders.bytes()
            + self.apps.capacity() * size_of::<App>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::cast_precision_loss,
        clippy::cast_possible_wrap,
        reason = "a test with small numbers"
    )]

    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn taken(now_s: u32, lamports: u64, buy: bool) -> Taken {
        let price = [lamports as f64, lamports as f64 + 1.0];
        Taken {
            now_s,
            buy,
            lamports,
            base: lamports * 3,
            price,
            second_leg: false,
            app: None,
            room_bp: (!lamports.is_multiple_of(3)).then_some(-7),
        }
    }

    proptest! {
        /// The buckets against a plain list of all trades, and taking back against never having taken.
        #[test]
        fn windows_equal_sums_over_all_trades_also_after_some_were_undone(
            trades in proptest::collection::vec((0_u32..40, 1_u64..1_000, any::<bool>(), 0_u8..40, 0_usize..6), 1..150),
        ) {
            let mut activity = Activity::default();
            let mut now = 1_000_000;
            let mut all: Vec<(u32, u64, bool, u8)> = Vec::new();
            let mut undos: Vec<ActivityUndo> = Vec::new();
            for (step, lamports, buy, trader, undone) in trades {
                now += step;
                undos.push(activity.add(&Wallet::new([trader; 32]), &taken(now, lamports, buy), 7));
                all.push((now, lamports, buy, trader));
                if undone == 0 && all.len() > 3 {
                    // Only the newest can be taken back whose buckets are all there.
                    let last = undos.pop().unwrap();
                    activity.undo(&last, 7);
                    all.pop();
                }
                if undone == 1 {
                    activity.rest();
                }
                for (seconds, width, window) in [(60, 5, 0), (300, 5, 1), (3_600, 60, 2)] {
                    let oldest = now / width - (seconds / width - 1);
                    let live: Vec<_> = all.iter().filter(|(at, ..)| at / width >= oldest).collect();
                    let got = activity.windows(now, Some(0))[window];
                    let sum = |buy: bool| live.iter().filter(|(_, _, b, _)| *b == buy).map(|(_, n, ..)| n).sum::<u64>() as f64;
                    prop_assert!((got.volume_sol - (sum(true) + sum(false)) / 1e9).abs() < 1e-12);
                    prop_assert!((got.net_inflow_sol - (sum(true) - sum(false)) / 1e9).abs() < 1e-12);
                    prop_assert_eq!(got.buys + got.sells, live.len() as u64);
                    let distinct: HashSet<u8> = live.iter().map(|(.., trader)| *trader).collect();
                    prop_assert_eq!(got.traders, distinct.len() as u64);
                }
                let distinct: HashSet<u8> = all.iter().map(|(.., trader)| *trader).collect();
                prop_assert_eq!(activity.traders().len(), distinct.len());
                let bounded = all.iter().filter(|(_, n, ..)| !n.is_multiple_of(3)).count();
                let sizes = activity.sizes();
                prop_assert_eq!(sizes.counts.iter().sum::<u32>() as usize, all.len());
                prop_assert_eq!((sizes.bounded as usize, sizes.room_bp), (bounded, bounded as i64 * -7));
                let inflow: i64 = activity.inflows(now).sum();
                let live = all.iter().filter(|(at, ..)| at / 5 >= now / 5 - 59);
                let want: i64 = live.map(|(_, n, buy, _)| if *buy { n.cast_signed() } else { -n.cast_signed() }).sum();
                prop_assert_eq!(inflow, want);
            }
        }
    }
}
