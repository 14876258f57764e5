//! The budget's promise, against a reference model: whatever the delays, the server never counts more than the limit
//! in any window on its own clock.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::time::Duration;

use proptest::{prelude::*, test_runner::TestCaseResult};
use smart_stream_tui::stream::{
    BudgetRules,
    limiter::{Ask, Denied, Entry, PermitId, SubscriptionRateLimiter},
    status::Purpose,
};

const PURPOSES: [Purpose; 4] = [Purpose::Start, Purpose::Reconnect, Purpose::User, Purpose::Rebalance];

fn rules(limit: u32, reserve: u32, per_connection: u32, window_ms: u64) -> BudgetRules {
    BudgetRules {
        limit,
        window: Duration::from_millis(window_ms),
        reserve,
        per_connection,
        cost_new: 1,
        cost_update: 1,
    }
}

/// One attempt of a random history.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Milliseconds after the step before.
    after: u64,
    connection: usize,
    purpose: usize,
    urgent: bool,
    cost: u32,
    /// Milliseconds from the call to its completion, and where between the two the server sees it, in 1/1000.
    delay: u64,
    seen: u64,
    freeze: bool,
}

fn step() -> impl Strategy<Value = Step> {
    (
        prop_oneof![6 => 0..300_u64, 1 => 0..20_000_u64],
        0..4_usize,
        0..4_usize,
        any::<bool>(),
        prop_oneof![8 => Just(1_u32), 1 => 0..4_u32],
        prop_oneof![3 => 0..1_000_u64, 1 => 0..=15_000_u64],
        0..=1000_u64,
        prop::bool::weighted(0.005),
    )
        .prop_map(|(after, connection, purpose, urgent, cost, delay, seen, freeze)| Step {
            after,
            connection,
            purpose,
            urgent,
            cost,
            delay,
            seen,
            freeze,
        })
}

/// What the model knows of a call.
struct Call {
    connection: usize,
    purpose: Purpose,
    cost: u32,
    start: u64,
    end: u64,
    arrival: u64,
}

/// Sum of costs held at `now` by the definition: from start to completion plus the window.
fn held(calls: &[Call], now: u64, window: u64, of: impl Fn(&Call) -> bool) -> u32 {
    calls.iter().filter(|call| call.start <= now && now <= call.end + window && of(call)).map(|call| call.cost).sum()
}

/// From half of the ceiling on, the spacing grows evenly up to twice the mean time in which a permit frees.
fn pace(purpose: Purpose, used: u32, ceiling: u32, rules: BudgetRules) -> Duration {
    let half = ceiling / 2;
    if purpose == Purpose::Reconnect || used <= half {
        return Duration::ZERO;
    }
    let share = f64::from(used - half) / f64::from(ceiling - half);
    (rules.window / rules.limit).mul_f64(2.0 * share.min(1.0))
}

fn check_history(steps: &[Step], rules: BudgetRules) -> TestCaseResult {
    let ms = Duration::from_millis;
    let window = u64::try_from(rules.window.as_millis()).unwrap();
    let reserve = rules.reserve.min(rules.limit - 1);
    let mut limiter = SubscriptionRateLimiter::new(rules, 1);
    let mut open: Vec<(u64, PermitId)> = Vec::new();
    let mut calls: Vec<Call> = Vec::new();
    let mut now = 0;
    let mut frozen = 0;
    for step in steps {
        now += step.after;
        open.sort_unstable();
        while open.first().is_some_and(|(end, _)| *end <= now) {
            let (end, id) = open.remove(0);
            limiter.complete(id, ms(end));
        }
        if step.freeze {
            frozen = frozen.max(now + window);
            limiter.freeze(ms(frozen));
        }
        let purpose = PURPOSES[step.purpose];
        let ask = Ask { connection: step.connection, purpose, urgent: step.urgent, cost: step.cost };
        let ceiling = match purpose {
            Purpose::Reconnect if step.urgent => rules.limit,
            Purpose::Reconnect => rules.limit - reserve / 2,
            _ => rules.limit - reserve,
        };
        let used = held(&calls, now, window, |_| true);
        let last = calls.iter().filter(|call| call.cost > 0 && now <= call.end + window).map(|call| call.start).max();
        let paced = last.is_none_or(|last| ms(now) >= ms(last) + pace(purpose, used, ceiling, rules));
        let fits = used + step.cost <= ceiling
            && paced
            && held(&calls, now, window, |call| call.connection == step.connection) + step.cost <= rules.per_connection;
        let free = step.cost == 0;
        let opens = matches!(purpose, Purpose::Start | Purpose::Reconnect);
        let thawed = frozen <= now || (free && !opens);
        prop_assert_eq!(limiter.used(ms(now)), held(&calls, now, window, |_| true));
        match limiter.take(ask, ms(now)) {
            Ok(id) => {
                prop_assert!(thawed && (free || fits), "granted against the rules at {}", now);
                let end = now + step.delay;
                open.push((end, id));
                let arrival = now + step.delay * step.seen / 1000;
                calls.push(Call { connection: step.connection, purpose, cost: step.cost, start: now, end, arrival });
            }
            Err(denied) => {
                prop_assert!(!thawed || !(free || fits), "refused against the rules at {}: {:?}", now, denied);
                if let Denied::Until(at) = denied {
                    // The time named is exact: refused a millisecond before, granted then, if nothing else happens.
                    prop_assert!(at > ms(now));
                    prop_assert!(
                        limiter.check(ask, at.saturating_sub(Duration::from_nanos(1))).is_err(),
                        "granted before the time named"
                    );
                    prop_assert!(limiter.check(ask, at).is_ok(), "refused at the time named");
                }
            }
        }
    }
    // The server's clock: a window, both ends counted, ending with each arrival.
    let mut arrivals: Vec<(u64, u32)> = calls.iter().map(|call| (call.arrival, call.cost)).collect();
    arrivals.sort_unstable();
    for (last, (to, _)) in arrivals.iter().enumerate() {
        let counted: u32 =
            arrivals[..=last].iter().rev().take_while(|(at, _)| at + window >= *to).map(|(_, cost)| cost).sum();
        prop_assert!(counted <= rules.limit, "{} calls in the window that ends at {}", counted, to);
    }
    // Nobody but a recovery ever went into the reserve.
    for (position, call) in calls.iter().enumerate().filter(|(_, call)| call.purpose != Purpose::Reconnect) {
        let before = held(&calls[..position], call.start, window, |_| true);
        prop_assert!(call.cost == 0 || before + call.cost <= rules.limit - reserve);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_server_never_counts_more_than_the_limit(
        steps in prop::collection::vec(step(), 50..400),
        (limit, reserve) in (4..40_u32, 0..12_u32),
        per_connection in 4..40_u32,
        window in 1_000..60_000_u64,
    ) {
        check_history(&steps, rules(limit, reserve, per_connection, window))?;
    }

    #[test]
    fn a_greedy_caller_is_held_to_a_hundred_a_minute(
        delays in prop::collection::vec((0..=15_000_u64, 0..=1000_u64), 350..=350),
    ) {
        // Whoever asks again at the very moment the limiter names gets the most the rule allows, and no more.
        let ms = Duration::from_millis;
        let mut limiter = SubscriptionRateLimiter::new(rules(100, 20, 100, 60_000), 1);
        let ask = Ask { connection: 0, purpose: Purpose::Reconnect, urgent: true, cost: 1 };
        let mut now = 0;
        let mut open: Vec<(u64, PermitId)> = Vec::new();
        let mut arrivals = Vec::new();
        for (delay, seen) in delays {
            let id = loop {
                match limiter.take(ask, ms(now)) {
                    Ok(id) => break id,
                    Err(Denied::Until(at)) => {
                        let at = u64::try_from(at.as_millis()).unwrap();
                        now = open.first().map_or(at, |(end, _)| at.min(*end)).max(now);
                    }
                    Err(Denied::Completion) => now = open.first().unwrap().0.max(now),
                    Err(Denied::Never) => unreachable!("the rules allow one permit"),
                }
                while open.first().is_some_and(|(end, _)| *end <= now) {
                    let (end, id) = open.remove(0);
                    limiter.complete(id, ms(end));
                }
            };
            open.push((now + delay, id));
            open.sort_unstable();
            arrivals.push(now + delay * seen / 1000);
        }
        arrivals.sort_unstable();
        for (last, to) in arrivals.iter().enumerate() {
            let counted = arrivals[..=last].iter().rev().take_while(|at| *at + 60_000 >= *to).count();
            prop_assert!(counted <= 100, "{counted} calls in one window");
        }
    }
}

#[test]
fn a_permit_dropped_without_an_answer_is_held_for_the_window_from_then_on() {
    let second = Duration::from_secs;
    let mut limiter = SubscriptionRateLimiter::new(rules(1, 0, 1, 60_000), 1);
    let ask = Ask { connection: 0, purpose: Purpose::Reconnect, urgent: true, cost: 1 };
    let id = limiter.take(ask, second(0)).unwrap();
    assert_eq!(limiter.check(ask, second(1_000)), Err(Denied::Completion));
    limiter.complete(id, second(1_000));
    assert_eq!(limiter.check(ask, second(1_000)), Err(Denied::Until(second(1_060) + Duration::from_millis(1))));
}

#[test]
fn exhaustion_is_forecast_from_the_present_rate() {
    let second = Duration::from_secs;
    let mut limiter = SubscriptionRateLimiter::new(rules(100, 0, 100, 60_000), 1);
    let ask = Ask { connection: 0, purpose: Purpose::Reconnect, urgent: false, cost: 1 };
    assert_eq!(limiter.exhausted_in(second(0)), None);
    // Four a second: 60 used after 15 s, so 40 more take ten seconds.
    for quarter in 0..60 {
        let at = Duration::from_millis(quarter * 250);
        let id = limiter.take(ask, at).unwrap();
        limiter.complete(id, at);
    }
    let left = limiter.exhausted_in(second(15)).unwrap();
    assert!(left.abs_diff(second(10)) < second(1), "{left:?}");
    // One a second never gets there: as many free as are taken.
    let mut slow = SubscriptionRateLimiter::new(rules(100, 0, 100, 60_000), 1);
    for at in 0..60 {
        let id = slow.take(ask, second(at)).unwrap();
        slow.complete(id, second(at));
    }
    assert_eq!(slow.exhausted_in(second(60)), None);
}

#[test]
fn the_status_says_who_spent_what() {
    let second = Duration::from_secs;
    let mut limiter = SubscriptionRateLimiter::new(rules(100, 20, 15, 60_000), 1);
    for connection in [0, 1, 1] {
        let ask = Ask { connection, purpose: Purpose::Start, urgent: false, cost: 1 };
        let id = limiter.take(ask, second(10)).unwrap();
        limiter.complete(id, second(12));
    }
    let status = limiter.status(second(20), 1_000_000);
    assert_eq!((status.used, status.limit, status.reserved, status.window_s), (3, 100, 20, 60));
    assert_eq!(status.next_free_ms, Some(52_001));
    assert_eq!(status.spent.iter().map(|spent| spent.connection).collect::<Vec<_>>(), [Some(0), Some(1), Some(1)]);
    assert_eq!(status.spent[0].at_ms, 990_000);
    assert_eq!(limiter.used_by(1, second(20)), 2);
    // Dear ones count as what they cost, and others are told apart.
    let dear = Ask { connection: 1, purpose: Purpose::User, urgent: false, cost: 3 };
    let id = limiter.take(dear, second(20)).unwrap();
    limiter.complete(id, second(20));
    let other = |owner: u64| Entry {
        id: PermitId { owner, serial: 0 },
        ask: dear,
        taken: second(15),
        completed: Some(second(15)),
    };
    limiter.adopt([other(7 << 48), other(9 << 48)]);
    let status = limiter.status(second(20), 1_000_000);
    assert_eq!(status.causes().collect::<Vec<_>>(), [(Purpose::Start, 3), (Purpose::User, 3)]);
    assert_eq!((status.used, status.others, status.processes()), (12, 6, 2));
    assert_eq!(status.spent.iter().filter_map(|spent| spent.process).collect::<Vec<_>>(), [7, 9]);
    assert_eq!(limiter.status(second(81), 0).used, 0);
}
