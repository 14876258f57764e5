//! The budget shared by processes: against the same random histories as the usual algorithms, which all fail.
//!
//! `LIMITER_HISTORIES` says how many histories to try, `LIMITER_FIRST` from which seed on: each is made from its seed.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::{collections::VecDeque, time::Duration};

use fastrand::Rng;
use smart_stream_tui::stream::{
    BudgetRules,
    limiter::{Ask, Denied, Entry, PermitId, SubscriptionRateLimiter, is_held},
    status::Purpose,
};

const PROCESSES: usize = 4;
const CONNECTIONS: usize = 3;
/// Longest time from a permit to its outcome, as the ledger is told.
const LONGEST_CALL_MS: u64 = 16_000;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What stands between four processes and a server.
trait Budget {
    fn take(&mut self, process: usize, connection: usize, urgent: bool, now: u64) -> Option<PermitId>;
    fn complete(&mut self, process: usize, id: PermitId, now: u64);
    fn crash(&mut self, process: usize);
}

/// Ours: a limiter in each process, and what the ledger file holds.
struct Ours {
    rules: BudgetRules,
    limiters: Vec<SubscriptionRateLimiter>,
    file: Vec<Entry>,
    owners: u64,
}

impl Ours {
    fn new(rules: BudgetRules) -> Self {
        let limiters = (1..=PROCESSES as u64).map(|owner| SubscriptionRateLimiter::new(rules, owner)).collect();
        Self { rules, limiters, file: Vec::new(), owners: PROCESSES as u64 }
    }
}

impl Budget for Ours {
    fn take(&mut self, process: usize, connection: usize, urgent: bool, now: u64) -> Option<PermitId> {
        let alive = |owner: u64| self.limiters.iter().any(|limiter| limiter.owner() == owner);
        for entry in &mut self.file {
            if entry.completed.is_none() && !alive(entry.id.owner) {
                entry.completed = Some(ms(now).max(entry.taken + ms(LONGEST_CALL_MS)));
            }
        }
        let window = self.rules.window;
        self.file.retain(|entry| is_held(entry, window, ms(now)));
        let limiter = &mut self.limiters[process];
        limiter.adopt(self.file.iter().copied());
        let purpose = if urgent { Purpose::Reconnect } else { Purpose::Start };
        let ask = Ask { connection, purpose, urgent, cost: 1 };
        let id = limiter.take(ask, ms(now)).ok()?;
        self.file.push(Entry { id, ask, taken: ms(now), completed: None });
        Some(id)
    }

    fn complete(&mut self, process: usize, id: PermitId, now: u64) {
        self.limiters[process].complete(id, ms(now));
        if let Some(entry) = self.file.iter_mut().find(|entry| entry.id == id) {
            entry.completed.get_or_insert(ms(now));
        }
    }

    fn crash(&mut self, process: usize) {
        self.owners += 1;
        self.limiters[process] = SubscriptionRateLimiter::new(self.rules, self.owners);
    }
}

/// `governor` and most crates: refills evenly, up to the limit.
struct TokenBucket {
    limit: f64,
    window: f64,
    level: f64,
    at: u64,
    next: u64,
}

impl Budget for TokenBucket {
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    fn take(&mut self, _: usize, _: usize, _: bool, now: u64) -> Option<PermitId> {
        self.level = (self.level + (now - self.at) as f64 / self.window * self.limit).min(self.limit);
        self.at = now;
        (self.level >= 1.0).then(|| {
            self.level -= 1.0;
            self.next += 1;
            PermitId { owner: 1, serial: self.next }
        })
    }

    fn complete(&mut self, _: usize, _: PermitId, _: u64) {}
    fn crash(&mut self, _: usize) {}
}

/// A counter that starts anew with every window.
struct FixedWindow {
    limit: u32,
    window: u64,
    current: u64,
    count: u32,
    next: u64,
}

impl Budget for FixedWindow {
    fn take(&mut self, _: usize, _: usize, _: bool, now: u64) -> Option<PermitId> {
        if now / self.window != self.current {
            (self.current, self.count) = (now / self.window, 0);
        }
        self.count += 1;
        self.next += 1;
        (self.count <= self.limit).then_some(PermitId { owner: 1, serial: self.next })
    }

    fn complete(&mut self, _: usize, _: PermitId, _: u64) {}
    fn crash(&mut self, _: usize) {}
}

/// An exact log of the times at which calls were sent.
struct SendLog {
    limit: usize,
    window: u64,
    sent: VecDeque<u64>,
    next: u64,
}

impl Budget for SendLog {
    fn take(&mut self, _: usize, _: usize, _: bool, now: u64) -> Option<PermitId> {
        while self.sent.front().is_some_and(|sent| sent + self.window < now) {
            self.sent.pop_front();
        }
        (self.sent.len() < self.limit).then(|| {
            self.sent.push_back(now);
            self.next += 1;
            PermitId { owner: 1, serial: self.next }
        })
    }

    fn complete(&mut self, _: usize, _: PermitId, _: u64) {}
    fn crash(&mut self, _: usize) {}
}

/// Plays the history of a seed; the most arrivals in any window of the server's clock, both ends counted.
fn worst_window(seed: u64, rules: BudgetRules, budget: &mut dyn Budget) -> usize {
    let mut random = Rng::with_seed(seed);
    let window = u64::try_from(rules.window.as_millis()).unwrap();
    let steps = random.usize(20..60) + 3 * rules.limit as usize;
    let pause = window / u64::from(rules.limit);
    let mut now = 0;
    // (end, process, life of the process, permit)
    let mut open: Vec<(u64, usize, u64, PermitId)> = Vec::new();
    let mut lives = [0_u64; PROCESSES];
    let mut arrivals = Vec::new();
    for _ in 0..steps {
        now += match random.u32(0..20) {
            0 => random.u64(0..=window),
            1..=9 => 0,
            _ => random.u64(0..=pause * 2),
        };
        open.sort_unstable();
        while open.first().is_some_and(|(end, ..)| *end <= now) {
            let (end, process, life, id) = open.remove(0);
            if life == lives[process] {
                budget.complete(process, id, end);
            }
        }
        let process = random.usize(0..PROCESSES);
        if random.u32(0..40) == 0 {
            // Killed: what was sent goes on to the server all the same.
            lives[process] += 1;
            budget.crash(process);
        }
        let urgent = random.u32(0..4) > 0;
        if let Some(id) = budget.take(process, random.usize(0..CONNECTIONS), urgent, now) {
            let delay = if random.bool() { random.u64(0..=15_000) } else { random.u64(0..=200) };
            open.push((now + delay, process, lives[process], id));
            arrivals.push(now + random.u64(0..=delay));
        }
    }
    arrivals.sort_unstable();
    let counts = (0..arrivals.len())
        .map(|last| arrivals[..=last].iter().rev().take_while(|at| **at + window >= arrivals[last]).count());
    counts.max().unwrap_or(0)
}

fn rules_of(seed: u64) -> BudgetRules {
    // The provider's own rule now and then; small ones come to their limit sooner and say as much.
    let limit = [5, 8, 12, 100][if seed.is_multiple_of(50) { 3 } else { (seed % 3) as usize }];
    BudgetRules { limit, window: ms(60_000), reserve: limit / 5, per_connection: limit, cost_new: 1, cost_update: 1 }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn four_processes_never_exceed_the_limit_on_the_servers_clock() {
    let mut most = [0; 101];
    let first = setting("LIMITER_FIRST", 0);
    for seed in first..first + setting("LIMITER_HISTORIES", 4_000) {
        let rules = rules_of(seed);
        let worst = worst_window(seed, rules, &mut Ours::new(rules));
        assert!(worst <= rules.limit as usize, "seed {seed}: {worst} arrivals in a window, {} allowed", rules.limit);
        most[rules.limit as usize] = worst.max(most[rules.limit as usize]);
    }
    // The histories do press against the limit: otherwise they would prove nothing.
    for limit in [5, 8, 12] {
        assert_eq!(most[limit], limit, "no history reached the limit");
    }
}

#[test]
fn the_usual_algorithms_fail_the_same_test() {
    let worst = |make: &dyn Fn(BudgetRules) -> Box<dyn Budget>| {
        let over = (0..300).filter(|seed| {
            let rules = rules_of(*seed);
            worst_window(*seed, rules, make(rules).as_mut()) > rules.limit as usize
        });
        over.count()
    };
    let bucket = worst(&|rules| {
        let limit = f64::from(rules.limit);
        Box::new(TokenBucket { limit, window: 60_000.0, level: limit, at: 0, next: 0 })
    });
    let fixed =
        worst(&|rules| Box::new(FixedWindow { limit: rules.limit, window: 60_000, current: 0, count: 0, next: 0 }));
    let log = worst(&|rules| {
        Box::new(SendLog { limit: rules.limit as usize, window: 60_000, sent: VecDeque::new(), next: 0 })
    });
    assert!(bucket > 0 && fixed > 0 && log > 0, "bucket {bucket}, fixed window {fixed}, log of sends {log} of 300");
}

#[test]
fn hardly_any_of_the_budget_is_given_away_at_five_seconds_of_delay() {
    // Whoever always wants one more, over ten minutes, with calls that take up to five seconds.
    let rules = BudgetRules { limit: 100, ..rules_of(0) };
    let mut random = Rng::with_seed(7);
    let mut limiter = SubscriptionRateLimiter::new(BudgetRules { per_connection: 100, ..rules }, 1);
    let ask = Ask { connection: 0, purpose: Purpose::Reconnect, urgent: true, cost: 1 };
    let (mut now, mut open, mut granted) = (ms(0), Vec::<(Duration, PermitId)>::new(), 0);
    while now < ms(600_000) {
        open.sort_unstable();
        while open.first().is_some_and(|(end, _)| *end <= now) {
            let (end, id) = open.remove(0);
            limiter.complete(id, end);
        }
        match limiter.take(ask, now) {
            Ok(id) => {
                granted += 1;
                open.push((now + ms(random.u64(0..=5_000)), id));
            }
            Err(Denied::Until(at)) => now = open.first().map_or(at, |(end, _)| at.min(*end)),
            Err(_) => now = open.first().unwrap().0,
        }
    }
    assert!(granted / 10 >= 94, "{granted} in ten windows of 100");
}
