//! What is known of each pool and curve.

use std::sync::Arc;

use super::{
    price::{finite, price_of, price_of_ratio},
    reserve_chain::{Chain, Step},
    token_lifecycle,
    view::{FeeRates, PoolView},
};
use crate::{
    chain::{
        ids::{Mint, Pool, WRAPPED_SOL},
        text::Shown,
    },
    decode::{
        EventKind,
        event::{FeeKind, Flow, LiquidityAction, Reserves, Side, SqrtPrice, Trade, Venue},
    },
};

/// Most pools kept; beyond it the one unused for longest is forgotten.
pub(super) const MAX_POOLS: usize = 65_536;

/// A pool.
#[derive(Debug)]
pub(super) struct PoolState {
    pub(super) facts: Facts,
    /// Events that wait for their turn.
    pub(super) waiting: u16,
    shown: Option<(Around, Arc<PoolView>)>,
    /// Whether somebody has asked for the view since [`rest`](Self::rest).
    asked: bool,
}

/// The part of a pool that is copied before each change, so that the change can be undone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) chain: Chain,
    pub(super) mint: Mint,
    quote_mint: Mint,
    venue: Venue,
    /// Raw quote per raw base of a pool that states no reserves.
    ratio: Option<f64>,
    virtual_quote: Option<i128>,
    /// Quote that a curve holds.
    real_quote: Option<u64>,
    fees: FeeRates,
    deposits: u64,
    withdrawals: u64,
    deposited: u64,
    withdrawn: u64,
    removed: Option<f64>,
    opened_ms: Option<i64>,
    pub(super) trades: u64,
    last_ms: i64,
    /// Its price has parted from the token's own.
    pub(super) parted: bool,
    /// Slot as of which its account said the same.
    confirmed: Option<u64>,
}

impl Facts {
    #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
    fn raised(&self, lamports_per_unit: Option<f64>) -> Option<f64> {
        let (raised, unit) = self.real_quote.zip(lamports_per_unit)?;
        finite(raised as f64 * unit / 1e9)
    }

    /// What could be taken out, in SOL: of a curve what was raised, as its tokens are worth nothing beside it; of two
    /// vaults at a constant product, both, which are worth the same; what is virtual is not there.
    #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
    fn tvl(&self, lamports_per_unit: Option<f64>, quote_sol: Option<f64>) -> Option<f64> {
        let hidden = match self.venue {
            Venue::Pump | Venue::RaydiumLaunchlab | Venue::MeteoraDbc => return self.raised(lamports_per_unit),
            Venue::PumpSwap => self.virtual_quote?,
            Venue::RaydiumAmmV4 | Venue::RaydiumCpmm => 0,
            // Their reserves are not all within reach of the price.
            Venue::RaydiumClmm
            | Venue::MeteoraDammV1
            | Venue::MeteoraDammV2
            | Venue::MeteoraDlmm
            | Venue::OrcaWhirlpool => return None,
        };
        let hidden = hidden.max(0) as f64 * lamports_per_unit? / 1e9;
        finite(2.0 * quote_sol? - hidden)
    }
}

/// What stands around a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Around {
    /// Lamports per raw unit of its quote, if there is a path to SOL.
    pub(super) lamports_per_unit: Option<f64>,
    /// US dollars per SOL.
    pub(super) sol_usd: Option<f64>,
    /// Decimals of its token.
    pub(super) decimals: Option<u8>,
    /// Its token's price where that is made.
    pub(super) home_price: Option<f64>,
    /// A curve that is sold out: nobody can trade on it.
    pub(super) sold_out: bool,
    /// What it held is in its token's pool now.
    pub(super) closed: bool,
}

impl PoolState {
    pub(super) fn new(kind: &EventKind, venue: Venue) -> Self {
        let quote_mint = match kind {
            EventKind::Trade(trade) => trade.quote_mint,
            EventKind::TokenCreated(created) => created.quote_mint,
            EventKind::PoolCreated(created) => created.quote_mint,
            EventKind::Liquidity(moved) => moved.quote_mint,
            _ => WRAPPED_SOL,
        };
        let facts = Facts {
            chain: Chain::default(),
            mint: kind.mint(),
            quote_mint,
            venue,
            ratio: None,
            virtual_quote: None,
            real_quote: None,
            fees: FeeRates::default(),
            deposits: 0,
            withdrawals: 0,
            deposited: 0,
            withdrawn: 0,
            removed: None,
            opened_ms: None,
            trades: 0,
            last_ms: 0,
            parted: false,
            confirmed: None,
        };
        Self { facts, waiting: 0, shown: None, asked: false }
    }

    /// Takes an event that happened in it; one that is `late` counts, but says nothing of how the pool stands.
    pub(super) fn happened(&mut self, kind: &EventKind, late: bool, recv_ms: i64) {
        self.shown = None;
        let facts = &mut self.facts;
        facts.last_ms = facts.last_ms.max(recv_ms);
        match kind {
            EventKind::Trade(trade) => {
                // The leg beyond a curve is a part of the trade that completed it.
                facts.trades += u64::from(trade.flow != Flow::PostCompletion);
                if late {
                    return;
                }
                facts.quote_mint = trade.quote_mint;
                facts.virtual_quote = trade.virtual_quote.or(facts.virtual_quote);
                facts.real_quote = trade.curve_real_quote.or(facts.real_quote);
                facts.ratio = trade.sqrt_price.and_then(SqrtPrice::quote_per_base);
                for fee in trade.fees.iter().flatten() {
                    match fee.kind {
                        FeeKind::Lp => facts.fees.lp = fee.bps,
                        FeeKind::Protocol => facts.fees.protocol = fee.bps,
                        FeeKind::Creator => facts.fees.creator = fee.bps,
                        _ => {}
                    }
                }
            }
            EventKind::TokenCreated(_) | EventKind::PoolCreated(_) => {
                facts.opened_ms = Some(recv_ms);
                if matches!(kind, EventKind::TokenCreated(_)) {
                    facts.real_quote = facts.real_quote.or(Some(0));
                }
                if facts.venue == Venue::PumpSwap {
                    facts.virtual_quote = facts.virtual_quote.or(Some(0));
                }
            }
            EventKind::BoostInitialized { virtual_quote, .. } => {
                if facts.trades == 0 {
                    facts.virtual_quote = Some(*virtual_quote);
                }
            }
            EventKind::Liquidity(moved) => {
                let share = moved.raw_reserves_before.and_then(|(base, _)| {
                    #[allow(clippy::cast_precision_loss, reason = "a share")]
                    (base > 0).then(|| moved.base_amount as f64 / base as f64 * 100.0)
                });
                match moved.action {
                    LiquidityAction::Deposit => {
                        facts.deposits += 1;
                        facts.deposited = facts.deposited.saturating_add(moved.quote_amount);
                    }
                    LiquidityAction::Withdraw => {
                        facts.withdrawals += 1;
                        facts.withdrawn = facts.withdrawn.saturating_add(moved.quote_amount);
                        facts.removed = share.map(|share| facts.removed.map_or(share, |most| most.max(share)));
                    }
                }
            }
            EventKind::CurveCompleted { .. } | EventKind::Graduated { .. } | EventKind::CurveAdjusted { .. } => {}
        }
    }

    /// Gives a view back that nobody has asked for since the last time.
    pub(super) fn rest(&mut self) {
        if !std::mem::take(&mut self.asked) {
            self.shown = None;
        }
    }

    /// Its account says the same.
    pub(super) fn confirm(&mut self, slot: u64) {
        let facts = &mut self.facts;
        if facts.confirmed.is_none_or(|before| before < slot) {
            facts.confirmed = Some(slot);
            self.shown = None;
        }
    }

    /// Its account says something else, and rightly so, unless it has moved on since then.
    pub(super) fn restate(&mut self, slot: u64, reserves: Reserves) -> bool {
        // A later write of the same slot may have said the same as the trades.
        let confirmed = self.facts.confirmed.is_some_and(|confirmed| confirmed >= slot);
        let missing = !confirmed && self.facts.chain.restate(slot, reserves);
        if missing {
            self.confirm(slot);
            self.shown = None;
        }
        missing
    }

    /// Takes back what happened since these were the facts.
    pub(super) fn restore(&mut self, facts: &Facts) {
        self.facts = *facts;
        self.shown = None;
    }

    pub(super) const fn quote_mint(&self) -> Mint {
        self.facts.quote_mint
    }

    /// What a curve has raised, in SOL.
    pub(super) fn raised_sol(&self, around: &token_lifecycle::Around) -> Option<f64> {
        self.facts.raised(around.lamports_per_unit)
    }

    /// The view of this pool; the same `Arc` until something about it changes.
    pub(super) fn view(&mut self, pool: Pool, symbol: &Shown, around: &Around) -> Arc<PoolView> {
        self.asked = true;
        if let Some((of, shown)) = &self.shown
            && of == around
        {
            return shown.clone();
        }
        let facts = &self.facts;
        // What a closed curve held is counted where it went, and nobody can trade at the price it ended on.
        let reserves = facts.chain.head().filter(|_| !around.closed);
        let price_sol = match (reserves, facts.ratio) {
            (None, Some(ratio)) => price_of_ratio(ratio, around.decimals, around.lamports_per_unit),
            _ => price_of(reserves, around.decimals, around.lamports_per_unit),
        };
        #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
        let quote_sol = reserves
            .zip(around.lamports_per_unit)
            .and_then(|(reserves, unit)| finite(reserves.quote as f64 * unit / 1e9));
        let tvl_sol = if around.closed { None } else { facts.tvl(around.lamports_per_unit, quote_sol) };
        let depth = |factor: f64| quote_sol.filter(|_| !around.sold_out).map(|quote| quote * factor);
        let view = Arc::new(PoolView {
            pool,
            mint: facts.mint,
            symbol: symbol.clone(),
            venue: facts.venue,
            closed: around.closed,
            quote_mint: facts.quote_mint,
            reserves,
            virtual_quote: facts.virtual_quote,
            price_sol,
            tvl_sol,
            tvl_usd: tvl_sol.zip(around.sol_usd).and_then(|(sol, usd)| finite(sol * usd)),
            depth_up_sol: depth(1.02_f64.sqrt() - 1.0),
            depth_down_sol: depth(1.0 - 0.98_f64.sqrt()),
            fees: facts.fees,
            deposits: facts.deposits,
            withdrawals: facts.withdrawals,
            deposited: facts.deposited,
            withdrawn: facts.withdrawn,
            removed_pct: facts.removed,
            opened_ms: facts.opened_ms,
            divergence_pct: price_sol
                .zip(around.home_price.filter(|price| *price > 0.0))
                .and_then(|(price, home)| finite((price / home - 1.0) * 100.0)),
            trades: facts.trades,
            last_ms: facts.last_ms,
            open_gaps: facts.chain.open_gaps(),
            broken_since: facts.chain.broken_since(),
            confirmed_slot: facts.confirmed,
        });
        self.shown = Some((*around, view.clone()));
        view
    }
}

/// The pool in which an event happens.
pub(super) const fn pool_of(kind: &EventKind, curve: Option<Pool>) -> Option<Pool> {
    match kind {
        EventKind::Trade(trade) => Some(trade.pool),
        EventKind::TokenCreated(created) => Some(created.curve),
        EventKind::PoolCreated(created) => Some(created.pool),
        EventKind::Liquidity(moved) => Some(moved.pool),
        EventKind::BoostInitialized { pool, .. } => Some(*pool),
        EventKind::CurveAdjusted { .. } => curve,
        EventKind::CurveCompleted { .. } | EventKind::Graduated { .. } => None,
    }
}

/// What an event does to its pool's reserves.
pub(super) fn step(kind: &EventKind) -> Option<Step> {
    match kind {
        EventKind::Trade(trade) => trade_step(trade),
        EventKind::TokenCreated(created) => Some(Step::Opening(created.initial?)),
        EventKind::PoolCreated(created) => {
            let opening = Reserves { base: created.base_amount, quote: created.quote_amount.into() };
            // Only of pools of two plain vaults does the price follow from what was put in.
            let plain = matches!(created.venue, Venue::PumpSwap | Venue::RaydiumAmmV4 | Venue::RaydiumCpmm);
            plain.then_some(Step::Opening(opening))
        }
        EventKind::Liquidity(moved) => {
            let sign = match moved.action {
                LiquidityAction::Deposit => 1,
                LiquidityAction::Withdraw => -1,
            };
            let (base, quote) = (sign * i128::from(moved.base_amount), sign * i128::from(moved.quote_amount));
            // Nothing of theirs is virtual. But with a change they set aside what is not the pool's any more, so that where
            // the last trade left them is not where it starts.
            if let Some((base_before, quote_before)) = moved.raw_reserves_before
                && matches!(moved.venue, Venue::RaydiumAmmV4 | Venue::RaydiumCpmm)
            {
                let after = |before: u64, change: i128| u64::try_from(i128::from(before) + change).ok();
                let (base, quote) = (after(base_before, base)?, after(quote_before, quote)?);
                return Some(Step::Reset(Reserves { base, quote: quote.into() }));
            }
            let base_before = moved.raw_reserves_before.map(|(base, _)| base);
            Some(Step::Change { base_before, base, quote })
        }
        EventKind::BoostInitialized { .. } | EventKind::CurveCompleted { .. } | EventKind::Graduated { .. } => None,
        EventKind::CurveAdjusted { reserves, .. } => Some(Step::Reset(*reserves)),
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

/// Whether one trade's reserves after are to the unit the next one's reserves before. Of the third a swap leaves all its fee
/// in the pool (raydium-amm 27f461dd).
const fn chains(venue: Venue) -> bool {
    matches!(venue, Venue::Pump | Venue::PumpSwap | Venue::RaydiumAmmV4)
}
