//! The detectors over trades of the simulated market: time per trade, allocations, memory.
//!
//! `cargo bench --bench mev`. The market is simulated and decoded once; its trades are copied into as many tokens as make
//! the pools and wallets of a busy minute. Times are of each trade by itself, so they hold a clock reading of some 25 ns; the
//! mean holds it too. An alert allocates, as it is told: the allocations are counted over the
//! trades that raise none.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark")]

use std::{
    alloc::System,
    hint::black_box,
    time::{Duration, Instant},
};

use prost::Message;
use smart_stream_tui::{
    chain::{
        ids::{Key, Mint, Pool, Wallet},
        wire::{Kind, Update},
    },
    decode::{Decoder, Event, EventKind},
    mev::{Detectors, Leg, Weights},
    simulator::{
        feed::{Producer, SlotItemKind},
        market::{MarketSettings, SimulatedMarket},
    },
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use yellowstone_grpc_proto::geyser::{SubscribeUpdate, SubscribeUpdateTransaction, subscribe_update::UpdateOneof};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SLOTS: usize = 120;
const RATE: f64 = 1_000.0;
/// Worlds besides each other: each has all pools and wallets of the simulated market for its own.
const WORLDS: u64 = 12;
const PASSES: usize = 5;

/// The events of the simulated market.
fn simulate() -> Vec<Event> {
    let mut market = SimulatedMarket::new(MarketSettings { seed: 7, rate: RATE, start_time: 1_795_000_000 });
    let (mut decoder, mut events, mut undecoded) = (Decoder::default(), Vec::new(), Vec::new());
    for _ in 0..SLOTS {
        let plan = market.next_slot().unwrap();
        let transactions = plan.items.iter().filter_map(|item| match &item.kind {
            SlotItemKind::Transaction(info) => Some((**info).clone()),
            _ => None,
        });
        for (index, mut info) in (0..).zip(transactions) {
            info.index = index;
            let update = SubscribeUpdateTransaction { transaction: Some(info), slot: plan.slot, bank_id: plan.slot };
            let update = SubscribeUpdate { update_oneof: Some(UpdateOneof::Transaction(update)), ..Default::default() };
            let frame = update.encode_to_vec();
            if let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind {
                decoder.decode(&transaction, &mut events, &mut undecoded).unwrap();
            }
        }
    }
    events
}

fn moved<K>(key: &Key<K>, world: u64) -> Key<K> {
    let mut bytes = *key.bytes();
    for (byte, mark) in bytes[12..20].iter_mut().zip(world.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()) {
        *byte ^= mark;
    }
    Key::new(bytes)
}

/// The same event in another world.
fn in_world(event: &Event, world: u64) -> Event {
    let mut event = event.clone();
    event.payer = moved(&event.payer, world);
    match &mut event.kind {
        EventKind::Trade(trade) => {
            let ids: (Pool, Mint, Wallet) =
                (moved(&trade.pool, world), moved(&trade.mint, world), moved(&trade.user, world));
            (trade.pool, trade.mint, trade.user) = ids;
        }
        EventKind::TokenCreated(created) => {
            (created.mint, created.creator) = (moved(&created.mint, world), moved(&created.creator, world));
        }
        _ => {}
    }
    event
}

fn main() {
    let events = simulate();
    // Side by side, as the chain brings them.
    let all: Vec<Event> =
        events.iter().flat_map(|event| (0..WORLDS).map(move |world| in_world(event, world))).collect();
    let trades = all.iter().filter(|event| matches!(event.kind, EventKind::Trade(_))).count();
    let mut detectors = Detectors::new(Weights::built_in(), false);
    println!(
        "{trades} trades in {WORLDS} worlds of {} events; {} bytes when full",
        events.len(),
        detectors.bounds().bytes
    );
    let mut alerts = Vec::new();
    let mut times: Vec<u32> = Vec::with_capacity(PASSES * trades);
    let (mut allocations, mut quiet, mut raised, mut whole) = (0, 0_usize, 0, Vec::new());
    for pass in 0..=PASSES {
        let pass_us = i64::try_from(pass).unwrap() * 60_000_000;
        let mut sum = Duration::ZERO;
        for event in &all {
            let mut event = event.clone();
            event.slot += pass as u64 * 1_000;
            let recv_us = pass_us + i64::try_from(event.slot % 1_000).unwrap() * 212_500;
            let Some(leg) = Leg::of(&event, recv_us, true) else {
                detectors.event(&event, recv_us, true, &mut alerts);
                continue;
            };
            let before = ALLOCATOR.stats();
            let start = Instant::now();
            detectors.trade(black_box(&leg), &mut alerts);
            let passed = start.elapsed();
            let after = ALLOCATOR.stats();
            if pass > 0 {
                times.push(u32::try_from(passed.as_nanos()).unwrap_or(u32::MAX));
                sum += passed;
                if alerts.is_empty() {
                    quiet += 1;
                    allocations += after.allocations + after.reallocations - before.allocations - before.reallocations;
                }
            }
            raised += alerts.len();
            alerts.clear();
        }
        if pass > 0 {
            whole.push(sum.as_nanos() as f64 / trades as f64);
        }
    }
    whole.sort_by(f64::total_cmp);
    times.sort_unstable();
    let at = |share: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
        let place = ((times.len() - 1) as f64 * share) as usize;
        times[place]
    };
    println!("mean of a pass: {:.0} ns least, {:.0} ns median, clock included", whole[0], whole[PASSES / 2]);
    println!("p50 {} ns, p99 {} ns, p99.9 {} ns", at(0.5), at(0.99), at(0.999));
    println!("{allocations} allocations in {quiet} trades that raised nothing; {raised} revisions of alerts raised");
    println!("{:?}", detectors.bounds());
}
