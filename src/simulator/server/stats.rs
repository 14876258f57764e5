//! What a server has done so far.

/// Counters of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Subscribe calls that brought a valid token, refused ones included.
    pub subscribe_calls: u64,
    /// Streams open now.
    pub open_streams: usize,
    /// Streams that have sent a request with a filter, ever.
    pub streams_started: usize,
    /// Requests put into effect.
    pub requests_applied: u64,
    /// Updates queued for clients, pings and pongs apart.
    pub updates_sent: u64,
    /// Streams cut because their client was too slow.
    pub lagged: u64,
    /// The newest frozen slot.
    pub slot: Option<u64>,
    /// Slots frozen.
    pub slots_frozen: u64,
    /// The producer has ended and everything is queued.
    pub ended: bool,
}
