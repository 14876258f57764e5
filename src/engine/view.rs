//! The view: everything a face of the program (screen, snapshot, metrics) shows, as one immutable value.
//!
//! A number here was measured; what is not known is `None` and shown as `–`. Parts that did not change since the last
//! view are shared by `Arc`, so a reader can tell by pointer that nothing has to be drawn anew.

use std::{collections::HashSet, sync::Arc};

use crate::{
    chain::{
        group::{Group, GroupSet, Groups},
        ids::{Mint, Signature},
        program::Program,
    },
    decode::tally::UndecodedReason,
    stream::{
        plan::throttled,
        status::{BudgetStatus, ConnectionStatus, RebalancePlan},
    },
};

use crate::market::view::same_entries;

pub use crate::market::detail::{
    AppView, CandleView, CreatorView, CurveView, SeriesView, SizeView, SizesView, TokenDetail, TraderView,
};
pub use crate::market::view::{
    Basis, EtaScoreView, EtaView, FeeRates, Feed, LifecycleStep, LifecycleView, MomentumView, PoolView, SolUsdState,
    SolUsdView, Stage, TokenView, TradeView, WindowView,
};
pub use crate::mev::alert::AlertView;
pub use crate::stream::{
    completeness::{CompletenessView, Proof, SlotProof},
    forecast::ForecastView,
};

/// Where the data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A provider's endpoint.
    Live,
    /// The built-in demo.
    Demo,
    /// A recording.
    Replay,
}

impl SourceKind {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Demo => "demo",
            Self::Replay => "replay",
        }
    }
}

/// Everything shown, at one instant.
#[derive(Clone, Debug)]
pub struct View {
    /// Counts views.
    pub seq: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// Seconds since the engine started.
    pub uptime_s: f64,
    /// The source.
    pub source: Arc<SourceView>,
    /// Whole-stream figures.
    pub totals: TotalsView,
    /// The connections, by id.
    pub connections: Arc<[ConnectionView]>,
    /// The subscription budget.
    pub budget: Arc<BudgetStatus>,
    /// The endpoints, where several bring the same at the same time; else none.
    pub endpoints: Arc<[EndpointView]>,
    /// What a rebalance would do now.
    pub proposal: Arc<RebalancePlan>,
    /// Tokens that everything is narrowed to on the server; none: it is not.
    pub narrowed_to: Arc<[Mint]>,
    /// Permits that narrowing it, or asking for everything again, would cost now.
    pub narrowing_cost: u32,
    /// The groups: the built-in ones, then the user's own.
    pub groups: Arc<[GroupView]>,
    /// What they are called.
    pub names: Groups,
    /// The tokens, most recently traded first.
    pub tokens: Arc<[Arc<TokenView>]>,
    /// Tokens known in all; `tokens` may hold fewer.
    pub tokens_known: usize,
    /// The token whose page is open, if one is and it is known.
    pub detail: Option<Arc<TokenDetail>>,
    /// The pools and curves, most recently active first.
    pub pools: Arc<[Arc<PoolView>]>,
    /// Pools and curves known in all; `pools` may hold fewer.
    pub pools_known: usize,
    /// The price of SOL in US dollars.
    pub sol_usd: SolUsdView,
    /// How forecasts of completion came out.
    pub eta_score: EtaScoreView,
    /// The newest trades.
    pub trades: Feed<TradeView>,
    /// Launches, milestones, completions, graduations.
    pub lifecycle: Feed<LifecycleView>,
    /// The newest alerts, one entry per revision; see [`View::latest_alerts`].
    pub alerts: Feed<AlertView>,
    /// Alerts that the user's rules hid.
    pub alerts_muted: u64,
    /// The stages of the pipeline, in order.
    pub pipeline: Arc<[StageView]>,
    /// What was not decoded, most frequent first.
    pub undecoded: Arc<[UndecodedView]>,
    /// The programs that were called, in the order of the program table.
    pub programs: Arc<[ProgramView]>,
    /// The newest message of the engine for the user (a refusal, a filter in force), with its sequence number.
    pub notice: Option<(u64, Arc<str>)>,
    /// What is proven of each slot; taken anew once a second.
    pub completeness: Arc<CompletenessView>,
    /// Whether the source has ended (a recording is over).
    pub finished: bool,
    /// Why the provider refuses the token, if it does.
    pub token_refused: Option<Arc<str>>,
}

impl View {
    /// The last revision of each alert in `alerts`, the newest first.
    pub fn latest_alerts(&self) -> impl Iterator<Item = &Arc<AlertView>> {
        let mut known = HashSet::new();
        self.alerts.entries.iter().rev().filter(move |entry| known.insert(entry.alert.id))
    }

    /// Whether both show the same: everything but the number, the time and the age of the view itself, and the pings. Nobody has to be
    /// woken for the later one then.
    #[must_use]
    pub fn shows_the_same(&self, other: &Self) -> bool {
        // Taken apart without a rest, so that no new part can be forgotten here.
        let Self {
            seq: _,
            now_ms: _,
            uptime_s: _,
            source,
            totals,
            connections,
            budget,
            endpoints,
            proposal,
            narrowed_to,
            narrowing_cost,
            groups,
            names: _,
            tokens,
            tokens_known,
            detail,
            pools,
            pools_known,
            sol_usd,
            eta_score,
            trades,
            lifecycle,
            alerts,
            alerts_muted,
            pipeline,
            undecoded,
            programs,
            notice,
            completeness,
            finished,
            token_refused,
        } = self;
        // What changes with every transaction comes first.
        *totals == other.totals
            && same_entries(tokens, &other.tokens)
            && *tokens_known == other.tokens_known
            && *detail == other.detail
            && same_entries(pools, &other.pools)
            && *pools_known == other.pools_known
            && *sol_usd == other.sol_usd
            && *eta_score == other.eta_score
            && trades.is_same(&other.trades)
            && lifecycle.is_same(&other.lifecycle)
            && alerts.is_same(&other.alerts)
            && *alerts_muted == other.alerts_muted
            && *finished == other.finished
            && *notice == other.notice
            && *token_refused == other.token_refused
            && *budget == other.budget
            && *endpoints == other.endpoints
            && *proposal == other.proposal
            && (narrowed_to, narrowing_cost) == (&other.narrowed_to, &other.narrowing_cost)
            && same_connections(connections, &other.connections)
            && *groups == other.groups
            && same_stages(pipeline, &other.pipeline)
            && *undecoded == other.undecoded
            && *programs == other.programs
            && *completeness == other.completeness
            && *source == other.source
    }
}

/// Whether nothing but pings has come.
fn same_connections(these: &[ConnectionView], others: &[ConnectionView]) -> bool {
    let same = |(one, other): (&ConnectionView, &ConnectionView)| {
        one == other || {
            let status = ConnectionStatus { last_message_ms: other.status.last_message_ms, ..one.status.clone() };
            ConnectionView { status, ..one.clone() } == *other
        }
    };
    these.len() == others.len() && these.iter().zip(others).all(same)
}

/// Whether nothing but the rate of the views themselves has changed: a view must not be news because the last one was.
fn same_stages(these: &[StageView], others: &[StageView]) -> bool {
    let same = |(one, other): (&StageView, &StageView)| {
        let rate = if one.name == "publish" { other.rate } else { one.rate };
        StageView { rate, ..one.clone() } == *other
    };
    these.len() == others.len() && these.iter().zip(others).all(same)
}

/// The source, as the header shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceView {
    /// What it is.
    pub kind: SourceKind,
    /// The provider's profile, `demo`, or the recording's file name.
    pub provider: String,
    /// Hosts only.
    pub endpoints: Vec<String>,
    /// Commitment subscribed to.
    pub commitment: &'static str,
}

/// Whole-stream figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TotalsView {
    /// Newest slot seen processed on any connection.
    pub slot: Option<u64>,
    /// Slots that the newest transaction is behind that.
    pub slots_behind: Option<u64>,
    /// Estimated slot time.
    pub slot_time_ms: Option<f64>,
    /// Unique transactions per second.
    pub tps: Option<f64>,
    /// Received bytes per second.
    pub bytes_per_s: Option<f64>,
    /// Unique transactions since the start.
    pub transactions: u64,
    /// Of those, failed.
    pub failed: u64,
    /// Transactions that arrived again and were dropped.
    pub duplicates: u64,
    /// Frames that could not be read.
    pub bad_frames: u64,
    /// Transactions dropped that only a compressed filter took for wanted.
    pub unwanted: u64,
    /// Decoded / expected events.
    pub parsed: ParsedView,
    /// Trades since the start.
    pub trades: u64,
}

/// decoded / expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParseView {
    /// Events decoded with all mandatory fields.
    pub decoded: u64,
    /// Events that must have been there.
    pub expected: u64,
    /// Of the decoded, those made of the instruction and what it moved, for want of an event.
    pub fallbacks: u64,
    /// Invocations of known instructions.
    pub known: u64,
    /// All invocations.
    pub invocations: u64,
    /// Events longer than the newest layout we know.
    pub unknown_tails: u64,
}

impl ParseView {
    /// Nothing counted.
    pub const ZERO: Self = Self { decoded: 0, expected: 0, fallbacks: 0, known: 0, invocations: 0, unknown_tails: 0 };

    /// What came after an earlier count of the same.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            decoded: self.decoded.saturating_sub(earlier.decoded),
            expected: self.expected.saturating_sub(earlier.expected),
            fallbacks: self.fallbacks.saturating_sub(earlier.fallbacks),
            known: self.known.saturating_sub(earlier.known),
            invocations: self.invocations.saturating_sub(earlier.invocations),
            unknown_tails: self.unknown_tails.saturating_sub(earlier.unknown_tails),
        }
    }

    /// Percent of the expected events that were made of the instruction, floored to two decimals.
    #[must_use]
    pub fn fallback_percent(&self) -> Option<f64> {
        floor_percent(self.fallbacks, self.expected)
    }

    /// Percent, floored to two decimals; 100 only if nothing is missing. `None` when nothing was expected.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        floor_percent(self.decoded, self.expected)
    }

    /// Percent of invocations with a known instruction, floored to two decimals.
    #[must_use]
    pub fn coverage_percent(&self) -> Option<f64> {
        floor_percent(self.known, self.invocations)
    }
}

/// How well a program, a group, a connection or the whole is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParsedView {
    /// Since the start.
    pub all: ParseView,
    /// In the last ten whole seconds.
    pub last_10s: ParseView,
    /// In the last 300 whole seconds.
    pub last_5min: ParseView,
}

/// One program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramView {
    /// Which.
    pub program: Program,
    /// How well it is decoded.
    pub parsed: ParsedView,
}

/// `part / whole` in percent, floored to two decimals: 100.00 only if `part == whole`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
pub fn floor_percent(part: u64, whole: u64) -> Option<f64> {
    let basis_points = (u128::from(part) * 10_000).checked_div(u128::from(whole))?;
    Some(basis_points.min(10_000) as f64 / 100.0)
}

/// A latency distribution over the last ten seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencyView {
    /// Median in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile in milliseconds.
    pub p99_ms: f64,
}

/// One connection.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionView {
    /// State, cause, groups, filters, permits.
    pub status: ConnectionStatus,
    /// Transactions per second.
    pub tps: Option<f64>,
    /// Received bytes per second.
    pub bytes_per_s: Option<f64>,
    /// Server's `created_at` to arrival.
    pub latency: Option<LatencyView>,
    /// Slots behind the newest slot of any connection.
    pub slot_lag: Option<u64>,
    /// Fill of the queue to the market stage, 0–1.
    pub queue_fill: f64,
    /// Decoded / expected on this connection.
    pub parsed: ParsedView,
}

/// One of several endpoints that bring the same: how it compares. Counted are transactions that more than one of them was
/// asked for, since the start, some slots after they came.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointView {
    /// Host and port only.
    pub host: Arc<str>,
    /// Connections to it now.
    pub connections: Vec<usize>,
    /// Transactions compared.
    pub compared: u64,
    /// Of those, the ones that it brought before the others.
    pub first: u64,
    /// How much later than the first of the others it brings them, in milliseconds: the median of the newest. Below 0 it is
    /// ahead.
    pub lag_ms: Option<f64>,
    /// Of those compared, the ones it never brought.
    pub missed: u64,
    /// Of those compared, the ones that no other brought.
    pub alone: u64,
    /// Transactions left out of this, on all endpoints, because too many were waited for.
    pub not_compared: u64,
}

impl EndpointView {
    /// Percent of what was compared that it brought first.
    #[must_use]
    pub fn first_percent(&self) -> Option<f64> {
        floor_percent(self.first, self.compared)
    }
}

/// One priority group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupView {
    /// Which.
    pub group: Group,
    /// Connections that carry it now.
    pub connections: Vec<usize>,
    /// Unique transactions per second over the last five seconds, by decoded program.
    pub tps: Option<f64>,
    /// Highest of the above so far.
    pub peak_tps: Option<f64>,
    /// Transactions in each of the last 60 whole seconds, oldest first; shorter while the program is younger.
    pub per_second: Arc<[u32]>,
    /// Server's `created_at` to arrival.
    pub latency: Option<LatencyView>,
    /// End of the slot by the slot clock to arrival is not known for data of the open slot; this is how far the newest
    /// transaction's slot is behind the newest processed slot.
    pub slot_lag: Option<u64>,
    /// Decoded / expected.
    pub parsed: ParsedView,
    /// Things not decoded since the start.
    pub undecoded: u64,
    /// Failed transactions since the start.
    pub failed: u64,
    /// Received bytes per second.
    pub bytes_per_s: Option<f64>,
    /// Transactions per second in the near future; `None` until such forecasts have been scored.
    pub forecast: Option<ForecastView>,
}

/// One stage of the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct StageView {
    /// `receive`, `decode`, `market`, `detect`, `publish`.
    pub name: &'static str,
    /// Items per second (frames, transactions, events, trades, views).
    pub rate: Option<f64>,
    /// Fill of the queue in front of it, 0–1, where it has one.
    pub queue_fill: Option<f64>,
    /// Share of one core it is busy, 0–1.
    pub busy: Option<f64>,
    /// Items dropped at its bound since the start.
    pub dropped: u64,
}

/// A row of the undecoded table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndecodedView {
    /// Whose.
    pub program: Program,
    /// First eight bytes of the instruction or event.
    pub discriminator: [u8; 8],
    /// Why.
    pub reason: UndecodedReason,
    /// How often.
    pub count: u64,
    /// Where to look.
    pub example: Signature,
}

/// Groups a connection carries after its throttle level.
#[must_use]
pub fn carried(status: &ConnectionStatus) -> GroupSet {
    throttled(status.groups, status.throttle)
}
