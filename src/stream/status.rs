//! What the streams say of themselves: values, published as a whole, never locked.

use std::{fmt::Write as _, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;

pub use super::{balancer::ConnectionLoad, pool::GroupLoad};
use crate::chain::{
    group::{Group, GroupSet, Groups},
    ids::Mint,
};

/// Life of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Not started.
    Idle,
    /// The budget has no permit yet.
    WaitingForPermit,
    /// TCP, TLS, HTTP/2.
    Connecting,
    /// The subscribe call is on its way.
    Subscribing,
    /// Messages arrive.
    Live,
    /// Live, but something is wrong; the cause says what.
    Degraded,
    /// Being closed while another connection takes over.
    Draining,
    /// Waiting before the next attempt.
    BackingOff,
    /// Will not be tried again without the user.
    Stopped,
}

impl ConnectionState {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::WaitingForPermit => "waiting_for_permit",
            Self::Connecting => "connecting",
            Self::Subscribing => "subscribing",
            Self::Live => "live",
            Self::Degraded => "degraded",
            Self::Draining => "draining",
            Self::BackingOff => "backing_off",
            Self::Stopped => "stopped",
        }
    }
}

/// How much of its groups a connection asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Throttle {
    /// Everything.
    #[default]
    Full,
    /// All but low-priority groups.
    WithoutLow,
    /// High-priority groups only.
    HighOnly,
    /// No group; the slot heartbeat stays.
    Paused,
}

impl Throttle {
    /// One level less traffic.
    #[must_use]
    pub const fn down(self) -> Self {
        match self {
            Self::Full => Self::WithoutLow,
            Self::WithoutLow => Self::HighOnly,
            Self::HighOnly | Self::Paused => Self::Paused,
        }
    }

    /// One level more traffic.
    #[must_use]
    pub const fn up(self) -> Self {
        match self {
            Self::Full | Self::WithoutLow => Self::Full,
            Self::HighOnly => Self::WithoutLow,
            Self::Paused => Self::HighOnly,
        }
    }

    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::WithoutLow => "without low",
            Self::HighOnly => "high only",
            Self::Paused => "paused",
        }
    }
}

/// One connection.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionStatus {
    /// 0-based, stable for the run.
    pub id: usize,
    /// Host and port only: never a path, user or token.
    pub endpoint: Arc<str>,
    /// Where it is in its life.
    pub state: ConnectionState,
    /// Since when, in milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// Why it is not simply live, in words.
    pub cause: Option<Arc<str>>,
    /// Groups assigned to it.
    pub groups: GroupSet,
    /// Throttle level asked for.
    pub throttle: Throttle,
    /// Version of the newest filter set sent.
    pub filter_version: u32,
    /// Newest filter version that an update has carried: it is in force on the server.
    pub active_version: u32,
    /// Streams opened after the first.
    pub reconnects: u64,
    /// When the last message of any kind arrived, in milliseconds since the Unix epoch.
    pub last_message_ms: Option<i64>,
    /// When the last slot or transaction arrived: what the figures of the stream are made of. Pings say nothing of them.
    pub last_data_ms: Option<i64>,
    /// Permits spent by it in the window.
    pub permits_in_window: u32,
    /// Whether what it brings is narrowed to some tokens, or was in the slot at hand.
    pub narrowed: bool,
    /// Whether it brings what others bring as well, from another endpoint.
    pub standby: bool,
}

/// Why a permit was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The first subscription of a connection.
    Start,
    /// A subscription after a failure.
    Reconnect,
    /// A filter update the user asked for (throttle).
    User,
    /// A filter update of a rebalance.
    Rebalance,
    /// A replay of slots that arrived incomplete.
    Repair,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] = [Self::Start, Self::Reconnect, Self::User, Self::Rebalance, Self::Repair];

    /// The name used in formats and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Reconnect => "reconnect",
            Self::User => "user",
            Self::Rebalance => "rebalance",
            Self::Repair => "repair",
        }
    }
}

/// One spent permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// When it was taken, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// By which connection; `None` is another process with the same token.
    pub connection: Option<usize>,
    /// Which other process, by a short name that it keeps while it runs; `None` is this one, or nobody that is known.
    pub process: Option<u16>,
    /// What for.
    pub purpose: Purpose,
    /// How many permits it cost.
    pub cost: u32,
}

/// The subscription budget.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BudgetStatus {
    /// Permits held now.
    pub used: u32,
    /// Most permits that may be held.
    pub limit: u32,
    /// Seconds a permit is held after its call completed.
    pub window_s: u32,
    /// Of the limit, kept for recovery of high-priority groups.
    pub reserved: u32,
    /// Milliseconds until the next held permit frees, if any is held and completed.
    pub next_free_ms: Option<u64>,
    /// Milliseconds until the budget is exhausted at the present rate; `None` when it is not getting there.
    pub exhausted_in_ms: Option<u64>,
    /// Milliseconds until new subscriptions are allowed again after the provider's rate-limit answer.
    pub frozen_ms: Option<u64>,
    /// Of the permits held, those of other processes with the same token.
    pub others: u32,
    /// Whether a ledger is shared with them.
    pub shared: bool,
    /// Why the ledger cannot be used now, in words; the budget then counts as spent for one window.
    pub trouble: Option<Arc<str>>,
    /// The permits held, oldest first.
    pub spent: Vec<Spent>,
}

impl BudgetStatus {
    /// Permits that this process holds, by what they were spent on; only what was.
    pub fn causes(&self) -> impl Iterator<Item = (Purpose, u32)> {
        let of = |purpose| {
            let own = self.spent.iter().filter(move |spent| spent.connection.is_some() && spent.purpose == purpose);
            (purpose, own.map(|spent| spent.cost).sum())
        };
        Purpose::ALL.into_iter().map(of).filter(|(_, permits)| *permits > 0)
    }

    /// How many other processes hold permits.
    #[must_use]
    pub fn processes(&self) -> usize {
        let mut names: Vec<u16> = self.spent.iter().filter_map(|spent| spent.process).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }
}

/// One group on its way to another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// What moves.
    pub group: Group,
    /// From where.
    pub from: usize,
    /// To where.
    pub to: usize,
}

/// What a rebalance would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RebalancePlan {
    /// The moves; empty when the load is even already.
    pub moves: Vec<Move>,
    /// Permits it costs.
    pub permits: u32,
    /// Share of the whole load on the busiest connection, before (0–1), where the load is known.
    pub busiest_before: Option<f64>,
    /// The same after.
    pub busiest_after: Option<f64>,
}

/// Something worth a line in log and events.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEvent {
    /// Counts up by one; a gap in what a reader sees is the number it missed.
    pub seq: u64,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What.
    pub kind: StreamEventKind,
}

/// See [`StreamEvent`].
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEventKind {
    /// A connection changed state.
    State {
        /// Which.
        connection: usize,
        /// Its new state.
        state: ConnectionState,
        /// Why, in words.
        cause: Option<Arc<str>>,
        /// Its groups.
        groups: GroupSet,
    },
    /// A filter set came into force on the server.
    Activated {
        /// On which connection.
        connection: usize,
        /// Its version.
        version: u32,
        /// Milliseconds from the request to the first update that carried it.
        after_ms: u64,
    },
    /// Groups were moved.
    Rebalanced {
        /// `manual`, `load`, `failover` or `throttle`.
        reason: &'static str,
        /// The moves.
        moves: Vec<Move>,
        /// What it cost.
        permits: u32,
    },
    /// The subscription was narrowed to these tokens; none: everything is asked for again.
    Narrowed {
        /// The tokens.
        mints: Arc<[Mint]>,
        /// What it cost.
        permits: u32,
    },
    /// A request of the user could not be met; the reason in words.
    Refused(Arc<str>),
    /// Slots were missed, and perhaps fetched again.
    Gap(Gap),
    /// Something the user should know, in words.
    Note(Arc<str>),
}

impl StreamEventKind {
    /// A line for log and screen.
    #[must_use]
    pub fn words(&self, names: &Groups) -> String {
        match self {
            Self::State { connection, state, cause, .. } => {
                let cause = cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
                format!("connection {connection}: {}{cause}", state.name().replace('_', " "))
            }
            Self::Activated { connection, version, after_ms } => {
                format!("connection {connection}: filter {version} in force after {after_ms} ms")
            }
            Self::Rebalanced { reason: "throttle", .. } => "the load changed what is asked for".to_owned(),
            Self::Rebalanced { moves, permits, .. } => {
                let mut words = "rebalanced:".to_owned();
                for one in moves {
                    let _ = write!(words, " {} {}→{}", names.name(one.group), one.from, one.to);
                }
                words + &format!(" ({permits} permits)")
            }
            Self::Narrowed { mints, permits } if mints.is_empty() => {
                format!("everything is asked for again ({permits} permits)")
            }
            Self::Narrowed { mints, permits } => {
                let tokens = if mints.len() == 1 { "token" } else { "tokens" };
                format!("narrowed to {} {tokens} ({permits} permits): others are not covered", mints.len())
            }
            Self::Refused(why) | Self::Note(why) => why.as_ref().to_owned(),
            Self::Gap(gap) => {
                let Gap { connection, from_slot, to_slot, cause, repaired } = gap;
                let outcome = if *repaired { "fetched again" } else { "missing" };
                format!("connection {connection}: slots {from_slot} to {to_slot} {outcome} ({})", cause.name())
            }
        }
    }
}

/// Slots of which something did not arrive when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// On which connection.
    pub connection: usize,
    /// First slot concerned.
    pub from_slot: u64,
    /// Last slot concerned.
    pub to_slot: u64,
    /// Why.
    pub cause: GapCause,
    /// Whether a replay brought everything.
    pub repaired: bool,
}

/// Why there is a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapCause {
    /// The stream broke.
    Disconnect,
    /// The server does not hold the slots any more.
    ReplayGone,
    /// The server has no replay, or ignores the wish.
    ReplayUnsupported,
    /// We read too slowly.
    Lagged,
    /// Statuses came without their transactions.
    Dropped,
    /// A message was larger than we accept.
    Oversize,
    /// The program was not running.
    Restart,
    /// A block names a parent that never came.
    ChainBreak,
}

impl GapCause {
    /// The name used in formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::ReplayGone => "replay_gone",
            Self::ReplayUnsupported => "replay_unsupported",
            Self::Lagged => "lagged",
            Self::Dropped => "dropped",
            Self::Oversize => "oversize",
            Self::Restart => "restart",
            Self::ChainBreak => "chain_break",
        }
    }
}

/// All streams at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamStatus {
    /// The connections, by id.
    pub connections: Vec<ConnectionStatus>,
    /// The budget they share.
    pub budget: BudgetStatus,
    /// The newest events, oldest first.
    pub events: Vec<StreamEvent>,
    /// What a rebalance would do now, by the loads last reported.
    pub proposal: RebalancePlan,
    /// Tokens that everything is narrowed to; none: it is not.
    pub narrowed_to: Arc<[Mint]>,
    /// Permits that narrowing it to others, or asking for everything again, would cost now.
    pub narrowing_cost: u32,
    /// Whether every stream has ended for good (a replay is over, or everything is stopped).
    pub finished: bool,
    /// Why the provider refuses the token, if it does: nothing is tried again then.
    pub token_refused: Option<Arc<str>>,
}

/// What the engine asks of the streams.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// The traffic measured, about once a second: what proposals, moves and the watchdog go by. Also refreshes the status.
    Loads {
        /// By group.
        groups: Vec<GroupLoad>,
        /// By connection.
        connections: Vec<ConnectionLoad>,
    },
    /// Set a connection's throttle level.
    Throttle {
        /// Which connection.
        connection: usize,
        /// The level.
        level: Throttle,
    },
    /// Move groups, make before break.
    Rebalance {
        /// `manual`, `load`, `failover` or `throttle`.
        reason: &'static str,
        /// The moves.
        moves: Vec<Move>,
    },
    /// Ask for transactions of these tokens only; none: for everything again.
    Narrow {
        /// The tokens.
        mints: Vec<Mint>,
    },
    /// Something the user should know, in words.
    Note(Arc<str>),
    /// Close and reopen a connection, through the budget.
    Reconnect {
        /// Which connection.
        connection: usize,
    },
}
