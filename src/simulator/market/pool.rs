//! `PumpSwap`'s arithmetic, unit by unit as the program does it; checked on mainnet trades.

use super::curve::{BUYBACK_BPS, POOL_BASE, SUPPLY, ceil_share, floor_div};

/// LP tokens that nobody owns.
const MINIMUM_LIQUIDITY: u64 = 100;

/// Fees by market cap of a pool that came from a curve: lamports from which they hold; LP, protocol and creator basis
/// points. (Live fee config of 8 September 2026, the first tiers.)
const TIERS: [(u64, Rates); 6] = [
    (0, Rates { lp: 2, protocol: 93, creator: 30 }),
    (420_000_000_000, Rates { lp: 20, protocol: 5, creator: 95 }),
    (1_470_000_000_000, Rates { lp: 20, protocol: 5, creator: 90 }),
    (2_460_000_000_000, Rates { lp: 20, protocol: 5, creator: 85 }),
    (3_440_000_000_000, Rates { lp: 20, protocol: 5, creator: 80 }),
    (4_420_000_000_000, Rates { lp: 20, protocol: 5, creator: 75 }),
];

/// Fee rates in basis points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct Rates {
    pub(in crate::simulator) lp: u64,
    pub(in crate::simulator) protocol: u64,
    pub(in crate::simulator) creator: u64,
}

/// A pool's reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct Pool {
    pub(in crate::simulator) base: u64,
    /// What the quote vault holds: fees that were kept included.
    pub(in crate::simulator) quote: u64,
    /// Added to the vault's to give the effective reserve; falls below zero by the fees kept in the vault.
    pub(in crate::simulator) virtual_quote: i128,
    pub(in crate::simulator) creator_fees: u64,
    pub(in crate::simulator) lp_supply: u64,
    /// Tokens that exist: burning makes them fewer.
    pub(in crate::simulator) base_supply: u64,
}

/// What a trade in a pool moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct PoolFill {
    pub(in crate::simulator) base: u64,
    /// Moves the price.
    pub(in crate::simulator) quote: u64,
    pub(in crate::simulator) rates: Rates,
    pub(in crate::simulator) lp: u64,
    pub(in crate::simulator) protocol: u64,
    pub(in crate::simulator) creator: u64,
    /// A slice of `protocol`.
    pub(in crate::simulator) buyback: u64,
}

impl PoolFill {
    fn new(base: u64, quote: u64, rates: Rates) -> Self {
        let protocol = ceil_share(quote, rates.protocol);
        Self {
            base,
            quote,
            rates,
            lp: ceil_share(quote, rates.lp),
            protocol,
            creator: ceil_share(quote, rates.creator),
            buyback: floor_div(u128::from(protocol) * u128::from(BUYBACK_BPS), 10_000),
        }
    }

    /// The same with another share of the protocol's fee to buy back with.
    pub(in crate::simulator) fn buying_back(self, bps: u64) -> Self {
        Self { buyback: floor_div(u128::from(self.protocol) * u128::from(bps), 10_000), ..self }
    }

    /// What a buyer pays in all.
    pub(in crate::simulator) const fn gross(&self) -> u64 {
        self.quote + self.lp + self.protocol + self.creator
    }

    /// What a seller gets.
    pub(in crate::simulator) const fn net(&self) -> u64 {
        self.quote.saturating_sub(self.lp + self.protocol + self.creator)
    }
}

impl Pool {
    /// A pool opened with these amounts; the LP tokens the opener gets.
    pub(in crate::simulator) fn open(base: u64, quote: u64) -> (Self, u64, u64) {
        let initial = (u128::from(base) * u128::from(quote)).isqrt();
        let initial = u64::try_from(initial).unwrap_or(u64::MAX);
        let pool = Self { base, quote, virtual_quote: 0, creator_fees: 0, lp_supply: initial, base_supply: SUPPLY };
        (pool, initial, initial.saturating_sub(MINIMUM_LIQUIDITY))
    }

    /// The boost: a share of the quote leaves for the boost vault and counts as virtual from then on.
    pub(in crate::simulator) fn boost(&mut self) -> u64 {
        let share = floor_div(u128::from(self.quote) * u128::from(POOL_BASE), SUPPLY.into());
        self.quote -= share;
        self.virtual_quote += i128::from(share);
        share
    }

    /// The reserve that prices are made of.
    pub(in crate::simulator) fn effective(&self) -> u128 {
        u128::try_from(i128::from(self.quote) + self.virtual_quote).unwrap_or(0)
    }

    pub(in crate::simulator) fn rates(&self) -> Rates {
        let cap = self.effective() * u128::from(self.base_supply) / u128::from(self.base.max(1));
        let tier = TIERS.iter().rev().find(|(from, _)| u128::from(*from) <= cap);
        tier.map_or(TIERS[0].1, |(_, rates)| *rates)
    }

    /// Buys so many tokens; `None` where the pool has not as many.
    pub(in crate::simulator) fn buy_base(&self, base: u64) -> Option<PoolFill> {
        let left = self.base.checked_sub(base).filter(|left| *left > 0)?;
        let quote = (self.effective() * u128::from(base)).div_ceil(left.into());
        Some(PoolFill::new(base, u64::try_from(quote).ok()?, self.rates()))
    }

    /// Spends so many lamports, fees included.
    pub(in crate::simulator) fn buy_quote(&self, spend: u64) -> PoolFill {
        let rates = self.rates();
        let all = 10_000 + rates.lp + rates.protocol + rates.creator;
        let mut fill = PoolFill::new(0, floor_div(u128::from(spend) * 10_000, all.into()), rates);
        // The fees are rounded up, so they may take more than was given: the net amount pays for it.
        fill.quote -= fill.gross().saturating_sub(spend);
        let used = u128::from(fill.quote.saturating_sub(1));
        fill.base = floor_div(used * u128::from(self.base), self.effective() + used);
        fill
    }

    /// Spends so many lamports of the protocol's own, free of fees.
    pub(in crate::simulator) fn buy_free(&self, spend: u64) -> PoolFill {
        let used = u128::from(spend.saturating_sub(1));
        let base = floor_div(used * u128::from(self.base), self.effective() + used);
        PoolFill::new(base, spend, Rates { lp: 0, protocol: 0, creator: 0 })
    }

    /// Applies a purchase of the protocol, which burns what it bought.
    pub(in crate::simulator) fn burned(&mut self, fill: &PoolFill) {
        self.base -= fill.base;
        self.base_supply -= fill.base;
        self.quote += fill.quote;
    }

    /// Sells so many tokens; `None` where the vault cannot pay.
    pub(in crate::simulator) fn sell(&self, base: u64) -> Option<PoolFill> {
        let quote = floor_div(self.effective() * u128::from(base), u128::from(self.base) + u128::from(base));
        (quote < self.quote).then(|| PoolFill::new(base, quote, self.rates()))
    }

    /// Applies a buy. Newer instructions keep the fees in the vault, but for the slice that buys back.
    pub(in crate::simulator) fn bought(&mut self, fill: &PoolFill, keeps_fees: bool) {
        self.base -= fill.base;
        self.quote += fill.quote + fill.lp;
        self.keep(fill, keeps_fees);
    }

    /// Applies a sell.
    pub(in crate::simulator) fn sold(&mut self, fill: &PoolFill, keeps_fees: bool) {
        self.base += fill.base;
        self.quote -= fill.quote - fill.lp;
        self.keep(fill, keeps_fees);
    }

    fn keep(&mut self, fill: &PoolFill, keeps_fees: bool) {
        if keeps_fees {
            let kept = fill.protocol - fill.buyback + fill.creator;
            self.quote += kept;
            self.virtual_quote -= i128::from(kept);
            self.creator_fees += fill.creator;
        }
    }

    /// What a deposit for so many LP tokens takes, rounded up.
    pub(in crate::simulator) fn deposit(&self, lp: u64) -> (u64, u64) {
        let share = |reserve: u64| (u128::from(reserve) * u128::from(lp)).div_ceil(self.lp_supply.max(1).into());
        let share = |reserve| u64::try_from(share(reserve)).unwrap_or(u64::MAX);
        (share(self.base), share(self.quote))
    }

    /// What so many LP tokens give back, rounded down.
    pub(in crate::simulator) fn withdraw(&self, lp: u64) -> (u64, u64) {
        let share = |reserve: u64| floor_div(u128::from(reserve) * u128::from(lp), self.lp_supply.max(1).into());
        (share(self.base), share(self.quote))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    /// A pool in the state of a mainnet event, with a market cap that gives these rates.
    fn pool(base: u64, quote: u64, virtual_quote: i128) -> Pool {
        Pool { base, quote, virtual_quote, creator_fees: 0, lp_supply: 1_000, base_supply: SUPPLY }
    }

    #[test]
    fn mainnet_trades_come_out_to_the_unit() {
        // Slot 454,386,650 and others: reserves, what was asked, what came out.
        let sell = pool(248_549_910_141_318, 53_460_853_861, 17_582_439_342).sell(3_537_404).unwrap();
        assert_eq!((sell.quote, sell.lp, sell.protocol, sell.creator, sell.buyback), (1_011, 1, 10, 4, 5));
        assert_eq!(sell.net(), 996);
        let exact_in = pool(84_139_947_313_401, 194_521_590_185, 17_584_471_804).buy_quote(17_199_089);
        assert_eq!((exact_in.quote, exact_in.base), (17_011_957, 6_747_899_014));
        assert_eq!((exact_in.lp, exact_in.protocol, exact_in.creator), (34_024, 8_506, 144_602));
        let exact_out = pool(211_910_202_444_338, 1_227_739_450, 299_253_745).buy_base(312_576_952_772).unwrap();
        assert_eq!(exact_out.quote, 2_255_710);
        let burn = pool(140_802_636_913_746, 107_381_852_037, 17_584_505_288).buy_free(535_521_865);
        assert_eq!((burn.base, burn.gross()), (600_810_848_916, 535_521_865));
        // Slot 454,176,142: a migration.
        let (mut pool, initial, lp) = Pool::open(206_900_000_000_000, 84_990_359_056);
        assert_eq!((initial, lp), (4_193_388_282_604, 4_193_388_282_504));
        assert_eq!((pool.boost(), pool.quote), (17_584_505_288, 67_405_853_768));
    }

    #[test]
    fn the_effective_product_never_falls_and_kept_fees_do_not_count() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (mut pool, ..) = Pool::open(POOL_BASE, 84_990_359_056);
        pool.boost();
        let product = |pool: &Pool| u128::from(pool.base) * pool.effective();
        for _ in 0..20_000 {
            let (before, keeps_fees, price) = (product(&pool), rng.bool(), pool.effective());
            if rng.bool() {
                let fill = if rng.bool() {
                    Some(pool.buy_quote(rng.u64(1..900_000_000)))
                } else {
                    pool.buy_base(rng.u64(1..900_000_000_000))
                };
                let fill = fill.unwrap();
                pool.bought(&fill, keeps_fees);
                assert_eq!(pool.effective(), price + u128::from(fill.quote + fill.lp));
            } else if let Some(fill) = pool.sell(rng.u64(0..900_000_000_000)) {
                pool.sold(&fill, keeps_fees);
                assert_eq!(pool.effective(), price - u128::from(fill.quote - fill.lp));
            }
            assert!(product(&pool) >= before);
        }
    }
}
