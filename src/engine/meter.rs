//! Rates and latency of one lane (a group, a connection, the whole): counted per second, read once a second.

use std::{collections::VecDeque, sync::Arc};

use hdrhistogram::Histogram;

use super::view::LatencyView;

/// Whole seconds kept.
const SECONDS: u8 = 60;
/// Whole seconds a rate is taken over.
const RATE_SECONDS: usize = 5;
/// Seconds a latency distribution is taken over.
const LATENCY_SECONDS: i64 = 10;
/// Longest latency told apart, in microseconds; longer ones count as this.
const MAX_LATENCY_US: u64 = 600_000_000;

/// Counts of one second.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    count: u32,
    bytes: u64,
}

/// A lane's meter. Time is passed in, in seconds since the Unix epoch.
#[derive(Debug)]
pub(super) struct Meter {
    /// The second being counted.
    now_s: i64,
    current: Second,
    /// Whole seconds, oldest first.
    past: VecDeque<Second>,
    peak: Option<f64>,
    latency: Latency,
}

impl Meter {
    pub(super) fn new(now_s: i64) -> Self {
        Self {
            now_s,
            current: Second::default(),
            past: VecDeque::with_capacity(SECONDS.into()),
            peak: None,
            latency: Latency::default(),
        }
    }

    /// Counts `count` things of `bytes` bytes in all.
    pub(super) fn count(&mut self, now_s: i64, count: u32, bytes: u64) {
        self.advance(now_s);
        self.current.count = self.current.count.saturating_add(count);
        self.current.bytes = self.current.bytes.saturating_add(bytes);
    }

    /// Takes one latency, in microseconds; a clock that runs behind the server's gives a negative one, counted as 0.
    pub(super) fn latency(&mut self, now_s: i64, latency_us: i64) {
        self.latency.record(now_s, u64::try_from(latency_us).unwrap_or(0));
    }

    /// Closes the seconds that have passed.
    pub(super) fn advance(&mut self, now_s: i64) {
        let passed = now_s.saturating_sub(self.now_s);
        if passed <= 0 {
            return;
        }
        for _ in 0..passed.min(i64::from(SECONDS) + 1) {
            if self.past.len() == usize::from(SECONDS) {
                self.past.pop_front();
            }
            self.past.push_back(std::mem::take(&mut self.current));
        }
        self.now_s = now_s;
        if let Some(rate) = self.rate() {
            self.peak = Some(self.peak.map_or(rate, |peak| peak.max(rate)));
        }
    }

    /// Per second, over the last whole seconds; `None` before the first whole second.
    pub(super) fn rate(&self) -> Option<f64> {
        self.mean(|second| f64::from(second.count))
    }

    /// Bytes per second, over the last whole seconds.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub(super) fn bytes_per_s(&self) -> Option<f64> {
        self.mean(|second| second.bytes as f64)
    }

    /// Highest [`rate`](Self::rate) so far.
    pub(super) const fn peak(&self) -> Option<f64> {
        self.peak
    }

    /// Counts of the last whole seconds, oldest first.
    pub(super) fn per_second(&self) -> Arc<[u32]> {
        self.past.iter().map(|second| second.count).collect()
    }

    /// Latency over the last ten seconds; `None` without any.
    pub(super) fn latency_view(&mut self, now_s: i64) -> Option<LatencyView> {
        self.latency.view(now_s)
    }

    #[allow(clippy::cast_precision_loss, reason = "at most five")]
    fn mean(&self, value: impl Fn(&Second) -> f64) -> Option<f64> {
        let seconds = self.past.len().min(RATE_SECONDS);
        let sum: f64 = self.past.iter().rev().take(seconds).map(value).sum();
        (seconds > 0).then(|| sum / seconds as f64)
    }
}

/// Histograms of the last seconds, one each, made when there is something to count.
#[derive(Debug, Default)]
struct Latency {
    seconds: VecDeque<(i64, Histogram<u32>)>,
}

impl Latency {
    fn record(&mut self, now_s: i64, latency_us: u64) {
        if self.seconds.back().is_none_or(|(second, _)| *second < now_s) {
            let reused = self.expire(now_s);
            let histogram = reused.or_else(|| Histogram::new_with_bounds(1, MAX_LATENCY_US, 2).ok());
            self.seconds.extend(histogram.map(|histogram| (now_s, histogram)));
        }
        if let Some((_, histogram)) = self.seconds.back_mut() {
            histogram.saturating_record(latency_us.min(MAX_LATENCY_US));
        }
    }

    /// Drops what is too old; gives one back, emptied, to be used again.
    fn expire(&mut self, now_s: i64) -> Option<Histogram<u32>> {
        let mut reused = None;
        while self.seconds.front().is_some_and(|(second, _)| *second <= now_s - LATENCY_SECONDS) {
            reused = self.seconds.pop_front();
        }
        reused.map(|(_, mut histogram)| {
            histogram.reset();
            histogram
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "microseconds of at most ten minutes")]
    fn view(&mut self, now_s: i64) -> Option<LatencyView> {
        self.expire(now_s);
        let mut all = self.seconds.front()?.1.clone();
        for (_, histogram) in self.seconds.iter().skip(1) {
            all.add(histogram).ok()?;
        }
        let milliseconds = |quantile| all.value_at_quantile(quantile) as f64 / 1_000.0;
        Some(LatencyView { p50_ms: milliseconds(0.5), p99_ms: milliseconds(0.99) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a test with small numbers"
    )]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rate_is_taken_over_whole_seconds_only() {
        let mut meter = Meter::new(100);
        meter.count(100, 10, 1_000);
        assert_eq!(meter.rate(), None, "the first second is not over");
        meter.advance(101);
        assert_eq!(meter.rate(), Some(10.0));
        assert_eq!(meter.bytes_per_s(), Some(1_000.0));
        meter.advance(105);
        assert_eq!(meter.rate(), Some(2.0));
        meter.advance(106);
        assert_eq!(meter.rate(), Some(0.0));
        assert_eq!(meter.peak(), Some(10.0));
        assert_eq!(meter.per_second()[..], [10, 0, 0, 0, 0, 0]);
        meter.advance(100_000);
        assert_eq!(meter.per_second()[..], [0; 60]);
    }

    proptest! {
        /// Against a sorted list of everything within the window.
        #[test]
        fn percentiles_are_right_within_one_percent(steps in proptest::collection::vec((0_i64..3, 1_i64..2_000_000), 1..300)) {
            let mut meter = Meter::new(0);
            let (mut now, mut all) = (0, Vec::new());
            for (step, latency) in steps {
                now += step;
                meter.latency(now, latency);
                all.push((now, latency));
            }
            let mut live: Vec<_> = all.iter().filter(|(at, _)| *at > now - LATENCY_SECONDS).map(|(_, l)| *l).collect();
            live.sort_unstable();
            let view = meter.latency_view(now).unwrap();
            for (quantile, got) in [(0.5, view.p50_ms), (0.99, view.p99_ms)] {
                let rank = ((live.len() as f64 * quantile).ceil() as usize).max(1) - 1;
                let want = live[rank] as f64 / 1_000.0;
                prop_assert!((got - want).abs() <= want * 0.01 + 0.001, "{got} for {want}");
            }
            prop_assert_eq!(meter.latency_view(now + LATENCY_SECONDS), None);
        }
    }
}
