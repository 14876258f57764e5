//! The real streams against the real loopback server in simulated time, on a simulated network, under faults drawn from a
//! seed. The same seed is the same history, to the microsecond.
//!
//! `SIM_SEEDS` says how many seeds (from `SIM_FIRST` on) and `SIM_MINUTES` how long each is in simulated time; `SIM_SEED`
//! plays one alone and tells what happens.
//!
//! Few messages are simulated, because what is tested depends on their order against the faults and not on their number: a
//! slot takes 0.4–2 s and has up to three transactions, so that every slot boundary, cut and replay of an hour is there and
//! a fault has as many slots to hit as in life. What depends on the number (queues, the decoder) has its own tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test")]
#![allow(clippy::unchecked_time_subtraction, reason = "a test: it would panic, and says where")]

mod chain;
mod client;
mod hour;
mod network;
mod verdict;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use hour::{Break, Hour, Outcome};
use smart_stream_tui::simulator::fault::{Fault, FaultKind};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Plays seeds on two threads and says what they came to.
fn play(seeds: impl Iterator<Item = u64>, minutes: u64) -> Vec<Outcome> {
    let seeds: Vec<u64> = seeds.collect();
    let next = AtomicU64::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(seed) = seeds.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap()) {
            outcomes.push(Hour::new(*seed, minutes).play());
        }
        outcomes
    };
    thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn nothing_is_lost_doubled_or_overspent_while_everything_breaks() {
    let started = Instant::now();
    let (first, count) = (number("SIM_FIRST").unwrap_or(1), number("SIM_SEEDS").unwrap_or(4));
    let minutes = number("SIM_MINUTES").unwrap_or(12);
    let outcomes = match number("SIM_SEED") {
        Some(seed) => {
            let hour = Hour::new(seed, minutes);
            println!("{hour:#?}");
            vec![hour.play()]
        }
        None => play(first..first + count, minutes),
    };
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    println!(
        "{} seeds of {minutes} minutes in {:.0} s: {} transactions, {} in declared gaps ({} gaps), {} streams, {} repeats \
         dropped, {} at the limit of their provider",
        outcomes.len(),
        started.elapsed().as_secs_f64(),
        sum(|outcome| outcome.executed),
        sum(|outcome| outcome.declared),
        sum(|outcome| outcome.gaps),
        sum(|outcome| outcome.streams),
        sum(|outcome| outcome.repeats),
        sum(|outcome| u64::from(outcome.pressed)),
    );
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).collect();
    for outcome in &failed {
        println!("SIM_SEED={}: {}", outcome.seed, outcome.wrong.join("; "));
    }
    assert!(failed.is_empty(), "{} of {} seeds", failed.len(), outcomes.len());
    assert!(sum(|outcome| outcome.streams) * 4 > outcomes.len() as u64 * minutes, "the faults do not hit");
    assert!(sum(|outcome| u64::from(outcome.pressed)) * 4 > outcomes.len() as u64, "the limit is hardly reached");
    assert!(sum(|outcome| outcome.declared) * 4 < sum(|outcome| outcome.executed), "too much is given up");
}

/// Requests that arrive seconds after they were sent, or after they were given up, still stand in the budget.
#[test]
fn what_arrives_late_counts() {
    for outcome in play([187, 270].into_iter(), 60) {
        assert!(outcome.wrong.is_empty(), "SIM_SEED={}: {:?}", outcome.seed, outcome.wrong);
    }
}

#[test]
fn dead_links_and_silent_streams_are_noticed_in_time() {
    let (at, lasts) = (Duration::from_secs(60), Duration::from_secs(100));
    // What is on its way arrives, and the server's plan counts from the first stream on.
    let margin = Duration::from_millis(500);
    for seed in 1..=2 {
        let noticed = |faults, breaks| {
            let outcome = Hour::new(seed, 8).with(faults, breaks).play();
            assert!(outcome.wrong.is_empty(), "seed {seed}: {:?}", outcome.wrong);
            outcome.given_up.first().copied().expect("noticed") - at
        };
        for kind in [Break::Partition, Break::Downwards] {
            let after = noticed(Vec::new(), vec![(at, lasts, kind)]);
            assert!(after <= Duration::from_secs(25) + margin, "seed {seed}: {kind:?} noticed after {after:?}");
        }
        let silent = Fault { at, lasts: Some(lasts), connection: None, kind: FaultKind::Stall };
        let after = noticed(vec![silent], Vec::new());
        assert!(after <= Duration::from_secs(35) + margin, "seed {seed}: silence noticed after {after:?}");
    }
}

/// Pings alone keep no stream while the others go on: one more stream, and nothing missed in silence.
#[test]
fn a_stream_with_pings_and_no_data_is_left_when_the_others_are_ahead() {
    for seed in (1..).filter(|seed| Hour::new(*seed, 8).connections > 1).take(2) {
        let (at, lasts) = (Duration::from_secs(60), Some(Duration::from_secs(300)));
        let kind = FaultKind::Drop { share: 1.0, all: true };
        let hour = Hour::new(seed, 8).with(vec![Fault { at, lasts, connection: Some(1), kind }], Vec::new());
        let streams = hour.connections as u64 + 1;
        let outcome = hour.play();
        assert!(outcome.wrong.is_empty(), "seed {seed}: {:?}", outcome.wrong);
        assert_eq!(outcome.streams, streams, "seed {seed}");
    }
}

/// After a sleep of ten minutes every connection is opened again, once, and what was missed is fetched or declared.
#[test]
fn a_machine_that_slept_opens_each_connection_again_once() {
    for seed in (1..).filter(|seed| Hour::new(*seed, 8).connections > 1).take(2) {
        let sleep = Break::Suspend(Duration::from_secs(600));
        let hour = Hour::new(seed, 8).with(Vec::new(), vec![(Duration::from_secs(120), Duration::ZERO, sleep)]);
        let connections = hour.connections;
        let outcome = hour.play();
        assert!(outcome.wrong.is_empty(), "seed {seed}: {:?}", outcome.wrong);
        // Each lost its stream then, and no attempt at another one failed.
        assert_eq!(outcome.given_up.len(), connections, "seed {seed}: {:?}", outcome.given_up);
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    let [first, second] = [(); 2].map(|()| Hour::new(1, 10).play());
    assert_eq!(first.trace, second.trace);
    assert_eq!((first.executed, first.repeats, first.streams), (second.executed, second.repeats, second.streams));
    assert_ne!(first.trace, Hour::new(2, 10).play().trace);
}
