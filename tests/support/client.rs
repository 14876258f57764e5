//! The client under test, with short timeouts, against an endless chain.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "shared by tests, none of which uses all")]

use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use smart_stream_tui::{
    chain::{
        group::{Group, Groups},
        program::Program,
        wire::{Kind, Update, WireError},
    },
    simulator::{
        feed::{Producer, SlotItem, SlotPlan},
        server::{OracleEvent, Pace, Server, ServerSettings},
    },
    stream::{
        Arrival, BudgetRules, Endpoint, OnEnd, ProofMode, Resume, Sink, Standby, StreamSettings, StreamStatus, Streams,
        status::{ConnectionState, ConnectionStatus, StreamEvent, StreamEventKind},
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use crate::stage::{PATIENCE, key, slot_of, transaction_on};

/// Slots of 20 ms, each with one transaction for every program, and as many as asked for.
pub(crate) struct Chain {
    slot: u64,
    last: u64,
}

impl Chain {
    pub(crate) fn endless() -> Self {
        Self::of(u64::MAX / 2)
    }

    pub(crate) fn of(slots: u64) -> Self {
        Self { slot: 1_000, last: 1_000 + slots }
    }
}

impl Producer for Chain {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        self.slot += 1;
        let programs = (0_u8..).zip(Program::ALL);
        let kinds = programs.map(|(index, program)| transaction_on(self.slot, index, &[*program.id(), key(9)]));
        let mut plan = slot_of(self.slot, kinds.collect());
        plan.duration = Duration::from_millis(20);
        for (item, at) in plan.items.iter_mut().zip(0_u64..) {
            *item = SlotItem { at: Duration::from_millis(at), kind: item.kind.clone() };
        }
        (self.slot <= self.last).then_some(plan)
    }
}

/// A server under this plan that plays the chain in real time.
pub(crate) async fn server(plan: &str) -> Server {
    serve(ServerSettings { faults: Some(plan.parse().unwrap()), ..real_time() }, Chain::endless()).await
}

pub(crate) fn real_time() -> ServerSettings {
    ServerSettings { pace: Pace::Real, ping_interval: Duration::from_millis(100), ..ServerSettings::default() }
}

pub(crate) async fn serve(settings: ServerSettings, chain: Chain) -> Server {
    Server::start(settings, Box::new(chain)).await.unwrap()
}

/// Quick to notice and to try again; a budget as providers have it.
pub(crate) fn quick(url: &str, connections: usize) -> StreamSettings {
    StreamSettings {
        endpoint: Endpoint { url: url.to_owned(), host: Arc::from("test"), x_token: None },
        connections,
        groups: Group::BUILT_IN.to_vec(),
        accounts: Vec::new(),
        rules: Groups::default(),
        budget: BudgetRules {
            limit: 100,
            window: Duration::from_secs(60),
            reserve: 20,
            per_connection: 15,
            cost_new: 1,
            cost_update: 1,
        },
        commitment: 0,
        keepalive_interval: Duration::from_millis(200),
        keepalive_timeout: Duration::from_millis(200),
        window_bytes: 1 << 20,
        max_message_bytes: 1 << 20,
        connect_timeout: Duration::from_millis(500),
        subscribe_timeout: Duration::from_millis(500),
        silence_timeout: Duration::from_secs(1),
        backoff: (Duration::from_millis(50), Duration::from_millis(100)),
        zstd: false,
        on_end: OnEnd::Reconnect,
        ledger: None,
        checkpoint: None,
        resume: Resume::Fresh,
        failover: Vec::new(),
        standby: Standby::Off,
        recover: true,
        proof: ProofMode::default(),
        balance: false,
        rest: Duration::from_secs(60),
        update_spacing: Duration::from_secs(2),
    }
}

/// What a connection delivered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    Transaction(u64, [u8; 64]),
    Meta(u64),
    Bad,
}

#[derive(Default)]
struct Collect(Vec<Seen>);

impl Sink for Collect {
    type Batch = Vec<Seen>;

    fn on_update(&mut self, _: &Bytes, update: &Update<'_>, _: Arrival) {
        match &update.kind {
            Kind::Transaction(transaction) => {
                self.0.push(Seen::Transaction(transaction.slot, *transaction.signature));
            }
            Kind::BlockMeta(meta) => self.0.push(Seen::Meta(meta.slot)),
            _ => {}
        }
    }

    fn on_bad_frame(&mut self, _: &Bytes, _: WireError, _: Arrival) {
        self.0.push(Seen::Bad);
    }

    fn take_batch(&mut self) -> Option<Vec<Seen>> {
        (!self.0.is_empty()).then(|| std::mem::take(&mut self.0))
    }
}

/// The streams of one program.
pub(crate) struct Client {
    pub(crate) streams: Streams,
    pub(crate) status: watch::Receiver<Arc<StreamStatus>>,
    batches: mpsc::UnboundedReceiver<Vec<Seen>>,
    /// Every event so far: the status keeps the newest only.
    pub(crate) events: Vec<StreamEvent>,
}

impl Client {
    pub(crate) fn start(settings: StreamSettings) -> Self {
        let (batches, mut queue) = mpsc::channel(1_024);
        let streams = Streams::start(settings, |_| Collect::default(), batches).unwrap();
        // Read on: a full queue would hold the connections back.
        let (collected, batches) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(batch) = queue.recv().await {
                // Refused when the test is over.
                let _ = collected.send(batch);
            }
        });
        let status = streams.status();
        Self { streams, status, batches, events: Vec::new() }
    }

    /// Waits until the status is like this.
    pub(crate) async fn until(&mut self, what: &str, condition: impl Fn(&StreamStatus) -> bool) -> Arc<StreamStatus> {
        let found = timeout(PATIENCE, async {
            loop {
                let now = Arc::clone(&self.status.borrow_and_update());
                let newest = self.events.last().map(|event| event.seq);
                self.events.extend(now.events.iter().filter(|event| Some(event.seq) > newest).cloned());
                if condition(&now) {
                    return now;
                }
                self.status.changed().await.expect("the streams run");
            }
        });
        let found = found.await;
        found.unwrap_or_else(|_| panic!("never {what}: {:#?}", self.status.borrow().connections))
    }

    pub(crate) async fn until_connection(
        &mut self,
        id: usize,
        what: &str,
        condition: impl Fn(&ConnectionStatus) -> bool,
    ) -> ConnectionStatus {
        let status = self.until(what, |status| condition(&status.connections[id])).await;
        status.connections[id].clone()
    }

    /// Waits for a state with a cause that begins like this, which an event keeps.
    pub(crate) async fn until_cause(&mut self, id: usize, state: ConnectionState, begins: &str) {
        let hit = |event: &StreamEvent| match &event.kind {
            StreamEventKind::State { connection, state: now, cause: Some(cause), .. } => {
                *connection == id && *now == state && cause.starts_with(begins)
            }
            _ => false,
        };
        let what = format!("{state:?} because of {begins:?}");
        self.until(&what, |status| status.events.iter().any(hit)).await;
    }

    /// Waits until the connection is live on its n-th stream and data of newer slots comes.
    pub(crate) async fn until_back(&mut self, id: usize, reconnects: u64) {
        self.until_connection(id, "live again", |connection| {
            connection.state == ConnectionState::Live && connection.reconnects >= reconnects
        })
        .await;
        while self.batches.try_recv().is_ok() {}
        self.until_meta().await;
    }

    /// Waits for the next block meta.
    pub(crate) async fn until_meta(&mut self) -> u64 {
        loop {
            let batch = timeout(PATIENCE, self.batches.recv()).await.expect("data in time").expect("the streams run");
            if let Some(Seen::Meta(slot)) = batch.iter().rfind(|seen| matches!(seen, Seen::Meta(_))) {
                return *slot;
            }
        }
    }

    /// Everything that came and is still to come before the streams end.
    pub(crate) async fn rest(mut self) -> BTreeSet<Seen> {
        let mut all = BTreeSet::new();
        self.until("finished", |status| status.finished).await;
        self.streams.close().await;
        while let Some(batch) = timeout(PATIENCE, self.batches.recv()).await.expect("an end in time") {
            all.extend(batch);
        }
        all
    }

    /// Everything that came until this slot, and the slots declared as missed for good.
    pub(crate) async fn until_slot(&mut self, slot: u64) -> (BTreeSet<Seen>, Vec<RangeInclusive<u64>>) {
        let mut all = BTreeSet::new();
        while !all.contains(&Seen::Meta(slot)) {
            let batch = timeout(PATIENCE, self.batches.recv()).await.expect("data in time").expect("the streams run");
            all.extend(batch);
        }
        self.until("at all", |_| true).await;
        let declared = self.events.iter().filter_map(|event| match &event.kind {
            StreamEventKind::Gap(gap) if !gap.repaired => Some(gap.from_slot..=gap.to_slot),
            _ => None,
        });
        (all, declared.collect())
    }
}

/// Times of the subscribe calls, accepted or not, by the server's clock.
pub(crate) fn subscribes(server: &Server) -> Vec<SystemTime> {
    let log = server.log();
    let calls =
        log.iter().filter(|entry| matches!(entry.event, OracleEvent::Subscribed { .. } | OracleEvent::Refused { .. }));
    calls.map(|entry| entry.at).collect()
}

/// What every row expects: at most 100 subscribes in any 60 s and 15 of any connection's.
pub(crate) async fn within_budget(server: Server, client: Client) {
    let times = subscribes(&server);
    for (place, start) in times.iter().enumerate() {
        let window =
            times[place..].iter().take_while(|at| at.duration_since(*start).unwrap_or_default().as_secs() < 60);
        assert!(window.count() <= 100);
    }
    let panicked = |event: &StreamEvent| match &event.kind {
        StreamEventKind::State { cause: Some(cause), .. } => cause.contains("thread failed"),
        _ => false,
    };
    assert!(!client.events.iter().any(panicked), "a panic");
    client.streams.close().await;
    server.shutdown().await;
}
