//! Endpoint → trustworthy updates. Decisions are plain state machines; only `connection` and the supervisor do I/O.

pub mod status;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};

use crate::chain::{group::Group, wire::Update};

pub use status::{Control, StreamStatus};

/// One endpoint to connect to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `http(s)://host:port`; checked by the configuration.
    pub url: String,
    /// Host and port, for the screen.
    pub host: Arc<str>,
    /// The provider's token.
    pub x_token: Option<SecretString>,
}

/// The provider's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetRules {
    /// Most subscribe operations in any window.
    pub limit: u32,
    /// The window.
    pub window: Duration,
    /// Kept for recovery.
    pub reserve: u32,
    /// Most per connection and window.
    pub per_connection: u32,
    /// Permits a new stream costs.
    pub cost_new: u32,
    /// Permits a filter update on an open stream costs.
    pub cost_update: u32,
}

/// What happens when a stream ends cleanly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEnd {
    /// It is a disconnect.
    Reconnect,
    /// It is the end of a recording.
    Finish,
}

/// Everything the streams need to know.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// How many connections.
    pub connections: usize,
    /// The groups to subscribe to.
    pub groups: Vec<Group>,
    /// The provider's rules.
    pub budget: BudgetRules,
    /// Commitment by number: 0 processed, 1 confirmed, 2 finalized.
    pub commitment: i32,
    /// HTTP/2 PING interval.
    pub keepalive_interval: Duration,
    /// How long a PING may stay unanswered.
    pub keepalive_timeout: Duration,
    /// HTTP/2 stream and connection window in bytes.
    pub window_bytes: u32,
    /// Largest message accepted, in bytes.
    pub max_message_bytes: usize,
    /// Longest time to connect.
    pub connect_timeout: Duration,
    /// Longest time for a subscribe call to be answered.
    pub subscribe_timeout: Duration,
    /// Silence after which a stream counts as dead.
    pub silence_timeout: Duration,
    /// First and longest delay between attempts.
    pub backoff: (Duration, Duration),
    /// Whether to ask the server for zstd.
    pub zstd: bool,
    /// What a clean end means.
    pub on_end: OnEnd,
}

/// When a frame arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Microseconds since the Unix epoch, for comparison with the server's clock.
    pub unix_us: i64,
}

/// What a connection does with its updates, on its own thread.
pub trait Sink: Send + 'static {
    /// What is handed to the next stage.
    type Batch: Send + 'static;

    /// Takes one update. Pings and pongs arrive too.
    fn on_update(&mut self, frame: &Bytes, update: &Update<'_>, arrival: Arrival);

    /// Takes a frame that could not be read.
    fn on_bad_frame(&mut self, frame: &Bytes, error: crate::chain::wire::WireError, arrival: Arrival);

    /// The batch so far, if there is anything in it. Called when no further frame is ready, or the batch is large.
    fn take_batch(&mut self) -> Option<Self::Batch>;
}

/// The running streams.
#[derive(Debug)]
pub struct Streams {
    control: mpsc::Sender<Control>,
    status: watch::Receiver<Arc<StreamStatus>>,
}

impl Streams {
    /// Requests to the supervisor; bounded.
    #[must_use]
    pub const fn control(&self) -> &mpsc::Sender<Control> {
        &self.control
    }

    /// The streams at this instant, and every change.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Arc<StreamStatus>> {
        self.status.clone()
    }
}
