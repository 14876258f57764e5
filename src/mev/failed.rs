//! Orders that failed because of the trade right before theirs.
//!
//! That a price moves away is everyday bad luck, and so the trade must be an attacker's: part of an attack that was told, or
//! by a wallet that has attacked before. And a replay must show that the order would have passed without it.

use std::collections::VecDeque;

use super::{
    alert::{Alert, AlertLeg, Class, Reason, Role, Victim},
    book::{Book, Entry},
    leg::{Intent, Leg},
    order_takers::OrderTakers,
    pools::Pools,
    replay::PoolState,
    tracked::{Fate, Tracked},
};
use crate::decode::{
    Attempt,
    event::{Flow, LimitKind, Venue},
};

/// Failed orders that wait for their slot to be confirmed: by then all trades before them have come.
const WAITING: usize = 256;
/// Trades of a pool that are looked through for the one before.
const BACK: usize = 64;
/// That the order would have passed is a fact; that it was meant to fail is the attacker's reputation.
const CONFIDENCE: f64 = 0.9;

/// Whether a venue's error says that the order's limit was passed. Sources: the published IDLs of pump (`TooMuchSolRequired`,
/// `TooLittleSolReceived`, `BuySlippageBelowMinTokensOut`) and `PumpSwap` (`ExceededSlippage`, `BuySlippageBelowMinBaseAmountOut`).
const fn is_of_limit(venue: Venue, code: u32) -> bool {
    match venue {
        Venue::Pump => matches!(code, 6002 | 6003 | 6042),
        Venue::PumpSwap => matches!(code, 6004 | 6040),
        _ => false,
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Failed {
    waiting: VecDeque<(Attempt, i64)>,
    dropped: u64,
}

/// What a failed order is held against.
pub(super) struct Known<'a> {
    pub(super) book: &'a Book,
    pub(super) pools: &'a Pools,
    pub(super) order_takers: &'a OrderTakers,
}

impl Failed {
    /// Takes a failed order, if its limit made it fail.
    pub(super) fn add(&mut self, attempt: &Attempt, recv_us: i64) {
        if attempt.code.is_none_or(|code| !is_of_limit(attempt.venue, code)) {
            return;
        }
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back((*attempt, recv_us));
    }

    /// Orders that were not looked at because too many waited.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes what became of a slot: judges the orders up to it, or forgets those in it.
    pub(super) fn slot(&mut self, slot: u64, fate: Fate, known: &Known<'_>, tracked: &mut Tracked) {
        match fate {
            Fate::Dead => self.waiting.retain(|(attempt, _)| attempt.slot != slot),
            Fate::Confirmed => self.waiting.retain(|(attempt, recv_us)| {
                let settled = attempt.slot <= slot;
                if settled && let Some(alert) = judge(attempt, known, tracked) {
                    tracked.caused(*recv_us);
                    tracked.raise(None, alert, 0);
                }
                !settled
            }),
        }
    }
}

fn judge(attempt: &Attempt, known: &Known<'_>, tracked: &Tracked) -> Option<Alert> {
    let front = right_before(attempt, known)?;
    let record = known.order_takers.attacks(front.owner);
    let order = order(attempt, &front.leg);
    let suspect = record > 0 || tracked.is_part_of_another(front, None);
    let foreign = front.leg.user != attempt.asked.user && front.leg.payer != attempt.payer;
    if !suspect || !foreign || front.leg.side != order.side {
        return None;
    }
    let without = PoolState::before(&front.leg)?;
    let with = without.fill(&front.leg)?.after;
    if !without.accepts(&order)? || with.accepts(&order)? {
        return None;
    }
    let mut alert = Alert::about(&front.leg, Class::Frontrun, CONFIDENCE);
    alert.reasons = vec![Reason { code: "made_fail", value: 1.0 }];
    if record > 0 {
        alert.reasons.push(Reason { code: "record", value: f64::from(record) });
    }
    alert.slot = attempt.slot;
    alert.legs = known.book.evidence(front.seq, Role::Front).into_iter().collect();
    alert.legs.push(AlertLeg {
        role: Role::Victim,
        signature: attempt.signature,
        slot: attempt.slot,
        tx_index: attempt.tx_index,
        user: attempt.asked.user,
        side: order.side,
        base: order.base,
        quote: order.quote,
        fees: 0,
        tip: 0,
    });
    alert.victims.push(Victim {
        signature: attempt.signature,
        user: attempt.asked.user,
        loss: None,
        marginal_loss: None,
        token_shortfall: None,
        slack_use: None,
    });
    Some(alert)
}

/// The pool's last trade before the order in its slot.
fn right_before<'a>(attempt: &Attempt, known: &Known<'a>) -> Option<&'a Entry> {
    let last = known.book.get(known.pools.get(&attempt.asked.pool)?.last);
    let back = std::iter::successors(last, |entry| known.book.get(entry.before)).take(BACK);
    let mut before = back.filter(|entry| {
        let place = entry.leg.place;
        !entry.dead && (place.slot, place.tx_index) < (attempt.slot, attempt.tx_index)
    });
    before.next().filter(|entry| entry.leg.place.slot == attempt.slot && entry.leg.flow == Flow::User)
}

/// The order as a leg that replay can execute.
fn order(attempt: &Attempt, template: &Leg) -> Leg {
    let asked = &attempt.asked;
    let limit = asked.limit;
    // A buyer who says what to spend says it with the fees.
    let rates = template.rates;
    let bps = rates.others.iter().fold(u64::from(rates.lp), |sum, bps| sum + u64::from(*bps));
    let without_fees =
        |quote: u64| u64::try_from(u128::from(quote) * 10_000 / u128::from(10_000 + bps)).unwrap_or(quote);
    let (intent, base, quote) = match limit.kind {
        LimitKind::MinBaseOut => (Intent::ExactIn, limit.amount, without_fees(asked.amount)),
        LimitKind::MinQuoteOut => (Intent::ExactIn, asked.amount, limit.amount),
        LimitKind::MaxQuoteIn => (Intent::ExactOut, asked.amount, limit.amount),
        LimitKind::MaxBaseIn => (Intent::ExactOut, limit.amount, asked.amount),
    };
    Leg { side: asked.side, user: asked.user, intent, base, quote, limit: Some(limit), ..template.clone() }
}
