//! What a connection's thread leaves behind for the supervisor to look at: the newest times and slots, without a lock.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::watchdog::Pulse;

/// Signs of life of one connection.
#[derive(Debug)]
pub(super) struct Vitals {
    base: Instant,
    /// Milliseconds since the Unix epoch of the last message; 0 before the first.
    last_message_ms: AtomicI64,
    /// The same of the last slot or transaction.
    last_data_ms: AtomicI64,
    /// Milliseconds since `base` of the last message, and of the last slot or transaction.
    heard: AtomicU64,
    moved: AtomicU64,
    /// Newest slot; 0 before the first.
    slot: AtomicU64,
    /// The slot up to which everything has come or was declared; 0 before the first.
    settled: AtomicU64,
    /// Rung when that changes.
    went_on: Notify,
    /// Microseconds from the making to the arrival of the newest live message, and the least so far.
    age_us: AtomicI64,
    youngest_us: AtomicI64,
    /// Milliseconds since `base` when that message arrived.
    aged: AtomicU64,
    /// The time of day less the time since `base`, in milliseconds: it changes when somebody sets the clock.
    offset_ms: AtomicI64,
}

/// By so much the time of day is set at once, in milliseconds; less is a clock that is put right by and by.
const CLOCK_SET: u64 = 1_000;

/// So long the age of the last message says something about the link.
const AGE_HOLDS: Duration = Duration::from_secs(5);

impl Vitals {
    pub(super) fn new() -> Self {
        Self {
            base: Instant::now(),
            last_message_ms: AtomicI64::new(0),
            last_data_ms: AtomicI64::new(0),
            heard: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            slot: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            went_on: Notify::new(),
            age_us: AtomicI64::new(0),
            youngest_us: AtomicI64::new(i64::MAX),
            aged: AtomicU64::new(0),
            offset_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// A stream was opened: silence counts from here.
    pub(super) fn opened(&self) {
        let now = self.now_ms();
        self.heard.store(now, Relaxed);
        self.moved.store(now, Relaxed);
        self.slot.store(0, Relaxed);
        self.age_us.store(0, Relaxed);
        // Another server may have another clock.
        self.youngest_us.store(i64::MAX, Relaxed);
    }

    /// Something arrived.
    pub(super) fn heard(&self, unix_ms: i64) {
        self.last_message_ms.store(unix_ms, Relaxed);
        let now = self.now_ms();
        self.heard.store(now, Relaxed);
        let offset = unix_ms.saturating_sub_unsigned(now);
        if self.offset_ms.swap(offset, Relaxed).abs_diff(offset) >= CLOCK_SET {
            // Ages by the old time of day and by the new one have nothing to do with each other.
            self.youngest_us.store(i64::MAX, Relaxed);
        }
    }

    /// Something of a slot arrived, made so long before it arrived, if that is known and it is not a replay.
    pub(super) fn moved(&self, slot: u64, age_us: Option<i64>) {
        self.moved.store(self.heard.load(Relaxed), Relaxed);
        self.last_data_ms.store(self.last_message_ms.load(Relaxed), Relaxed);
        // One writer: no update can come between.
        if slot > self.slot.load(Relaxed) {
            self.slot.store(slot, Relaxed);
        }
        if let Some(age_us) = age_us {
            self.age_us.store(age_us, Relaxed);
            self.aged.store(self.heard.load(Relaxed), Relaxed);
            if age_us < self.youngest_us.load(Relaxed) {
                self.youngest_us.store(age_us, Relaxed);
            }
        }
    }

    /// Everything up to this slot has come or was declared, as far as is known.
    pub(super) fn progress(&self, settled: Option<u64>) {
        let settled = settled.unwrap_or(0);
        if self.settled.swap(settled, Relaxed) != settled {
            self.went_on.notify_one();
        }
    }

    /// Waits until [`settled`](Self::settled) has changed; for one who waits at a time.
    pub(super) async fn went_on(&self) {
        self.went_on.notified().await;
    }

    /// The slot up to which everything has come or was declared.
    pub(super) fn settled(&self) -> Option<u64> {
        Some(self.settled.load(Relaxed)).filter(|settled| *settled > 0)
    }

    pub(super) fn last_message_ms(&self) -> Option<i64> {
        Some(self.last_message_ms.load(Relaxed)).filter(|last| *last > 0)
    }

    pub(super) fn last_data_ms(&self) -> Option<i64> {
        Some(self.last_data_ms.load(Relaxed)).filter(|last| *last > 0)
    }

    pub(super) fn pulse(&self, queue_fill: f64, busy: f64) -> Pulse {
        let now = self.now_ms();
        let since = |at: &AtomicU64| Duration::from_millis(now.saturating_sub(at.load(Relaxed)));
        // Of groups without trades nothing has an age: what was late once is not late for ever.
        let late_us = if since(&self.aged) < AGE_HOLDS {
            self.age_us.load(Relaxed).saturating_sub(self.youngest_us.load(Relaxed))
        } else {
            0
        };
        Pulse {
            silent_for: since(&self.heard),
            idle_for: since(&self.moved),
            slot: Some(self.slot.load(Relaxed)).filter(|slot| *slot > 0),
            late_by: Duration::from_micros(u64::try_from(late_us).unwrap_or(0)),
            queue_fill,
            busy,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slot statuses go on, and have no age.
    #[tokio::test(start_paused = true)]
    async fn what_was_late_once_is_not_late_for_ever() {
        let vitals = Vitals::new();
        vitals.opened();
        for (at, age_us) in [(0, Some(20_000)), (400, Some(3_020_000)), (800, None)] {
            vitals.heard(at);
            vitals.moved(7, age_us);
        }
        assert_eq!(vitals.pulse(0.0, 0.0).late_by, Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(6)).await;
        vitals.heard(6_800);
        vitals.moved(8, None);
        assert_eq!(vitals.pulse(0.0, 0.0).late_by, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_makes_nobody_late() {
        let vitals = Vitals::new();
        vitals.opened();
        let hear = |unix_ms: i64, age_us| {
            vitals.heard(unix_ms);
            vitals.moved(7, Some(age_us));
            vitals.pulse(0.0, 0.0).late_by
        };
        let (now, hour) = (1_790_000_000_000, 3_600_000);
        assert_eq!(hear(now, 20_000), Duration::ZERO);
        assert_eq!(hear(now, 3_020_000), Duration::from_secs(3), "on its way for long");
        // Set on and back: the ages of messages change with it.
        assert_eq!(hear(now + hour, 20_000 + hour * 1_000), Duration::ZERO);
        assert_eq!(hear(now, 20_000), Duration::ZERO);
        assert_eq!(hear(now - hour, 20_000 - hour * 1_000), Duration::ZERO);
        assert_eq!(hear(now, 20_000), Duration::ZERO);
    }
}
