//! What comes in a slot, at a commitment and in a replay, and in which order.

use std::collections::HashMap;

use futures_util::SinkExt;
use smart_stream_tui::simulator::server::ServerSettings;
use tokio::time::timeout;
use tonic::Code;
use yellowstone_grpc_proto::{geyser::subscribe_update::UpdateOneof, prelude::*};

use crate::stage::{
    PATIENCE, Stage, account, at, everything, failure, key, one, plain, rest, settings, slot_of, update, word, words,
};

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
