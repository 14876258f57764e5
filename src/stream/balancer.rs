//! Whether the load should be moved, or shed: a plain state machine, asked once a second.
//!
//! A connection is loaded by what it cannot do any more: the share of its thread that is busy, and the fill of the queue
//! behind it. Both are measured against what it can do, not against the busiest of the others.

use std::time::Duration;

use super::{
    BudgetRules,
    forecast::Forecast,
    plan::throttled,
    pool::{ConnectionPool, GroupLoad, MAX_STREAMS},
    status::{Move, Throttle},
};
use crate::chain::group::{Group, GroupSet};

/// From this load on a connection is hot,
const HOT: f64 = 0.7;
/// up to this one it is cool; between the two nothing changes.
const COOL: f64 = 0.4;
/// From this load on data is about to be lost.
const DROWNING: f64 = 0.95;
/// A forecast has to see a load grow at least so much before anything is moved for it.
const GROWTH: f64 = 1.05;
/// So long a connection has to be hot before something is done.
const PATIENCE: Duration = Duration::from_secs(5);
/// Least time between two moves,
const COOLDOWN: Duration = Duration::from_secs(60);
/// and between two levels of shedding.
const SHED_SPACING: Duration = Duration::from_secs(10);
/// So long everything has to be cool before a level is given back.
const RESTORE_AFTER: Duration = Duration::from_secs(60);
/// A move has to take at least this share of the whole off the busiest connection.
const WORTHWHILE: f64 = 0.1;

/// What a connection can still do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConnectionLoad {
    /// Which.
    pub connection: usize,
    /// Bytes per second.
    pub bytes_per_s: f64,
    /// Share of its thread that is busy, 0–1, where measured.
    pub busy: Option<f64>,
    /// Fill of the queue behind it, 0–1.
    pub queue_fill: f64,
}

impl ConnectionLoad {
    /// 0 is idle, 1 is all it can do.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.busy.unwrap_or(0.0).max(self.queue_fill)
    }
}

/// What should be done now.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Move these groups.
    Rebalance {
        /// `load` or `forecast`.
        reason: &'static str,
        /// The moves.
        moves: Vec<Move>,
    },
    /// Another throttle level.
    Throttle {
        /// Which connection.
        connection: usize,
        /// The level.
        level: Throttle,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    hot_since: Option<Duration>,
    cool_since: Option<Duration>,
    /// The level before we shed, to be given back.
    shed_from: Option<Throttle>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct LoadBalancer {
    lanes: [Lane; MAX_STREAMS],
    /// By [`Group::index`].
    forecasts: [Forecast; Group::MOST],
    last_move: Option<Duration>,
    last_shed: Option<Duration>,
}

impl LoadBalancer {
    /// Takes the loads of a second; what should be done about them. `levels` are the connections' throttle levels.
    pub fn second(
        &mut self,
        now: Duration,
        pool: &ConnectionPool,
        groups: &[GroupLoad],
        connections: &[ConnectionLoad],
        levels: &[Throttle],
        rules: &BudgetRules,
    ) -> Option<Decision> {
        for (index, forecast) in self.forecasts.iter_mut().enumerate() {
            if let Some(load) = groups.iter().find(|load| load.group.index() == index) {
                forecast.observe(load.bytes_per_s);
            }
        }
        for load in connections {
            let Some(lane) = self.lanes.get_mut(load.connection) else { continue };
            let since = |state: bool, since: Option<Duration>| state.then(|| since.unwrap_or(now));
            lane.hot_since = since(load.score() >= HOT, lane.hot_since);
            lane.cool_since = since(load.score() <= COOL, lane.cool_since);
        }
        self.rebalance(now, pool, groups, connections, rules)
            .or_else(|| self.shed(now, pool, connections, levels))
            .or_else(|| self.restore(now, connections, levels))
    }

    /// Somebody else has moved groups: the new placement has to be measured first.
    pub const fn moved(&mut self, now: Duration) {
        self.last_move = Some(now);
    }

    /// A server has cut a connection of this level because we read too slowly: the level to come back with, if that is
    /// another one. It is given back like one that was shed.
    pub fn lagged(&mut self, now: Duration, connection: usize, level: Throttle) -> Option<Throttle> {
        let lane = self.lanes.get_mut(connection).filter(|_| level < Throttle::HighOnly)?;
        lane.shed_from.get_or_insert(level);
        self.last_shed = Some(now);
        Some(level.down())
    }

    fn rebalance(
        &mut self,
        now: Duration,
        pool: &ConnectionPool,
        groups: &[GroupLoad],
        connections: &[ConnectionLoad],
        rules: &BudgetRules,
    ) -> Option<Decision> {
        if self.last_move.is_some_and(|last| now < last.saturating_add(COOLDOWN)) {
            return None;
        }
        // The standby gives nothing away: if it has too much, it is the first that asks for less.
        let own = || connections.iter().filter(|load| !pool.is_standby(load.connection));
        let hot = own().any(|load| self.has_been(load.connection, now, |lane| lane.hot_since, PATIENCE));
        let coming = self.coming(pool, groups);
        let (reason, loads) = if hot {
            ("load", groups.to_vec())
        } else if own().any(|load| Self::will_be_hot(load, pool, groups, &coming)) {
            ("forecast", coming)
        } else {
            return None;
        };
        let plan = pool.propose(&loads, rules);
        let gain = plan.busiest_before.zip(plan.busiest_after).map_or(0.0, |(before, after)| before - after);
        (!plan.moves.is_empty() && gain >= WORTHWHILE).then(|| {
            self.last_move = Some(now);
            Decision::Rebalance { reason, moves: plan.moves }
        })
    }

    /// The loads as the forecasts have them; where there is none, as they are.
    fn coming(&self, pool: &ConnectionPool, groups: &[GroupLoad]) -> Vec<GroupLoad> {
        let forecast = |load: &GroupLoad| {
            let view = self.forecasts.get(load.group.index()).and_then(Forecast::view)?;
            // A forecast that has been worse than "it stays as it is" moves nothing.
            (view.error < view.naive_error).then_some(view.value)
        };
        let carried = |load: &&GroupLoad| pool.groups(load.connection).contains(load.group);
        groups
            .iter()
            .filter(carried)
            .map(|load| GroupLoad { bytes_per_s: forecast(load).unwrap_or(load.bytes_per_s), ..*load })
            .collect()
    }

    /// Whether a connection that is not hot becomes so when its groups bring what is forecast: what it can do is bytes by
    /// busy share.
    fn will_be_hot(load: &ConnectionLoad, pool: &ConnectionPool, now: &[GroupLoad], coming: &[GroupLoad]) -> bool {
        let mine: GroupSet = pool.groups(load.connection);
        let sum = |loads: &[GroupLoad]| -> f64 {
            loads.iter().filter(|one| mine.contains(one.group)).map(|one| one.bytes_per_s).sum()
        };
        let present = sum(now);
        let growth = if present > 0.0 { sum(coming) / present } else { 0.0 };
        load.score() < HOT && growth >= GROWTH && load.score() * growth >= HOT
    }

    /// We are the slow side and nothing can be moved: least important first.
    fn shed(
        &mut self,
        now: Duration,
        pool: &ConnectionPool,
        connections: &[ConnectionLoad],
        levels: &[Throttle],
    ) -> Option<Decision> {
        if self.last_shed.is_some_and(|last| now < last.saturating_add(SHED_SPACING)) {
            return None;
        }
        // High-priority groups are never shed by us.
        let can_shed = |connection: usize| {
            let Some(level) = levels.get(connection).filter(|level| **level < Throttle::HighOnly) else { return false };
            let groups = pool.groups(connection);
            throttled(groups, *level) != throttled(groups, Throttle::HighOnly)
        };
        let drowning = connections.iter().filter(|load| can_shed(load.connection)).filter(|load| {
            load.score() >= DROWNING && self.has_been(load.connection, now, |lane| lane.hot_since, PATIENCE)
        });
        let worst = drowning.max_by(|a, b| a.score().total_cmp(&b.score()))?.connection;
        let level = *levels.get(worst)?;
        let lane = self.lanes.get_mut(worst)?;
        lane.shed_from.get_or_insert(level);
        self.last_shed = Some(now);
        Some(Decision::Throttle { connection: worst, level: level.down() })
    }

    /// What was shed comes back when there is room for it, a level at a time.
    fn restore(&mut self, now: Duration, connections: &[ConnectionLoad], levels: &[Throttle]) -> Option<Decision> {
        if self.last_shed.is_some_and(|last| now < last.saturating_add(RESTORE_AFTER)) {
            return None;
        }
        let cool = connections.iter().map(|load| load.connection).find(|connection| {
            self.lanes.get(*connection).is_some_and(|lane| lane.shed_from.is_some())
                && self.has_been(*connection, now, |lane| lane.cool_since, RESTORE_AFTER)
        })?;
        let level = *levels.get(cool)?;
        let lane = self.lanes.get_mut(cool)?;
        let before = lane.shed_from?;
        if level.up() <= before {
            lane.shed_from = None;
        }
        lane.cool_since = None;
        if level <= before {
            return None; // The user has given it back.
        }
        self.last_shed = Some(now);
        Some(Decision::Throttle { connection: cool, level: level.up() })
    }

    fn has_been(&self, connection: usize, now: Duration, since: fn(&Lane) -> Option<Duration>, time: Duration) -> bool {
        let since = self.lanes.get(connection).and_then(since);
        since.is_some_and(|since| now.saturating_sub(since) >= time)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_precision_loss, reason = "a test with small numbers")]

    use super::*;

    const RULES: BudgetRules = BudgetRules {
        limit: 100,
        window: Duration::from_secs(60),
        reserve: 20,
        per_connection: 15,
        cost_new: 1,
        cost_update: 1,
    };

    /// Three groups: the high one alone on the first connection, the others together on the second of three.
    fn crowded() -> ConnectionPool {
        let mut pool = ConnectionPool::new(3, Group::BUILT_IN);
        for connection in 0..3 {
            for group in Group::BUILT_IN {
                pool.remove(connection, group);
            }
        }
        pool.add(0, Group::BondingCurve);
        pool.add(1, Group::AmmPool);
        pool.add(1, Group::ExternalAmm);
        pool
    }

    fn groups(amm: f64, external: f64) -> Vec<GroupLoad> {
        let load = |connection, group, bytes_per_s| GroupLoad { connection, group, bytes_per_s };
        vec![load(0, Group::BondingCurve, 1e5), load(1, Group::AmmPool, amm), load(1, Group::ExternalAmm, external)]
    }

    fn connections(scores: [f64; 3]) -> Vec<ConnectionLoad> {
        let load =
            |(connection, busy)| ConnectionLoad { connection, bytes_per_s: 1e6, busy: Some(busy), queue_fill: 0.0 };
        scores.into_iter().enumerate().map(load).collect()
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_hot_connection_gives_a_group_away_once_and_then_waits() {
        let (mut balancer, pool) = (LoadBalancer::default(), crowded());
        let mut decisions = Vec::new();
        for second in 0..100 {
            let loads = connections([0.1, 0.8, 0.1]);
            let decision = balancer.second(at(second), &pool, &groups(1e6, 1e6), &loads, &[Throttle::Full; 3], &RULES);
            decisions.extend(decision.map(|decision| (second, decision)));
        }
        let seconds: Vec<_> = decisions.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [5, 65], "after five seconds, then once in a minute");
        assert!(decisions.iter().all(|(_, decision)| matches!(
            decision,
            Decision::Rebalance { reason: "load", moves } if moves.len() == 1 && moves[0].from == 1 && moves[0].to == 2
        )));
    }

    #[test]
    fn a_load_that_comes_and_goes_or_cannot_be_split_moves_nothing() {
        let (mut balancer, pool) = (LoadBalancer::default(), crowded());
        for second in 0..200 {
            let score = if second % 5 == 4 { 0.3 } else { 0.8 };
            let loads = connections([0.1, score, 0.1]);
            assert_eq!(
                balancer.second(at(second), &pool, &groups(1e6, 1e6), &loads, &[Throttle::Full; 3], &RULES),
                None
            );
        }
        // One group brings everything: to move it changes nothing.
        for second in 200..300 {
            let loads = connections([0.1, 0.8, 0.1]);
            assert_eq!(
                balancer.second(at(second), &pool, &groups(1e6, 1.0), &loads, &[Throttle::Full; 3], &RULES),
                None
            );
        }
    }

    #[test]
    fn the_standby_moves_nothing_and_is_the_first_to_ask_for_less() {
        let all = Group::BUILT_IN.into_iter().collect();
        let (mut balancer, pool) = (LoadBalancer::default(), crowded().with_standby(all));
        let mut loads = connections([0.1, 0.1, 0.1]);
        loads.push(ConnectionLoad { connection: 3, bytes_per_s: 1e6, busy: Some(1.0), queue_fill: 0.0 });
        let mut decisions = Vec::new();
        for second in 0..8 {
            let levels = [Throttle::Full; 4];
            decisions.extend(balancer.second(at(second), &pool, &groups(1e6, 1e6), &loads, &levels, &RULES));
        }
        assert_eq!(decisions, [Decision::Throttle { connection: 3, level: Throttle::WithoutLow }]);
        // What is slow for all is slow for the standby first.
        let mut balancer = LoadBalancer::default();
        for load in &mut loads {
            load.queue_fill = 1.0;
        }
        balancer.moved(at(0));
        let decided = (0..8).find_map(|second| {
            balancer.second(at(second), &pool, &groups(1e6, 1e6), &loads, &[Throttle::Full; 4], &RULES)
        });
        assert_eq!(decided, Some(Decision::Throttle { connection: 3, level: Throttle::WithoutLow }));
        // One that brings nothing but what matters most has nothing to give: the others do.
        let pool = crowded().with_standby([Group::BondingCurve].into_iter().collect());
        let mut balancer = LoadBalancer::default();
        balancer.moved(at(0));
        let decided = (0..8).find_map(|second| {
            balancer.second(at(second), &pool, &groups(1e6, 1e6), &loads, &[Throttle::Full; 4], &RULES)
        });
        assert_eq!(decided, Some(Decision::Throttle { connection: 1, level: Throttle::WithoutLow }));
    }

    #[test]
    fn what_is_coming_is_moved_before_it_is_there() {
        let (mut balancer, pool) = (LoadBalancer::default(), crowded());
        let mut decision = None;
        let mut second = 0;
        while decision.is_none() && second < 300 {
            let load = 1e6 + 2e4 * second as f64;
            let loads = connections([0.1, 0.2 * load / 1e6, 0.1]);
            decision = balancer.second(at(second), &pool, &groups(load, load), &loads, &[Throttle::Full; 3], &RULES);
            second += 1;
        }
        assert!(matches!(decision, Some(Decision::Rebalance { reason: "forecast", .. })), "{decision:?}");
        let score = 0.2 * (1e6 + 2e4 * (second - 1) as f64) / 1e6;
        assert!(score < HOT, "it was hot already: {score}");
    }

    #[test]
    fn who_was_cut_for_being_slow_comes_back_with_less_and_gets_it_back_later() {
        let pool = ConnectionPool::new(1, Group::BUILT_IN);
        let mut balancer = LoadBalancer::default();
        assert_eq!(balancer.lagged(at(0), 0, Throttle::Full), Some(Throttle::WithoutLow));
        assert_eq!(balancer.lagged(at(1), 0, Throttle::WithoutLow), Some(Throttle::HighOnly));
        assert_eq!(balancer.lagged(at(2), 0, Throttle::HighOnly), None, "what matters most is never shed");
        let (mut level, mut changes) = (Throttle::HighOnly, Vec::new());
        let loads = [ConnectionLoad { connection: 0, bytes_per_s: 1e6, busy: Some(0.1), queue_fill: 0.0 }];
        for second in 3..300 {
            let decision = balancer.second(at(second), &pool, &groups(1e6, 1e6), &loads, &[level], &RULES);
            if let Some(Decision::Throttle { level: to, .. }) = decision {
                changes.push(to);
                level = to;
            }
        }
        assert_eq!(changes, [Throttle::WithoutLow, Throttle::Full]);
    }

    #[test]
    fn when_we_drown_the_least_important_goes_first_and_comes_back_last() {
        let pool = ConnectionPool::new(1, Group::BUILT_IN);
        let loads = |score| vec![ConnectionLoad { connection: 0, bytes_per_s: 1e6, busy: None, queue_fill: score }];
        let (mut balancer, mut level, mut changes) = (LoadBalancer::default(), Throttle::Full, Vec::new());
        for second in 0..400 {
            let score = if second < 60 { 1.0 } else { 0.1 };
            let decision = balancer.second(at(second), &pool, &groups(1e6, 1e6), &loads(score), &[level], &RULES);
            if let Some(Decision::Throttle { level: to, .. }) = decision {
                changes.push((second, to));
                level = to;
            }
        }
        let levels: Vec<_> = changes.iter().map(|(_, level)| *level).collect();
        assert_eq!(levels, [Throttle::WithoutLow, Throttle::HighOnly, Throttle::WithoutLow, Throttle::Full]);
        assert!(changes[1].0 - changes[0].0 >= 10 && changes[2].0 >= 120 && changes[3].0 - changes[2].0 >= 60);
    }
}
