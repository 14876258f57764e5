//! Events as JSON lines: one object per line, fields as the formats promise.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::Units;
use crate::{
    chain::ids::{Mint, Pool, WRAPPED_SOL, Wallet},
    decode::{
        EventKind,
        event::{Fee, Limit, Reserves, Trade},
    },
    engine::{
        Emitted, View,
        emit::ChainEvent,
        view::{LatencyView, ParseView},
    },
    stream::status::{BudgetStatus, Move, StreamEvent, StreamEventKind},
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
        /// Not estimated by this version.
        eta_s: Option<f64>,
        /// Not estimated by this version.
        eta_low_s: Option<f64>,
        /// Not estimated by this version.
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
        /// `progress`.
        kind: &'static str,
        /// Percent.
        value: f64,
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
    /// Slots were missed on a connection, or fetched again.
    Gap {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// `stream`.
        scope: &'static str,
        /// First slot concerned.
        from_slot: u64,
        /// Last slot concerned.
        to_slot: u64,
        /// Why.
        cause: &'static str,
        /// On which connection.
        connection: usize,
        /// Of one pool only: not by this version.
        pool: Option<String>,
        /// Of one token only: not by this version.
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
        groups: Vec<&'static str>,
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
    /// A request could not be met.
    Refused {
        /// Milliseconds since the Unix epoch.
        recv_ms: i64,
        /// Why, in words.
        cause: String,
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
    slot: u64,
    /// Its transaction.
    signature: String,
    /// `[outer]` or `[outer, inner]`.
    path: Vec<u16>,
    /// 0, 1, … where one instruction yields several.
    event_index: u16,
    /// Event time by the chain.
    ts_ms: Option<i64>,
    /// Milliseconds since the Unix epoch.
    recv_ms: i64,
    /// Group of its venue.
    group: &'static str,
    /// Connection on which it arrived first.
    connection: usize,
    /// Status at which it was accepted.
    status: &'static str,
}

/// See [`Line::Trade`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct TradeFields {
    venue: &'static str,
    flow: &'static str,
    instruction: &'static str,
    source: &'static str,
    #[schemars(with = "String")]
    pool: Pool,
    #[schemars(with = "String")]
    mint: Mint,
    #[schemars(with = "String")]
    quote_mint: Mint,
    #[schemars(with = "String")]
    user: Wallet,
    #[schemars(with = "String")]
    payer: Wallet,
    side: &'static str,
    base_amount: Units,
    quote_amount: Units,
    fees: Vec<FeeFields>,
    reserves_before: Option<ReserveFields>,
    reserves_after: Option<ReserveFields>,
    limit: Option<LimitFields>,
    tx_index: u64,
    app: Option<&'static str>,
    #[schemars(with = "Option<String>")]
    outer_program: Option<Wallet>,
    tip_lamports: Units,
    /// `null` where a unit price is set without a unit limit.
    priority_fee_lamports: Option<Units>,
    compute_unit_limit: Option<u32>,
    price_sol: Option<f64>,
    market_cap_sol: Option<f64>,
}

/// A fee of a trade.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FeeFields {
    kind: &'static str,
    amount: Units,
    bps: Option<u64>,
    /// Which token it is charged in: `base` or `quote`.
    token: &'static str,
}

/// Effective reserves.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReserveFields {
    base: Units,
    quote: Units,
}

/// A trader's own bound.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LimitFields {
    kind: &'static str,
    amount: Units,
}

/// See [`Line::Liquidity`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct LiquidityFields {
    venue: &'static str,
    #[schemars(with = "String")]
    pool: Pool,
    #[schemars(with = "String")]
    mint: Mint,
    #[schemars(with = "String")]
    quote_mint: Mint,
    action: &'static str,
    base_amount: Units,
    quote_amount: Units,
    /// `null` for pools without LP tokens.
    lp_amount: Option<Units>,
    #[schemars(with = "String")]
    user: Wallet,
    reserves_after: Option<ReserveFields>,
}

/// A group on its way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MoveFields {
    group: &'static str,
    from: usize,
    to: usize,
}

/// See [`Line::Budget`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct BudgetFields {
    used: u32,
    limit: u32,
    window_s: u32,
    reserved: u32,
    next_free_ms: Option<u64>,
    /// Permits held by each connection.
    spent_by: Vec<u32>,
    /// Permits held by other processes with the same token.
    others: u32,
}

/// See [`Line::Stats`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatsFields {
    recv_ms: i64,
    slot: Option<u64>,
    connections: Vec<LaneFields>,
    groups: Vec<LaneFields>,
}

/// A connection's or group's second.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LaneFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'static str>,
    tps: Option<f64>,
    bytes_per_s: Option<f64>,
    latency_ms: Option<LatencyFields>,
    parse_rate: ParseFields,
    errors: Option<u64>,
    queue_fill: Option<f64>,
}

/// A latency distribution.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct LatencyFields {
    p50: f64,
    p99: f64,
}

/// decoded / expected.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct ParseFields {
    decoded: u64,
    expected: u64,
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
            bps: fee.bps,
            token: if fee.in_base { "base" } else { "quote" },
        }
    }
}

impl From<Limit> for LimitFields {
    fn from(limit: Limit) -> Self {
        Self { kind: limit.kind.name(), amount: limit.amount.into() }
    }
}

impl From<&Move> for MoveFields {
    fn from(moved: &Move) -> Self {
        Self { group: moved.group.name(), from: moved.from, to: moved.to }
    }
}

/// Writes emitted items as lines.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    /// Counts of the undecoded table as last written.
    undecoded: Vec<(u64, String)>,
    endpoints: Vec<String>,
}

impl<W: Write> Writer<W> {
    /// Writes to `output`, which should be buffered.
    pub const fn new(output: W) -> Self {
        Self { output, undecoded: Vec::new(), endpoints: Vec::new() }
    }

    /// Writes the lines of some items, and flushes.
    ///
    /// # Errors
    /// When the output takes no more.
    pub fn write(&mut self, items: &[Emitted]) -> io::Result<()> {
        for item in items {
            match item {
                Emitted::Chain(event) => {
                    if let Some(line) = chain(event) {
                        self.line(&line)?;
                    }
                }
                Emitted::Progress { slot, recv_ms, mint, progress_pct } => self.line(&Line::Progress {
                    slot: *slot,
                    recv_ms: *recv_ms,
                    mint: *mint,
                    progress_pct: *progress_pct,
                    eta_s: None,
                    eta_low_s: None,
                    eta_high_s: None,
                })?,
                Emitted::Milestone { slot, recv_ms, mint, progress_pct } => self.line(&Line::Milestone {
                    slot: *slot,
                    recv_ms: *recv_ms,
                    mint: *mint,
                    kind: "progress",
                    value: f64::from(*progress_pct),
                })?,
                Emitted::Slot(slot) => self.line(&Line::Slot {
                    slot: slot.slot,
                    parent: slot.parent,
                    proof: slot.proof.name(),
                    executed: slot.executed,
                    matched: slot.matched,
                    lost: slot.lost,
                })?,
                Emitted::Stream(event) => {
                    let line = self.stream(event);
                    self.line(&line)?;
                }
                Emitted::Stats(view) => self.second(view)?,
            }
        }
        self.output.flush()
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, line)?;
        self.output.write_all(b"\n")
    }

    fn stream(&self, event: &StreamEvent) -> Line {
        let recv_ms = event.at_ms;
        match &event.kind {
            StreamEventKind::State { connection, state, cause, groups } => Line::Connection {
                recv_ms,
                connection: *connection,
                endpoint: self.endpoints.get(*connection).cloned(),
                state: state.name(),
                cause: cause.as_deref().map(str::to_owned),
                groups: groups.iter().map(crate::chain::group::Group::name).collect(),
            },
            StreamEventKind::Activated { connection, version, after_ms } => {
                Line::Filter { recv_ms, connection: *connection, version: *version, after_ms: *after_ms }
            }
            StreamEventKind::Rebalanced { reason, moves, permits } => Line::Rebalance {
                recv_ms,
                reason,
                moves: moves.iter().map(MoveFields::from).collect(),
                permits: *permits,
            },
            StreamEventKind::Gap(gap) => Line::Gap {
                recv_ms,
                scope: "stream",
                from_slot: gap.from_slot,
                to_slot: gap.to_slot,
                cause: gap.cause.name(),
                connection: gap.connection,
                pool: None,
                mint: None,
                repaired: gap.repaired,
            },
            StreamEventKind::Refused(cause) => Line::Refused { recv_ms, cause: cause.as_ref().to_owned() },
        }
    }

    fn second(&mut self, view: &View) -> io::Result<()> {
        self.endpoints = view.connections.iter().map(|c| c.status.endpoint.as_ref().to_owned()).collect();
        let connections = view.connections.iter().map(|connection| LaneFields {
            connection: Some(connection.status.id),
            group: None,
            tps: connection.tps,
            bytes_per_s: connection.bytes_per_s,
            latency_ms: connection.latency.map(LatencyFields::from),
            parse_rate: connection.parse.into(),
            errors: Some(connection.status.reconnects),
            queue_fill: Some(connection.queue_fill),
        });
        let groups = view.groups.iter().map(|group| LaneFields {
            connection: None,
            group: Some(group.group.name()),
            tps: group.tps,
            bytes_per_s: group.bytes_per_s,
            latency_ms: group.latency.map(LatencyFields::from),
            parse_rate: group.parse.into(),
            errors: Some(group.undecoded),
            queue_fill: None,
        });
        let stats = StatsFields {
            recv_ms: view.now_ms,
            slot: view.totals.slot,
            connections: connections.collect(),
            groups: groups.collect(),
        };
        self.line(&Line::Stats(stats))?;
        self.line(&Line::Budget(budget(&view.budget, view.connections.len())))?;
        let rows = view.undecoded.iter().map(|row| {
            let mut discriminator = String::with_capacity(16);
            for byte in row.discriminator {
                use std::fmt::Write as _;
                let _ = write!(discriminator, "{byte:02x}");
            }
            (row, discriminator)
        });
        let rows: Vec<_> = rows.collect();
        for (row, discriminator) in &rows {
            if !self.undecoded.contains(&(row.count, discriminator.clone())) {
                self.line(&Line::Undecoded {
                    program: row.program.name(),
                    discriminator: discriminator.clone(),
                    reason: row.reason.name(),
                    count: row.count,
                    example: row.example.to_string(),
                })?;
            }
        }
        self.undecoded = rows.into_iter().map(|(row, discriminator)| (row.count, discriminator)).collect();
        Ok(())
    }
}

fn budget(budget: &BudgetStatus, connections: usize) -> BudgetFields {
    let mut spent_by = vec![0; connections];
    for spent in &budget.spent {
        if let Some(count) = spent.connection.and_then(|connection| spent_by.get_mut(connection)) {
            *count += 1;
        }
    }
    BudgetFields {
        used: budget.used,
        limit: budget.limit,
        window_s: budget.window_s,
        reserved: budget.reserved,
        next_free_ms: budget.next_free_ms,
        spent_by,
        others: budget.others,
    }
}

/// The line of a chain event; `None` for facts that only change state.
pub(super) fn chain(chain: &ChainEvent) -> Option<Line> {
    let event = &chain.event;
    let common = Common {
        slot: event.slot,
        signature: event.signature.to_string(),
        path: [event.path.outer].into_iter().chain(event.path.inner).collect(),
        event_index: event.event_index,
        ts_ms: event.timestamp.and_then(|seconds| seconds.checked_mul(1_000)),
        recv_ms: chain.recv_ms,
        group: chain.group.name(),
        connection: chain.connection,
        status: chain.status.name(),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(match &event.kind {
        EventKind::Trade(trade) => Line::Trade { common, trade: Box::new(trade_fields(chain, trade)) },
        EventKind::TokenCreated(created) => Line::TokenCreated {
            common,
            venue: created.venue.name(),
            mint: created.mint,
            curve: created.curve,
            name: text(&created.name),
            symbol: text(&created.symbol),
            uri: text(&created.uri),
            creator: created.creator,
            token_program: created.token_program.map(Wallet::new),
            quote_mint: created.quote_mint,
            mayhem: created.mayhem,
            initial: created.initial.map(ReserveFields::from),
        },
        EventKind::CurveCompleted { mint, curve, .. } => Line::CurveCompleted { common, mint: *mint, curve: *curve },
        EventKind::Graduated { mint, curve, pool, quote_amount, base_amount, .. } => Line::Graduated {
            common,
            mint: *mint,
            curve: *curve,
            pool: *pool,
            quote_amount: (*quote_amount).into(),
            base_amount: (*base_amount).into(),
        },
        EventKind::PoolCreated(created) => Line::PoolCreated {
            common,
            liquidity: LiquidityFields {
                venue: created.venue.name(),
                pool: created.pool,
                mint: created.mint,
                quote_mint: created.quote_mint,
                action: "create",
                base_amount: created.base_amount.into(),
                quote_amount: created.quote_amount.into(),
                lp_amount: created.lp_amount.map(Units::from),
                user: created.user,
                reserves_after: None,
            },
        },
        EventKind::Liquidity(liquidity) => Line::Liquidity {
            common,
            liquidity: LiquidityFields {
                venue: liquidity.venue.name(),
                pool: liquidity.pool,
                mint: liquidity.mint,
                quote_mint: liquidity.quote_mint,
                action: liquidity.action.name(),
                base_amount: liquidity.base_amount.into(),
                quote_amount: liquidity.quote_amount.into(),
                lp_amount: liquidity.lp_amount.map(Units::from),
                user: liquidity.user,
                // The event lacks the pool's virtual quote, so the effective reserves are not known from it.
                reserves_after: None,
            },
        },
        EventKind::BoostInitialized { .. } | EventKind::CurveAdjusted { .. } => return None,
    })
}

fn trade_fields(chain: &ChainEvent, trade: &Trade) -> TradeFields {
    debug_assert!(chain.price_sol.is_none() || trade.quote_mint == WRAPPED_SOL);
    TradeFields {
        venue: trade.venue.name(),
        flow: trade.flow.name(),
        instruction: trade.instruction,
        source: trade.source.name(),
        pool: trade.pool,
        mint: trade.mint,
        quote_mint: trade.quote_mint,
        user: trade.user,
        payer: chain.event.payer,
        side: trade.side.name(),
        base_amount: trade.base_amount.into(),
        quote_amount: trade.quote_amount.into(),
        fees: trade.fees.iter().flatten().map(|fee| FeeFields::from(*fee)).collect(),
        reserves_before: trade.reserves_before.map(ReserveFields::from),
        reserves_after: trade.reserves_after.map(ReserveFields::from),
        limit: trade.limit.map(LimitFields::from),
        tx_index: chain.event.tx_index,
        app: trade.app,
        outer_program: trade.outer_program.map(Wallet::new),
        tip_lamports: trade.cost.tip.into(),
        priority_fee_lamports: trade.cost.priority_fee.map(Units::from),
        compute_unit_limit: trade.cost.compute_unit_limit,
        price_sol: chain.price_sol,
        market_cap_sol: chain.market_cap_sol,
    }
}
