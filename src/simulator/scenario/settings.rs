//! The numbers that scenarios are made of: a data file, so that they can be read and changed in one place.

use fastrand::Rng;
use serde::Deserialize;
use thiserror::Error;

/// The shipped file.
const SHIPPED: &str = include_str!("scenario.toml");

/// Why a file of scenario settings is refused.
#[derive(Debug, Error)]
#[error("the scenario settings: {0}")]
pub struct SettingsError(#[from] toml::de::Error);

/// Bounds that a number is drawn from.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Range(f64, f64);

impl Range {
    pub(super) fn draw(self, rng: &mut Rng) -> f64 {
        self.0 + (self.1 - self.0) * rng.f64()
    }

    /// As many small ones as large ones.
    pub(super) fn draw_log(self, rng: &mut Rng) -> f64 {
        (self.0.ln() + (self.1 / self.0).ln() * rng.f64()).exp()
    }

    /// A whole number, both bounds included.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounds are small and not negative")]
    pub(super) fn whole(self, rng: &mut Rng) -> u32 {
        rng.u32(self.0 as u32..=(self.1 as u32).max(self.0 as u32))
    }
}

/// See the shipped file, which says what each number means.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub(super) episode: EpisodeSettings,
    pub(super) organic: Organic,
    pub(super) attack: Attack,
    pub(super) lookalike: Lookalike,
}

impl Settings {
    /// The shipped numbers.
    ///
    /// # Errors
    /// Never, as a test checks.
    pub fn shipped() -> Result<Self, SettingsError> {
        Ok(toml::from_str(SHIPPED)?)
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EpisodeSettings {
    pub(super) slots: u32,
    pub(super) trades_per_slot: f64,
    pub(super) concurrent: usize,
    pub(super) curve_share: f64,
    pub(super) curve_progress: Range,
    pub(super) pool_quote_sol: Range,
    pub(super) pool_virtual_share: Range,
    pub(super) holders: u32,
    pub(super) holder_share: Range,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Organic {
    pub(super) size_median_sol: f64,
    pub(super) size_sigma: f64,
    pub(super) buys: f64,
    pub(super) flippers: f64,
    pub(super) flip_slots: Range,
    pub(super) tipped: f64,
    pub(super) tip_lamports: Range,
    pub(super) priority_lamports: Range,
    pub(super) slippage: Range,
    pub(super) quoted_trades_ago: Range,
    pub(super) exact_out: f64,
    pub(super) routed: f64,
    pub(super) fails: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attack {
    pub(super) slack_use: Range,
    pub(super) cap_sol: Range,
    pub(super) victim_share: Range,
    pub(super) tipped: f64,
    pub(super) tip_lamports: Range,
    pub(super) priority_lamports: Range,
    pub(super) own_program: f64,
    pub(super) public_program: f64,
    pub(super) exact_out: f64,
    pub(super) personas: u32,
    pub(super) tries: u32,
    pub(super) multi_victims: Range,
    pub(super) wide_slots: Range,
    pub(super) second_victim: f64,
    pub(super) between: Range,
    pub(super) unwind: Range,
    pub(super) wallets_tight: f64,
    pub(super) wallets_wide: f64,
    pub(super) inner_share: Range,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lookalike {
    pub(super) flippers: f64,
    pub(super) rounds: Range,
    pub(super) size_sol: Range,
    pub(super) hold_slots: Range,
    pub(super) cohort: Range,
    pub(super) copiers: Range,
    pub(super) leader_sol: Range,
    pub(super) big_share: Range,
}

/// A share of an amount; what is drawn by chance needs no more digits.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and 53 bits are enough"
)]
pub(super) fn share(amount: u64, part: f64) -> u64 {
    (amount as f64 * part) as u64
}

/// SOL in lamports.
pub(super) fn lamports(sol: f64) -> u64 {
    share(1_000_000_000, sol)
}

/// What is wanted of something, as a share of it.
#[allow(clippy::cast_precision_loss, reason = "a share")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_shipped_numbers_are_read() {
        let settings = Settings::shipped().unwrap();
        assert_eq!(settings.episode.slots, 40);
        let mut rng = Rng::with_seed(1);
        let drawn: Vec<u32> = (0..200).map(|_| settings.attack.wide_slots.whole(&mut rng)).collect();
        assert!((1..=5).all(|slots| drawn.contains(&slots)) && drawn.iter().all(|slots| (1..=5).contains(slots)));
        for _ in 0..200 {
            assert!((0.05..=0.5).contains(&settings.organic.slippage.draw_log(&mut rng)));
        }
    }
}
