//! What each wallet has done so far, by the alerts that name it first.

use crate::chain::ids::{WRAPPED_SOL, Wallet};

use super::{
    alert::{Alert, AlertId, State},
    lru::{KeyHash, Lru},
};

/// Wallets remembered.
const WALLETS: usize = 8_192;
/// Alerts of which a later revision is still taken for the same: more than the detectors update.
const ALERTS: usize = 2_048;

/// What a wallet has done so far. What was retracted is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Alerts in which it acts.
    pub alerts: u32,
    /// Of those, attacks on somebody.
    pub attacks: u32,
    /// Sum of the profits that are known in SOL, lamports.
    pub profit: i64,
    /// Alerts without such a profit.
    pub unpriced: u32,
}

impl Record {
    fn of(alert: &Alert) -> Self {
        let profit = alert.profit.filter(|_| alert.quote_mint == WRAPPED_SOL);
        Self {
            alerts: 1,
            attacks: u32::from(alert.class.is_attack()),
            profit: profit.unwrap_or(0),
            unpriced: u32::from(profit.is_none()),
        }
    }

    const fn add(&mut self, other: &Self) {
        self.alerts = self.alerts.saturating_add(other.alerts);
        self.attacks = self.attacks.saturating_add(other.attacks);
        self.profit = self.profit.saturating_add(other.profit);
        self.unpriced = self.unpriced.saturating_add(other.unpriced);
    }

    const fn subtract(&mut self, other: &Self) {
        self.alerts = self.alerts.saturating_sub(other.alerts);
        self.attacks = self.attacks.saturating_sub(other.attacks);
        self.profit = self.profit.saturating_sub(other.profit);
        self.unpriced = self.unpriced.saturating_sub(other.unpriced);
    }
}

/// The records; bounded, those not touched lately give way.
#[derive(Debug)]
pub struct Records {
    wallets: Lru<Wallet, Record>,
    /// What each alert counts for, and in whose record.
    counted: Lru<AlertId, Option<(Wallet, Record)>>,
}

impl Default for Records {
    fn default() -> Self {
        let hash = KeyHash::default();
        Self { wallets: Lru::new(WALLETS, hash), counted: Lru::new(ALERTS, hash) }
    }
}

impl Records {
    /// Takes a revision of an alert in; the record of its first attacker afterwards.
    pub fn take(&mut self, alert: &Alert) -> Option<Record> {
        let wallet = alert.attackers.first()?.wallet;
        let (counted, _) = self.counted.touch(alert.id);
        let new = (alert.state != State::Retracted).then(|| (wallet, Record::of(alert)));
        if let Some((before, old)) = std::mem::replace(counted, new)
            && let Some(record) = self.wallets.get_mut(&before)
        {
            record.subtract(&old);
        }
        let (record, _) = self.wallets.touch(wallet);
        if let Some((_, new)) = new {
            record.add(&new);
        }
        Some(*record)
    }

    /// Wallets forgotten because there were too many.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.wallets.evicted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mev::{
        Class,
        alert::{Attacker, Link},
    };
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// However often an alert is revised, it counts as its last revision says.
        #[test]
        fn a_record_is_the_sum_of_the_last_revisions(
            revisions in prop::collection::vec((1u64..6, 0u8..3, prop::option::of(-50i64..50), any::<bool>()), 1..60),
        ) {
            let mut records = Records::default();
            let mut last = HashMap::new();
            for (id, wallet, profit, retracted) in revisions {
                let attackers = vec![Attacker { wallet: Wallet::new([wallet; 32]), link: Link::Owner }];
                let state = if retracted { State::Retracted } else { State::Confirmed };
                let alert = Alert { id: AlertId(id), attackers, profit, state, ..Alert::empty(Class::SandwichTight) };
                last.insert(id, (wallet, profit, retracted));
                let record = records.take(&alert);
                let mine = last.values().filter(|(other, _, retracted)| *other == wallet && !retracted);
                let expected = mine.fold(Record::default(), |sum, (_, profit, _)| Record {
                    alerts: sum.alerts + 1,
                    attacks: sum.attacks + 1,
                    profit: sum.profit + profit.unwrap_or(0),
                    unpriced: sum.unpriced + u32::from(profit.is_none()),
                });
                prop_assert_eq!(record, Some(expected));
            }
        }
    }
}
