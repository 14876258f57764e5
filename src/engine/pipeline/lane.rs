//! What is measured of a group, a connection or a stage.

use crate::engine::{meter::Meter, parsed::Parsed};

/// Measurements of one lane: a group, a connection, or the whole.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) meter: Meter,
    pub(super) parsed: Parsed,
    pub(super) failed: u64,
    pub(super) undecoded: u64,
    pub(super) newest_slot: Option<u64>,
}

impl Lane {
    pub(super) fn new(now_s: i64) -> Self {
        Self { meter: Meter::new(now_s), parsed: Parsed::new(now_s), failed: 0, undecoded: 0, newest_slot: None }
    }

    pub(super) fn slot(&mut self, slot: u64) {
        self.newest_slot = Some(self.newest_slot.map_or(slot, |newest| newest.max(slot)));
    }
}

/// Share of the time a stage works.
#[derive(Debug, Default)]
pub(super) struct Busy {
    pub(super) ns: u64,
    since_ms: i64,
    pub(super) share: Option<f64>,
}

impl Busy {
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    pub(super) fn close(&mut self, now_ms: i64) {
        let passed = now_ms - self.since_ms;
        if self.since_ms > 0 && passed > 0 {
            self.share = Some(self.ns as f64 / 1e6 / passed as f64);
        }
        self.ns = 0;
        self.since_ms = now_ms;
    }
}
