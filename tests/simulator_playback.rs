//! A recording comes out of the server as it went in: every message once, in order, seen by a plain Yellowstone client.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::StreamExt;
use prost::Message;
use smart_stream_tui::{
    chain::recording::{Reader, RecordingError, Writer},
    simulator::{
        feed::{Producer, SlotItemKind, SlotPlan},
        playback::{LONGEST_GAP, Playback},
        server::{Pace, Server, ServerSettings},
    },
};
use tokio::time::timeout;
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::{geyser::subscribe_update::UpdateOneof, prelude::*};

const PATIENCE: Duration = Duration::from_secs(60);

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn published() -> PathBuf {
    package("tests/data/published.pb.zst")
}

/// The shared recordings, where they are.
fn mainnet() -> Option<PathBuf> {
    let folder = std::env::var_os("SMART_STREAM_SHARED").map_or_else(|| package("../shared"), PathBuf::from);
    let folder = folder.join("data/mainnet");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: the reference recordings are not here ({})", folder.display());
    None
}

fn messages(path: &Path) -> Vec<SubscribeUpdate> {
    Reader::open(path).unwrap().map(|message| SubscribeUpdate::decode(message.unwrap()).unwrap()).collect()
}

/// A message without what the server makes anew; of a slot's parent, which it adds where it knows it, nothing is said.
fn bare(mut update: SubscribeUpdate) -> SubscribeUpdate {
    update.filters.clear();
    update.created_at = None;
    if let Some(UpdateOneof::Slot(slot)) = &mut update.update_oneof {
        slot.parent = None;
    }
    update
}

fn one<T: Default>(name: &str) -> HashMap<String, T> {
    HashMap::from([(name.to_owned(), T::default())])
}

/// What a client that asks for everything gets of a recording, pings left out; and the producer's complaint.
async fn served(path: &Path) -> (Vec<SubscribeUpdate>, Option<String>) {
    let settings = ServerSettings { pace: Pace::Max, start_after_streams: 1, ..ServerSettings::default() };
    let server = Server::start(settings, Box::new(Playback::open(path).unwrap())).await.unwrap();
    let request = SubscribeRequest {
        transactions: one("t"),
        transactions_status: one("x"),
        accounts: one("a"),
        slots: HashMap::from([(
            "s".to_owned(),
            SubscribeRequestFilterSlots { interslot_updates: Some(true), ..Default::default() },
        )]),
        blocks_meta: one("m"),
        ..SubscribeRequest::default()
    };
    let builder = GeyserGrpcClient::build_from_shared(server.url()).unwrap();
    let builder = builder.max_decoding_message_size(usize::MAX);
    let mut client = builder.connect().await.unwrap();
    let (_sink, mut stream) = client.subscribe_with_request(Some(request)).await.unwrap();
    let mut got = Vec::new();
    while let Some(update) = timeout(PATIENCE, stream.next()).await.expect("in time") {
        let update = bare(update.unwrap());
        if !matches!(update.update_oneof, Some(UpdateOneof::Ping(_))) {
            got.push(update);
        }
    }
    (got, server.producer_error())
}

fn is_data(update: &SubscribeUpdate) -> bool {
    matches!(update.update_oneof, Some(UpdateOneof::Transaction(_) | UpdateOneof::Account(_)))
}

fn is_slot(update: &SubscribeUpdate) -> bool {
    matches!(update.update_oneof, Some(UpdateOneof::Slot(_)))
}

fn is_meta(update: &SubscribeUpdate) -> bool {
    matches!(update.update_oneof, Some(UpdateOneof::BlockMeta(_)))
}

fn only(updates: &[SubscribeUpdate], keep: impl Fn(&SubscribeUpdate) -> bool) -> Vec<SubscribeUpdate> {
    updates.iter().filter(|update| keep(update)).cloned().map(bare).collect()
}

fn assert_same(got: &[SubscribeUpdate], expected: &[SubscribeUpdate], what: &str) {
    for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(got, expected, "{what} number {place}");
    }
    assert_eq!(got.len(), expected.len(), "count of {what}");
}

#[tokio::test]
async fn every_message_of_the_shipped_recording_arrives_once_and_in_order() {
    let (got, failure) = served(&published()).await;
    let expected = messages(&published());
    assert_eq!((failure, expected.len()), (None, 58));
    assert_same(&only(&got, is_data), &only(&expected, is_data), "transaction");
    // The recording has no slots of its own: the server makes them, and a status of each transaction.
    let statuses = got.iter().filter_map(|update| match &update.update_oneof {
        Some(UpdateOneof::TransactionStatus(status)) => Some(status.signature.clone()),
        _ => None,
    });
    let signatures = expected.iter().map(|update| match &update.update_oneof {
        Some(UpdateOneof::Transaction(update)) => update.transaction.as_ref().unwrap().signature.clone(),
        _ => panic!("a transaction"),
    });
    assert!(statuses.eq(signatures));
    let mut slots: Vec<u64> = expected.iter().filter_map(slot).collect();
    slots.dedup();
    let made: Vec<u64> = only(&got, is_meta).iter().filter_map(slot).collect();
    assert_eq!(made, slots, "one block meta for each slot, in order");
}

fn slot(update: &SubscribeUpdate) -> Option<u64> {
    match update.update_oneof.as_ref()? {
        UpdateOneof::Transaction(update) => Some(update.slot),
        UpdateOneof::BlockMeta(update) => Some(update.slot),
        UpdateOneof::Slot(update) => Some(update.slot),
        _ => None,
    }
}

#[tokio::test]
async fn every_message_of_the_reference_recordings_arrives_once_and_in_order() {
    let Some(folder) = mainnet() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "zst") {
            continue;
        }
        let expected = messages(&path);
        let (got, failure) = served(&path).await;
        assert_eq!(failure, None);
        assert_same(&only(&got, is_data), &only(&expected, is_data), "message");
        count += only(&got, is_data).len();
        for is_recorded in [is_slot, is_meta] {
            let expected = only(&expected, is_recorded);
            if !expected.is_empty() {
                assert_same(&only(&got, is_recorded), &expected, "slot or meta");
                count += expected.len();
            }
        }
    }
    assert!(count > 1_000, "{count}");
}

#[tokio::test]
async fn a_cut_recording_is_played_up_to_the_cut_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    for (name, cut_by) in [("cut.pb", 5_000), ("cut.pb.zst", 20_000)] {
        let path = folder.path().join(name);
        let mut writer = Writer::create(&path).unwrap();
        for update in messages(&published()) {
            writer.append(&update.encode_to_vec(), 0).unwrap();
        }
        writer.finish().unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - cut_by]).unwrap();
        let (got, failure) = served(&path).await;
        let failure = failure.expect("a complaint");
        assert!(failure.contains(name) && failure.contains("cut off at byte"), "{failure}");
        let got = only(&got, is_data);
        assert!((10..58).contains(&got.len()), "{name}: {}", got.len());
        assert_same(&got, &only(&messages(&published()), is_data)[..got.len()], "transaction");
    }
}

#[test]
fn what_is_no_recording_is_refused_or_ends_with_a_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.pb");
    let error = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Playback::open(&path).err().map(|error| error.to_string())
    };
    assert!(error(b"Not a recording at all, but a text of some length that goes on.").unwrap().contains("foreign.pb"));
    assert!(error(&[0xff; 64]).unwrap().contains("is not a recording"));
    assert!(error(&[3, 0xff, 0xff, 0xff]).unwrap().contains("cannot be read"));
    assert_eq!(error(b""), None, "an empty recording is one");
    let missing = Playback::open(&folder.path().join("missing.pb")).err().unwrap();
    assert!(matches!(missing, RecordingError::Io { .. }), "{missing}");

    let mut bytes = messages(&published())[0].encode_length_delimited_to_vec();
    bytes.extend([3, 0xff, 0xff, 0xff]);
    std::fs::write(&path, bytes).unwrap();
    let mut playback = Playback::open(&path).unwrap();
    assert_eq!(plans(&mut playback).len(), 1);
    assert!(playback.failure().unwrap().contains("cannot be read"));
}

fn plans(playback: &mut Playback) -> Vec<SlotPlan> {
    std::iter::from_fn(|| playback.next_slot()).collect()
}

#[test]
fn a_recording_of_slots_says_so_and_keeps_its_time() {
    let update = |slot: u64, kind: u8, micros: i64| SubscribeUpdate {
        update_oneof: Some(match kind {
            0 => UpdateOneof::Slot(SubscribeUpdateSlot { slot, ..Default::default() }),
            1 => UpdateOneof::BlockMeta(SubscribeUpdateBlockMeta { slot, ..Default::default() }),
            _ => UpdateOneof::TransactionStatus(SubscribeUpdateTransactionStatus { slot, ..Default::default() }),
        }),
        created_at: Some(prost_types::Timestamp {
            seconds: micros / 1_000_000,
            nanos: i32::try_from(micros % 1_000_000).unwrap() * 1_000,
        }),
        ..SubscribeUpdate::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slots.pb");
    // 10 ms apart, once a silence of a minute.
    let times: Vec<i64> = (0..300).map(|n| n * 10_000 + if n < 100 { 0 } else { 60_000_000 }).collect();
    let mut writer = Writer::create(&path).unwrap();
    for (number, time) in (0..).zip(&times) {
        let update = update(100 + number / 20, u8::try_from(number % 3).unwrap(), *time);
        writer.append(&update.encode_to_vec(), *time).unwrap();
    }
    writer.finish().unwrap();
    let mut playback = Playback::open(&path).unwrap();
    let carries = playback.carries();
    assert!(carries.slot_status && carries.block_meta && carries.transaction_status);
    let mut start = Duration::ZERO;
    let mut due = Vec::new();
    for plan in plans(&mut playback) {
        assert!(plan.items.is_sorted_by_key(|item| item.at));
        for item in plan.items {
            assert!(matches!(item.kind, SlotItemKind::Recorded(_)));
            due.push(start + item.at);
        }
        start += plan.duration;
    }
    let expected: Vec<_> = (0..300_u64)
        .map(|n| {
            Duration::from_millis(n * 10)
                + if n < 100 { Duration::ZERO } else { LONGEST_GAP.saturating_sub(Duration::from_millis(10)) }
        })
        .collect();
    assert_eq!(due, expected);
}

#[test]
fn a_slot_without_end_is_played_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("endless.pb.zst");
    let mut writer = Writer::create(&path).unwrap();
    let update = |data: &[u8]| SubscribeUpdate {
        update_oneof: Some(UpdateOneof::Account(SubscribeUpdateAccount {
            slot: 7,
            account: Some(SubscribeUpdateAccountInfo { data: data.to_vec(), ..Default::default() }),
            ..Default::default()
        })),
        ..SubscribeUpdate::default()
    };
    for (count, size) in [(30_000, 10), (60, 1 << 20)] {
        let bytes = update(&vec![1; size]).encode_to_vec();
        for _ in 0..count {
            writer.append(&bytes, 0).unwrap();
        }
    }
    writer.finish().unwrap();
    let mut playback = Playback::open(&path).unwrap();
    let (mut count, mut most) = (0, 0);
    while let Some(plan) = playback.next_slot() {
        assert_eq!(plan.slot, 7);
        count += plan.items.len();
        let sizes = plan.items.iter().map(|item| match &item.kind {
            SlotItemKind::Recorded(update) => update.encoded_len(),
            _ => panic!("a recorded message"),
        });
        most = most.max(sizes.sum::<usize>());
        assert!(plan.items.len() <= 8_192);
    }
    assert_eq!(count, 30_060);
    assert!(most <= 18 << 20, "{most} bytes in one plan");
}
