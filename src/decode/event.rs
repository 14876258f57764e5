//! What the decoder says happened: the program's own vocabulary, independent of venue layouts.

use crate::chain::ids::{Mint, Pool, Signature, Wallet};

pub use super::sender::DIRECT;
pub use super::trade::{
    Cost, CurveProgress, Fee, FeeKind, Fees, Flow, Limit, LimitKind, Reserves, Side, Source, SqrtPrice, Trade, Venue,
};
pub use super::words::Words;

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
            EventKind::CurveCompleted { venue, .. } | EventKind::Graduated { venue, .. } => *venue,
            EventKind::BoostInitialized { .. } => Venue::PumpSwap,
            EventKind::CurveAdjusted { .. } => Venue::Pump,
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all events are trades, and a box would cost each an allocation")]
pub enum EventKind {
    /// Tokens changed hands against a pool or curve.
    Trade(Trade),
    /// A token was launched.
    TokenCreated(TokenCreated),
    /// A curve sold its last token.
    CurveCompleted {
        /// Where.
        venue: Venue,
        /// The token.
        mint: Mint,
        /// Its curve.
        curve: Pool,
        /// Whose buy completed it.
        user: Wallet,
    },
    /// A completed curve's liquidity moved to its pool.
    Graduated {
        /// Where the curve was.
        venue: Venue,
        /// The token.
        mint: Mint,
        /// Its curve.
        curve: Pool,
        /// Its pool from now on.
        pool: Pool,
        /// Quote units moved: of pump the migration event's `sol_amount`, of others the transfers into the pool.
        quote_amount: u64,
        /// Tokens moved: of pump the migration event's `mint_amount`, of others the transfers into the pool.
        base_amount: u64,
    },
    /// A pool was opened.
    PoolCreated(PoolCreated),
    /// Liquidity was added or taken.
    Liquidity(Liquidity),
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

impl EventKind {
    /// The token it is about.
    #[must_use]
    pub const fn mint(&self) -> Mint {
        match self {
            Self::Trade(trade) => trade.mint,
            Self::TokenCreated(created) => created.mint,
            Self::PoolCreated(created) => created.mint,
            Self::Liquidity(liquidity) => liquidity.mint,
            Self::CurveCompleted { mint, .. }
            | Self::Graduated { mint, .. }
            | Self::BoostInitialized { mint, .. }
            | Self::CurveAdjusted { mint, .. } => *mint,
        }
    }

    /// The trade, if it is one.
    pub(super) fn trade_mut(&mut self) -> Option<&mut Trade> {
        match self {
            Self::Trade(trade) => Some(trade),
            _ => None,
        }
    }
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
    pub name: Words<32>,
    /// Raw bytes as the chain holds them.
    pub symbol: Words<16>,
    /// Raw bytes as the chain holds them; never fetched.
    pub uri: Words<200>,
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
    /// LP tokens as the event states them; `None` for pools that have none.
    pub lp_amount: Option<u64>,
    /// Who opened it.
    pub user: Wallet,
    /// Decimals of the base token, where known.
    pub base_decimals: Option<u8>,
    /// Decimals of the quote token, where known.
    pub quote_decimals: Option<u8>,
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
    /// LP tokens as the event states them; `None` for pools that have none.
    pub lp_amount: Option<u64>,
    /// Who.
    pub user: Wallet,
    /// Raw pool reserves before, without any virtual quote, where the event carries them.
    pub raw_reserves_before: Option<(u64, u64)>,
}
