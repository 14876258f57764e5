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

/// Names a permit held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermitId(u64);

/// What a permit is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// By which connection.
    pub connection: usize,
    /// What for.
    pub purpose: Purpose,
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

#[derive(Clone, Copy, Debug)]
struct Held {
    id: PermitId,
    ask: Ask,
    taken: Duration,
    completed: Option<Duration>,
}

/// Counts what the provider counts, never less.
#[derive(Clone, Debug)]
pub struct SubscriptionRateLimiter {
    rules: BudgetRules,
    held: Vec<Held>,
    next: u64,
    frozen_until: Option<Duration>,
}

impl SubscriptionRateLimiter {
    /// A limiter with nothing spent.
    #[must_use]
    pub const fn new(rules: BudgetRules) -> Self {
        Self { rules, held: Vec::new(), next: 0, frozen_until: None }
    }

    /// The rules it keeps.
    #[must_use]
    pub const fn rules(&self) -> &BudgetRules {
        &self.rules
    }

    /// Whether the permit could be taken now.
    pub fn check(&self, ask: Ask, now: Duration) -> Result<(), Denied> {
        let opens_stream = matches!(ask.purpose, Purpose::Start | Purpose::Reconnect);
        let thawed = match self.frozen_until {
            Some(until) if until > now && (ask.cost > 0 || opens_stream) => until,
            _ => now,
        };
        if ask.cost == 0 {
            return if thawed > now { Err(Denied::Until(thawed)) } else { Ok(()) };
        }
        let ceiling = self.ceiling(ask.purpose);
        if ask.cost > ceiling || ask.cost > self.rules.per_connection {
            return Err(Denied::Never);
        }
        let mut used = self.used(now);
        let mut own = self.used_by(ask.connection, now);
        let fits = |used: u32, own: u32| {
            used.saturating_add(ask.cost) <= ceiling && own.saturating_add(ask.cost) <= self.rules.per_connection
        };
        if fits(used, own) {
            return if thawed > now { Err(Denied::Until(thawed)) } else { Ok(()) };
        }
        let mut frees: Vec<(Duration, Ask)> = self
            .held
            .iter()
            .filter_map(|held| Some((self.frees_at(held)?, held.ask)))
            .filter(|(at, _)| *at > now)
            .collect();
        frees.sort_by_key(|(at, _)| *at);
        for (at, freed) in frees {
            used = used.saturating_sub(freed.cost);
            if freed.connection == ask.connection {
                own = own.saturating_sub(freed.cost);
            }
            if fits(used, own) {
                return Err(Denied::Until(at.max(thawed)));
            }
        }
        Err(Denied::Completion)
    }

    /// Takes a permit: to be called just before the call starts.
    pub fn take(&mut self, ask: Ask, now: Duration) -> Result<PermitId, Denied> {
        self.check(ask, now)?;
        self.forget(now);
        let id = PermitId(self.next);
        self.next += 1;
        self.held.push(Held { id, ask, taken: now, completed: None });
        Ok(id)
    }

    /// The call has an outcome, or nobody waits for it any more.
    pub fn complete(&mut self, id: PermitId, now: Duration) {
        if let Some(held) = self.held.iter_mut().find(|held| held.id == id && held.completed.is_none()) {
            held.completed = Some(now.max(held.taken));
        }
        self.forget(now);
    }

    /// No new subscription before `until`: the provider said so. Never shortens an earlier freeze.
    pub fn freeze(&mut self, until: Duration) {
        self.frozen_until = Some(self.frozen_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// Permits held.
    #[must_use]
    pub fn used(&self, now: Duration) -> u32 {
        self.live(now).map(|held| held.ask.cost).sum()
    }

    /// Permits held by one connection.
    #[must_use]
    pub fn used_by(&self, connection: usize, now: Duration) -> u32 {
        self.live(now).filter(|held| held.ask.connection == connection).map(|held| held.ask.cost).sum()
    }

    /// When the next held permit frees, if any is held and completed.
    #[must_use]
    pub fn next_free(&self, now: Duration) -> Option<Duration> {
        self.held.iter().filter_map(|held| self.frees_at(held)).filter(|at| *at > now).min()
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
                let at = self.frees_at(held).unwrap_or(now + self.rules.window);
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
        BudgetStatus {
            used: self.used(now),
            limit: self.rules.limit,
            window_s: u32::try_from(self.rules.window.as_secs()).unwrap_or(u32::MAX),
            reserved: self.reserve(),
            next_free_ms: self.next_free(now).map(until_ms),
            exhausted_in_ms: self.exhausted_in(now).map(millis),
            frozen_ms: self.frozen_until(now).map(until_ms),
            spent: self
                .live(now)
                .map(|held| Spent {
                    at_ms: wall_ms.saturating_sub_unsigned(until_ms_since(now, held.taken)),
                    connection: held.ask.connection,
                    purpose: held.ask.purpose,
                })
                .collect(),
        }
    }

    /// Of the limit, what only recovery may use. A reserve that would leave nothing for a start is cut down.
    fn reserve(&self) -> u32 {
        self.rules.reserve.min(self.rules.limit.saturating_sub(self.rules.cost_new.max(self.rules.cost_update)))
    }

    fn ceiling(&self, purpose: Purpose) -> u32 {
        match purpose {
            Purpose::Reconnect => self.rules.limit,
            Purpose::Start | Purpose::User | Purpose::Rebalance => self.rules.limit - self.reserve(),
        }
    }

    fn frees_at(&self, held: &Held) -> Option<Duration> {
        held.completed.map(|completed| completed.saturating_add(self.rules.window).saturating_add(GUARD))
    }

    fn live(&self, now: Duration) -> impl Iterator<Item = &Held> {
        self.held.iter().filter(move |held| self.frees_at(held).is_none_or(|at| at > now))
    }

    fn forget(&mut self, now: Duration) {
        let window = self.rules.window;
        self.held.retain(|held| {
            held.completed.is_none_or(|completed| completed.saturating_add(window).saturating_add(GUARD) > now)
        });
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn until_ms_since(now: Duration, then: Duration) -> u64 {
    millis(now.saturating_sub(then))
}
