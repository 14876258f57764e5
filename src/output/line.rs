//! The lines of `headless`: what each holds, and its schema.

use schemars::JsonSchema;
use serde::Serialize;

use super::{AlertFields, Units};
use crate::{
    chain::{
        group::Groups,
        ids::{Mint, Pool, Wallet},
    },
    decode::event::{Fee, Limit, Reserves},
    engine::view::{LatencyView, ParseView, ParsedView},
    stream::status::Move,
};

/// One line.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// Tokens changed hands.
    Trade {
        /// What every chain event has.
        #[serde(flatten)]
        common: Common,
        /// The trade.
        #[serde(flatten)]
        trade: Box<TradeFields>,
    },
    /// A launch.
    TokenCreated {
        /// What every chain event has.
        #[serde(flatten)]
        common: Common,
        /// Where.
        venue: &'static str,
        /// The token.
        #[schemars(with = "String")]
        mint: Mint,
        /// Its curve.
        #[schemars(with = "String")]
        curve: Pool,
        /// As the chain holds it; bytes that are not UTF-8 are replaced.
        name: String,
        /// As the chain holds it.
        symbol: String,
        /// As the chain holds it; never fetched.
        uri: String,
        /// `user` of the create event.
        #[schemars(with = "String")]
        creator: Wallet,
        /// The token program, where the event says.
        #[schemars(with = "Option<String>")]
        token_program: Option<Wallet>,
        /// Wrapped SOL's address for SOL.
        #[schemars(with = "String")]
        quote_mint: Mint,
        /// Mayhem mode.
        mayhem: bool,
        /// Virtual reserves at the start.
        initial: Option<ReserveFields>,
    },
    /// A token's progress moved.
    Progress {
        /// Slot of the trade.
        slot: u64,
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The token.
        #[schemars(with = "String")]
        mint: Mint,
        /// 0–100, floored to 0.01.
        progress_pct: f64,
        /// Seconds until the curve is sold out at the mean flow of the last five minutes; `null` where that is not inward.
        eta_s: Option<f64>,
        /// Lower end of the interval that should hold 80 % of completions.
        eta_low_s: Option<f64>,
        /// Its upper end; `null` where the flow may as well stop.
        eta_high_s: Option<f64>,
    },
    /// A threshold was passed.
    Milestone {
        /// Slot of the trade.
        slot: u64,
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The token.
        #[schemars(with = "String")]
        mint: Mint,
        /// `progress`, `market_cap_sol` or `market_cap_usd`.
        kind: &'static str,
        /// Percent, SOL or US dollars.
        value: f64,
    },
    /// Something about a pool that should be known at once; behind the event that shows it.
    PoolAlarm {
        /// Slot of that event.
        slot: u64,
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The pool.
        #[schemars(with = "String")]
        pool: Pool,
        /// Its token.
        #[schemars(with = "String")]
        mint: Mint,
        /// `liquidity_removed`: one withdrawal took a fifth at least. `price_parted`: its price has just come to stand a
        /// twentieth at least apart from that in the place where the token's price is made.
        kind: &'static str,
        /// Share of the pool taken; how much higher the price is, negative where it is lower.
        value_pct: f64,
    },
    /// A curve is sold out.
    CurveCompleted {
        /// What every chain event has.
        #[serde(flatten)]
        common: Common,
        /// The token.
        #[schemars(with = "String")]
        mint: Mint,
        /// Its curve.
        #[schemars(with = "String")]
        curve: Pool,
    },
    /// A curve's liquidity moved to its pool.
    Graduated {
        /// What every chain event has.
        #[serde(flatten)]
        common: Common,
        /// The token.
        #[schemars(with = "String")]
        mint: Mint,
        /// Its curve.
        #[schemars(with = "String")]
        curve: Pool,
        /// Its pool.
        #[schemars(with = "String")]
        pool: Pool,
        /// The migration event's `sol_amount`.
        quote_amount: Units,
        /// The migration event's `mint_amount`.
        base_amount: Units,
    },
    /// A pool was opened.
    PoolCreated {
        /// What every chain event has.
        #[serde(flatten)]
        common: Common,
        /// The change.
        #[serde(flatten)]
        liquidity: LiquidityFields,
    },
    /// Liquidity was added or taken.
    Liquidity {
        /// What every chain event has.
        #[serde(flatten)]
        common: Common,
        /// The change.
        #[serde(flatten)]
        liquidity: LiquidityFields,
    },
    /// The slot of an event written before is dead: the event did not happen.
    Retracted {
        /// The dead slot.
        slot: u64,
        /// Its transaction.
        signature: String,
        /// `[outer]` or `[outer, inner]`.
        path: Vec<u16>,
        /// 0, 1, … where one instruction yields several.
        event_index: u16,
    },
    /// Something was found about trades before it in the output; or more is known of it now.
    Alert(Box<AlertFields>),
    /// A slot is finished, and what is proven of it.
    Slot {
        /// The slot.
        slot: u64,
        /// Its parent.
        parent: Option<u64>,
        /// `proven`, `repaired`, `skipped` or `lost`; a `lost` slot may be `repaired` later.
        proof: &'static str,
        /// Transactions executed in it, votes included.
        executed: Option<u64>,
        /// Transactions that arrived, summed over the connections.
        matched: u32,
        /// Transactions known to be missing; `null` when only that something is missing is known.
        lost: Option<u32>,
    },
    /// Slots were missed on a connection, or fetched again; or a pool's chain of reserves shows that a trade is missing.
    Gap {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// `stream` or `pool`.
        scope: &'static str,
        /// First slot concerned.
        from_slot: u64,
        /// Last slot concerned.
        to_slot: u64,
        /// Why.
        cause: &'static str,
        /// On which connection; of a pool's, the one that brought the trade behind it.
        connection: usize,
        /// Of one pool only: which.
        pool: Option<String>,
        /// Of one pool only: its token.
        mint: Option<String>,
        /// Whether a replay brought everything.
        repaired: bool,
    },
    /// A connection changed state.
    Connection {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// Which.
        connection: usize,
        /// Host only; `null` before the first view.
        endpoint: Option<String>,
        /// Its state.
        state: &'static str,
        /// Why, in words.
        cause: Option<String>,
        /// Its groups.
        groups: Vec<String>,
    },
    /// A filter set came into force on the server.
    Filter {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// On which connection.
        connection: usize,
        /// Its version.
        version: u32,
        /// Milliseconds from the request to the first update that carried it.
        after_ms: u64,
    },
    /// The subscription budget, each second.
    Budget(BudgetFields),
    /// Groups were moved.
    Rebalance {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// `manual`, `load`, `failover` or `throttle`.
        reason: &'static str,
        /// The moves.
        moves: Vec<MoveFields>,
        /// Permits it cost.
        permits: u32,
    },
    /// The subscription was narrowed to some tokens on the server, or widened again.
    Narrowed {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// The tokens; none: everything is asked for.
        mints: Vec<String>,
        /// Permits it cost.
        permits: u32,
    },
    /// A request could not be met.
    Refused {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// Why, in words.
        cause: String,
    },
    /// Something the user should know.
    Note {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// In words.
        text: String,
    },
    /// What was not decoded so far, when its count has changed.
    Undecoded {
        /// Whose.
        program: &'static str,
        /// First eight bytes, hexadecimal.
        discriminator: String,
        /// Why.
        reason: &'static str,
        /// How often so far.
        count: u64,
        /// A transaction to look at.
        example: String,
    },
    /// Rates of the last second.
    Stats(StatsFields),
}

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
