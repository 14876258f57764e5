//! Which connection carries which group: a plain decision, made anew from measured loads.

use super::{
    BudgetRules,
    status::{Move, RebalancePlan},
};
use crate::chain::group::{Group, GroupSet, Groups, Priority};

/// Most connections there may be.
pub const MAX_CONNECTIONS: usize = 8;
/// Most streams held open: those and a standby.
pub const MAX_STREAMS: usize = MAX_CONNECTIONS + 1;
/// A plan that takes less than this share of the load off the busiest connection is not worth its permits.
const WORTHWHILE: f64 = 0.05;
/// Up to so many placements each is looked at: the built-in groups on as many connections as there may be.
const EVERY_ONE: usize = MAX_CONNECTIONS.pow(3);

/// One group's measured traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupLoad {
    /// On which connection.
    pub connection: usize,
    /// Which group.
    pub group: Group,
    /// Bytes per second.
    pub bytes_per_s: f64,
}

/// How good a placement is.
#[derive(Clone, Copy, Debug)]
struct Rank {
    /// Groups that share a connection with a high-priority one.
    mixed: usize,
    /// Load of the busiest connection.
    busiest: f64,
    /// Groups that move.
    moved: usize,
}

impl Rank {
    fn is_better_than(&self, other: &Self) -> bool {
        let order = self.mixed.cmp(&other.mixed).then(self.busiest.total_cmp(&other.busiest));
        order.then(self.moved.cmp(&other.moved)).is_lt()
    }
}

/// Assigns groups to connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionPool {
    assigned: Vec<GroupSet>,
    /// Connections that the server has no room for now.
    resting: Vec<bool>,
    /// What the connection behind these carries as well, whatever moves between them; nothing: there is none.
    standby: GroupSet,
    /// Whether that one can carry nothing now.
    standby_rests: bool,
}

impl ConnectionPool {
    /// Spreads the groups over 1–8 connections: high-priority groups alone on the first, the rest in turn on the others.
    #[must_use]
    pub fn new(connections: usize, groups: impl IntoIterator<Item = Group>) -> Self {
        let connections = connections.clamp(1, MAX_CONNECTIONS);
        let mut assigned = vec![GroupSet::EMPTY; connections];
        let groups: GroupSet = groups.into_iter().collect();
        let has_high = groups.iter().any(|group| group.priority() == Priority::High);
        let first_other = usize::from(has_high && connections > 1);
        let mut turn = 0;
        for group in groups.iter() {
            let at = if group.priority() == Priority::High {
                0
            } else {
                turn += 1;
                first_other + (turn - 1) % (connections - first_other)
            };
            if let Some(set) = assigned.get_mut(at) {
                set.insert(group);
            }
        }
        let resting = vec![false; assigned.len()];
        Self { assigned, resting, standby: GroupSet::EMPTY, standby_rests: false }
    }

    /// One more connection that carries these groups as well, all the time.
    #[must_use]
    pub fn with_standby(self, standby: GroupSet) -> Self {
        Self { standby, ..self }
    }

    /// Whether that is the standby.
    #[must_use]
    pub fn is_standby(&self, connection: usize) -> bool {
        connection == self.assigned.len() && !self.standby.is_empty()
    }

    /// Marks a connection as one that can carry nothing now, or again can.
    pub fn set_resting(&mut self, connection: usize, resting: bool) {
        if self.is_standby(connection) {
            self.standby_rests = resting;
        }
        if let Some(mark) = self.resting.get_mut(connection) {
            *mark = resting;
        }
    }

    /// Whether a connection can carry nothing now.
    #[must_use]
    pub fn is_resting(&self, connection: usize) -> bool {
        let resting = self.resting.get(connection).copied();
        resting.unwrap_or(self.standby_rests && self.is_standby(connection))
    }

    /// Where the groups of a connection go that has to give them up: each to the connection with the least load among
    /// those that can take it, heavy groups first.
    #[must_use]
    pub fn heirs(&self, connection: usize, able: &[usize], loads: &[GroupLoad]) -> Vec<Move> {
        let load = |group: Group| {
            let of = loads.iter().filter(|one| one.group == group && one.bytes_per_s.is_finite());
            of.map(|one| one.bytes_per_s).fold(0.0, f64::max)
        };
        let mut carried: Vec<(usize, GroupSet, f64)> = able
            .iter()
            .filter(|heir| **heir < self.assigned.len() && **heir != connection && !self.is_resting(**heir))
            .map(|heir| (*heir, self.groups(*heir), self.groups(*heir).iter().map(load).sum()))
            .collect();
        let mut groups: Vec<Group> = self.groups(connection).iter().collect();
        groups.sort_by(|a, b| load(*b).total_cmp(&load(*a)));
        let mut moves = Vec::with_capacity(groups.len());
        for group in groups {
            let least = carried.iter_mut().min_by(|a, b| {
                // Without figures the fewest groups.
                a.2.total_cmp(&b.2).then(a.1.iter().count().cmp(&b.1.iter().count())).then(a.0.cmp(&b.0))
            });
            let Some((to, set, sum)) = least else { break };
            set.insert(group);
            *sum += load(group);
            moves.push(Move { group, from: connection, to: *to });
        }
        moves
    }

    /// The groups of each connection.
    #[must_use]
    pub fn assigned(&self) -> &[GroupSet] {
        &self.assigned
    }

    /// The groups of one connection.
    #[must_use]
    pub fn groups(&self, connection: usize) -> GroupSet {
        let carried = self.assigned.get(connection).copied();
        let stands_by = self.is_standby(connection) && !self.standby_rests;
        carried.unwrap_or(if stands_by { self.standby } else { GroupSet::EMPTY })
    }

    /// Why the moves cannot be made, in words.
    pub fn check(&self, moves: &[Move], names: &Groups) -> Result<(), String> {
        for (position, one) in moves.iter().enumerate() {
            let name = names.name(one.group);
            if self.is_standby(one.to) || self.is_standby(one.from) {
                return Err(format!("connection {} is the standby", self.assigned.len()));
            }
            if one.to >= self.assigned.len() {
                return Err(format!("there is no connection {}", one.to));
            }
            if self.is_resting(one.to) {
                return Err(format!("the server has no room for connection {} now", one.to));
            }
            if !self.groups(one.from).contains(one.group) {
                return Err(format!("{name} is not on connection {}", one.from));
            }
            if one.from == one.to {
                return Err(format!("{name} is on connection {} already", one.to));
            }
            if moves.iter().skip(position + 1).any(|other| other.group == one.group) {
                return Err(format!("{name} would move twice"));
            }
        }
        Ok(())
    }

    /// First half of a move: the target carries the group too.
    pub fn add(&mut self, connection: usize, group: Group) {
        if let Some(set) = self.assigned.get_mut(connection) {
            set.insert(group);
        }
    }

    /// Second half of a move: the source lets go.
    pub fn remove(&mut self, connection: usize, group: Group) {
        if let Some(set) = self.assigned.get_mut(connection) {
            set.remove(group);
        }
    }

    /// Permits that moves cost: one update on every target, one on every source.
    #[must_use]
    pub fn cost(moves: &[Move], rules: &BudgetRules) -> u32 {
        let mut targets: Vec<usize> = moves.iter().map(|one| one.to).collect();
        let mut sources: Vec<usize> = moves.iter().map(|one| one.from).collect();
        for ends in [&mut targets, &mut sources] {
            ends.sort_unstable();
            ends.dedup();
        }
        let updates = u32::try_from(targets.len() + sources.len()).unwrap_or(u32::MAX);
        updates.saturating_mul(rules.cost_update)
    }

    /// The best placement for these loads: high-priority groups apart while possible, then the smallest busiest
    /// connection, then the fewest moves. With few groups and connections every placement is tried; with more, from the
    /// present one on, whatever single move or exchange of two groups makes it better.
    #[must_use]
    pub fn propose(&self, loads: &[GroupLoad], rules: &BudgetRules) -> RebalancePlan {
        let mut load = [0.0_f64; Group::MOST];
        for one in loads.iter().filter(|one| one.bytes_per_s.is_finite() && one.bytes_per_s > 0.0) {
            // While a group is on two connections both carry it whole: the larger figure is its load.
            let of = &mut load[one.group.index()];
            *of = of.max(one.bytes_per_s);
        }
        let whole: f64 = load.iter().sum();
        let mut placed: Vec<(Group, usize)> = Vec::with_capacity(Group::MOST);
        for (at, set) in self.assigned.iter().enumerate() {
            let new = |group: &Group| placed.iter().all(|(known, _)| known != group);
            let found: Vec<Group> = set.iter().filter(new).collect();
            placed.extend(found.into_iter().map(|group| (group, at)));
        }
        placed.sort_unstable();
        let now: Vec<usize> = placed.iter().map(|(_, at)| *at).collect();
        let rank = |targets: &[usize]| {
            let (mixed, busiest) = self.score(&placed, targets, &load);
            Rank { mixed, busiest, moved: targets.iter().zip(&now).filter(|(a, b)| a != b).count() }
        };
        let Rank { mixed: mixed_now, busiest: busiest_now, .. } = rank(&now);
        let placements = u32::try_from(placed.len()).ok().and_then(|groups| self.assigned.len().checked_pow(groups));
        let (best, targets) = if placements.is_some_and(|count| count <= EVERY_ONE) {
            self.best_of_all(&now, rank)
        } else {
            self.best_nearby(&now, rank)
        };
        let Rank { mixed, busiest, .. } = best;
        let share = |busiest: f64| (whole > 0.0).then(|| busiest / whole);
        let gain = if whole > 0.0 { (busiest_now - busiest) / whole } else { 0.0 };
        if mixed >= mixed_now && gain < WORTHWHILE {
            return RebalancePlan {
                moves: Vec::new(),
                permits: 0,
                busiest_before: share(busiest_now),
                busiest_after: share(busiest_now),
            };
        }
        let moves: Vec<Move> = placed
            .iter()
            .zip(&targets)
            .filter(|((_, from), to)| from != *to)
            .map(|((group, from), to)| Move { group: *group, from: *from, to: *to })
            .collect();
        let permits = Self::cost(&moves, rules);
        RebalancePlan { moves, permits, busiest_before: share(busiest_now), busiest_after: share(busiest) }
    }

    /// How many groups share a connection with a high-priority one, and the load of the busiest connection.
    fn score(&self, placed: &[(Group, usize)], targets: &[usize], load: &[f64; Group::MOST]) -> (usize, f64) {
        let mut sums = vec![0.0; self.assigned.len()];
        let mut high = vec![false; self.assigned.len()];
        for ((group, _), at) in placed.iter().zip(targets) {
            sums[*at] += load[group.index()];
            high[*at] |= group.priority() == Priority::High;
        }
        if targets.iter().any(|at| self.is_resting(*at)) {
            return (usize::MAX, f64::INFINITY);
        }
        let mixed = placed
            .iter()
            .zip(targets)
            .filter(|((group, _), at)| group.priority() != Priority::High && high[**at])
            .count();
        (mixed, sums.into_iter().fold(0.0, f64::max))
    }

    /// The best of all placements.
    fn best_of_all(&self, now: &[usize], rank: impl Fn(&[usize]) -> Rank) -> (Rank, Vec<usize>) {
        let mut best = (rank(now), now.to_vec());
        let mut targets = vec![0; now.len()];
        loop {
            let found = rank(&targets);
            if found.is_better_than(&best.0) {
                best = (found, targets.clone());
            }
            if !self.advance(&mut targets) {
                return best;
            }
        }
    }

    /// The best that is found by moving one group or exchanging two, again and again: each step is better than the last,
    /// so it ends.
    fn best_nearby(&self, now: &[usize], rank: impl Fn(&[usize]) -> Rank) -> (Rank, Vec<usize>) {
        let mut best = (rank(now), now.to_vec());
        loop {
            let from = best.1.clone();
            let moves = (0..from.len()).flat_map(|group| (0..self.assigned.len()).map(move |to| (group, to)));
            let moved = moves.map(|(group, to)| {
                let mut targets = from.clone();
                targets.iter_mut().skip(group).take(1).for_each(|at| *at = to);
                targets
            });
            let pairs = (0..from.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
            let exchanged = pairs.map(|(one, other)| {
                let mut targets = from.clone();
                targets.swap(one, other);
                targets
            });
            let mut found = false;
            for targets in moved.chain(exchanged) {
                let next = rank(&targets);
                if next.is_better_than(&best.0) {
                    best = (next, targets);
                    found = true;
                }
            }
            if !found {
                return best;
            }
        }
    }

    /// The next placement, counting in base of the connections; false after the last.
    fn advance(&self, targets: &mut [usize]) -> bool {
        for digit in targets {
            *digit += 1;
            if *digit < self.assigned.len() {
                return true;
            }
            *digit = 0;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::time::Duration;

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::chain::group::{MOST_OWN, OwnGroup, Rule};

    const RULES: BudgetRules = BudgetRules {
        limit: 100,
        window: Duration::from_secs(60),
        reserve: 20,
        per_connection: 15,
        cost_new: 1,
        cost_update: 1,
    };

    fn groups() -> Groups {
        let own = (0..MOST_OWN).map(|place| OwnGroup {
            name: format!("own_{place}"),
            priority: Priority::ALL[place % 3],
            rule: Rule { include: vec![*crate::chain::program::Program::Pump.id()], ..Rule::default() },
        });
        Groups::with(own).unwrap()
    }

    proptest! {
        /// However many groups there are: a plan can be carried out, does what it says, and never makes it worse.
        #[test]
        fn a_plan_never_makes_it_worse(
            connections in 1..=MAX_CONNECTIONS,
            places in vec(0..MAX_CONNECTIONS, Group::MOST),
            bytes in vec(0.0..1e7, Group::MOST),
        ) {
            let groups = groups();
            let mut pool = ConnectionPool::new(connections, []);
            let mut loads = Vec::new();
            for (group, (place, bytes_per_s)) in groups.iter().zip(places.iter().zip(&bytes)) {
                let connection = place % connections;
                pool.add(connection, group);
                loads.push(GroupLoad { connection, group, bytes_per_s: *bytes_per_s });
            }
            let plan = pool.propose(&loads, &RULES);
            prop_assert_eq!(pool.check(&plan.moves, &groups), Ok(()));
            let busiest = |pool: &ConnectionPool| {
                let sum = |set: &GroupSet| set.iter().map(|group| bytes[group.index()]).sum::<f64>();
                pool.assigned().iter().map(sum).fold(0.0, f64::max) / bytes.iter().sum::<f64>()
            };
            let mixed = |pool: &ConnectionPool| {
                let high = |set: &GroupSet| set.iter().any(|group| group.priority() == Priority::High);
                let other = |set: &GroupSet| set.iter().filter(|group| group.priority() != Priority::High).count();
                pool.assigned().iter().filter(|set| high(set)).map(other).sum::<usize>()
            };
            let before = (mixed(&pool), busiest(&pool));
            for one in &plan.moves {
                pool.remove(one.from, one.group);
                pool.add(one.to, one.group);
            }
            let after = (mixed(&pool), busiest(&pool));
            prop_assert!(after.0 < before.0 || (after.0 == before.0 && after.1 <= before.1 + 1e-9), "{before:?} {after:?}");
            prop_assert!((after.1 - plan.busiest_after.unwrap()).abs() < 1e-9);
        }
    }
}
