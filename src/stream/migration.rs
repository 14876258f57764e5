//! Groups that move from one connection to another: make before break.

use super::{
    limiter::Ask,
    pool::ConnectionPool,
    status::{Move, Purpose, StreamEventKind},
    supervisor::{Supervisor, unique},
};

/// Groups on their way: added on the targets, not yet removed from the sources.
pub(super) struct Migration {
    pub(super) reason: &'static str,
    pub(super) moves: Vec<Move>,
    /// Targets with the version that carries their new groups.
    pub(super) awaited: Vec<(usize, u32)>,
    /// All of them deliver everything after this slot: the sources owe what came up to it.
    pub(super) owed: Option<u64>,
    pub(super) permits: u32,
}

impl Supervisor {
    /// First half of a rebalance: the targets carry the groups too.
    pub(super) fn rebalance(&mut self, reason: &'static str, moves: Vec<Move>) {
        if moves.is_empty() {
            return self.refuse("the load is even already".to_owned());
        }
        if self.migration.is_some() {
            return self.refuse("a rebalance is under way".to_owned());
        }
        if let Err(why) = self.pool.check(&moves, &self.settings.rules) {
            return self.refuse(why);
        }
        if let Some(dead) = moves.iter().find(|one| self.stopped(one.to)) {
            return self.refuse(format!("connection {} is stopped", dead.to));
        }
        let permits = ConnectionPool::cost(&moves, &self.settings.budget);
        let targets = unique(moves.iter().map(|one| one.to));
        for target in &targets {
            let ask = Ask { connection: *target, purpose: Purpose::Rebalance, urgent: false, cost: permits };
            let Some(gate) = self.gate_of(*target) else { continue };
            if let Err(wait) = gate.check(ask) {
                let when = wait.map_or_else(String::new, |wait| format!("; they free in {} s", wait.as_secs() + 1));
                return self.refuse(format!("the budget has not {permits} permits to spare{when}"));
            }
        }
        self.balancer.moved(self.started.elapsed());
        for one in &moves {
            self.pool.add(one.to, one.group);
        }
        let awaited = targets.into_iter().map(|target| (target, self.wish(target, Purpose::Rebalance))).collect();
        self.migration = Some(Migration { reason, moves, awaited, owed: None, permits });
    }

    /// Second half, once every target delivers whole slots: the sources let go, each when it has all that the targets came
    /// too late for. After that its replays would not bring these groups any more. A source that stopped for good leaves
    /// the rest to the targets; given up if a target did.
    pub(super) fn migrate(&mut self) {
        let Some(mut migration) = self.migration.take() else { return };
        if let Some((dead, _)) = migration.awaited.iter().find(|(target, _)| self.stopped(*target)) {
            let why = format!("rebalance given up: connection {dead} is stopped");
            self.abandon(&migration);
            return self.refuse(why);
        }
        let whole = |(target, version): &(usize, u32)| {
            let (seen, after) = self.slots.get(*target)?.whole?;
            (seen >= *version).then_some(after)
        };
        if migration.owed.is_none() {
            let all: Option<Vec<u64>> = migration.awaited.iter().map(whole).collect();
            migration.owed = all.map(|after| after.into_iter().max().unwrap_or(0));
        }
        let sources = unique(migration.moves.iter().map(|one| one.from));
        let paid = |source: &usize| {
            let has_all = |owed| self.slots.get(*source).is_none_or(|slot| slot.has_all(owed));
            self.stopped(*source) || migration.owed.is_some_and(has_all)
        };
        if !sources.iter().all(paid) {
            self.migration = Some(migration);
            return;
        }
        for source in sources {
            if self.stopped(source) {
                let moves: Vec<Move> = migration.moves.iter().filter(|one| one.from == source).copied().collect();
                migration.permits += self.bequeath(source, &moves).saturating_mul(self.settings.budget.cost_update);
            }
            for one in migration.moves.iter().filter(|one| one.from == source) {
                self.pool.remove(source, one.group);
            }
            self.wish(source, Purpose::Rebalance);
        }
        let Migration { reason, moves, permits, .. } = migration;
        self.event(StreamEventKind::Rebalanced { reason, moves, permits });
    }

    /// The groups stay where they were.
    pub(super) fn abandon(&mut self, migration: &Migration) {
        for one in &migration.moves {
            self.pool.remove(one.to, one.group);
        }
        for target in unique(migration.moves.iter().map(|one| one.to)) {
            self.wish(target, Purpose::Rebalance);
        }
    }
}
