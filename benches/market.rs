//! The market and its monitors: time and allocations per trade, and memory per token.
//!
//! `cargo bench --bench market`. Trades are those of a simulated market, decoded beforehand; times are the thread's CPU
//! time over slices of trades, the whole path from an event to its changes. Memory is what the allocator holds after
//! 50,000 tokens and 4,096 pools that are traded in.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "a benchmark"
)]

use std::{alloc::System, collections::VecDeque, hint::black_box};

use prost::Message;
use rustix::time::{ClockId, clock_gettime};
use smart_stream_tui::{
    chain::{
        ids::{Key, Signature},
        wire::{Kind, Update},
    },
    decode::{Decoder, Event, EventKind, EventRef},
    market::{
        Arrived, MAX_TOKENS, Market,
        change::{Change, Status},
    },
    simulator::{
        feed::{Producer, SlotItemKind},
        market::{MarketSettings, SimulatedMarket},
    },
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use yellowstone_grpc_proto::geyser::{SubscribeUpdate, SubscribeUpdateTransaction, subscribe_update::UpdateOneof};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const START: i64 = 1_795_000_000;
/// Trades in a slice of time.
const SLICE: usize = 256;
/// Events in a batch.
const BATCH: usize = 64;

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn events(slots: usize) -> Vec<Event> {
    let mut market = SimulatedMarket::new(MarketSettings { seed: 1, rate: 1_000.0, start_time: START });
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for _ in 0..slots {
        let plan = market.next_slot().unwrap();
        let infos = plan.items.into_iter().filter_map(|item| match item.kind {
            SlotItemKind::Transaction(info) => Some(*info),
            _ => None,
        });
        for (index, mut info) in (0..).zip(infos) {
            info.index = index;
            let transaction =
                SubscribeUpdateTransaction { transaction: Some(info), slot: plan.slot, bank_id: plan.slot };
            let update =
                SubscribeUpdate { update_oneof: Some(UpdateOneof::Transaction(transaction)), ..Default::default() };
            let frame = update.encode_to_vec();
            let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { continue };
            decoder.decode(&transaction, &mut events, &mut Vec::new()).unwrap();
        }
    }
    events
}

/// The same events, shared in batches as a connection hands them over.
fn batches(events: &[Event]) -> impl Iterator<Item = EventRef> {
    events.chunks(BATCH).flat_map(|batch| EventRef::each(batch.to_vec()))
}

fn at(recv_ms: i64) -> Arrived {
    Arrived { connection: 0, recv_us: recv_ms * 1_000, status: Status::Processed }
}

fn main() {
    println!("an event takes {} bytes, a change {}", size_of::<Event>(), size_of::<Change>());
    let events = events(500);
    let (warm, measured) = events.split_at(events.len() / 3);
    let mut market = Market::default();
    let mut changes = Vec::new();
    let mut newest = 0;
    let mut feed = |market: &mut Market, event: EventRef| {
        if event.slot > newest {
            // A slot is confirmed some ten slots later.
            market.slot(event.slot, Some(newest), 0, &mut changes);
            market.slot(newest.saturating_sub(10), None, 1, &mut changes);
            newest = event.slot;
        }
        let recv_ms = event.timestamp.unwrap_or(START) * 1_000;
        market.apply(event, at(recv_ms), &mut changes);
        if changes.len() > 512 {
            black_box(&changes);
            changes.clear();
        }
    };
    for event in batches(warm) {
        feed(&mut market, event);
    }
    let mut measured: VecDeque<EventRef> = batches(measured).collect();
    let region = Region::new(ALLOCATOR);
    let mut slices = Vec::new();
    while measured.len() >= SLICE {
        let start = cpu_ns();
        for _ in 0..SLICE {
            feed(&mut market, measured.pop_front().unwrap());
        }
        slices.push((cpu_ns() - start) / SLICE as f64);
    }
    let change = region.change();
    let trades = slices.len() * SLICE;
    slices.sort_by(f64::total_cmp);
    let mean = slices.iter().sum::<f64>() / slices.len() as f64;
    let (p50, p99) = (slices[slices.len() / 2], slices[slices.len() * 99 / 100]);
    let allocated = (change.allocations + change.reallocations) as f64 / trades as f64;
    println!(
        "{trades} events: mean {mean:.0} ns, slices of {SLICE}: p50 {p50:.0}, p99 {p99:.0} ns; {allocated:.3} allocations each"
    );

    memory(&events);
}

/// Many tokens, each with the trades of a short life.
fn memory(events: &[Event]) {
    let pattern: Vec<&Event> = events.iter().filter(|event| matches!(event.kind, EventKind::Trade(_))).collect();
    let region = Region::new(ALLOCATOR);
    let mut market = Market::default();
    let mut changes = Vec::new();
    for token in 0..MAX_TOKENS {
        let mut bytes = [3; 32];
        bytes[12..20].copy_from_slice(&(token as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        // Most tokens see a handful of trades, one in fifty some hundreds; 4,096 are hot to the end.
        let count = if token % 50 == 0 { 400 } else { 3 + token % 20 };
        for n in 0..count {
            let mut event = pattern[(token * 31 + n) % pattern.len()].clone();
            event.slot = (token / 10) as u64;
            event.signature = Signature::from([1; 64]);
            let EventKind::Trade(trade) = &mut event.kind else { continue };
            (trade.mint, trade.pool) = (Key::new(bytes), Key::new(bytes));
            (trade.reserves_before, trade.reserves_after) = (None, trade.reserves_after);
            // A day of launches at two in a second.
            let recv_ms = START * 1_000 + (token as i64) * 500 + (n as i64) * 7_000;
            market.apply(event, at(recv_ms), &mut changes);
            changes.clear();
        }
        // What a second looks after is looked after in ten of them here.
        if token % 20 == 0 {
            market.slot((token / 10) as u64, None, 1, &mut changes);
            market.age(START * 1_000 + (token as i64) * 500);
            changes.clear();
        }
    }
    let held = region.change();
    let bytes = held.bytes_allocated.saturating_sub(held.bytes_deallocated);
    println!(
        "{} tokens and {} pools: {} MiB, {} bytes per token; {} forgotten",
        market.tokens_known(),
        market.pools_known(),
        bytes >> 20,
        bytes / market.tokens_known().max(1),
        market.evicted()
    );
}
