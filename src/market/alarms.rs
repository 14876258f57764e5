//! What is told of a pool at once: liquidity that leaves it, and a price that parts from the token's own.

use super::{
    Arrived, Market,
    change::{Change, PoolAlarm},
    token_lifecycle::TradeEffect,
    view::LifecycleStep,
};
use crate::{
    chain::ids::{Mint, Pool},
    decode::{
        Event, EventKind,
        event::{FeeKind, LimitKind, LiquidityAction, Side, Trade, Venue},
    },
};

/// Percent of a pool from which a withdrawal is told.
const REMOVED_PCT: f64 = 20.0;
/// Percent between the prices from which they have parted, and below which they have met again.
const PARTED_PCT: f64 = 5.0;
const MET_PCT: f64 = 2.5;
/// SOL from which a trade is a whale's.
pub const WHALE_SOL: f64 = 10.0;

impl Market {
    /// Looks at an event that happened in a pool, and at what it did.
    pub(super) fn alarm(&mut self, event: &Event, pool: u32, effect: &TradeEffect) -> Option<PoolAlarm> {
        match &event.kind {
            EventKind::Liquidity(moved) if moved.action == LiquidityAction::Withdraw => {
                #[allow(clippy::cast_precision_loss, reason = "a share")]
                let share = moved
                    .raw_reserves_before
                    .filter(|(base, _)| *base > 0)
                    .map(|(base, _)| moved.base_amount as f64 / base as f64 * 100.0);
                share.filter(|share| *share >= REMOVED_PCT).map(PoolAlarm::LiquidityRemoved)
            }
            EventKind::Trade(_) => self.parted(pool, effect),
            _ => None,
        }
    }

    /// Tells it.
    pub(super) fn tell_alarm(
        &mut self,
        (slot, mint): (u64, Mint),
        at: Arrived,
        (pool, alarm): (Pool, PoolAlarm),
        uncertain: bool,
    ) -> Change {
        let step = match alarm {
            PoolAlarm::LiquidityRemoved(share_pct) => LifecycleStep::LiquidityRemoved { pool, share_pct },
            PoolAlarm::Parted(apart_pct) => LifecycleStep::Parted { pool, apart_pct },
        };
        self.step(mint, slot, at, step, uncertain);
        Change::Alarm { slot, recv_ms: at.recv_ms(), pool, mint, alarm }
    }

    /// Whether a pool's price has just parted from that of the place where its token's price is made.
    fn parted(&mut self, pool: u32, effect: &TradeEffect) -> Option<PoolAlarm> {
        let home = effect.home_price_sol.filter(|price| *price > 0.0)?;
        let apart_pct = (effect.price_sol? / home - 1.0) * 100.0;
        let state = self.pools.value_mut(pool)?;
        let parted = apart_pct.abs() >= if state.facts.parted { MET_PCT } else { PARTED_PCT };
        let before = std::mem::replace(&mut state.facts.parted, parted);
        (parted && !before).then_some(PoolAlarm::Parted(apart_pct))
    }
}

/// By how much a trade came out better than its sender's bound, in percent of what it came out at; `None` without a bound,
/// or where the venue's events do not say what was paid in the end.
#[allow(clippy::cast_precision_loss, reason = "a share")]
pub(super) fn room_pct(trade: &Trade) -> Option<f64> {
    let limit = trade.limit.filter(|limit| limit.amount > 0)?;
    let in_full = || {
        // Only of these venues the fees are known to come on top of the amount.
        matches!(trade.venue, Venue::Pump | Venue::PumpSwap).then(|| {
            let fees = trade.fees.iter().flatten();
            let on_top = fees.filter(|fee| !fee.in_base && !matches!(fee.kind, FeeKind::Buyback | FeeKind::Transfer));
            let fees = on_top.fold(0_u64, |sum, fee| sum.saturating_add(fee.amount));
            match trade.side {
                Side::Buy => trade.quote_amount.saturating_add(fees),
                Side::Sell => trade.quote_amount.saturating_sub(fees),
            }
        })
    };
    let (got, most) = match limit.kind {
        LimitKind::MaxQuoteIn => (in_full()?, true),
        LimitKind::MinQuoteOut => (in_full()?, false),
        LimitKind::MinBaseOut => (trade.base_amount, false),
        LimitKind::MaxBaseIn => (trade.base_amount, true),
    };
    let (got, bound) = (got as f64, limit.amount as f64);
    let room = if most { bound / got - 1.0 } else { 1.0 - bound / got };
    super::price::finite(room * 100.0)
}
