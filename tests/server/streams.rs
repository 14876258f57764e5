//! The life of a stream: requests, pings, slow clients, ends.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use smart_stream_tui::simulator::server::{Pace, ServerSettings};
use solana_sdk::pubkey::Pubkey;
use tokio::time::timeout;
use tonic::Code;
use yellowstone_grpc_proto::{geyser::subscribe_update::UpdateOneof, prelude::*};

use crate::stage::{
    PATIENCE, Stage, account, everything, including, key, next, one, plain, rest, settings, slot_of, transaction,
    update, word, words,
};

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
async fn shutdown_ends_live_streams_cleanly() {
    let stage = Stage::new().await;
    let (_sink, mut stream) = stage.subscribe(everything()).await;
    stage.play(plain(100)).await;
    let reading = tokio::spawn(async move { rest(&mut stream).await });
    timeout(PATIENCE, stage.server.shutdown()).await.expect("stopped");
    assert_eq!(reading.await.unwrap(), "t100.0 t100.1 t100.2 m100 p100");
}
