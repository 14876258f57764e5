//! What a break costs: this program's streams beside the reconnecting stream of yellowstone-grpc-client, on the same faults.
//!
//! `cargo bench --bench recovery`: about four minutes of real time, loopback, both clients with their defaults and one
//! stream each, 160 transactions a second in slots of 0.4 s, as many of them kept for replays as a real server keeps (150).
//! Each client has a server of its own under the same plan, so that each call it counts is that client's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a benchmark")]

mod client;
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../../tests/stream/support.rs"]
mod support;

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use smart_stream_tui::simulator::server::{OracleEvent, Pace, Server, ServerSettings};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, sleep_until},
};

use client::{Client, Who};
use support::{Chain, Proxy};

const RESETS: usize = 200;
/// Clients that are reset at a time.
const AT_ONCE: usize = 20;
/// Four cuts in 16 s, as often as it takes to come to 24 of them.
const CUTS: u64 = 4;
const ROUNDS: u64 = 2;
const OUTAGES_MS: [u64; 3] = [10, 250, 700];
/// How long a plan is watched, and how long what was missed then has to arrive.
const WATCHED: Duration = Duration::from_secs(110);
const TAIL: Duration = Duration::from_secs(8);

/// The faults: name, plan, slots kept for replays.
const PLANS: [(&str, &str, usize); 9] = [
    ("ends cleanly every 30 s", "kind='close'\nat='5s'|kind='close'\nat='35s'|kind='close'\nat='65s'", 150),
    (
        "rate limited for 60 s",
        "kind='status'\ncode='RESOURCE_EXHAUSTED'\nmessage='rate limit exceeded'\nat='5s'\nfor='60s'",
        150,
    ),
    ("reset, replay gone", "kind='replay_gone'\nat='0s'\nfor='1h'|kind='reset'\nat='5s'", 150),
    ("reset, no replay at all", "kind='reset'\nat='5s'", 0),
    ("takes and drops for 60 s", "kind='close'\nat='5s'\nfor='60s'", 150),
    (
        "one slot, then an error, 60 s",
        "kind='status'\ncode='INTERNAL'\nmessage='failed'\nafter=200\nat='5s'\nfor='60s'",
        150,
    ),
    ("message of 5 MiB", "kind='oversize'\nbytes=5242880\nat='5s'", 150),
    ("silent stream", "kind='stall'\nconnection=2\nat='5s'\nfor='1h'", 150),
    ("dead link", "kind='blackhole'\nconnection=2\nat='5s'\nfor='1h'", 150),
];

fn chain() -> Chain {
    Chain::new(64, Duration::from_millis(400))
}

async fn server(chain: &Chain, plan: &str, replay_slots: usize) -> Server {
    let tables: Vec<String> =
        plan.split('|').filter(|table| !table.is_empty()).map(|table| format!("[[fault]]\n{table}\n")).collect();
    let settings = ServerSettings {
        pace: Pace::Real,
        start_after_streams: 1,
        replay_slots,
        faults: Some(tables.concat().parse().unwrap()),
        ..ServerSettings::default()
    };
    Server::start(settings, Box::new(chain.clone())).await.unwrap()
}

/// What came of it.
struct Outcome {
    executed: usize,
    lost: usize,
    declared: usize,
    doubled: u32,
    subscribes: usize,
    /// Most of them in any 60 s.
    in_a_window: usize,
    silence: Duration,
    ended: bool,
}

/// Compares what came with what was executed, from the first slot that cannot be in part up to this one.
fn judge(client: &Client, server: &Server, chain: &Chain, to: u64, end: Instant) -> Outcome {
    let received = client.received.lock().unwrap();
    let from = received.first.expect("something came") + 1;
    let made = chain.made.lock().unwrap();
    let executed = made.range(from..=to).flat_map(|(slot, signatures)| signatures.iter().map(|one| (*slot, *one)));
    let missing: Vec<u64> =
        executed.clone().filter(|one| !received.counts.contains_key(one)).map(|(slot, _)| slot).collect();
    let is_declared = |slot: &&u64| received.declared.iter().any(|gap| (gap.from_slot..=gap.to_slot).contains(*slot));
    let calls: Vec<SystemTime> = server
        .log()
        .iter()
        .filter(|entry| matches!(entry.event, OracleEvent::Subscribed { .. } | OracleEvent::Refused { .. }))
        .map(|entry| entry.at)
        .collect();
    let within = |start: &SystemTime| {
        calls.iter().filter(|at| at.duration_since(*start).is_ok_and(|after| after < Duration::from_secs(60))).count()
    };
    let ends = received.times.iter().skip(1).chain([&end]);
    Outcome {
        executed: executed.count(),
        lost: missing.len(),
        declared: missing.iter().filter(is_declared).count(),
        doubled: received.counts.values().map(|count| count - 1).sum(),
        subscribes: calls.len(),
        in_a_window: calls.iter().map(within).max().unwrap_or(0),
        silence: received.times.iter().zip(ends).map(|(from, to)| to.duration_since(*from)).max().unwrap_or_default(),
        ended: received.ended,
    }
}

/// One client under one plan.
async fn plan(who: Who, plan: &str, replay_slots: usize) -> Outcome {
    let chain = chain();
    let server = server(&chain, plan, replay_slots).await;
    // A connection gets the lowest number that is free. The client's first is the second, and its next ones the first: what
    // has to happen to one of its connections does not follow it to the next.
    let first = TcpStream::connect(server.address()).await.unwrap();
    let client = Client::start(who, server.address());
    client.until(1).await;
    drop(first);
    sleep(WATCHED).await;
    let to = server.stats().slot.unwrap();
    let end = Instant::now();
    sleep(TAIL).await;
    let outcome = judge(&client, &server, &chain, to, end);
    server.shutdown().await;
    outcome
}

/// One client whose connection is cut at random moments and cannot be opened for this long.
async fn cuts(who: Who, outage: Duration, seed: u64) -> Outcome {
    let chain = chain();
    let server = server(&chain, "", 150).await;
    let proxy = Proxy::to(server.address()).await;
    let client = Client::start(who, proxy.address);
    client.until(64).await;
    let (start, mut random) = (Instant::now(), fastrand::Rng::with_seed(seed));
    for cut in 0..CUTS {
        sleep_until(start + Duration::from_secs(4 * cut) + Duration::from_millis(random.u64(1_000..3_000))).await;
        proxy.down();
        sleep(outage).await;
        proxy.up();
    }
    sleep_until(start + Duration::from_secs(4 * CUTS)).await;
    // The last attempt may wait eight times the first delay.
    sleep(TAIL).await;
    let to = server.stats().slot.unwrap();
    let end = Instant::now();
    sleep(TAIL).await;
    let outcome = judge(&client, &server, &chain, to, end);
    server.shutdown().await;
    outcome
}

/// Time from a reset of a stream that was well to the next data, with a healthy server.
async fn reset(who: Who, server: &Server) -> Duration {
    let proxy = Proxy::to(server.address()).await;
    let client = Client::start(who, proxy.address);
    client.until(64).await;
    let at = Instant::now();
    proxy.cut();
    sleep(Duration::from_secs(4)).await;
    let received = client.received.lock().unwrap();
    // What the client's socket held already still came: the longest pause after the reset is the break.
    let from = received.times.partition_point(|time| *time < at).saturating_sub(1);
    let times = &received.times[from..];
    let longest = times.windows(2).max_by_key(|pair| pair[1] - pair[0]);
    longest.map_or(Duration::MAX, |pair| pair[1] - at)
}

async fn resets(who: Who) {
    let chain = chain();
    let server = server(&chain, "", 150).await;
    let mut times = Vec::new();
    while times.len() < RESETS {
        times.extend(join_all((0..AT_ONCE).map(|_| reset(who, &server))).await);
    }
    server.shutdown().await;
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64();
    println!("{:<12} {:>8} {:>8.3} {:>8.3} {:>8.3}", who.name(), times.len(), at(50), at(99), at(100));
}

fn head(what: &str) {
    let columns = ["executed", "lost", "declared", "doubled", "subscribes", "in 60 s", "silence s", ""];
    print!("\n{what:<32} {:<10}", "");
    println!("{}", columns.map(|column| format!("{column:>11}")).concat());
}

fn line(what: &str, who: Who, of: &Outcome) {
    let end = if of.ended { "ended" } else { "" };
    println!(
        "{what:<32} {:<10}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11.2}{end:>11}",
        who.name(),
        of.executed,
        of.lost,
        of.declared,
        of.doubled,
        of.subscribes,
        of.in_a_window,
        of.silence.as_secs_f64()
    );
}

#[tokio::main]
async fn main() {
    println!("reset with a healthy server, seconds until data comes again\n");
    println!("{:<12} {:>8} {:>8} {:>8} {:>8}", "", "resets", "p50", "p99", "longest");
    for who in Who::ALL {
        resets(who).await;
    }
    let cut = OUTAGES_MS.into_iter().flat_map(|outage| {
        Who::ALL.map(|who| async move {
            let rounds = (0..ROUNDS).map(|round| cuts(who, Duration::from_millis(outage), outage + round));
            (outage, who, join_all(rounds).await)
        })
    });
    head(&format!("{} cuts at processed, outage", ROUNDS * CUTS));
    for (outage, who, rounds) in join_all(cut).await {
        let sum = rounds.into_iter().reduce(|all, one| Outcome {
            executed: all.executed + one.executed,
            lost: all.lost + one.lost,
            declared: all.declared + one.declared,
            doubled: all.doubled + one.doubled,
            subscribes: all.subscribes + one.subscribes,
            in_a_window: all.in_a_window.max(one.in_a_window),
            silence: all.silence.max(one.silence),
            ended: all.ended || one.ended,
        });
        line(&format!("{outage} ms"), who, &sum.expect("rounds"));
    }
    head("fault plan");
    let plans = PLANS.into_iter().flat_map(|(name, faults, replay_slots)| {
        Who::ALL.map(|who| async move { (name, who, plan(who, faults, replay_slots).await) })
    });
    for (name, who, outcome) in join_all(plans).await {
        line(name, who, &outcome);
    }
}
