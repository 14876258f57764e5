//! What happened to one token lately: its trades in buckets of three widths, and who made them.
//!
//! Figures over a window are exact to the width of a bucket: the window is the present bucket and as many whole ones before
//! it as fill it. A bucket counts the traders whose last trade fell into it, so the distinct traders of any window are a sum.

use std::collections::{HashMap, VecDeque};

use super::{hash::Identity, view::WindowView};
use crate::chain::ids::Wallet;

/// Most traders of one token that are told apart; beyond it their number is a lower bound.
const TRADERS: usize = 8_192;
/// Up to so many traders are found by looking at each.
const FEW: usize = 16;
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

/// The trades of some seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bucket {
    /// Seconds since the Unix epoch over the width.
    pub(super) number: u32,
    pub(super) buys: u32,
    pub(super) sells: u32,
    /// Traders whose last trade is in here.
    last_of: u32,
    pub(super) bought: u64,
    pub(super) sold: u64,
    base: u64,
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
}

impl Bucket {
    /// Lamports.
    pub(super) const fn volume(&self) -> u64 {
        self.bought.saturating_add(self.sold)
    }
}

/// What a bucket was before a trade.
#[derive(Clone, Copy, Debug)]
enum Was {
    Absent,
    This(Bucket),
}

/// The newest `LEN` buckets of `WIDTH` seconds; those without trades are left out.
#[derive(Debug, Default)]
pub(super) struct Ring<const WIDTH: u32, const LEN: u32> {
    buckets: VecDeque<Bucket>,
}

impl<const WIDTH: u32, const LEN: u32> Ring<WIDTH, LEN> {
    fn add(&mut self, taken: &Taken) -> Was {
        // A late arrival belongs to the newest bucket rather than to one that may have been given away.
        let number = (taken.now_s / WIDTH).max(self.buckets.back().map_or(0, |bucket| bucket.number));
        let was = match self.buckets.back() {
            Some(bucket) if bucket.number == number => Was::This(*bucket),
            _ => {
                self.prune(number);
                let [open, _] = taken.price;
                self.buckets.push_back(Bucket {
                    number,
                    open,
                    high: open,
                    low: open,
                    close: open,
                    ..Bucket::default()
                });
                Was::Absent
            }
        };
        if let Some(bucket) = self.buckets.back_mut() {
            let (side, count) =
                if taken.buy { (&mut bucket.bought, &mut bucket.buys) } else { (&mut bucket.sold, &mut bucket.sells) };
            *side = side.saturating_add(taken.lamports);
            *count += u32::from(!taken.second_leg);
            bucket.base = bucket.base.saturating_add(taken.base);
            let [_, close] = taken.price;
            bucket.close = close;
            bucket.high = bucket.high.max(close);
            bucket.low = bucket.low.min(close);
        }
        was
    }

    fn prune(&mut self, number: u32) {
        while self.buckets.front().is_some_and(|bucket| bucket.number.saturating_add(LEN) <= number) {
            self.buckets.pop_front();
        }
    }

    /// A trader's last trade moved from one time to another.
    fn moved(&mut self, from: Option<u32>, to: Option<u32>) {
        for (time, up) in [(from, false), (to, true)] {
            let Some(number) = time.map(|time| time / WIDTH) else { continue };
            if let Some(bucket) = self.buckets.iter_mut().rev().find(|bucket| bucket.number <= number)
                && bucket.number == number
            {
                bucket.last_of = if up { bucket.last_of + 1 } else { bucket.last_of.saturating_sub(1) };
            }
        }
    }

    fn undo(&mut self, was: Was) {
        let newest = self.buckets.pop_back();
        if let (Was::This(bucket), Some(_)) = (was, newest) {
            self.buckets.push_back(bucket);
        }
    }

    /// The buckets of the last `seconds`, oldest first.
    pub(super) fn last(&self, seconds: u32, now_s: u32) -> impl Iterator<Item = &Bucket> {
        let oldest = (now_s / WIDTH).saturating_sub(seconds / WIDTH - 1);
        self.buckets.iter().filter(move |bucket| bucket.number >= oldest)
    }

    /// Width in seconds, and how many fit.
    pub(super) const fn shape() -> (u32, u32) {
        (WIDTH, LEN)
    }

    fn window(&self, seconds: u32, now_s: u32, decimals: Option<u8>) -> WindowView {
        let mut sum = Bucket::default();
        for bucket in self.last(seconds, now_s) {
            sum.buys += bucket.buys;
            sum.sells += bucket.sells;
            sum.last_of += bucket.last_of;
            sum.bought = sum.bought.saturating_add(bucket.bought);
            sum.sold = sum.sold.saturating_add(bucket.sold);
            sum.base = sum.base.saturating_add(bucket.base);
        }
        #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
        let (bought, sold, base) = (sum.bought as f64 / 1e9, sum.sold as f64 / 1e9, sum.base as f64);
        WindowView {
            volume_sol: bought + sold,
            net_inflow_sol: bought - sold,
            buys: sum.buys.into(),
            sells: sum.sells.into(),
            traders: sum.last_of.into(),
            vwap_sol: decimals
                .filter(|_| sum.base > 0 && sum.volume() > 0)
                .map(|decimals| (bought + sold) / base * 10_f64.powi(decimals.into())),
        }
    }
}

/// What one wallet did with one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trader {
    pub(super) wallet: Wallet,
    pub(super) buys: u32,
    pub(super) sells: u32,
    pub(super) last_s: u32,
    /// Lamports spent and received.
    pub(super) spent: u64,
    pub(super) received: u64,
    /// Raw base units bought and sold.
    pub(super) bought: u64,
    pub(super) sold: u64,
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
    fn count(&mut self, taken: SizeUndo, back: bool) {
        let by = |count: u32| if back { count.saturating_sub(1) } else { count.saturating_add(1) };
        if let Some(count) = self.counts.get_mut(usize::from(taken.place)) {
            *count = by(*count);
        }
        if let Some(room) = taken.room_bp {
            self.bounded = by(self.bounded);
            self.room_bp += i64::from(if back { -room } else { room });
        }
    }
}

/// What a trade added to the sizes.
#[derive(Clone, Copy, Debug)]
struct SizeUndo {
    place: u8,
    room_bp: Option<i32>,
}

/// What a trade added to which app.
#[derive(Clone, Copy, Debug)]
struct AppUndo {
    place: usize,
    lamports: u64,
    buy: bool,
    counted: bool,
}

#[derive(Debug, Default)]
struct Traders {
    entries: Vec<Trader>,
    /// Trades of wallets that found no place.
    over: u64,
    /// Places by the middle of the wallet; made when there are more than a few.
    index: HashMap<u64, u32, Identity>,
}

fn middle(wallet: &Wallet) -> u64 {
    let bytes = wallet.bytes().get(12..20).and_then(|middle| middle.first_chunk());
    bytes.copied().map_or(0, u64::from_le_bytes)
}

impl Traders {
    fn find(&mut self, wallet: &Wallet, secret: u64) -> Option<usize> {
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|trader| trader.wallet == *wallet);
        }
        if self.index.is_empty() {
            self.index_all(secret);
        }
        let at = *self.index.get(&(middle(wallet) ^ secret))? as usize;
        // Two wallets with the same middle: only the first is found this way.
        if self.entries.get(at).is_some_and(|trader| trader.wallet == *wallet) {
            return Some(at);
        }
        self.entries.iter().position(|trader| trader.wallet == *wallet)
    }

    fn index_all(&mut self, secret: u64) {
        self.index.reserve(self.entries.len());
        for (place, known) in (0..).zip(&self.entries) {
            self.index.entry(middle(&known.wallet) ^ secret).or_insert(place);
        }
    }

    /// Gives back what can be made again.
    fn rest(&mut self) {
        self.entries.shrink_to_fit();
        self.index = HashMap::default();
    }

    /// Makes room for one more; its place.
    fn push(&mut self, trader: Trader, secret: u64) -> Option<usize> {
        if self.entries.len() >= TRADERS {
            return None;
        }
        let at = self.entries.len();
        if at == FEW {
            self.index_all(secret);
        }
        if at >= FEW {
            self.index.entry(middle(&trader.wallet) ^ secret).or_insert(u32::try_from(at).unwrap_or(u32::MAX));
        }
        self.entries.push(trader);
        Some(at)
    }

    fn pop(&mut self, secret: u64) {
        let Some(trader) = self.entries.pop() else { return };
        let at = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let key = middle(&trader.wallet) ^ secret;
        if self.entries.len() <= FEW {
            self.index = HashMap::default();
        } else if self.index.get(&key) == Some(&at) {
            self.index.remove(&key);
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
    fine: Was,
    minutes: Was,
    quarters: Was,
    now_s: u32,
    trader: Option<(usize, Option<Trader>)>,
    app: AppUndo,
    size: Option<SizeUndo>,
}

impl Activity {
    /// Takes a trade of a wallet; how to take it back.
    pub(super) fn add(&mut self, wallet: Wallet, taken: &Taken, secret: u64) -> ActivityUndo {
        let (fine, minutes, quarters) = (self.fine.add(taken), self.minutes.add(taken), self.quarters.add(taken));
        // Buckets do not run backwards, and neither do traders.
        let now_s = taken.now_s.max(self.fine.buckets.back().map_or(0, |bucket| bucket.number * 5));
        let found = self.traders.find(&wallet, secret);
        let before = found.and_then(|at| self.traders.entries.get(at).copied());
        let new = Trader { wallet, buys: 0, sells: 0, last_s: now_s, spent: 0, received: 0, bought: 0, sold: 0 };
        let at = found.or_else(|| self.traders.push(new, secret));
        let trader = at.map(|at| (at, before));
        if let Some(trader) = at.and_then(|at| self.traders.entries.get_mut(at)) {
            let (count, money, base) = if taken.buy {
                (&mut trader.buys, &mut trader.spent, &mut trader.bought)
            } else {
                (&mut trader.sells, &mut trader.received, &mut trader.sold)
            };
            *count += u32::from(!taken.second_leg);
            *money = money.saturating_add(taken.lamports);
            *base = base.saturating_add(taken.base);
            trader.last_s = now_s;
            let from = before.map(|before| before.last_s);
            self.fine.moved(from, Some(now_s));
            self.minutes.moved(from, Some(now_s));
            self.quarters.moved(from, Some(now_s));
        }
        self.traders.over += u64::from(trader.is_none());
        let app = self.through(taken);
        let size = (taken.lamports > 0 && !taken.second_leg).then(|| {
            let place = SIZES.partition_point(|bound| *bound <= taken.lamports);
            SizeUndo { place: u8::try_from(place).unwrap_or(u8::MAX), room_bp: taken.room_bp }
        });
        if let Some(size) = size {
            self.sizes.count(size, false);
        }
        ActivityUndo { fine, minutes, quarters, now_s, trader, app, size }
    }

    fn through(&mut self, taken: &Taken) -> AppUndo {
        let place = self.apps.iter().position(|app| app.name == taken.app).unwrap_or(self.apps.len());
        if place == self.apps.len() {
            // Most tokens are traded with one or two.
            self.apps.reserve_exact(1);
            self.apps.push(App { name: taken.app, buys: 0, sells: 0, lamports: 0 });
        }
        let undo = AppUndo { place, lamports: taken.lamports, buy: taken.buy, counted: !taken.second_leg };
        if let Some(app) = self.apps.get_mut(place) {
            app.lamports = app.lamports.saturating_add(undo.lamports);
            *app.count(undo.buy) += u32::from(undo.counted);
        }
        undo
    }

    /// Takes back the newest trade.
    pub(super) fn undo(&mut self, undo: &ActivityUndo, secret: u64) {
        if let Some(app) = self.apps.get_mut(undo.app.place) {
            app.lamports = app.lamports.saturating_sub(undo.app.lamports);
            let count = app.count(undo.app.buy);
            *count = count.saturating_sub(u32::from(undo.app.counted));
        }
        if let Some(size) = undo.size {
            self.sizes.count(size, true);
        }
        self.traders.over -= u64::from(undo.trader.is_none());
        if let Some((at, before)) = undo.trader {
            let to = before.map(|before| before.last_s);
            self.fine.moved(Some(undo.now_s), to);
            self.minutes.moved(Some(undo.now_s), to);
            self.quarters.moved(Some(undo.now_s), to);
            match before {
                Some(before) => {
                    if let Some(trader) = self.traders.entries.get_mut(at) {
                        *trader = before;
                    }
                }
                None => self.traders.pop(secret),
            }
        }
        self.fine.undo(undo.fine);
        self.minutes.undo(undo.minutes);
        self.quarters.undo(undo.quarters);
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
        &self.traders.entries
    }

    /// Trades of wallets beyond those that are told apart.
    pub(super) const fn traders_over(&self) -> u64 {
        self.traders.over
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
        for ring in self.rings() {
            if ring.capacity() > 8 && ring.len() * 4 < ring.capacity() {
                ring.shrink_to(ring.len() * 2);
            }
        }
    }

    /// Gives back all that is held in reserve.
    pub(super) fn rest(&mut self) {
        self.rings().into_iter().for_each(VecDeque::shrink_to_fit);
        self.traders.rest();
    }

    const fn rings(&mut self) -> [&mut VecDeque<Bucket>; 3] {
        [&mut self.fine.buckets, &mut self.minutes.buckets, &mut self.quarters.buckets]
    }

    /// What it holds on the heap.
    pub(super) fn bytes(&self) -> usize {
        let buckets = self.fine.buckets.capacity() + self.minutes.buckets.capacity() + self.quarters.buckets.capacity();
        // An entry of the index takes its key, its place and a byte.
        buckets * size_of::<Bucket>()
            + self.traders.entries.capacity() * size_of::<Trader>()
            + self.traders.index.capacity() * 17
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
                undos.push(activity.add(Wallet::new([trader; 32]), &taken(now, lamports, buy), 7));
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
