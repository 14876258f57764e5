//! Events that arrived before what they follow. They wait a few slots for it.

use std::collections::HashMap;

use super::{
    Arrived,
    hash::Identity,
    reserve_chain::{Order, Step},
};
use crate::decode::EventRef;

/// Most events that wait for one pool: a crowded launch has some hundred trades in the two slots by which connections
/// may be apart.
const PER_POOL: usize = 512;
/// Most events that wait in all.
const ALL: usize = 4_096;
/// How many slots an event waits.
const SLOTS: u64 = 3;
/// How long it waits where slots do not go on, in milliseconds.
const PATIENCE_MS: i64 = 2_000;

/// What is looked at in a search, apart from the event itself.
#[derive(Clone, Copy, Debug)]
struct Ticket {
    order: Order,
    step: Step,
    /// The newest slot when it came.
    slot: u64,
    recv_ms: i64,
}

/// Those that wait for one pool.
#[derive(Debug, Default)]
struct Queue {
    tickets: Vec<Ticket>,
    /// In the same order.
    events: Vec<(EventRef, Arrived, bool)>,
}

/// See the [module](self). Seldom holds more than a handful.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pools: HashMap<u64, Queue, Identity>,
    count: usize,
    newest_slot: u64,
}

/// An event whose turn has come.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) pool: u32,
    pub(super) step: Step,
    pub(super) event: EventRef,
    pub(super) at: Arrived,
    /// Whether it was told before; it waits again because what it followed was undone.
    pub(super) told: bool,
}

impl Waiting {
    pub(super) fn push(&mut self, pool: u32, step: Step, event: EventRef, at: Arrived, told: bool) {
        let order = Order::of(&event);
        let slot = self.newest_slot.max(order.slot);
        let queue = self.pools.entry(pool.into()).or_default();
        queue.tickets.push(Ticket { order, step, slot, recv_ms: at.recv_ms() });
        queue.events.push((event, at, told));
        self.count += 1;
    }

    /// The oldest of a pool's events for which this holds.
    pub(super) fn call(&mut self, pool: u32, mut fits: impl FnMut(Order, &Step) -> bool) -> Option<Called> {
        let tickets = self.pools.get(&pool.into())?.tickets.iter().enumerate();
        let mine = tickets.filter(|(_, ticket)| fits(ticket.order, &ticket.step));
        let place = mine.min_by_key(|(_, ticket)| ticket.order)?.0;
        self.take(pool, place)
    }

    /// The oldest of a pool's events for which this holds together with another one.
    pub(super) fn call_before(
        &mut self,
        pool: u32,
        leads: impl Fn((Order, &Step), (Order, &Step)) -> bool,
    ) -> Option<Called> {
        let tickets = &self.pools.get(&pool.into())?.tickets;
        let changes = tickets.iter().enumerate().filter(|(_, ticket)| matches!(ticket.step, Step::Change { .. }));
        let leading = changes.filter(|(_, ticket)| {
            tickets.iter().any(|other| leads((ticket.order, &ticket.step), (other.order, &other.step)))
        });
        let place = leading.min_by_key(|(_, ticket)| ticket.order)?.0;
        self.take(pool, place)
    }

    fn take(&mut self, pool: u32, place: usize) -> Option<Called> {
        let queue = self.pools.get_mut(&pool.into())?;
        if place >= queue.tickets.len() {
            return None;
        }
        let ticket = queue.tickets.swap_remove(place);
        let (event, at, told) = queue.events.swap_remove(place);
        if queue.tickets.is_empty() {
            self.pools.remove(&pool.into());
        }
        self.count -= 1;
        Some(Called { pool, step: ticket.step, event, at, told })
    }

    /// Slots go on. Slots that jump back are another run of a recording: nothing that waits will be joined.
    pub(super) fn slot(&mut self, slot: u64) {
        const JUMP: u64 = 10_000;
        if slot > self.newest_slot || slot + JUMP < self.newest_slot {
            self.newest_slot = slot;
        }
    }

    /// The pool of the oldest event that fits, so that the outcome does not hang on the order of arrival.
    fn oldest(&self, fits: impl Fn(&Ticket) -> bool) -> Option<u32> {
        let all = self.pools.iter().flat_map(|(pool, queue)| queue.tickets.iter().map(move |ticket| (pool, ticket)));
        let (pool, _) = all.filter(|(_, ticket)| fits(ticket)).min_by_key(|(_, ticket)| ticket.order)?;
        u32::try_from(*pool).ok()
    }

    /// A pool for which something has waited long enough.
    pub(super) fn expired(&self, now_ms: i64) -> Option<u32> {
        self.oldest(|ticket| {
            self.newest_slot > ticket.slot + SLOTS
                || self.newest_slot < ticket.slot
                || now_ms.saturating_sub(ticket.recv_ms) > PATIENCE_MS
        })
    }

    /// A pool for which there is no more room.
    pub(super) fn crowded(&self, pool: u32) -> Option<u32> {
        if self.count >= ALL {
            return self.any();
        }
        self.pools.get(&pool.into()).is_some_and(|queue| queue.tickets.len() >= PER_POOL).then_some(pool)
    }

    /// A pool for which something waits: at the end nothing more will come.
    pub(super) fn any(&self) -> Option<u32> {
        self.oldest(|_| true)
    }

    /// What waits and belongs to this slot never happened.
    pub(super) fn forget(&mut self, slot: u64) -> Option<Called> {
        let place = |queue: &Queue| queue.tickets.iter().position(|ticket| ticket.order.slot == slot);
        let (pool, place) = self.pools.iter().find_map(|(pool, queue)| Some((*pool, place(queue)?)))?;
        self.take(u32::try_from(pool).ok()?, place)
    }
}
