//! Every kind of fault does on the loopback server what the plan says, seen through the published Yellowstone client.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "support/stage.rs"]
mod stage;

use std::{
    collections::HashMap,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt};
use serde_json::Value;
use smart_stream_tui::simulator::{
    feed::{SlotItem, SlotPlan},
    server::{OracleEvent, OracleWriter, ServerSettings},
};
use solana_sdk::signature::Signature;
use tokio::time::timeout;
use tonic::Code;
use yellowstone_grpc_client::{GeyserGrpcClient, GeyserGrpcClientError, GeyserStream, SubscribeRequestSink};
use yellowstone_grpc_proto::{geyser::subscribe_update::UpdateOneof, prelude::*};

use crate::stage::{
    PATIENCE, Stage, account, everything, failure, next, one, plain, settings, signature, slot_of, update, word, words,
};

fn faulty(plan: &str) -> ServerSettings {
    ServerSettings { faults: Some(plan.parse().unwrap()), ..settings() }
}

async fn stage(plan: &str) -> Stage {
    Stage::with(faulty(plan)).await
}

async fn refused(stage: &Stage) -> tonic::Status {
    let opened = stage.client().await.subscribe_with_request(Some(everything())).await;
    let Err(GeyserGrpcClientError::TonicStatus(status)) = opened else { panic!("refused by a status") };
    status
}

/// Subscribes until the server takes it.
async fn insist(stage: &Stage) -> (SubscribeRequestSink, GeyserStream) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let opened = stage.client().await.subscribe_with_request(Some(everything())).await;
        if let Ok(opened) = opened {
            return opened;
        }
        assert!(Instant::now() < deadline, "never accepted");
    }
}

/// The error of a stream whose connection broke: what follows it is tonic's.
async fn broken(stream: &mut GeyserStream) -> (Code, String) {
    let error = next(stream).await.expect("an error").expect_err("an error");
    (error.code(), error.message().to_owned())
}

const PLAIN: &str = "t100.0 t100.1 t100.2 m100 p100";

#[tokio::test]
async fn a_status_ends_what_is_live() {
    let stage = stage("[[fault]]\nat = '30ms'\nkind = 'status'\ncode = 'UNAVAILABLE'\nmessage = 'gone'").await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    assert_eq!(failure(&mut stream).await, (Code::Unavailable, "gone".to_owned()));
    stage.subscribe(everything()).await;
}

#[tokio::test]
async fn a_status_that_lasts_refuses_calls_and_then_lets_them_through() {
    let plan = "[[fault]]\nat = '0s'\nfor = '200ms'\nkind = 'status'\ncode = 'RESOURCE_EXHAUSTED'\nmessage = 'slow'\npushback_ms = 70000";
    let stage = stage(plan).await;
    let status = refused(&stage).await;
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "slow"));
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "70000");
    insist(&stage).await;
}

#[tokio::test]
async fn a_limit_refuses_calls_and_leaves_live_streams_alone() {
    let stage = stage("[[fault]]\nat = '30ms'\nkind = 'limit'").await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match stage.client().await.subscribe_with_request(Some(everything())).await {
            Err(GeyserGrpcClientError::TonicStatus(status)) => break status,
            _ => assert!(Instant::now() < deadline, "never refused"),
        }
    };
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "rate limit exceeded"));
    stage.play(plain(100)).await;
    assert_eq!(words(&mut stream, 5).await, PLAIN);
}

#[tokio::test]
async fn every_stream_gets_so_many_updates_and_then_its_end() {
    for (kind, error) in [
        ("close", None),
        ("lagged", Some((Code::Internal, "lagged to receive geyser messages"))),
        ("status'\ncode = 'INTERNAL'\nmessage = 'no", Some((Code::Internal, "no"))),
    ] {
        let stage = stage(&format!("[[fault]]\nat = '0s'\nfor = '1h'\nafter = 4\nkind = '{kind}'")).await;
        for slot in [100, 101] {
            let (_sink, mut stream) = stage.subscribe(everything()).await;
            stage.play(plain(slot)).await;
            let got = words(&mut stream, 4).await;
            assert_eq!(got, format!("t{slot}.0 t{slot}.1 t{slot}.2 m{slot}"));
            match error {
                Some((code, text)) => assert_eq!(failure(&mut stream).await, (code, text.to_owned())),
                None => assert!(next(&mut stream).await.is_none()),
            }
        }
    }
}

#[tokio::test]
async fn a_close_that_lasts_gives_empty_streams() {
    let stage = stage("[[fault]]\nat = '0s'\nfor = '1h'\nkind = 'close'").await;
    let (_sink, mut stream) = stage.client().await.subscribe_with_request(Some(everything())).await.unwrap();
    assert!(timeout(PATIENCE, stream.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_stalled_stream_says_nothing_while_its_connection_answers() {
    let stage = stage("[[fault]]\nat = '0s'\nfor = '400ms'\nkind = 'stall'\nconnection = 1").await;
    let mut client = stage.client().await;
    let began = Instant::now();
    let (_sink, mut stream) = client.subscribe_with_request(Some(everything())).await.unwrap();
    stage.until(|stats| stats.requests_applied == 1).await;
    let (_other, mut fine) = stage.subscribe(everything()).await;
    stage.play(plain(100)).await;
    assert_eq!(words(&mut fine, 5).await, PLAIN);
    assert_eq!(client.get_slot(None).await.unwrap().slot, 100);
    // Had it been slower than the stall up to here, nothing could be said of it.
    let early = stream.next().now_or_never().is_some();
    assert!(!early || began.elapsed() > Duration::from_millis(400));
    assert_eq!(words(&mut stream, 5).await, PLAIN);
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn what_is_dropped_is_data_or_everything_and_only_there() {
    let stage = stage("[[fault]]\nat = '0s'\nkind = 'drop'\nshare = 1\nconnection = 2\n[[fault]]\nat = '0s'\nkind = 'drop'\nshare = 1\nwhat = 'all'\nconnection = 3").await;
    let (_first, mut whole) = stage.subscribe(everything()).await;
    let (_second, mut bare) = stage.subscribe(everything()).await;
    let (_third, mut nothing) = stage.subscribe(everything()).await;
    stage.play(plain(100)).await;
    assert_eq!(words(&mut whole, 5).await, PLAIN);
    assert_eq!(words(&mut bare, 2).await, "m100 p100");
    stage.server.shutdown().await;
    assert!(next(&mut nothing).await.is_none());
}

#[tokio::test]
async fn updates_come_twice_or_in_another_order() {
    let twice = stage("[[fault]]\nat = '0s'\nkind = 'duplicate'\nshare = 1").await;
    let (_sink, mut stream) = twice.subscribe(everything()).await;
    twice.play(plain(100)).await;
    assert_eq!(words(&mut stream, 8).await, "t100.0 t100.0 t100.1 t100.1 t100.2 t100.2 m100 p100");
    // The end of the slot passes no data.
    let swapped = stage("[[fault]]\nat = '0s'\nkind = 'reorder'\nshare = 1").await;
    let (_sink, mut stream) = swapped.subscribe(everything()).await;
    swapped.play(plain(100)).await;
    assert_eq!(words(&mut stream, 5).await, "t100.1 t100.0 t100.2 m100 p100");
}

#[tokio::test]
async fn a_dead_slot_is_told_and_its_transactions_land_in_the_next() {
    let stage = stage("[[fault]]\nat = '0s'\nkind = 'dead_slot'").await;
    let slots = SubscribeRequestFilterSlots { interslot_updates: Some(true), ..Default::default() };
    let request = SubscribeRequest {
        transactions: one("t"),
        blocks_meta: one("m"),
        slots: HashMap::from([("s".to_owned(), slots)]),
        ..Default::default()
    };
    let (_sink, mut stream) = stage.subscribe(request).await;
    stage.slots.send(plain(100)).unwrap();
    stage.play(plain(101)).await;
    assert_eq!(words(&mut stream, 7).await, "first100 bank100 t100.0 t100.1 t100.2 completed100 dead100");
    assert_eq!(words(&mut stream, 2).await, "first101 bank101");
    for (index, (slot, old)) in [(100, 1), (100, 2), (100, 3), (101, 1), (101, 2), (101, 3)].into_iter().enumerate() {
        let update = update(&mut stream).await;
        assert_eq!(word(&update), format!("t101.{index}"));
        let Some(UpdateOneof::Transaction(update)) = update.update_oneof else { panic!("a transaction") };
        assert_eq!(update.transaction.unwrap().signature, signature(slot, old));
    }
    assert_eq!(words(&mut stream, 1).await, "completed101");
    let Some(UpdateOneof::BlockMeta(meta)) = update(&mut stream).await.update_oneof else { panic!("a meta") };
    assert_eq!((meta.slot, meta.parent_slot, meta.executed_transaction_count), (101, 99, 6));
    assert_eq!(meta.block_height.unwrap().block_height, 50);
    assert!(stage.server.log().iter().any(|entry| entry.event == OracleEvent::Dead { slot: 100 }));
    stage.play(plain(102)).await;
    assert_eq!(words(&mut stream, 7).await, "p101 first102 bank102 t102.0 t102.1 t102.2 completed102");
}

#[tokio::test]
async fn the_replay_is_gone_but_for_the_newest_slot() {
    let stage = stage("[[fault]]\nat = '0s'\nfor = '1h'\nkind = 'replay_gone'").await;
    let (_sink, _stream) = stage.subscribe(everything()).await;
    for slot in 100..105 {
        stage.play(plain(slot)).await;
    }
    assert_eq!(stage.client().await.subscribe_replay_info().await.unwrap().first_available, Some(104));
    let request = SubscribeRequest { from_slot: Some(102), ..everything() };
    let (_sink, mut stream) = stage.client().await.subscribe_with_request(Some(request)).await.unwrap();
    let text = "broadcast from 102 is not available, last available: 104".to_owned();
    assert_eq!(failure(&mut stream).await, (Code::OutOfRange, text));
}

#[tokio::test]
async fn one_update_is_larger_than_the_client_takes() {
    let stage = stage("[[fault]]\nat = '30ms'\nkind = 'oversize'\nbytes = 5000000").await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    let (code, text) = broken(&mut stream).await;
    assert_eq!(code, Code::OutOfRange);
    assert!(text.starts_with("Error, decoded message length too large: found 50000"), "{text}");
}

#[tokio::test]
async fn a_reset_breaks_the_connection_and_lets_the_next_one_through() {
    let stage = stage("[[fault]]\nat = '30ms'\nkind = 'reset'").await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    let (code, text) = broken(&mut stream).await;
    assert_eq!(code, Code::Unknown);
    assert!(text.starts_with("h2 protocol error: error reading a body from connection"), "{text}");
    stage.subscribe(everything()).await;
}

#[tokio::test]
async fn a_reset_counts_bytes() {
    for bytes in [1, 9, 24, 33, 100] {
        let plan = format!("[[fault]]\nat = '0s'\nfor = '1h'\nkind = 'reset'\nafter_bytes = {bytes}\nconnection = 2");
        // Pings bring the bytes.
        let stage = Stage::with(ServerSettings { ping_interval: Duration::from_millis(20), ..faulty(&plan) }).await;
        let (_sink, mut fine) = stage.subscribe(everything()).await;
        let builder = GeyserGrpcClient::build_from_shared(stage.server.url()).unwrap();
        let mut streams = Vec::new();
        if let Ok(mut client) = builder.connect().await {
            streams.extend(client.subscribe_with_request(Some(everything())).await);
        }
        stage.play(plain(100)).await;
        assert_eq!(words(&mut fine, 5).await, PLAIN);
        for (_sink, stream) in &mut streams {
            while next(stream).await.expect("an error at the end").is_ok() {}
        }
    }
}

#[tokio::test]
async fn bytes_come_later_slower_or_piece_by_piece_but_the_same() {
    let big = || {
        let mut plan: SlotPlan = plain(100);
        plan.items.push(SlotItem { at: Duration::ZERO, kind: account(1, &vec![7; 20_000]) });
        plan
    };
    for (fault, least_ms) in [
        ("kind = 'delay'\nms = 300\njitter_ms = 100", 200),
        ("kind = 'rate'\nbytes_per_s = 50000", 300),
        ("kind = 'slice'", 0),
        ("kind = 'blackhole'\nfor = '300ms'", 300),
        ("kind = 'blackhole'\ndirection = 'down'\nfor = '300ms'", 300),
    ] {
        let stage = stage(&format!("[[fault]]\nat = '0s'\n{fault}")).await;
        let began = Instant::now();
        let mut client = stage.client().await;
        let request = SubscribeRequest { accounts: one("a"), ..everything() };
        let (_sink, mut stream) = client.subscribe_with_request(Some(request)).await.unwrap();
        stage.until(|stats| stats.requests_applied == 1).await;
        stage.play(big()).await;
        assert_eq!(words(&mut stream, 6).await, "t100.0 t100.1 t100.2 a100 m100 p100", "{fault}");
        assert!(began.elapsed() >= Duration::from_millis(least_ms), "{fault}");
    }
}

#[tokio::test]
async fn a_goaway_sends_new_streams_to_a_new_connection() {
    let stage = stage("[[fault]]\nat = '30ms'\nkind = 'goaway'\nconnection = 1").await;
    let mut client = stage.client().await;
    let (_sink, mut first) = client.subscribe_with_request(Some(everything())).await.unwrap();
    stage.until(|stats| stats.requests_applied == 1).await;
    let moved = |entry: &OracleEvent| matches!(entry, OracleEvent::Subscribed { connection: Some(2), .. });
    let deadline = Instant::now() + PATIENCE;
    let mut others = Vec::new();
    while !stage.server.log().iter().any(|entry| moved(&entry.event)) {
        assert!(Instant::now() < deadline, "never moved");
        // A call may meet the moment at which the connection takes no more.
        others.extend(client.subscribe_with_request(None).await);
    }
    stage.play(plain(100)).await;
    assert_eq!(words(&mut first, 5).await, PLAIN);
}

#[tokio::test]
async fn a_goaway_that_asks_for_calm_ends_the_streams() {
    let stage = stage("[[fault]]\nat = '30ms'\nkind = 'goaway'\ncode = 'ENHANCE_YOUR_CALM'").await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    let (code, text) = broken(&mut stream).await;
    assert_eq!(code, Code::ResourceExhausted, "{text}");
    stage.subscribe(everything()).await;
}

/// What a server writes, for all to see.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Plays ten slots under a plan; what the client got, and what the oracle says.
async fn witnessed(seed: u64) -> (Vec<String>, Vec<Value>) {
    let page = Page::default();
    let (oracle, thread) = OracleWriter::start(page.clone()).unwrap();
    let plan = format!(
        "seed = {seed}\n[[fault]]\nat = '0s'\nkind = 'drop'\nshare = 0.4\n[[fault]]\nat = '0s'\nkind = 'reorder'\nshare = 0.3"
    );
    let stage = Stage::with(ServerSettings { oracle: Some(oracle), ..faulty(&plan) }).await;
    let (sink, mut stream) = stage.subscribe(everything()).await;
    for slot in 100..110 {
        stage.play(plain(slot)).await;
    }
    let mut got = Vec::new();
    while got.last().is_none_or(|last| last != "p109") {
        let update = update(&mut stream).await;
        got.push(match update.update_oneof.as_ref().unwrap() {
            UpdateOneof::Transaction(update) => {
                Signature::try_from(&update.transaction.as_ref().unwrap().signature[..]).unwrap().to_string()
            }
            _ => word(&update),
        });
    }
    drop((sink, stream));
    stage.until(|stats| stats.open_streams == 0).await;
    stage.server.shutdown().await;
    timeout(PATIENCE, tokio::task::spawn_blocking(move || thread.join().unwrap().unwrap())).await.unwrap().unwrap();
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    (got, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[tokio::test]
async fn the_oracle_tells_what_was_sent_and_what_was_not() {
    let (got, lines) = witnessed(7).await;
    let of = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind);
    let signatures = |sent: bool| {
        let data = of("update").filter(move |line| line["kind"] == "transaction" && line["sent"] == sent);
        data.map(|line| line["signature"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let received: Vec<String> = got.iter().filter(|word| word.len() > 60).cloned().collect();
    assert_eq!(signatures(true), received);
    assert_eq!(signatures(true).len() + signatures(false).len(), 30);
    assert!(of("update").filter(|line| line["sent"] == false).all(|line| line["fate"] == "dropped"));
    assert!(!signatures(false).is_empty());
    assert_eq!(of("update").filter(|line| line["kind"] == "block_meta").count(), 10);
    let subscribe = of("subscribe").next().unwrap();
    assert_eq!((subscribe["stream"].as_u64(), subscribe["connection"].as_u64()), (Some(1), Some(1)));
    assert!(subscribe["at_us"].as_u64().unwrap() > 0);
    assert_eq!(of("request").next().unwrap()["transactions"][0], "t");
    assert_eq!(of("closed").count(), 1);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_choices() {
    let ((first, _), (again, _), (other, _)) = (witnessed(7).await, witnessed(7).await, witnessed(8).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

/// A writer that stands still until the test lets go.
struct Stuck(std::sync::mpsc::Receiver<()>, Page);
impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Resolves for ever once the test lets go.
        let _ = self.0.recv();
        self.1.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_oracle_that_does_not_keep_up_loses_lines_and_says_how_many() {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let page = Page::default();
    let (oracle, thread) = OracleWriter::start(Stuck(held, page.clone())).unwrap();
    let stage = Stage::with(ServerSettings { oracle: Some(oracle.clone()), ..settings() }).await;
    let opened = stage.subscribe(everything()).await;
    let many = |slot| slot_of(slot, (0..200).flat_map(|_| plain(slot).items).map(|item| item.kind).collect());
    let mut slot = 100;
    while oracle.missed() == 0 {
        stage.play(many(slot)).await;
        slot += 1;
    }
    drop((hold, opened));
    stage.until(|stats| stats.open_streams == 0).await;
    stage.server.shutdown().await;
    let missed = oracle.missed();
    drop(oracle);
    timeout(PATIENCE, tokio::task::spawn_blocking(move || thread.join().unwrap().unwrap())).await.unwrap().unwrap();
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: u64 = lines.filter(|line| line["type"] == "missed").map(|line| line["lines"].as_u64().unwrap()).sum();
    assert_eq!(told, missed);
}
