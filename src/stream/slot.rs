//! One connection as the supervisor sees it.

use std::{sync::Arc, thread};

use tokio::{sync::watch, time::Instant};

use super::{
    connection::Desired,
    status::{ConnectionState, Throttle},
    vitals::Vitals,
    watchdog::Ailment,
};
use crate::chain::group::GroupSet;

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
    /// Throttle and groups last seen in force.
    pub(super) good: Option<(GroupSet, Throttle)>,
    pub(super) state: ConnectionState,
    pub(super) since_ms: i64,
    pub(super) cause: Option<Arc<str>>,
    pub(super) sent: u32,
    pub(super) active: u32,
    pub(super) opened: u64,
    /// Refused for want of room while nobody could take its groups: why, and what is missing since when.
    pub(super) crowded: Option<(Arc<str>, Option<u64>)>,
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
    pub(super) fn new(wishes: watch::Sender<Desired>, vitals: Arc<Vitals>, running: Running, since_ms: i64) -> Self {
        Self {
            wishes,
            vitals,
            ailment: None,
            place: 0,
            running: Some(running),
            throttle: Throttle::Full,
            good: None,
            state: ConnectionState::Idle,
            since_ms,
            cause: None,
            sent: 0,
            active: 0,
            opened: 0,
            crowded: None,
            rest: None,
            rests: 0,
        }
    }
}
