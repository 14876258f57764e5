//! Makes everything that streams are made of: budgets, threads, channels, and the supervisor over them.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, thread, time::Duration};

use futures_util::FutureExt as _;
use secrecy::ExposeSecret;
use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
    task::{self, JoinHandle},
    time::Instant,
};

use super::{
    Resume, Sink, StreamError, StreamSettings,
    connection::{Connection, Place},
    failover::Failover,
    gate::{self, Gate},
    ledger::StreamLedger,
    machine::{Machine, Runner},
    permit_file::ledger_key,
    permits::Place as LedgerPlace,
    plan::SubscriptionBuilder,
    pool::{ConnectionPool, MAX_CONNECTIONS},
    recovery::Recovery,
    share::Shares,
    slot::{Running, Slot},
    status::{Control, Purpose, StreamStatus},
    supervisor::Supervisor,
    vitals::Vitals,
    wish::{Desired, Report, Run},
};

/// Requests and reports that may wait.
const QUEUE: usize = 256;
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
    machine: &Machine,
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
    SubscriptionBuilder::new(1, settings.commitment).groups(all, &settings.rules).proof(settings.proof).build()?;
    let spawner = runtime::Handle::try_current().map_err(|_| StreamError::NoRuntime)?;
    let pool = ConnectionPool::new(settings.connections, settings.groups.iter().copied())
        .with_standby(settings.standby_groups());
    let places = places(&settings)?;
    let settings = Arc::new(settings);
    let (reports, incoming) = mpsc::channel(QUEUE);
    let mut slots = Vec::with_capacity(settings.streams());
    for id in 0..settings.streams() {
        let groups = pool.groups(id);
        let endpoints = ring(&places, pool.is_standby(id), settings.streams() > settings.connections);
        let first = endpoints.first().ok_or(StreamError::Budget)?;
        let place = first.index;
        // What the standby missed while the program did not run is asked for by the others.
        let resume = if pool.is_standby(id) { Resume::Fresh } else { settings.resume.clone() };
        let (wishes, desired) = watch::channel(Desired {
            version: 1,
            groups,
            mints: Arc::default(),
            purpose: Purpose::Start,
            since: Instant::now(),
            epoch: 0,
            taken: Vec::new(),
            sheds: false,
            run: Run::Go,
        });
        let vitals = Arc::new(Vitals::new());
        let connection = Connection {
            id,
            machine: machine.clone(),
            settings: first.settings.clone(),
            gate: first.gate.clone(),
            failover: Failover::new(endpoints.len()),
            max_keys: usize::MAX,
            desired,
            reports: reports.clone(),
            sink: make_sink(id),
            batches: batches.clone(),
            vitals: vitals.clone(),
            recovery: Recovery::new(id, settings.recover).resuming(resume),
            ledger: StreamLedger::new(settings.proof),
            shares: Shares::default(),
            taking: Vec::new(),
            taken: 0,
            endpoints,
        };
        let running = match machine.runner {
            Runner::Threads => Running::Thread(spawn(connection)?),
            Runner::LocalTasks => {
                task::spawn_local(run_and_report(connection));
                Running::Task
            }
        };
        slots.push(Slot::new(wishes, vitals, place, running, machine.unix_ms()));
    }
    let (control, requests) = mpsc::channel(QUEUE);
    let (closing, closed) = oneshot::channel();
    let mut supervisor = Supervisor::new(machine.clone(), settings, places.clone(), pool, slots);
    let (publish, status) = watch::channel(Arc::new(supervisor.status()));
    let task = spawner.spawn(async move { supervisor.run(requests, incoming, closed, publish).await });
    Ok(Started { control, status, closing, task })
}

/// Every endpoint, each with its own budget.
fn places(settings: &StreamSettings) -> std::io::Result<Arc<[Place]>> {
    let all = std::iter::once(&settings.endpoint).chain(&settings.failover);
    all.enumerate()
        .map(|(index, endpoint)| {
            let settings = StreamSettings { endpoint: endpoint.clone(), failover: Vec::new(), ..settings.clone() };
            Ok(Place { index, gate: gate(&settings)?, settings: Arc::new(settings) })
        })
        .collect()
}

/// The endpoints of one connection, the preferred one first. The standby begins with the second and leaves the first to
/// the others; they go to its last of all.
fn ring(places: &[Place], standby: bool, beside_standby: bool) -> Arc<[Place]> {
    let (first, others) = (places.iter().take(1), places.iter().skip(1));
    if standby {
        return others.cloned().collect();
    }
    let turned = if beside_standby { others.clone().count().min(1) } else { 0 };
    first.chain(others.clone().skip(turned)).chain(others.take(turned)).cloned().collect()
}

/// The gate, with a shared ledger where there is a folder for it.
fn gate(settings: &StreamSettings) -> std::io::Result<Gate> {
    let Some(folder) = &settings.ledger else { return Ok(Gate::new(settings.budget)) };
    let token = settings.endpoint.x_token.as_ref().map_or("", |token| token.expose_secret());
    let place = LedgerPlace {
        folder: folder.clone(),
        key: ledger_key(&settings.endpoint.host, token),
        longest_call: settings.connect_timeout + settings.subscribe_timeout + CALL_MARGIN + gate::LATE,
    };
    Gate::shared(settings.budget, place)
}

/// A thread with its own runtime for one connection. Its end is reported, also when it is a panic.
fn spawn<S: Sink>(connection: Connection<S>) -> Result<thread::JoinHandle<()>, StreamError> {
    let (id, reports) = (connection.id, connection.reports.clone());
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = thread::Builder::new().name(format!("stream-{id}")).spawn(move || {
        let ended = runtime.block_on(life(connection));
        drop(runtime);
        // Without a supervisor nobody is left to tell.
        let _ = reports.blocking_send((id, ended));
    })?;
    Ok(thread)
}

/// A connection from its beginning to its end, which is reported.
async fn run_and_report<S: Sink>(connection: Connection<S>) {
    let (id, reports) = (connection.id, connection.reports.clone());
    let ended = life(connection).await;
    // Without a supervisor nobody is left to tell.
    let _ = reports.send((id, ended)).await;
}

async fn life<S: Sink>(connection: Connection<S>) -> Report {
    let outcome = AssertUnwindSafe(connection.run()).catch_unwind().await;
    Report::Ended { panic: outcome.err().map(|payload| panic_text(payload.as_ref())) }
}

fn panic_text(payload: &(dyn Any + Send)) -> Arc<str> {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").into()
}
