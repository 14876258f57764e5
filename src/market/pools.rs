//! What is known of each pool and curve.

use super::reserve_chain::{Chain, Step};
use crate::{
    chain::ids::Pool,
    decode::{
        EventKind,
        event::{Flow, LiquidityAction, Reserves, Side, Trade, Venue},
    },
};

/// Most pools kept; beyond it the one unused for longest is forgotten.
pub(super) const MAX_POOLS: usize = 65_536;

/// A pool.
#[derive(Debug, Default)]
pub(super) struct PoolState {
    pub(super) chain: Chain,
    /// Events that wait for their turn.
    pub(super) waiting: u16,
}

/// What an event does to a pool's reserves, and to which pool's. `curve` is the curve of the event's token.
pub(super) fn step(kind: &EventKind, curve: Option<Pool>) -> Option<(Pool, Step)> {
    match kind {
        EventKind::Trade(trade) => trade_step(trade).map(|step| (trade.pool, step)),
        EventKind::TokenCreated(created) => Some((created.curve, Step::Opening(created.initial?))),
        EventKind::PoolCreated(created) => {
            let opening = Reserves { base: created.base_amount, quote: created.quote_amount.into() };
            // Only of pools of two plain vaults does the price follow from what was put in.
            (created.venue == Venue::PumpSwap).then_some((created.pool, Step::Opening(opening)))
        }
        EventKind::Liquidity(moved) => {
            let sign = match moved.action {
                LiquidityAction::Deposit => 1,
                LiquidityAction::Withdraw => -1,
            };
            let base_before = moved.raw_reserves_before.map(|(base, _)| base);
            let (base, quote) = (sign * i128::from(moved.base_amount), sign * i128::from(moved.quote_amount));
            Some((moved.pool, Step::Change { base_before, base, quote }))
        }
        EventKind::BoostInitialized { .. } | EventKind::CurveCompleted { .. } | EventKind::Graduated { .. } => None,
        EventKind::CurveAdjusted { reserves, .. } => Some((curve?, Step::Reset(*reserves))),
    }
}

fn trade_step(trade: &Trade) -> Option<Step> {
    // The leg beyond the curve is settled by the pool's opening.
    if trade.flow == Flow::PostCompletion {
        return None;
    }
    match (trade.reserves_before, trade.reserves_after) {
        (Some(pre), Some(post)) if chains(trade.venue) => Some(Step::Trade { pre, post }),
        (_, Some(post)) => Some(Step::Reset(post)),
        (Some(pre), None) => {
            let (base, quote) = (trade.base_amount, u128::from(trade.quote_amount));
            let (base, quote) = match trade.side {
                Side::Buy => (pre.base.checked_sub(base)?, pre.quote.checked_add(quote)?),
                Side::Sell => (pre.base.checked_add(base)?, pre.quote.checked_sub(quote)?),
            };
            Some(Step::Reset(Reserves { base, quote }))
        }
        (None, None) => None,
    }
}

/// Whether one trade's reserves after are to the unit the next one's reserves before.
const fn chains(venue: Venue) -> bool {
    matches!(venue, Venue::Pump | Venue::PumpSwap)
}
