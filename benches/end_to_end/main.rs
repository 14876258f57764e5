//! Socket → events, and through to the view: a loopback gRPC server, the program's own client, the program's own stages.
//!
//! `cargo bench --bench end_to_end`. The server's messages are encoded beforehand, so that it leaves the processor to the
//! client. Times per update are the processor time of the connection's own thread: HTTP/2, gRPC, TLS, scan, walk, decode,
//! batches. Latency is from the server's clock before it writes to the client's after it decoded. The sustained rate is that
//! of the whole engine, server on the same processors; the threads' shares say who would be the next to limit it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark"
)]

mod feed;
mod server;

use std::{
    collections::BTreeMap,
    env, fs,
    process::Command,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use smart_stream_tui::{
    chain::{
        group::{Group, Groups},
        wire::{Kind, Update, WireError},
    },
    decode::{Decoder, Event, Undecoded},
    engine::{
        Engine, EngineSettings, View,
        view::{SourceKind, SourceView},
    },
    mev::AlertRules,
    stream::{Arrival, BudgetRules, Endpoint, OnEnd, ProofMode, Resume, Sink, Standby, StreamSettings, Streams},
};
use tokio::sync::{mpsc, watch};

use feed::Feed;
use server::{Pace, Server};

/// Updates in a pass, and passes.
const PASS: u64 = 20_000;
const PASSES: u64 = 11;
/// Updates whose latency is taken, and how often one is sent: 2,000 a second.
const TIMED: u64 = 20_000;
const SPACING: Duration = Duration::from_micros(500);
/// Slots of the simulated market, and rounds of them in a run.
const SLOTS: usize = 200;
const ROUNDS: u64 = 16;
/// Runs of the whole engine with each kind of terminal.
const RUNS: usize = 5;

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn settings(url: &str) -> StreamSettings {
    StreamSettings {
        endpoint: Endpoint { url: url.to_owned(), host: Arc::from("localhost"), x_token: None },
        connections: 1,
        groups: Group::BUILT_IN.to_vec(),
        accounts: Vec::new(),
        rules: Groups::default(),
        budget: BudgetRules {
            limit: 100,
            window: Duration::from_secs(60),
            reserve: 20,
            per_connection: 15,
            cost_new: 1,
            cost_update: 1,
        },
        commitment: 0,
        keepalive_interval: Duration::from_secs(10),
        keepalive_timeout: Duration::from_secs(10),
        window_bytes: 8 << 20,
        max_message_bytes: 64 << 20,
        connect_timeout: Duration::from_secs(10),
        subscribe_timeout: Duration::from_secs(10),
        silence_timeout: Duration::from_secs(30),
        backoff: (Duration::from_millis(500), Duration::from_secs(30)),
        zstd: false,
        on_end: OnEnd::Reconnect,
        ledger: None,
        checkpoint: None,
        resume: Resume::Fresh,
        failover: Vec::new(),
        standby: Standby::Off,
        recover: false,
        proof: ProofMode::Chain,
        balance: false,
        rest: Duration::from_secs(60),
        update_spacing: Duration::from_secs(2),
    }
}

/// Decodes what arrives, as the program's first stage does, and measures.
struct Taken {
    decoder: Decoder,
    events: Vec<Event>,
    undecoded: Vec<Undecoded>,
    wanted: u64,
    report: Report,
}

/// What a connection's thread measured.
#[derive(Clone, Default)]
struct Report {
    updates: u64,
    events: u64,
    batches: u64,
    /// The thread's processor time at the beginning of each pass.
    marks: Vec<f64>,
    latencies_us: Vec<i64>,
}

/// What [`Taken`] hands over: the events, and in the end the report.
struct Handed {
    _events: Vec<Event>,
    report: Option<Report>,
}

impl Sink for Taken {
    type Batch = Handed;

    fn on_update(&mut self, _frame: &Bytes, update: &Update<'_>, _arrival: Arrival) {
        let Kind::Transaction(transaction) = &update.kind else { return };
        if self.report.updates.is_multiple_of(PASS) {
            self.report.marks.push(cpu_ns());
        }
        self.report.updates += 1;
        self.decoder.decode(transaction, &mut self.events, &mut self.undecoded).unwrap();
        let created_us = update.created_at_us.unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        self.report.latencies_us.push(now.as_micros() as i64 - created_us);
    }

    fn on_bad_frame(&mut self, _frame: &Bytes, error: WireError, _arrival: Arrival) {
        unreachable!("{error}");
    }

    fn take_batch(&mut self) -> Option<Handed> {
        self.undecoded.clear();
        self.report.batches += 1;
        self.report.events += self.events.len() as u64;
        let report = (self.report.updates == self.wanted).then(|| self.report.clone());
        let room = self.events.len();
        Some(Handed { _events: std::mem::replace(&mut self.events, Vec::with_capacity(room)), report })
    }
}

/// Receives that many updates of the recording on one connection.
fn receive(feed: &Arc<Feed>, wanted: u64, pace: Pace, tls: bool) -> Report {
    let server = Server::start(Arc::clone(feed), wanted, pace, tls);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let (batches_in, mut batches) = mpsc::channel(1_024);
        let sink = move |_| Taken {
            decoder: Decoder::default(),
            events: Vec::new(),
            undecoded: Vec::new(),
            wanted,
            report: Report::default(),
        };
        let streams = Streams::start(settings(&server.url), sink, batches_in).unwrap();
        loop {
            let handed: Handed = batches.recv().await.unwrap();
            if let Some(report) = handed.report {
                streams.close().await;
                return report;
            }
        }
    });
    let _ = server.join();
    report
}

/// Processor time per update, and latency at a steady rate.
fn connection(tls: bool) {
    let feed = Arc::new(Feed::recorded());
    let name = if tls { "TLS" } else { "plaintext" };
    let report = receive(&feed, PASS * (PASSES + 1), Pace::Full, tls);
    // The first pass warms up.
    let passes = report.marks.windows(2).skip(1).map(|pair| (pair[1] - pair[0]) / PASS as f64 / 1e3);
    let mut passes: Vec<f64> = passes.collect();
    passes.sort_by(f64::total_cmp);
    println!(
        "{name}: {:.2} µs of the connection's thread per update (least {:.2}), {:.1} updates in a batch, {} bytes each",
        passes[passes.len() / 2],
        passes[0],
        report.updates as f64 / report.batches as f64,
        feed.mean_bytes(),
    );
    let report = receive(&feed, TIMED, Pace::Every(SPACING), tls);
    let mut latencies = report.latencies_us;
    latencies.sort_unstable();
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 1_000];
    println!(
        "{name}: {} updates at 2,000/s: {} µs from before the write to after the decode, p99 {}, p99.9 {}",
        latencies.len(),
        at(500),
        at(990),
        at(999),
    );
}

/// Who looks at the views.
#[derive(Clone, Copy, PartialEq)]
enum Terminal {
    Reading,
    Stalled,
}

/// Processor time of every thread so far, by name.
fn threads() -> BTreeMap<String, f64> {
    let mut times = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let ns = read("schedstat").split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0);
        *times.entry(read("comm").trim().to_owned()).or_insert(0.0) += ns;
    }
    times
}

struct Run {
    rate: f64,
    shares: Vec<(String, f64)>,
}

/// The whole engine at full speed.
fn engine(feed: &Arc<Feed>, terminal: Terminal) -> Run {
    let messages = feed.len() * ROUNDS;
    let wanted = feed.transactions(messages);
    let server = Server::start(Arc::clone(feed), messages, Pace::Full, false);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let run = runtime.block_on(async {
        let source = SourceView {
            kind: SourceKind::Live,
            provider: String::new(),
            endpoints: vec!["localhost".to_owned()],
            commitment: "processed",
        };
        let engine = Engine::start(EngineSettings {
            source,
            streams: StreamSettings { recover: true, proof: ProofMode::Filters, ..settings(&server.url) },
            events: None,
            frames: None,
            alerts: AlertRules::default(),
            sol_usd: None,
            wait_for_sinks: false,
        })
        .unwrap();
        let mut views = engine.views();
        let mut stalled = None;
        // From the first view with anything in it, when everything runs, to the one with all.
        let (mut first, mut last) = (None, views.borrow().clone());
        let before = threads();
        while last.totals.transactions < wanted {
            views.changed().await.unwrap();
            last = views.borrow_and_update().clone();
            if first.is_none() && last.totals.transactions > 0 {
                first = Some((Instant::now(), last.totals.transactions));
                if terminal == Terminal::Stalled {
                    stalled = Some(last.clone());
                    last = until(&mut views, wanted).await;
                }
            }
        }
        let (started, counted) = first.unwrap();
        let rate = (wanted - counted) as f64 / started.elapsed().as_secs_f64();
        let shares = threads().into_iter().map(|(name, ns)| {
            let spent = ns - before.get(&name).copied().unwrap_or(0.0);
            (name, spent / (wanted - counted) as f64 / 1e3)
        });
        let shares = shares.filter(|(_, spent)| *spent > 0.005).collect();
        check(&last, wanted);
        drop(stalled);
        engine.shutdown().await;
        Run { rate, shares }
    });
    let _ = server.join();
    run
}

/// The view with everything in it, looked for now and then.
async fn until(views: &mut watch::Receiver<Arc<View>>, wanted: u64) -> Arc<View> {
    loop {
        let view = views.borrow_and_update().clone();
        if view.totals.transactions >= wanted {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Nothing is lost, doubled or dropped.
fn check(view: &View, wanted: u64) {
    assert_eq!((view.totals.transactions, view.totals.duplicates, view.totals.bad_frames), (wanted, 0, 0));
    let dropped: u64 = view.pipeline.iter().filter(|stage| stage.name != "detect").map(|stage| stage.dropped).sum();
    let (decoded, slots) = (view.totals.parsed.all, &view.completeness);
    assert_eq!((dropped, slots.lost_transactions, slots.open_gaps), (0, 0, 0));
    println!(
        "  {wanted} transactions, {} trades, parsed {}/{}, {} slots proven, 0 lost",
        view.totals.trades, decoded.decoded, decoded.expected, slots.counts.proven,
    );
}

fn main() {
    // The client takes the system's roots: for TLS the bench runs itself again with its own certificate among them.
    let certificate = format!("{}/benches/end_to_end/cert.pem", env!("CARGO_MANIFEST_DIR"));
    match env::var("SSL_CERT_FILE") {
        Ok(named) if named == certificate => return connection(true),
        _ => connection(false),
    }
    let again = Command::new(env::current_exe().unwrap()).env("SSL_CERT_FILE", &certificate).status().unwrap();
    assert!(again.success());
    sleep(Duration::from_millis(100));
    let feed = Arc::new(Feed::simulated(SLOTS));
    println!("\nthe whole engine, {} messages of a simulated market, {} bytes each", feed.len(), feed.mean_bytes());
    let mut rates = BTreeMap::from([("reading", Vec::new()), ("stalled", Vec::new())]);
    for run in 0..RUNS * 2 {
        let (terminal, name) =
            if run % 2 == 0 { (Terminal::Reading, "reading") } else { (Terminal::Stalled, "stalled") };
        let Run { rate, shares } = engine(&feed, terminal);
        let shares: Vec<_> = shares.iter().map(|(name, spent)| format!("{name} {spent:.2}")).collect();
        println!("  terminal {name}: {rate:.0} transactions/s; µs each by thread: {}", shares.join(", "));
        rates.get_mut(name).unwrap().push(rate);
    }
    let median = |name: &str| {
        let mut rates = rates[name].clone();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let (reading, stalled) = (median("reading"), median("stalled"));
    println!("{reading:.0} transactions/s; with a stalled terminal {:+.1} %", (stalled / reading - 1.0) * 100.0);
}
