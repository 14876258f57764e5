//! Events that arrived before what they follow. They wait a few slots for it.

use super::{
    Arrived,
    reserve_chain::{Order, Step},
};
use crate::decode::Event;

/// Most events that wait for one pool.
const PER_POOL: usize = 32;
/// Most events that wait in all.
const ALL: usize = 1_024;
/// How many slots an event waits.
const SLOTS: u64 = 3;
/// How long it waits where slots do not go on, in milliseconds.
const PATIENCE_MS: i64 = 2_000;

/// What is looked at in a search, apart from the event itself, which is long.
#[derive(Clone, Copy, Debug)]
struct Ticket {
    pool: u32,
    order: Order,
    step: Step,
    /// The newest slot when it came.
    slot: u64,
    recv_ms: i64,
}

/// See the [module](self). Seldom holds more than a handful.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    tickets: Vec<Ticket>,
    /// In the same order.
    events: Vec<(Event, Arrived, bool)>,
    newest_slot: u64,
}

/// An event whose turn has come.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) pool: u32,
    pub(super) step: Step,
    pub(super) event: Event,
    pub(super) at: Arrived,
    /// Whether it was told before; it waits again because what it followed was undone.
    pub(super) told: bool,
}

impl Waiting {
    pub(super) fn push(&mut self, pool: u32, step: Step, event: Event, at: Arrived, told: bool) {
        let order = Order::of(&event);
        self.tickets.push(Ticket { pool, order, step, slot: self.newest_slot.max(order.slot), recv_ms: at.recv_ms() });
        self.events.push((event, at, told));
    }

    /// The oldest of a pool's events for which this holds.
    pub(super) fn call(&mut self, pool: u32, mut fits: impl FnMut(Order, &Step) -> bool) -> Option<Called> {
        let tickets = self.tickets.iter().enumerate();
        let mine = tickets.filter(|(_, ticket)| ticket.pool == pool && fits(ticket.order, &ticket.step));
        let place = mine.min_by_key(|(_, ticket)| ticket.order)?.0;
        self.take(place)
    }

    fn take(&mut self, place: usize) -> Option<Called> {
        if place >= self.tickets.len() {
            return None;
        }
        let ticket = self.tickets.swap_remove(place);
        let (event, at, told) = self.events.swap_remove(place);
        Some(Called { pool: ticket.pool, step: ticket.step, event, at, told })
    }

    /// Slots go on. Slots that jump back are another run of a recording: nothing that waits will be joined.
    pub(super) fn slot(&mut self, slot: u64) {
        const JUMP: u64 = 10_000;
        if slot > self.newest_slot || slot + JUMP < self.newest_slot {
            self.newest_slot = slot;
        }
    }

    /// A pool for which something has waited long enough, or for which too much waits; of several the one whose event is
    /// the oldest, so that the outcome does not hang on the order of arrival.
    pub(super) fn expired(&self, now_ms: i64) -> Option<u32> {
        let old = |ticket: &&Ticket| {
            self.newest_slot > ticket.slot + SLOTS
                || self.newest_slot < ticket.slot
                || now_ms.saturating_sub(ticket.recv_ms) > PATIENCE_MS
        };
        self.tickets.iter().filter(old).min_by_key(|ticket| ticket.order).map(|ticket| ticket.pool)
    }

    /// A pool for which there is no more room.
    pub(super) fn crowded(&self, pool: u32) -> Option<u32> {
        if self.tickets.len() >= ALL {
            return self.tickets.iter().min_by_key(|ticket| ticket.order).map(|ticket| ticket.pool);
        }
        (self.tickets.iter().filter(|ticket| ticket.pool == pool).count() >= PER_POOL).then_some(pool)
    }

    /// A pool for which something waits: at the end nothing more will come.
    pub(super) fn any(&self) -> Option<u32> {
        self.tickets.iter().min_by_key(|ticket| ticket.order).map(|ticket| ticket.pool)
    }

    /// What waits and belongs to this slot never happened.
    pub(super) fn forget(&mut self, slot: u64) -> Option<Called> {
        self.take(self.tickets.iter().position(|ticket| ticket.order.slot == slot)?)
    }
}
