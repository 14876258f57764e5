//! The detectors over trades of the simulated market: time per trade, allocations, memory.
//!
//! `cargo bench --bench mev`. The market is simulated and decoded once; its trades are copied into worlds beside each other,
//! which makes some 2,000 pools. The time per trade is the thread's CPU time of whole passes; the percentiles are of each
//! trade by itself and hold a clock reading of some 25 ns and whatever else the machine does. An alert allocates, as it is
//! told: the allocations are counted over the trades that raise none.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark")]

use std::{alloc::System, hint::black_box, time::Instant};

use prost::Message;
use rustix::time::{ClockId, clock_gettime};
use smart_stream_tui::{
    chain::{
        ids::{Key, Mint, Pool, Wallet},
        wire::{Kind, Update},
    },
    decode::{Decoder, Event, EventKind},
    mev::{Alert, Detectors, Leg, Weights},
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

/// What the detectors get: launches and legs, with the time of each.
#[allow(clippy::large_enum_variant, reason = "nearly all are legs, read one after the other")]
enum Input {
    Leg(Leg),
    Other(Box<Event>, i64),
}

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// One pass, an hour after the one before: everything happens again, in later slots.
fn later(inputs: &mut [Input]) {
    for input in inputs {
        match input {
            Input::Leg(leg) => {
                leg.place.slot += 10_000;
                leg.recv_us += 3_600_000_000;
            }
            Input::Other(event, recv_us) => {
                event.slot += 10_000;
                *recv_us += 3_600_000_000;
            }
        }
    }
}

fn main() {
    let events = simulate();
    // Side by side, as the chain brings them.
    let all = events.iter().flat_map(|event| (0..WORLDS).map(move |world| in_world(event, world)));
    let mut inputs: Vec<Input> = all
        .map(|event| {
            let recv_us = i64::try_from(event.slot % 100_000).unwrap() * 212_500;
            match Leg::of(&event, recv_us, true) {
                Some(leg) => Input::Leg(leg),
                None => Input::Other(Box::new(event), recv_us),
            }
        })
        .collect();
    let trades = inputs.iter().filter(|input| matches!(input, Input::Leg(_))).count();
    let mut detectors = Detectors::new(Weights::built_in(), false);
    println!("{trades} trades in {WORLDS} worlds of {} events", events.len());
    let mut alerts = Vec::new();
    let mut run = |inputs: &[Input], each: &mut dyn FnMut(&mut Detectors, &Leg, &mut Vec<Alert>)| {
        for input in inputs {
            match input {
                Input::Leg(leg) => each(&mut detectors, leg, &mut alerts),
                Input::Other(event, recv_us) => detectors.event(event, *recv_us, true, &mut alerts),
            }
            alerts.clear();
        }
        detectors.bounds()
    };
    run(&inputs, &mut |detectors, leg, alerts| detectors.trade(leg, alerts));
    let mut passes: Vec<f64> = (0..PASSES)
        .map(|_| {
            later(&mut inputs);
            let start = cpu_ns();
            run(&inputs, &mut |detectors, leg, alerts| detectors.trade(black_box(leg), alerts));
            (cpu_ns() - start) / trades as f64
        })
        .collect();
    passes.sort_by(f64::total_cmp);
    println!("CPU time per trade: {:.0} ns least, {:.0} ns median of {PASSES} passes", passes[0], passes[PASSES / 2]);

    let mut times: Vec<u32> = Vec::with_capacity(trades);
    let (mut allocations, mut quiet, mut raised) = (0, 0_usize, 0);
    later(&mut inputs);
    let bounds = run(&inputs, &mut |detectors, leg, alerts| {
        let before = ALLOCATOR.stats();
        let start = Instant::now();
        detectors.trade(black_box(leg), alerts);
        times.push(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX));
        let after = ALLOCATOR.stats();
        raised += alerts.len();
        if alerts.is_empty() {
            quiet += 1;
            allocations += after.allocations + after.reallocations - before.allocations - before.reallocations;
        }
    });
    times.sort_unstable();
    let at = |share: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
        let place = ((times.len() - 1) as f64 * share) as usize;
        times[place]
    };
    println!("each by the clock: p50 {} ns, p99 {} ns, p99.9 {} ns", at(0.5), at(0.99), at(0.999));
    println!("{allocations} allocations in {quiet} trades that raised nothing; {raised} revisions of alerts raised");
    println!("{bounds:?}");
}
