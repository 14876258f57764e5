//! A rolling window over a token's trades: volume and the price at its start.

/// Length of the window in seconds.
const WINDOW_S: i64 = 300;
/// Width of one bucket in seconds; figures are exact to this.
const BUCKET_S: i64 = 5;
const BUCKETS: u8 = 60;
const _: () = assert!(BUCKETS as i64 * BUCKET_S == WINDOW_S);

/// Five minutes of trades in buckets of five seconds. Made at the first trade: most tokens never need one for long.
#[derive(Clone, Debug)]
pub(super) struct Window {
    buckets: Box<[Bucket; BUCKETS as usize]>,
    newest: i64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Number of the bucket since the Unix epoch; an older number means the bucket is stale.
    number: i64,
    volume: u64,
    first_price: f64,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            buckets: Box::new([Bucket { number: i64::MIN, volume: 0, first_price: 0.0 }; BUCKETS as usize]),
            newest: i64::MIN,
        }
    }

    /// Takes a trade.
    pub(super) fn add(&mut self, now_s: i64, volume: u64, price_before: f64) {
        // A late arrival belongs to the newest bucket rather than to one that may have been given away.
        let number = (now_s / BUCKET_S).max(self.newest);
        self.newest = number;
        let bucket = &mut self.buckets[Self::slot(number)];
        if bucket.number != number {
            *bucket = Bucket { number, volume: 0, first_price: price_before };
        }
        bucket.volume = bucket.volume.saturating_add(volume);
    }

    /// Volume within the window.
    pub(super) fn volume(&self, now_s: i64) -> u64 {
        self.live(now_s).fold(0, |sum, bucket| sum.saturating_add(bucket.volume))
    }

    /// The first price within the window.
    pub(super) fn first_price(&self, now_s: i64) -> Option<f64> {
        self.live(now_s).min_by_key(|bucket| bucket.number).map(|bucket| bucket.first_price)
    }

    fn live(&self, now_s: i64) -> impl Iterator<Item = &Bucket> {
        let oldest = now_s / BUCKET_S - (i64::from(BUCKETS) - 1);
        self.buckets.iter().filter(move |bucket| bucket.number >= oldest)
    }

    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "rem_euclid of a small positive")]
    const fn slot(number: i64) -> usize {
        number.rem_euclid(BUCKETS as i64) as usize
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_precision_loss, reason = "a test with small numbers")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The buckets against a plain list of all trades.
        #[test]
        fn equals_a_sum_over_all_trades(trades in proptest::collection::vec((0_i64..40, 1_u64..1_000), 1..200)) {
            let mut window = Window::new();
            let mut now = 1_000_000;
            let mut all = Vec::new();
            for (step, volume) in trades {
                now += step;
                window.add(now, volume, volume as f64);
                all.push((now / BUCKET_S, volume));
                let oldest = now / BUCKET_S - (i64::from(BUCKETS) - 1);
                let live: Vec<_> = all.iter().filter(|(bucket, _)| *bucket >= oldest).collect();
                prop_assert_eq!(window.volume(now), live.iter().map(|(_, volume)| volume).sum::<u64>());
                prop_assert_eq!(window.first_price(now), live.first().map(|(_, volume)| *volume as f64));
            }
            prop_assert_eq!(window.volume(now + WINDOW_S), 0);
            prop_assert_eq!(window.first_price(now + WINDOW_S), None);
        }
    }
}
