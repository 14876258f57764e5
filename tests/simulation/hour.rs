//! One hour, or a part of one: what goes wrong in it, drawn from the seed, and the run.

use std::{
    cell::{Cell, RefCell},
    hash::Hasher,
    rc::Rc,
    time::Duration,
};

use smart_stream_tui::{
    simulator::{
        fault::{Fault, FaultKind, FaultPlan},
        server::{OracleEntry, Pace, Server, ServerSettings},
    },
    stream::{BudgetRules, ProofMode, Standby},
};
use tonic::Code;

use crate::{
    chain::{Chain, Made},
    client::{self, PORT, Received, SECOND, SERVER, sees_drops},
    network,
    verdict::judge,
};

/// Bytes arrive at whole ticks, timers in between: fine against round trips of up to 100 ms.
const TICK: Duration = Duration::from_millis(10);
/// Nothing goes wrong before this: everyone has joined by then.
const QUIET_START: Duration = Duration::from_secs(20);
/// Nothing goes wrong any more for so long: every freeze, delay and repair is over by the end.
const CALM_END: Duration = Duration::from_secs(240);

/// What the network does, between all connections and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// Everything is lost.
    Partition,
    /// Only what is for the server is lost.
    Upwards,
    /// Only what is for the streams is lost.
    Downwards,
    /// Everything waits and then comes at once.
    Hold,
    /// The server is gone, with all it remembers.
    Crash,
    /// Our machine sleeps for this long: of its own time nothing passes, of the world's and the time of day all of it.
    Suspend(Duration),
}

#[derive(Clone, Debug)]
pub(crate) struct Hour {
    pub(crate) seed: u64,
    pub(crate) length: Duration,
    pub(crate) calm_from: Duration,
    pub(crate) connections: usize,
    pub(crate) proof: ProofMode,
    /// Whether groups move between connections.
    pub(crate) moves: bool,
    /// The provider's rule, and what is made of it.
    pub(crate) budget: BudgetRules,
    /// Streams the provider allows at a time.
    max_streams: Option<u32>,
    pub(crate) slot: Duration,
    replay_slots: usize,
    /// Whether the server replays in a stream that is live, or at its beginning only.
    replays_later: bool,
    latency: Duration,
    faults: Vec<Fault>,
    breaks: Vec<(Duration, Duration, Break)>,
    /// Whether there is a second endpoint, and what it brings beside the first.
    pub(crate) standby: Standby,
    /// What goes wrong there.
    second_faults: Vec<Fault>,
    second_breaks: Vec<(Duration, Duration, Break)>,
    /// Whether to tell what happens.
    pub(crate) tells: bool,
}

/// What an hour came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    /// Hash of everything that came out, with its time.
    pub(crate) trace: u64,
    /// Transactions that had to arrive or be declared.
    pub(crate) executed: u64,
    /// Of those, missing ones whose slots were declared.
    pub(crate) declared: u64,
    pub(crate) gaps: u64,
    /// Streams the server accepted.
    pub(crate) streams: u64,
    pub(crate) repeats: u64,
    pub(crate) most_in_a_window: u64,
    /// When connections gave their streams up.
    pub(crate) given_up: Vec<Duration>,
    /// Whether that is all that may be spent without the reserve.
    pub(crate) pressed: bool,
    /// What should not be.
    pub(crate) wrong: Vec<String>,
}

fn seconds(random: &mut fastrand::Rng, from: u64, to: u64) -> Duration {
    Duration::from_millis(random.u64(from * 1_000..to * 1_000))
}

fn status(random: &mut fastrand::Rng) -> FaultKind {
    let (code, message) = [
        (Code::Unavailable, "server is shutting down try again later"),
        (Code::Unknown, "h2 protocol error: error reading a body from connection"),
        (Code::Internal, "something broke"),
        (Code::DataLoss, "Client could not keep up"),
        (Code::Aborted, ""),
        (Code::Cancelled, ""),
        (Code::DeadlineExceeded, ""),
        (Code::ResourceExhausted, "rate limit exceeded"),
        (Code::ResourceExhausted, "max subscription limit exceeded"),
        (Code::PermissionDenied, "Maximum connection count reached"),
        (Code::PermissionDenied, "your plan has ended"),
        (Code::Unauthenticated, "No valid auth token"),
        (Code::InvalidArgument, "failed to create filter: Invalid Base58 string"),
        (Code::Internal, "failed to get replay response"),
        (Code::OutOfRange, "broadcast from 5 is not available, last available: 9"),
        (Code::Unavailable, "grpc-status header missing, mapped from HTTP status code 429"),
    ][random.usize(..16)];
    let pushback = (random.u8(..) < 30).then(|| seconds(random, 1, 90));
    let after = if random.bool() { 0 } else { random.u64(..40) };
    FaultKind::Status { code, message: message.to_owned(), pushback, after }
}

/// A provider's rule. Most are so tight that an outage of a minute comes to the limit: where nothing else holds the
/// attempts back, the limiter alone keeps it.
fn budget(random: &mut fastrand::Rng, connections: usize) -> BudgetRules {
    let (cost_new, cost_update) = [(1, 1), (1, 1), (1, 0), (2, 1)][random.usize(..4)];
    // Every connection can start and be repaired out of what is not kept for recovery.
    let least = u32::try_from(connections).unwrap() * (cost_new + cost_update) + 2;
    let limit = if random.u8(..) < 64 { 100 } else { random.u32(least..least + 12) };
    let window = if random.bool() { Duration::from_secs(60) } else { seconds(random, 20, 90) };
    let per_connection = if random.bool() { limit } else { 15.min(limit.div_ceil(2)).max(cost_new + cost_update) };
    BudgetRules { limit, window, reserve: 20.min(limit / 5), per_connection, cost_new, cost_update }
}

/// A fault, and how long it may last at most.
fn fault(random: &mut fastrand::Rng, drops: bool) -> (FaultKind, Option<(u64, u64)>) {
    match random.u32(0..if drops { 17 } else { 16 }) {
        0 => (FaultKind::Reset { after_bytes: if random.bool() { 0 } else { random.u64(1..5_000) } }, None),
        1 => (FaultKind::Close { after: random.u64(..20) }, random.bool().then_some((1, 60))),
        2 => (FaultKind::Blackhole { down: true, up: random.bool() }, Some((1, 90))),
        3 => (FaultKind::Blackhole { down: false, up: true }, Some((1, 90))),
        4 => (FaultKind::Stall, Some((1, 90))),
        5 => {
            let by = Duration::from_millis(random.u64(50..3_000));
            (FaultKind::Delay { by, jitter: by.mul_f64(random.f64()) }, Some((5, 120)))
        }
        6 => (FaultKind::Rate { bytes_per_s: random.u64(100..4_000) }, Some((5, 90))),
        7 => (FaultKind::Slice { bytes: random.usize(1..40) }, Some((5, 60))),
        8 | 9 => (status(random), random.bool().then_some((1, 120))),
        10 => {
            let code = [0, 2, 11][random.usize(..3)];
            (FaultKind::Goaway { code, grace: random.bool().then(|| seconds(random, 1, 20)) }, None)
        }
        11 => (FaultKind::Duplicate { share: random.f64() }, Some((5, 200))),
        12 => (FaultKind::Reorder { share: random.f64() }, Some((5, 200))),
        13 => (FaultKind::DeadSlot, random.bool().then_some((1, 4))),
        14 => match random.u32(0..3) {
            0 => (FaultKind::Limit { pushback: random.bool().then(|| seconds(random, 1, 90)) }, Some((1, 60))),
            1 => (FaultKind::ReplayGone, random.bool().then_some((1, 60))),
            _ => (FaultKind::Oversize { bytes: random.usize(60_000..200_000) }, None),
        },
        15 => (FaultKind::Lagged { after: random.u64(..20) }, random.bool().then_some((1, 30))),
        _ => (FaultKind::Drop { share: 0.01 + 0.1 * random.f64(), all: false }, Some((5, 120))),
    }
}

/// What the network does, from the quiet start to the calm end.
fn some_breaks(random: &mut fastrand::Rng, calm_from: Duration) -> Vec<(Duration, Duration, Break)> {
    let mut breaks = Vec::new();
    let mut at = QUIET_START + seconds(random, 1, 300);
    while at < calm_from - Duration::from_secs(130) {
        let most = [1_000, 10_000, 120_000][random.usize(..3)];
        let lasts = Duration::from_millis(random.u64(100..most));
        let kinds = [Break::Partition, Break::Upwards, Break::Downwards, Break::Hold, Break::Crash];
        breaks.push((at, lasts, kinds[random.usize(..kinds.len())]));
        at += lasts + seconds(random, 1, 900);
    }
    breaks
}

impl Hour {
    pub(crate) fn new(seed: u64, minutes: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let length = Duration::from_secs(60 * minutes);
        let calm_from = length - CALM_END;
        let proof = [ProofMode::Chain, ProofMode::Filters, ProofMode::Block][random.usize(..3)];
        let connections = random.usize(1..4);
        let within = |random: &mut fastrand::Rng| seconds(random, QUIET_START.as_secs(), calm_from.as_secs());
        let count = random.u64(10..60) * minutes / 60;
        let mut faults: Vec<Fault> = (0..count)
            .map(|_| {
                let at = within(&mut random);
                let (kind, lasts) = fault(&mut random, sees_drops(proof));
                let lasts = lasts.map(|(from, to)| seconds(&mut random, from, to).min(calm_from - at));
                let one = random.bool().then(|| random.usize(1..=connections));
                // A slot is the whole chain's.
                let connection = if matches!(kind, FaultKind::DeadSlot | FaultKind::ReplayGone) { None } else { one };
                Fault { at, lasts, connection, kind }
            })
            .collect();
        // The server takes every call and ends it: what costs the most.
        for _ in 0..=minutes / 20 {
            let at = within(&mut random);
            let lasts = Some(seconds(&mut random, 30, 240).min(calm_from - at));
            faults.push(Fault { at, lasts, connection: None, kind: FaultKind::Close { after: random.u64(..3) } });
        }
        faults.sort_by_key(|fault| fault.at);
        let breaks = some_breaks(&mut random, calm_from);
        // What came later has a source of its own: the rest of an hour stays what it was.
        let mut later = fastrand::Rng::with_seed(seed ^ 0x7374_6279);
        let standby = [Standby::Off, Standby::Off, Standby::High, Standby::All][later.usize(..4)];
        let (mut second_faults, mut second_breaks) = (Vec::new(), Vec::new());
        if standby != Standby::Off {
            // Both tell of the same chain: what dies on one server dies on the other.
            faults.retain(|fault| fault.kind != FaultKind::DeadSlot);
            for _ in 0..faults.len() / 2 {
                let at = within(&mut later);
                let (kind, lasts) = fault(&mut later, sees_drops(proof));
                let lasts = lasts.map(|(from, to)| seconds(&mut later, from, to).min(calm_from - at));
                let connection = later.bool().then_some(1).filter(|_| kind != FaultKind::ReplayGone);
                if kind != FaultKind::DeadSlot {
                    second_faults.push(Fault { at, lasts, connection, kind });
                }
            }
            second_faults.sort_by_key(|fault| fault.at);
            second_breaks = some_breaks(&mut later, calm_from);
        }
        let max_streams = random.bool().then(|| u32::try_from(connections).unwrap() + random.u32(..2));
        Self {
            seed,
            budget: budget(&mut random, connections),
            max_streams,
            length,
            calm_from,
            connections,
            proof,
            moves: random.bool(),
            slot: Duration::from_millis([400, 1_000, 2_000][random.usize(..3)]),
            replay_slots: [0, 20, 150, 150, 150, 1_000][random.usize(..6)],
            replays_later: seed % 4 != 3,
            latency: Duration::from_millis(random.u64(1..50)),
            faults,
            breaks,
            standby,
            second_faults,
            second_breaks,
            tells: std::env::var_os("SIM_SEED").is_some(),
        }
    }

    /// An hour in which nothing happens but this.
    pub(crate) fn with(self, faults: Vec<Fault>, breaks: Vec<(Duration, Duration, Break)>) -> Self {
        Self { moves: false, faults, breaks, standby: Standby::Off, ..self }
    }

    /// The connection to the second endpoint.
    pub(crate) fn standby_id(&self) -> Option<usize> {
        (self.standby != Standby::Off).then_some(self.connections)
    }

    /// Streams in all.
    pub(crate) fn streams(&self) -> usize {
        self.connections + usize::from(self.standby_id().is_some())
    }

    /// The faults that are still to come for a server that starts now.
    fn plan(&self, faults: &[Fault], now: Duration) -> FaultPlan {
        let coming = faults.iter().filter(|fault| fault.at >= now);
        FaultPlan {
            seed: self.seed,
            faults: coming.map(|fault| Fault { at: fault.at - now, ..fault.clone() }).collect(),
        }
    }

    pub(crate) fn play(self) -> Outcome {
        let mut sim = turmoil::Builder::new()
            .rng_seed(self.seed)
            .epoch(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
            .simulation_duration(self.length * 2)
            .tick_duration(TICK)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(self.latency * 2)
            .tcp_capacity(4_096)
            .build();
        let first = Host::start(&mut sim, &self, SERVER, self.faults.clone());
        let second = self.standby_id().map(|_| Host::start(&mut sim, &self, SECOND, self.second_faults.clone()));
        let received = Rc::new(RefCell::new(Received::new(&self)));
        {
            let (hour, received) = (self.clone(), received.clone());
            sim.client("streams", async move {
                client::run(hour, received).await;
                Ok(())
            });
        }
        let mut breaks = Vec::new();
        for (host, ours) in std::iter::once((&first, &self.breaks)).chain(second.iter().zip([&self.second_breaks])) {
            for (at, lasts, what) in ours {
                breaks.extend([(*at, *what, true, host), (*at + *lasts, *what, false, host)]);
            }
        }
        breaks.sort_by_key(|(at, ..)| *at);
        let mut breaks = breaks.into_iter().peekable();
        loop {
            while let Some((_, what, begins, host)) = breaks.next_if(|(at, ..)| *at <= sim.elapsed()) {
                if self.tells {
                    let (at, word) = (sim.elapsed().as_secs_f64(), if begins { "begins" } else { "ends" });
                    println!("{at:9.3} {what:?} {word} at {}", host.name);
                }
                host.breaks(&mut sim, what, begins);
            }
            if sim.step().expect("the simulation goes on") {
                break;
            }
        }
        drop(breaks);
        let logs: Vec<Vec<OracleEntry>> = std::iter::once(first.log()).chain(second.iter().map(Host::log)).collect();
        let received = received.replace(Received::new(&self));
        let truth = first.chain.truth.lock().unwrap();
        if let Some(second) = &second {
            let theirs = second.chain.truth.lock().unwrap();
            let same = |(slot, made): (&u64, &Made)| theirs.slots.get(slot).is_none_or(|other| made.is_same(other));
            assert!(truth.slots.iter().all(same), "the servers tell of different chains");
        }
        let outcome = judge(&self, &truth, &received, &logs);
        Outcome { seed: self.seed, trace: received.trace.finish(), ..outcome }
    }
}

/// A server on its host, through crashes.
struct Host {
    name: &'static str,
    chain: Chain,
    server: Rc<RefCell<Option<Server>>>,
    down_since: Rc<Cell<Option<Duration>>>,
    /// So much more time has passed there.
    slept: Rc<Cell<Duration>>,
    /// Of servers that crashed.
    past: RefCell<Vec<OracleEntry>>,
}

impl Host {
    fn start(sim: &mut turmoil::Sim<'_>, hour: &Hour, name: &'static str, faults: Vec<Fault>) -> Self {
        let chain = Chain::new(hour.seed, hour.slot);
        let server: Rc<RefCell<Option<Server>>> = Rc::default();
        let down_since: Rc<Cell<Option<Duration>>> = Rc::default();
        let slept: Rc<Cell<Duration>> = Rc::default();
        let host = Self {
            name,
            chain: chain.clone(),
            server: server.clone(),
            down_since: down_since.clone(),
            slept: slept.clone(),
            past: RefCell::default(),
        };
        let (hour, faults) = (hour.clone(), Rc::new(faults));
        sim.host(name, move || {
            let (hour, faults) = (hour.clone(), faults.clone());
            let (chain, server, down_since) = (chain.clone(), server.clone(), down_since.clone());
            let slept = slept.clone();
            async move {
                let now = turmoil::sim_elapsed().unwrap_or_default();
                if let Some(since) = down_since.take() {
                    if hour.standby_id().is_some() {
                        // Both servers have a slot at the same time.
                        tokio::time::sleep(chain.unserved_until(now) - now).await;
                    } else {
                        chain.unserved(now - since + slept.take());
                    }
                }
                let settings = ServerSettings {
                    pace: Pace::Real,
                    replay_slots: hour.replay_slots,
                    replays_later: hour.replays_later,
                    max_streams: hour.max_streams,
                    faults: Some(hour.plan(&faults, now)),
                    clock: client::clock(),
                    ..ServerSettings::default()
                };
                let clients = network::clients(PORT).await?;
                *server.borrow_mut() = Some(Server::start_on(settings, Box::new(chain), clients));
                std::future::pending().await
            }
        });
        host
    }

    /// Begins or ends a break.
    fn breaks(&self, sim: &mut turmoil::Sim<'_>, what: Break, begins: bool) {
        match (what, begins) {
            (Break::Partition, true) => sim.partition("streams", self.name),
            (Break::Upwards, true) => sim.partition_oneway("streams", self.name),
            (Break::Downwards, true) => sim.partition_oneway(self.name, "streams"),
            (Break::Hold, true) => sim.hold("streams", self.name),
            (Break::Hold, false) => sim.release("streams", self.name),
            (Break::Upwards, false) => sim.repair_oneway("streams", self.name),
            (Break::Downwards, false) => sim.repair_oneway(self.name, "streams"),
            (Break::Partition, false) => sim.repair("streams", self.name),
            (Break::Crash, true) => {
                self.past.borrow_mut().extend(self.server.borrow_mut().take().iter().flat_map(Server::log));
                self.down_since.set(Some(sim.elapsed()));
                sim.crash(self.name);
            }
            (Break::Crash | Break::Suspend(_), false) => sim.bounce(self.name),
            // Seen from here: the connections are gone, and the chain and the clock are further on.
            (Break::Suspend(slept), true) => {
                self.breaks(sim, Break::Crash, true);
                self.slept.set(slept);
                client::set_on(slept);
            }
        }
    }

    /// Everything that the server has seen.
    fn log(&self) -> Vec<OracleEntry> {
        let mut log = self.past.take();
        log.extend(self.server.borrow_mut().take().iter().flat_map(Server::log));
        log
    }
}
