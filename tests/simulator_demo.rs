//! The demo through the loopback server: real and simulated transactions side by side, whole to the last event.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{collections::HashMap, time::Duration};

use futures_util::StreamExt;
use prost::Message;
use smart_stream_tui::{
    chain::{
        program::Program,
        wire::{Kind, Update},
    },
    decode::{Decoder, Tally},
    simulator::{
        demo::{Demo, DemoSettings},
        server::{Pace, Server, ServerSettings},
    },
};
use tokio::time::timeout;
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::{geyser::subscribe_update::UpdateOneof, prelude::*};

const PATIENCE: Duration = Duration::from_secs(60);
/// More than a pass of the recording.
const TRANSACTIONS: usize = 3_500;

#[tokio::test]
async fn every_transaction_of_the_demo_is_new_and_whole() {
    let settings = ServerSettings { pace: Pace::Max, start_after_streams: 1, ..ServerSettings::default() };
    let demo = Demo::new(DemoSettings { seed: 9, rate: 150.0 }).unwrap();
    let server = Server::start(settings, Box::new(demo)).await.unwrap();
    let request = SubscribeRequest {
        slots: HashMap::from([(
            "s".to_owned(),
            SubscribeRequestFilterSlots { interslot_updates: Some(true), ..SubscribeRequestFilterSlots::default() },
        )]),
        transactions: HashMap::from([("t".to_owned(), SubscribeRequestFilterTransactions::default())]),
        ..SubscribeRequest::default()
    };
    let mut client = GeyserGrpcClient::build_from_shared(server.url()).unwrap().connect().await.unwrap();
    let (_sink, mut stream) = client.subscribe_with_request(Some(request)).await.unwrap();
    let (mut decoder, mut tally) = (Decoder::default(), Tally::default());
    let (mut events, mut undecoded, mut signatures, mut slots) = (Vec::new(), Vec::new(), HashMap::new(), Vec::new());
    let mut dead = 0;
    while signatures.len() < TRANSACTIONS || dead == 0 {
        let update = timeout(PATIENCE, stream.next()).await.expect("in time").unwrap().unwrap();
        if let Some(UpdateOneof::Slot(slot)) = &update.update_oneof
            && slot.status() == SlotStatus::SlotDead
        {
            // What happened in it happens again, in the next slot.
            dead += 1;
            signatures.retain(|_, in_slot| *in_slot != slot.slot);
        }
        let Some(UpdateOneof::Transaction(_)) = &update.update_oneof else { continue };
        let frame = update.encode_to_vec();
        let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { panic!("a transaction") };
        let before = signatures.insert(*transaction.signature, transaction.slot);
        assert_eq!(before, None, "a signature came twice");
        slots.push((transaction.slot, transaction.index));
        tally.add(&decoder.decode(&transaction, &mut events, &mut undecoded).unwrap().tally);
    }
    assert_eq!(undecoded, []);
    for program in [Program::Pump, Program::PumpSwap] {
        let counts = tally.of(program);
        assert!(counts.expected > 500, "{program:?}: {counts:?}");
        assert_eq!((counts.decoded, counts.unknown_tails), (counts.expected, 0), "{program:?}");
    }
    assert!(tally.of(Program::RaydiumLaunchlab).invocations > 0, "the recorded ones are among them");
    assert!(slots.is_sorted(), "slots and positions in them go on");
}
