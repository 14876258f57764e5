//! A server without room for another stream: the pool goes on with fewer connections, and grows again later.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    limiter::Ask,
    migration::Migration,
    slot::{Rest, Slot},
    status::{ConnectionState, Move, Purpose, StreamEventKind},
    supervisor::{Supervisor, unique},
    wish::{Run, Taken},
};
use crate::chain::group::GroupSet;

/// Rests get longer up to this many doublings.
const MOST_DOUBLINGS: u32 = 4;

impl Slot {
    fn next_rest(&self, first: Duration) -> Duration {
        first * (1 << self.rests.min(MOST_DOUBLINGS))
    }
}

impl Supervisor {
    /// The server has no room for this connection: others take its groups, and what is missing of them since it broke
    /// off. While no other is live, it waits for one, or tries again later.
    pub(super) fn crowded(&mut self, connection: usize, cause: &Arc<str>) {
        if self.pool.is_standby(connection) {
            return self.rest_standby(connection, cause);
        }
        let mut carried = self.pool.groups(connection);
        if let Some(migration) = self.migration.take() {
            if migration.moves.iter().any(|one| one.to == connection || one.from == connection) {
                self.abandon(&migration);
                self.refuse(format!("rebalance given up: the server has no room for connection {connection}"));
            } else {
                self.migration = Some(migration);
            }
        }
        let live = |id: &usize| {
            let state = self.slots.get(*id).map(|slot| slot.state);
            *id != connection && matches!(state, Some(ConnectionState::Live | ConnectionState::Degraded))
        };
        let able: Vec<usize> = (0..self.slots.len()).filter(live).collect();
        let groups = self.pool.groups(connection);
        let moves = self.pool.heirs(connection, &able, &self.loads);
        let Some(slot) = self.slots.get_mut(connection) else { return };
        if able.is_empty() || moves.len() < groups.iter().count() {
            slot.crowded = Some(cause.clone());
            return;
        }
        if let Some(rest) = slot.rest.take() {
            carried = rest.groups;
        }
        let until = Instant::now() + slot.next_rest(self.settings.rest);
        slot.rest = Some(Rest { groups: carried, until });
        slot.rests += 1;
        // What it had in force was on a stream that is gone, and what comes next is not fetched back to that.
        slot.whole = None;
        self.pool.set_resting(connection, true);
        let updates = self.bequeath(connection, &moves);
        if let Some(slot) = self.slots.get(connection) {
            slot.wishes.send_modify(|wish| {
                wish.taken.clear();
                wish.run = Run::Rest { cause: cause.clone(), released: false };
            });
        }
        if !moves.is_empty() {
            let permits = updates.saturating_mul(self.settings.budget.cost_update);
            self.event(StreamEventKind::Rebalanced { reason: "failover", moves, permits });
        }
    }

    /// There is no room for the standby: the others have its groups.
    fn rest_standby(&mut self, connection: usize, cause: &Arc<str>) {
        let Some(slot) = self.slots.get_mut(connection) else { return };
        slot.rest = Some(Rest { groups: GroupSet::EMPTY, until: Instant::now() + slot.next_rest(self.settings.rest) });
        slot.rests += 1;
        slot.wishes.send_modify(|wish| wish.run = Run::Rest { cause: cause.clone(), released: true });
        self.pool.set_resting(connection, true);
    }

    /// Groups of a connection that has no stream go to others, which fetch what is missing of them. How many others.
    pub(super) fn bequeath(&mut self, connection: usize, moves: &[Move]) -> u32 {
        let Some(slot) = self.slots.get(connection) else { return 0 };
        let (missing_since, mut taken) = (slot.missing_since(), slot.unconfirmed());
        for one in moves {
            self.pool.add(one.to, one.group);
            self.pool.remove(connection, one.group);
        }
        let all = self.pool.groups(connection).is_empty();
        taken.extend(missing_since.map(|from| Taken { version: 0, connection, from, all, shed: false }));
        let heirs = unique(moves.iter().map(|one| one.to));
        for heir in &heirs {
            let groups = moves.iter().filter(|one| one.to == *heir).map(|one| one.group).collect();
            // The groups are without a stream: this is recovery, and goes first.
            self.wish_with(*heir, Purpose::Reconnect, groups, &taken);
        }
        u32::try_from(heirs.len()).unwrap_or(u32::MAX)
    }

    /// A connection is live: it can take what those have who found no room.
    pub(super) fn inherit(&mut self) {
        for id in 0..self.slots.len() {
            if let Some(cause) = self.slots.get_mut(id).and_then(|slot| slot.crowded.take()) {
                self.crowded(id, &cause);
            }
        }
    }

    /// When the next resting connection is to be tried again.
    pub(super) fn next_growth(&self) -> Option<Instant> {
        if self.migration.is_some() || self.token_refused.is_some() {
            return None;
        }
        self.slots.iter().filter_map(|slot| slot.rest.as_ref()).map(|rest| rest.until).min()
    }

    /// Tries a connection again that has rested for long enough: its groups stay where they are until it delivers them.
    pub(super) fn grow(&mut self) {
        let now = Instant::now();
        let due = |slot: &Slot| slot.rest.as_ref().filter(|rest| rest.until <= now).map(|rest| rest.groups);
        let Some((connection, groups)) = self.slots.iter().enumerate().find_map(|(id, slot)| Some((id, due(slot)?)))
        else {
            return;
        };
        let carrier = |group| self.pool.assigned().iter().position(|set| set.contains(group));
        let moves = groups.iter().filter_map(|group| Some(Move { group, from: carrier(group)?, to: connection }));
        let moves: Vec<Move> = moves.filter(|one| one.from != connection).collect();
        let sources = unique(moves.iter().map(|one| one.from)).len();
        let budget = self.settings.budget;
        let updates = u32::try_from(sources).unwrap_or(u32::MAX);
        let permits = budget.cost_new.saturating_add(updates.saturating_mul(budget.cost_update));
        let ask = Ask { connection, purpose: Purpose::Rebalance, urgent: false, cost: permits };
        let denied = self.gate_of(connection).and_then(|gate| gate.check(ask).err());
        let pause = denied.map(|wait| wait.unwrap_or(self.settings.rest).max(self.settings.update_spacing));
        let Some(slot) = self.slots.get_mut(connection) else { return };
        if let Some(rest) = &mut slot.rest {
            rest.until = now + pause.unwrap_or(self.settings.rest);
        }
        if pause.is_some() {
            return;
        }
        slot.wishes.send_modify(|wish| {
            // It may have been stopped meanwhile.
            wish.epoch += 1;
            wish.run = Run::Go;
        });
        self.pool.set_resting(connection, false);
        if self.pool.is_standby(connection) {
            self.wish(connection, Purpose::Rebalance);
            return;
        }
        for one in &moves {
            self.pool.add(connection, one.group);
        }
        let version = self.wish(connection, Purpose::Rebalance);
        self.migration =
            Some(Migration { reason: "failover", moves, awaited: vec![(connection, version)], owed: None, permits });
    }
}
