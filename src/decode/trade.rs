//! A trade and its parts.

use crate::chain::{
    ids::{Mint, Pool, Wallet},
    program::Program,
};

/// Where a trade happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Venue {
    /// The pump bonding curve.
    Pump,
    /// `PumpSwap`.
    PumpSwap,
    /// Raydium AMM v4.
    RaydiumAmmV4,
    /// Raydium CPMM.
    RaydiumCpmm,
    /// Raydium CLMM.
    RaydiumClmm,
    /// Raydium `LaunchLab`, a launchpad.
    RaydiumLaunchlab,
    /// Meteora's dynamic bonding curve, a launchpad.
    MeteoraDbc,
    /// Meteora DAMM v2.
    MeteoraDammV2,
    /// Meteora DLMM.
    MeteoraDlmm,
    /// Meteora DAMM v1.
    MeteoraDammV1,
    /// Orca Whirlpool.
    OrcaWhirlpool,
}

impl Venue {
    /// The venue that is this program.
    #[must_use]
    pub const fn of(program: Program) -> Self {
        match program {
            Program::Pump => Self::Pump,
            Program::PumpSwap => Self::PumpSwap,
            Program::RaydiumAmmV4 => Self::RaydiumAmmV4,
            Program::RaydiumCpmm => Self::RaydiumCpmm,
            Program::RaydiumClmm => Self::RaydiumClmm,
            Program::RaydiumLaunchlab => Self::RaydiumLaunchlab,
            Program::MeteoraDbc => Self::MeteoraDbc,
            Program::MeteoraDammV2 => Self::MeteoraDammV2,
            Program::MeteoraDlmm => Self::MeteoraDlmm,
            Program::MeteoraDammV1 => Self::MeteoraDammV1,
            Program::OrcaWhirlpool => Self::OrcaWhirlpool,
        }
    }

    /// The program that is this venue.
    #[must_use]
    pub const fn program(self) -> Program {
        match self {
            Self::Pump => Program::Pump,
            Self::PumpSwap => Program::PumpSwap,
            Self::RaydiumAmmV4 => Program::RaydiumAmmV4,
            Self::RaydiumCpmm => Program::RaydiumCpmm,
            Self::RaydiumClmm => Program::RaydiumClmm,
            Self::RaydiumLaunchlab => Program::RaydiumLaunchlab,
            Self::MeteoraDbc => Program::MeteoraDbc,
            Self::MeteoraDammV2 => Program::MeteoraDammV2,
            Self::MeteoraDlmm => Program::MeteoraDlmm,
            Self::MeteoraDammV1 => Program::MeteoraDammV1,
            Self::OrcaWhirlpool => Program::OrcaWhirlpool,
        }
    }

    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.program().name()
    }

    /// Whether its pools are curves on which tokens are launched.
    #[must_use]
    pub const fn is_launchpad(self) -> bool {
        matches!(self, Self::Pump | Self::RaydiumLaunchlab | Self::MeteoraDbc)
    }
}

/// Where a trade was read from, the most trustworthy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The program's call to itself: cannot be forged or cut off.
    SelfCall,
    /// A `Program data:` line, attributed by the invoke stack.
    Log,
    /// A `ray_log:` line, attributed by the invoke stack.
    RayLog,
    /// The instruction and the token transfers below it: no reserves, no fees.
    Fallback,
}

impl Source {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfCall => "cpi",
            Self::Log => "log",
            Self::RayLog => "ray_log",
            Self::Fallback => "fallback",
        }
    }
}

/// Whose flow a trade is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// A user's own trade.
    User,
    /// `boost_buy_and_burn`: protocol flow.
    Boost,
    /// The mayhem agent's trade.
    MayhemAgent,
    /// The part of a completing buy beyond the curve.
    PostCompletion,
}

impl Flow {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Boost => "boost",
            Self::MayhemAgent => "mayhem_agent",
            Self::PostCompletion => "post_completion",
        }
    }
}

/// Seen from the base token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Base tokens leave the pool.
    Buy,
    /// Base tokens enter the pool.
    Sell,
}

impl Side {
    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// Effective reserves: with the virtual quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserves {
    /// Raw base units.
    pub base: u64,
    /// Raw quote units, virtual part included.
    pub quote: u128,
}

/// What a fee is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeKind {
    /// To liquidity providers.
    Lp,
    /// To the protocol.
    Protocol,
    /// To the token's creator.
    Creator,
    /// Back to the buyer.
    Cashback,
    /// To holders.
    HolderRewards,
    /// A slice of the protocol fee, not added to it.
    Buyback,
    /// To the launchpad's or pool's partner.
    Platform,
    /// To the referrer or host.
    Share,
    /// A token's own transfer fee.
    Transfer,
}

impl FeeKind {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lp => "lp",
            Self::Protocol => "protocol",
            Self::Creator => "creator",
            Self::Cashback => "cashback",
            Self::HolderRewards => "holder_rewards",
            Self::Buyback => "buyback",
            Self::Platform => "platform",
            Self::Share => "share",
            Self::Transfer => "transfer",
        }
    }
}

/// One fee of a trade, as the event states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// What for.
    pub kind: FeeKind,
    /// Raw units of the token it is charged in.
    pub amount: u64,
    /// Basis points, where the event carries them; of more than fit the most that do.
    pub bps: Option<u16>,
    /// Whether it is charged in the base token instead of the quote.
    pub in_base: bool,
}

/// What a limit bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// Most quote units to pay.
    MaxQuoteIn,
    /// Fewest base units to get.
    MinBaseOut,
    /// Fewest quote units to get.
    MinQuoteOut,
    /// Most base units to give: the bound of an exact-out sell.
    MaxBaseIn,
}

impl LimitKind {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MaxQuoteIn => "max_quote_in",
            Self::MinBaseOut => "min_base_out",
            Self::MinQuoteOut => "min_quote_out",
            Self::MaxBaseIn => "max_base_in",
        }
    }
}

/// A trader's own bound: the instruction's argument, unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it bounds.
    pub kind: LimitKind,
    /// Raw units.
    pub amount: u64,
}

/// A fee list without a heap.
pub type Fees = [Option<Fee>; 7];

/// How far a curve is on its way to completion, where its events say so themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurveProgress {
    /// Raw units sold or raised.
    pub done: u64,
    /// Raw units at which the curve is complete.
    pub goal: u64,
}

/// A price that a pool states as the square root of a ratio of raw amounts, in 64.64 fixed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqrtPrice {
    /// The root.
    pub root: u128,
    /// Whether the ratio is base per quote instead of quote per base.
    pub inverted: bool,
}

impl SqrtPrice {
    /// Raw quote units per raw base unit; `None` where it is not a finite positive number.
    #[must_use]
    pub fn quote_per_base(self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "a price needs no more")]
        let root = self.root as f64 / 2_f64.powi(64);
        let price = if self.inverted { (root * root).recip() } else { root * root };
        (price.is_finite() && price > 0.0).then_some(price)
    }
}

/// What a transaction's sender paid for speed, in lamports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Transfers to known tip accounts.
    pub tip: u64,
    /// The priority fee; `None` where its unit price is set and the unit limit is not.
    pub priority_fee: Option<u64>,
    /// The compute unit limit asked for.
    pub compute_unit_limit: Option<u32>,
}

/// A trade.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    /// Where.
    pub venue: Venue,
    /// Where it was read from.
    pub source: Source,
    /// Whose flow.
    pub flow: Flow,
    /// The parent instruction's name, e.g. `buy_exact_quote_in_v2`.
    pub instruction: &'static str,
    /// The pool; the curve for launchpads.
    pub pool: Pool,
    /// The base token.
    pub mint: Mint,
    /// The quote token; wrapped SOL for SOL.
    pub quote_mint: Mint,
    /// Owner of the token account that traded.
    pub user: Wallet,
    /// Seen from the base token.
    pub side: Side,
    /// Raw base units.
    pub base_amount: u64,
    /// Raw quote units that move the price, without fees on top; a fallback's holds the fees that stay in the pool.
    pub quote_amount: u64,
    /// The fees the event states.
    pub fees: Fees,
    /// Effective reserves before, where they can be derived.
    pub reserves_before: Option<Reserves>,
    /// Effective reserves after.
    pub reserves_after: Option<Reserves>,
    /// The part of the quote reserve before that is not in the pool's vault, of pools whose events say it.
    pub virtual_quote: Option<i128>,
    /// Tokens still for sale on the curve afterwards (`real_token_reserves`); launchpads only.
    pub curve_tokens_left: Option<u64>,
    /// Real quote on the curve afterwards; launchpads only.
    pub curve_real_quote: Option<u64>,
    /// Progress afterwards, of launchpads whose events state it.
    pub curve_progress: Option<CurveProgress>,
    /// The price afterwards, of pools that state it.
    pub sqrt_price: Option<SqrtPrice>,
    /// The trader's own bound.
    pub limit: Option<Limit>,
    /// Token supply as the event states it.
    pub base_supply: Option<u64>,
    /// Decimals of the base token, where the transaction's token balances tell.
    pub base_decimals: Option<u8>,
    /// The top-level program when it is not the venue itself.
    pub outer_program: Option<[u8; 32]>,
    /// The app that sent it; `direct` for a call of the venue itself, `None` where nothing tells.
    pub app: Option<&'static str>,
    /// What its transaction paid for speed.
    pub cost: Cost,
    /// A mayhem-mode coin, as the event says; pool events do not say it.
    pub mayhem: bool,
}
