//! What the market shows of itself: values for the view.

use std::sync::Arc;

use crate::{
    chain::{
        ids::{Mint, Pool, Signature, Wallet},
        text::Shown,
    },
    decode::event::{Flow, Side, Venue},
};

/// Where a token is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Launched, not traded yet.
    Created,
    /// On its curve.
    Trading,
    /// The curve is sold out.
    Completing,
    /// Liquidity moved, no pool trade yet.
    Migrated,
    /// Trading in a pool.
    Amm,
}

impl Stage {
    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Trading => "trading",
            Self::Completing => "completing",
            Self::Migrated => "migrated",
            Self::Amm => "amm",
        }
    }
}

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenView {
    /// Its mint.
    pub mint: Mint,
    /// Its symbol, made safe; empty when its creation was not seen.
    pub symbol: Shown,
    /// Its name, made safe; empty when its creation was not seen.
    pub name: Shown,
    /// Where it trades now.
    pub venue: Venue,
    /// Where it is in its life.
    pub stage: Stage,
    /// Share of the curve's tokens sold in percent (0–100, floored to 0.01); `None` off the curve.
    pub progress_pct: Option<f64>,
    /// Quote token.
    pub quote_mint: Mint,
    /// SOL per whole token.
    pub price_sol: Option<f64>,
    /// Price times supply, in SOL.
    pub market_cap_sol: Option<f64>,
    /// Price now against the first price seen within the last five minutes, in percent.
    pub change_5m_pct: Option<f64>,
    /// SOL traded in the last five minutes.
    pub volume_sol_5m: f64,
    /// Buys since first seen.
    pub buys: u64,
    /// Sells since first seen.
    pub sells: u64,
    /// Distinct traders since first seen; exact up to the bound of the set, then a lower bound.
    pub traders: u64,
    /// Slot of its creation, if that was seen.
    pub created_slot: Option<u64>,
    /// When it was created by the chain's clock, in milliseconds since the Unix epoch, if that was seen.
    pub created_ms: Option<i64>,
    /// When its last trade arrived, in milliseconds since the Unix epoch.
    pub last_trade_ms: Option<i64>,
    /// Who created it, if that was seen.
    pub creator: Option<Wallet>,
    /// Curve or pool it trades in.
    pub pool: Option<Pool>,
    /// `mayhem`, `graduated`, `cashback`, …
    pub flags: Vec<&'static str>,
    /// The last prices in SOL, oldest first, one per trade, bounded.
    pub prices: Arc<[f32]>,
}

/// One trade on the tape.
#[derive(Clone, Debug, PartialEq)]
pub struct TradeView {
    /// When it arrived, in milliseconds since the Unix epoch.
    pub recv_ms: i64,
    /// Its slot.
    pub slot: u64,
    /// Its transaction.
    pub signature: Signature,
    /// Where.
    pub venue: Venue,
    /// Whose flow.
    pub flow: Flow,
    /// The token.
    pub mint: Mint,
    /// Its symbol, made safe; empty when unknown.
    pub symbol: Shown,
    /// Who.
    pub user: Wallet,
    /// Seen from the token.
    pub side: Side,
    /// Whole tokens, where the decimals are known.
    pub base: Option<f64>,
    /// SOL, where the quote is SOL.
    pub sol: Option<f64>,
    /// SOL per whole token after the trade.
    pub price_sol: Option<f64>,
    /// Market cap in SOL after the trade.
    pub market_cap_sol: Option<f64>,
}

/// A step in a token's life.
#[derive(Clone, Debug, PartialEq)]
pub struct LifecycleView {
    /// When it arrived, in milliseconds since the Unix epoch.
    pub recv_ms: i64,
    /// Its slot.
    pub slot: u64,
    /// The token.
    pub mint: Mint,
    /// Its symbol, made safe; empty when unknown.
    pub symbol: Shown,
    /// What happened.
    pub step: LifecycleStep,
}

/// See [`LifecycleView`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LifecycleStep {
    /// Launched.
    Created,
    /// Progress passed this many percent for the first time.
    Progress(u8),
    /// The curve is sold out.
    Completed,
    /// Liquidity moved to this pool.
    Graduated(Pool),
}

/// A bounded list of the newest entries, each with a running number: a reader that skips views knows what it missed.
#[derive(Debug)]
pub struct Feed<T> {
    /// The newest entries, oldest first.
    pub entries: Arc<[Arc<T>]>,
    /// Number of the first entry in `entries`; numbers run on by one.
    pub first_seq: u64,
}

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), first_seq: self.first_seq }
    }
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self { entries: Arc::from([]), first_seq: 0 }
    }
}
