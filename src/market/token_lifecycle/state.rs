//! What is known of a token beside its trades, what a change does to it, and how a change is taken back.

use super::super::{
    change::MilestoneKind,
    milestones::Milestones,
    trading_activity::ActivityUndo,
    view::{EtaView, Stage},
};
use crate::{
    chain::ids::{Mint, Pool, Wallet},
    decode::event::{Reserves, Venue},
};

/// What stands around a token.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::market) struct Around {
    /// Lamports per raw unit of its quote, if there is a path to SOL.
    pub(in crate::market) lamports_per_unit: Option<f64>,
    /// US dollars per SOL.
    pub(in crate::market) sol_usd: Option<f64>,
    /// Mixed into hashes.
    pub(in crate::market) secret: u64,
}

/// A forecast of completion to be scored, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::market) struct Promise {
    pub(in crate::market) low_ms: i64,
    pub(in crate::market) high_ms: i64,
    /// Its time is up.
    pub(in crate::market) overdue: bool,
}

/// The part of a token that is copied before each change, so that the change can be undone.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "a token's own flags")]
pub(in crate::market) struct Core {
    pub(super) venue: Venue,
    pub(in crate::market) stage: Stage,
    pub(in crate::market) quote_mint: Mint,
    pub(super) initial_tokens: u64,
    pub(super) tokens_left: Option<u64>,
    pub(super) supply: u64,
    pub(in crate::market) decimals: Option<u8>,
    pub(super) reserves: Option<Reserves>,
    /// Raw quote per raw base of a pool that states no reserves.
    pub(super) ratio: Option<f64>,
    pub(super) buys: u64,
    pub(super) sells: u64,
    pub(super) created_slot: Option<u64>,
    pub(super) created_ms: Option<i64>,
    pub(in crate::market) last_trade_ms: Option<i64>,
    pub(in crate::market) creator: Option<Wallet>,
    /// Its curve, where one was seen.
    pub(in crate::market) curve: Option<Pool>,
    /// Where its price is made: the curve, later the pool its liquidity moved to; of tokens met in a pool the first seen.
    pub(in crate::market) home: Option<Pool>,
    pub(super) mayhem: bool,
    pub(super) graduated: bool,
    pub(super) cashback: bool,
    pub(super) holder_rewards: bool,
    pub(super) milestones: Milestones,
    pub(in crate::market) promise: Option<Promise>,
    /// Market cap in SOL, to compare tokens by.
    pub(in crate::market) market_cap_sol: Option<f64>,
}

/// How to take a change of a token back.
#[derive(Clone, Copy, Debug)]
pub(in crate::market) struct TokenUndo {
    /// Whether the token was made for it.
    pub(in crate::market) fresh: bool,
    pub(super) core: Core,
    pub(super) activity: Option<ActivityUndo>,
    pub(super) priced: bool,
}

impl TokenUndo {
    pub(in crate::market) const fn new(fresh: bool, core: &Core) -> Self {
        Self { fresh, core: *core, activity: None, priced: false }
    }
}

/// What a trade did to its token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::market) struct TradeEffect {
    pub(in crate::market) price_sol: Option<f64>,
    pub(in crate::market) market_cap_sol: Option<f64>,
    /// New progress, if it moved.
    pub(in crate::market) progress_pct: Option<f64>,
    /// When the curve will be sold out, if progress moved.
    pub(in crate::market) eta: Option<EtaView>,
    /// See [`TradeView::room_pct`](super::view::TradeView::room_pct).
    pub(in crate::market) room_pct: Option<f64>,
    /// Of a trade elsewhere, the price in the place where the token's price is made.
    pub(in crate::market) home_price_sol: Option<f64>,
}

/// A milestone passed.
pub(in crate::market) type Passed = (MilestoneKind, f64);
