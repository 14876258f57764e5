//! Which connection carries which group: a plain decision, made anew from measured loads.

use super::{
    BudgetRules,
    status::{Move, RebalancePlan},
};
use crate::chain::group::{Group, GroupSet, Priority};

/// Most connections there may be.
pub const MAX_CONNECTIONS: usize = 8;
/// A plan that takes less than this share of the load off the busiest connection is not worth its permits.
const WORTHWHILE: f64 = 0.05;

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

/// Assigns groups to connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionPool {
    assigned: Vec<GroupSet>,
    /// Connections that the server has no room for now.
    resting: Vec<bool>,
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
        Self { assigned, resting }
    }

    /// Marks a connection as one that can carry nothing now, or again can.
    pub fn set_resting(&mut self, connection: usize, resting: bool) {
        if let Some(mark) = self.resting.get_mut(connection) {
            *mark = resting;
        }
    }

    /// Whether a connection can carry nothing now.
    #[must_use]
    pub fn is_resting(&self, connection: usize) -> bool {
        self.resting.get(connection).is_some_and(|resting| *resting)
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
            .filter(|heir| **heir != connection && !self.is_resting(**heir))
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
        self.assigned.get(connection).copied().unwrap_or_default()
    }

    /// Why the moves cannot be made, in words.
    pub fn check(&self, moves: &[Move]) -> Result<(), String> {
        for (position, one) in moves.iter().enumerate() {
            let name = one.group.name();
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
    /// connection, then the fewest moves. Few groups and few connections: every placement is tried.
    #[must_use]
    pub fn propose(&self, loads: &[GroupLoad], rules: &BudgetRules) -> RebalancePlan {
        let mut load = [0.0_f64; Group::ALL.len()];
        for one in loads.iter().filter(|one| one.bytes_per_s.is_finite() && one.bytes_per_s > 0.0) {
            // While a group is on two connections both carry it whole: the larger figure is its load.
            let of = &mut load[one.group.index()];
            *of = of.max(one.bytes_per_s);
        }
        let whole: f64 = load.iter().sum();
        let placed: Vec<(Group, usize)> = Group::ALL
            .into_iter()
            .filter_map(|group| Some((group, self.assigned.iter().position(|set| set.contains(group))?)))
            .collect();
        let now: Vec<usize> = placed.iter().map(|(_, at)| *at).collect();
        let score = |targets: &[usize]| self.score(&placed, targets, &load);
        let (mixed_now, busiest_now) = score(&now);
        let mut best = (mixed_now, busiest_now, 0, now.clone());
        let mut targets = vec![0; placed.len()];
        loop {
            let (mixed, busiest) = score(&targets);
            let moved = targets.iter().zip(&now).filter(|(a, b)| a != b).count();
            let order = mixed.cmp(&best.0).then(busiest.total_cmp(&best.1)).then(moved.cmp(&best.2));
            if order.is_lt() {
                best = (mixed, busiest, moved, targets.clone());
            }
            if !self.advance(&mut targets) {
                break;
            }
        }
        let share = |busiest: f64| (whole > 0.0).then(|| busiest / whole);
        let (mixed, busiest, _, targets) = best;
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
    fn score(&self, placed: &[(Group, usize)], targets: &[usize], load: &[f64; Group::ALL.len()]) -> (usize, f64) {
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
