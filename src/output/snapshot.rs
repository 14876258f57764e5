//! The snapshot: one JSON object with everything a view holds, written whole or not at all.

mod market;

use schemars::JsonSchema;
use serde::Serialize;

use self::market::{Page, PoolEntry, Token};
use super::{
    AlertFields,
    fields::{DecodingFields, LatencyFields, MoveFields, ParseFields},
};
use crate::{
    chain::group::{GroupSet, Groups},
    engine::{
        View,
        view::{EndpointView, GroupView, ProgramView, carried},
    },
};

/// Version of the snapshot's fields: fields may be added within one, none changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// The snapshot of a view.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Snapshot {
    schema_version: u32,
    program_version: &'static str,
    /// RFC 3339.
    generated_at: String,
    uptime_s: f64,
    source: Source,
    totals: Totals,
    connections: Vec<Connection>,
    /// How several endpoints that bring the same compare; else none.
    endpoints: Vec<EndpointEntry>,
    budget: Budget,
    groups: Vec<Group>,
    /// The programs that were called.
    programs: Vec<Program>,
    tokens: Vec<Token>,
    /// Tokens known in all; `tokens` holds the most recently active ones.
    tokens_known: usize,
    /// The most recently active pools and curves.
    pools: Vec<PoolEntry>,
    /// Pools and curves known in all.
    pools_known: usize,
    /// The page of the token that is open, if one is.
    detail: Option<Page>,
    sol_usd: SolUsd,
    eta_score: EtaScore,
    /// The newest alerts, each as it stands now, the newest first.
    alerts: Vec<AlertFields>,
    completeness: Completeness,
    pipeline: Vec<Stage>,
    undecoded: Vec<Undecoded>,
    filters: Filters,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Source {
    kind: &'static str,
    provider: String,
    /// Hosts only.
    endpoints: Vec<String>,
    commitment: &'static str,
    slot: Option<u64>,
    slots_behind: Option<u64>,
    slot_time_ms: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Totals {
    tps: Option<f64>,
    bytes_per_s: Option<f64>,
    transactions: u64,
    failed: u64,
    duplicates: u64,
    bad_frames: u64,
    /// Transactions dropped that only a compressed filter took for wanted.
    unwanted: u64,
    trades: u64,
    parse_rate: ParseFields,
    parse_rate_pct: Option<f64>,
    coverage_pct: Option<f64>,
    unknown_tails: u64,
    decoding: DecodingFields,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the format's names")]
struct Connection {
    connection: usize,
    endpoint: String,
    state: &'static str,
    since_ms: i64,
    cause: Option<String>,
    groups: Vec<String>,
    /// Groups asked for after throttling.
    carries: Vec<String>,
    throttle: crate::stream::status::Throttle,
    /// Whether it brings what others bring as well, from another endpoint.
    standby: bool,
    filter_version: u32,
    active_version: u32,
    tps: Option<f64>,
    bytes_per_s: Option<f64>,
    latency_ms: Option<LatencyFields>,
    slot_lag: Option<u64>,
    last_message_ms: Option<i64>,
    queue_fill: f64,
    reconnects: u64,
    permits_in_window: u32,
    parse_rate: ParseFields,
    decoding: DecodingFields,
}

/// One of several endpoints that bring the same at the same time.
#[derive(Debug, Serialize, JsonSchema)]
struct EndpointEntry {
    /// Host and port only.
    endpoint: String,
    connections: Vec<usize>,
    /// Transactions that it and another were asked for.
    compared: u64,
    /// Of those, brought before the others.
    first: u64,
    /// Median time behind the first of the others; below 0 it is ahead.
    lag_ms: Option<f64>,
    /// Never brought.
    missed: u64,
    /// Brought by no other.
    alone: u64,
    /// Left out of this because too many were waited for.
    not_compared: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Budget {
    used: u32,
    limit: u32,
    window_s: u32,
    reserved: u32,
    next_free_ms: Option<u64>,
    exhausted_in_ms: Option<u64>,
    frozen_ms: Option<u64>,
    /// Permits held by other processes with the same token.
    others: u32,
    /// Whether a ledger is shared with them.
    shared: bool,
    /// Why the ledger cannot be used now.
    trouble: Option<String>,
    spent: Vec<Spent>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Spent {
    at_ms: i64,
    /// `null`: another process with the same token.
    connection: Option<usize>,
    /// Which other process, by a short name that it keeps while it runs.
    process: Option<u16>,
    purpose: crate::stream::status::Purpose,
    /// Permits it cost.
    cost: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the format's names")]
struct Group {
    group: String,
    connections: Vec<usize>,
    tps: Option<f64>,
    peak_tps: Option<f64>,
    per_second: Vec<u32>,
    latency_ms: Option<LatencyFields>,
    slot_lag: Option<u64>,
    parse_rate: ParseFields,
    parse_rate_pct: Option<f64>,
    decoding: DecodingFields,
    /// Things not decoded.
    errors: u64,
    failed: u64,
    bytes_per_s: Option<f64>,
    /// Transactions per second ahead; `null` until such forecasts have been scored.
    forecast: Option<Forecast>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the format's names")]
struct Program {
    program: &'static str,
    parse_rate: ParseFields,
    parse_rate_pct: Option<f64>,
    decoding: DecodingFields,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Forecast {
    value: f64,
    low: f64,
    high: f64,
    horizon_s: f64,
    /// Mean absolute error so far.
    error: f64,
    /// The same for "it stays as it is".
    naive_error: f64,
}

/// US dollars per SOL, from the stream.
#[derive(Debug, Serialize, JsonSchema)]
struct SolUsd {
    price: Option<f64>,
    at_ms: Option<i64>,
    /// Fresh sources, if they agree.
    sources: usize,
    /// Readings refused as jumps.
    refused: u64,
    /// `live`, `stale` or `unknown`.
    state: &'static str,
}

/// Forecasts of completion whose outcome is known.
#[derive(Debug, Serialize, JsonSchema)]
struct EtaScore {
    scored: u64,
    /// Within the interval; 80 % should be.
    inside: u64,
    /// Forecasts whose time was up before the curve was sold out, if it ever was.
    overdue: u64,
}

/// Slots by what is proven of them, since the start.
#[derive(Debug, Serialize, JsonSchema)]
struct Completeness {
    /// What a proof rests on.
    proof: &'static str,
    proven: u64,
    repaired: u64,
    pending: u64,
    skipped: u64,
    lost: u64,
    /// Transactions known to be missing.
    lost_transactions: u64,
    /// Gaps that were not repaired.
    open_gaps: u64,
    repaired_gaps: u64,
    /// Gaps of which another endpoint had everything.
    filled_gaps: u64,
    /// Slots of which only some tokens were asked for: what is proven of them is proven of those.
    narrowed: u64,
    /// The newest gaps, oldest first.
    gaps: Vec<GapEntry>,
    /// Where the next run would go on; `null` for a source that cannot be gone on with.
    checkpoint: Option<Checkpoint>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Checkpoint {
    /// The newest slot on disk up to which nothing is open.
    slot: Option<u64>,
    written_ms: Option<i64>,
    /// Why there is none, or it could not be written.
    trouble: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GapEntry {
    connection: usize,
    from_slot: u64,
    to_slot: u64,
    cause: crate::stream::GapCause,
    repaired: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "the format's names")]
struct Stage {
    stage: &'static str,
    rate: Option<f64>,
    queue_fill: Option<f64>,
    busy: Option<f64>,
    dropped: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Undecoded {
    program: &'static str,
    /// First eight bytes, hexadecimal.
    discriminator: String,
    reason: &'static str,
    count: u64,
    example: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Filters {
    /// What a rebalance would do now.
    proposed_moves: Vec<MoveFields>,
    /// Groups that no connection asks for now.
    not_subscribed: Vec<String>,
    /// Tokens that everything is narrowed to on the server; none: it is not.
    narrowed_to: Vec<String>,
}

impl Snapshot {
    /// Takes everything over from a view.
    #[must_use]
    pub fn of(view: &View) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            program_version: env!("CARGO_PKG_VERSION"),
            generated_at: rfc3339(view.now_ms),
            uptime_s: view.uptime_s,
            source: source(view),
            totals: totals(view),
            connections: connections(view),
            endpoints: view.endpoints.iter().map(endpoint).collect(),
            budget: budget(view),
            groups: view.groups.iter().map(|one| group(one, &view.names)).collect(),
            programs: view.programs.iter().map(program).collect(),
            tokens: view.tokens.iter().map(|entry| Token::from(&**entry)).collect(),
            tokens_known: view.tokens_known,
            pools: view.pools.iter().map(|entry| PoolEntry::from(&**entry)).collect(),
            pools_known: view.pools_known,
            detail: view.detail.as_deref().map(Page::from),
            sol_usd: SolUsd {
                price: view.sol_usd.price,
                at_ms: view.sol_usd.at_ms,
                sources: view.sol_usd.sources,
                refused: view.sol_usd.refused,
                state: view.sol_usd.state.name(),
            },
            eta_score: EtaScore {
                scored: view.eta_score.scored,
                inside: view.eta_score.inside,
                overdue: view.eta_score.overdue,
            },
            alerts: view.latest_alerts().map(|entry| AlertFields::from(&**entry)).collect(),
            completeness: completeness(view),
            pipeline: view
                .pipeline
                .iter()
                .map(|stage| Stage {
                    stage: stage.name,
                    rate: stage.rate,
                    queue_fill: stage.queue_fill,
                    busy: stage.busy,
                    dropped: stage.dropped,
                })
                .collect(),
            undecoded: view
                .undecoded
                .iter()
                .map(|row| Undecoded {
                    program: row.program.name(),
                    discriminator: format!("{:016x}", u64::from_be_bytes(row.discriminator)),
                    reason: row.reason.name(),
                    count: row.count,
                    example: row.example.to_string(),
                })
                .collect(),
            filters: filters(view),
        }
    }
}

fn source(view: &View) -> Source {
    Source {
        kind: view.source.kind.name(),
        provider: view.source.provider.clone(),
        endpoints: view.source.endpoints.clone(),
        commitment: view.source.commitment,
        slot: view.totals.slot,
        slots_behind: view.totals.slots_behind,
        slot_time_ms: view.totals.slot_time_ms,
    }
}

fn totals(view: &View) -> Totals {
    let totals = &view.totals;
    Totals {
        tps: totals.tps,
        bytes_per_s: totals.bytes_per_s,
        transactions: totals.transactions,
        failed: totals.failed,
        duplicates: totals.duplicates,
        bad_frames: totals.bad_frames,
        unwanted: totals.unwanted,
        trades: totals.trades,
        parse_rate: totals.parsed.all.into(),
        parse_rate_pct: totals.parsed.all.percent(),
        coverage_pct: totals.parsed.all.coverage_percent(),
        unknown_tails: totals.parsed.all.unknown_tails,
        decoding: totals.parsed.into(),
    }
}

fn connections(view: &View) -> Vec<Connection> {
    let connections = view.connections.iter().map(|connection| {
        let status = &connection.status;
        Connection {
            connection: status.id,
            endpoint: status.endpoint.as_ref().to_owned(),
            state: status.state.name(),
            since_ms: status.since_ms,
            cause: status.cause.as_deref().map(str::to_owned),
            groups: view.names.names(status.groups),
            carries: view.names.names(carried(status)),
            throttle: status.throttle,
            standby: status.standby,
            filter_version: status.filter_version,
            active_version: status.active_version,
            tps: connection.tps,
            bytes_per_s: connection.bytes_per_s,
            latency_ms: connection.latency.map(LatencyFields::from),
            slot_lag: connection.slot_lag,
            last_message_ms: status.last_message_ms,
            queue_fill: connection.queue_fill,
            reconnects: status.reconnects,
            permits_in_window: status.permits_in_window,
            parse_rate: connection.parsed.all.into(),
            decoding: connection.parsed.into(),
        }
    });
    connections.collect()
}

fn endpoint(view: &EndpointView) -> EndpointEntry {
    EndpointEntry {
        endpoint: view.host.to_string(),
        connections: view.connections.clone(),
        compared: view.compared,
        first: view.first,
        lag_ms: view.lag_ms,
        missed: view.missed,
        alone: view.alone,
        not_compared: view.not_compared,
    }
}

fn budget(view: &View) -> Budget {
    let budget = &view.budget;
    let spent = budget.spent.iter().map(|spent| Spent {
        at_ms: spent.at_ms,
        connection: spent.connection,
        process: spent.process,
        purpose: spent.purpose,
        cost: spent.cost,
    });
    Budget {
        used: budget.used,
        limit: budget.limit,
        window_s: budget.window_s,
        reserved: budget.reserved,
        next_free_ms: budget.next_free_ms,
        exhausted_in_ms: budget.exhausted_in_ms,
        frozen_ms: budget.frozen_ms,
        others: budget.others,
        shared: budget.shared,
        trouble: budget.trouble.as_deref().map(str::to_owned),
        spent: spent.collect(),
    }
}

fn completeness(view: &View) -> Completeness {
    let (completeness, counts) = (&view.completeness, view.completeness.counts);
    let gaps = completeness.gaps.iter().map(|gap| GapEntry {
        connection: gap.connection,
        from_slot: gap.from_slot,
        to_slot: gap.to_slot,
        cause: gap.cause,
        repaired: gap.repaired,
    });
    Completeness {
        proof: completeness.mode.name(),
        proven: counts.proven,
        repaired: counts.repaired,
        pending: counts.pending,
        skipped: counts.skipped,
        lost: counts.lost,
        lost_transactions: completeness.lost_transactions,
        open_gaps: completeness.open_gaps,
        repaired_gaps: completeness.repaired_gaps,
        filled_gaps: completeness.filled_gaps,
        narrowed: completeness.narrowed,
        gaps: gaps.collect(),
        checkpoint: completeness.checkpoint.as_ref().map(|checkpoint| Checkpoint {
            slot: checkpoint.slot,
            written_ms: checkpoint.written_ms,
            trouble: checkpoint.trouble.as_deref().map(str::to_owned),
        }),
    }
}

fn group(group: &GroupView, names: &Groups) -> Group {
    Group {
        group: names.name(group.group).to_owned(),
        connections: group.connections.clone(),
        tps: group.tps,
        peak_tps: group.peak_tps,
        per_second: group.per_second.to_vec(),
        latency_ms: group.latency.map(LatencyFields::from),
        slot_lag: group.slot_lag,
        parse_rate: group.parsed.all.into(),
        parse_rate_pct: group.parsed.all.percent(),
        decoding: group.parsed.into(),
        errors: group.undecoded,
        failed: group.failed,
        bytes_per_s: group.bytes_per_s,
        forecast: group.forecast.map(|forecast| Forecast {
            value: forecast.value,
            low: forecast.low,
            high: forecast.high,
            horizon_s: forecast.horizon_s,
            error: forecast.error,
            naive_error: forecast.naive_error,
        }),
    }
}

fn program(program: &ProgramView) -> Program {
    Program {
        program: program.program.name(),
        parse_rate: program.parsed.all.into(),
        parse_rate_pct: program.parsed.all.percent(),
        decoding: program.parsed.into(),
    }
}

fn filters(view: &View) -> Filters {
    let asked: GroupSet = view.connections.iter().flat_map(|connection| carried(&connection.status).iter()).collect();
    let missing = view.groups.iter().map(|group| group.group).filter(|group| !asked.contains(*group));
    Filters {
        proposed_moves: view.proposal.moves.iter().map(|one| MoveFields::of(one, &view.names)).collect(),
        not_subscribed: missing.map(|group| view.names.name(group).to_owned()).collect(),
        narrowed_to: view.narrowed_to.iter().map(ToString::to_string).collect(),
    }
}

/// A time as RFC 3339 with milliseconds, in UTC.
#[must_use]
pub fn rfc3339(unix_ms: i64) -> String {
    let nanos = i32::try_from(unix_ms.rem_euclid(1_000) * 1_000_000).unwrap_or(0);
    prost_types::Timestamp { seconds: unix_ms.div_euclid(1_000), nanos }.to_string()
}
