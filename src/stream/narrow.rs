//! The whole subscription narrowed to a few tokens on the server, at the user's wish, and widened again.

use std::sync::Arc;

use super::{
    limiter::Ask,
    plan::{MOST_MINTS, throttled},
    slot::Slot,
    status::{Purpose, StreamEventKind},
    supervisor::Supervisor,
};
use crate::chain::ids::Mint;

/// Whether some of what was asked for with the first is not with the second.
pub(super) fn leaves_out(before: &[Mint], after: &[Mint]) -> bool {
    !after.is_empty() && (before.is_empty() || before.iter().any(|mint| !after.contains(mint)))
}

impl Slot {
    /// Whether what it brings is narrowed, or was in the slot at hand.
    pub(super) fn is_narrowed(&self) -> bool {
        let whole_since = self.whole.map_or(0, |(version, _)| version);
        !self.wishes.borrow().mints.is_empty() || whole_since < self.widened
    }
}

impl Supervisor {
    /// Narrows what every connection asks for, if the budget can pay for all of them.
    pub(super) fn narrow(&mut self, mut mints: Vec<Mint>) {
        mints.sort_unstable();
        mints.dedup();
        if mints.len() > MOST_MINTS {
            return self.refuse(format!(
                "the subscription can be narrowed to {MOST_MINTS} tokens at most, these are {}",
                mints.len()
            ));
        }
        if *mints == *self.narrowed_to {
            return self.refuse("that is what is asked for already".to_owned());
        }
        if self.migration.is_some() {
            return self.refuse("a rebalance is under way".to_owned());
        }
        let permits = self.narrowing_cost();
        for connection in 0..self.slots.len() {
            let ask = Ask { connection, purpose: Purpose::User, urgent: false, cost: permits };
            let denied = self.gate_of(connection).and_then(|gate| gate.check(ask).err());
            if let Some(wait) = denied.filter(|_| permits > 0 && self.asks(connection)) {
                let when = wait.map_or_else(String::new, |wait| format!("; they free in {} s", wait.as_secs() + 1));
                return self.refuse(format!("the budget has not {permits} permits to spare{when}"));
            }
        }
        self.narrowed_to = mints.into();
        for connection in 0..self.slots.len() {
            self.wish(connection, Purpose::User);
        }
        self.event(StreamEventKind::Narrowed { mints: self.narrowed_to.clone(), permits });
    }

    /// Permits that another narrowing costs: an update of every connection that asks for anything.
    pub(super) fn narrowing_cost(&self) -> u32 {
        let asking = (0..self.slots.len()).filter(|connection| self.asks(*connection)).count();
        u32::try_from(asking).unwrap_or(u32::MAX).saturating_mul(self.settings.budget.cost_update)
    }

    fn asks(&self, connection: usize) -> bool {
        let level = self.slots.get(connection).map(|slot| slot.throttle);
        level.is_some_and(|level| !throttled(self.pool.groups(connection), level).is_empty())
    }

    /// A server has refused it: all go back to what was in force before.
    pub(super) fn narrow_back(&mut self, mints: Arc<[Mint]>) {
        if self.narrowed_to == mints {
            return;
        }
        self.narrowed_to = mints;
        for connection in 0..self.slots.len() {
            self.wish(connection, Purpose::User);
        }
        self.event(StreamEventKind::Narrowed { mints: self.narrowed_to.clone(), permits: self.narrowing_cost() });
    }
}
