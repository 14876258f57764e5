//! One connection as the supervisor sees it.

use std::{
    sync::Arc,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use super::{
    connection::Desired,
    status::{ConnectionState, Throttle},
    vitals::Vitals,
    watchdog::Ailment,
};
use crate::chain::group::GroupSet;

/// One connection, seen from here.
pub(super) struct Slot {
    pub(super) wishes: watch::Sender<Desired>,
    pub(super) vitals: Arc<Vitals>,
    /// What is the matter with it while it is live.
    pub(super) ailment: Option<Ailment>,
    /// Which endpoint it uses.
    pub(super) place: usize,
    pub(super) thread: Option<thread::JoinHandle<()>>,
    pub(super) throttle: Throttle,
    /// Throttle and groups last seen in force.
    pub(super) good: Option<(GroupSet, Throttle)>,
    pub(super) state: ConnectionState,
    pub(super) since_ms: i64,
    pub(super) cause: Option<Arc<str>>,
    pub(super) sent: u32,
    pub(super) active: u32,
    pub(super) opened: u64,
}

impl Slot {
    pub(super) fn new(wishes: watch::Sender<Desired>, vitals: Arc<Vitals>, thread: thread::JoinHandle<()>) -> Self {
        Self {
            wishes,
            vitals,
            ailment: None,
            place: 0,
            thread: Some(thread),
            throttle: Throttle::Full,
            good: None,
            state: ConnectionState::Idle,
            since_ms: unix_ms(),
            cause: None,
            sent: 0,
            active: 0,
            opened: 0,
        }
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
