//! What the decoder says happened: the program's own vocabulary, independent of venue layouts.

use crate::chain::ids::{Mint, Pool, Signature, Wallet};

/// Where in a transaction an event was caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// Index of the top-level instruction.
    pub outer: u16,
    /// Index in that instruction's flattened list of inner instructions, if the cause is one of them.
    pub inner: Option<u16>,
}

/// One fact of the chain. `(signature, path, event_index)` identifies it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Slot of the transaction.
    pub slot: u64,
    /// The transaction.
    pub signature: Signature,
    /// Position of the transaction in its block.
    pub tx_index: u64,
    /// The instruction that caused it (not its self-CPI event).
    pub path: Path,
    /// 0, 1, … where one instruction yields several events.
    pub event_index: u16,
    /// Event time by the chain, in seconds since the Unix epoch, where the event carries one.
    pub timestamp: Option<i64>,
    /// Account key 0 of the transaction: who pays its fee.
    pub payer: Wallet,
    /// What happened.
    pub kind: EventKind,
}

impl Event {
    /// Where it happened.
    #[must_use]
    pub fn venue(&self) -> Venue {
        match &self.kind {
            EventKind::Trade(trade) => trade.venue,
            EventKind::TokenCreated(created) => created.venue,
            EventKind::PoolCreated(created) => created.venue,
            EventKind::Liquidity(liquidity) => liquidity.venue,
            EventKind::BoostInitialized { .. } => Venue::PumpSwap,
            EventKind::CurveCompleted { .. } | EventKind::Graduated { .. } | EventKind::CurveAdjusted { .. } => {
                Venue::Pump
            }
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// Tokens changed hands against a pool or curve.
    Trade(Box<Trade>),
    /// A token was launched.
    TokenCreated(Box<TokenCreated>),
    /// A curve sold its last token.
    CurveCompleted {
        /// The token.
        mint: Mint,
        /// Its curve.
        curve: Pool,
        /// Whose buy completed it.
        user: Wallet,
    },
    /// A completed curve's liquidity moved to its pool.
    Graduated {
        /// The token.
        mint: Mint,
        /// Its curve.
        curve: Pool,
        /// Its pool from now on.
        pool: Pool,
        /// The migration event's `sol_amount`: quote units moved.
        quote_amount: u64,
        /// The migration event's `mint_amount`: tokens moved.
        base_amount: u64,
    },
    /// A pool was opened.
    PoolCreated(Box<PoolCreated>),
    /// Liquidity was added or taken.
    Liquidity(Box<Liquidity>),
    /// A pool's virtual quote reserve was set at migration (`InitBoostEvent`).
    BoostInitialized {
        /// The token.
        mint: Mint,
        /// The pool.
        pool: Pool,
        /// Virtual quote reserve, raw quote units.
        virtual_quote: i128,
        /// Real quote reserve afterwards.
        real_quote: u64,
    },
    /// A mayhem agent shifted a curve's virtual reserves (`UpdateMayhemVirtualParamsEvent`).
    CurveAdjusted {
        /// The token.
        mint: Mint,
        /// Virtual reserves from now on.
        reserves: Reserves,
    },
}

/// Where a trade happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Venue {
    /// The pump bonding curve.
    Pump,
    /// `PumpSwap`.
    PumpSwap,
}

impl Venue {
    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pump => "pump",
            Self::PumpSwap => "pump_swap",
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
    /// The quote token's own transfer fee.
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
            Self::Transfer => "transfer",
        }
    }
}

/// One fee of a trade, as the event states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// What for.
    pub kind: FeeKind,
    /// Raw units of the pool's own quote: the trade's quote, but for pools that have a currency as their base (the few
    /// where `quote_mint` is not what the venue calls quote).
    pub amount: u64,
    /// Basis points, where the event carries them.
    pub bps: Option<u64>,
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

/// A fee list without a heap: at most one fee of each kind.
pub type Fees = [Option<Fee>; 7];

/// A trade.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    /// Where.
    pub venue: Venue,
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
    /// Raw quote units that move the price, without fees on top.
    pub quote_amount: u64,
    /// The fees the event states.
    pub fees: Fees,
    /// Effective reserves before, where they can be derived.
    pub reserves_before: Option<Reserves>,
    /// Effective reserves after.
    pub reserves_after: Option<Reserves>,
    /// Tokens still for sale on the curve afterwards (`real_token_reserves`); launchpads only.
    pub curve_tokens_left: Option<u64>,
    /// Real quote on the curve afterwards; launchpads only.
    pub curve_real_quote: Option<u64>,
    /// The trader's own bound.
    pub limit: Option<Limit>,
    /// Token supply as the event states it.
    pub base_supply: Option<u64>,
    /// Decimals of the base token, where the transaction's token balances tell.
    pub base_decimals: Option<u8>,
    /// The top-level program when it is not the venue itself.
    pub outer_program: Option<[u8; 32]>,
    /// A mayhem-mode coin, as the event says; pool events do not say it.
    pub mayhem: bool,
}

/// A launch.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenCreated {
    /// Where.
    pub venue: Venue,
    /// The token.
    pub mint: Mint,
    /// Its curve.
    pub curve: Pool,
    /// Raw bytes as the chain holds them: untrusted, perhaps not UTF-8.
    pub name: Box<[u8]>,
    /// Raw bytes as the chain holds them.
    pub symbol: Box<[u8]>,
    /// Raw bytes as the chain holds them; never fetched.
    pub uri: Box<[u8]>,
    /// `user` of the create event.
    pub creator: Wallet,
    /// The token program that owns the mint, where the event says.
    pub token_program: Option<[u8; 32]>,
    /// The quote token; wrapped SOL for SOL.
    pub quote_mint: Mint,
    /// Mayhem mode.
    pub mayhem: bool,
    /// Virtual reserves at the start, where the event carries them.
    pub initial: Option<Reserves>,
    /// Tokens for sale on the curve at the start, where the event carries them.
    pub initial_tokens_left: Option<u64>,
    /// Total supply, where the event carries it.
    pub supply: Option<u64>,
}

/// A new pool.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolCreated {
    /// Where.
    pub venue: Venue,
    /// The pool.
    pub pool: Pool,
    /// The base token.
    pub mint: Mint,
    /// The quote token.
    pub quote_mint: Mint,
    /// Raw base units put in.
    pub base_amount: u64,
    /// Raw quote units put in.
    pub quote_amount: u64,
    /// LP tokens as the event states them.
    pub lp_amount: u64,
    /// Who opened it.
    pub user: Wallet,
    /// Decimals of the base token.
    pub base_decimals: u8,
    /// Decimals of the quote token.
    pub quote_decimals: u8,
}

/// What an LP did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LiquidityAction {
    /// Put in.
    Deposit,
    /// Took out.
    Withdraw,
}

impl LiquidityAction {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdraw => "withdraw",
        }
    }
}

/// A change of a pool's liquidity.
#[derive(Clone, Debug, PartialEq)]
pub struct Liquidity {
    /// Where.
    pub venue: Venue,
    /// The pool.
    pub pool: Pool,
    /// The base token.
    pub mint: Mint,
    /// The quote token.
    pub quote_mint: Mint,
    /// Deposit or withdrawal.
    pub action: LiquidityAction,
    /// Raw base units.
    pub base_amount: u64,
    /// Raw quote units.
    pub quote_amount: u64,
    /// LP tokens as the event states them.
    pub lp_amount: u64,
    /// Who.
    pub user: Wallet,
    /// Raw pool reserves before, without any virtual quote: the event lacks it.
    pub raw_reserves_before: (u64, u64),
}
