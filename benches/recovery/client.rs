//! Who is compared: this program's streams, and the reconnecting stream of yellowstone-grpc-client, each with its defaults.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use smart_stream_tui::{
    chain::group::GroupSet,
    decode::Tally,
    market::{Market, input::Transaction},
    stream::{BudgetRules, Gap, ProofMode, StreamSettings, Streams},
};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use yellowstone_grpc_client::{GeyserGrpcClient, ReconnectEvent};
use yellowstone_grpc_proto::prelude::{
    CommitmentLevel, SubscribeRequest, SubscribeRequestFilterTransactions, subscribe_update::UpdateOneof,
};

use crate::support::{Keep, Signature, Told, settings};

/// One of those compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// This program's streams, one connection.
    Ours,
    /// `subscribe_with_reconnect` of yellowstone-grpc-client 17.
    Peer,
}

impl Who {
    pub(crate) const ALL: [Self; 2] = [Self::Ours, Self::Peer];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Peer => "client 17",
        }
    }
}

/// What a client handed on.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// When something came, in order.
    pub(crate) times: Vec<Instant>,
    /// How often each transaction came, by slot and signature.
    pub(crate) counts: HashMap<(u64, Signature), u32>,
    /// The first slot of which anything came.
    pub(crate) first: Option<u64>,
    /// What was declared as missed for good.
    pub(crate) declared: Vec<Gap>,
    /// Whether the client has given up.
    pub(crate) ended: bool,
}

impl Received {
    fn transaction(&mut self, slot: u64, signature: Signature) {
        self.times.push(Instant::now());
        self.first.get_or_insert(slot);
        *self.counts.entry((slot, signature)).or_default() += 1;
    }
}

/// A running client; dropped, it ends.
pub(crate) struct Client {
    pub(crate) received: Arc<Mutex<Received>>,
    task: JoinHandle<()>,
}

impl Client {
    pub(crate) fn start(who: Who, address: SocketAddr) -> Self {
        let received = Arc::default();
        let into = Arc::clone(&received);
        let task = match who {
            Who::Ours => tokio::spawn(ours(address, into)),
            Who::Peer => tokio::spawn(peer(address, into)),
        };
        Self { received, task }
    }

    /// Waits until so many transactions came.
    pub(crate) async fn until(&self, count: usize) {
        while self.received.lock().unwrap().times.len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// As the program is shipped, on one connection.
fn shipped(address: SocketAddr) -> StreamSettings {
    StreamSettings {
        budget: BudgetRules {
            limit: 100,
            window: Duration::from_secs(60),
            reserve: 20,
            per_connection: 15,
            cost_new: 1,
            cost_update: 1,
        },
        keepalive_interval: Duration::from_secs(10),
        backoff: (Duration::from_millis(500), Duration::from_secs(30)),
        proof: ProofMode::default(),
        update_spacing: Duration::from_secs(2),
        ..settings(address, 1)
    }
}

/// Our streams, and the market's own rule of what is new.
async fn ours(address: SocketAddr, received: Arc<Mutex<Received>>) {
    let (sender, mut batches) = mpsc::channel(1_024);
    let streams = Streams::start(shipped(address), Keep::new, sender).unwrap();
    let mut market = Market::default();
    while let Some((_, told)) = batches.recv().await {
        let mut received = received.lock().unwrap();
        for told in told {
            match told {
                Told::Transaction { slot, signature, .. } if market.is_new(&named(slot, signature)) => {
                    received.transaction(slot, signature);
                }
                Told::Gap(gap, _) if !gap.repaired => received.declared.push(gap),
                _ => {}
            }
        }
    }
    streams.close().await;
}

fn named(slot: u64, signature: Signature) -> Transaction {
    Transaction {
        slot,
        signature: signature.into(),
        bytes: 0,
        failed: false,
        groups: GroupSet::EMPTY,
        tally: Tally::default(),
        events: 0,
        undecoded: 0,
        transfers: 0,
        attempts: 0,
    }
}

/// The other client, as its documentation shows it: it says itself that repeats are its user's to drop.
async fn peer(address: SocketAddr, received: Arc<Mutex<Received>>) {
    let builder = GeyserGrpcClient::build_from_shared(format!("http://{address}")).unwrap();
    let mut client = builder.connect().await.unwrap();
    let filter = SubscribeRequestFilterTransactions { vote: Some(false), ..Default::default() };
    let request = SubscribeRequest {
        transactions: [("all".to_owned(), filter)].into(),
        commitment: Some(CommitmentLevel::Processed as i32),
        ..SubscribeRequest::default()
    };
    let (_requests, mut stream) = client.subscribe_with_reconnect(Some(request)).await.unwrap();
    while let Some(Ok(event)) = stream.next().await {
        let ReconnectEvent::Update(update) = event else { continue };
        if let Some(UpdateOneof::Transaction(update)) = update.update_oneof {
            let signature = update.transaction.unwrap().signature.as_slice().try_into().unwrap();
            received.lock().unwrap().transaction(update.slot, signature);
        }
    }
    received.lock().unwrap().ended = true;
}
