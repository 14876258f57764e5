//! One transaction through several pools whose tokens cancel: an arbitrage, and no front, back or victim of anything.

use super::{
    alert::{Alert, AlertId, Class, Reason, Role},
    book::{Book, Seq},
    tracked::Tracked,
};
use crate::{chain::ids::Pool, decode::event::Side};

/// Transactions whose legs are kept together, each in the one place that its signature gives it: its legs may be told apart
/// from each other, as each pool waits for its own.
const RECENT: usize = 256;
/// Most legs of one transaction that are looked at.
const LEGS: usize = 8;
/// What may be left of a token that passed through: a hundredth.
const LEFT: u64 = 100;
/// That it is one is a fact of the transaction; its gain rests on the fees that the events state.
const CONFIDENCE: f64 = 0.99;

/// The newest legs by their transaction.
#[derive(Debug)]
pub(super) struct Arbitrage {
    recent: Vec<(u64, [Seq; LEGS])>,
    /// The transaction told last, and its alert.
    told: Option<(u64, AlertId)>,
}

impl Default for Arbitrage {
    fn default() -> Self {
        Self { recent: vec![(0, [0; LEGS]); RECENT], told: None }
    }
}

impl Arbitrage {
    /// Takes a leg in; calls `found` with each leg of its transaction if they cancel.
    pub(super) fn on(&mut self, seq: Seq, book: &mut Book, tracked: &mut Tracked, mut found: impl FnMut(Pool, Seq)) {
        let Some(entry) = book.get(seq) else { return };
        let signature = entry.leg.signature;
        let tag = signature.as_ref().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let place = usize::try_from(tag % RECENT as u64).unwrap_or(0);
        let Some((known, legs)) = self.recent.get_mut(place) else { return };
        if *known != tag {
            (*known, *legs) = (tag, [0; LEGS]);
        }
        if let Some(free) = legs.iter_mut().find(|leg| **leg == 0) {
            *free = seq;
        }
        let mut legs = *legs;
        let mut count = 0;
        let kept = legs.iter().take_while(|leg| **leg != 0).count();
        for at in 0..kept {
            if book.get(legs[at]).is_some_and(|entry| entry.leg.signature == signature) {
                legs[count] = legs[at];
                count += 1;
            }
        }
        if count < 2 {
            return;
        }
        let legs = &mut legs[..count];
        legs.sort_unstable();
        let Some(gain) = gain(legs, book) else { return };
        for seq in legs.iter() {
            if let Some(entry) = book.get_mut(*seq) {
                entry.arbitrage = true;
                found(entry.leg.pool, *seq);
                if let Some(id) = entry.attack.take() {
                    tracked.retract(id);
                }
            }
        }
        if gain <= 0 {
            return;
        }
        let Some(last) = book.get(seq) else { return };
        let mut alert = Alert::about(&last.leg, Class::Arbitrage, CONFIDENCE);
        alert.profit = Some(gain);
        alert.legs = legs.iter().filter_map(|seq| book.evidence(*seq, Role::Other)).collect();
        #[allow(clippy::cast_precision_loss, reason = "a small count")]
        alert.reasons.push(Reason { code: "legs", value: legs.len() as f64 });
        let id = tracked.raise(self.told.filter(|(told, _)| *told == tag).map(|(_, id)| id), alert, 0);
        self.told = Some((tag, id));
    }
}

/// What a transaction's legs gained after its fee and tip; `None` unless they go through at least two pools and their
/// tokens cancel.
fn gain(legs: &[Seq], book: &Book) -> Option<i64> {
    let legs = || legs.iter().filter_map(|seq| book.get(*seq)).map(|entry| &entry.leg);
    let first = legs().next()?;
    if legs().all(|leg| leg.pool == first.pool) || legs().any(|leg| leg.quote_mint != first.quote_mint) {
        return None;
    }
    for token in legs() {
        let mine = legs().filter(|leg| leg.mint == token.mint);
        let (bought, sold) = mine.fold((0_u64, 0_u64), |(bought, sold), leg| match leg.side {
            Side::Buy => (bought.saturating_add(leg.base), sold),
            Side::Sell => (bought, sold.saturating_add(leg.base)),
        });
        if bought == 0 || sold == 0 || bought.abs_diff(sold) > bought.max(sold) / LEFT {
            return None;
        }
    }
    let flow = legs().fold(0_i128, |sum, leg| match leg.side {
        Side::Buy => sum - i128::from(leg.with_fees()),
        Side::Sell => sum + i128::from(leg.with_fees()),
    });
    i64::try_from(flow - i128::from(first.tx_fee) - i128::from(first.tip)).ok()
}
