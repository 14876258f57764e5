//! A token's page: which of its lists is in front, and how far back its chart reaches.

use crate::engine::view::SeriesView;

/// The state of the page, kept from token to token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The list in front.
    pub section: Section,
    /// Whether that list has the whole page.
    pub zoomed: bool,
    /// The chart's time.
    pub range: Range,
}

/// The lists of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the list of that name")]
pub enum Section {
    #[default]
    Trades,
    Venues,
    Traders,
    Apps,
    Alerts,
}

impl Section {
    /// All of them, in the order of the Tab key.
    pub const ALL: [Self; 5] = [Self::Trades, Self::Venues, Self::Traders, Self::Apps, Self::Alerts];

    /// As shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trades => "Trades",
            Self::Venues => "Venues",
            Self::Traders => "Top traders",
            Self::Apps => "Apps",
            Self::Alerts => "MEV alerts",
        }
    }

    /// The next one, or the one before.
    #[must_use]
    pub const fn step(self, forth: bool) -> Self {
        let step = if forth { 1 } else { Self::ALL.len() - 1 };
        Self::ALL[(self as usize + step) % Self::ALL.len()]
    }
}

/// How much time a chart shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a span of that length")]
pub enum Range {
    Minute,
    Minutes5,
    Minutes15,
    Hour,
    Hours6,
    Day,
    /// Since the first trade that is kept.
    #[default]
    All,
}

impl Range {
    /// All of them, the shortest first.
    pub const ALL: [Self; 7] =
        [Self::Minute, Self::Minutes5, Self::Minutes15, Self::Hour, Self::Hours6, Self::Day, Self::All];

    /// As shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::Minutes5 => "5m",
            Self::Minutes15 => "15m",
            Self::Hour => "1h",
            Self::Hours6 => "6h",
            Self::Day => "1d",
            Self::All => "all",
        }
    }

    /// Its length in seconds; `None` where that depends on the token.
    #[must_use]
    pub const fn seconds(self) -> Option<u32> {
        Some(match self {
            Self::Minute => 60,
            Self::Minutes5 => 300,
            Self::Minutes15 => 900,
            Self::Hour => 3_600,
            Self::Hours6 => 21_600,
            Self::Day => 86_400,
            Self::All => return None,
        })
    }

    /// The next longer one, or the next shorter; the last stays.
    #[must_use]
    pub fn step(self, longer: bool) -> Self {
        let at = self as usize;
        let next = if longer { at + 1 } else { at.saturating_sub(1) };
        Self::ALL.get(next).copied().unwrap_or(self)
    }

    /// What of a token's series is in this time: of the finest that reaches so far back, the times at which each of its
    /// candles begins or would begin, in seconds since the Unix epoch.
    #[must_use]
    pub fn window(self, series: &[SeriesView; 3], now_s: u32) -> Window<'_> {
        let [.., coarsest] = series;
        let reaches = |one: &&SeriesView| match self.seconds() {
            Some(seconds) => one.width_s.saturating_mul(one.length) >= seconds,
            None => one.trades() == coarsest.trades(),
        };
        let series = series.iter().filter(|one| one.width_s > 0).find(reaches).unwrap_or(coarsest);
        let width_s = series.width_s.max(1);
        // The candle of now is not over: it stands at the right edge.
        let last_s = now_s - now_s % width_s;
        let first_s = series.candles.first().map_or(last_s, |candle| candle.start_s);
        let count = self.seconds().map_or_else(|| last_s.saturating_sub(first_s) / width_s + 1, |span| span / width_s);
        Window { series, first_s: last_s.saturating_sub(count.max(2).saturating_sub(1) * width_s), last_s, width_s }
    }
}

/// A span of time within a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window<'a> {
    /// The series.
    pub series: &'a SeriesView,
    /// When its first candle begins.
    pub first_s: u32,
    /// When its last begins.
    pub last_s: u32,
    /// Seconds from one to the next.
    pub width_s: u32,
}

impl Window<'_> {
    /// Number of candles that have room in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        (self.last_s.saturating_sub(self.first_s) / self.width_s) as usize + 1
    }

    /// Whether there is none; never.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The position of a time in it.
    #[must_use]
    pub fn position(&self, time_s: u32) -> Option<usize> {
        let at = time_s.checked_sub(self.first_s)? / self.width_s;
        Some(at as usize).filter(|at| *at < self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::view::CandleView;
    use proptest::prelude::*;

    /// Of trades at these times, the oldest first, what three series have kept.
    fn series(trades: &[u32], now_s: u32) -> [SeriesView; 3] {
        [(5, 60), (60, 60), (900, 96)].map(|(width_s, length)| {
            let oldest = (now_s - now_s % width_s).saturating_sub((length - 1) * width_s);
            let kept = trades.iter().map(|time| time - time % width_s).filter(|start| *start >= oldest);
            let mut candles: Vec<CandleView> = Vec::new();
            for start_s in kept {
                match candles.last_mut() {
                    Some(last) if last.start_s == start_s => last.buys += 1,
                    _ => candles.push(CandleView { start_s, buys: 1, ..CandleView::default() }),
                }
            }
            SeriesView { width_s, length, candles }
        })
    }

    proptest! {
        #[test]
        fn a_range_shows_its_time_up_to_now(mut ages in prop::collection::vec(0u32..80_000, 1..200)) {
            ages.sort_unstable_by(|a, b| b.cmp(a));
            let now = 1_790_000_123;
            let starts: Vec<u32> = ages.iter().map(|age| now - age).collect();
            let series = series(&starts, now);
            for range in Range::ALL {
                let window = range.window(&series, now);
                prop_assert_eq!(window.position(now), Some(window.len() - 1));
                prop_assert!(window.len() <= 97);
                match range.seconds() {
                    Some(seconds) => prop_assert_eq!(window.last_s + window.width_s - window.first_s, seconds),
                    // Everything that was ever traded and is kept has its place.
                    None => prop_assert!(window.position(starts[0] - starts[0] % window.width_s).is_some()),
                }
            }
        }
    }

    #[test]
    fn steps_end_where_there_is_no_more() {
        assert_eq!(Range::Minute.step(false), Range::Minute);
        assert_eq!(Range::All.step(true), Range::All);
        assert_eq!(Range::Hour.step(true).step(false), Range::Hour);
        let round = Section::ALL.iter().fold(Section::Trades, |section, _| section.step(true));
        assert_eq!(round, Section::Trades);
        assert_eq!(Section::Trades.step(false), Section::Alerts);
    }
}
