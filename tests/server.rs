//! The loopback server keeps to the behaviour measured on the real one, seen through the published Yellowstone client.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{collections::HashMap, sync::mpsc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use smart_stream_tui::simulator::{
    feed::{Producer, SlotItem, SlotItemKind, SlotPlan},
    server::{FilterLimits, OracleEvent, Pace, Server, ServerError, ServerSettings, Stats},
};
use solana_sdk::pubkey::Pubkey;
use tokio::time::timeout;
use tonic::{Code, Status, codec::CompressionEncoding};
use tonic_health::pb::health_check_response::ServingStatus;
use yellowstone_grpc_client::{GeyserGrpcClient, GeyserGrpcClientError, GeyserStream, SubscribeRequestSink};
use yellowstone_grpc_proto::{cuckoo::CompressedAccountFilterSet, geyser::subscribe_update::UpdateOneof, prelude::*};

/// Long enough for any machine: a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Scripted(mpsc::Receiver<SlotPlan>);

impl Producer for Scripted {
    fn next_slot(&mut self) -> Option<SlotPlan> {
        self.0.recv().ok()
    }
}

/// A server whose slots a test makes one by one.
struct Stage {
    server: Server,
    slots: mpsc::Sender<SlotPlan>,
}

impl Stage {
    async fn with(settings: ServerSettings) -> Self {
        let (slots, plans) = mpsc::channel();
        let server = Server::start(settings, Box::new(Scripted(plans))).await.unwrap();
        Self { server, slots }
    }

    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn client(&self) -> GeyserGrpcClient {
        GeyserGrpcClient::build_from_shared(self.server.url()).unwrap().connect().await.unwrap()
    }

    async fn subscribe(&self, request: SubscribeRequest) -> (SubscribeRequestSink, GeyserStream) {
        let applied = self.server.stats().requests_applied;
        let opened = self.client().await.subscribe_with_request(Some(request)).await.unwrap();
        self.until(|stats| stats.requests_applied > applied).await;
        opened
    }

    async fn until(&self, condition: impl FnMut(&Stats) -> bool) {
        timeout(PATIENCE, self.server.watch().wait_for(condition)).await.expect("in time").unwrap();
    }

    /// Plays a slot to its end.
    async fn play(&self, plan: SlotPlan) {
        let frozen = self.server.stats().slots_frozen;
        self.slots.send(plan).unwrap();
        self.until(|stats| stats.slots_frozen > frozen).await;
    }
}

fn settings() -> ServerSettings {
    ServerSettings { pace: Pace::Speed(1e9), ..ServerSettings::default() }
}

fn key(number: u8) -> Pubkey {
    Pubkey::new_from_array([number; 32])
}

fn signature(slot: u64, index: u8) -> Vec<u8> {
    let mut signature = vec![index; 64];
    signature[..8].copy_from_slice(&slot.to_le_bytes());
    signature
}

/// Transaction number `index` of a slot, on these keys; the last one is loaded from a table.
fn transaction(slot: u64, index: u8, keys: &[u8]) -> SlotItemKind {
    let (loaded, fixed) = keys.split_last().unwrap();
    let bytes = |number: &u8| key(*number).to_bytes().to_vec();
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

fn account(number: u8, data: &[u8]) -> SlotItemKind {
    SlotItemKind::Account(Box::new(SubscribeUpdateAccountInfo {
        pubkey: key(number).to_bytes().to_vec(),
        owner: key(200).to_bytes().to_vec(),
        lamports: u64::from(number),
        data: data.to_vec(),
        ..Default::default()
    }))
}

fn slot_of(slot: u64, kinds: Vec<SlotItemKind>) -> SlotPlan {
    SlotPlan {
        slot,
        parent: slot - 1,
        block_height: slot - 50,
        block_time: 1_700_000_000,
        blockhash: [slot.to_le_bytes()[0]; 32],
        parent_blockhash: [(slot - 1).to_le_bytes()[0]; 32],
        duration: Duration::from_millis(213),
        items: kinds.into_iter().map(|kind| SlotItem { at: Duration::ZERO, kind }).collect(),
    }
}

/// A slot with three transactions: on keys 1+9, 2+9 and 3+9.
fn plain(slot: u64) -> SlotPlan {
    slot_of(slot, (1..=3).map(|index| transaction(slot, index, &[index, 9])).collect())
}

fn one<T: Default>(name: &str) -> HashMap<String, T> {
    HashMap::from([(name.to_owned(), T::default())])
}

fn including(name: &str, keys: &[Pubkey]) -> HashMap<String, SubscribeRequestFilterTransactions> {
    let account_include = keys.iter().map(Pubkey::to_string).collect();
    HashMap::from([(name.to_owned(), SubscribeRequestFilterTransactions { account_include, ..Default::default() })])
}

fn everything() -> SubscribeRequest {
    SubscribeRequest { transactions: one("t"), slots: one("s"), blocks_meta: one("m"), ..Default::default() }
}

fn at(level: CommitmentLevel, request: SubscribeRequest) -> SubscribeRequest {
    SubscribeRequest { commitment: Some(level as i32), ..request }
}

async fn next(stream: &mut GeyserStream) -> Option<Result<SubscribeUpdate, Status>> {
    loop {
        let item = timeout(PATIENCE, stream.next()).await.expect("an item in time");
        match item {
            Some(Ok(SubscribeUpdate { update_oneof: Some(UpdateOneof::Ping(_)), .. })) => {}
            item => return item,
        }
    }
}

async fn update(stream: &mut GeyserStream) -> SubscribeUpdate {
    let update = next(stream).await.expect("an update").expect("no error");
    assert!(update.created_at.is_some());
    update
}

async fn failure(stream: &mut GeyserStream) -> (Code, String) {
    let error = next(stream).await.expect("an error").expect_err("an error");
    assert!(next(stream).await.is_none(), "the stream is over");
    (error.code(), error.message().to_owned())
}

/// One word for an update: `t5.0` a transaction, `x5.0` its status, `a5` an account, `m5` a meta, `p5 c5 f5` a slot status.
fn word(update: &SubscribeUpdate) -> String {
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

async fn words(stream: &mut GeyserStream, count: usize) -> String {
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(word(&update(stream).await));
    }
    words.join(" ")
}

async fn rest(stream: &mut GeyserStream) -> String {
    let mut words = Vec::new();
    while let Some(update) = next(stream).await {
        words.push(word(&update.unwrap()));
    }
    words.join(" ")
}

#[tokio::test]
async fn a_slot_is_data_then_meta_then_status() {
    let stage = Stage::new().await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    stage.play(plain(100)).await;
    assert_eq!(words(&mut stream, 5).await, "t100.0 t100.1 t100.2 m100 p100");
    stage.play(plain(101)).await;
    stage.play(plain(102)).await;
    assert_eq!(words(&mut stream, 11).await, "t101.0 t101.1 t101.2 m101 p101 t102.0 t102.1 t102.2 m102 p102 c100");
}

#[tokio::test]
async fn the_meta_counts_the_transactions_and_names_the_parent() {
    let stage = Stage::new().await;
    let (_sink, mut stream) = stage.subscribe(SubscribeRequest { blocks_meta: one("m"), ..Default::default() }).await;
    stage.play(plain(100)).await;
    let Some(UpdateOneof::BlockMeta(meta)) = update(&mut stream).await.update_oneof else { panic!("a meta") };
    assert_eq!((meta.slot, meta.parent_slot, meta.executed_transaction_count), (100, 99, 3));
    assert_eq!((meta.blockhash, meta.parent_blockhash), (key(100).to_string(), key(99).to_string()));
    assert_eq!(meta.block_height.unwrap().block_height, 50);
}

#[tokio::test]
async fn interslot_statuses_only_on_request_and_by_commitment_only_its_own() {
    let stage = Stage::new().await;
    let slots = HashMap::from([
        ("all".to_owned(), SubscribeRequestFilterSlots { interslot_updates: Some(true), ..Default::default() }),
        ("own".to_owned(), SubscribeRequestFilterSlots { filter_by_commitment: Some(true), ..Default::default() }),
    ]);
    let request = at(CommitmentLevel::Confirmed, SubscribeRequest { slots, ..Default::default() });
    let (_sink, mut stream) = stage.subscribe(request).await;
    for slot in 100..=102 {
        stage.play(plain(slot)).await;
    }
    assert_eq!(
        words(&mut stream, 12).await,
        "first100 bank100 completed100 p100 first101 bank101 completed101 p101 first102 bank102 completed102 p102"
    );
    let confirmed = update(&mut stream).await;
    assert_eq!((word(&confirmed).as_str(), confirmed.filters), ("c100", vec!["all".to_owned(), "own".to_owned()]));
}

#[tokio::test]
async fn confirmed_data_comes_at_once_and_every_status_comes_to_every_stream() {
    let stage = Stage::new().await;
    let (_sink, mut stream) = stage.subscribe(at(CommitmentLevel::Confirmed, everything())).await;
    for slot in 100..=102 {
        stage.play(plain(slot)).await;
    }
    assert_eq!(words(&mut stream, 8).await, "p100 p101 p102 t100.0 t100.1 t100.2 m100 c100");
}

#[tokio::test]
async fn at_the_end_every_lane_has_everything_and_the_streams_end_cleanly() {
    let stage = Stage::new().await;
    let (_keep, mut confirmed) = stage.subscribe(at(CommitmentLevel::Confirmed, everything())).await;
    let (_too, mut finalized) = stage.subscribe(at(CommitmentLevel::Finalized, everything())).await;
    stage.play(plain(100)).await;
    let Stage { server, slots } = stage;
    drop(slots);
    assert_eq!(rest(&mut confirmed).await, "p100 t100.0 t100.1 t100.2 m100 c100 f100");
    assert_eq!(rest(&mut finalized).await, "p100 c100 t100.0 t100.1 t100.2 m100 f100");
    timeout(PATIENCE, server.finished()).await.expect("finished");
}

#[tokio::test]
async fn two_filters_give_one_update_with_both_names_and_the_status_comes_apart() {
    let stage = Stage::new().await;
    let mut transactions = including("a", &[key(1)]);
    transactions.extend(including("b", &[key(9)])); // loaded from a table
    transactions.extend(including("c", &[key(2)]));
    let request = SubscribeRequest { transactions, transactions_status: one("audit"), ..Default::default() };
    let (_sink, mut stream) = stage.subscribe(request).await;
    stage.play(slot_of(100, vec![transaction(100, 1, &[1, 9])])).await;
    let first = update(&mut stream).await;
    assert_eq!((word(&first).as_str(), first.filters), ("t100.0", vec!["a".to_owned(), "b".to_owned()]));
    let second = update(&mut stream).await;
    assert_eq!((word(&second).as_str(), second.filters), ("x100.0", vec!["audit".to_owned()]));
}

#[tokio::test]
async fn include_exclude_and_required_hold_together() {
    let stage = Stage::new().await;
    let filter = SubscribeRequestFilterTransactions {
        vote: Some(false),
        failed: Some(false),
        account_include: vec![key(1).to_string(), key(2).to_string()],
        account_exclude: vec![key(3).to_string()],
        account_required: vec![key(8).to_string(), key(9).to_string()],
        ..Default::default()
    };
    let transactions = HashMap::from([("f".to_owned(), filter)]);
    let (_sink, mut stream) = stage.subscribe(SubscribeRequest { transactions, ..Default::default() }).await;
    let keys: [&[u8]; 5] = [&[1, 8, 9], &[1, 9], &[1, 3, 8, 9], &[8, 9], &[2, 7, 9, 8]];
    let kinds = (0..).zip(keys).map(|(index, keys)| transaction(100, index, keys)).collect();
    stage.play(slot_of(100, kinds)).await;
    assert_eq!(words(&mut stream, 2).await, "t100.0 t100.4");
}

#[tokio::test]
async fn no_token_or_a_wrong_one_is_refused_everywhere() {
    let stage = Stage::with(ServerSettings { x_token: Some("right".to_owned()), ..settings() }).await;
    for token in [None, Some(""), Some("wrong")] {
        let builder = GeyserGrpcClient::build_from_shared(stage.server.url()).unwrap();
        let mut client = builder.x_token(token).unwrap().connect().await.unwrap();
        let refused = client.subscribe_with_request(Some(everything())).await.err().unwrap().to_string();
        assert!(refused.contains("No valid auth token"), "{refused}");
        let refused = client.get_version().await.unwrap_err().to_string();
        assert!(refused.contains("No valid auth token"), "{refused}");
    }
    assert_eq!(stage.server.stats().subscribe_calls, 0);
    let builder = GeyserGrpcClient::build_from_shared(stage.server.url()).unwrap();
    let mut client = builder.x_token(Some("right")).unwrap().connect().await.unwrap();
    assert!(client.get_version().await.unwrap().version.contains("smart-stream-tui"));
    assert!(client.subscribe_with_request(Some(everything())).await.is_ok());
}

#[tokio::test]
async fn a_bad_filter_ends_the_stream_with_the_real_text() {
    use subscribe_request_filter_accounts_filter::Filter;
    use subscribe_request_filter_accounts_filter_memcmp::Data;
    let limits = FilterLimits { filters: 32, keys: 2_000, any: false, name_bytes: 128, rejected: vec![key(77)] };
    let stage = Stage::with(ServerSettings { filter_limits: limits, ..settings() }).await;
    let named = |count: usize| (0..count).map(|name| (name.to_string(), Default::default())).collect();
    let slice = |offset, length| SubscribeRequestAccountsDataSlice { offset, length };
    let of = |filter| SubscribeRequestFilterAccountsFilter { filter };
    let condition = || of(Some(Filter::Datasize(1)));
    let memcmp = |data| of(Some(Filter::Memcmp(SubscribeRequestFilterAccountsFilterMemcmp { offset: 0, data })));
    let on_account = |filters| {
        let account = vec![key(1).to_string()];
        let filter = SubscribeRequestFilterAccounts { account, filters, ..Default::default() };
        SubscribeRequest { accounts: HashMap::from([("a".to_owned(), filter)]), ..SubscribeRequest::default() }
    };
    let include = |keys: Vec<String>| {
        let filter = SubscribeRequestFilterTransactions { account_include: keys, ..Default::default() };
        SubscribeRequest { transactions: HashMap::from([("t".to_owned(), filter)]), ..Default::default() }
    };
    let conditions = vec![condition(), condition(), condition(), condition(), condition()];
    let signature_only = SubscribeRequestFilterTransactions {
        signature: Some(solana_sdk::signature::Signature::default().to_string()),
        ..Default::default()
    };
    let default = SubscribeRequest::default;
    let cases = [
        (include(vec!["0OIl".repeat(8)]), "Invalid Base58 string"),
        (include(vec!["11".to_owned()]), "String is the wrong size"),
        (
            SubscribeRequest { slots: named(33), ..default() },
            "Max amount of filters/data_slices reached, only 32 allowed",
        ),
        (include(vec![key(1).to_string(); 2_001]), "Max amount of Pubkeys reached, only 2000 allowed"),
        (include(Vec::new()), "Subscribe on full stream with `any` is not allowed, at least one filter required"),
        (
            SubscribeRequest { transactions: HashMap::from([("t".to_owned(), signature_only)]), ..default() },
            "Subscribe on full stream with `any` is not allowed, at least one filter required",
        ),
        (
            SubscribeRequest { slots: one(&"n".repeat(200)), ..default() },
            "oversized filter name (max allowed size 128), found 200",
        ),
        (SubscribeRequest { commitment: Some(7), ..default() }, "failed to create CommitmentLevel from 7"),
        (
            SubscribeRequest { accounts_data_slice: vec![slice(8, 8), slice(0, 4)], ..default() },
            "data slices out of order",
        ),
        (
            SubscribeRequest { accounts_data_slice: vec![slice(0, 8), slice(4, 8)], ..default() },
            "data slices overlapped",
        ),
        (on_account(conditions), "Too many filters provided; max 4"),
        (
            include(vec![key(1).to_string(), key(77).to_string()]),
            "Pubkey 6Ckm2BrnXxsSjyG5b17kQQRjoECVrts92RKXVGT8XeqS in filters is not allowed",
        ),
        (on_account(vec![condition(), condition()]), "datasize used more than once"),
        (on_account(vec![of(Some(Filter::TokenAccountState(false)))]), "token_account_state only allowed to be true"),
        (on_account(vec![of(None)]), "filter should be defined"),
        (on_account(vec![of(Some(Filter::Lamports(Default::default())))]), "cmp for lamports should be defined"),
        (on_account(vec![memcmp(None)]), "data for memcmp should be defined"),
        (on_account(vec![memcmp(Some(Data::Base58("0".to_owned())))]), "invalid base58"),
        (on_account(vec![memcmp(Some(Data::Base64("!".to_owned())))]), "invalid base64"),
        (on_account(vec![memcmp(Some(Data::Bytes(vec![0; 129])))]), "data too large"),
        (on_account(vec![memcmp(Some(Data::Base58("1".repeat(176))))]), "data too large"),
    ];
    for (request, text) in cases {
        // As the first request, and as an update of a live stream.
        let (mut sink, mut live) = stage
            .client()
            .await
            .subscribe_with_request(Some(SubscribeRequest { slots: one("s"), ..default() }))
            .await
            .unwrap();
        let (_sink, mut fresh) = stage.client().await.subscribe_with_request(Some(request.clone())).await.unwrap();
        sink.send(request).await.unwrap();
        let expected = (Code::InvalidArgument, format!("failed to create filter: {text}"));
        assert_eq!(failure(&mut fresh).await, expected);
        assert_eq!(failure(&mut live).await, expected);
    }
}

#[tokio::test]
async fn a_new_request_replaces_all_filters_and_an_empty_one_keeps_the_stream_open() {
    let stage = Stage::new().await;
    let (mut sink, mut stream) = stage.subscribe(everything()).await;
    stage.play(plain(100)).await;
    assert_eq!(words(&mut stream, 5).await, "t100.0 t100.1 t100.2 m100 p100");
    sink.send(SubscribeRequest::default()).await.unwrap();
    stage.until(|stats| stats.requests_applied == 2).await;
    stage.play(plain(101)).await;
    sink.send(SubscribeRequest { transactions: including("v#2", &[key(2)]), ..Default::default() }).await.unwrap();
    stage.until(|stats| stats.requests_applied == 3).await;
    stage.play(plain(102)).await;
    let update = update(&mut stream).await;
    assert_eq!((word(&update).as_str(), update.filters), ("t102.1", vec!["v#2".to_owned()]));
}

#[tokio::test]
async fn a_thousand_replacements_lose_and_double_nothing() {
    let stage = Stage::new().await;
    let (mut sink, mut stream) = stage.subscribe(everything()).await;
    let slots = stage.slots.clone();
    drop(stage.slots);
    // Filters are replaced while slots are played, in no agreed order: every transaction must come exactly once.
    let replacing = tokio::spawn(async move {
        for version in 0..1_000 {
            let transactions = one(&format!("t#{version}"));
            sink.send(SubscribeRequest { transactions, ..Default::default() }).await.unwrap();
            slots.send(plain(100 + version)).unwrap();
            tokio::task::yield_now().await;
        }
        sink
    });
    let mut seen = Vec::new();
    while let Some(update) = next(&mut stream).await {
        if let Some(UpdateOneof::Transaction(update)) = update.unwrap().update_oneof {
            seen.push((update.slot, update.transaction.unwrap().index));
        }
    }
    let expected: Vec<_> = (100..1_100).flat_map(|slot| (0..3).map(move |index| (slot, index))).collect();
    assert_eq!(seen, expected);
    replacing.await.unwrap();
}

#[tokio::test]
async fn a_ping_is_answered_and_the_rest_of_its_request_ignored() {
    let stage = Stage::new().await;
    let (mut sink, mut stream) =
        stage.subscribe(SubscribeRequest { blocks_meta: one("m"), ..Default::default() }).await;
    let ping = SubscribeRequest { ping: Some(SubscribeRequestPing { id: 77 }), ..everything() };
    sink.send(ping).await.unwrap();
    assert_eq!(words(&mut stream, 1).await, "pong77");
    stage.play(plain(100)).await;
    stage.play(plain(101)).await;
    assert_eq!(words(&mut stream, 2).await, "m100 m101");
}

#[tokio::test]
async fn the_server_pings_at_once_and_goes_on_pinging() {
    let stage = Stage::with(ServerSettings { ping_interval: Duration::from_millis(20), ..settings() }).await;
    let (_sink, mut stream) = stage.client().await.subscribe_with_request(None).await.unwrap();
    for _ in 0..3 {
        let item = timeout(PATIENCE, stream.next()).await.unwrap().unwrap().unwrap();
        assert!(matches!(item.update_oneof, Some(UpdateOneof::Ping(_))));
        assert!(item.filters.is_empty());
    }
}

#[tokio::test]
async fn replay_first_then_live_with_the_original_times() {
    let stage = Stage::new().await;
    let (_sink, mut first) = stage.subscribe(everything()).await;
    stage.play(plain(100)).await;
    stage.play(plain(101)).await;
    let original = update(&mut first).await;
    let (mut sink, mut stream) = stage.subscribe(SubscribeRequest { from_slot: Some(100), ..everything() }).await;
    let replayed = update(&mut stream).await;
    assert_eq!(original, replayed);
    assert_eq!(words(&mut stream, 9).await, "t100.1 t100.2 m100 p100 t101.0 t101.1 t101.2 m101 p101");
    stage.play(plain(102)).await;
    assert_eq!(words(&mut stream, 6).await, "t102.0 t102.1 t102.2 m102 p102 c100");
    // Honoured in a later request, too.
    sink.send(SubscribeRequest { from_slot: Some(102), ..everything() }).await.unwrap();
    assert_eq!(words(&mut stream, 5).await, "t102.0 t102.1 t102.2 m102 p102");
}

#[tokio::test]
async fn replay_that_cannot_be_given_is_refused_with_the_real_texts() {
    let from = |slot| SubscribeRequest { from_slot: Some(slot), ..everything() };
    let stage = Stage::with(ServerSettings { replay_slots: 3, ..settings() }).await;
    let nothing = (Code::Internal, "failed to get replay response".to_owned());
    let open = async |stage: &Stage, request| stage.client().await.subscribe_with_request(Some(request)).await.unwrap();
    let (_sink, mut empty) = open(&stage, from(100)).await;
    assert_eq!(failure(&mut empty).await, nothing);
    for slot in 100..105 {
        stage.play(plain(slot)).await;
    }
    let (_sink, mut old) = open(&stage, from(101)).await;
    let text = "broadcast from 101 is not available, last available: 102".to_owned();
    assert_eq!(failure(&mut old).await, (Code::OutOfRange, text));
    let (_sink, mut future) = open(&stage, from(105)).await;
    assert_eq!(failure(&mut future).await, nothing);
    let (_sink, mut unconfirmed) = open(&stage, at(CommitmentLevel::Confirmed, from(103))).await;
    assert_eq!(failure(&mut unconfirmed).await, nothing);
    let info = stage.client().await.subscribe_replay_info().await.unwrap();
    assert_eq!(info.first_available, Some(102));

    let stage = Stage::with(ServerSettings { replay_slots: 0, ..settings() }).await;
    stage.play(plain(100)).await;
    let (_sink, mut off) = open(&stage, from(100)).await;
    assert_eq!(failure(&mut off).await, (Code::Internal, "from_slot is not supported".to_owned()));
    assert_eq!(stage.client().await.subscribe_replay_info().await.unwrap().first_available, None);
}

#[tokio::test]
async fn compression_works_both_ways() {
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
        let stage = Stage::new().await;
        let builder = GeyserGrpcClient::build_from_shared(stage.server.url()).unwrap();
        let mut client = builder.send_compressed(encoding).accept_compressed(encoding).connect().await.unwrap();
        let (_sink, mut stream) = client.subscribe_with_request(Some(everything())).await.unwrap();
        stage.until(|stats| stats.requests_applied == 1).await;
        stage.play(plain(100)).await;
        assert_eq!(words(&mut stream, 5).await, "t100.0 t100.1 t100.2 m100 p100");
        assert_eq!(client.get_slot(None).await.unwrap().slot, 100);
    }
}

#[tokio::test]
async fn the_subscribe_limit_refuses_calls_but_not_updates() {
    let limit = Some((2, Duration::from_secs(86_400)));
    let stage = Stage::with(ServerSettings { subscribe_limit: limit, ..settings() }).await;
    let (mut sink, _stream) = stage.subscribe(everything()).await;
    for version in 0..50 {
        sink.send(SubscribeRequest { slots: one(&version.to_string()), ..Default::default() }).await.unwrap();
    }
    let (_other, _second) = stage.subscribe(everything()).await;
    let refused = stage.client().await.subscribe_with_request(Some(everything())).await.err().unwrap().to_string();
    assert!(refused.contains("rate limit exceeded"), "{refused}");
    let builder = GeyserGrpcClient::build_from_shared(stage.server.url()).unwrap();
    let mut other_token = builder.x_token(Some("another")).unwrap().connect().await.unwrap();
    assert!(other_token.subscribe_with_request(Some(everything())).await.is_ok());
    assert_eq!(stage.server.stats().subscribe_calls, 4);
    let refusal = OracleEvent::Refused { code: Code::ResourceExhausted, message: "rate limit exceeded".to_owned() };
    assert!(stage.server.log().iter().any(|entry| entry.event == refusal));
}

#[tokio::test]
async fn the_stream_limit_counts_what_is_open() {
    let stage = Stage::with(ServerSettings { max_streams: Some(1), ..settings() }).await;
    let opened = stage.subscribe(everything()).await;
    let refused = stage.client().await.subscribe_with_request(Some(everything())).await.err().unwrap().to_string();
    assert!(refused.contains("max subscription limit exceeded"), "{refused}");
    drop(opened);
    stage.until(|stats| stats.open_streams == 0).await;
    stage.subscribe(everything()).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_behind_its_buffer() {
    let stage = Stage::with(ServerSettings { channel_capacity: 100, ..settings() }).await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    let mut slot = 100;
    while stage.server.stats().lagged == 0 {
        // 64 KiB in each slot, so that the connection's own buffers fill up soon.
        stage.play(slot_of(slot, vec![account(1, &[7; 65_536]), transaction(slot, 1, &[1, 9])])).await;
        slot += 1;
    }
    let mut received = 0_u64;
    let error = loop {
        match next(&mut stream).await.expect("an error at the end") {
            Ok(_) => received += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), error.message()), (Code::Internal, "lagged to send an update"));
    assert_eq!(received, stage.server.stats().updates_sent);
    assert!(next(&mut stream).await.is_none());
}

#[tokio::test]
async fn at_full_speed_a_slow_client_loses_nothing() {
    let settings =
        ServerSettings { pace: Pace::Max, channel_capacity: 100, start_after_streams: 1, ..ServerSettings::default() };
    let stage = Stage::with(settings).await;
    for slot in 100..5_100 {
        stage.slots.send(plain(slot)).unwrap();
    }
    let request = SubscribeRequest { transactions: one("t"), ..Default::default() };
    let (_sink, mut stream) = stage.client().await.subscribe_with_request(Some(request)).await.unwrap();
    drop(stage.slots);
    let mut count = 0;
    while let Some(update) = next(&mut stream).await {
        update.unwrap();
        count += 1;
    }
    assert_eq!(count, 15_000);
    timeout(PATIENCE, stage.server.finished()).await.expect("finished");
}

#[tokio::test]
async fn too_large_a_request_ends_the_stream_without_a_word() {
    let stage = Stage::new().await;
    let keys: Vec<_> = (0..100_000_u32)
        .map(|number| {
            let mut key = [255; 32];
            key[..4].copy_from_slice(&number.to_le_bytes());
            Pubkey::new_from_array(key)
        })
        .collect();
    let request = SubscribeRequest { transactions: including("t", &keys), ..Default::default() };
    let (_sink, mut stream) = stage.client().await.subscribe_with_request(Some(request)).await.unwrap();
    assert!(next(&mut stream).await.is_none());
}

#[tokio::test]
async fn the_stream_goes_on_when_the_client_closes_its_side() {
    let stage = Stage::new().await;
    let (mut sink, mut stream) = stage.subscribe(everything()).await;
    sink.close().await.unwrap();
    drop(sink);
    stage.play(plain(100)).await;
    assert_eq!(words(&mut stream, 5).await, "t100.0 t100.1 t100.2 m100 p100");
}

#[tokio::test]
async fn accounts_by_condition_with_slices() {
    use subscribe_request_filter_accounts_filter::Filter;
    use subscribe_request_filter_accounts_filter_memcmp::Data;
    let stage = Stage::new().await;
    let memcmp = |data| Filter::Memcmp(SubscribeRequestFilterAccountsFilterMemcmp { offset: 2, data: Some(data) });
    let named = |name: &str, filter| {
        let filters = vec![SubscribeRequestFilterAccountsFilter { filter: Some(filter) }];
        (name.to_owned(), SubscribeRequestFilterAccounts { filters, ..Default::default() })
    };
    let lamports = SubscribeRequestFilterAccountsFilterLamports {
        cmp: Some(subscribe_request_filter_accounts_filter_lamports::Cmp::Gt(4)),
    };
    let mut accounts = HashMap::from([
        named("bytes", memcmp(Data::Bytes(b"foo".to_vec()))),
        named("base58", memcmp(Data::Base58("bQbp".to_owned()))),
        named("base64", memcmp(Data::Base64("Zm9v".to_owned()))),
        named("size", Filter::Datasize(5)),
        named("rich", Filter::Lamports(lamports)),
        named("token", Filter::TokenAccountState(true)),
    ]);
    let owner = vec![key(200).to_string()];
    accounts.insert("owner".to_owned(), SubscribeRequestFilterAccounts { owner, ..Default::default() });
    let key_five = vec![key(5).to_string()];
    accounts.insert("five".to_owned(), SubscribeRequestFilterAccounts { account: key_five, ..Default::default() });
    let accounts_data_slice = vec![
        SubscribeRequestAccountsDataSlice { offset: 0, length: 1 },
        SubscribeRequestAccountsDataSlice { offset: 3, length: 100 },
    ];
    let (_sink, mut stream) =
        stage.subscribe(SubscribeRequest { accounts, accounts_data_slice, ..Default::default() }).await;
    let mut token = vec![0; 165];
    token[108] = 1;
    stage.play(slot_of(100, vec![account(4, b"abfoo"), account(5, b"xyzw"), account(3, &token)])).await;
    let mut got = Vec::new();
    for _ in 0..3 {
        let update = update(&mut stream).await;
        let Some(UpdateOneof::Account(account)) = update.update_oneof else { panic!("an account") };
        got.push((update.filters.join(" "), account.account.unwrap().data));
    }
    assert_eq!(got[0], ("base58 base64 bytes owner size".to_owned(), b"aoo".to_vec()));
    assert_eq!(got[1], ("five owner rich".to_owned(), b"xw".to_vec()));
    assert_eq!((got[2].0.as_str(), got[2].1.len()), ("owner token", 101));
}

#[tokio::test]
async fn live_processed_streams_see_every_write_and_the_others_the_last() {
    let stage = Stage::new().await;
    let request = SubscribeRequest { accounts: one("a"), ..Default::default() };
    let (_sink, mut live) = stage.subscribe(request.clone()).await;
    stage.play(slot_of(100, vec![account(1, b"one"), account(2, b"two"), account(1, b"three")])).await;
    assert_eq!(words(&mut live, 3).await, "a100 a100 a100");
    let (_sink, mut replayed) = stage.subscribe(SubscribeRequest { from_slot: Some(100), ..request }).await;
    let mut data = Vec::new();
    for _ in 0..2 {
        let Some(UpdateOneof::Account(account)) = update(&mut replayed).await.update_oneof else {
            panic!("an account")
        };
        data.push(account.account.unwrap().data);
    }
    assert_eq!(data, [b"two".to_vec(), b"three".to_vec()]);
}

#[tokio::test]
async fn unary_calls_answer_by_commitment() {
    let stage = Stage::new().await;
    let mut client = stage.client().await;
    let early = client.get_slot(None).await.unwrap_err().to_string();
    assert!(early.contains("block is not available yet"), "{early}");
    for slot in 100..104 {
        stage.play(plain(slot)).await;
    }
    let confirmed = Some(CommitmentLevel::Confirmed);
    assert_eq!(client.get_slot(None).await.unwrap().slot, 103);
    // The status that confirms slot 101 follows the end of slot 103: wait for it before asking.
    let (_sink, mut stream) = stage.subscribe(SubscribeRequest { slots: one("s"), ..Default::default() }).await;
    stage.play(plain(104)).await;
    assert_eq!(words(&mut stream, 2).await, "p104 c102");
    assert_eq!(client.get_slot(confirmed).await.unwrap().slot, 102);
    assert_eq!(client.get_block_height(None).await.unwrap().block_height, 54);
    let latest = client.get_latest_blockhash(None).await.unwrap();
    assert_eq!((latest.slot, latest.last_valid_block_height), (104, 204));
    assert_eq!(latest.blockhash, key(104).to_string());
    assert!(client.is_blockhash_valid(latest.blockhash.clone(), None).await.unwrap().valid);
    assert!(!client.is_blockhash_valid(latest.blockhash, confirmed).await.unwrap().valid);
    assert!(!client.is_blockhash_valid(key(50).to_string(), None).await.unwrap().valid);
    assert_eq!(client.ping(7).await.unwrap().count, 7);
}

#[tokio::test]
async fn deshred_and_gossip_are_not_implemented() {
    let stage = Stage::new().await;
    let mut client = stage.client().await;
    let deshred = client.subscribe_deshred_with_request(None).await.err().unwrap();
    let gossip = client.subscribe_gossip().await.err().unwrap();
    for refused in [deshred, gossip] {
        let GeyserGrpcClientError::TonicStatus(status) = refused else { panic!("a status: {refused}") };
        assert_eq!((status.code(), status.message()), (Code::Unimplemented, ""));
    }
}

#[tokio::test]
async fn the_health_check_needs_no_token() {
    let stage = Stage::with(ServerSettings { x_token: Some("right".to_owned()), ..settings() }).await;
    assert_eq!(stage.client().await.health_check().await.unwrap().status(), ServingStatus::Serving);
}

#[tokio::test]
async fn three_hundred_streams_on_one_connection_all_deliver() {
    let stage = Stage::new().await;
    let mut client = stage.client().await;
    let mut streams = Vec::new();
    for _ in 0..300 {
        streams.push(timeout(PATIENCE, client.subscribe_with_request(Some(everything()))).await.unwrap().unwrap());
    }
    stage.until(|stats| stats.requests_applied == 300).await;
    stage.play(plain(100)).await;
    for (_sink, stream) in &mut streams {
        assert_eq!(words(stream, 5).await, "t100.0 t100.1 t100.2 m100 p100");
    }
}

#[tokio::test]
async fn the_commitment_of_a_live_stream_can_change() {
    let stage = Stage::new().await;
    let (mut sink, mut stream) = stage.subscribe(everything()).await;
    stage.play(plain(100)).await;
    stage.play(plain(101)).await;
    sink.send(at(CommitmentLevel::Confirmed, everything())).await.unwrap();
    stage.until(|stats| stats.requests_applied == 2).await;
    assert_eq!(words(&mut stream, 10).await, "t100.0 t100.1 t100.2 m100 p100 t101.0 t101.1 t101.2 m101 p101");
    stage.play(plain(102)).await;
    assert_eq!(words(&mut stream, 6).await, "p102 t100.0 t100.1 t100.2 m100 c100");
}

#[tokio::test]
async fn votes_failures_and_signatures_are_told_apart() {
    let stage = Stage::new().await;
    let named = |name: &str, filter| (name.to_owned(), filter);
    let filter = SubscribeRequestFilterTransactions::default;
    let wanted = solana_sdk::signature::Signature::try_from(signature(100, 2)).unwrap();
    let transactions = HashMap::from([
        named("fine", SubscribeRequestFilterTransactions { failed: Some(false), ..filter() }),
        named("two", SubscribeRequestFilterTransactions { signature: Some(wanted.to_string()), ..filter() }),
        named("votes", SubscribeRequestFilterTransactions { vote: Some(true), ..filter() }),
        named("work", SubscribeRequestFilterTransactions { vote: Some(false), ..filter() }),
        named("wrong", SubscribeRequestFilterTransactions { failed: Some(true), ..filter() }),
    ]);
    let request = SubscribeRequest {
        transactions: transactions.clone(),
        transactions_status: transactions,
        ..Default::default()
    };
    let (_sink, mut stream) = stage.subscribe(request).await;
    let mut vote = transaction(100, 1, &[1, 9]);
    if let SlotItemKind::Transaction(info) = &mut vote {
        info.is_vote = true;
    }
    let mut failed = transaction(100, 2, &[1, 9]);
    if let SlotItemKind::Transaction(info) = &mut failed {
        info.meta.as_mut().unwrap().err = Some(TransactionError { err: vec![0] });
    }
    stage.play(slot_of(100, vec![vote, failed])).await;
    for expected in ["fine votes", "two work wrong"] {
        for kind in ["t", "x"] {
            let update = update(&mut stream).await;
            assert!(word(&update).starts_with(kind));
            assert_eq!(update.filters.join(" "), expected);
        }
    }
}

#[tokio::test]
async fn owners_of_token_balances_match_on_request() {
    let stage = Stage::new().await;
    let with = |flag: Option<TokenAccountExpansionControlFlag>| SubscribeRequestFilterTransactions {
        account_include: vec![key(50).to_string()],
        token_accounts: flag.map(Into::into),
        ..Default::default()
    };
    let transactions = HashMap::from([
        ("keys".to_owned(), with(None)),
        ("owners".to_owned(), with(Some(TokenAccountExpansionControlFlag::All))),
        ("spent".to_owned(), with(Some(TokenAccountExpansionControlFlag::BalanceChanged))),
    ]);
    let (_sink, mut stream) = stage.subscribe(SubscribeRequest { transactions, ..Default::default() }).await;
    let balance = |amount: &str| TokenBalance {
        owner: key(50).to_string(),
        ui_token_amount: Some(UiTokenAmount { amount: amount.to_owned(), ..Default::default() }),
        ..Default::default()
    };
    let moved = |index, before, after| {
        let mut made = transaction(100, index, &[1, 9]);
        if let SlotItemKind::Transaction(info) = &mut made {
            let meta = info.meta.as_mut().unwrap();
            (meta.pre_token_balances, meta.post_token_balances) = (vec![balance(before)], vec![balance(after)]);
        }
        made
    };
    stage.play(slot_of(100, vec![moved(1, "5", "5"), moved(2, "5", "4")])).await;
    assert_eq!(update(&mut stream).await.filters, ["owners"]);
    assert_eq!(update(&mut stream).await.filters, ["owners", "spent"]);
}

#[tokio::test]
async fn compressed_sets_of_keys_select_like_lists() {
    let stage = Stage::new().await;
    let mut set = CompressedAccountFilterSet::with_capacity(1_000).unwrap();
    set.insert(key(2)).unwrap();
    let mut request = SubscribeRequest::default();
    let (mut accounts, mut transactions) = (SubscribeRequestFilterAccounts::default(), including("t", &[key(3)]));
    let compressed = set.to_proto();
    accounts.cuckoo_accounts_filter = Some(compressed.clone());
    transactions.get_mut("t").unwrap().cuckoo_account_include = Some(compressed.clone());
    request.accounts.insert("a".to_owned(), accounts);
    request.transactions = transactions;
    let (mut sink, mut stream) = stage.subscribe(request.clone()).await;
    let mut plan = plain(100);
    plan.items.push(SlotItem { at: Duration::ZERO, kind: account(1, b"one") });
    plan.items.push(SlotItem { at: Duration::ZERO, kind: account(2, b"two") });
    stage.play(plan).await;
    stage.play(plain(101)).await;
    assert_eq!(words(&mut stream, 5).await, "t100.1 t100.2 a100 t101.1 t101.2");
    // A set that is not what it says is refused.
    let broken = CuckooFilter { bucket_count: 3, ..compressed };
    request.accounts.get_mut("a").unwrap().cuckoo_accounts_filter = Some(broken);
    sink.send(request).await.unwrap();
    let (code, text) = failure(&mut stream).await;
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(text, "failed to create filter: cuckoo filter: not as many buckets as it says");
}

#[tokio::test]
async fn only_loopback_addresses_are_served() {
    let (_slots, plans) = mpsc::channel();
    let listen = "192.0.2.1:0".parse().unwrap();
    let refused = Server::start(ServerSettings { listen, ..settings() }, Box::new(Scripted(plans))).await;
    let error = refused.err().expect("refused");
    assert!(matches!(error, ServerError::NotLoopback(address) if address == listen), "{error}");
}

#[tokio::test]
async fn shutdown_ends_live_streams_cleanly() {
    let stage = Stage::new().await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    stage.play(plain(100)).await;
    let reading = tokio::spawn(async move { rest(&mut stream).await });
    timeout(PATIENCE, stage.server.shutdown()).await.expect("stopped");
    assert_eq!(reading.await.unwrap(), "t100.0 t100.1 t100.2 m100 p100");
}
