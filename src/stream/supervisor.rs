//! Owns what the connections share: budget, pool, wishes. Turns requests and reports into the published status.

use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use secrecy::ExposeSecret;
use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

use super::{
    Sink, StreamError, StreamSettings,
    connection::{Connection, Desired, Report, Run},
    gate::Gate,
    ledger::StreamLedger,
    limiter::Ask,
    permit_file::ledger_key,
    permits::Place,
    plan::{SubscriptionBuilder, throttled},
    pool::{ConnectionPool, GroupLoad, MAX_CONNECTIONS},
    recovery::Recovery,
    status::{
        ConnectionState, ConnectionStatus, Control, Move, Purpose, StreamEvent, StreamEventKind, StreamStatus, Throttle,
    },
};
use crate::chain::group::GroupSet;

/// Events kept for readers that look seldom.
const EVENTS: usize = 256;
/// Requests and reports that may wait.
const QUEUE: usize = 256;
/// Longest time that closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What scheduling may add to the timeouts of a call.
const CALL_MARGIN: Duration = Duration::from_secs(1);

/// What [`start`] hands back.
pub(super) struct Started {
    pub(super) control: mpsc::Sender<Control>,
    pub(super) status: watch::Receiver<Arc<StreamStatus>>,
    pub(super) closing: oneshot::Sender<()>,
    pub(super) task: JoinHandle<()>,
}

/// See [`super::Streams::start`].
pub(super) fn start<S: Sink>(
    settings: StreamSettings,
    make_sink: impl Fn(usize) -> S,
    batches: &mpsc::Sender<S::Batch>,
) -> Result<Started, StreamError> {
    if !(1..=MAX_CONNECTIONS).contains(&settings.connections) {
        return Err(StreamError::Connections(settings.connections));
    }
    let budget = settings.budget;
    if budget.limit == 0 || budget.cost_new.max(budget.cost_update) > budget.limit.min(budget.per_connection) {
        return Err(StreamError::Budget);
    }
    let all = settings.groups.iter().copied().collect();
    SubscriptionBuilder::new(1, settings.commitment).groups(all).proof(settings.proof).build()?;
    let spawner = runtime::Handle::try_current().map_err(|_| StreamError::NoRuntime)?;
    let pool = ConnectionPool::new(settings.connections, settings.groups.iter().copied());
    let gate = gate(&settings)?;
    let settings = Arc::new(settings);
    let (reports, incoming) = mpsc::channel(QUEUE);
    let mut slots = Vec::with_capacity(settings.connections);
    for id in 0..settings.connections {
        let groups = pool.groups(id);
        let (wishes, desired) = watch::channel(Desired {
            version: 1,
            groups,
            purpose: Purpose::Start,
            since: Instant::now(),
            epoch: 0,
            run: Run::Go,
        });
        let last_message = Arc::new(AtomicI64::new(0));
        let connection = Connection {
            id,
            settings: settings.clone(),
            gate: gate.clone(),
            desired,
            reports: reports.clone(),
            sink: make_sink(id),
            batches: batches.clone(),
            last_message: last_message.clone(),
            recovery: Recovery::new(id, settings.recover),
            ledger: StreamLedger::new(settings.proof),
        };
        let thread = spawn(connection, reports.clone())?;
        slots.push(Slot {
            wishes,
            last_message,
            thread: Some(thread),
            throttle: Throttle::Full,
            good: None,
            state: ConnectionState::Idle,
            since_ms: unix_ms(),
            cause: None,
            sent: 0,
            active: 0,
            opened: 0,
        });
    }
    let (control, requests) = mpsc::channel(QUEUE);
    let (closing, closed) = oneshot::channel();
    let mut supervisor = Supervisor {
        settings,
        gate,
        pool,
        slots,
        loads: Vec::new(),
        migration: None,
        events: VecDeque::with_capacity(EVENTS),
        seq: 0,
        token_refused: None,
    };
    let (publish, status) = watch::channel(Arc::new(supervisor.status()));
    let task = spawner.spawn(async move { supervisor.run(requests, incoming, closed, publish).await });
    Ok(Started { control, status, closing, task })
}

/// The gate, with a shared ledger where there is a folder for it.
fn gate(settings: &StreamSettings) -> std::io::Result<Gate> {
    let Some(folder) = &settings.ledger else { return Ok(Gate::new(settings.budget)) };
    let token = settings.endpoint.x_token.as_ref().map_or("", |token| token.expose_secret());
    let place = Place {
        folder: folder.clone(),
        key: ledger_key(&settings.endpoint.host, token),
        longest_call: settings.connect_timeout + settings.subscribe_timeout + CALL_MARGIN,
    };
    Gate::shared(settings.budget, place)
}

/// A thread with its own runtime for one connection. Its end is reported, also when it is a panic.
fn spawn<S: Sink>(
    connection: Connection<S>,
    reports: mpsc::Sender<(usize, Report)>,
) -> Result<thread::JoinHandle<()>, StreamError> {
    let id = connection.id;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = thread::Builder::new().name(format!("stream-{id}")).spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(connection.run())));
        drop(runtime);
        let panic = outcome.err().map(|payload| panic_text(payload.as_ref()));
        // Without a supervisor nobody is left to tell.
        let _ = reports.blocking_send((id, Report::Ended { panic }));
    })?;
    Ok(thread)
}

/// One connection, seen from here.
struct Slot {
    wishes: watch::Sender<Desired>,
    last_message: Arc<AtomicI64>,
    thread: Option<thread::JoinHandle<()>>,
    throttle: Throttle,
    /// Throttle and groups last seen in force.
    good: Option<(GroupSet, Throttle)>,
    state: ConnectionState,
    since_ms: i64,
    cause: Option<Arc<str>>,
    sent: u32,
    active: u32,
    opened: u64,
}

/// Groups on their way: added on the targets, not yet removed from the sources.
struct Migration {
    reason: &'static str,
    moves: Vec<Move>,
    /// Targets with the version that carries their new groups.
    awaited: Vec<(usize, u32)>,
    permits: u32,
}

struct Supervisor {
    settings: Arc<StreamSettings>,
    gate: Gate,
    pool: ConnectionPool,
    slots: Vec<Slot>,
    loads: Vec<GroupLoad>,
    migration: Option<Migration>,
    events: VecDeque<StreamEvent>,
    seq: u64,
    token_refused: Option<Arc<str>>,
}

impl Supervisor {
    async fn run(
        &mut self,
        mut requests: mpsc::Receiver<Control>,
        mut reports: mpsc::Receiver<(usize, Report)>,
        mut closed: oneshot::Receiver<()>,
        publish: watch::Sender<Arc<StreamStatus>>,
    ) {
        loop {
            tokio::select! {
                _ = &mut closed => break,
                request = requests.recv() => match request {
                    Some(request) => self.request(request),
                    None => break,
                },
                Some((connection, report)) = reports.recv() => {
                    self.report(connection, report);
                    // What came together is published together.
                    while let Ok((connection, report)) = reports.try_recv() {
                        self.report(connection, report);
                    }
                }
                () = self.gate.changed() => {}
            }
            self.migrate();
            publish.send_replace(Arc::new(self.status()));
        }
        self.close(&mut reports).await;
        publish.send_replace(Arc::new(self.status()));
    }

    /// Asks every connection to end and waits for the threads, but not for ever.
    async fn close(&mut self, reports: &mut mpsc::Receiver<(usize, Report)>) {
        for slot in &self.slots {
            slot.wishes.send_modify(|wish| wish.run = Run::Close);
        }
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while self.slots.iter().any(|slot| slot.thread.is_some()) {
            match tokio::time::timeout_at(deadline, reports.recv()).await {
                Ok(Some((connection, report))) => self.report(connection, report),
                Ok(None) => break,
                Err(_) => {
                    tracing::error!("a connection thread did not end in time");
                    break;
                }
            }
        }
    }

    fn request(&mut self, request: Control) {
        match request {
            Control::Loads(loads) => self.loads = loads,
            Control::Throttle { connection, level } => {
                let Some(slot) = self.slots.get_mut(connection) else {
                    return self.refuse(format!("there is no connection {connection}"));
                };
                slot.throttle = level;
                self.wish(connection, Purpose::User);
            }
            Control::Reconnect { connection } => {
                let Some(slot) = self.slots.get(connection) else {
                    return self.refuse(format!("there is no connection {connection}"));
                };
                if slot.thread.is_none() {
                    return self.refuse(format!("connection {connection} has failed for good; restart the program"));
                }
                self.gate.reopen();
                self.token_refused = None;
                slot.wishes.send_modify(|wish| {
                    wish.epoch += 1;
                    wish.run = Run::Go;
                });
            }
            Control::Rebalance { reason, moves } => self.rebalance(reason, moves),
        }
    }

    /// First half of a rebalance: the targets carry the groups too.
    fn rebalance(&mut self, reason: &'static str, moves: Vec<Move>) {
        if moves.is_empty() {
            return self.refuse("the load is even already".to_owned());
        }
        if self.migration.is_some() {
            return self.refuse("a rebalance is under way".to_owned());
        }
        if let Err(why) = self.pool.check(&moves) {
            return self.refuse(why);
        }
        if let Some(dead) = moves.iter().find(|one| self.stopped(one.to)) {
            return self.refuse(format!("connection {} is stopped", dead.to));
        }
        let permits = ConnectionPool::cost(&moves, &self.settings.budget);
        let targets = unique(moves.iter().map(|one| one.to));
        for target in &targets {
            let ask = Ask { connection: *target, purpose: Purpose::Rebalance, urgent: false, cost: permits };
            if let Err(wait) = self.gate.check(ask) {
                let when = wait.map_or_else(String::new, |wait| format!("; they free in {} s", wait.as_secs() + 1));
                return self.refuse(format!("the budget has not {permits} permits to spare{when}"));
            }
        }
        for one in &moves {
            self.pool.add(one.to, one.group);
        }
        let awaited = targets.into_iter().map(|target| (target, self.wish(target, Purpose::Rebalance))).collect();
        self.migration = Some(Migration { reason, moves, awaited, permits });
    }

    /// Second half, once every target delivers: the sources let go. Given up if a target stops for good.
    fn migrate(&mut self) {
        let Some(migration) = self.migration.take() else { return };
        if let Some((dead, _)) = migration.awaited.iter().find(|(target, _)| self.stopped(*target)) {
            let why = format!("rebalance given up: connection {dead} is stopped");
            self.abandon(&migration);
            return self.refuse(why);
        }
        let ready = migration
            .awaited
            .iter()
            .all(|(target, version)| self.slots.get(*target).is_some_and(|slot| slot.active >= *version));
        if !ready {
            self.migration = Some(migration);
            return;
        }
        for one in &migration.moves {
            self.pool.remove(one.from, one.group);
        }
        for source in unique(migration.moves.iter().map(|one| one.from)) {
            self.wish(source, Purpose::Rebalance);
        }
        let Migration { reason, moves, permits, .. } = migration;
        self.event(StreamEventKind::Rebalanced { reason, moves, permits });
    }

    /// The groups stay where they were.
    fn abandon(&mut self, migration: &Migration) {
        for one in &migration.moves {
            self.pool.remove(one.to, one.group);
        }
        for target in unique(migration.moves.iter().map(|one| one.to)) {
            self.wish(target, Purpose::Rebalance);
        }
    }

    /// Tells a connection its filter set, if that is another one than the last; its version.
    fn wish(&mut self, connection: usize, purpose: Purpose) -> u32 {
        let Some(slot) = self.slots.get(connection) else { return 0 };
        let groups = throttled(self.pool.groups(connection), slot.throttle);
        slot.wishes.send_if_modified(|wish| {
            let other = wish.groups != groups;
            if other {
                *wish = Desired {
                    version: wish.version + 1,
                    groups,
                    purpose,
                    since: Instant::now(),
                    epoch: wish.epoch,
                    run: wish.run.clone(),
                };
            }
            other
        });
        slot.wishes.borrow().version
    }

    fn report(&mut self, connection: usize, report: Report) {
        let groups = self.pool.groups(connection);
        let Some(slot) = self.slots.get_mut(connection) else { return };
        match report {
            Report::State { state, cause } => {
                slot.state = state;
                slot.since_ms = unix_ms();
                slot.cause.clone_from(&cause);
                self.event(StreamEventKind::State { connection, state, cause, groups });
            }
            Report::Sent { version } => slot.sent = version,
            Report::Opened => slot.opened += 1,
            Report::Lost => slot.active = 0,
            Report::Active { version, after } => {
                slot.active = version;
                if slot.wishes.borrow().version == version {
                    slot.good = Some((groups, slot.throttle));
                }
                let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                self.event(StreamEventKind::Activated { connection, version, after_ms });
            }
            Report::Gap(gap) => {
                if !gap.repaired {
                    tracing::warn!(?gap, "slots were missed");
                }
                self.event(StreamEventKind::Gap(gap));
            }
            Report::FilterRejected { version, cause } => self.rejected(connection, version, &cause),
            Report::TokenRefused { cause } => {
                self.token_refused = Some(cause.clone());
                for slot in &self.slots {
                    slot.wishes.send_modify(|wish| wish.run = Run::Stop(cause.clone()));
                }
            }
            Report::Ended { panic } => {
                if let Some(thread) = slot.thread.take() {
                    // It reported as its last act, so this does not wait; a panic was caught and came with the report.
                    let _ = thread.join();
                }
                slot.state = ConnectionState::Stopped;
                slot.since_ms = unix_ms();
                slot.active = 0;
                if let Some(text) = panic {
                    let cause: Arc<str> = format!("the connection thread failed: {text}").into();
                    slot.cause = Some(cause.clone());
                    tracing::error!(connection, %cause, "a connection thread panicked");
                    let state = ConnectionState::Stopped;
                    self.event(StreamEventKind::State { connection, state, cause: Some(cause), groups });
                }
            }
        }
    }

    /// The server refuses a filter set: back to the last one in force, or stop where there is none.
    fn rejected(&mut self, connection: usize, version: u32, cause: &Arc<str>) {
        if let Some(migration) = self.migration.take() {
            if migration.awaited.iter().any(|(target, _)| *target == connection) {
                self.abandon(&migration);
            } else {
                self.migration = Some(migration);
            }
        }
        let assigned = self.pool.groups(connection);
        if let Some(slot) = self.slots.get_mut(connection) {
            match slot.good {
                Some((groups, throttle)) if groups == assigned => {
                    slot.throttle = throttle;
                    let groups = throttled(groups, throttle);
                    slot.wishes.send_modify(|wish| {
                        wish.version = wish.version.max(version) + 1;
                        wish.groups = groups;
                        wish.since = Instant::now();
                    });
                }
                _ => slot.wishes.send_modify(|wish| wish.run = Run::Stop(cause.clone())),
            }
        }
        self.refuse(format!("connection {connection}: {cause}"));
    }

    fn stopped(&self, connection: usize) -> bool {
        self.slots.get(connection).is_none_or(|slot| slot.state == ConnectionState::Stopped || slot.thread.is_none())
    }

    fn refuse(&mut self, why: String) {
        tracing::warn!(%why, "refused");
        self.event(StreamEventKind::Refused(why.into()));
    }

    fn event(&mut self, kind: StreamEventKind) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(StreamEvent { seq: self.seq, at_ms: unix_ms(), kind });
        self.seq += 1;
    }

    fn status(&self) -> StreamStatus {
        let connections = self.slots.iter().enumerate().map(|(id, slot)| self.connection(id, slot)).collect();
        StreamStatus {
            connections,
            budget: self.gate.status(unix_ms()),
            events: self.events.iter().cloned().collect(),
            proposal: self.pool.propose(&self.loads, &self.settings.budget),
            finished: (0..self.slots.len()).all(|id| self.stopped(id)),
            token_refused: self.token_refused.clone(),
        }
    }

    fn connection(&self, id: usize, slot: &Slot) -> ConnectionStatus {
        let last = slot.last_message.load(Ordering::Relaxed);
        ConnectionStatus {
            id,
            endpoint: self.settings.endpoint.host.clone(),
            state: slot.state,
            since_ms: slot.since_ms,
            cause: slot.cause.clone(),
            groups: self.pool.groups(id),
            throttle: slot.throttle,
            filter_version: slot.sent,
            active_version: slot.active,
            reconnects: slot.opened.saturating_sub(1),
            last_message_ms: (last > 0).then_some(last),
            permits_in_window: self.gate.used_by(id),
        }
    }
}

fn unique(ids: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut ids: Vec<usize> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn panic_text(payload: &(dyn Any + Send)) -> Arc<str> {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").into()
}

fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
