//! The one gate in front of every Subscribe call and every filter update. It waits; the limiter decides.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use thiserror::Error;
use tokio::{sync::Notify, time::Instant};

use super::{
    BudgetRules,
    limiter::{Ask, Denied, PermitId, SubscriptionRateLimiter},
    status::{BudgetStatus, Purpose},
};

/// Why the gate lets nobody through.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GateError {
    /// The token is refused: no call with it may follow.
    #[error("{0}")]
    Closed(Arc<str>),
    /// The rules never allow an operation of this cost.
    #[error("the subscription budget never allows an operation that costs {0} permits")]
    Never(u32),
}

/// The gate; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Rung when a permit was completed or the queue changed: everyone waiting looks again.
    changed: Notify,
    /// Rung on every change of the budget, for the status.
    spent: Notify,
    base: Instant,
}

#[derive(Debug)]
struct State {
    limiter: SubscriptionRateLimiter,
    /// Who waits, most urgent first.
    queue: BTreeMap<Turn, Ask>,
    arrivals: u64,
    closed: Option<Arc<str>>,
}

/// Place in the queue: class, then arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    class: u8,
    arrival: u64,
}

/// A permit held for one operation. Dropping it completes it: the window starts to run.
#[derive(Debug)]
pub struct Permit {
    gate: Gate,
    id: PermitId,
}

impl Permit {
    /// The call has an outcome.
    pub fn complete(self) {}
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = self.gate.now();
        self.gate.lock().limiter.complete(self.id, now);
        self.gate.ring();
    }
}

/// Leaves the queue when the wait is over or given up.
struct Waiting<'a> {
    gate: &'a Gate,
    turn: Turn,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.gate.lock().queue.remove(&self.turn);
        self.gate.ring();
    }
}

impl Gate {
    /// A gate with nothing spent; its clock starts now.
    #[must_use]
    pub fn new(rules: BudgetRules) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                limiter: SubscriptionRateLimiter::new(rules),
                queue: BTreeMap::new(),
                arrivals: 0,
                closed: None,
            }),
            changed: Notify::new(),
            spent: Notify::new(),
            base: Instant::now(),
        }))
    }

    /// Waits for a permit. `urgent` is whether the connection carries a high-priority group.
    ///
    /// Wakes exactly when a permit frees or the queue moves. Giving up (dropping the future) leaves the queue.
    pub async fn acquire(&self, ask: Ask, urgent: bool) -> Result<Permit, GateError> {
        let turn = self.enqueue(ask, urgent);
        let _waiting = Waiting { gate: self, turn };
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.attempt(turn, ask)? {
                Ok(id) => {
                    let permit = Permit { gate: self.clone(), id };
                    self.0.spent.notify_one();
                    return Ok(permit);
                }
                Err(Some(at)) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(self.0.base + at) => {}
                    }
                }
                Err(None) => changed.await,
            }
        }
    }

    /// Whether a permit could be had now without waiting; otherwise in how long, where that is known.
    pub fn check(&self, ask: Ask) -> Result<(), Option<Duration>> {
        let now = self.now();
        self.lock().limiter.check(ask, now).map_err(|denied| match denied {
            Denied::Until(at) => Some(at.saturating_sub(now)),
            Denied::Completion | Denied::Never => None,
        })
    }

    /// No new subscription for this long.
    pub fn freeze(&self, pause: Duration) {
        let until = self.now() + pause;
        self.lock().limiter.freeze(until);
        self.ring();
    }

    /// Lets nobody through any more: the token is refused. Live streams are not touched.
    pub fn close(&self, cause: Arc<str>) {
        self.lock().closed = Some(cause);
        self.ring();
    }

    /// Lets through again: the user asked for it.
    pub fn reopen(&self) {
        self.lock().closed = None;
        self.ring();
    }

    /// The budget for the screen.
    #[must_use]
    pub fn status(&self, wall_ms: i64) -> BudgetStatus {
        let now = self.now();
        self.lock().limiter.status(now, wall_ms)
    }

    /// Permits held by a connection.
    #[must_use]
    pub fn used_by(&self, connection: usize) -> u32 {
        let now = self.now();
        self.lock().limiter.used_by(connection, now)
    }

    /// Waits until the budget has changed: a permit taken, completed or free again, a freeze begun or over.
    pub async fn changed(&self) {
        let now = self.now();
        let next = {
            let state = self.lock();
            let thaw = state.limiter.frozen_until(now);
            let free = state.limiter.next_free(now);
            [thaw, free].into_iter().flatten().min()
        };
        match next {
            Some(at) => tokio::select! {
                () = self.0.spent.notified() => {}
                () = tokio::time::sleep_until(self.0.base + at) => {}
            },
            None => self.0.spent.notified().await,
        }
    }

    fn enqueue(&self, ask: Ask, urgent: bool) -> Turn {
        let mut state = self.lock();
        state.arrivals += 1;
        let class = match ask.purpose {
            Purpose::Reconnect if urgent => 0,
            Purpose::Reconnect => 1,
            Purpose::Start => 2,
            Purpose::User => 3,
            Purpose::Rebalance => 4,
        };
        let turn = Turn { class, arrival: state.arrivals };
        state.queue.insert(turn, ask);
        turn
    }

    /// A permit, or the time to look again (`None`: when the gate rings).
    fn attempt(&self, turn: Turn, ask: Ask) -> Result<Result<PermitId, Option<Duration>>, GateError> {
        let now = self.now();
        let mut state = self.lock();
        if let Some(cause) = &state.closed {
            return Err(GateError::Closed(cause.clone()));
        }
        match state.limiter.check(ask, now) {
            Ok(()) => {}
            Err(Denied::Never) => return Err(GateError::Never(ask.cost)),
            Err(Denied::Completion) => return Ok(Err(None)),
            Err(Denied::Until(at)) => return Ok(Err(Some(at))),
        }
        // Whoever is more urgent and could go too goes first; its leaving the queue rings.
        let limiter = &state.limiter;
        if state.queue.range(..turn).any(|(_, earlier)| limiter.check(*earlier, now).is_ok()) {
            return Ok(Err(None));
        }
        Ok(state.limiter.take(ask, now).map_err(|_| None))
    }

    fn now(&self) -> Duration {
        self.0.base.elapsed()
    }

    fn ring(&self) {
        self.0.changed.notify_waiters();
        self.0.spent.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
