//! A loopback server whose slots a test makes one by one, and the words for what comes of them.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "shared by tests, none of which uses all")]

use std::{collections::HashMap, sync::mpsc, time::Duration};

use futures_util::StreamExt;
use smart_stream_tui::simulator::{
    feed::{Producer, SlotItem, SlotItemKind, SlotPlan},
    server::{Pace, Server, ServerSettings, Stats},
};
use solana_sdk::pubkey::Pubkey;
use tokio::time::timeout;
use tonic::{Code, Status};
use yellowstone_grpc_client::{GeyserGrpcClient, GeyserStream, SubscribeRequestSink};
use yellowstone_grpc_proto::{geyser::subscribe_update::UpdateOneof, prelude::*};

/// Long enough for any machine: a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Scripted(pub(crate) mpsc::Receiver<SlotPlan>);

impl Producer for Scripted {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        self.0.recv().ok()
    }
}

/// A server whose slots a test makes one by one.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) slots: mpsc::Sender<SlotPlan>,
}

impl Stage {
    pub(crate) async fn with(settings: ServerSettings) -> Self {
        let (slots, plans) = mpsc::channel();
        let server = Server::start(settings, Box::new(Scripted(plans))).await.unwrap();
        Self { server, slots }
    }

    pub(crate) async fn new() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn client(&self) -> GeyserGrpcClient {
        GeyserGrpcClient::build_from_shared(self.server.url()).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn subscribe(&self, request: SubscribeRequest) -> (SubscribeRequestSink, GeyserStream) {
        let applied = self.server.stats().requests_applied;
        let opened = self.client().await.subscribe_with_request(Some(request)).await.unwrap();
        self.until(|stats| stats.requests_applied > applied).await;
        opened
    }

    pub(crate) async fn until(&self, condition: impl FnMut(&Stats) -> bool) {
        timeout(PATIENCE, self.server.watch().wait_for(condition)).await.expect("in time").unwrap();
    }

    /// Plays a slot to its end.
    pub(crate) async fn play(&self, plan: SlotPlan) {
        let frozen = self.server.stats().slots_frozen;
        self.slots.send(plan).unwrap();
        self.until(|stats| stats.slots_frozen > frozen).await;
    }
}

pub(crate) fn settings() -> ServerSettings {
    ServerSettings { pace: Pace::Speed(1e9), ..ServerSettings::default() }
}

pub(crate) fn key(number: u8) -> Pubkey {
    Pubkey::new_from_array([number; 32])
}

pub(crate) fn signature(slot: u64, index: u8) -> Vec<u8> {
    let mut signature = vec![index; 64];
    signature[..8].copy_from_slice(&slot.to_le_bytes());
    signature
}

/// Transaction number `index` of a slot, on these keys; the last one is loaded from a table.
pub(crate) fn transaction(slot: u64, index: u8, keys: &[u8]) -> SlotItemKind {
    transaction_on(slot, index, &keys.iter().map(|number| key(*number)).collect::<Vec<_>>())
}

/// The same on any keys.
pub(crate) fn transaction_on(slot: u64, index: u8, keys: &[Pubkey]) -> SlotItemKind {
    let (loaded, fixed) = keys.split_last().unwrap();
    let bytes = |key: &Pubkey| key.to_bytes().to_vec();
    let message = Message { account_keys: fixed.iter().map(bytes).collect(), ..Message::default() };
    let meta =
        TransactionStatusMeta { loaded_readonly_addresses: vec![bytes(loaded)], fee: 5_000, ..Default::default() };
    SlotItemKind::Transaction(Box::new(SubscribeUpdateTransactionInfo {
        signature: signature(slot, index),
        is_vote: false,
        transaction: Some(Transaction { signatures: vec![signature(slot, index)], message: Some(message) }),
        meta: Some(meta),
        index: 0,
    }))
}

pub(crate) fn account(number: u8, data: &[u8]) -> SlotItemKind {
    SlotItemKind::Account(Box::new(SubscribeUpdateAccountInfo {
        pubkey: key(number).to_bytes().to_vec(),
        owner: key(200).to_bytes().to_vec(),
        lamports: u64::from(number),
        data: data.to_vec(),
        ..Default::default()
    }))
}

pub(crate) fn slot_of(slot: u64, kinds: Vec<SlotItemKind>) -> SlotPlan {
    SlotPlan {
        slot,
        parent: slot - 1,
        block_height: slot - 50,
        block_time: 1_700_000_000,
        blockhash: [slot.to_le_bytes()[0]; 32],
        parent_blockhash: [(slot - 1).to_le_bytes()[0]; 32],
        duration: Duration::from_millis(213),
        dies: false,
        items: kinds.into_iter().map(|kind| SlotItem { at: Duration::ZERO, kind }).collect(),
    }
}

/// A slot with three transactions: on keys 1+9, 2+9 and 3+9.
pub(crate) fn plain(slot: u64) -> SlotPlan {
    slot_of(slot, (1..=3).map(|index| transaction(slot, index, &[index, 9])).collect())
}

pub(crate) fn one<T: Default>(name: &str) -> HashMap<String, T> {
    HashMap::from([(name.to_owned(), T::default())])
}

pub(crate) fn including(name: &str, keys: &[Pubkey]) -> HashMap<String, SubscribeRequestFilterTransactions> {
    let account_include = keys.iter().map(Pubkey::to_string).collect();
    HashMap::from([(name.to_owned(), SubscribeRequestFilterTransactions { account_include, ..Default::default() })])
}

pub(crate) fn everything() -> SubscribeRequest {
    SubscribeRequest { transactions: one("t"), slots: one("s"), blocks_meta: one("m"), ..Default::default() }
}

pub(crate) fn at(level: CommitmentLevel, request: SubscribeRequest) -> SubscribeRequest {
    SubscribeRequest { commitment: Some(level as i32), ..request }
}

pub(crate) async fn next(stream: &mut GeyserStream) -> Option<Result<SubscribeUpdate, Status>> {
    loop {
        let item = timeout(PATIENCE, stream.next()).await.expect("an item in time");
        match item {
            Some(Ok(SubscribeUpdate { update_oneof: Some(UpdateOneof::Ping(_)), .. })) => {}
            item => return item,
        }
    }
}

pub(crate) async fn update(stream: &mut GeyserStream) -> SubscribeUpdate {
    let update = next(stream).await.expect("an update").expect("no error");
    assert!(update.created_at.is_some());
    update
}

pub(crate) async fn failure(stream: &mut GeyserStream) -> (Code, String) {
    let error = next(stream).await.expect("an error").expect_err("an error");
    assert!(next(stream).await.is_none(), "the stream is over");
    (error.code(), error.message().to_owned())
}

/// One word for an update: `t5.0` a transaction, `x5.0` its status, `a5` an account, `m5` a meta, `p5 c5 f5` a slot status.
pub(crate) fn word(update: &SubscribeUpdate) -> String {
    match update.update_oneof.as_ref().unwrap() {
        UpdateOneof::Transaction(update) => format!("t{}.{}", update.slot, update.transaction.as_ref().unwrap().index),
        UpdateOneof::TransactionStatus(update) => format!("x{}.{}", update.slot, update.index),
        UpdateOneof::Account(update) => format!("a{}", update.slot),
        UpdateOneof::BlockMeta(update) => format!("m{}", update.slot),
        UpdateOneof::Slot(update) => {
            let letter = ["p", "c", "f", "first", "completed", "bank", "dead"][usize::try_from(update.status).unwrap()];
            format!("{letter}{}", update.slot)
        }
        UpdateOneof::Pong(pong) => format!("pong{}", pong.id),
        other => format!("{other:?}"),
    }
}

pub(crate) async fn words(stream: &mut GeyserStream, count: usize) -> String {
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(word(&update(stream).await));
    }
    words.join(" ")
}

pub(crate) async fn rest(stream: &mut GeyserStream) -> String {
    let mut words = Vec::new();
    while let Some(update) = next(stream).await {
        words.push(word(&update.unwrap()));
    }
    words.join(" ")
}
