//! The arithmetic of Raydium's two constant-product programs, unit by unit: the swap fee is taken from what comes in and
//! stays in the pool, outputs are rounded down and inputs up (raydium-amm 27f461dd, raydium-cp-swap 0.2.0).
//!
//! The pools' config leaves the protocol no share of the fee, as no event says how much that would be.

use solana_sdk::pubkey::Pubkey;

use super::{
    address::{Purpose, RAYDIUM_CPMM, RAYDIUM_CPMM_CONFIG, WRAPPED_SOL, derive, made_key},
    curve::{ceil_share, floor_div},
    state::{Token, WalletId},
};

/// Of what comes in, in basis points.
const FEE_BPS: u64 = 25;
/// Made-up accounts of one pool.
const ACCOUNTS: u64 = 32;

/// Which of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// For tokens of the old token program only.
    AmmV4,
    Cpmm,
}

impl Kind {
    /// LP tokens of a new pool that nobody owns.
    const fn locked(self) -> u64 {
        match self {
            Self::AmmV4 => 1_000_000,
            Self::Cpmm => 100,
        }
    }
}

/// What a pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vaults {
    pub(super) base: u64,
    pub(super) quote: u64,
    pub(super) lp_supply: u64,
}

/// What a swap moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Swap {
    pub(super) buy: bool,
    /// Fees included.
    pub(super) input: u64,
    pub(super) output: u64,
    /// In what comes in.
    pub(super) fee: u64,
}

impl Swap {
    pub(super) const fn base(&self) -> u64 {
        if self.buy { self.output } else { self.input }
    }

    pub(super) const fn quote(&self) -> u64 {
        if self.buy { self.input } else { self.output }
    }
}

impl Vaults {
    /// What comes in first.
    pub(super) const fn turned(&self, buy: bool) -> (u64, u64) {
        if buy { (self.quote, self.base) } else { (self.base, self.quote) }
    }

    /// Gives so much.
    pub(super) fn give(&self, buy: bool, input: u64) -> Swap {
        let (from, to) = self.turned(buy);
        let fee = ceil_share(input, FEE_BPS);
        let used = u128::from(input.saturating_sub(fee));
        Swap { buy, input, output: floor_div(used * u128::from(to), u128::from(from) + used), fee }
    }

    /// Takes so much; `None` where the pool has not as much.
    pub(super) fn take(&self, buy: bool, output: u64) -> Option<Swap> {
        let (from, to) = self.turned(buy);
        let left = to.checked_sub(output).filter(|left| *left > 0)?;
        let used = (u128::from(from) * u128::from(output)).div_ceil(left.into());
        let input = u64::try_from((used * 10_000).div_ceil((10_000 - FEE_BPS).into())).ok()?;
        Some(Swap { buy, input, output, fee: ceil_share(input, FEE_BPS) })
    }

    pub(super) fn swapped(&mut self, swap: &Swap) {
        let (from, to) = if swap.buy { (&mut self.quote, &mut self.base) } else { (&mut self.base, &mut self.quote) };
        *from += swap.input;
        *to -= swap.output;
    }

    /// What so many LP tokens give back, rounded down.
    pub(super) fn withdraw(&self, lp: u64) -> (u64, u64) {
        let share = |reserve: u64| floor_div(u128::from(reserve) * u128::from(lp), self.lp_supply.max(1).into());
        (share(self.base), share(self.quote))
    }
}

/// A user's own pool of a token.
pub(super) struct Aside {
    pub(super) kind: Kind,
    pub(super) key: Pubkey,
    pub(super) lp_mint: Pubkey,
    pub(super) pool: Vaults,
    /// Who opened it, and the LP tokens he still has.
    pub(super) provider: WalletId,
    pub(super) provided: u64,
    /// Somebody is on the way who lives on differences between the prices.
    pub(super) hunted: bool,
}

impl Aside {
    /// A pool opened with these amounts.
    pub(super) fn open(seed: u64, token: &Token, provider: WalletId, base: u64, quote: u64) -> Self {
        let kind = if token.legacy { Kind::AmmV4 } else { Kind::Cpmm };
        let lp_supply = u64::try_from((u128::from(base) * u128::from(quote)).isqrt()).unwrap_or(u64::MAX);
        let key = match kind {
            Kind::AmmV4 => made_key(seed, Purpose::Aside, token.id * ACCOUNTS),
            Kind::Cpmm => {
                let (first, second) = if is_first(&token.mint) {
                    (&token.mint, &WRAPPED_SOL.key)
                } else {
                    (&WRAPPED_SOL.key, &token.mint)
                };
                let config = RAYDIUM_CPMM_CONFIG.key.as_array();
                derive(&RAYDIUM_CPMM, &[b"pool", config, first.as_array(), second.as_array()])
            }
        };
        Self {
            kind,
            key,
            lp_mint: Self::account(seed, token, 1),
            pool: Vaults { base, quote, lp_supply },
            provider,
            provided: lp_supply.saturating_sub(kind.locked()),
            hunted: false,
        }
    }

    /// One of the pool's made-up accounts; from 2 on they are free to use.
    pub(super) fn account(seed: u64, token: &Token, number: u64) -> Pubkey {
        made_key(seed, Purpose::Aside, token.id * ACCOUNTS + number)
    }

    /// Lamports per base unit.
    #[allow(clippy::cast_precision_loss, reason = "actors only look at it")]
    pub(super) fn price(&self) -> f64 {
        self.pool.quote as f64 / self.pool.base.max(1) as f64
    }
}

/// Whether this token stands first in its CPMM pool with SOL: they are in the order of their keys.
pub(super) fn is_first(mint: &Pubkey) -> bool {
    mint.as_array() < WRAPPED_SOL.key.as_array()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_product_never_falls_and_what_is_asked_for_costs_no_less() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut pool = Vaults { base: 50_000_000_000_000, quote: 20_000_000_000, lp_supply: 1_000_000_000_000 };
        let product = |pool: &Vaults| u128::from(pool.base) * u128::from(pool.quote);
        for _ in 0..20_000 {
            let (before, buy) = (product(&pool), rng.bool());
            let (from, _) = pool.turned(buy);
            let given = pool.give(buy, rng.u64(1..from / 30));
            let asked = pool.take(buy, given.output).unwrap();
            assert!(asked.input <= given.input && asked.output == given.output, "{asked:?} {given:?}");
            pool.swapped(if rng.bool() { &given } else { &asked });
            assert!(product(&pool) >= before);
        }
        assert_eq!(pool.take(true, pool.base), None);
    }
}
