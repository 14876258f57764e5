//! The lines of `headless`: what each holds, and its schema.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    AlertFields, Units,
    fields::{BudgetFields, Common, LiquidityFields, MoveFields, ReserveFields, StatsFields, TradeFields},
};
use crate::chain::ids::{Mint, Pool, Wallet};

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
