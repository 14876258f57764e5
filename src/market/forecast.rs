//! When a curve will be sold out, and how strong a token is: both from the flow of the last five minutes, both explained.

use super::view::{EtaView, MomentumView, WindowView};

/// Share of completions that should fall into the interval: 80 %, so this many standard deviations to each side.
const DEVIATIONS: f64 = 1.281_551_6;
/// Width of a bucket of inflow in seconds.
const BUCKET_S: f64 = 5.0;
/// Buckets without which nothing is said: most curves that are sold out are so within minutes.
const MIN_BUCKETS: usize = 4;
/// Attention wears off: of the completions in the simulated market half took this many times as long as the mean flow said.
/// With the upper end moved out by it four of five fall within, of seeds it was not chosen by too.
const FADES: f64 = 1.5;

/// The time to completion if `lamports` are missing and this came in, bucket by bucket.
///
/// The inflow is taken as a random walk with the mean and spread of what was seen. It reaches the goal R after T buckets
/// where R = m·T ± z·√(s²·T + s²·T²/n): the walk's own spread, and the error of a mean from n buckets. Both ends are the
/// roots of one quadratic; without the greater one the flow may as well be none, and the interval has no upper end.
#[allow(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn completion(lamports: u64, inflows: impl Iterator<Item = i64>) -> Option<EtaView> {
    let (mut count, mut sum, mut squares) = (0_usize, 0.0, 0.0);
    for inflow in inflows {
        let inflow = inflow as f64;
        count += 1;
        sum += inflow;
        squares += inflow * inflow;
    }
    if count < MIN_BUCKETS {
        return None;
    }
    let (goal, count) = (lamports as f64, count as f64);
    let mean = sum / count;
    if mean <= 0.0 {
        return None;
    }
    let variance = ((squares - sum * mean) / (count - 1.0)).max(0.0);
    let spread = DEVIATIONS * DEVIATIONS * variance;
    let a = mean * mean - spread / count;
    let b = 2.0 * goal * mean + spread;
    let root = (b * b - 4.0 * a * goal * goal).max(0.0).sqrt();
    // The smaller root in the form that does not cancel; it holds for a <= 0 too.
    let low = 2.0 * goal * goal / (b + root);
    let high = (a > 0.0).then(|| (b + root) / (2.0 * a) * FADES);
    let seconds = |buckets: f64| (buckets * BUCKET_S).is_finite().then_some(buckets * BUCKET_S);
    Some(EtaView { eta_s: seconds(goal / mean)?, low_s: seconds(low)?, high_s: high.and_then(seconds) })
}

/// Forecasts against what came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Score {
    /// Completions of which there was a forecast with an interval.
    pub(super) scored: u64,
    /// Of those, completions within the interval.
    pub(super) inside: u64,
    /// Forecasts whose time was up before the curve was sold out, if it ever was.
    pub(super) overdue: u64,
}

/// Points, 0–25 for each of four parts: what came in against the market cap (25 at 10 %), who traded (25 at 50 wallets),
/// the pace against the last five minutes (25 at five times), and the share of buys (25 at all).
#[allow(clippy::cast_precision_loss, reason = "points")]
pub(super) fn momentum([minute, five, _]: &[WindowView; 3], market_cap_sol: Option<f64>) -> Option<MomentumView> {
    let cap = market_cap_sol.filter(|cap| *cap > 0.0)?;
    let trades = minute.buys + minute.sells;
    let points = |share: f64| (25.0 * share).clamp(0.0, 25.0);
    let pace = if five.volume_sol > 0.0 { minute.volume_sol / five.volume_sol } else { 0.0 };
    let (inflow, traders, pace, buys) = (
        points(minute.net_inflow_sol / cap * 10.0),
        points(minute.traders as f64 / 50.0),
        points(pace),
        if trades > 0 { points(minute.buys as f64 / trades as f64) } else { 0.0 },
    );
    Some(MomentumView { score: inflow + traders + pace + buys, inflow, traders, pace, buys })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_steady_flow_is_a_point() {
        let eta = completion(100, [10; 20].into_iter()).unwrap();
        assert!((eta.eta_s - 50.0).abs() < 1e-9 && (eta.low_s - 50.0).abs() < 1e-9);
        assert!((eta.high_s.unwrap() - 50.0 * FADES).abs() < 1e-9);
        assert_eq!(completion(100, [-1; 20].into_iter()), None, "it moves away");
        assert_eq!(completion(100, [10; 3].into_iter()), None, "too little is known");
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_estimate_and_nothing_is_nan(
            goal in 0_u64..=u64::MAX,
            flows in proptest::collection::vec(any::<i64>(), 0..60),
        ) {
            if let Some(eta) = completion(goal, flows.into_iter()) {
                prop_assert!(eta.low_s >= 0.0 && eta.low_s <= eta.eta_s * 1.000_001);
                prop_assert!(eta.high_s.is_none_or(|high| high >= eta.eta_s * 0.999_999));
            }
        }
    }
}
