//! Events as JSON lines: one object per line, fields as the formats promise.

use std::io::{self, Write};

use super::{
    AlertFields, Units,
    fields::{
        BudgetFields, Common, FeeFields, LaneFields, LatencyFields, LimitFields, LiquidityFields, MoveFields,
        ReserveFields, StatsFields, TradeFields,
    },
    json,
    line::Line,
};
use crate::{
    chain::{group::Groups, ids::Wallet},
    decode::{EventKind, event::Trade},
    engine::{Emitted, View, emit::ChainEvent},
    stream::status::{BudgetStatus, StreamEvent, StreamEventKind},
};

/// Writes emitted items as lines.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    /// Counts of the undecoded table as last written.
    undecoded: Vec<(u64, String)>,
    endpoints: Vec<String>,
    names: Groups,
}

impl<W: Write> Writer<W> {
    /// Writes to `output`, which should be buffered. `names`: what the groups are called.
    pub const fn new(output: W, names: Groups) -> Self {
        Self { output, undecoded: Vec::new(), endpoints: Vec::new(), names }
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
                Emitted::Progress { slot, recv_ms, mint, progress_pct, eta } => self.line(&Line::Progress {
                    slot: *slot,
                    recv_ms: *recv_ms,
                    mint: *mint,
                    progress_pct: *progress_pct,
                    eta_s: eta.map(|eta| eta.eta_s),
                    eta_low_s: eta.map(|eta| eta.low_s),
                    eta_high_s: eta.and_then(|eta| eta.high_s),
                })?,
                Emitted::Milestone { slot, recv_ms, mint, kind, value } => self.line(&Line::Milestone {
                    slot: *slot,
                    recv_ms: *recv_ms,
                    mint: *mint,
                    kind: kind.name(),
                    value: *value,
                })?,
                Emitted::Alarm { slot, recv_ms, pool, mint, alarm } => self.line(&Line::PoolAlarm {
                    slot: *slot,
                    recv_ms: *recv_ms,
                    pool: *pool,
                    mint: *mint,
                    kind: alarm.name(),
                    value_pct: alarm.percent(),
                })?,
                Emitted::Retracted { slot, signature, path, event_index } => self.line(&Line::Retracted {
                    slot: *slot,
                    signature: signature.to_string(),
                    path: [path.outer].into_iter().chain(path.inner).collect(),
                    event_index: *event_index,
                })?,
                Emitted::ChainBroken { slot, recv_ms, pool, mint, connection } => self.line(&Line::Gap {
                    recv_ms: *recv_ms,
                    scope: "pool",
                    from_slot: *slot,
                    to_slot: *slot,
                    cause: "chain_break",
                    connection: *connection,
                    pool: Some(pool.to_string()),
                    mint: Some(mint.to_string()),
                    repaired: false,
                })?,
                Emitted::Alert(alert) => self.line(&Line::Alert(Box::new(AlertFields::from(&**alert))))?,
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
        json::write_line(line, &mut self.output)
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
                groups: self.names.names(*groups),
            },
            StreamEventKind::Activated { connection, version, after_ms } => {
                Line::Filter { recv_ms, connection: *connection, version: *version, after_ms: *after_ms }
            }
            StreamEventKind::Rebalanced { reason, moves, permits } => Line::Rebalance {
                recv_ms,
                reason,
                moves: moves.iter().map(|one| MoveFields::of(one, &self.names)).collect(),
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
            StreamEventKind::Narrowed { mints, permits } => {
                Line::Narrowed { recv_ms, mints: mints.iter().map(ToString::to_string).collect(), permits: *permits }
            }
            StreamEventKind::Refused(cause) => Line::Refused { recv_ms, cause: cause.as_ref().to_owned() },
            StreamEventKind::Note(text) => Line::Note { recv_ms, text: text.as_ref().to_owned() },
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
            parse_rate: connection.parsed.all.into(),
            errors: Some(connection.status.reconnects),
            queue_fill: Some(connection.queue_fill),
        });
        let groups = view.groups.iter().map(|group| LaneFields {
            connection: None,
            group: Some(view.names.name(group.group).to_owned()),
            tps: group.tps,
            bytes_per_s: group.bytes_per_s,
            latency_ms: group.latency.map(LatencyFields::from),
            parse_rate: group.parsed.all.into(),
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
            *count += spent.cost;
        }
    }
    BudgetFields {
        used: budget.used,
        limit: budget.limit,
        window_s: budget.window_s,
        reserved: budget.reserved,
        next_free_ms: budget.next_free_ms,
        spent_by,
        spent_on: budget.causes().map(|(purpose, permits)| (purpose.name(), permits)).collect(),
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
        recv_ms: chain.recv_us.div_euclid(1_000),
        // A venue's group is a built-in one.
        group: chain.group.built_in_name().unwrap_or_default(),
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
