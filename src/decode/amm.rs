//! What all pools with two vaults share: a swap, seen from the base token.

use super::{
    event::{
        Cost, EventKind, Fees, Flow, Limit, LimitKind, Liquidity, LiquidityAction, PoolCreated, Reserves, Side,
        SqrtPrice, Trade, Venue,
    },
    venue::{Parent, Seats, is_inverted},
};
use crate::chain::ids::{Mint, Pool, Wallet};

/// A swap as a pool sees it, its own base first: token 0, a, x or coin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swap {
    pub(super) venue: Venue,
    pub(super) pool: Pool,
    pub(super) user: Wallet,
    pub(super) mints: [Mint; 2],
    /// Whether the pool's own quote comes in.
    pub(super) buy: bool,
    pub(super) amounts: [u64; 2],
    /// Fees; `in_base` means the pool's own base.
    pub(super) fees: Fees,
    pub(super) before: Option<[u128; 2]>,
    pub(super) after: Option<[u128; 2]>,
    /// Square root of the pool's own quote per own base afterwards.
    pub(super) sqrt_price: Option<u128>,
    pub(super) base_supply: Option<u64>,
    /// Positions of the vaults among the instruction's accounts.
    pub(super) vaults: Option<[usize; 2]>,
    pub(super) limit: Option<Limit>,
}

impl Swap {
    /// Seen from the base token, which is the pool's own quote where the pool has a currency as its base.
    pub(super) fn trade(self, parent: &Parent<'_>) -> Trade {
        let [own_base, own_quote] = self.mints;
        let inverted = is_inverted(own_base, own_quote);
        let [mint, quote_mint] = turned(self.mints, inverted);
        let [base_amount, quote_amount] = turned(self.amounts, inverted);
        let reserves = |pair: Option<[u128; 2]>| {
            let [base, quote] = turned(pair?, inverted);
            u64::try_from(base).ok().map(|base| Reserves { base, quote })
        };
        let vault = self.vaults.map(|vaults| turned(vaults, inverted)[0]);
        let mut fees = self.fees;
        for fee in fees.iter_mut().flatten() {
            fee.in_base ^= inverted;
        }
        Trade {
            venue: self.venue,
            source: parent.source,
            flow: Flow::User,
            instruction: parent.name(),
            pool: self.pool,
            mint,
            quote_mint,
            user: self.user,
            side: if self.buy == inverted { Side::Sell } else { Side::Buy },
            base_amount,
            quote_amount,
            fees,
            reserves_before: reserves(self.before),
            reserves_after: reserves(self.after),
            virtual_quote: None,
            curve_tokens_left: None,
            curve_real_quote: None,
            curve_progress: None,
            sqrt_price: self.sqrt_price.map(|root| SqrtPrice { root, inverted }),
            limit: self.limit.map(|limit| if inverted { opposite(limit) } else { limit }),
            base_supply: self.base_supply.filter(|_| !inverted),
            base_decimals: vault.and_then(|vault| parent.decimals(vault)),
            outer_program: parent.outer_program,
            app: None,
            cost: Cost::default(),
            mayhem: false,
        }
    }
}

/// What the events of pools without reserves say of a swap; the instruction says the rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) venue: Venue,
    pub(super) pool: Pool,
    /// Whether the pool's own base comes in.
    pub(super) base_in: bool,
    pub(super) input: u64,
    pub(super) output: u64,
    /// Fees; `in_base` means the pool's own base.
    pub(super) fees: Fees,
    /// Square root of the pool's own quote per own base afterwards.
    pub(super) sqrt_price: Option<u128>,
}

impl Told {
    /// The swap, of a pool with these seats.
    pub(super) fn at(self, seats: &Seats, parent: &Parent<'_>) -> Option<Swap> {
        let (mints, vaults) = own_order(parent, seats, self.base_in)?;
        let buy = !self.base_in;
        Some(Swap {
            venue: self.venue,
            pool: self.pool,
            user: parent.account(seats.user)?,
            mints,
            buy,
            amounts: turned([self.input, self.output], buy),
            fees: self.fees,
            before: None,
            after: None,
            sqrt_price: self.sqrt_price,
            base_supply: None,
            vaults: Some(vaults),
            limit: parent.limit(buy),
        })
    }

    /// The trade, of the pool that the instruction names.
    pub(super) fn trade(self, parent: &Parent<'_>) -> Option<Trade> {
        Some(self.at(&parent.seats(Some(self.pool))?, parent)?.trade(parent))
    }
}

/// A change of liquidity as a pool sees it, its own base first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) venue: Venue,
    pub(super) pool: Pool,
    pub(super) user: Wallet,
    pub(super) mints: [Mint; 2],
    pub(super) action: LiquidityAction,
    pub(super) amounts: [u64; 2],
    pub(super) lp_amount: Option<u64>,
    pub(super) reserves_before: Option<[u64; 2]>,
}

impl Change {
    /// Seen from the base token.
    pub(super) fn event(self) -> EventKind {
        let inverted = is_inverted(self.mints[0], self.mints[1]);
        let [mint, quote_mint] = turned(self.mints, inverted);
        let [base_amount, quote_amount] = turned(self.amounts, inverted);
        EventKind::Liquidity(Liquidity {
            venue: self.venue,
            pool: self.pool,
            mint,
            quote_mint,
            action: self.action,
            base_amount,
            quote_amount,
            lp_amount: self.lp_amount,
            user: self.user,
            raw_reserves_before: self.reserves_before.map(|pair| turned(pair, inverted).into()),
        })
    }
}

/// A new pool as it sees itself, its own base first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) venue: Venue,
    pub(super) pool: Pool,
    pub(super) user: Wallet,
    pub(super) mints: [Mint; 2],
    pub(super) amounts: [u64; 2],
    pub(super) lp_amount: Option<u64>,
    pub(super) decimals: [Option<u8>; 2],
}

impl Opening {
    /// Seen from the base token.
    pub(super) fn event(self) -> EventKind {
        let inverted = is_inverted(self.mints[0], self.mints[1]);
        let [mint, quote_mint] = turned(self.mints, inverted);
        let [base_amount, quote_amount] = turned(self.amounts, inverted);
        let [base_decimals, quote_decimals] = turned(self.decimals, inverted);
        EventKind::PoolCreated(PoolCreated {
            venue: self.venue,
            pool: self.pool,
            mint,
            quote_mint,
            base_amount,
            quote_amount,
            lp_amount: self.lp_amount,
            user: self.user,
            base_decimals,
            quote_decimals,
        })
    }
}

/// A pool's mints and vaults in its own order, given whether its own base comes in.
fn own_order(parent: &Parent<'_>, seats: &Seats, base_in: bool) -> Option<([Mint; 2], [usize; 2])> {
    let exchange = seats.by_direction && !base_in;
    Some((turned(parent.mints(seats)?, exchange), turned(seats.vaults, exchange)))
}

/// A pair, exchanged or not.
pub(super) fn turned<T>([first, second]: [T; 2], exchange: bool) -> [T; 2] {
    if exchange { [second, first] } else { [first, second] }
}

/// The same bound seen from the other side of the pool.
const fn opposite(limit: Limit) -> Limit {
    let kind = match limit.kind {
        LimitKind::MaxQuoteIn => LimitKind::MaxBaseIn,
        LimitKind::MinBaseOut => LimitKind::MinQuoteOut,
        LimitKind::MinQuoteOut => LimitKind::MinBaseOut,
        LimitKind::MaxBaseIn => LimitKind::MaxQuoteIn,
    };
    Limit { kind, amount: limit.amount }
}
