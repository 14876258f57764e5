//! What an attack looks like from outside: money, bids, company.

use super::{Judge, Scene};
use crate::{
    decode::event::Side,
    mev::{
        book::{Book, Position, Seq},
        leg::Leg,
    },
};

impl Judge {
    /// Whether half of the victims pay and ask for the same as the attacker: one operator's wallets.
    pub(super) fn is_cohort(&self, front: &Leg, book: &Book) -> bool {
        let Some(units) = front.compute_units else { return false };
        let alike = self.victims.iter().filter_map(|(seq, ..)| book.get(*seq)).filter(|entry| {
            entry.leg.tx_fee == front.tx_fee
                && entry.leg.compute_units.is_some_and(|other| other.abs_diff(units) <= units / 20)
        });
        alike.count() * 2 >= self.victims.len()
    }

    /// Share of the victims who came by a way that many take.
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    pub(super) fn share_public(&self, scene: &Scene<'_>) -> f64 {
        let entries = self.victims.iter().filter_map(|(seq, ..)| scene.book.get(*seq));
        let public = entries.filter(|entry| scene.is_public(entry)).count();
        public as f64 / self.victims.len().max(1) as f64
    }

    /// ln of what the attacker's transactions paid for their places by what the victims' paid.
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    pub(super) fn bid(&self, position: &Position, book: &Book) -> f64 {
        let paid = |seqs: &mut dyn Iterator<Item = Seq>| {
            let (mut sum, mut count) = (0.0, 0.0_f64);
            for entry in seqs.filter_map(|seq| book.get(seq)) {
                sum += entry.leg.tx_fee.saturating_add(entry.leg.tip) as f64;
                count += 1.0;
            }
            sum / count.max(1.0) + 5_000.0
        };
        let mine = paid(&mut position.fronts().chain(position.backs().map(|(seq, _)| seq)));
        let theirs = paid(&mut self.victims.iter().map(|(seq, ..)| *seq));
        (mine / theirs).ln().clamp(-4.0, 4.0)
    }
}

/// A profit by what the front cost.
#[allow(clippy::cast_precision_loss, reason = "a ratio")]
pub(super) fn gain(profit: i64, front: u64) -> f64 {
    (profit as f64 / front.max(1) as f64).clamp(-0.2, 0.3)
}

/// Quote out − quote in on the matched inventory, after fees, transaction fees and tips.
pub(super) fn profit(position: &Position, book: &Book) -> Option<i64> {
    let matched = i128::from(position.closed.min(position.opened));
    let mut sum = 0_i128;
    let mut last_signature = None;
    let parts = position.fronts().map(|seq| (seq, matched, position.opened));
    let backs = position.backs().map(|(seq, base)| (seq, i128::from(base), 0));
    for (seq, part, whole) in parts.chain(backs) {
        let leg = &book.get(seq)?.leg;
        let whole = if whole == 0 { leg.base } else { whole };
        let share = i128::from(leg.with_fees()) * part / i128::from(whole.max(1));
        sum += if leg.side == Side::Sell { share } else { -share };
        if last_signature.replace(leg.signature) != Some(leg.signature) {
            sum -= i128::from(leg.tx_fee) + i128::from(leg.tip);
        }
    }
    i64::try_from(sum).ok()
}
