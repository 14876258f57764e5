//! Calls other than the stream itself, and what they are refused for.

use std::{sync::mpsc, time::Duration};

use futures_util::SinkExt;
use smart_stream_tui::simulator::server::{OracleEvent, Server, ServerError, ServerSettings};
use tokio::time::timeout;
use tonic::{Code, codec::CompressionEncoding};
use tonic_health::pb::health_check_response::ServingStatus;
use yellowstone_grpc_client::{GeyserGrpcClient, GeyserGrpcClientError};
use yellowstone_grpc_proto::prelude::*;

use crate::stage::{PATIENCE, Scripted, Stage, everything, key, one, plain, settings, words};

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
async fn only_loopback_addresses_are_served() {
    let (_slots, plans) = mpsc::channel();
    let listen = "192.0.2.1:0".parse().unwrap();
    let refused = Server::start(ServerSettings { listen, ..settings() }, Box::new(Scripted(plans))).await;
    let error = refused.err().expect("refused");
    assert!(matches!(error, ServerError::NotLoopback(address) if address == listen), "{error}");
}
