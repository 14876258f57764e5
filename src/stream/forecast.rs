//! Where a rate is going: level and trend with an interval, scored as it goes against "it stays as it is".

use std::collections::VecDeque;

/// Seconds ahead.
pub const HORIZON_S: u32 = 30;
/// Forecasts whose outcome is known and that are scored.
const SCORED: usize = 120;
/// Outcomes needed before an interval is shown.
const ENOUGH: usize = 20;
/// Weight of the newest value in the level, of the newest change in the trend.
const LEVEL: f64 = 0.2;
const TREND: f64 = 0.05;
/// How much of the trend is left after each second: no rate grows for ever.
const DAMPING: f64 = 0.98;
/// Share of outcomes that the interval should hold.
const COVERAGE: f64 = 0.8;
/// How much one outcome moves the share of past errors that the interval leaves out. The errors of one moment resemble
/// each other, so their plain quantiles are too narrow; what was held so far says by how much (adaptive conformal
/// inference: Gibbs and Candès, 2021).
const CORRECTION: f64 = 0.02;
/// The interval leaves out at least and at most so much. Less than nothing: even the largest past error is too small,
const LEFT_OUT: (f64, f64) = (-0.5, 0.5);
/// and the interval is wider than that by this much for each of it.
const BEYOND: f64 = 10.0;

/// A forecast and how good such forecasts have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForecastView {
    /// Expected in [`HORIZON_S`] seconds, per second.
    pub value: f64,
    /// Four of five outcomes lay above this,
    pub low: f64,
    /// and below this.
    pub high: f64,
    /// Seconds ahead.
    pub horizon_s: f64,
    /// Mean absolute error of the forecasts whose outcome is known.
    pub error: f64,
    /// The same for "it stays as it is".
    pub naive_error: f64,
}

/// One series, a value each second.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    level: Option<f64>,
    trend: f64,
    /// What was expected, the oldest due next.
    due: VecDeque<Due>,
    /// Share left out by the interval, beyond or below what [`COVERAGE`] says.
    correction: f64,
    /// (error of the forecast, error of staying), signed.
    scored: VecDeque<(f64, f64)>,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    forecast: f64,
    /// The value when the forecast was made.
    stayed: f64,
    interval: Option<(f64, f64)>,
}

impl Forecast {
    /// Takes the value of one second.
    pub fn observe(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.due.len() >= HORIZON_S as usize
            && let Some(Due { forecast, stayed, interval }) = self.due.pop_front()
        {
            if let Some((low, high)) = interval {
                let missed = f64::from(u8::from(!(low..=high).contains(&value)));
                let (least, most) = LEFT_OUT;
                let left_out = 1.0 - COVERAGE + self.correction + CORRECTION * (1.0 - COVERAGE - missed);
                self.correction = left_out.clamp(least, most) - (1.0 - COVERAGE);
            }
            if self.scored.len() == SCORED {
                self.scored.pop_front();
            }
            self.scored.push_back((value - forecast, value - stayed));
        }
        let level = match self.level {
            None => value,
            Some(level) => {
                let next = LEVEL * value + (1.0 - LEVEL) * (level + DAMPING * self.trend);
                self.trend = TREND * (next - level) + (1.0 - TREND) * DAMPING * self.trend;
                next
            }
        };
        self.level = Some(level);
        let interval = self.view().map(|view| (view.low, view.high));
        self.due.push_back(Due { forecast: self.ahead(level), stayed: value, interval });
    }

    /// What is expected; `None` until enough forecasts came due to say how far they are off.
    #[must_use]
    pub fn view(&self) -> Option<ForecastView> {
        let value = self.ahead(self.level?);
        if self.scored.len() < ENOUGH {
            return None;
        }
        let mut errors: Vec<f64> = self.scored.iter().map(|(error, _)| *error).collect();
        errors.sort_by(f64::total_cmp);
        let left_out = 1.0 - COVERAGE + self.correction;
        let tail = left_out.max(0.0) / 2.0;
        let wider = 1.0 + BEYOND * (-left_out).max(0.0);
        let at = |share: f64| {
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "≤ 120"
            )]
            let rank = ((errors.len() - 1) as f64 * share).round() as usize;
            errors.get(rank).copied().unwrap_or(0.0)
        };
        #[allow(clippy::cast_precision_loss, reason = "at most 120")]
        let mean = |error: fn(&(f64, f64)) -> f64| {
            self.scored.iter().map(|scored| error(scored).abs()).sum::<f64>() / self.scored.len() as f64
        };
        let value = value.max(0.0);
        Some(ForecastView {
            value,
            low: (value + wider * at(tail)).clamp(0.0, value),
            high: (value + wider * at(1.0 - tail)).max(value),
            horizon_s: f64::from(HORIZON_S),
            error: mean(|(error, _)| *error),
            naive_error: mean(|(_, naive)| *naive),
        })
    }

    /// The level when the trend has run its damped course.
    fn ahead(&self, level: f64) -> f64 {
        let steps = DAMPING * (1.0 - DAMPING.powi(i32::try_from(HORIZON_S).unwrap_or(i32::MAX))) / (1.0 - DAMPING);
        level + self.trend * steps
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn run(values: impl IntoIterator<Item = f64>) -> Forecast {
        let mut forecast = Forecast::default();
        values.into_iter().for_each(|value| forecast.observe(value));
        forecast
    }

    #[test]
    fn nothing_is_shown_before_forecasts_came_due() {
        assert_eq!(run((0..40).map(f64::from)).view(), None);
        assert!(run((0..60).map(f64::from)).view().is_some());
        assert_eq!(run([f64::NAN; 100]).view(), None);
    }

    #[test]
    fn a_steady_rate_is_forecast_as_it_is() {
        let view = run([500.0; 200]).view().unwrap();
        assert!((view.value - 500.0).abs() < 1e-6 && view.error < 1e-6 && view.naive_error < 1e-6);
        assert!(view.low <= view.value && view.value <= view.high);
    }

    #[test]
    fn a_trend_is_followed_better_than_by_staying() {
        let view = run((0..300).map(|second| 1_000.0 + 5.0 * f64::from(second))).view().unwrap();
        assert!(view.error < view.naive_error, "{view:?}");
        assert!(view.value > 2_500.0);
    }

    /// The share of outcomes within the interval that was shown for them.
    fn held(values: impl IntoIterator<Item = f64>) -> f64 {
        let mut forecast = Forecast::default();
        let (mut shown, mut inside, mut total) = (VecDeque::<Option<ForecastView>>::new(), 0, 0);
        for value in values {
            if shown.len() == HORIZON_S as usize
                && let Some(Some(view)) = shown.pop_front()
            {
                total += 1;
                inside += u32::from(view.low <= value && value <= view.high);
            }
            forecast.observe(value);
            shown.push_back(forecast.view());
        }
        f64::from(inside) / f64::from(total)
    }

    #[test]
    fn noise_is_smoothed() {
        let mut random = fastrand::Rng::with_seed(3);
        let view = run((0..3_000).map(|_| 1_000.0 + 400.0 * (random.f64() - 0.5))).view().unwrap();
        assert!(view.error < view.naive_error, "{view:?}");
    }

    #[test]
    fn the_interval_holds_four_of_five_outcomes_whatever_the_rate_does() {
        for seed in 0..4 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut noise = move |width: f64| width * (random.f64() - 0.5);
            let (mut walk, mut drawn) = (5_000.0, 0.0);
            let mut series: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::new());
            for second in 0..6_000_u32 {
                walk = f64::max(walk + noise(60.0), 0.0);
                drawn = 0.97 * drawn + noise(100.0);
                let busy = if second / 400 % 2 == 0 { 600.0 } else { 1_500.0 };
                let wave = 300.0 * (f64::from(second) / 120.0).sin();
                let all = [1_000.0 + noise(400.0), walk, 1_000.0 + drawn, busy + wave + noise(200.0)];
                series.iter_mut().zip(all).for_each(|(series, value)| series.push(value));
            }
            for (series, name) in series.into_iter().zip(["noise", "walk", "drawn back", "steps and waves"]) {
                let held = held(series);
                assert!((0.77..=0.83).contains(&held), "{name}, seed {seed}: {held}");
            }
        }
    }
}
