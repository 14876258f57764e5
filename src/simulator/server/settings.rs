//! What a server can be told.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, SystemTime},
};

use solana_sdk::pubkey::Pubkey;

use super::oracle_writer::OracleWriter;
use crate::simulator::fault::FaultPlan;

/// How fast the producer's slots are played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// In real time.
    Real,
    /// So many times faster than real time.
    Speed(f64),
    /// As fast as the clients read: nothing is ever cut off for being slow, the playback waits instead.
    Max,
}

/// Limits on one request's filters, as a provider sets them. Unlimited by default.
#[derive(Clone, Debug)]
pub struct FilterLimits {
    /// Most filters of one kind, and most data slices.
    pub filters: usize,
    /// Most keys in one list of one filter.
    pub keys: usize,
    /// Whether a filter without any condition is allowed for transactions and accounts.
    pub any: bool,
    /// Longest filter name in bytes.
    pub name_bytes: usize,
    /// Keys that no filter may ask for, in `account_include`, `account` and `owner` (Token programs, at some providers).
    pub rejected: Vec<Pubkey>,
}

impl Default for FilterLimits {
    fn default() -> Self {
        Self { filters: usize::MAX, keys: usize::MAX, any: true, name_bytes: 128, rejected: Vec::new() }
    }
}

/// Settings of a [`Server`](super::Server).
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where to listen: a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The token every call must bring, if any.
    pub x_token: Option<String>,
    /// How fast to play.
    pub pace: Pace,
    /// Playback begins when this many streams have sent a first request with a filter; 0 is at once.
    pub start_after_streams: usize,
    /// Frozen slots kept for `from_slot`; 0 turns it off.
    pub replay_slots: usize,
    /// Whether a `from_slot` in a later request of a stream is honoured, as yellowstone-grpc 15.1.2 does, or passed over.
    pub replays_later: bool,
    /// Most bytes that they take, besides those not finalized yet: of more the oldest go.
    pub replay_bytes: usize,
    /// Updates one client may be behind before it is cut off.
    pub channel_capacity: usize,
    /// Subscribe calls allowed per token: a bucket of that size which refills over that time.
    pub subscribe_limit: Option<(u32, Duration)>,
    /// Streams open at a time per token.
    pub max_streams: Option<u32>,
    /// Limits on filters.
    pub filter_limits: FilterLimits,
    /// Time between the server's pings.
    pub ping_interval: Duration,
    /// Slots from processed to confirmed.
    pub confirmed_after: usize,
    /// Slots from processed to finalized.
    pub finalized_after: usize,
    /// What goes wrong, and when.
    pub faults: Option<FaultPlan>,
    /// Where every subscribe call, request and update is written.
    pub oracle: Option<OracleWriter>,
    /// What `GetVersion` answers.
    pub version: String,
    /// The time of day that updates and the oracle state.
    pub clock: fn() -> SystemTime,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            x_token: None,
            pace: Pace::Real,
            start_after_streams: 0,
            replay_slots: 150,
            replays_later: true,
            replay_bytes: usize::MAX,
            channel_capacity: 250_000,
            subscribe_limit: None,
            max_streams: None,
            filter_limits: FilterLimits::default(),
            ping_interval: Duration::from_secs(10),
            confirmed_after: 2,
            finalized_after: 32,
            faults: None,
            oracle: None,
            version: format!(
                r#"{{"version":{{"package":"{}","version":"{}","proto":"14.0.1","solana":"simulated"}},"extra":{{}}}}"#,
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION")
            ),
            clock: SystemTime::now,
        }
    }
}
