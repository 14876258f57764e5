//! Which of several endpoints a connection should use: a plain state machine.

use std::time::Duration;

use super::policy::Class;

/// So many failures in a row without progress, and the next endpoint is tried.
const PATIENCE: u32 = 2;
/// After this long an endpoint that failed may be tried again.
const FORGIVEN_AFTER: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    failures: u32,
    failed_at: Option<Duration>,
    /// It refuses us: no use to try again without the user.
    refused: bool,
}

/// The endpoints in the order of preference, and how they stand.
#[derive(Clone, Debug)]
pub struct Failover {
    endpoints: Vec<Standing>,
    at: usize,
}

impl Failover {
    /// Begins with the first of so many endpoints, at least one.
    #[must_use]
    pub fn new(endpoints: usize) -> Self {
        Self { endpoints: vec![Standing::default(); endpoints.max(1)], at: 0 }
    }

    /// The endpoint in use, by its place.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The endpoint in use has delivered for long enough to count.
    pub fn proven(&mut self) {
        if let Some(standing) = self.endpoints.get_mut(self.at) {
            *standing = Standing::default();
        }
    }

    /// The endpoint in use has failed; whether another one is to be used now. `at_once`: it says itself that it is going.
    pub fn failed(&mut self, class: Class, at_once: bool, now: Duration) -> bool {
        if let Some(standing) = self.endpoints.get_mut(self.at) {
            standing.failures += 1;
            standing.failed_at = Some(now);
            standing.refused |= matches!(class, Class::Endpoint | Class::Token | Class::Request | Class::Unimplemented);
        }
        let standing = self.endpoints.get(self.at).copied().unwrap_or_default();
        // What we did wrong ourselves is wrong everywhere.
        let ours = matches!(class, Class::Filter | Class::Slow | Class::LocalSize | Class::Replay | Class::Calm);
        let enough = at_once
            || standing.refused
            || matches!(class, Class::Rate | Class::Concurrency)
            || standing.failures >= PATIENCE;
        if ours || !enough {
            return false;
        }
        let next = self.best(now);
        let changed = next != self.at;
        self.at = next;
        changed
    }

    /// Whether every endpoint refuses us.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.endpoints.iter().all(|standing| standing.refused)
    }

    /// The user wants another try: nothing is held against anybody.
    pub fn forgive(&mut self) {
        self.endpoints.fill(Standing::default());
        self.at = 0;
    }

    /// The most preferred endpoint that has not failed lately, else the one whose failure is longest ago.
    fn best(&self, now: Duration) -> usize {
        let usable = || self.endpoints.iter().enumerate().filter(|(_, standing)| !standing.refused);
        let forgiven =
            |standing: &Standing| standing.failed_at.is_none_or(|at| now.saturating_sub(at) >= FORGIVEN_AFTER);
        let fresh = usable().find(|(_, standing)| forgiven(standing));
        let oldest = || usable().min_by_key(|(_, standing)| standing.failed_at);
        fresh.or_else(oldest).map_or(self.at, |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_second_failure_in_a_row_changes_over_and_the_first_is_preferred_again_later() {
        let mut failover = Failover::new(3);
        assert!(!failover.failed(Class::Transport, false, at(0)));
        failover.proven();
        assert!(!failover.failed(Class::Transport, false, at(10)), "there was progress between");
        assert!(failover.failed(Class::Transport, false, at(11)));
        assert_eq!(failover.at(), 1);
        failover.proven();
        assert!(failover.failed(Class::Transport, true, at(20)), "it says that it is going");
        assert_eq!(failover.at(), 2);
        // All have failed: the one whose failure is longest ago.
        assert!(!failover.failed(Class::Transport, false, at(21)));
        assert!(failover.failed(Class::Transport, false, at(22)));
        assert_eq!(failover.at(), 0);
        assert!(failover.failed(Class::Rate, false, at(400)));
        assert_eq!(failover.at(), 1, "forgiven by now");
    }

    #[test]
    fn a_single_endpoint_stays_and_our_own_faults_change_nothing() {
        let mut alone = Failover::new(1);
        for second in 0..50 {
            assert!(!alone.failed(Class::Transport, true, at(second)));
        }
        let mut failover = Failover::new(2);
        for class in [Class::Filter, Class::Slow, Class::LocalSize, Class::Replay, Class::Calm] {
            for second in 0..5 {
                assert!(!failover.failed(class, false, at(second)), "{class:?}");
            }
        }
    }

    #[test]
    fn who_refuses_us_is_not_asked_again_until_the_user_says_so() {
        let mut failover = Failover::new(2);
        assert!(failover.failed(Class::Token, false, at(0)));
        assert!(!failover.is_hopeless());
        for second in 1..2_000 {
            failover.failed(Class::Transport, false, at(second));
            assert_eq!(failover.at(), 1);
        }
        failover.failed(Class::Endpoint, false, at(2_000));
        assert!(failover.is_hopeless());
        failover.forgive();
        assert_eq!((failover.at(), failover.is_hopeless()), (0, false));
    }
}
