//! Bytes → events with our decode path and with other decoders: CPU time and allocations per update, in one run.
//!
//! Everyone gets the bytes of the shipped recording, each message many times under signatures of its own, and does what its
//! own client does with a message: decodes it and gives what happened. Passes of all take turns, so that a slower or faster
//! minute of the machine falls on all; times are the thread's CPU time.

#[allow(dead_code, unused_imports, unreachable_pub, reason = "the program's own source, of which this uses a part")]
#[path = "../../../src/chain/mod.rs"]
mod chain;
#[allow(dead_code, unused_imports, unreachable_pub, reason = "the program's own source, of which this uses a part")]
#[path = "../../../src/decode/mod.rs"]
mod decode;
mod carbon;

use std::{alloc::System, hint::black_box, path::Path};

use prost::Message as _;
use rustix::time::{ClockId, clock_gettime};
use solana_streamer_sdk::streaming::{
    common::parse_grpc_transaction_events, event_parser::Protocol, grpc::TransactionPretty,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use yellowstone_grpc_proto::prelude::{SubscribeUpdate, SubscribeUpdateTransaction, subscribe_update::UpdateOneof};

use chain::{
    recording::Reader,
    wire::{Kind, Update},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Messages: at 10 KB each they do not stay in the caches.
const MESSAGES: usize = 2_048;
const PASSES: usize = 15;
/// What the streaming SDK is asked for: everything that our tables know too.
const PROTOCOLS: [Protocol; 11] = [
    Protocol::PumpFun,
    Protocol::PumpSwap,
    Protocol::RaydiumAmmV4,
    Protocol::RaydiumCpmm,
    Protocol::RaydiumClmm,
    Protocol::RaydiumLaunchpad,
    Protocol::MeteoraDbc,
    Protocol::MeteoraDammV2,
    Protocol::MeteoraDlmm,
    Protocol::MeteoraPools,
    Protocol::OrcaWhirlpool,
];

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// One who decodes: gives how many things it found in a message.
struct Peer {
    name: &'static str,
    run: Box<dyn FnMut(&[u8]) -> usize>,
    times: Vec<f64>,
    allocations: usize,
    found: usize,
}

impl Peer {
    fn new(name: &'static str, run: impl FnMut(&[u8]) -> usize + 'static) -> Self {
        Self { name, run: Box::new(run), times: Vec::new(), allocations: 0, found: 0 }
    }

    fn pass(&mut self, frames: &[Vec<u8>]) {
        let (before, start) = (ALLOCATOR.stats(), cpu_ns());
        let found: usize = frames.iter().map(|frame| (self.run)(black_box(frame))).sum();
        self.times.push((cpu_ns() - start) / frames.len() as f64);
        let after = ALLOCATOR.stats();
        self.allocations = after.allocations + after.reallocations - before.allocations - before.reallocations;
        self.found = found;
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

fn transaction(frame: &[u8]) -> Option<SubscribeUpdateTransaction> {
    match SubscribeUpdate::decode(frame).ok()?.update_oneof? {
        UpdateOneof::Transaction(transaction) => Some(transaction),
        _ => None,
    }
}

fn ours() -> Peer {
    let mut decoder = decode::Decoder::default();
    let (mut events, mut undecoded) = (Vec::new(), Vec::new());
    Peer::new("smart-stream-tui", move |frame| {
        let Ok(Update { kind: Kind::Transaction(transaction), .. }) = Update::scan(frame) else { return 0 };
        events.clear();
        undecoded.clear();
        let _ = decoder.decode(&transaction, &mut events, &mut undecoded);
        black_box(&events).len()
    })
}

fn streamer(frame: &[u8]) -> usize {
    let Some(SubscribeUpdateTransaction { slot, transaction: Some(grpc_tx), .. }) = transaction(frame) else { return 0 };
    let signature = grpc_tx.signature.as_slice().try_into().unwrap_or_default();
    let (tx_index, is_vote) = (Some(grpc_tx.index), grpc_tx.is_vote);
    let pretty = TransactionPretty { slot, tx_index, signature, is_vote, grpc_tx, ..TransactionPretty::default() };
    black_box(parse_grpc_transaction_events(pretty, &PROTOCOLS, None, None)).len()
}

fn sol_parser(frame: &[u8]) -> usize {
    let Some(transaction) = transaction(frame) else { return 0 };
    let parse = sol_parser_sdk::grpc::parse_subscribe_update_transaction_low_latency;
    black_box(parse(&transaction, 0, None, None)).len()
}

/// The recording's messages, again and again, each with a signature of its own.
fn working_set() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/simulator/data/published.pb.zst");
    let recorded: Vec<Vec<u8>> = Reader::open(&path).unwrap().map(|frame| frame.unwrap().to_vec()).collect();
    let varied = |at: usize| {
        let mut frame = recorded[at % recorded.len()].clone();
        if let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind {
            let place = transaction.signature.as_ptr() as usize - frame.as_ptr() as usize;
            frame[place..place + 8].copy_from_slice(&(at as u64).to_le_bytes());
        }
        frame
    };
    (0..MESSAGES).map(varied).collect()
}

fn main() {
    let frames = working_set();
    let bytes: usize = frames.iter().map(Vec::len).sum();
    let mut peers = [
        ours(),
        Peer::new("prost decode, as generated", |frame| usize::from(black_box(transaction(frame)).is_some())),
        Peer::new("carbon 2.0", carbon::decoded()),
        Peer::new("sol-parser-sdk 0.11", sol_parser),
        Peer::new("solana-streamer-sdk 6.0", streamer),
    ];
    for peer in &mut peers {
        peer.pass(&frames); // warms up
        peer.times.clear();
    }
    for _ in 0..PASSES {
        for peer in &mut peers {
            peer.pass(&frames);
        }
    }
    println!("{MESSAGES} updates of {} bytes, {PASSES} passes, medians\n", bytes / MESSAGES);
    println!("{:<28} {:>12} {:>8} {:>18} {:>15}", "", "ns/update", "times", "allocations/update", "found/update");
    let least = peers[0].median();
    for peer in &peers {
        let per_update = |count: usize| count as f64 / MESSAGES as f64;
        println!(
            "{:<28} {:>12.0} {:>8.1} {:>18.1} {:>15.2}",
            peer.name,
            peer.median(),
            peer.median() / least,
            per_update(peer.allocations),
            per_update(peer.found),
        );
    }
}
