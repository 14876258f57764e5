//! One pool or curve as a scenario plans with it: what an order would get, and what it leaves behind. The arithmetic is the
//! simulated market's, so that what is planned is what happens.

use crate::simulator::market::{
    curve::{Curve, CurveFill, floor_div},
    pool::{Pool, PoolFill},
};

/// The reserves of a pool or curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Book {
    Curve(Curve),
    Pool(Pool),
}

/// What somebody asks for, with the bound that makes it fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Exact in: spends so many lamports, fees included.
    Spend { quote: u64, least: u64 },
    /// Exact out: takes so many tokens.
    Take { base: u64, most: u64 },
    /// Sells so many tokens.
    Sell { base: u64, least: u64 },
}

impl Order {
    pub(super) const fn buys(self) -> bool {
        !matches!(self, Self::Sell { .. })
    }

    /// The instruction's two arguments.
    pub(super) const fn arguments(self) -> (u64, u64) {
        match self {
            Self::Spend { quote, least } => (quote, least),
            Self::Take { base, most } => (base, most),
            Self::Sell { base, least } => (base, least),
        }
    }

    /// The same with another bound.
    pub(super) const fn bounded(self, bound: u64) -> Self {
        match self {
            Self::Spend { quote, .. } => Self::Spend { quote, least: bound },
            Self::Take { base, .. } => Self::Take { base, most: bound },
            Self::Sell { base, .. } => Self::Sell { base, least: bound },
        }
    }

    /// What the bound is compared with.
    pub(super) fn outcome(self, fill: &Fill) -> u64 {
        match self {
            Self::Spend { .. } => fill.base(),
            Self::Take { .. } => fill.gross(),
            Self::Sell { .. } => fill.net(),
        }
    }

    /// Whether the program lets it pass.
    pub(super) fn accepts(self, fill: &Fill) -> bool {
        let outcome = self.outcome(fill);
        match self {
            Self::Spend { least, .. } | Self::Sell { least, .. } => outcome >= least,
            Self::Take { most, .. } => outcome <= most,
        }
    }

    /// The bound that leaves this share of slippage.
    pub(super) fn slipping(self, expected: &Fill, slippage: f64) -> Self {
        let outcome = self.outcome(expected);
        let slip = super::settings::share(outcome, slippage);
        self.bounded(if matches!(self, Self::Take { .. }) { outcome + slip } else { outcome - slip.min(outcome) })
    }

    /// How much of the room between what it would have got and its bound was taken.
    pub(super) fn slack_use(self, without: &Fill, with: &Fill) -> f64 {
        let (expected, got) = (self.outcome(without), self.outcome(with));
        let (_, bound) = self.arguments();
        super::settings::ratio(expected.abs_diff(got), expected.abs_diff(bound))
    }
}

/// What a trade moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    Curve(CurveFill),
    Pool(PoolFill),
}

impl Fill {
    pub(super) const fn base(&self) -> u64 {
        match self {
            Self::Curve(fill) => fill.base,
            Self::Pool(fill) => fill.base,
        }
    }

    /// What moves the price.
    pub(super) const fn quote(&self) -> u64 {
        match self {
            Self::Curve(fill) => fill.quote,
            Self::Pool(fill) => fill.quote,
        }
    }

    /// The part of the fees that stays among the reserves.
    pub(super) const fn lp(&self) -> u64 {
        match self {
            Self::Curve(_) => 0,
            Self::Pool(fill) => fill.lp,
        }
    }

    /// What a buyer pays in all.
    pub(super) const fn gross(&self) -> u64 {
        match self {
            Self::Curve(fill) => fill.gross(),
            Self::Pool(fill) => fill.gross(),
        }
    }

    /// What a seller gets.
    pub(super) const fn net(&self) -> u64 {
        match self {
            Self::Curve(fill) => fill.net(),
            Self::Pool(fill) => fill.net(),
        }
    }

    /// Rates of the fees: to liquidity providers, to the protocol, to the creator, in basis points.
    pub(super) const fn rates(&self) -> [u64; 3] {
        use crate::simulator::market::curve::{CREATOR_BPS, PROTOCOL_BPS};
        match self {
            Self::Curve(_) => [0, PROTOCOL_BPS, CREATOR_BPS],
            Self::Pool(fill) => [fill.rates.lp, fill.rates.protocol, fill.rates.creator],
        }
    }
}

impl Book {
    /// What an order would get, whatever its bound; `None` where it cannot be filled, or the curve is or would be complete.
    pub(super) fn fill(&self, order: Order) -> Option<Fill> {
        if matches!(self, Self::Curve(curve) if curve.is_complete()) {
            return None;
        }
        let fill = match (self, order) {
            (Self::Curve(curve), Order::Spend { quote, .. }) => Fill::Curve(curve.buy_quote(quote)),
            (Self::Curve(curve), Order::Take { base, .. }) => Fill::Curve(curve.buy_base(base)),
            (Self::Curve(curve), Order::Sell { base, .. }) => Fill::Curve(curve.sell(base)),
            (Self::Pool(pool), Order::Spend { quote, .. }) => Fill::Pool(pool.buy_quote(quote)),
            (Self::Pool(pool), Order::Take { base, .. }) => Fill::Pool(pool.buy_base(base)?),
            (Self::Pool(pool), Order::Sell { base, .. }) => Fill::Pool(pool.sell(base)?),
        };
        let completes = matches!(self, Self::Curve(curve) if order.buys() && fill.base() >= curve.real_base);
        (fill.base() > 0 && fill.quote() > 0 && !completes).then_some(fill)
    }

    /// The reserves after a trade.
    pub(super) fn after(mut self, buys: bool, fill: &Fill, keeps_fees: bool) -> Self {
        match (&mut self, fill) {
            (Self::Curve(curve), Fill::Curve(fill)) if buys => curve.bought(fill),
            (Self::Curve(curve), Fill::Curve(fill)) => curve.sold(fill),
            (Self::Pool(pool), Fill::Pool(fill)) if buys => pool.bought(fill, keeps_fees),
            (Self::Pool(pool), Fill::Pool(fill)) => pool.sold(fill, keeps_fees),
            _ => {}
        }
        self
    }

    /// Base and effective quote.
    pub(super) fn reserves(&self) -> (u64, u64) {
        match self {
            Self::Curve(curve) => (curve.virtual_base, curve.virtual_quote),
            Self::Pool(pool) => (pool.base, u64::try_from(pool.effective()).unwrap_or(u64::MAX)),
        }
    }

    /// What so many lamports are worth in tokens.
    pub(super) fn tokens(&self, quote: u64) -> u64 {
        let (base, reserve) = self.reserves();
        floor_div(u128::from(quote) * u128::from(base), u128::from(reserve))
    }
}
