//! The pump bonding curve's arithmetic, unit by unit as the program does it; checked on mainnet trades.

/// Virtual tokens of a new curve.
pub(in crate::simulator) const VIRTUAL_BASE: u64 = 1_073_000_000_000_000;
/// Virtual lamports of a new curve.
pub(in crate::simulator) const VIRTUAL_QUOTE: u64 = 30_000_000_000;
/// Tokens for sale on a new curve.
pub(in crate::simulator) const REAL_BASE: u64 = 793_100_000_000_000;
/// Tokens minted at creation.
pub(in crate::simulator) const SUPPLY: u64 = 1_000_000_000_000_000;
/// Tokens kept for the pool.
pub(in crate::simulator) const POOL_BASE: u64 = SUPPLY - REAL_BASE;
/// Lamports that the migration keeps.
pub(in crate::simulator) const MIGRATION_FEE: u64 = 15_000_001;

pub(in crate::simulator) const PROTOCOL_BPS: u64 = 95;
pub(in crate::simulator) const CREATOR_BPS: u64 = 30;
/// Of the protocol's fee.
pub(in crate::simulator) const BUYBACK_BPS: u64 = 5_000;

/// A curve's reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct Curve {
    pub(in crate::simulator) virtual_base: u64,
    pub(in crate::simulator) virtual_quote: u64,
    pub(in crate::simulator) real_base: u64,
    pub(in crate::simulator) real_quote: u64,
}

/// What a trade on the curve moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::simulator) struct CurveFill {
    pub(in crate::simulator) base: u64,
    /// Without fees.
    pub(in crate::simulator) quote: u64,
    pub(in crate::simulator) protocol: u64,
    pub(in crate::simulator) creator: u64,
    /// A slice of `protocol`.
    pub(in crate::simulator) buyback: u64,
}

/// The part of a completing buy that goes beyond the curve: base and quote of the pool that will be, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct Beyond {
    pub(in crate::simulator) fill: CurveFill,
    pub(in crate::simulator) before: (u64, u64),
    pub(in crate::simulator) after: (u64, u64),
}

impl CurveFill {
    fn new(base: u64, quote: u64) -> Self {
        Self::with_fees_on(base, quote, quote)
    }

    fn with_fees_on(base: u64, quote: u64, charged: u64) -> Self {
        let protocol = ceil_share(charged, PROTOCOL_BPS);
        let buyback = floor_div(u128::from(protocol) * u128::from(BUYBACK_BPS), 10_000);
        Self { base, quote, protocol, creator: ceil_share(charged, CREATOR_BPS), buyback }
    }

    /// The same with another share of the protocol's fee to buy back with.
    pub(in crate::simulator) fn buying_back(self, bps: u64) -> Self {
        Self { buyback: floor_div(u128::from(self.protocol) * u128::from(bps), 10_000), ..self }
    }

    /// What a buyer pays in all.
    pub(in crate::simulator) const fn gross(&self) -> u64 {
        self.quote + self.protocol + self.creator
    }

    /// What a seller gets.
    pub(in crate::simulator) const fn net(&self) -> u64 {
        self.quote.saturating_sub(self.protocol + self.creator)
    }
}

impl Curve {
    pub(in crate::simulator) const fn new() -> Self {
        Self { virtual_base: VIRTUAL_BASE, virtual_quote: VIRTUAL_QUOTE, real_base: REAL_BASE, real_quote: 0 }
    }

    pub(in crate::simulator) const fn is_complete(&self) -> bool {
        self.real_base == 0
    }

    /// Buys so many tokens, or all that are left.
    pub(in crate::simulator) fn buy_base(&self, base: u64) -> CurveFill {
        let base = base.min(self.real_base);
        let left = self.virtual_base - base;
        CurveFill::new(base, floor_div(u128::from(base) * u128::from(self.virtual_quote), left.into()) + 1)
    }

    /// Spends so many lamports, fees included; what the curve cannot fill is not spent.
    pub(in crate::simulator) fn buy_quote(&self, spend: u64) -> CurveFill {
        let net = floor_div(u128::from(spend) * 10_000, (10_000 + PROTOCOL_BPS + CREATOR_BPS).into());
        let mut fill = CurveFill::new(0, net);
        // The fees are rounded up, so they may take more than was given: the net amount pays for it.
        fill.quote -= fill.gross().saturating_sub(spend);
        fill.base = bought_with(fill.quote, (self.virtual_base, self.virtual_quote));
        if fill.base < self.real_base { fill } else { self.buy_base(self.real_base) }
    }

    /// Spends what a completing buy has left in the pool that will be.
    pub(in crate::simulator) fn buy_beyond(&self, spend: u64) -> Beyond {
        let before = (POOL_BASE, self.real_quote.saturating_sub(MIGRATION_FEE));
        let net = floor_div(u128::from(spend) * 10_000, (10_000 + PROTOCOL_BPS + CREATOR_BPS).into());
        let mut fill = CurveFill::new(0, net);
        fill.quote -= fill.gross().saturating_sub(spend);
        fill.base = bought_with(fill.quote, before);
        Beyond { fill, before, after: (before.0 - fill.base, before.1 + fill.quote) }
    }

    /// Sells so many tokens.
    pub(in crate::simulator) fn sell(&self, base: u64) -> CurveFill {
        let quote = floor_div(
            u128::from(base) * u128::from(self.virtual_quote),
            u128::from(self.virtual_base) + u128::from(base),
        );
        CurveFill::new(base, quote.min(self.real_quote))
    }

    pub(in crate::simulator) fn bought(&mut self, fill: &CurveFill) {
        self.virtual_base -= fill.base;
        self.real_base -= fill.base;
        self.virtual_quote += fill.quote;
        self.real_quote += fill.quote;
    }

    pub(in crate::simulator) fn sold(&mut self, fill: &CurveFill) {
        self.virtual_base += fill.base;
        self.real_base += fill.base;
        self.virtual_quote -= fill.quote;
        self.real_quote -= fill.quote;
    }
}

/// What a net amount buys: the programs count one unit less of it.
fn bought_with(quote: u64, (base_reserve, quote_reserve): (u64, u64)) -> u64 {
    let used = u128::from(quote.saturating_sub(1));
    floor_div(used * u128::from(base_reserve), u128::from(quote_reserve) + used)
}

/// Basis points of an amount, rounded up as the programs round fees.
pub(in crate::simulator) fn ceil_share(amount: u64, bps: u64) -> u64 {
    u64::try_from((u128::from(amount) * u128::from(bps)).div_ceil(10_000)).unwrap_or(u64::MAX)
}

/// A quotient, rounded down; amounts on a curve or in a pool fit.
pub(in crate::simulator) fn floor_div(numerator: u128, denominator: u128) -> u64 {
    numerator.checked_div(denominator).and_then(|quotient| u64::try_from(quotient).ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mainnet_trades_come_out_to_the_unit() {
        // Slot 458,984,748 and its neighbours, and the first buys of new curves: spent, lamports, tokens, fees.
        let fill = Curve::new().buy_quote(1_000_000_000);
        assert_eq!(
            (fill.quote, fill.protocol, fill.creator, fill.buyback),
            (987_654_320, 9_382_717, 2_962_963, 4_691_358)
        );
        assert_eq!(fill.gross(), 1_000_000_000);
        // A completed curve has raised this (mainnet, slot 454,176,142).
        let mut curve = Curve::new();
        let all = curve.buy_base(u64::MAX);
        curve.bought(&all);
        assert!(curve.is_complete());
        assert_eq!(all.quote, 85_005_359_057);
    }

    #[test]
    fn the_product_never_falls() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut curve = Curve::new();
        let product = |curve: &Curve| u128::from(curve.virtual_base) * u128::from(curve.virtual_quote);
        for _ in 0..20_000 {
            let before = product(&curve);
            if rng.u8(0..10) < 5 {
                let fill = if rng.bool() {
                    curve.buy_quote(rng.u64(1..3_000_000_000))
                } else {
                    curve.buy_base(rng.u64(1..9_000_000_000_000))
                };
                curve.bought(&fill);
            } else {
                let fill = curve.sell(rng.u64(0..=(REAL_BASE - curve.real_base) / 3));
                curve.sold(&fill);
            }
            assert!(product(&curve) >= before);
            assert_eq!(curve.virtual_base - curve.real_base, VIRTUAL_BASE - REAL_BASE);
            assert_eq!(curve.virtual_quote - curve.real_quote, VIRTUAL_QUOTE);
            if curve.is_complete() {
                curve = Curve::new();
            }
        }
    }
}
