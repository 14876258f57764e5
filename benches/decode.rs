//! Bytes → events over the shipped recording: CPU time and allocations per update.
//!
//! `cargo bench --bench decode`. The working set is the recording's messages, each copied with a signature of its own:
//! 4,096 of them stay out of the caches, 64 stay in. Times are the thread's CPU time, minimum and median of 21 passes. The
//! rows `touch` (a copy of the bytes) and `prost` (the message types of our trimmed schema) are there to compare with.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark")]

use std::{alloc::System, hint::black_box, path::Path};

use prost::Message;
use rustix::time::{ClockId, clock_gettime};
use smart_stream_tui::{
    chain::{
        proto::SubscribeUpdate,
        recording::Reader,
        transaction::Walk,
        wire::{Kind, Transaction, Update},
    },
    decode::{Decoder, Event, Tally, Undecoded},
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PASSES: usize = 21;
/// Events kept at once: as many as a connection hands over in a batch.
const BATCH: usize = 64;

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The recording's messages, again and again, each with a signature of its own.
fn working_set(recorded: &[Vec<u8>], count: usize) -> Vec<Vec<u8>> {
    let varied = |at: usize| {
        let mut frame = recorded[at % recorded.len()].clone();
        let Kind::Transaction(transaction) = Update::scan(&frame).unwrap().kind else { return frame };
        let place = transaction.signature.as_ptr() as usize - frame.as_ptr() as usize;
        frame[place..place + 8].copy_from_slice(&(at as u64).to_le_bytes());
        frame
    };
    (0..count).map(varied).collect()
}

/// Runs a job over all messages, pass by pass, and prints what one message cost.
fn measure(name: &str, frames: &[Vec<u8>], mut job: impl FnMut(&[u8])) -> f64 {
    // Warm-up.
    for frame in frames {
        job(frame);
    }
    let before = ALLOCATOR.stats();
    let mut times: Vec<f64> = (0..PASSES)
        .map(|_| {
            let start = cpu_ns();
            for frame in frames {
                job(black_box(frame));
            }
            (cpu_ns() - start) / frames.len() as f64
        })
        .collect();
    let after = ALLOCATOR.stats();
    let allocated = (after.allocations + after.reallocations - before.allocations - before.reallocations) as f64;
    times.sort_by(f64::total_cmp);
    let (least, median) = (times[0], times[PASSES / 2]);
    let per_update = allocated / (PASSES * frames.len()) as f64;
    println!("{name:<28} {least:>9.0} {median:>9.0} {per_update:>12.3}");
    median
}

fn transaction(frame: &[u8]) -> Option<Transaction<'_>> {
    match Update::scan(frame).ok()?.kind {
        Kind::Transaction(transaction) => Some(transaction),
        _ => None,
    }
}

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/published.pb.zst");
    let recorded: Vec<Vec<u8>> = Reader::open(&path).unwrap().map(|frame| frame.unwrap().to_vec()).collect();
    let mean = recorded.iter().map(Vec::len).sum::<usize>() / recorded.len();
    println!("{} messages of the recording, mean {mean} bytes", recorded.len());
    for (what, count) in [("large working set", 4_096), ("in cache", 64)] {
        let frames = working_set(&recorded, count);
        let megabytes = frames.iter().map(Vec::len).sum::<usize>() / 1_000_000;
        println!("\n{what}: {count} messages, {megabytes} MB");
        println!("{:<28} {:>9} {:>9} {:>12}", "per update", "min ns", "median ns", "allocations");

        let mut copy = vec![0_u8; frames.iter().map(Vec::len).max().unwrap()];
        measure("touch", &frames, |frame| {
            copy[..frame.len()].copy_from_slice(frame);
            black_box(&copy);
        });
        let prost = measure("prost, trimmed schema", &frames, |frame| {
            black_box(SubscribeUpdate::decode(frame).unwrap());
        });
        let mut walk = Walk::default();
        let lean = measure("wire → lean (scan, walk)", &frames, |frame| {
            let Some(transaction) = transaction(frame) else { return };
            black_box(walk.read(&transaction).unwrap().len());
        });
        let mut decoder = Decoder::default();
        let (mut events, mut undecoded) = (Vec::<Event>::new(), Vec::<Undecoded>::new());
        let (mut tally, mut seen, mut found) = (Tally::default(), 0_usize, 0_usize);
        let total = measure("wire → events (total)", &frames, |frame| {
            let Some(transaction) = transaction(frame) else { return };
            let decoded = decoder.decode(&transaction, &mut events, &mut undecoded).unwrap();
            tally.add(&decoded.tally);
            seen += 1;
            if seen.is_multiple_of(BATCH) {
                found += events.len();
                black_box(&events);
                events.clear();
                undecoded.clear();
            }
        });
        println!("{:<28} {:>9} {:>9.0}", "lean → events (difference)", "", total - lean);
        println!(
            "prost alone takes {:.1} times the whole; {:.2} events per update",
            prost / total,
            found as f64 / seen as f64
        );
    }
}
