//! Numbers, ages and identities as people read them. What was not measured is `–`.

use std::{cell::Cell, time::Duration};

/// Stands where nothing was measured.
pub const UNKNOWN: &str = "–";

/// A whole number with separators: `1,234,567`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A whole number in at most five cells: `999`, `12.3k`, `4.56M`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn compact(value: u64) -> String {
    if value < 10_000 { value.to_string() } else { scaled(value as f64) }
}

/// Three digits and a unit: `0.00`, `1.23`, `45.6`, `789`, `1.23k`, `4.56M`; `–` when not finite.
#[must_use]
pub fn scaled(value: f64) -> String {
    const UNITS: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let mut shown = value.abs();
    let mut unit = 0;
    // 999.5 would round to 1000.
    while shown >= 999.5 && unit + 1 < UNITS.len() {
        shown /= 1000.0;
        unit += 1;
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let unit = UNITS.get(unit).copied().unwrap_or("");
    if shown >= 999.5 {
        format!("{sign}>999{unit}")
    } else if shown >= 99.95 {
        format!("{sign}{shown:.0}{unit}")
    } else if shown >= 9.995 {
        format!("{sign}{shown:.1}{unit}")
    } else {
        format!("{sign}{shown:.2}{unit}")
    }
}

/// Per second, at most one decimal: `0`, `4.2`, `412`, `1.23k`.
#[must_use]
pub fn rate(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() && value.abs() < 0.05 => "0".to_owned(),
        Some(value) if value.is_finite() && (0.0..99.95).contains(&value) => format!("{value:.1}"),
        Some(value) => scaled(value),
        None => UNKNOWN.to_owned(),
    }
}

/// Megabytes (10^6) per second.
#[must_use]
pub fn megabytes(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() && value < 99_950_000.0 => format!("{:.2}", value.max(0.0) / 1e6),
        Some(value) => scaled(value / 1e6),
        None => UNKNOWN.to_owned(),
    }
}

/// Milliseconds: `0.4`, `12`, `1.2s`.
#[must_use]
pub fn millis(value: f64) -> String {
    if !value.is_finite() {
        UNKNOWN.to_owned()
    } else if value.abs() < 9.95 {
        format!("{value:.1}")
    } else if value.abs() < 999.5 {
        format!("{value:.0}")
    } else {
        format!("{}s", scaled(value / 1000.0))
    }
}

/// An amount or price of SOL: three digits, small ones as `0.0₆28` for 0.00000028.
#[must_use]
pub fn sol(value: Option<f64>, ascii: bool) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else { return UNKNOWN.to_owned() };
    let size = value.abs();
    if size >= 0.01 || size == 0.0 {
        return scaled(value);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    if size < 1e-15 {
        return format!("{sign}~0");
    }
    let plain = format!("{size:.18}");
    let fraction = plain.get(2..).unwrap_or("");
    let zeros = fraction.bytes().take_while(|byte| *byte == b'0').count();
    // A minus and a second digit below the line leave room for two digits.
    let shown = if value < 0.0 && zeros >= 10 { 2 } else { 3 };
    let digits = fraction.get(zeros..(zeros + shown).min(fraction.len())).unwrap_or("");
    if zeros < 3 || ascii {
        return if ascii && zeros >= 3 {
            format!("{value:.2e}")
        } else {
            format!("{sign}0.{}{digits}", "0".repeat(zeros))
        };
    }
    let lowered: String =
        zeros.to_string().chars().filter_map(|d| "₀₁₂₃₄₅₆₇₈₉".chars().nth(d.to_digit(10)? as usize)).collect();
    format!("{sign}0.0{lowered}{digits}")
}

/// Percent already floored by the engine: two decimals, never rounded up to 100.
#[must_use]
pub fn percent(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        Some(value) => format!("{:.2}%", (value * 100.0 + 1e-7).floor() / 100.0),
        None => UNKNOWN.to_owned(),
    }
}

/// A change with its sign: `+12.3%`.
#[must_use]
pub fn change(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        Some(value) if value.abs() < 99.95 => format!("{value:+.1}%"),
        Some(value) => format!("{}{}%", if value > 0.0 { "+" } else { "" }, scaled(value)),
        None => UNKNOWN.to_owned(),
    }
}

/// A share 0–1 as whole percent; what is not a number is unknown.
#[must_use]
pub fn share(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        Some(value) => format!("{:.0}%", value.clamp(0.0, 1.0) * 100.0),
        None => UNKNOWN.to_owned(),
    }
}

/// A span to come: `4s`, `2m`, `1h`.
#[must_use]
pub fn wait(ms: Option<u64>) -> String {
    match ms {
        Some(ms) if ms < 60_000 => format!("{}s", ms.div_ceil(1000)),
        Some(ms) => steps(ms / 1000),
        None => UNKNOWN.to_owned(),
    }
}

fn uptime(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// The time of day in UTC: `14:03:22`.
#[must_use]
pub fn time_of_day(epoch_ms: i64) -> String {
    let seconds = epoch_ms.div_euclid(1000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn steps(seconds: u64) -> String {
    match seconds {
        0 => "now".to_owned(),
        1..60 => format!("{}s", coarse(seconds)),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        86_400..86_400_000 => format!("{}d", seconds / 86_400),
        _ => ">999d".to_owned(),
    }
}

/// Steps in which seconds are shown, so that a quiet screen stays still.
const COARSE: [u64; 7] = [1, 2, 3, 5, 10, 20, 30];

/// Ages of so many seconds and more change together, at multiples of so many milliseconds.
const TOGETHER: [(u64, u64); 2] = [(10, 10_000), (600, 60_000)];

fn coarse(seconds: u64) -> u64 {
    COARSE.into_iter().rev().find(|step| *step <= seconds).unwrap_or(0)
}

/// The time at which a frame is drawn. It remembers when the first of the ages it showed will read differently, so that
/// the program sleeps until then.
#[derive(Debug)]
pub struct Clock {
    /// Milliseconds since the Unix epoch.
    pub now_ms: i64,
    changes_in_ms: Cell<Option<u64>>,
}

impl Clock {
    /// A clock standing at this instant, in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn at(now_ms: i64) -> Self {
        Self { now_ms, changes_in_ms: Cell::new(None) }
    }

    /// How long ago that was, in coarse steps: `now`, `1s`, `2s`, `3s`, `5s`, `10s`, `20s`, `30s`, `1m` … From ten
    /// seconds on, all ages move together every ten seconds, from ten minutes on every minute: a quiet screen of many rows
    /// is drawn anew that seldom.
    pub fn age(&self, then_ms: Option<i64>) -> String {
        let Some(then_ms) = then_ms else { return UNKNOWN.to_owned() };
        // Clocks differ: what is said to come from the future is new.
        let age_ms = u64::try_from(self.now_ms.saturating_sub(then_ms)).unwrap_or(0);
        let since = |tick_ms: u64| self.now_ms.rem_euclid(tick_ms.cast_signed()).cast_unsigned();
        let mut seconds = age_ms / 1000;
        for (from, tick_ms) in TOGETHER {
            if seconds >= from {
                seconds = (age_ms.saturating_sub(since(tick_ms)) / 1000).max(from);
            }
        }
        let next = match seconds {
            0..30 => COARSE.into_iter().find(|step| *step > seconds).unwrap_or(60),
            30..60 => 60,
            60..3600 => (seconds / 60 + 1) * 60,
            _ => (seconds / 3600).saturating_add(1).saturating_mul(3600),
        };
        let left = next.saturating_mul(1000).saturating_sub(age_ms);
        let tick_ms = TOGETHER.into_iter().rev().find(|(from, _)| next > *from).map(|(_, tick_ms)| tick_ms);
        self.expect(tick_ms.map_or(left, |tick_ms| {
            left.saturating_add(since(tick_ms)).div_ceil(tick_ms).saturating_mul(tick_ms).saturating_sub(since(tick_ms))
        }));
        steps(seconds)
    }

    /// The same of a sign of life: `now` as long as nothing is to be made of the silence.
    pub fn silence(&self, then_ms: Option<i64>, patience_ms: i64) -> String {
        let patient = then_ms.map(|then| then.saturating_add(patience_ms).saturating_sub(self.now_ms));
        match patient.and_then(|left| u64::try_from(left).ok()).filter(|left| *left > 0) {
            Some(left) => {
                self.expect(left);
                steps(0)
            }
            None => self.age(then_ms),
        }
    }

    /// Time since the start, which was so long ago when the clock stood at `at_ms`: seconds in the first minute,
    /// minutes after it.
    pub fn uptime(&self, seconds: f64, at_ms: i64) -> String {
        if !seconds.is_finite() {
            return UNKNOWN.to_owned();
        }
        let since = i64::try_from(Duration::try_from_secs_f64(seconds).unwrap_or_default().as_millis());
        let up_ms = since.unwrap_or(i64::MAX).saturating_add(self.now_ms.saturating_sub(at_ms));
        let up_ms = u64::try_from(up_ms).unwrap_or(0);
        let step = if up_ms < 60_000 { 1_000 } else { 60_000 };
        self.expect(step - up_ms % step);
        uptime(up_ms / 1000)
    }

    /// Something on the screen will read differently in this many milliseconds.
    pub fn expect(&self, ms: u64) {
        self.changes_in_ms.set(Some(self.changes_in_ms.get().map_or(ms, |known| known.min(ms))));
    }

    /// When the first of the shown ages changes, in milliseconds from [`now_ms`](Self::now_ms).
    #[must_use]
    pub fn changes_in_ms(&self) -> Option<u64> {
        self.changes_in_ms.get()
    }
}

/// An address in 9 cells: first four, `…`, last four.
#[must_use]
pub fn short(base58: &str, ascii: bool) -> String {
    abbreviate(base58, 4, ascii)
}

/// An address with this many characters kept on both sides; as it is when that is no shorter.
#[must_use]
pub fn abbreviate(base58: &str, keep: usize, ascii: bool) -> String {
    let dots = if ascii { ".." } else { "…" };
    match (base58.get(..keep), base58.len().checked_sub(keep).and_then(|at| base58.get(at..))) {
        (Some(head), Some(tail)) if base58.len() > 2 * keep + dots.len() => format!("{head}{dots}{tail}"),
        _ => base58.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_three_digits_and_never_gain_one() {
        let cases = [(0.0, "0.00"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (999.4, "999"), (999.6, "1.00k")];
        for (value, shown) in cases {
            assert_eq!(scaled(value), shown);
        }
        assert_eq!(scaled(f64::NAN), UNKNOWN);
        assert_eq!(scaled(f64::MAX), ">999P");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(123), "123");
        assert_eq!(compact(9_999), "9999");
    }

    #[test]
    fn a_hundred_percent_means_all() {
        assert_eq!(percent(Some(99.999)), "99.99%");
        assert_eq!(percent(Some(100.0)), "100.00%");
        assert_eq!(percent(Some(99.97)), "99.97%");
        assert_eq!(percent(None), UNKNOWN);
    }

    #[test]
    fn small_prices_show_their_digits() {
        assert_eq!(sol(Some(0.000_000_028_12), false), "0.0₇281");
        assert_eq!(sol(Some(0.004_2), false), "0.00420");
        assert_eq!(sol(Some(28.41), false), "28.4");
        assert_eq!(sol(Some(f64::INFINITY), false), UNKNOWN);
        assert!(sol(Some(2.8e-8), true).is_ascii());
    }

    #[test]
    fn ages_move_in_steps_and_say_when() {
        for (age_ms, shown, next) in [
            (-5, "now", 1000),
            (0, "now", 1000),
            (999, "now", 1),
            (4_100, "3s", 900),
            (12_000, "10s", 10_000),
            (59_000, "30s", 10_000),
            (60_000, "1m", 60_000),
            (3_600_000, "1h", 3_600_000),
        ] {
            let clock = Clock::at(999_960_000);
            assert_eq!(clock.age(Some(999_960_000 - age_ms)), shown);
            let next = if age_ms < 0 { 1000 } else { next };
            assert_eq!(clock.changes_in_ms(), Some(next), "after {age_ms}");
        }
        assert_eq!(Clock::at(0).age(None), UNKNOWN);
        assert_eq!(Clock::at(i64::MAX).age(Some(i64::MIN)), ">999d");
    }

    #[test]
    fn the_time_of_day_is_that_of_utc() {
        assert_eq!(time_of_day(1_790_000_000_000), "14:13:20");
        assert_eq!(time_of_day(-1), "23:59:59");
        assert_eq!(time_of_day(0), "00:00:00");
    }

    #[test]
    fn addresses_are_never_only_a_prefix() {
        let mint = "7XkQ4wq1cDxJ7h2rWgJ8aFsdT8oCbYzR6nUeVtKpump";
        assert_eq!(short(mint, false), "7XkQ…pump");
        assert_eq!(abbreviate(mint, 30, false), mint);
        assert_eq!(short("ab", false), "ab");
    }

    proptest! {
        #[test]
        fn an_age_reads_the_same_until_it_is_said_to_change(then in -20_000i64..20_000, age_ms in 0i64..10_000_000) {
            let clock = Clock::at(then + age_ms);
            let shown = clock.age(Some(then));
            let change = i64::try_from(clock.changes_in_ms().unwrap_or(0)).unwrap_or(0);
            prop_assert!(change > 0);
            prop_assert_eq!(&Clock::at(then + age_ms + change - 1).age(Some(then)), &shown);
            prop_assert_ne!(&Clock::at(then + age_ms + change).age(Some(then)), &shown);
        }

        #[test]
        fn old_ages_change_together(ages in prop::collection::vec(10_000i64..1_000_000, 1..40)) {
            let start = 1_000_003_000;
            let drawn = |now| ages.iter().map(|age| Clock::at(now).age(Some(start - age))).collect::<Vec<_>>();
            let frames: Vec<_> = (0..60).map(|second| drawn(start + second * 1_000)).collect();
            let changes = frames.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert!(changes <= 6, "{changes} in a minute");
        }

        #[test]
        fn uptime_reads_the_same_until_it_is_said_to_change(up_ms in 0u32..10_000_000) {
            let at = |now| Clock::at(now);
            let clock = at(5_000_000);
            let seconds = f64::from(up_ms) / 1000.0;
            let shown = clock.uptime(seconds, 5_000_000);
            let change = i64::try_from(clock.changes_in_ms().unwrap_or(0)).unwrap_or(0);
            prop_assert_eq!(&at(5_000_000 + change - 1).uptime(seconds, 5_000_000), &shown);
            if up_ms < 3_500_000 {
                prop_assert_ne!(&at(5_000_000 + change).uptime(seconds, 5_000_000), &shown);
            }
        }

        #[test]
        fn any_number_fits_its_column(value: f64) {
            prop_assert!(scaled(value).chars().count() <= 6);
            prop_assert!(rate(Some(value)).chars().count() <= 6);
            prop_assert!(megabytes(Some(value)).chars().count() <= 6);
            prop_assert!(millis(value).chars().count() <= 7);
            prop_assert!(sol(Some(value), false).chars().count() <= 8);
        }
    }
}
