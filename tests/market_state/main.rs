//! The market's state over a simulated chain equals what happened, token by token and pool by pool, however the stream
//! brings it: in order, thrice and shuffled, with forks that die. What is lost is told of every pool concerned.
//!
//! `MARKET_SEEDS`, `MARKET_SLOTS` and `MARKET_RATE` make it larger.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test")]

mod check;
mod reader;
mod ways;
mod world;

use std::sync::{Arc, Mutex};

use prost::Message;
use smart_stream_tui::{
    chain::{
        group::GroupSet,
        wire::{Kind, Update},
    },
    decode::{Decoder, Event, Tally},
    market::{input::Transaction, view::EtaScoreView},
    simulator::{
        feed::{Producer, SlotItemKind},
        market::{MarketSettings, SimulatedMarket, truth::Truth},
    },
};
use yellowstone_grpc_proto::geyser::{
    SubscribeUpdate, SubscribeUpdateTransaction, SubscribeUpdateTransactionInfo, subscribe_update::UpdateOneof,
};

use self::{
    ways::{Forked, InOrder, Lossy, Shuffled},
    world::World,
};

const TIME: i64 = 1_795_000_000;
const PROCESSED: i32 = 0;
const CONFIRMED: i32 = 1;
const DEAD: i32 = 6;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// One slot: its number (twice the chain's, so that forks fit between), its transactions, and what happened in it.
struct Block {
    slot: u64,
    infos: Vec<SubscribeUpdateTransactionInfo>,
    /// The same, decoded.
    decoded: Vec<Arc<Decoded>>,
    truths: Vec<Truth>,
}

type Decoded = (Transaction, Vec<Event>);

/// A way of bringing the stream to a market.
trait Bringer {
    fn block(&mut self, block: &Block);
    fn finish(&mut self, world: &World);
}

/// Simulates a chain of a seed and lets each bring it. Seeds of bundled launches and others take turns.
fn play(seed: u64, bringers: &mut [&mut dyn Bringer]) {
    let rate = setting("MARKET_RATE", 300) as f64;
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let mut market = SimulatedMarket::new(MarketSettings { seed, rate, start_time: TIME })
        .with_truth(Box::new(move |truth| sink.lock().unwrap().push(truth.clone())));
    if seed % 2 == 1 {
        market = market.with_bundles();
    }
    let mut world = World { seed, ..World::default() };
    for _ in 0..setting("MARKET_SLOTS", 160) {
        let plan = market.next_slot().unwrap();
        let slot = plan.slot * 2;
        let infos = plan.items.into_iter().filter_map(|item| match item.kind {
            SlotItemKind::Transaction(info) => Some(*info),
            _ => None,
        });
        let numbered = infos.zip(0..).map(|(mut info, index)| {
            info.index = index;
            info
        });
        let infos: Vec<_> = numbered.collect();
        let decoded = infos.iter().map(|info| Arc::new(decoded(slot, info))).collect();
        let block = Block { slot, infos, decoded, truths: std::mem::take(&mut told.lock().unwrap()) };
        block.truths.iter().for_each(|truth| world.learn(truth));
        for bringer in bringers.iter_mut() {
            bringer.block(&block);
        }
    }
    for bringer in bringers.iter_mut() {
        bringer.finish(&world);
    }
}

/// A transaction, decoded, in a slot of our choice.
fn decoded(slot: u64, info: &SubscribeUpdateTransactionInfo) -> Decoded {
    let transaction = SubscribeUpdateTransaction { transaction: Some(info.clone()), slot, bank_id: slot };
    let update = SubscribeUpdate { update_oneof: Some(UpdateOneof::Transaction(transaction)), ..Default::default() };
    let frame = update.encode_to_vec();
    let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { panic!("a transaction") };
    let mut events = Vec::new();
    let read = Decoder::default().decode(&transaction, &mut events, &mut Vec::new()).unwrap();
    let transaction = Transaction {
        slot,
        signature: (*transaction.signature).into(),
        bytes: 0,
        failed: read.failed,
        groups: GroupSet::default(),
        tally: Tally::default(),
        events: u32::try_from(events.len()).unwrap(),
        undecoded: 0,
        transfers: 0,
        attempts: 0,
    };
    (transaction, events)
}

fn seeds() -> std::ops::RangeInclusive<u64> {
    setting("MARKET_FIRST", 1)..=setting("MARKET_SEEDS", 2)
}

#[test]
fn a_stream_in_order_is_what_happened() {
    for seed in seeds() {
        play(seed, &mut [&mut InOrder::default()]);
    }
}

#[test]
fn three_connections_that_shuffle_two_slots_change_nothing() {
    for seed in seeds() {
        play(seed, &mut [&mut Shuffled::new(seed)]);
    }
}

#[test]
fn forks_that_die_leave_nothing_behind() {
    for seed in seeds() {
        let mut forked = Forked::new(seed);
        play(seed, &mut [&mut forked]);
        assert!(forked.reader.said.dead.len() > 20);
    }
}

#[test]
fn every_pool_of_which_something_is_lost_says_so_and_no_other() {
    let mut told = 0;
    for seed in seeds() {
        let mut lossy = Lossy::new(seed);
        play(seed, &mut [&mut lossy]);
        told += lossy.told;
    }
    assert!(told > 10, "{told} pools were concerned");
}

/// `MARKET_SEEDS=20 MARKET_SLOTS=8471 MARKET_RATE=2000 cargo test --release --test market_state -- --ignored --nocapture`:
/// half an hour of each seed, brought in all four ways at once.
#[test]
#[ignore = "takes minutes for each seed"]
fn half_an_hour_of_twenty_seeds() {
    for seed in seeds() {
        let (mut in_order, mut lossy) = (InOrder::default(), Lossy::new(seed));
        play(seed, &mut [&mut in_order, &mut Shuffled::new(seed), &mut Forked::new(seed), &mut lossy]);
        let EtaScoreView { scored, inside, .. } = in_order.score;
        println!(
            "seed {seed}: {} tokens, {} events; {inside} of {scored} forecasts within their interval of 80 %; {} pools had losses",
            in_order.reader.market.tokens_known(),
            in_order.reader.said.standing.len(),
            lossy.told,
        );
    }
}

/// `MARKET_SEEDS=8 MARKET_SLOTS=3000 cargo test --release --test market_state -- --ignored --nocapture forecasts`: what the
/// interval promises holds within a few points.
#[test]
#[ignore = "takes minutes"]
fn forecasts_of_completion_hold_what_they_promise() {
    let (mut scored, mut inside) = (0, 0);
    for seed in seeds() {
        let mut in_order = InOrder::default();
        play(seed, &mut [&mut in_order]);
        scored += in_order.score.scored;
        inside += in_order.score.inside;
        println!("seed {seed}: {:?}", in_order.score);
    }
    let share = inside as f64 / scored as f64;
    println!("{inside} of {scored} completions within their interval of 80 %: {:.1} %", share * 100.0);
    assert!((share - 0.8).abs() < 0.07, "{share}");
}
