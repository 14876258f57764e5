//! What a SOL is worth in US dollars, from the stream alone: the median of sources that agree.

use std::collections::HashMap;

use super::view::{SolUsdState, SolUsdView};
use crate::chain::ids::Pool;

/// Most sources kept.
const SOURCES: usize = 32;
/// After so long a source says nothing of the present, in milliseconds.
const FRESH_MS: i64 = 30_000;
/// Most that one source may move from one reading to the next.
const JUMP: f64 = 0.10;
/// How closely two sources must agree.
const AGREE: f64 = 0.01;

#[derive(Clone, Copy, Debug)]
struct Reading {
    price: f64,
    at_ms: i64,
    /// A reading far from the one before it counts when the next confirms it.
    doubted: Option<f64>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct SolUsd {
    sources: HashMap<Pool, Reading>,
    now_ms: i64,
    /// The last median of sources that agreed, with its time.
    last: Option<(f64, i64)>,
    /// The user's own word, for as long as the stream does not tell.
    assumed: Option<f64>,
    refused: u64,
}

impl SolUsd {
    /// A source says a price.
    pub(super) fn observe(&mut self, source: Pool, price: f64, at_ms: i64) {
        if !(price.is_finite() && price > 0.0) {
            return;
        }
        self.now_ms = self.now_ms.max(at_ms);
        if let Some(reading) = self.sources.get_mut(&source) {
            let near = |other: f64| (price / other - 1.0).abs() <= JUMP;
            if at_ms - reading.at_ms <= FRESH_MS && !near(reading.price) && !reading.doubted.is_some_and(near) {
                reading.doubted = Some(price);
                self.refused += 1;
                return;
            }
            *reading = Reading { price, at_ms, doubted: None };
        } else {
            if self.sources.len() >= SOURCES
                && let Some(oldest) = self.sources.iter().min_by_key(|(_, reading)| reading.at_ms).map(|(key, _)| *key)
            {
                self.sources.remove(&oldest);
            }
            self.sources.insert(source, Reading { price, at_ms, doubted: None });
        }
        if let Some((median, _)) = self.median() {
            self.last = Some((median, at_ms));
        }
    }

    /// The median of the fresh sources, of which two at least agree with it; and how many there are.
    fn median(&self) -> Option<(f64, usize)> {
        let fresh = self.sources.values().filter(|reading| self.now_ms - reading.at_ms <= FRESH_MS);
        let mut prices: Vec<f64> = fresh.map(|reading| reading.price).collect();
        prices.sort_by(f64::total_cmp);
        let median = *prices.get(prices.len() / 2)?;
        let agree = prices.iter().filter(|price| (*price / median - 1.0).abs() <= AGREE).count();
        (agree >= 2).then_some((median, prices.len()))
    }

    /// Time goes on.
    pub(super) fn age(&mut self, now_ms: i64) {
        self.now_ms = self.now_ms.max(now_ms);
    }

    /// Takes the user's word for it while the stream does not tell.
    pub(super) fn assume(&mut self, price: Option<f64>) {
        self.assumed = price.filter(|price| price.is_finite() && *price > 0.0);
    }

    fn live(&self) -> Option<f64> {
        self.last.filter(|(_, at_ms)| self.now_ms - at_ms <= FRESH_MS).map(|(price, _)| price)
    }

    /// The price to compute with: none that is stale.
    pub(super) fn price(&self) -> Option<f64> {
        self.live().or(self.assumed)
    }

    pub(super) fn view(&self) -> SolUsdView {
        let state = match (self.live(), self.assumed, self.last) {
            (Some(_), ..) => SolUsdState::Live,
            (None, Some(_), _) => SolUsdState::Assumed,
            (None, None, Some(_)) => SolUsdState::Stale,
            (None, None, None) => SolUsdState::Unknown,
        };
        SolUsdView {
            price: self.price().or(self.last.map(|(price, _)| price)),
            at_ms: self.last.map(|(_, at_ms)| at_ms),
            sources: self.median().map_or(0, |(_, sources)| sources),
            refused: self.refused,
            state,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn source(n: u8) -> Pool {
        Pool::new([n; 32])
    }

    #[test]
    fn two_must_agree_a_jump_is_doubted_and_silence_is_stale() {
        let mut usd = SolUsd::default();
        usd.observe(source(1), 150.0, 0);
        assert_eq!((usd.price(), usd.view().state), (None, SolUsdState::Unknown), "one alone is not believed");
        usd.observe(source(2), 180.0, 0);
        assert_eq!(usd.price(), None, "they do not agree");
        usd.observe(source(3), 150.6, 0);
        assert_eq!(usd.price(), Some(150.6));
        usd.observe(source(3), 15.0, 1_000);
        assert_eq!((usd.price(), usd.view().refused), (Some(150.6), 1));
        for price in [f64::NAN, f64::INFINITY, 0.0, -3.0] {
            usd.observe(source(1), price, 1_500);
        }
        assert_eq!(usd.price(), Some(150.6));
        usd.age(40_000);
        assert_eq!((usd.price(), usd.view().state, usd.view().price), (None, SolUsdState::Stale, Some(150.6)));
        usd.assume(Some(140.0));
        assert_eq!((usd.price(), usd.view().state), (Some(140.0), SolUsdState::Assumed), "then the user's word counts");
        usd.observe(source(1), 100.0, 40_000);
        usd.observe(source(2), 100.5, 40_000);
        assert_eq!(usd.price(), Some(100.5), "after a silence nothing is a jump");
    }
}
