//! One connection as the supervisor sees it.

use std::{sync::Arc, thread};

use tokio::{sync::watch, time::Instant};

use super::{
    status::{ConnectionState, Throttle},
    vitals::Vitals,
    watchdog::Ailment,
    wish::{Desired, Taken},
};
use crate::chain::{group::GroupSet, ids::Mint};

/// What a connection runs on.
pub(super) enum Running {
    /// A thread of its own, to be joined at its end.
    Thread(thread::JoinHandle<()>),
    /// A task.
    Task,
}

/// One connection, seen from here.
pub(super) struct Slot {
    pub(super) wishes: watch::Sender<Desired>,
    pub(super) vitals: Arc<Vitals>,
    /// What is the matter with it while it is live.
    pub(super) ailment: Option<Ailment>,
    /// Which endpoint it uses.
    pub(super) place: usize,
    /// While it runs.
    pub(super) running: Option<Running>,
    pub(super) throttle: Throttle,
    /// Groups, throttle and narrowing last seen in force.
    pub(super) good: Option<(GroupSet, Throttle, Arc<[Mint]>)>,
    /// The filter set that asked for everything again after it was narrowed; 0 if none did.
    pub(super) widened: u32,
    pub(super) state: ConnectionState,
    pub(super) since_ms: i64,
    pub(super) cause: Option<Arc<str>>,
    pub(super) sent: u32,
    pub(super) active: u32,
    pub(super) opened: u64,
    /// Newest version ever seen in force.
    pub(super) confirmed: u32,
    /// Newest version whose data comes whole, and after which slot.
    pub(super) whole: Option<(u32, u64)>,
    /// Why it was refused for want of room while nobody could take its groups.
    pub(super) crowded: Option<Arc<str>>,
    /// While the server has no room for it.
    pub(super) rest: Option<Rest>,
    /// Times in a row that the server had none.
    pub(super) rests: u32,
}

/// A connection that the server has no room for.
pub(super) struct Rest {
    /// What it carried before.
    pub(super) groups: GroupSet,
    /// When it is tried again.
    pub(super) until: Instant,
}

impl Slot {
    /// The groups that came over to it and are not known to be in force.
    pub(super) fn unconfirmed(&self) -> Vec<Taken> {
        self.wishes.borrow().taken.iter().copied().filter(|taken| taken.version > self.confirmed).collect()
    }

    /// Everything of its groups is missing from this slot on, if it has no stream.
    pub(super) fn missing_since(&self) -> Option<u64> {
        let came_over = self.unconfirmed().into_iter().map(|taken| taken.from);
        came_over.chain(self.vitals.settled().map(|settled| settled + 1)).min()
    }

    /// Whether everything of its groups up to this slot has come or was declared: of those it is asked for by now.
    pub(super) fn has_all(&self, slot: u64) -> bool {
        let in_force = self.confirmed >= self.wishes.borrow().version;
        in_force && self.vitals.settled().is_some_and(|settled| settled >= slot)
    }

    pub(super) fn new(
        wishes: watch::Sender<Desired>,
        vitals: Arc<Vitals>,
        place: usize,
        running: Running,
        since_ms: i64,
    ) -> Self {
        Self {
            wishes,
            vitals,
            ailment: None,
            place,
            running: Some(running),
            throttle: Throttle::Full,
            good: None,
            widened: 0,
            state: ConnectionState::Idle,
            since_ms,
            cause: None,
            sent: 0,
            active: 0,
            opened: 0,
            confirmed: 0,
            whole: None,
            crowded: None,
            rest: None,
            rests: 0,
        }
    }
}
