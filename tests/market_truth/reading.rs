//! A simulated chain as frames of a stream, and what a reader finds in them.

use std::sync::{Arc, Mutex};

use prost::Message;
use smart_stream_tui::{
    chain::{
        program::Program,
        wire::{Kind, Update},
    },
    decode::{Decoder, Event, Tally, Undecoded},
    simulator::{
        feed::{Producer, SlotItemKind, SlotPlan},
        market::{MarketSettings, SimulatedMarket, truth::Truth},
    },
};
use yellowstone_grpc_proto::geyser::{
    SubscribeUpdate, SubscribeUpdateTransaction, SubscribeUpdateTransactionInfo, subscribe_update::UpdateOneof,
};

use crate::{
    TIME,
    facts::{facts_read, facts_told},
};

pub(crate) fn settings(seed: u64, rate: f64) -> MarketSettings {
    MarketSettings { seed, rate, start_time: TIME }
}

/// The frames of some slots, and what happened in them.
pub(crate) fn simulate(settings: MarketSettings, slots: usize) -> (Vec<SlotPlan>, Vec<Truth>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let mut market =
        SimulatedMarket::new(settings).with_truth(Box::new(move |truth| sink.lock().unwrap().push(truth.clone())));
    let plans = (0..slots).map(|_| market.next_slot().unwrap()).collect();
    assert_eq!(market.acts_given_up(), 0);
    drop(market);
    (plans, Arc::into_inner(told).unwrap().into_inner().unwrap())
}

/// A slot's transactions.
pub(crate) fn transactions(plan: &SlotPlan) -> impl Iterator<Item = &SubscribeUpdateTransactionInfo> {
    plan.items.iter().filter_map(|item| match &item.kind {
        SlotItemKind::Transaction(info) => Some(&**info),
        _ => None,
    })
}

/// Each transaction as the update a server sends.
pub(crate) fn frames(plans: &[SlotPlan]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for plan in plans {
        for (index, info) in (0..).zip(transactions(plan)) {
            let mut info = info.clone();
            info.index = index;
            let transaction =
                SubscribeUpdateTransaction { transaction: Some(info), slot: plan.slot, bank_id: plan.slot };
            let update =
                SubscribeUpdate { update_oneof: Some(UpdateOneof::Transaction(transaction)), ..Default::default() };
            frames.push(update.encode_to_vec());
        }
    }
    frames
}

#[derive(Default)]
pub(crate) struct Read {
    pub(crate) events: Vec<Event>,
    pub(crate) undecoded: Vec<Undecoded>,
    pub(crate) tally: Tally,
    pub(crate) failed: usize,
}

pub(crate) fn read(frames: &[Vec<u8>]) -> Read {
    let mut decoder = Decoder::default();
    let mut read = Read::default();
    for frame in frames {
        let Kind::Transaction(transaction) = Update::scan(frame).unwrap().kind else { panic!("a transaction") };
        let decoded = decoder.decode(&transaction, &mut read.events, &mut read.undecoded).unwrap();
        read.failed += usize::from(decoded.failed);
        read.tally.add(&decoded.tally);
    }
    read
}

pub(crate) fn assert_read_is_truth(plans: &[SlotPlan], truth: &[Truth]) -> Read {
    let read = read(&frames(plans));
    let got: Vec<String> = read.events.iter().map(facts_read).collect();
    let expected: Vec<String> = truth.iter().flat_map(facts_told).collect();
    for (place, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert_eq!(got, expected, "event {place}");
    }
    assert_eq!(got.len(), expected.len());
    assert_eq!(read.undecoded, []);
    for program in [Program::Pump, Program::PumpSwap, Program::RaydiumAmmV4, Program::RaydiumCpmm] {
        let counts = read.tally.of(program);
        assert_eq!(counts.decoded, counts.expected, "{program:?}");
        assert_eq!(counts.known, counts.invocations, "{program:?}");
        assert_eq!(counts.unknown_tails, 0, "{program:?}");
    }
    read
}
