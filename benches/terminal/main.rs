//! What the whole program costs in a terminal: the real binary in a pseudo terminal of 200 by 60 cells, its server beside it.
//!
//! `cargo bench --bench terminal`, or only some parts of it: `cargo bench --bench terminal -- start key busy tokens idle`.
//! `idle` has to wait until the charts have run empty, `tokens` for ten thousand launches; the others take seconds. Run it on
//! a quiet machine.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark"
)]

#[allow(dead_code, reason = "another benchmark uses the rest")]
#[path = "../end_to_end/feed.rs"]
mod feed;
mod screen;
#[allow(dead_code, reason = "another benchmark uses the rest")]
#[path = "../end_to_end/server.rs"]
mod server;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use feed::Feed;
use screen::{FRAME_END, Screen};
use server::{Pace, Server};

/// Starts whose time is taken.
const STARTS: usize = 20;
/// Keys whose time is taken, and how long after another.
const KEYS: usize = 200;
const KEY_SPACING: Duration = Duration::from_millis(47);
/// How long is counted.
const WINDOW: Duration = Duration::from_secs(20);
/// How long a program runs before.
const WARM: Duration = Duration::from_secs(10);
/// When the silent stream falls silent, and how long the charts show what was before.
const SILENT_FROM: &str = "5s";
const RUN_EMPTY: Duration = Duration::from_secs(75);
/// How long is waited for tokens at most.
const LONGEST_GROWTH: Duration = Duration::from_secs(150);

/// The server's own measure asks for it.
fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The program's own server, as a process.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(rate: u32, fault: Option<&str>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_smart-stream-tui"));
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.env_clear().env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
        command.env("SMART_STREAM_DEMO_RATE", rate.to_string());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some(fault) = fault {
            let plan = home.path().join("plan.toml");
            fs::write(&plan, fault).unwrap();
            command.arg("--fault").arg(plan);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { child, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    format!("p50 {:.1} ms, p90 {:.1}, p99 {:.1}, most {:.1}", at(50), at(90), at(99), at(100))
}

/// From the start of the process to the end of its first frame.
fn start(home: &Path) {
    let served = Served::start(100, None);
    let times = (0..STARTS).map(|_| {
        let screen = Screen::start(home, &[("SMART_STREAM_ENDPOINT", &served.url)]);
        screen.wait(FRAME_END, 0) - screen.started
    });
    println!("start to the first whole frame: {}", quantiles(times.collect()));
}

/// From a key to the frame that answers it, while updates come in.
fn key(home: &Path) {
    let feed = Arc::new(Feed::simulated(200));
    for (rate, every) in [(1_000, 1_000), (10_000, 100)] {
        let server = Server::start(feed.clone(), u64::MAX, Pace::Every(Duration::from_micros(every)), false);
        let variables = [("SMART_STREAM_ENDPOINT", server.url.as_str()), ("SMART_STREAM_SOURCE_CONNECTIONS", "1")];
        let mut screen = Screen::start(home, &variables);
        screen.wait(FRAME_END, 0);
        sleep(WARM / 3);
        let before = screen.counts();
        let mut times = Vec::with_capacity(KEYS);
        for _ in 0..KEYS {
            let from = screen.len();
            let pressed = Instant::now();
            // Freezing writes a word that stands nowhere else.
            screen.press(b" ");
            times.push(screen.wait(b" FROZEN ", from) - pressed);
            screen.press(b" ");
            sleep(KEY_SPACING);
        }
        let after = screen.counts();
        let share = (after.cpu - before.cpu) / (after.at.unwrap() - before.at.unwrap()).as_secs_f64();
        println!(
            "key to its frame at {rate} updates/s: {}; the program takes {:.1} % of a core",
            quantiles(times),
            share * 100.0
        );
    }
}

/// What is counted in a while.
fn watch(screen: &Screen, what: &str, threads: bool) {
    let before = screen.counts();
    sleep(WINDOW);
    let after = screen.counts();
    let seconds = (after.at.unwrap() - before.at.unwrap()).as_secs_f64();
    let count = |name: &String| before.wakeups.iter().find(|(known, _)| known == name).map_or(0, |(_, count)| *count);
    let mut wakeups: Vec<_> = after.wakeups.iter().map(|(name, now)| (name, now - count(name))).collect();
    wakeups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let all: u64 = wakeups.iter().map(|(_, count)| count).sum();
    let frames = after.frames - before.frames;
    println!(
        "{what}: {:.2} % of a core, {:.1} wakeups/s, {:.0} bytes/s, {:.1} frames/s, {} writes for {frames} frames, {:.1} MB resident",
        (after.cpu - before.cpu) / seconds * 100.0,
        all as f64 / seconds,
        (after.written - before.written) as f64 / seconds,
        frames as f64 / seconds,
        after.writes - before.writes,
        screen.resident() as f64 / 1e6,
    );
    if threads {
        let named = wakeups.iter().filter(|(_, count)| *count > 0);
        let named: Vec<_> = named.map(|(name, count)| format!("{name} {count}")).collect();
        println!("  wakeups in {seconds:.0} s by thread: {}", named.join(", "));
    }
}

/// A usual load.
fn busy(home: &Path) {
    let served = Served::start(500, None);
    let screen = Screen::start(home, &[("SMART_STREAM_ENDPOINT", &served.url)]);
    screen.wait(FRAME_END, 0);
    sleep(WARM);
    watch(&screen, "500 transactions/s", false);
}

/// Pings, but neither slots nor transactions.
fn idle(home: &Path) {
    let plan = format!("[[fault]]\nat = \"{SILENT_FROM}\"\nkind = \"drop\"\nshare = 1.0\nwhat = \"all\"\n");
    let served = Served::start(100, Some(&plan));
    let screen = Screen::start(home, &[("SMART_STREAM_ENDPOINT", &served.url)]);
    screen.wait(FRAME_END, 0);
    sleep(RUN_EMPTY);
    watch(&screen, "a silent stream", true);
}

/// Ten thousand tokens: as many as come are counted in what the export key writes.
fn tokens(home: &Path) {
    let served = Served::start(3_000, None);
    let mut screen = Screen::start(home, &[("SMART_STREAM_ENDPOINT", &served.url)]);
    screen.wait(FRAME_END, 0);
    let mut known = 0;
    let until = Instant::now() + LONGEST_GROWTH;
    while known < 10_000 && Instant::now() < until {
        sleep(WARM / 2);
        screen.press(b"e");
        let files = fs::read_dir(home).unwrap().flatten().map(|entry| entry.path());
        let exported = files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).max();
        let Some(exported) = exported else { continue };
        let Ok(snapshot) = serde_json::from_slice::<serde_json::Value>(&fs::read(exported).unwrap()) else { continue };
        known = snapshot["tokens_known"].as_u64().unwrap();
    }
    watch(&screen, &format!("{known} tokens, 3,000 transactions/s"), false);
}

fn main() {
    let asked: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for name in ["start", "key", "busy", "tokens", "idle"] {
        if !asked.is_empty() && !asked.iter().any(|word| word == name) {
            continue;
        }
        let home = tempfile::tempdir().unwrap();
        match name {
            "start" => start(home.path()),
            "key" => key(home.path()),
            "busy" => busy(home.path()),
            "tokens" => tokens(home.path()),
            _ => idle(home.path()),
        }
    }
}
