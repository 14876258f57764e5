//! Trades in buckets of a few seconds, the newest of them kept: figures over a window are sums of buckets.

use std::collections::VecDeque;

use super::{
    trading_activity::{Taken, Undone},
    view::WindowView,
};

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
    /// What was traded on one side, in lamports, and how often.
    const fn side(&mut self, buy: bool) -> (&mut u64, &mut u32) {
        if buy { (&mut self.bought, &mut self.buys) } else { (&mut self.sold, &mut self.sells) }
    }

    /// Lamports.
    pub(super) const fn volume(&self) -> u64 {
        self.bought.saturating_add(self.sold)
    }
}

/// What a trade changed in a bucket that cannot be computed back from the trade: the rest is taken off again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Was {
    /// The bucket was not there.
    Absent,
    /// Its prices were these: high, low, close.
    Priced([f64; 3]),
}

/// Makes room for one more of at most so many. Most tokens live briefly, so that it begins small; then it goes in long
/// strides, for each is an allocation.
pub(super) fn reserve<T>(ring: &mut VecDeque<T>, most: usize) {
    let held = ring.len();
    if held == ring.capacity() {
        let more = if held < 4 { 4 } else { 3 * held };
        ring.reserve_exact(more.min(most.saturating_sub(held)).max(1));
    }
}

/// The newest `LEN` buckets of `WIDTH` seconds; those without trades are left out.
#[derive(Debug, Default)]
pub(super) struct Ring<const WIDTH: u32, const LEN: u32> {
    buckets: VecDeque<Bucket>,
}

impl<const WIDTH: u32, const LEN: u32> Ring<WIDTH, LEN> {
    /// Takes a trade; how to take it back.
    pub(super) fn add(&mut self, taken: &Taken) -> Was {
        // A late arrival belongs to the newest bucket rather than to one that may have been given away.
        let number = (taken.now_s / WIDTH).max(self.buckets.back().map_or(0, |bucket| bucket.number));
        let was = match self.buckets.back() {
            Some(bucket) if bucket.number == number => Was::Priced([bucket.high, bucket.low, bucket.close]),
            _ => {
                self.prune(number);
                reserve(&mut self.buckets, LEN as usize);
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
            let (side, count) = bucket.side(taken.buy);
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

    /// Forgets what has left the longest window.
    pub(super) fn prune(&mut self, number: u32) {
        while self.buckets.front().is_some_and(|bucket| bucket.number.saturating_add(LEN) <= number) {
            self.buckets.pop_front();
        }
    }

    /// A trader's last trade moved from one time to another.
    pub(super) fn moved(&mut self, from: Option<u32>, to: Option<u32>) {
        let [from, to] = [from, to].map(|time| time.map(|time| time / WIDTH));
        if from == to {
            return;
        }
        for (number, up) in [(from, false), (to, true)] {
            let Some(number) = number else { continue };
            if let Some(bucket) = self.buckets.iter_mut().rev().find(|bucket| bucket.number <= number)
                && bucket.number == number
            {
                bucket.last_of = if up { bucket.last_of + 1 } else { bucket.last_of.saturating_sub(1) };
            }
        }
    }

    /// Takes the newest trade back.
    pub(super) fn undo(&mut self, taken: &Undone, was: Was) {
        match (was, self.buckets.back_mut()) {
            (Was::Absent, _) => drop(self.buckets.pop_back()),
            (Was::Priced(prices), Some(bucket)) => {
                let (side, count) = bucket.side(taken.buy);
                *side = side.saturating_sub(taken.lamports);
                *count = count.saturating_sub(u32::from(!taken.second_leg));
                bucket.base = bucket.base.saturating_sub(taken.base);
                [bucket.high, bucket.low, bucket.close] = prices;
            }
            (Was::Priced(_), None) => {}
        }
    }

    /// Number of the newest bucket.
    pub(super) fn newest(&self) -> Option<u32> {
        self.buckets.back().map(|bucket| bucket.number)
    }

    /// The buckets of the last `seconds`, oldest first.
    pub(super) fn last(&self, seconds: u32, now_s: u32) -> impl Iterator<Item = &Bucket> {
        let oldest = (now_s / WIDTH).saturating_sub(seconds / WIDTH - 1);
        self.buckets.iter().filter(move |bucket| bucket.number >= oldest)
    }

    /// Gives back room that is not needed any more.
    pub(super) fn shrink(&mut self) {
        if self.buckets.capacity() > 8 && self.buckets.len() * 4 < self.buckets.capacity() {
            self.buckets.shrink_to(self.buckets.len() * 2);
        }
    }

    /// Gives back all room that is held in reserve.
    pub(super) fn rest(&mut self) {
        self.buckets.shrink_to_fit();
    }

    /// What it holds on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    /// Width in seconds, and how many fit.
    pub(super) const fn shape() -> (u32, u32) {
        (WIDTH, LEN)
    }

    /// The figures over the last `seconds`.
    pub(super) fn window(&self, seconds: u32, now_s: u32, decimals: Option<u8>) -> WindowView {
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
