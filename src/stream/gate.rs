//! The one gate in front of every Subscribe call and every filter update. It waits; the limiter decides.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    io, process,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use thiserror::Error;
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use super::{
    BudgetRules, clock,
    limiter::{Ask, Denied, PermitId, SubscriptionRateLimiter},
    permits::{Ledger, Place, Request},
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
    core: Arc<Core>,
    /// The thread that keeps the shared ledger, where there is one.
    ledger: Option<mpsc::Sender<Request>>,
    base: Instant,
}

/// What the gate and the keeper of the ledger both touch.
#[derive(Debug)]
pub(super) struct Core {
    state: Mutex<State>,
    /// Rung when a permit was completed or the queue changed: everyone waiting looks again.
    changed: Notify,
    /// Rung on every change of the budget, for the status.
    spent: Notify,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) limiter: SubscriptionRateLimiter,
    /// What is wrong with the ledger, and until when that is worth saying.
    pub(super) trouble: Option<(Arc<str>, Duration)>,
    /// Who waits, most urgent first.
    queue: BTreeMap<Turn, Ask>,
    arrivals: u64,
    closed: Option<Arc<str>>,
}

impl Core {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring(&self) {
        self.changed.notify_waiters();
        self.spent.notify_one();
    }
}

/// Place in the queue: class, then arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    class: u8,
    arrival: u64,
}

/// How long after it was given up a call without an answer may still reach the server: what was written waits in the
/// sockets of a network that is down, and goes out when it is back. Linux sends again what a closed socket still holds for
/// about 100 s (`tcp_orphan_retries` in ip-sysctl: 8 times, from 0.2 s on, each after twice the time).
pub(super) const LATE: Duration = Duration::from_secs(120);

/// A permit held for one operation. Dropping it completes it: the window starts to run. What has been sent and had no answer
/// is completed [`LATE`].
#[derive(Debug)]
pub struct Permit {
    gate: Gate,
    id: PermitId,
    sent: bool,
}

impl Permit {
    /// The call goes out from here on.
    #[must_use]
    pub fn sent(mut self) -> Self {
        self.sent = true;
        self
    }

    /// The call has an answer.
    pub fn complete(mut self) {
        self.sent = false;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.sent
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let late = Self { gate: self.gate.clone(), id: self.id, sent: false };
            runtime.spawn(async move {
                tokio::time::sleep(LATE).await;
                drop(late);
            });
            return;
        }
        let now = self.gate.now();
        self.gate.lock().limiter.complete(self.id, now);
        if let Some(ledger) = &self.gate.0.ledger {
            // A keeper that is gone leaves the permit open in the file, which counts for more, not for less.
            let _ = ledger.send(Request::Completed(self.id));
        }
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
    /// A gate with nothing spent, for this process alone; its clock starts now.
    #[must_use]
    pub fn new(rules: BudgetRules) -> Self {
        let core = Arc::new(Core::new(rules, fastrand::u64(1..)));
        Self(Arc::new(Shared { core, ledger: None, base: Instant::now() }))
    }

    /// A gate whose budget is shared with all processes that use the same ledger.
    ///
    /// # Errors
    /// When the system gives us no thread. A ledger that cannot be used is no error: it is told in the status.
    pub fn shared(rules: BudgetRules, place: Place) -> io::Result<Self> {
        // Keys from the system: two processes that start in the same instant are told apart all the same.
        let owner = RandomState::new().hash_one(process::id()).max(1);
        let core = Arc::new(Core::new(rules, owner));
        let ledger = Ledger::start(core.clone(), owner, place)?;
        Ok(Self(Arc::new(Shared { core, ledger: Some(ledger), base: Instant::now() })))
    }

    /// Waits for a permit.
    ///
    /// Wakes exactly when a permit frees or the queue moves. Giving up (dropping the future) leaves the queue.
    pub async fn acquire(&self, ask: Ask) -> Result<Permit, GateError> {
        let turn = self.enqueue(ask);
        let _waiting = Waiting { gate: self, turn };
        loop {
            let changed = self.0.core.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.turn_of(turn, ask)? {
                Wait::No => {
                    if let Ok(id) = self.take(ask).await {
                        self.0.core.spent.notify_one();
                        return Ok(Permit { gate: self.clone(), id, sent: false });
                    }
                    // Somebody was faster; what is known now says how long to wait.
                }
                Wait::Until(at) => {
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = tokio::time::sleep(at.saturating_sub(self.now())) => {}
                    }
                }
                Wait::Ring => changed.await,
            }
        }
    }

    /// Takes a permit: in the shared ledger where there is one.
    async fn take(&self, ask: Ask) -> Result<PermitId, Denied> {
        let Some(ledger) = &self.0.ledger else {
            let now = self.now();
            return self.lock().limiter.take(ask, now);
        };
        let (reply, taken) = oneshot::channel();
        // A keeper that is gone gives no permit.
        let _ = ledger.send(Request::Take { ask, reply });
        taken.await.unwrap_or(Err(Denied::Completion))
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
        if let Some(ledger) = &self.0.ledger {
            let _ = ledger.send(Request::Freeze(until));
        }
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
        let state = self.lock();
        let trouble = state.trouble.as_ref().filter(|(_, until)| *until > now).map(|(text, _)| text.clone());
        BudgetStatus { trouble, shared: self.0.ledger.is_some(), ..state.limiter.status(now, wall_ms) }
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
                biased;
                () = self.0.core.spent.notified() => {}
                () = tokio::time::sleep(at.saturating_sub(now)) => {}
            },
            None => self.0.core.spent.notified().await,
        }
    }

    fn enqueue(&self, ask: Ask) -> Turn {
        let mut state = self.lock();
        state.arrivals += 1;
        let class = match ask.purpose {
            Purpose::Reconnect if ask.urgent => 0,
            Purpose::Reconnect => 1,
            Purpose::Start => 2,
            Purpose::User => 3,
            Purpose::Repair => 4,
            Purpose::Rebalance => 5,
        };
        let turn = Turn { class, arrival: state.arrivals };
        state.queue.insert(turn, ask);
        turn
    }

    /// Whether it is this one's turn, as far as is known here.
    fn turn_of(&self, turn: Turn, ask: Ask) -> Result<Wait, GateError> {
        let now = self.now();
        let state = self.lock();
        if let Some(cause) = &state.closed {
            return Err(GateError::Closed(cause.clone()));
        }
        match state.limiter.check(ask, now) {
            Ok(()) => {}
            Err(Denied::Never) => return Err(GateError::Never(ask.cost)),
            Err(Denied::Completion) => return Ok(Wait::Ring),
            Err(Denied::Until(at)) => return Ok(Wait::Until(at)),
        }
        // Whoever is more urgent and could go too goes first; its leaving the queue rings.
        let limiter = &state.limiter;
        let urgent = state.queue.range(..turn).any(|(_, earlier)| limiter.check(*earlier, now).is_ok());
        Ok(if urgent { Wait::Ring } else { Wait::No })
    }

    fn now(&self) -> Duration {
        if self.0.ledger.is_some() { clock::since_boot() } else { self.0.base.elapsed() }
    }

    fn ring(&self) {
        self.0.core.ring();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.core.lock()
    }
}

impl Core {
    fn new(rules: BudgetRules, owner: u64) -> Self {
        Self {
            state: Mutex::new(State {
                limiter: SubscriptionRateLimiter::new(rules, owner),
                trouble: None,
                queue: BTreeMap::new(),
                arrivals: 0,
                closed: None,
            }),
            changed: Notify::new(),
            spent: Notify::new(),
        }
    }
}

/// How long to wait for one's turn.
enum Wait {
    No,
    /// Until then, or a change.
    Until(Duration),
    /// Until something changes.
    Ring,
}
