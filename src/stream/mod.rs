//! Endpoint → trustworthy updates. Decisions are plain state machines; only `connection` and the supervisor do I/O.

pub mod balancer;
mod channel;
pub mod checkpoint;
mod clock;
pub mod codec;
pub mod completeness;
pub mod compressed;
mod connection;
pub mod failover;
pub mod forecast;
pub mod gate;
pub mod ledger;
pub mod limiter;
mod live;
pub mod machine;
mod migration;
mod narrow;
pub mod permit_file;
pub mod permits;
pub mod plan;
pub mod policy;
pub mod pool;
pub mod probe;
pub mod recovery;
mod replay;
mod rest;
mod second;
pub mod share;
mod slot;
mod start;
pub mod status;
mod supervisor;
mod vitals;
pub mod watchdog;
mod wish;

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use secrecy::SecretString;
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::chain::{
    group::{Group, GroupSet, Groups, Priority},
    wire::Update,
};

use self::plan::AccountFilter;
pub use self::{
    checkpoint::{CheckpointRules, Resume},
    ledger::{ProofMode, SlotRecord},
    machine::Machine,
    share::Share,
    status::{Control, Gap, GapCause, GroupLoad, StreamStatus},
};

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

/// Whether the second endpoint brings something at the same time as the first: what one loses the other has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standby {
    /// No: it is used when the first fails.
    #[default]
    Off,
    /// The groups of high priority.
    High,
    /// Every group.
    All,
}

/// Everything the streams need to know.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// Where else, in the order of preference: used when the first fails, each with its own budget by the same rules.
    pub failover: Vec<Endpoint>,
    /// What the first of those brings all the time, on a connection of its own beside the others.
    pub standby: Standby,
    /// How many connections.
    pub connections: usize,
    /// The groups to subscribe to.
    pub groups: Vec<Group>,
    /// Accounts whose writes are wanted; they come on the connection that carries the first group.
    pub accounts: Vec<AccountFilter>,
    /// What they are called and what belongs to them.
    pub rules: Groups,
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
    /// Folder of the budget ledger that all processes with the same token share; without it the budget is this process's
    /// alone and forgotten at its end.
    pub ledger: Option<PathBuf>,
    /// Where the end of a run is kept, so that the next one can go on there; none for sources whose slots do not go on.
    pub checkpoint: Option<CheckpointRules>,
    /// Where the last run ended; taken from the checkpoint by whoever starts the streams and the stages behind them.
    pub resume: Resume,
    /// Whether to ask the server again for what was missed.
    pub recover: bool,
    /// What is asked for so that completeness can be proven.
    pub proof: ProofMode,
    /// Whether groups are moved, and shed when we are the slow side, without being asked.
    pub balance: bool,
    /// How long a connection rests for which the server has no room; twice as long each time it finds none again.
    pub rest: Duration,
    /// Least time between two filter updates on one stream: key repeat ends up as one.
    pub update_spacing: Duration,
}

impl StreamSettings {
    /// What the connection to the second endpoint carries all the time; nothing: there is none.
    #[must_use]
    pub fn standby_groups(&self) -> GroupSet {
        let high = |group: &&Group| group.priority() == Priority::High;
        match self.standby {
            _ if self.failover.is_empty() => GroupSet::EMPTY,
            Standby::Off => GroupSet::EMPTY,
            Standby::High => self.groups.iter().filter(high).copied().collect(),
            Standby::All => self.groups.iter().copied().collect(),
        }
    }

    /// Streams held open in all.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.connections + usize::from(!self.standby_groups().is_empty())
    }
}

/// When a frame arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Microseconds since the Unix epoch, for comparison with the server's clock.
    pub unix_us: i64,
    /// Whether it came in a replay: its age says nothing about latency.
    pub replayed: bool,
}

/// What a connection does with its updates, on its own thread.
pub trait Sink: Send + 'static {
    /// What is handed to the next stage.
    type Batch: Send + 'static;

    /// Takes one update. Pings and pongs arrive too.
    fn on_update(&mut self, frame: &Bytes, update: &Update<'_>, arrival: Arrival);

    /// A slot is finished on this connection, which was asked for this share of it.
    fn on_slot(&mut self, _record: &SlotRecord, _share: Share) {}

    /// Slots were missed on this connection, or fetched again; of these groups something may have been in them.
    fn on_gap(&mut self, _gap: &Gap, _needs: GroupSet) {}

    /// Everything that another connection carried has come here or is declared as missed, from this slot on.
    fn on_taken_over(&mut self, _connection: usize, _from_slot: u64) {}

    /// Takes a frame that could not be read.
    fn on_bad_frame(&mut self, frame: &Bytes, error: crate::chain::wire::WireError, arrival: Arrival);

    /// The batch so far, if there is anything in it. Called when no further frame is ready, or the batch is large.
    fn take_batch(&mut self) -> Option<Self::Batch>;
}

/// Why the streams could not be started.
#[derive(Debug, Error)]
pub enum StreamError {
    /// More or fewer connections than there can be.
    #[error("{0} connections are asked for; 1 to {max} are possible", max = pool::MAX_CONNECTIONS)]
    Connections(usize),
    /// The filters cannot be sent to any server.
    #[error(transparent)]
    Plan(#[from] plan::PlanError),
    /// A permit costs more than the budget has.
    #[error("the subscription budget allows no subscription at all")]
    Budget,
    /// Not called inside a tokio runtime.
    #[error("the streams need a tokio runtime")]
    NoRuntime,
    /// The system gives us no thread or runtime.
    #[error("a connection could not get its thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// The running streams.
#[derive(Debug)]
pub struct Streams {
    control: mpsc::Sender<Control>,
    status: watch::Receiver<Arc<StreamStatus>>,
    closing: oneshot::Sender<()>,
    supervisor: JoinHandle<()>,
}

impl Streams {
    /// Starts every connection, each on its own thread, through the budget. To be called inside a tokio runtime.
    ///
    /// `make_sink` makes what takes the updates of a connection; its batches go into `batches`, which holds the
    /// connection back when it is full. The channel ends when every connection has.
    pub fn start<S: Sink>(
        settings: StreamSettings,
        make_sink: impl Fn(usize) -> S,
        batches: mpsc::Sender<S::Batch>,
    ) -> Result<Self, StreamError> {
        Self::start_on(Machine::default(), settings, make_sink, batches)
    }

    /// Like [`start`](Self::start), on a machine that may be another than the real one.
    #[allow(clippy::needless_pass_by_value, reason = "the channel ends with the connections only if no sender is left")]
    pub fn start_on<S: Sink>(
        machine: Machine,
        settings: StreamSettings,
        make_sink: impl Fn(usize) -> S,
        batches: mpsc::Sender<S::Batch>,
    ) -> Result<Self, StreamError> {
        let started = start::start(&machine, settings, make_sink, &batches)?;
        Ok(Self {
            control: started.control,
            status: started.status,
            closing: started.closing,
            supervisor: started.task,
        })
    }

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

    /// Ends every stream properly and joins its thread. Takes five seconds at most.
    pub async fn close(self) {
        // The supervisor may have ended already: then there is nothing to ask of it.
        let _ = self.closing.send(());
        if let Err(error) = self.supervisor.await {
            tracing::error!(%error, "the stream supervisor did not end in order");
        }
    }
}
