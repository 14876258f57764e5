//! A fault plan at work: what it says of a call, a stream or an update at this moment.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::SetOnce,
    time::{Instant, sleep_until},
};
use tonic::Status;
use yellowstone_grpc_proto::geyser::{SubscribeUpdateBlock, subscribe_update::UpdateOneof};

use super::{frame::Frame, hub::Hub};
use crate::simulator::fault::{Fault, FaultKind, FaultPlan};

/// A plan with its clock and the numbers of the connections.
#[derive(Debug)]
pub(super) struct Faults {
    plan: FaultPlan,
    /// Whether a `dead_slot` has had its slot, by place in the plan.
    spent: Vec<AtomicBool>,
    began: SetOnce<Instant>,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    taken: BTreeSet<usize>,
    /// Numbers by the port that the service sees.
    by_port: HashMap<u16, usize>,
}

/// A connection's number, held while it lives.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) number: usize,
    port: u16,
    faults: Arc<Faults>,
}

/// How a stream is to end: after so many more updates, with this status.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) after: u64,
    pub(super) status: Option<Status>,
}

/// What becomes of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is sent,
    Sent,
    /// twice,
    Twice,
    /// behind its successor,
    Later,
    /// or lost.
    Dropped,
}

/// The choices of one stream: each fault draws from its own sequence.
#[derive(Debug, Default)]
pub(super) struct Choices(HashMap<usize, fastrand::Rng>);

impl Faults {
    pub(super) fn new(plan: FaultPlan) -> Self {
        let spent = plan.faults.iter().map(|_| AtomicBool::new(false)).collect();
        Self { plan, spent, began: SetOnce::new(), connections: Mutex::default() }
    }

    /// The first subscribe call starts the clock.
    pub(super) fn begin(&self) {
        // Refused where it was started already.
        let _ = self.began.set(Instant::now());
    }

    /// When the clock was started; waits for it.
    pub(super) async fn began(&self) -> Instant {
        *self.began.wait().await
    }

    /// When the clock was started, if it was.
    pub(super) fn started(&self) -> Option<Instant> {
        self.began.get().copied()
    }

    fn elapsed(&self) -> Option<Duration> {
        self.started().map(|began| began.elapsed())
    }

    pub(super) fn seed(&self) -> u64 {
        self.plan.seed
    }

    /// All faults of this connection, with their places.
    pub(super) fn of(&self, connection: Option<usize>) -> impl Iterator<Item = (usize, &Fault)> {
        self.plan.faults.iter().enumerate().filter(move |(_, fault)| fault.hits(connection))
    }

    /// The faults of this connection that last now.
    pub(super) fn lasting(&self, connection: Option<usize>) -> impl Iterator<Item = (usize, &Fault)> {
        let elapsed = self.elapsed();
        self.of(connection).filter(move |(_, fault)| elapsed.is_some_and(|elapsed| fault.lasts_at(elapsed)))
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a new connection the lowest free number. `port` is where it comes from, as the service sees it.
    pub(super) fn take_place(self: &Arc<Self>, port: u16) -> Place {
        let mut connections = self.lock();
        let number = (1..usize::MAX).find(|number| !connections.taken.contains(number)).unwrap_or(usize::MAX);
        connections.taken.insert(number);
        connections.by_port.insert(port, number);
        Place { number, port, faults: Arc::clone(self) }
    }

    /// The number of the connection that comes from this port.
    pub(super) fn numbered(&self, port: u16) -> Option<usize> {
        self.lock().by_port.get(&port).copied()
    }

    /// How a subscribe call is refused now.
    pub(super) fn refusal(&self, connection: Option<usize>) -> Option<Status> {
        self.lasting(connection).find_map(|(_, fault)| match &fault.kind {
            FaultKind::Limit { pushback } => {
                Some(pushed_back(Status::resource_exhausted("rate limit exceeded"), *pushback))
            }
            FaultKind::Status { after: 0, .. } => ending(fault)?.status,
            _ => None,
        })
    }

    /// How a stream that is opened now will end.
    pub(super) fn ending(&self, connection: Option<usize>) -> Option<Ending> {
        self.lasting(connection).find_map(|(_, fault)| ending(fault))
    }

    /// Until when a stream keeps silent now.
    pub(super) fn stalled(&self, connection: Option<usize>) -> Option<Instant> {
        let began = self.started()?;
        let stalls = self.lasting(connection).filter(|(_, fault)| fault.kind == FaultKind::Stall);
        stalls.map(|(_, fault)| began + fault.end()).max()
    }

    /// What becomes of an update. `data` is a transaction or an account.
    pub(super) fn fate(&self, connection: Option<usize>, choices: &mut Choices, data: bool) -> Fate {
        for (place, fault) in self.lasting(connection) {
            let (share, fate) = match fault.kind {
                FaultKind::Drop { share, all } if data || all => (share, Fate::Dropped),
                FaultKind::Duplicate { share } if data => (share, Fate::Twice),
                FaultKind::Reorder { share } if data => (share, Fate::Later),
                _ => continue,
            };
            let random = choices.0.entry(place).or_insert_with(|| {
                let own = (place as u64) << 32 | connection.unwrap_or_default() as u64;
                fastrand::Rng::with_seed(self.plan.seed ^ own.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            });
            if random.f64() < share {
                return fate;
            }
        }
        Fate::Sent
    }

    /// Whether the plan has any slot die.
    pub(super) fn has_dead_slots(&self) -> bool {
        self.plan.faults.iter().any(|fault| fault.kind == FaultKind::DeadSlot)
    }

    /// Whether the slot that ends now dies.
    pub(super) fn slot_dies(&self) -> bool {
        let Some(elapsed) = self.elapsed() else { return false };
        self.plan.faults.iter().zip(&self.spent).any(|(fault, spent)| {
            let due = fault.kind == FaultKind::DeadSlot && fault.at <= elapsed;
            due && (fault.lasts_at(elapsed) || !spent.swap(true, Ordering::Relaxed))
        })
    }

    /// Whether older slots are kept from the replay now.
    pub(super) fn replay_is_gone(&self) -> bool {
        self.lasting(None).any(|(_, fault)| fault.kind == FaultKind::ReplayGone)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connections = self.faults.lock();
        connections.taken.remove(&self.number);
        connections.by_port.remove(&self.port);
    }
}

/// How this fault ends a stream, if it does.
fn ending(fault: &Fault) -> Option<Ending> {
    match &fault.kind {
        FaultKind::Close { after } => Some(Ending { after: *after, status: None }),
        FaultKind::Status { code, message, pushback, after } => {
            let status = pushed_back(Status::new(*code, message.clone()), *pushback);
            Some(Ending { after: *after, status: Some(status) })
        }
        FaultKind::Lagged { after } => {
            Some(Ending { after: *after, status: Some(Status::internal("lagged to receive geyser messages")) })
        }
        _ => None,
    }
}

fn pushed_back(mut status: Status, pushback: Option<Duration>) -> Status {
    if let Some(pushback) = pushback {
        status
            .metadata_mut()
            .insert("grpc-retry-pushback-ms", u64::try_from(pushback.as_millis()).unwrap_or(u64::MAX).into());
    }
    status
}

/// Lets the moments of the plan strike what is open then.
pub(super) async fn strike(hub: Arc<Hub>, faults: Arc<Faults>) {
    let began = faults.began().await;
    for fault in &faults.plan.faults {
        let ending = ending(fault);
        let strikes = ending.is_some() || matches!(fault.kind, FaultKind::ReplayGone | FaultKind::Oversize { .. });
        if !strikes {
            continue;
        }
        sleep_until(began + fault.at).await;
        match &fault.kind {
            FaultKind::ReplayGone => hub.forget_replay(),
            FaultKind::Oversize { bytes } => {
                let block = SubscribeUpdateBlock { blockhash: "1".repeat(*bytes), ..SubscribeUpdateBlock::default() };
                let frame = Frame::bare(UpdateOneof::Block(block), hub.now());
                hub.strike(fault, |state, id| state.push_bare(id, frame.clone()));
            }
            _ => {
                if let Some(ending) = ending {
                    hub.strike(fault, |state, id| state.end_after(id, ending.clone()));
                }
            }
        }
    }
}
