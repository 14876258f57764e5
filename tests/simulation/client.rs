//! The streams as a program would use them: what arrives is told once, the watchdog is fed, a stopped connection is asked
//! to try again.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    hash::{DefaultHasher, Hash},
    ops::Range,
    rc::Rc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use smart_stream_tui::{
    chain::{
        group::{Group, GroupSet, Groups},
        ids::Mint,
        wire::{Kind, Update, WireError},
    },
    market::{Market, input::Transaction},
    stream::{
        Arrival, Control, Endpoint, Gap, Machine, OnEnd, ProofMode, Resume, Share, Sink, SlotRecord, Standby,
        StreamSettings, Streams,
        balancer::ConnectionLoad,
        completeness::{Completeness, SlotProof},
        machine::{Network, Runner},
        plan::throttled,
        status::{ConnectionState, ConnectionStatus, StreamEventKind},
    },
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    chain::{Signature, TOKEN},
    hour::Hour,
    network,
};

/// Where the servers are.
pub(crate) const SERVER: &str = "server";
pub(crate) const SECOND: &str = "second";
pub(crate) const PORT: u16 = 10_000;
/// By so much the time of day is set at most.
const MOST_SET: Duration = Duration::from_secs(3_600);
/// After this long a stopped connection is asked to try again.
const STOPPED_FOR: Duration = Duration::from_secs(60);

/// What one connection says, in order.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Transaction(u64, Signature),
    Slot(SlotRecord, Share),
    Gap(Gap, GroupSet),
    TakenOver(usize, u64),
}

pub(crate) struct Keep {
    connection: usize,
    told: Vec<Told>,
}

impl Sink for Keep {
    type Batch = (usize, Vec<Told>);

    fn on_update(&mut self, _: &Bytes, update: &Update<'_>, _: Arrival) {
        if let Kind::Transaction(transaction) = &update.kind {
            self.told.push(Told::Transaction(transaction.slot, *transaction.signature));
        }
    }

    fn on_slot(&mut self, record: &SlotRecord, share: Share) {
        self.told.push(Told::Slot(*record, share));
    }

    fn on_gap(&mut self, gap: &Gap, needs: GroupSet) {
        self.told.push(Told::Gap(*gap, needs));
    }

    fn on_taken_over(&mut self, connection: usize, from_slot: u64) {
        self.told.push(Told::TakenOver(connection, from_slot));
    }

    fn on_bad_frame(&mut self, _: &Bytes, error: WireError, _: Arrival) {
        panic!("{error}");
    }

    fn take_batch(&mut self) -> Option<Self::Batch> {
        (!self.told.is_empty()).then(|| (self.connection, std::mem::take(&mut self.told)))
    }
}

/// What came out.
pub(crate) struct Received {
    /// How often each transaction of each slot was accepted as new.
    pub(crate) accepted: BTreeMap<(u64, Signature), u32>,
    pub(crate) repeats: u64,
    pub(crate) gaps: Vec<Gap>,
    /// What is made of all that.
    completeness: Completeness,
    /// How the slots stand, each time anew when that changes.
    pub(crate) proofs: Vec<SlotProof>,
    /// First slot that a connection had from its beginning.
    pub(crate) since: BTreeMap<usize, u64>,
    /// The carriers that each group has had.
    pub(crate) carriers: BTreeMap<usize, Vec<usize>>,
    /// When a group was asked for by nobody, because we were too slow.
    pub(crate) shed: Vec<(Group, Range<Duration>)>,
    /// When only the token was asked for.
    pub(crate) narrowed: Vec<Range<Duration>>,
    /// When a connection gave its stream up, since the start.
    pub(crate) given_up: Vec<Duration>,
    /// The states in the end, with their causes.
    pub(crate) states: Vec<(ConnectionState, String)>,
    /// When each connection was live last.
    pub(crate) live_at: BTreeMap<usize, Duration>,
    pub(crate) closed_in_time: bool,
    pub(crate) trace: DefaultHasher,
}

impl Received {
    pub(crate) fn new(hour: &Hour) -> Self {
        let mut completeness = Completeness::new(hour.proof);
        completeness.expect_standby(hour.standby_id());
        Self {
            accepted: BTreeMap::new(),
            repeats: 0,
            gaps: Vec::new(),
            completeness,
            proofs: Vec::new(),
            since: BTreeMap::new(),
            carriers: BTreeMap::new(),
            shed: Vec::new(),
            narrowed: Vec::new(),
            given_up: Vec::new(),
            states: Vec::new(),
            live_at: BTreeMap::new(),
            closed_in_time: false,
            trace: DefaultHasher::new(),
        }
    }
}

/// Which groups are asked for, and whether what is asked for is in force.
#[derive(Default)]
struct Asked {
    /// Newest version that each connection had in force.
    newest: BTreeMap<usize, u32>,
    /// The version after which the asking connection has the group.
    after: BTreeMap<(usize, usize), u32>,
    shed_since: BTreeMap<usize, Duration>,
}

impl Asked {
    fn look(&mut self, connections: &[ConnectionStatus], now: Duration, shed: &mut Vec<(Group, Range<Duration>)>) {
        for group in Group::BUILT_IN {
            let (mut asked, mut served) = (false, false);
            for one in connections {
                let newest = self.newest.entry(one.id).or_default();
                if throttled(one.groups, one.throttle).contains(group) {
                    let after = *self.after.entry((one.id, group.index())).or_insert(one.filter_version.max(*newest));
                    (asked, served) = (true, served || one.active_version > after);
                } else {
                    self.after.remove(&(one.id, group.index()));
                }
            }
            if served && let Some(since) = self.shed_since.remove(&group.index()) {
                shed.push((group, since..now));
            } else if !asked {
                self.shed_since.entry(group.index()).or_insert(now);
            }
        }
        for one in connections {
            let newest = self.newest.entry(one.id).or_default();
            *newest = one.active_version.max(*newest);
        }
    }
}

thread_local! {
    /// By how many seconds somebody has set the client's time of day.
    static SET_BY: Cell<i64> = const { Cell::new(0) };
}

/// Somebody has set the time of day on by this.
pub(crate) fn set_on(by: Duration) {
    SET_BY.set(SET_BY.get() + i64::try_from(by.as_secs()).unwrap());
}

fn set_clock() -> SystemTime {
    let by = SET_BY.get();
    let set = Duration::from_secs(by.unsigned_abs());
    // The hour begins late enough for any of it.
    let base = simulated_clock() + MOST_SET;
    if by < 0 { base - set } else { base + set }
}

fn simulated_clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + turmoil::since_epoch().unwrap_or_default()
}

pub(crate) fn clock() -> fn() -> SystemTime {
    simulated_clock
}

fn settings(hour: &Hour) -> StreamSettings {
    let endpoint = |host: &str| Endpoint { url: format!("http://{host}:{PORT}"), host: host.into(), x_token: None };
    StreamSettings {
        endpoint: endpoint(SERVER),
        failover: if hour.standby == Standby::Off { Vec::new() } else { vec![endpoint(SECOND)] },
        standby: hour.standby,
        connections: hour.connections,
        groups: Group::BUILT_IN.to_vec(),
        accounts: Vec::new(),
        rules: Groups::default(),
        budget: hour.budget,
        commitment: 0,
        keepalive_interval: Duration::from_secs(20),
        keepalive_timeout: Duration::from_secs(5),
        window_bytes: 8 << 20,
        max_message_bytes: 64 << 10,
        connect_timeout: Duration::from_secs(5),
        subscribe_timeout: Duration::from_secs(10),
        silence_timeout: Duration::from_secs(35),
        backoff: (Duration::from_millis(500), Duration::from_secs(30)),
        zstd: false,
        on_end: OnEnd::Reconnect,
        ledger: None,
        checkpoint: None,
        resume: Resume::Fresh,
        recover: true,
        proof: hour.proof,
        balance: hour.moves,
        rest: Duration::from_secs(60),
        update_spacing: Duration::from_secs(2),
    }
}

/// Runs the streams for as long as the hour lasts.
pub(crate) async fn run(hour: Hour, received: Rc<RefCell<Received>>) {
    let machine = Machine {
        network: Network::Own(network::dial()),
        clock: set_clock,
        seed: Some(hour.seed),
        runner: Runner::LocalTasks,
    };
    let (sender, mut batches) = mpsc::channel(1_024);
    let keep = |connection| Keep { connection, told: Vec::new() };
    let streams = Streams::start_on(machine, settings(&hour), keep, sender).expect("started");
    let mut status = streams.status();
    let mut market = Market::default();
    let started = Instant::now();
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut random = fastrand::Rng::with_seed(hour.seed ^ 0x7573_6572);
    // What came later has a source of its own: the rest of an hour stays what it was.
    let mut later = fastrand::Rng::with_seed(hour.seed ^ 0x6e61_7272);
    SET_BY.set(0);
    let mut narrowed_since = None;
    let mut live_at = BTreeMap::new();
    let mut newest_event = None;
    let mut asked = Asked::default();
    let mut stopped_since: BTreeMap<usize, Instant> = BTreeMap::new();
    while started.elapsed() < hour.length {
        tokio::select! {
            biased;
            _ = seconds.tick() => {
                let connections = (0..hour.streams())
                    .map(|connection| ConnectionLoad { connection, bytes_per_s: 1_000.0, busy: None, queue_fill: 0.0 })
                    .collect();
                let _ = streams.control().send(Control::Loads { groups: Vec::new(), connections }).await;
                let now = status.borrow().clone();
                for connection in &now.connections {
                    if connection.state != ConnectionState::Stopped {
                        stopped_since.remove(&connection.id);
                    } else if stopped_since.entry(connection.id).or_insert_with(Instant::now).elapsed() >= STOPPED_FOR {
                        stopped_since.remove(&connection.id);
                        let _ = streams.control().send(Control::Reconnect { connection: connection.id }).await;
                    }
                }
                let calm = started.elapsed() >= hour.calm_from;
                if !calm && random.u32(0..900) == 0 {
                    let connection = random.usize(..hour.connections);
                    let _ = streams.control().send(Control::Reconnect { connection }).await;
                }
                if later.u32(0..600) == 0 {
                    SET_BY.set(later.i64(-3_600..=3_600));
                }
                if !calm && hour.moves && later.u32(0..150) == 0 {
                    let mints = if now.narrowed_to.is_empty() { vec![Mint::new(TOKEN)] } else { Vec::new() };
                    let _ = streams.control().send(Control::Narrow { mints }).await;
                }
                if !calm && hour.moves && random.u32(0..120) == 0 {
                    let group = Group::BUILT_IN[random.usize(..Group::BUILT_IN.len())];
                    let carries = |groups: &GroupSet| groups.contains(group);
                    let from = now.connections.iter().find(|one| carries(&one.groups)).map(|one| one.id);
                    let to = random.usize(..hour.connections);
                    if let Some(from) = from {
                        let moves = vec![smart_stream_tui::stream::status::Move { group, from, to }];
                        let _ = streams.control().send(Control::Rebalance { reason: "manual", moves }).await;
                    }
                }
            }
            batch = batches.recv() => {
                let Some((connection, told)) = batch else { break };
                take(&mut received.borrow_mut(), &mut market, connection, told);
            }
            _ = status.changed() => {
                let now = status.borrow_and_update().clone();
                let mut received = received.borrow_mut();
                let since = turmoil::sim_elapsed().unwrap_or_default();
                if now.connections.iter().any(|one| one.narrowed) {
                    narrowed_since.get_or_insert(since);
                } else if let Some(began) = narrowed_since.take() {
                    received.narrowed.push(began..since);
                }
                asked.look(&now.connections, turmoil::sim_elapsed().unwrap_or_default(), &mut received.shed);
                for connection in &now.connections {
                    if connection.state == ConnectionState::Live {
                        live_at.insert(connection.id, started.elapsed());
                    }
                    for group in connection.groups.iter() {
                        let carriers = received.carriers.entry(group.index()).or_default();
                        if !carriers.contains(&connection.id) {
                            carriers.push(connection.id);
                        }
                    }
                }
                for event in now.events.iter().filter(|event| newest_event.is_none_or(|seq| event.seq > seq)) {
                    (event.seq, event.at_ms).hash(&mut received.trace);
                    match &event.kind {
                        StreamEventKind::State { connection, state, cause, .. } => {
                            if *state == ConnectionState::BackingOff {
                                received.given_up.push(started.elapsed());
                            }
                            if hour.tells {
                                println!("{:9.3} {connection} {state:?} {cause:?}", started.elapsed().as_secs_f64());
                            }
                            (connection, state.name(), cause.as_deref()).hash(&mut received.trace);
                        }
                        other => {
                            if hour.tells {
                                println!("{:9.3} {}", started.elapsed().as_secs_f64(), other.words(&Groups::default()));
                            }
                        }
                    }
                }
                newest_event = now.events.last().map(|event| event.seq).or(newest_event);
            }
        }
    }
    let end = started.elapsed();
    let state_of = |one: &ConnectionStatus| {
        // One that broke a moment ago is on its way back.
        let was_live = live_at.get(&one.id).is_some_and(|at| end - *at < Duration::from_secs(10));
        (if was_live { ConnectionState::Live } else { one.state }, format!("{:?}", one.cause))
    };
    received.borrow_mut().states = status.borrow().connections.iter().map(state_of).collect();
    received.borrow_mut().live_at = live_at;
    for (group, since) in asked.shed_since {
        received.borrow_mut().shed.push((Group::BUILT_IN[group], since..Duration::MAX));
    }
    received.borrow_mut().narrowed.extend(narrowed_since.map(|since| since..Duration::MAX));
    let closing = Instant::now();
    let drain = async { while batches.recv().await.is_some() {} };
    tokio::join!(streams.close(), drain);
    received.borrow_mut().closed_in_time = closing.elapsed() < Duration::from_secs(5);
}

fn take(received: &mut Received, market: &mut Market, connection: usize, told: Vec<Told>) {
    let now = turmoil::sim_elapsed();
    for told in told {
        match told {
            Told::Transaction(slot, signature) => {
                (now, connection, slot, signature).hash(&mut received.trace);
                let transaction = Transaction {
                    slot,
                    signature: signature.into(),
                    bytes: 0,
                    failed: false,
                    groups: GroupSet::EMPTY,
                    tally: smart_stream_tui::decode::Tally::default(),
                    events: 0,
                    undecoded: 0,
                    transfers: 0,
                    attempts: 0,
                };
                if market.is_new(&transaction) {
                    *received.accepted.entry((slot, signature)).or_insert(0) += 1;
                } else {
                    received.repeats += 1;
                }
            }
            Told::Slot(record, share) => {
                (now, connection, record.slot, record.matched, record.lost).hash(&mut received.trace);
                received.completeness.record(connection, record, share, &mut received.proofs);
                if record.whole {
                    received.since.entry(connection).or_insert(record.slot);
                }
            }
            Told::Gap(gap, needs) => {
                (now, connection, gap.from_slot, gap.to_slot, gap.repaired).hash(&mut received.trace);
                received.completeness.gap(&gap, needs, &mut received.proofs);
                received.gaps.push(gap);
            }
            Told::TakenOver(connection, from) => {
                received.completeness.taken_over(connection, from, &mut received.proofs);
            }
        }
    }
}

/// Whether the proof sees a transaction that was dropped with its status.
pub(crate) fn sees_drops(proof: ProofMode) -> bool {
    proof == ProofMode::Block
}
