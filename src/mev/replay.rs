//! The counterfactual: what a pool would have done, and what an order would have got, had other orders not been there.
//!
//! Integer arithmetic with each program's own rounding. Sources: the pump curve's by execution of the deployed program
//! (exact-in buys count one unit less of the net quote, exact-out buys cost one more), `PumpSwap`'s by mainnet events (the LP
//! fee stays in the pool), Raydium AMM v4's by its published source (25 basis points of the input, rounded up, stay in the
//! pool). Which fills a pool's own trades reproduce is tested over recordings.

use super::leg::{Intent, Leg};
use crate::decode::event::{LimitKind, Side, Venue};

/// Basis points in one.
const WHOLE: u128 = 10_000;
/// Fee of Raydium AMM v4 in basis points of the input.
const AMM_V4_BPS: u128 = 25;

/// A pool as its next trade finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Raw base units.
    pub base: u128,
    /// Raw quote units, virtual part included.
    pub quote: u128,
    /// Base units still for sale; curves only.
    pub left: Option<u64>,
}

/// What an order would do to a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Raw base units moved.
    pub base: u64,
    /// Raw quote units that move the price.
    pub quote: u64,
    /// Fees on top.
    pub fees: u64,
    /// The pool afterwards.
    pub after: PoolState,
}

/// What it cost an order that the pool was not in another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Harm {
    /// Raw quote units with their fees; below zero if the order gained.
    pub loss: i64,
    /// Base units an exact-in buy would have got more.
    pub shortfall: u64,
    /// Part and whole of the slippage used up: how far the outcome moved towards the limit, and how far it could.
    pub slack: Option<(i64, i64)>,
}

/// How a venue computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Formula {
    /// The pump curve and `PumpSwap`; the number is what an exact-out buy pays on top of the quotient rounded down or up.
    Pump { curve: bool },
    /// A constant product over amounts without fees.
    Plain,
    /// A constant product that takes its fee out of the input and keeps it.
    InputFee,
}

impl Formula {
    const fn of(venue: Venue) -> Option<Self> {
        match venue {
            Venue::Pump => Some(Self::Pump { curve: true }),
            Venue::PumpSwap => Some(Self::Pump { curve: false }),
            Venue::RaydiumLaunchlab => Some(Self::Plain),
            Venue::RaydiumAmmV4 => Some(Self::InputFee),
            _ => None,
        }
    }
}

impl PoolState {
    /// The state that a leg found; `None` where its event does not tell or the venue's arithmetic is not known.
    #[must_use]
    pub fn before(leg: &Leg) -> Option<Self> {
        Formula::of(leg.venue)?;
        let reserves = leg.before?;
        let left = leg.curve_left.map(|left| match leg.side {
            Side::Buy => left.saturating_add(leg.base),
            Side::Sell => left.saturating_sub(leg.base),
        });
        Some(Self { base: reserves.base.into(), quote: reserves.quote, left })
    }

    /// What a leg's order does to the pool in this state. `None` if the pool cannot serve it.
    #[must_use]
    pub fn fill(&self, leg: &Leg) -> Option<Fill> {
        let formula = Formula::of(leg.venue)?;
        let (base, quote) = match (leg.side, leg.intent) {
            (Side::Buy, Intent::ExactIn) => {
                let base = self.base_for(formula, leg.quote.into())?;
                match self.left {
                    // No order runs past the end of the curve.
                    Some(left) if base >= left.into() => (left.into(), self.cost_of(formula, left.into())?),
                    _ => (base, leg.quote.into()),
                }
            }
            (Side::Buy, Intent::ExactOut) => {
                let base = leg.base.min(self.left.unwrap_or(u64::MAX)).into();
                (base, self.cost_of(formula, base)?)
            }
            (Side::Sell, Intent::ExactIn) => (leg.base.into(), self.proceeds_of(formula, leg.base.into())?),
            (Side::Sell, Intent::ExactOut) => (self.base_to_get(formula, leg.quote.into())?, leg.quote.into()),
        };
        let (base, quote) = (u64::try_from(base).ok()?, u64::try_from(quote).ok()?);
        Some(Fill { base, quote, fees: fees(leg, quote), after: self.after(leg, base, quote)? })
    }

    /// The pool after these amounts.
    fn after(&self, leg: &Leg, base: u64, quote: u64) -> Option<Self> {
        let kept = share(quote, leg.rates.lp);
        let (wide_base, wide_quote) = (u128::from(base), u128::from(quote));
        Some(match leg.side {
            Side::Buy => Self {
                base: self.base.checked_sub(wide_base)?,
                quote: self.quote.checked_add(wide_quote)?.checked_add(kept)?,
                left: self.left.map(|left| left.saturating_sub(base)),
            },
            Side::Sell => Self {
                base: self.base.checked_add(wide_base)?,
                quote: self.quote.checked_sub(wide_quote)?.checked_add(kept)?,
                left: self.left.map(|left| left.saturating_add(base)),
            },
        })
    }

    /// Base units that so much quote buys.
    fn base_for(&self, formula: Formula, quote: u128) -> Option<u128> {
        let used = match formula {
            Formula::Pump { .. } => quote.saturating_sub(1),
            Formula::Plain => quote,
            Formula::InputFee => without_fee(quote),
        };
        used.checked_mul(self.base)?.checked_div(self.quote.checked_add(used)?)
    }

    /// Quote that an order for so much base pays.
    fn cost_of(&self, formula: Formula, base: u128) -> Option<u128> {
        let left = self.base.checked_sub(base)?;
        let product = base.checked_mul(self.quote)?;
        match formula {
            Formula::Pump { curve: true } => product.checked_div(left).map(|cost| cost + 1),
            Formula::Pump { curve: false } | Formula::Plain => ceil_div(product, left),
            Formula::InputFee => ceil_div(product, left).and_then(with_fee),
        }
    }

    /// The least quote whose exact-in buy brings at least so much base.
    fn least_quote_for(&self, formula: Formula, base: u128) -> Option<u128> {
        let used = ceil_div(base.checked_mul(self.quote)?, self.base.checked_sub(base)?)?;
        match formula {
            Formula::Pump { .. } => Some(used + 1),
            Formula::Plain => Some(used),
            Formula::InputFee => with_fee(used),
        }
    }

    /// Quote that selling so much base brings.
    fn proceeds_of(&self, formula: Formula, base: u128) -> Option<u128> {
        let used = if formula == Formula::InputFee { without_fee(base) } else { base };
        used.checked_mul(self.quote)?.checked_div(self.base.checked_add(used)?)
    }

    /// Base that has to be sold for so much quote.
    fn base_to_get(&self, formula: Formula, quote: u128) -> Option<u128> {
        let used = ceil_div(quote.checked_mul(self.base)?, self.quote.checked_sub(quote)?)?;
        if formula == Formula::InputFee { with_fee(used) } else { Some(used) }
    }

    /// What it cost a leg that it did not find the pool in this state.
    #[must_use]
    pub fn harm(&self, leg: &Leg) -> Option<Harm> {
        let fill = self.fill(leg)?;
        let here = match (leg.side, leg.intent) {
            (Side::Buy, Intent::ExactIn) => {
                let least = self.least_quote_for(Formula::of(leg.venue)?, leg.base.into())?;
                u64::try_from(least).ok()?
            }
            _ => fill.quote,
        };
        let with_fees = |quote: u64| match leg.side {
            Side::Buy => signed(quote.saturating_add(fees(leg, quote))),
            Side::Sell => signed(quote.saturating_sub(fees(leg, quote))),
        };
        let (there, here) = (signed(leg.with_fees()), with_fees(here));
        let exact_in_buy = leg.side == Side::Buy && leg.intent == Intent::ExactIn;
        Some(Harm {
            loss: if leg.side == Side::Buy { there - here } else { here - there },
            shortfall: if exact_in_buy { fill.base.saturating_sub(leg.base) } else { 0 },
            slack: slack(leg, (fill.base, here), (leg.base, there)),
        })
    }

    /// Whether an order stays within its limit in this state; `None` without a limit, or where the pool cannot serve it.
    #[must_use]
    pub fn accepts(&self, leg: &Leg) -> Option<bool> {
        let limit = leg.limit?;
        let Fill { base, quote, fees, .. } = self.fill(leg)?;
        Some(match limit.kind {
            LimitKind::MinBaseOut => base >= limit.amount,
            LimitKind::MaxQuoteIn => quote.saturating_add(fees) <= limit.amount,
            LimitKind::MinQuoteOut => quote.saturating_sub(fees) >= limit.amount,
            LimitKind::MaxBaseIn => base <= limit.amount,
        })
    }

    /// Part and whole of the slippage that an order loses by finding the pool in another state than this one.
    #[must_use]
    pub fn slack_lost_in(&self, other: &Self, leg: &Leg) -> Option<(i64, i64)> {
        let gets = |state: &Self| -> Option<(u64, i64)> {
            let Fill { base, quote, fees, .. } = state.fill(leg)?;
            Some((
                base,
                signed(if leg.side == Side::Buy { quote.saturating_add(fees) } else { quote.saturating_sub(fees) }),
            ))
        };
        slack(leg, gets(self)?, gets(other)?)
    }
}

/// Part and whole of an order's slippage: what it lost of the way from the better outcome to its bound. Outcomes are base,
/// and quote with fees.
fn slack(leg: &Leg, best: (u64, i64), got: (u64, i64)) -> Option<(i64, i64)> {
    let limit = leg.limit?;
    // What is given counts below zero, so that more is better.
    let (best, got, bound) = match limit.kind {
        LimitKind::MinBaseOut => (signed(best.0), signed(got.0), signed(limit.amount)),
        LimitKind::MaxQuoteIn => (-best.1, -got.1, -signed(limit.amount)),
        LimitKind::MinQuoteOut => (best.1, got.1, signed(limit.amount)),
        LimitKind::MaxBaseIn => (-signed(best.0), -signed(got.0), -signed(limit.amount)),
    };
    (best > bound).then_some((best - got, best - bound))
}

/// Whether a leg's event is what this arithmetic says: only then is a replay through it worth anything.
#[must_use]
pub fn reproduces(leg: &Leg) -> bool {
    let filled = PoolState::before(leg).and_then(|before| before.fill(leg));
    filled.is_some_and(|fill| {
        let after = leg.after.map(|after| (u128::from(after.base), after.quote));
        (fill.base, fill.quote) == (leg.base, leg.quote)
            && after.is_none_or(|after| after == (fill.after.base, fill.after.quote))
    })
}

/// Fees on a quote amount: each rate by itself, rounded up; where the event states amounts only, in their proportion.
fn fees(leg: &Leg, quote: u64) -> u64 {
    let stated = leg.rates.lp > 0 || leg.rates.others.iter().any(|bps| *bps > 0);
    let fees = if stated {
        leg.rates.others.iter().fold(share(quote, leg.rates.lp), |sum, bps| sum + share(quote, *bps))
    } else {
        ceil_div(u128::from(leg.fees) * u128::from(quote), u128::from(leg.quote)).unwrap_or(0)
    };
    u64::try_from(fees).unwrap_or(u64::MAX)
}

/// Basis points of an amount, rounded up as the programs round fees.
fn share(amount: u64, bps: u16) -> u128 {
    (u128::from(amount) * u128::from(bps)).div_ceil(WHOLE)
}

fn without_fee(amount: u128) -> u128 {
    amount - (amount * AMM_V4_BPS).div_ceil(WHOLE)
}

/// The least input of which so much is left after the fee.
fn with_fee(net: u128) -> Option<u128> {
    Some(net.checked_mul(WHOLE)?.div_ceil(WHOLE - AMM_V4_BPS))
}

fn ceil_div(product: u128, by: u128) -> Option<u128> {
    (by > 0).then(|| product.div_ceil(by))
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
