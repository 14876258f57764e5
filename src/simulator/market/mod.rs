//! The simulated market.

use std::time::Duration;

use super::{
    feed::{Producer, SlotPlan},
    noise,
};

/// How long a slot lasts (mainnet, October 2026).
pub const SLOT: Duration = Duration::from_micros(212_500);
/// The earliest slot a simulation starts at; the seed adds up to a million.
const FIRST_SLOT: u64 = 470_000_000;
/// Blocks are fewer than slots by those skipped in the past.
const SKIPPED: u64 = 22_000_000;

/// What a simulated market is like.
#[derive(Clone, Copy, Debug)]
pub struct MarketSettings {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// Transactions per second, 1 to 20,000.
    pub rate: f64,
    /// When it begins, in seconds since the Unix epoch: events carry the time.
    pub start_time: i64,
}

/// Makes slots without end; the same settings make the same slots.
pub struct SimulatedMarket {
    settings: MarketSettings,
    first_slot: u64,
    slots: u64,
}

impl SimulatedMarket {
    /// A market at its beginning.
    #[must_use]
    pub fn new(settings: MarketSettings) -> Self {
        let first_slot = FIRST_SLOT + noise::mix(settings.seed) % 1_000_000;
        Self { settings, first_slot, slots: 0 }
    }

    fn block_hash(&self, slot: u64) -> [u8; 32] {
        noise::bytes([self.settings.seed, slot, 0])
    }
}

impl Producer for SimulatedMarket {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        let slot = self.first_slot + self.slots;
        let elapsed = u64::try_from(SLOT.as_micros()).unwrap_or(0) * self.slots / 1_000_000;
        self.slots += 1;
        Some(SlotPlan {
            slot,
            parent: slot - 1,
            block_height: slot - SKIPPED,
            block_time: self.settings.start_time + i64::try_from(elapsed).unwrap_or(0),
            blockhash: self.block_hash(slot),
            parent_blockhash: self.block_hash(slot - 1),
            duration: SLOT,
            items: Vec::new(),
        })
    }
}
