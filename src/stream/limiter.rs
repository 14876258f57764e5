//! The subscription budget as a plain state machine: time comes in as a value, nothing is awaited.
//!
//! A permit is held from just before the call until its completion (headers, error, timeout) plus the window. That is
//! what makes the promise provable: the server sees the call somewhere between start and completion, and a successor
//! starts a whole window after the completion, so no window on the server's clock ever counts more than the limit.

use std::time::Duration;

use super::{
    BudgetRules,
    status::{BudgetStatus, Purpose, Spent},
};

/// Kept on top of the window, so that a server that counts both ends of it counts no more either.
const GUARD: Duration = Duration::from_millis(1);
/// Spending in this much of the past counts as the present rate.
const RATE_SPAN: Duration = Duration::from_secs(15);
/// Fewer permits than this in the span are no rate.
const RATE_MIN: u32 = 3;
/// Without sight of the others' spending, this part of the budget is used: so many blind processes still keep the rule.
const ALONE_SHARE: u32 = 5;

/// Names a permit: who took it and its number there. Unique among all processes that share a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermitId {
    /// The limiter that took it; 0 is nobody: spending that is assumed because the ledger could not be read.
    pub owner: u64,
    /// Its number.
    pub serial: u64,
}

/// What a permit is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// By which connection of the owner.
    pub connection: usize,
    /// What for.
    pub purpose: Purpose,
    /// Whether the connection carries a high-priority group.
    pub urgent: bool,
    /// How many permits it costs; 0 is free.
    pub cost: u32,
}

/// Why a permit is not to be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It will be at this time, if nobody else takes it.
    Until(Duration),
    /// Only after a call now under way completes.
    Completion,
    /// The rules never allow it.
    Never,
}

/// A permit as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub id: PermitId,
    /// What it was asked for.
    pub ask: Ask,
    /// When it was taken: just before the call.
    pub taken: Duration,
    /// When the call had an outcome.
    pub completed: Option<Duration>,
}

impl Entry {
    /// When it frees, once it is completed.
    #[must_use]
    pub fn frees_at(&self, window: Duration) -> Option<Duration> {
        self.completed.map(|completed| completed.saturating_add(window).saturating_add(GUARD))
    }
}

/// Counts what the provider counts, never less.
#[derive(Clone, Debug)]
pub struct SubscriptionRateLimiter {
    rules: BudgetRules,
    owner: u64,
    /// Its own permits and those of others on the same token.
    held: Vec<Entry>,
    next: u64,
    frozen_until: Option<Duration>,
    alone: bool,
}

impl SubscriptionRateLimiter {
    /// A limiter with nothing spent. `owner` is its name among those that share the budget, not 0.
    #[must_use]
    pub const fn new(rules: BudgetRules, owner: u64) -> Self {
        Self { rules, owner, held: Vec::new(), next: 0, frozen_until: None, alone: false }
    }

    /// The rules it keeps.
    #[must_use]
    pub const fn rules(&self) -> &BudgetRules {
        &self.rules
    }

    /// Its name among those that share the budget.
    #[must_use]
    pub const fn owner(&self) -> u64 {
        self.owner
    }

    /// Whether the permit could be taken now.
    pub fn check(&self, ask: Ask, now: Duration) -> Result<(), Denied> {
        let at = self.earliest(ask, now)?;
        if at > now { Err(Denied::Until(at)) } else { Ok(()) }
    }

    /// Takes a permit: to be called just before the call starts.
    pub fn take(&mut self, ask: Ask, now: Duration) -> Result<PermitId, Denied> {
        self.check(ask, now)?;
        self.forget(now);
        let id = PermitId { owner: self.owner, serial: self.next };
        self.next += 1;
        self.held.push(Entry { id, ask, taken: now, completed: None });
        debug_assert!(self.used(now) <= self.rules.limit, "more permits than the limit");
        Ok(id)
    }

    /// The call has an outcome, or nobody waits for it any more.
    pub fn complete(&mut self, id: PermitId, now: Duration) {
        if let Some(held) = self.held.iter_mut().find(|held| held.id == id && held.completed.is_none()) {
            held.completed = Some(now.max(held.taken));
        }
        self.forget(now);
    }

    /// What others have spent, by the shared ledger: replaces what was known of them. Its own permits it knows better.
    pub fn adopt(&mut self, ledger: impl IntoIterator<Item = Entry>) {
        self.held.retain(|held| held.id.owner == self.owner || held.id.owner == 0);
        for entry in ledger.into_iter().filter(|entry| entry.id.owner != self.owner) {
            // What was assumed here may be in the file as well.
            if entry.id.owner != 0 || !self.held.iter().any(|held| held.id == entry.id) {
                self.held.push(entry);
            }
        }
    }

    /// The ledger cannot be read: everything counts as spent just now. The entry says so to others.
    pub fn assume_full(&mut self, now: Duration) -> Entry {
        let entry = full(self.rules.limit, now);
        self.held.retain(|held| held.id.owner != 0);
        self.held.push(entry);
        entry
    }

    /// Whether the ledger is out of reach: what others spend is not known, so only a share of the budget is used.
    pub const fn set_alone(&mut self, alone: bool) {
        self.alone = alone;
    }

    /// Its own permits that are held.
    pub fn own(&self, now: Duration) -> impl Iterator<Item = &Entry> {
        self.live(now).filter(|held| held.id.owner == self.owner)
    }

    /// No new subscription before `until`: the provider said so. Never shortens an earlier freeze.
    pub fn freeze(&mut self, until: Duration) {
        self.frozen_until = Some(self.frozen_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// Permits held, by whomever.
    #[must_use]
    pub fn used(&self, now: Duration) -> u32 {
        self.live(now).fold(0, |sum, held| sum.saturating_add(held.ask.cost))
    }

    /// Permits held by one of its own connections.
    #[must_use]
    pub fn used_by(&self, connection: usize, now: Duration) -> u32 {
        self.own(now).filter(|held| held.ask.connection == connection).map(|held| held.ask.cost).sum()
    }

    /// When the next held permit frees, if any is held and completed.
    #[must_use]
    pub fn next_free(&self, now: Duration) -> Option<Duration> {
        self.held.iter().filter_map(|held| held.frees_at(self.rules.window)).filter(|at| *at > now).min()
    }

    /// When the freeze ends, if there is one.
    #[must_use]
    pub fn frozen_until(&self, now: Duration) -> Option<Duration> {
        self.frozen_until.filter(|until| *until > now)
    }

    /// How long until every permit is held, if spending goes on as in the last seconds; `None` if it never comes to that.
    #[must_use]
    pub fn exhausted_in(&self, now: Duration) -> Option<Duration> {
        let span = RATE_SPAN.min(self.rules.window);
        let recent: u32 = self.live(now).filter(|held| held.taken + span >= now).map(|held| held.ask.cost).sum();
        let limit = f64::from(self.rules.limit);
        let mut used = f64::from(self.used(now));
        if used >= limit {
            return Some(Duration::ZERO);
        }
        if recent < RATE_MIN || span.is_zero() {
            return None;
        }
        let per_second = f64::from(recent) / span.as_secs_f64();
        let mut frees: Vec<(f64, f64)> = self
            .live(now)
            .map(|held| {
                let at = held.frees_at(self.rules.window).unwrap_or(now + self.rules.window);
                ((at.saturating_sub(now)).as_secs_f64(), f64::from(held.ask.cost))
            })
            .collect();
        frees.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut at = 0.0;
        for (free_at, cost) in frees {
            let reached = at + (limit - used) / per_second;
            if reached <= free_at {
                return Some(Duration::from_secs_f64(reached));
            }
            used += (free_at - at) * per_second - cost;
            at = free_at;
        }
        // What is held today is gone; from here on the rate alone decides.
        let reached = at + (limit - used) / per_second;
        (reached <= self.rules.window.as_secs_f64()).then(|| Duration::from_secs_f64(reached))
    }

    /// The budget for the screen; `wall_ms` is the wall clock at `now`, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn status(&self, now: Duration, wall_ms: i64) -> BudgetStatus {
        let until_ms = |at: Duration| millis(at.saturating_sub(now));
        let mut held: Vec<&Entry> = self.live(now).collect();
        held.sort_by_key(|held| held.taken);
        BudgetStatus {
            used: self.used(now),
            limit: self.rules.limit,
            window_s: u32::try_from(self.rules.window.as_secs()).unwrap_or(u32::MAX),
            reserved: self.reserve(),
            next_free_ms: self.next_free(now).map(until_ms),
            exhausted_in_ms: self.exhausted_in(now).map(millis),
            frozen_ms: self.frozen_until(now).map(until_ms),
            others: held.iter().filter(|held| held.id.owner != self.owner).map(|held| held.ask.cost).sum(),
            shared: false,
            trouble: None,
            spent: held
                .iter()
                .map(|held| Spent {
                    at_ms: wall_ms.saturating_sub_unsigned(millis(now.saturating_sub(held.taken))),
                    connection: (held.id.owner == self.owner).then_some(held.ask.connection),
                    process: self.process_of(held),
                    purpose: held.ask.purpose,
                    cost: held.ask.cost,
                })
                .collect(),
        }
    }

    /// A short name of the process that took a permit, if it is another one: the names are drawn from the whole range, so
    /// the upper bits tell processes apart as well as any.
    fn process_of(&self, entry: &Entry) -> Option<u16> {
        let owner = entry.id.owner;
        (owner != 0 && owner != self.owner).then(|| u16::try_from(owner >> 48).unwrap_or(u16::MAX))
    }

    /// The first instant from `now` on at which the permit can be had, if nobody else takes one before.
    fn earliest(&self, ask: Ask, now: Duration) -> Result<Duration, Denied> {
        let opens_stream = matches!(ask.purpose, Purpose::Start | Purpose::Reconnect);
        let thawed = match self.frozen_until {
            Some(until) if until > now && (ask.cost > 0 || opens_stream) => until,
            _ => now,
        };
        if ask.cost == 0 {
            return Ok(thawed);
        }
        let ceiling = self.ceiling(ask);
        if ask.cost > ceiling || ask.cost > self.rules.per_connection {
            return Err(Denied::Never);
        }
        let mut used = self.used(now);
        let mut own = self.used_by(ask.connection, now);
        let last = self.held.iter().filter(|held| held.ask.cost > 0).map(|held| held.taken).max();
        let mut frees: Vec<(Duration, &Entry)> =
            self.live(now).filter_map(|held| Some((held.frees_at(self.rules.window)?, held))).collect();
        frees.sort_by_key(|(at, _)| *at);
        let mut frees = frees.into_iter().peekable();
        let mut from = now;
        loop {
            let fits =
                used.saturating_add(ask.cost) <= ceiling && own.saturating_add(ask.cost) <= self.rules.per_connection;
            if fits {
                let paced =
                    last.map_or(Duration::ZERO, |last| last.saturating_add(self.pace(ask.purpose, used, ceiling)));
                let at = from.max(thawed).max(paced);
                if frees.peek().is_none_or(|(next, _)| at < *next) {
                    return Ok(at);
                }
            }
            let Some((at, freed)) = frees.next() else { return Err(Denied::Completion) };
            used = used.saturating_sub(freed.ask.cost);
            if freed.id.owner == self.owner && freed.ask.connection == ask.connection {
                own = own.saturating_sub(freed.ask.cost);
            }
            from = at;
        }
    }

    /// Least time from the last permit to the next: nothing up to half of what may be used, then more and more, until it
    /// is slower than permits free. Recovery is never slowed down.
    fn pace(&self, purpose: Purpose, used: u32, ceiling: u32) -> Duration {
        let easy = ceiling / 2;
        if purpose == Purpose::Reconnect || used <= easy {
            return Duration::ZERO;
        }
        let strain = f64::from(used - easy) / f64::from(ceiling - easy);
        (self.rules.window / self.rules.limit.max(1)).mul_f64(2.0 * strain.min(1.0))
    }

    /// The most that may be held.
    fn limit(&self) -> u32 {
        if self.alone { (self.rules.limit / ALONE_SHARE).max(self.dearest()) } else { self.rules.limit }
    }

    /// Of the limit, what only recovery may use. A reserve that would leave nothing for a start is cut down.
    fn reserve(&self) -> u32 {
        let reserve = if self.alone { self.rules.reserve / ALONE_SHARE } else { self.rules.reserve };
        reserve.min(self.limit().saturating_sub(self.dearest()))
    }

    fn dearest(&self) -> u32 {
        self.rules.cost_new.max(self.rules.cost_update)
    }

    /// Most permits that may be held after this one: the reserve is there for recovery, half of it for the recovery of
    /// high-priority groups alone.
    fn ceiling(&self, ask: Ask) -> u32 {
        match ask.purpose {
            Purpose::Reconnect if ask.urgent => self.limit(),
            Purpose::Reconnect => self.limit() - self.reserve() / 2,
            _ => self.limit() - self.reserve(),
        }
    }

    fn live(&self, now: Duration) -> impl Iterator<Item = &Entry> {
        self.held.iter().filter(move |held| is_held(held, self.rules.window, now))
    }

    fn forget(&mut self, now: Duration) {
        let window = self.rules.window;
        self.held.retain(|held| is_held(held, window, now));
    }
}

/// Spending of a whole budget by nobody we know, now.
#[must_use]
pub fn full(limit: u32, now: Duration) -> Entry {
    let ask = Ask { connection: 0, purpose: Purpose::Reconnect, urgent: false, cost: limit };
    let serial = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    Entry { id: PermitId { owner: 0, serial }, ask, taken: now, completed: Some(now) }
}

/// Whether a permit counts at `now`.
#[must_use]
pub fn is_held(entry: &Entry, window: Duration, now: Duration) -> bool {
    entry.frees_at(window).is_none_or(|at| at > now)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
