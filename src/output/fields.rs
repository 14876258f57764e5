//! What lines and snapshot have in common: the fields of a trade, of reserves, of rates.

use schemars::JsonSchema;
use serde::Serialize;

use super::Units;
use crate::{
    chain::{
        group::Groups,
        ids::{Mint, Pool, Wallet},
    },
    decode::event::{Fee, Limit, Reserves},
    engine::view::{LatencyView, ParseView, ParsedView},
    stream::status::Move,
};
/// What every chain event has.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Common {
    /// Its slot.
    pub(super) slot: u64,
    /// Its transaction.
    pub(super) signature: String,
    /// `[outer]` or `[outer, inner]`.
    pub(super) path: Vec<u16>,
    /// 0, 1, … where one instruction yields several.
    pub(super) event_index: u16,
    /// Event time by the chain.
    pub(super) ts_ms: Option<i64>,
    /// Milliseconds since the Unix epoch.
    pub(super) recv_ms: i64,
    /// Group of its venue.
    pub(super) group: &'static str,
    /// Connection on which it arrived first.
    pub(super) connection: usize,
    /// Status at which it was accepted.
    pub(super) status: &'static str,
}

/// See [`Line::Trade`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct TradeFields {
    pub(super) venue: &'static str,
    pub(super) flow: &'static str,
    pub(super) instruction: &'static str,
    pub(super) source: &'static str,
    #[schemars(with = "String")]
    pub(super) pool: Pool,
    #[schemars(with = "String")]
    pub(super) mint: Mint,
    #[schemars(with = "String")]
    pub(super) quote_mint: Mint,
    #[schemars(with = "String")]
    pub(super) user: Wallet,
    #[schemars(with = "String")]
    pub(super) payer: Wallet,
    pub(super) side: &'static str,
    pub(super) base_amount: Units,
    /// What moves the price, without fees on top; a `fallback`'s holds the fees that stay in the pool.
    pub(super) quote_amount: Units,
    pub(super) fees: Vec<FeeFields>,
    pub(super) reserves_before: Option<ReserveFields>,
    /// `null` where the event does not tell: pools of concentrated liquidity, which have none; Raydium CPMM, whose event does
    /// not say how much of the fee stays in the pool.
    pub(super) reserves_after: Option<ReserveFields>,
    pub(super) limit: Option<LimitFields>,
    pub(super) tx_index: u64,
    pub(super) app: Option<&'static str>,
    #[schemars(with = "Option<String>")]
    pub(super) outer_program: Option<Wallet>,
    pub(super) tip_lamports: Units,
    /// `null` where a unit price is set without a unit limit.
    pub(super) priority_fee_lamports: Option<Units>,
    pub(super) compute_unit_limit: Option<u32>,
    pub(super) price_sol: Option<f64>,
    pub(super) market_cap_sol: Option<f64>,
}

/// A fee of a trade.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FeeFields {
    pub(super) kind: &'static str,
    pub(super) amount: Units,
    pub(super) bps: Option<u64>,
    /// Which token it is charged in: `base` or `quote`.
    pub(super) token: &'static str,
}

/// Effective reserves.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReserveFields {
    pub(super) base: Units,
    pub(super) quote: Units,
}

/// A trader's own bound.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LimitFields {
    pub(super) kind: &'static str,
    pub(super) amount: Units,
}

/// See [`Line::Liquidity`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct LiquidityFields {
    pub(super) venue: &'static str,
    #[schemars(with = "String")]
    pub(super) pool: Pool,
    #[schemars(with = "String")]
    pub(super) mint: Mint,
    #[schemars(with = "String")]
    pub(super) quote_mint: Mint,
    pub(super) action: &'static str,
    pub(super) base_amount: Units,
    pub(super) quote_amount: Units,
    /// `null` for pools without LP tokens.
    pub(super) lp_amount: Option<Units>,
    #[schemars(with = "String")]
    pub(super) user: Wallet,
    pub(super) reserves_after: Option<ReserveFields>,
}

/// A group on its way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MoveFields {
    pub(super) group: String,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// See [`Line::Budget`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct BudgetFields {
    pub(super) used: u32,
    pub(super) limit: u32,
    pub(super) window_s: u32,
    pub(super) reserved: u32,
    pub(super) next_free_ms: Option<u64>,
    /// Permits held by each connection.
    pub(super) spent_by: Vec<u32>,
    /// Permits held by this process, by what they were spent on.
    pub(super) spent_on: std::collections::BTreeMap<&'static str, u32>,
    /// Permits held by other processes with the same token.
    pub(super) others: u32,
}

/// See [`Line::Stats`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatsFields {
    pub(super) recv_ms: i64,
    pub(super) slot: Option<u64>,
    pub(super) connections: Vec<LaneFields>,
    pub(super) groups: Vec<LaneFields>,
}

/// A connection's or group's second.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LaneFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connection: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    pub(super) tps: Option<f64>,
    pub(super) bytes_per_s: Option<f64>,
    pub(super) latency_ms: Option<LatencyFields>,
    pub(super) parse_rate: ParseFields,
    pub(super) errors: Option<u64>,
    pub(super) queue_fill: Option<f64>,
}

/// A latency distribution.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct LatencyFields {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// How well something is decoded. Percentages are floored to two decimals; `null` where there was nothing to count.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct DecodingFields {
    /// Percent of the calls whose instruction is known.
    coverage_pct: Option<f64>,
    /// Calls of known instructions.
    known: u64,
    /// Calls.
    invocations: u64,
    /// Percent of the expected events that were made of the instruction and what it moved, for want of an event.
    fallback_pct: Option<f64>,
    /// How many those are.
    fallbacks: u64,
    /// Events with bytes behind the last field we know.
    unknown_tails: u64,
    /// In the last ten whole seconds.
    last_10s: ParseFields,
    /// In the last 300 whole seconds.
    last_5min: ParseFields,
}

/// decoded / expected.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct ParseFields {
    pub(super) decoded: u64,
    pub(super) expected: u64,
}

impl From<LatencyView> for LatencyFields {
    fn from(latency: LatencyView) -> Self {
        Self { p50: latency.p50_ms, p99: latency.p99_ms }
    }
}

impl From<ParseView> for ParseFields {
    fn from(parse: ParseView) -> Self {
        Self { decoded: parse.decoded, expected: parse.expected }
    }
}

impl From<ParsedView> for DecodingFields {
    fn from(parsed: ParsedView) -> Self {
        let all = parsed.all;
        Self {
            coverage_pct: all.coverage_percent(),
            known: all.known,
            invocations: all.invocations,
            fallback_pct: all.fallback_percent(),
            fallbacks: all.fallbacks,
            unknown_tails: all.unknown_tails,
            last_10s: parsed.last_10s.into(),
            last_5min: parsed.last_5min.into(),
        }
    }
}

impl From<Reserves> for ReserveFields {
    fn from(reserves: Reserves) -> Self {
        Self { base: reserves.base.into(), quote: reserves.quote.into() }
    }
}

impl From<Fee> for FeeFields {
    fn from(fee: Fee) -> Self {
        Self {
            kind: fee.kind.name(),
            amount: fee.amount.into(),
            bps: fee.bps.map(u64::from),
            token: if fee.in_base { "base" } else { "quote" },
        }
    }
}

impl From<Limit> for LimitFields {
    fn from(limit: Limit) -> Self {
        Self { kind: limit.kind.name(), amount: limit.amount.into() }
    }
}

impl MoveFields {
    pub(super) fn of(moved: &Move, names: &Groups) -> Self {
        Self { group: names.name(moved.group).to_owned(), from: moved.from, to: moved.to }
    }
}
