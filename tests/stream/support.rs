//! A made chain, a network that can be cut, and a sink that keeps everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use smart_stream_tui::{
    chain::{
        group::{Group, GroupSet, Groups},
        program::Program,
        wire::{Kind, Update, WireError},
    },
    engine::{Emitted, Engine, EngineSettings, SourceView, view::SourceKind},
    mev::AlertRules,
    simulator::{
        feed::{Producer, SlotItem, SlotItemKind, SlotPlan},
        server::{Pace, Server, ServerSettings},
    },
    stream::{
        Arrival, BudgetRules, Endpoint, Gap, OnEnd, ProofMode, Resume, Share, Sink, SlotRecord, Standby,
        StreamSettings, StreamStatus, Streams,
        completeness::{Completeness, SlotProof},
    },
};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use yellowstone_grpc_proto::prelude::*;

/// Long enough for any machine: a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type Signature = [u8; 64];

/// Names a transaction by what it is: slot, place in it, group.
pub(crate) fn signature(slot: u64, index: u64, group: Group) -> Signature {
    let mut signature = [7; 64];
    signature[..8].copy_from_slice(&slot.to_le_bytes());
    signature[8..16].copy_from_slice(&index.to_le_bytes());
    signature[16] = u8::try_from(group.index()).unwrap();
    signature
}

/// A chain that goes on until it is told to end: now and then a slot is skipped, and each transaction is one group's.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) next: u64,
    pub(crate) parent: u64,
    pub(crate) per_slot: u64,
    pub(crate) duration: Duration,
    pub(crate) end: Arc<Mutex<bool>>,
    /// An account of every fifth transaction, all of which fail; every other one of those calls none of our programs.
    pub(crate) marked: Option<Pubkey>,
    /// An account of every tenth other transaction, which calls none of our programs.
    pub(crate) decoy: Option<Pubkey>,
    /// What was executed, by slot.
    pub(crate) made: Arc<Mutex<BTreeMap<u64, Vec<Signature>>>>,
}

impl Chain {
    pub(crate) fn new(per_slot: u64, duration: Duration) -> Self {
        Self {
            next: 1_000,
            parent: 999,
            per_slot,
            duration,
            end: Arc::default(),
            marked: None,
            decoy: None,
            made: Arc::default(),
        }
    }
}

fn program_of(group: Group) -> Program {
    *Program::ALL.iter().find(|program| program.group() == group).unwrap()
}

impl Producer for Chain {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        if *self.end.lock().unwrap() {
            return None;
        }
        let slot = self.next;
        self.next += if slot % 11 == 5 { 3 } else { 1 };
        let mut made = Vec::new();
        let items = (0..self.per_slot).map(|index| {
            let group = Group::BUILT_IN[usize::try_from(index % 3).unwrap()];
            let signature = signature(slot, index, group);
            made.push(signature);
            let mut keys = vec![vec![9; 32], program_of(group).id().to_bytes().to_vec()];
            let marked = self.marked.filter(|_| index % 5 == 4);
            if let Some(account) = marked {
                keys.truncate(if index % 10 == 9 { 1 } else { 2 });
                keys.push(account.to_bytes().to_vec());
            }
            if let Some(account) = self.decoy.filter(|_| index % 10 == 3) {
                keys.truncate(1);
                keys.push(account.to_bytes().to_vec());
            }
            let err = marked.map(|_| TransactionError { err: vec![4, 0, 0, 0] });
            let message = Message { account_keys: keys, ..Message::default() };
            let kind = SlotItemKind::Transaction(Box::new(SubscribeUpdateTransactionInfo {
                signature: signature.to_vec(),
                is_vote: false,
                transaction: Some(Transaction { signatures: vec![signature.to_vec()], message: Some(message) }),
                meta: Some(TransactionStatusMeta { err, fee: 5_000, ..Default::default() }),
                index: 0,
            }));
            let nanos = self.duration.as_nanos() * u128::from(index) / u128::from(self.per_slot);
            let at = Duration::from_nanos(u64::try_from(nanos).unwrap());
            SlotItem { at, kind }
        });
        let items = items.collect();
        self.made.lock().unwrap().insert(slot, made);
        let hash = |slot: u64| {
            let mut hash = [1; 32];
            hash[..8].copy_from_slice(&slot.to_le_bytes());
            hash
        };
        let parent = std::mem::replace(&mut self.parent, slot);
        Some(SlotPlan {
            slot,
            parent,
            block_height: slot - 500,
            block_time: 1_700_000_000,
            blockhash: hash(slot),
            parent_blockhash: hash(parent),
            duration: self.duration,
            dies: false,
            items,
        })
    }
}

/// A way through the network that can be cut.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// Counts cuts; connections of an earlier count are dropped.
    cuts: watch::Sender<u64>,
    /// Whether nobody gets through.
    down: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, cut) = watch::channel(0);
        let (down, is_down) = watch::channel(false);
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if *is_down.borrow() {
                    continue;
                }
                let mut cut = cut.clone();
                cut.mark_unchanged();
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = cut.changed() => {}
                    }
                    // Reset, not closed: what was on its way is gone.
                    let _ = (client.set_zero_linger(), server.set_zero_linger());
                });
            }
        });
        Self { address, cuts, down, task }
    }

    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts, and lets nobody through until it is up again.
    pub(crate) fn down(&self) {
        self.down.send_replace(true);
        self.cut();
    }

    pub(crate) fn up(&self) {
        self.down.send_replace(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What one connection says, in order.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Transaction { slot: u64, signature: Signature, replayed: bool },
    Slot(SlotRecord, Share),
    Gap(Gap, GroupSet),
    TakenOver(usize, u64),
}

#[derive(Debug)]
pub(crate) struct Keep {
    connection: usize,
    told: Vec<Told>,
}

impl Keep {
    pub(crate) fn new(connection: usize) -> Self {
        Self { connection, told: Vec::new() }
    }
}

impl Sink for Keep {
    type Batch = (usize, Vec<Told>);

    fn on_update(&mut self, _: &Bytes, update: &Update<'_>, arrival: Arrival) {
        if let Kind::Transaction(transaction) = &update.kind {
            let (slot, signature) = (transaction.slot, *transaction.signature);
            self.told.push(Told::Transaction { slot, signature, replayed: arrival.replayed });
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

pub(crate) fn settings(address: SocketAddr, connections: usize) -> StreamSettings {
    StreamSettings {
        endpoint: Endpoint { url: format!("http://{address}"), host: "loopback".into(), x_token: None },
        failover: Vec::new(),
        standby: Standby::Off,
        connections,
        groups: Group::BUILT_IN.to_vec(),
        accounts: Vec::new(),
        rules: Groups::default(),
        budget: BudgetRules {
            limit: 100_000,
            window: Duration::from_secs(60),
            reserve: 20,
            per_connection: 100_000,
            cost_new: 1,
            cost_update: 1,
        },
        commitment: 0,
        keepalive_interval: Duration::from_secs(20),
        keepalive_timeout: Duration::from_secs(5),
        window_bytes: 8 << 20,
        max_message_bytes: 64 << 20,
        connect_timeout: Duration::from_secs(5),
        subscribe_timeout: Duration::from_secs(10),
        silence_timeout: Duration::from_secs(35),
        backoff: (Duration::from_millis(250), Duration::from_secs(1)),
        zstd: false,
        on_end: OnEnd::Reconnect,
        ledger: None,
        checkpoint: None,
        resume: Resume::Fresh,
        recover: true,
        proof: ProofMode::Filters,
        balance: false,
        rest: Duration::from_secs(60),
        update_spacing: Duration::from_millis(1),
    }
}

/// An engine on these streams, and what it emits.
pub(crate) fn engine(streams: StreamSettings) -> (Engine, mpsc::Receiver<Vec<Emitted>>) {
    let (events, emitted) = mpsc::channel(1_024);
    let source =
        SourceView { kind: SourceKind::Demo, provider: String::new(), endpoints: vec![], commitment: "processed" };
    let settings = EngineSettings {
        alerts: AlertRules::default(),
        sol_usd: None,
        source,
        streams,
        events: Some(events),
        frames: None,
        wait_for_sinks: true,
    };
    (Engine::start(settings).unwrap(), emitted)
}

/// Server, proxy and streams, and everything that came out.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) proxy: Proxy,
    pub(crate) streams: Streams,
    pub(crate) status: watch::Receiver<Arc<StreamStatus>>,
    batches: mpsc::Receiver<(usize, Vec<Told>)>,
    chain: Chain,
    pub(crate) delivered: BTreeMap<Signature, u32>,
    pub(crate) slots: BTreeSet<u64>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) completeness: Completeness,
    pub(crate) proofs: Vec<SlotProof>,
    /// Connections.
    pub(crate) covered: usize,
    pub(crate) received: u64,
    pub(crate) replayed: u64,
    /// First slot that a connection has from its beginning.
    pub(crate) since: BTreeMap<usize, u64>,
}

impl Stage {
    pub(crate) async fn start(
        chain: Chain,
        server: ServerSettings,
        adapt: impl FnOnce(StreamSettings) -> StreamSettings,
    ) -> Self {
        let server = ServerSettings { pace: Pace::Real, start_after_streams: 1, ..server };
        let server = Server::start(server, Box::new(chain.clone())).await.unwrap();
        let proxy = Proxy::to(server.address()).await;
        let settings = adapt(settings(proxy.address, 1));
        let covered = settings.streams();
        let standby = (covered > settings.connections).then_some(settings.connections);
        let proof = settings.proof;
        let (sender, batches) = mpsc::channel(1_024);
        let streams = Streams::start(settings, Keep::new, sender).unwrap();
        let mut completeness = Completeness::new(proof);
        completeness.expect_standby(standby);
        Self {
            server,
            proxy,
            status: streams.status(),
            streams,
            batches,
            chain,
            delivered: BTreeMap::new(),
            slots: BTreeSet::new(),
            gaps: Vec::new(),
            completeness,
            proofs: Vec::new(),
            covered,
            received: 0,
            replayed: 0,
            since: BTreeMap::new(),
        }
    }

    /// Takes in what arrives until this holds.
    pub(crate) async fn until(&mut self, mut condition: impl FnMut(&Self) -> bool) {
        let wait = async {
            while !condition(self) {
                let (connection, told) = self.batches.recv().await.expect("the streams go on");
                self.take(connection, told);
            }
        };
        assert!(timeout(PATIENCE, wait).await.is_ok(), "not in time; {}", self.summary());
    }

    fn summary(&self) -> String {
        let status = self.status.borrow();
        let states: Vec<_> = status.connections.iter().map(|c| (c.state, c.cause.clone(), c.reconnects)).collect();
        format!("{states:?}, gaps {:?}, completeness {:?}", self.gaps, self.completeness.view().counts)
    }

    fn take(&mut self, connection: usize, told: Vec<Told>) {
        for told in told {
            match told {
                Told::Transaction { slot, signature, replayed } => {
                    self.received += 1;
                    self.replayed += u64::from(replayed);
                    self.slots.insert(slot);
                    *self.delivered.entry(signature).or_insert(0) += 1;
                }
                Told::Slot(record, share) => {
                    if record.whole {
                        self.since.entry(connection).or_insert(record.slot);
                    }
                    self.completeness.record(connection, record, share, &mut self.proofs);
                }
                Told::TakenOver(connection, from) => {
                    self.completeness.taken_over(connection, from, &mut self.proofs);
                }
                Told::Gap(gap, needs) => {
                    self.completeness.gap(&gap, needs, &mut self.proofs);
                    self.gaps.push(gap);
                }
            }
        }
    }

    /// Waits until the server has finished so many slots more.
    pub(crate) async fn slots(&mut self, count: u64) {
        let goal = self.server.stats().slots_frozen + count;
        let mut watch = self.server.watch();
        let mut wait = Box::pin(timeout(PATIENCE, async move {
            watch.wait_for(|stats| stats.slots_frozen >= goal).await.unwrap();
        }));
        loop {
            tokio::select! {
                done = &mut wait => return done.expect("slots in time"),
                Some((connection, told)) = self.batches.recv() => self.take(connection, told),
            }
        }
    }

    /// Waits until every connection has a slot from its beginning.
    pub(crate) async fn joined(&mut self) {
        self.until(|stage| stage.since.len() == stage.covered).await;
    }

    /// What the chain has in the slots that every connection covers, up to and including one slot.
    pub(crate) fn executed(&self, to: u64) -> BTreeSet<Signature> {
        let from = self.since.values().copied().max().expect("a slot was finished");
        let made = self.chain.made.lock().unwrap();
        made.range(from..=to).flat_map(|(_, signatures)| signatures.iter().copied()).collect()
    }

    /// What was executed in these slots.
    pub(crate) fn made(&self, slots: std::ops::Range<u64>) -> BTreeSet<Signature> {
        self.chain.made.lock().unwrap().range(slots).flat_map(|(_, made)| made.iter().copied()).collect()
    }

    /// What was executed up to a slot, not delivered and not declared as missed.
    pub(crate) fn missing(&self, to: u64) -> Vec<(u64, u64)> {
        let declared =
            |slot: u64| self.gaps.iter().any(|gap| !gap.repaired && (gap.from_slot..=gap.to_slot).contains(&slot));
        let name = |signature: &Signature| {
            let number = |at: usize| u64::from_le_bytes(signature[at..at + 8].try_into().unwrap());
            (number(0), number(8))
        };
        let missing = self.executed(to).into_iter().filter(|signature| !self.delivered.contains_key(signature));
        missing.map(|signature| name(&signature)).filter(|(slot, _)| !declared(*slot)).collect()
    }

    pub(crate) async fn close(self) {
        *self.chain.end.lock().unwrap() = true;
        let Self { streams, server, mut batches, .. } = self;
        let drain = tokio::spawn(async move { while batches.recv().await.is_some() {} });
        timeout(PATIENCE, streams.close()).await.expect("closed in time");
        drain.abort();
        drop(server);
    }
}
