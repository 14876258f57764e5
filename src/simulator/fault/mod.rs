//! The fault plan: what goes wrong on the loopback server, when, and for which connection.
//!
//! Time runs from the first subscribe call. Connections are counted from 1; a new one takes the lowest free number. A
//! fault of a moment (`reset`, `close`, `status`, `lagged`, `dead_slot`) strikes once, or with `for` everything that
//! comes in that time as well. A fault that lasts (`stall`, `rate`, `drop`, …) ends after `for`, without it never.

mod parse;

use std::{str::FromStr, time::Duration};

use tonic::Code;

pub use parse::FaultError;

/// A time that no run reaches: ten years.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// Everything that goes wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultPlan {
    /// Seed of everything drawn: same seed, same choices for the same updates.
    pub seed: u64,
    /// The faults, by time.
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Since the first subscribe call.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Option<Duration>,
    /// Which connection, from 1; `None` is all.
    pub connection: Option<usize>,
    /// What happens.
    pub kind: FaultKind,
}

/// See [`Fault`].
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// The TCP connection is reset, at once or after so many bytes to the client.
    Reset {
        /// Bytes that still pass.
        after_bytes: u64,
    },
    /// Streams end cleanly.
    Close {
        /// Updates each still gets, pings apart.
        after: u64,
    },
    /// Bytes stay away; what was kept back follows when it ends.
    Blackhole {
        /// To the client.
        down: bool,
        /// From the client.
        up: bool,
    },
    /// Streams say nothing, not even pings, while their connection lives; what was kept back follows when it ends.
    Stall,
    /// Bytes arrive later, both ways.
    Delay {
        /// By this much,
        by: Duration,
        /// more or less this.
        jitter: Duration,
    },
    /// Bytes to the client come slowly.
    Rate {
        /// At this rate.
        bytes_per_s: u64,
    },
    /// Bytes come in small pieces, both ways.
    Slice {
        /// Of this size.
        bytes: usize,
    },
    /// Streams end with a status; while it lasts, subscribe calls are answered by it.
    Status {
        /// Its code.
        code: Code,
        /// Its text.
        message: String,
        /// How long it asks the client to stay away (`grpc-retry-pushback-ms`).
        pushback: Option<Duration>,
        /// Updates each stream still gets, pings apart; then subscribe calls are accepted, too.
        after: u64,
    },
    /// HTTP/2 GOAWAY.
    Goaway {
        /// Error code of RFC 9113 section 7. With 0 (`NO_ERROR`) open streams go on; any other closes the connection.
        code: u32,
        /// When the connection is closed after a `NO_ERROR`.
        grace: Option<Duration>,
    },
    /// Updates are lost.
    Drop {
        /// Which share of them, 0–1.
        share: f64,
        /// Slots and block metas too, not only transactions and accounts.
        all: bool,
    },
    /// Transactions and accounts come twice.
    Duplicate {
        /// Which share of them, 0–1.
        share: f64,
    },
    /// Transactions and accounts change places with their successor in the slot.
    Reorder {
        /// Which share of them, 0–1.
        share: f64,
    },
    /// The slot at hand dies with all its data; the next one has its transactions again, and its parent.
    DeadSlot,
    /// Subscribe calls are refused as too many.
    Limit {
        /// How long the refusal asks the client to stay away (`grpc-retry-pushback-ms`).
        pushback: Option<Duration>,
    },
    /// Everything but the newest slot is gone from the replay.
    ReplayGone,
    /// One update is very large.
    Oversize {
        /// Its size.
        bytes: usize,
    },
    /// Streams end as if the client were too slow.
    Lagged {
        /// Updates each still gets, pings apart.
        after: u64,
    },
}

impl Fault {
    /// Whether it concerns this connection; `None` is one without a number.
    #[must_use]
    pub fn hits(&self, connection: Option<usize>) -> bool {
        self.connection.is_none() || self.connection == connection
    }

    /// Whether it lasts at this time. A fault of a moment that names no length never does.
    #[must_use]
    pub fn lasts_at(&self, elapsed: Duration) -> bool {
        self.at <= elapsed && elapsed < self.end()
    }

    /// When it ends, since the first subscribe call; for a fault of a moment that names no length, when it strikes.
    #[must_use]
    pub fn end(&self) -> Duration {
        match self.lasts {
            Some(length) => self.at.saturating_add(length),
            None if self.kind.is_momentary() => self.at,
            None => NEVER,
        }
    }
}

impl FaultKind {
    /// Whether it strikes once, unless told to last.
    #[must_use]
    pub fn is_momentary(&self) -> bool {
        match self {
            Self::Reset { .. }
            | Self::Close { .. }
            | Self::Status { .. }
            | Self::Goaway { .. }
            | Self::DeadSlot
            | Self::ReplayGone
            | Self::Oversize { .. }
            | Self::Lagged { .. } => true,
            Self::Blackhole { .. }
            | Self::Stall
            | Self::Delay { .. }
            | Self::Rate { .. }
            | Self::Slice { .. }
            | Self::Drop { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Limit { .. } => false,
        }
    }
}

impl FromStr for FaultPlan {
    type Err = FaultError;

    /// Reads a plan in TOML.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        parse::parse(text)
    }
}
