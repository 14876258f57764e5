//! The slot clock: which slot is newest, how long a slot lasts, and which slot messages arrived already.

use std::collections::{HashMap, VecDeque};

/// Slots over which the slot time is estimated.
const SPAN: usize = 64;
/// Slots whose messages are remembered.
const REMEMBERED: usize = 512;
/// `SlotStatus::SLOT_PROCESSED`.
const PROCESSED: i32 = 0;

/// Watches slot statuses and block metas.
#[derive(Debug, Default)]
pub(super) struct SlotClock {
    newest: Option<u64>,
    /// (slot, arrival in microseconds) of the newest processed slots.
    arrivals: VecDeque<(u64, i64)>,
    /// Bits of the statuses seen per slot; bit 31 is the block meta.
    seen: HashMap<u64, u32>,
    order: VecDeque<u64>,
}

impl SlotClock {
    /// Takes a status; whether it is the first of its kind for that slot. One of a replay tells nothing of time.
    pub(super) fn status(&mut self, slot: u64, status: i32, recv_us: i64, replayed: bool) -> bool {
        let first = self.first(slot, 1 << status.clamp(0, 30));
        if first && status == PROCESSED && !replayed {
            if self.newest.is_some_and(|newest| slot < newest) {
                // A recording that jumps back, or a fork: the clock starts anew rather than run backwards.
                self.arrivals.clear();
            }
            self.newest = Some(self.newest.map_or(slot, |newest| newest.max(slot)));
            self.arrivals.push_back((slot, recv_us));
            if self.arrivals.len() > SPAN {
                self.arrivals.pop_front();
            }
        }
        first
    }

    /// Takes a block meta; whether it is the first for that slot.
    pub(super) fn meta(&mut self, slot: u64) -> bool {
        self.first(slot, 1 << 31)
    }

    fn first(&mut self, slot: u64, bit: u32) -> bool {
        let bits = self.seen.entry(slot).or_insert_with(|| {
            self.order.push_back(slot);
            0
        });
        let first = *bits & bit == 0;
        *bits |= bit;
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        first
    }

    /// Newest processed slot.
    pub(super) const fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Mean time of a slot in milliseconds, from the arrivals of processed slots.
    #[allow(clippy::cast_precision_loss, reason = "small differences")]
    pub(super) fn slot_time_ms(&self) -> Option<f64> {
        let (first, last) = self.arrivals.front().zip(self.arrivals.back())?;
        let slots = last.0.checked_sub(first.0).filter(|slots| *slots >= 4)?;
        Some((last.1 - first.1) as f64 / slots as f64 / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_slot_time_is_measured_and_skipped_slots_count() {
        let mut clock = SlotClock::default();
        for n in 0..100 {
            if n % 10 != 3 {
                assert!(clock.status(1_000 + n, PROCESSED, (n * 213_000).try_into().unwrap(), false));
                assert!(!clock.status(1_000 + n, PROCESSED, 0, false), "the other connection's copy");
                assert!(clock.status(1_000 + n, 1, 0, false));
                assert!(clock.meta(1_000 + n));
                assert!(!clock.meta(1_000 + n));
            }
        }
        assert_eq!(clock.newest(), Some(1_099));
        assert!((clock.slot_time_ms().unwrap() - 213.0).abs() < 1e-9);
    }

    #[test]
    fn memory_is_bounded() {
        let mut clock = SlotClock::default();
        for slot in 0..10_000 {
            clock.status(slot, PROCESSED, 0, false);
        }
        assert_eq!((clock.seen.len(), clock.order.len(), clock.arrivals.len()), (REMEMBERED, REMEMBERED, SPAN));
    }
}
