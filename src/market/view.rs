//! What the market shows of itself: values for the view.

use std::sync::Arc;

use crate::{
    chain::{
        ids::{Mint, Pool, Signature, Wallet},
        text::Shown,
    },
    decode::event::{Flow, Reserves, Side, Source, Venue},
};

use super::reserve_chain::{Link, Placed};

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
    /// US dollars per whole token, while the price of SOL is known.
    pub price_usd: Option<f64>,
    /// Price times supply, in US dollars, while the price of SOL is known.
    pub market_cap_usd: Option<f64>,
    /// When the curve will be sold out at the present flow; on a curve only.
    pub eta: Option<EtaView>,
    /// How strong it is.
    pub momentum: Option<MomentumView>,
    /// Whether of the curve tokens traded within the last minute it has the highest market cap.
    pub leader: bool,
    /// The last minute, five minutes and hour; exact to 5 s, 5 s and a minute.
    pub windows: [WindowView; 3],
    /// Price now against the first price seen within the last five minutes, in percent.
    pub change_5m_pct: Option<f64>,
    /// SOL traded in the last five minutes.
    pub volume_sol_5m: f64,
    /// Buys of users since first seen.
    pub buys: u64,
    /// Sells of users since first seen.
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

/// What happened to a token within a time. Users' trades only: not the protocol's and agents'.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WindowView {
    /// SOL traded.
    pub volume_sol: f64,
    /// SOL of buys less SOL of sells.
    pub net_inflow_sol: f64,
    /// Buys.
    pub buys: u64,
    /// Sells.
    pub sells: u64,
    /// Distinct traders.
    pub traders: u64,
    /// Mean price weighted by volume, in SOL per whole token.
    pub vwap_sol: Option<f64>,
}

/// When a curve will be sold out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EtaView {
    /// At the mean flow, in seconds.
    pub eta_s: f64,
    /// Lower end of the interval that should hold 80 % of completions.
    pub low_s: f64,
    /// Its upper end; none where the flow may as well stop.
    pub high_s: Option<f64>,
}

/// Forecasts of completion, made at half the curve, against what came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EtaScoreView {
    /// Completions of which there was one with an interval.
    pub scored: u64,
    /// Completed within the interval; 80 % should.
    pub inside: u64,
    /// Forecasts whose time was up before the curve was sold out, if it ever was: most curves never are.
    pub overdue: u64,
}

/// A token's strength, 0–100, and the four parts it is the sum of, 0–25 each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MomentumView {
    /// The sum.
    pub score: f64,
    /// Net inflow of a minute against the market cap: full at 10 %.
    pub inflow: f64,
    /// Distinct traders of a minute: full at 50.
    pub traders: f64,
    /// Volume of the last minute against that of five: full when all is new.
    pub pace: f64,
    /// Share of buys in the trades of a minute.
    pub buys: f64,
}

/// How far the price of SOL can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SolUsdState {
    /// Two sources at least agree.
    Live,
    /// None do now, and the user has said what to take.
    Assumed,
    /// They did, more than 30 s ago.
    Stale,
    /// No two sources on the stream have agreed so far.
    #[default]
    Unknown,
}

impl SolUsdState {
    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Assumed => "assumed",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
        }
    }
}

/// The price of SOL in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SolUsdView {
    /// The median of the sources when they last agreed; or what the user said.
    pub price: Option<f64>,
    /// When that was, in milliseconds since the Unix epoch.
    pub at_ms: Option<i64>,
    /// Sources that are fresh, if they agree.
    pub sources: usize,
    /// Readings refused as jumps.
    pub refused: u64,
    /// How far it can be relied on.
    pub state: SolUsdState,
}

/// Fee rates as a pool's last event carried them, in basis points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeRates {
    /// To liquidity providers.
    pub lp: Option<u16>,
    /// To the protocol.
    pub protocol: Option<u16>,
    /// To the token's creator.
    pub creator: Option<u16>,
}

/// One pool or curve.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolView {
    /// Its address.
    pub pool: Pool,
    /// Its base token.
    pub mint: Mint,
    /// That token's symbol, made safe; empty when unknown.
    pub symbol: Shown,
    /// Where.
    pub venue: Venue,
    /// A curve whose liquidity has moved to its token's pool: it holds nothing and has no price any more.
    pub closed: bool,
    /// Its quote token.
    pub quote_mint: Mint,
    /// Effective reserves, virtual quote included.
    pub reserves: Option<Reserves>,
    /// The part of the quote reserve that is not in the pool, in raw units, where known; negative where the vault holds
    /// fees that are not the pool's.
    pub virtual_quote: Option<i128>,
    /// SOL per whole token.
    pub price_sol: Option<f64>,
    /// What both sides are worth, the virtual quote left out, in SOL.
    pub tvl_sol: Option<f64>,
    /// The same in US dollars.
    pub tvl_usd: Option<f64>,
    /// SOL to spend, fees aside, until the price is 2 % higher; of pools with constant product, and curves not sold out.
    pub depth_up_sol: Option<f64>,
    /// SOL to take out, fees aside, until the price is 2 % lower.
    pub depth_down_sol: Option<f64>,
    /// Fee rates.
    pub fees: FeeRates,
    /// Deposits seen.
    pub deposits: u64,
    /// Withdrawals seen.
    pub withdrawals: u64,
    /// Raw quote units put in by deposits.
    pub deposited: u64,
    /// Raw quote units taken out by withdrawals.
    pub withdrawn: u64,
    /// Largest share of the pool that one withdrawal took, in percent.
    pub removed_pct: Option<f64>,
    /// When it was opened, in milliseconds since the Unix epoch, if that was seen.
    pub opened_ms: Option<i64>,
    /// Its price against that of the pool or curve where the token's price is made, in percent.
    pub divergence_pct: Option<f64>,
    /// Trades seen.
    pub trades: u64,
    /// When something last happened to it, in milliseconds since the Unix epoch.
    pub last_ms: i64,
    /// Gaps in its chain of reserves that were not mended.
    pub open_gaps: u32,
    /// Slot of the newest of them.
    pub broken_since: Option<u64>,
    /// Of a curve, the newest slot as of which its account said the same as its trades; where accounts are subscribed to.
    pub confirmed_slot: Option<u64>,
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
    /// By how much it came out better than its sender's bound, in percent; near 0 where the slippage allowed was used up.
    pub room_pct: Option<f64>,
    /// Worth 10 SOL at least.
    pub whale: bool,
    /// How much it can be relied on.
    pub basis: Basis,
}

/// What the figures of a trade rest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// The program's own event, and nothing is missing before it.
    #[default]
    Event,
    /// The program's own event; something of its pool before it is missing, or came after it.
    Gap,
    /// The instruction and what it moved, for want of an event: fees and reserves are not known.
    Instruction,
}

impl Basis {
    /// Of a trade from this source in this place.
    #[must_use]
    pub fn of(source: Source, placed: Option<Placed>) -> Self {
        match (source, placed.map(|placed| placed.link)) {
            (Source::Fallback, _) => Self::Instruction,
            (_, Some(Link::AfterGap | Link::Late)) => Self::Gap,
            _ => Self::Event,
        }
    }

    /// Whether its figures are marked as uncertain.
    #[must_use]
    pub fn is_uncertain(self) -> bool {
        self != Self::Event
    }
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
    /// Whether it was read off a trade whose figures are uncertain.
    pub uncertain: bool,
}

/// See [`LifecycleView`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LifecycleStep {
    /// Launched.
    Created,
    /// Progress passed this many percent.
    Progress(u8),
    /// The market cap passed this many SOL.
    MarketCapSol(f64),
    /// The market cap passed this many US dollars.
    MarketCapUsd(f64),
    /// The curve is sold out.
    Completed,
    /// Liquidity moved to this pool.
    Graduated(Pool),
    /// A fifth of a pool at least was taken out at once.
    LiquidityRemoved {
        /// The pool.
        pool: Pool,
        /// Share of it in percent.
        share_pct: f64,
    },
    /// A pool's price parted from that of the place where the token's price is made by a twentieth.
    Parted {
        /// The pool.
        pool: Pool,
        /// How much higher its price is in percent; negative where it is lower.
        apart_pct: f64,
    },
}

/// A bounded list of the newest entries, each with a running number: a reader that skips views knows what it missed.
#[derive(Debug)]
pub struct Feed<T> {
    /// The newest entries, oldest first.
    pub entries: Arc<[Arc<T>]>,
    /// Number of the first entry in `entries`; numbers run on by one.
    pub first_seq: u64,
}

/// Whether two lists hold the same entries: the same values in memory, whatever they say.
#[must_use]
pub fn same_entries<T>(one: &Arc<[Arc<T>]>, other: &Arc<[Arc<T>]>) -> bool {
    Arc::ptr_eq(one, other) || one.len() == other.len() && one.iter().zip(&**other).all(|(a, b)| Arc::ptr_eq(a, b))
}

impl<T> Feed<T> {
    /// Whether both hold the same entries under the same numbers.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.first_seq == other.first_seq && same_entries(&self.entries, &other.entries)
    }
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
