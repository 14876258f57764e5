//! Labelled scenarios are what they say: every planned trade is decoded where its label says, and every kind is planted.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use prost::Message;
use smart_stream_tui::{
    chain::wire::{Kind as Frame, Update},
    decode::{Decoder, EventKind},
    simulator::{
        feed::{Producer, SlotItemKind},
        scenario::{Kind, Scenario, Settings, label::Label},
    },
};
use yellowstone_grpc_proto::geyser::{SubscribeUpdate, SubscribeUpdateTransaction, subscribe_update::UpdateOneof};

/// A scenario's labels, and the decoded trades by signature and path: user and pool.
type Trades = HashMap<(String, (u16, Option<u16>)), (String, String)>;

fn play(seed: u64, kinds: &[Kind], each: usize) -> (Vec<Label>, Trades, u64) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let settings = Settings::shipped().unwrap();
    let mut scenario = Scenario::new(seed, &settings, kinds, each, 1_795_000_000)
        .with_labels(Box::new(move |label| sink.lock().unwrap().push(label)));
    let (mut decoder, mut trades) = (Decoder::default(), Trades::new());
    while let Some(plan) = scenario.next_slot() {
        for (index, item) in (0..).zip(plan.items) {
            let SlotItemKind::Transaction(mut info) = item.kind else { panic!("nothing else") };
            info.index = index;
            let transaction =
                SubscribeUpdateTransaction { transaction: Some(*info), slot: plan.slot, bank_id: plan.slot };
            let update =
                SubscribeUpdate { update_oneof: Some(UpdateOneof::Transaction(transaction)), ..Default::default() };
            let frame = update.encode_to_vec();
            let Frame::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { panic!("a transaction") };
            let (mut events, mut undecoded) = (Vec::new(), Vec::new());
            decoder.decode(&transaction, &mut events, &mut undecoded).unwrap();
            assert!(undecoded.is_empty());
            for event in events {
                let EventKind::Trade(trade) = &event.kind else { continue };
                let place = (event.signature.to_string(), (event.path.outer, event.path.inner));
                trades.insert(place, (trade.user.to_string(), trade.pool.to_string()));
            }
        }
    }
    let mismatches = scenario.mismatches();
    drop(scenario);
    let labels = Arc::into_inner(told).unwrap().into_inner().unwrap();
    (labels, trades, mismatches)
}

#[test]
fn every_kind_is_played_as_planned_and_decoded_where_its_label_says() {
    let (labels, trades, mismatches) = play(7, &Kind::ALL, 2);
    assert_eq!(mismatches, 0);
    assert_eq!(labels.len(), 2 * Kind::ALL.len());
    let happened: u64 = labels.iter().map(|label| label.trades).sum();
    assert_eq!(happened, trades.len() as u64);
    for label in &labels {
        assert_eq!(label.attack, label.kind.is_attack(), "{label:?}");
        let expected = usize::from(label.attack) + usize::from(label.kind == Kind::Nested);
        assert_eq!(label.attacks.len(), expected, "{label:?}");
        for attack in &label.attacks {
            assert!(attack.legs.iter().any(|leg| leg.front) && attack.legs.iter().any(|leg| !leg.front));
            assert!(attack.victims.iter().any(|victim| victim.intended), "{label:?}");
            let legs = attack.legs.iter().map(|leg| (leg.signature, leg.path, leg.user));
            let victims = attack.victims.iter().map(|victim| (victim.signature, victim.path, victim.user));
            for (signature, path, user) in legs.chain(victims) {
                let (found, pool) = &trades[&(signature.to_string(), path)];
                assert_eq!(*found, user.to_string());
                assert!(label.pools.iter().any(|known| known.to_string() == *pool));
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_labels_and_another_other_ones() {
    let of = |seed| play(seed, &[Kind::Tight, Kind::Organic], 1).0;
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
}
