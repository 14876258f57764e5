//! Wires the stages: tasks and channels, [`Command`] in, [`View`] out, ordered shutdown.

mod alerts;
mod compare;
mod direct;
pub mod emit;
mod ingest;
mod meter;
mod parsed;
mod pipeline;
mod slots;
mod task;
mod unfiltered;
pub mod view;

use std::{sync::Arc, thread::JoinHandle};

use bytes::Bytes;
use thiserror::Error;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle as TaskHandle,
};

use crate::{
    chain::{group::Group, ids::Mint},
    mev::AlertRules,
    stream::{
        Control, StreamError, StreamSettings, StreamStatus, Streams, checkpoint,
        status::{Move, Throttle},
    },
};

use self::{ingest::Ingest, pipeline::Pipeline, task::Task};

pub use direct::Direct;
pub use emit::Emitted;
pub use view::{SourceView, View};

/// Batches that may wait between the connections and the market.
const BATCH_QUEUE: usize = 1_024;
/// Requests that may wait.
const COMMAND_QUEUE: usize = 64;

/// What the engine runs on.
#[derive(Debug)]
pub struct EngineSettings {
    /// Shown in the header and the snapshot.
    pub source: SourceView,
    /// The streams.
    pub streams: StreamSettings,
    /// Where every event goes, if anywhere.
    pub events: Option<mpsc::Sender<Vec<Emitted>>>,
    /// Where every frame goes that arrived for the first time, with its arrival in microseconds since the Unix epoch.
    pub frames: Option<mpsc::Sender<Vec<(Bytes, i64)>>>,
    /// What is shown of the alerts, and what rings.
    pub alerts: AlertRules,
    /// US dollars per SOL while the stream does not tell.
    pub sol_usd: Option<f64>,
    /// What a full sink means: wait for it (a replay must lose nothing), or count what it misses (a live stream must
    /// not wait for a disk).
    pub wait_for_sinks: bool,
}

/// Why the engine cannot start.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A thread could not be made.
    #[error("cannot start the streaming engine: {0}")]
    Io(#[from] std::io::Error),
    /// The streams cannot be started.
    #[error(transparent)]
    Stream(#[from] StreamError),
}

/// The running engine.
#[derive(Debug)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    views: watch::Receiver<Arc<View>>,
    streams: Streams,
    market: JoinHandle<()>,
    relay: TaskHandle<()>,
}

impl Engine {
    /// Starts all stages: connections and market on threads of their own, the rest on the current tokio runtime.
    ///
    /// # Errors
    /// When a thread cannot be made, the stream settings are impossible, or there is no tokio runtime.
    pub fn start(settings: EngineSettings) -> Result<Self, EngineError> {
        let (batches_in, batches) = mpsc::channel(BATCH_QUEUE);
        let connections = settings.streams.streams();
        let standby = settings.streams.standby_groups();
        let standby = (!standby.is_empty()).then_some((settings.streams.connections, standby));
        let proof = settings.streams.proof;
        let keep_frames = settings.frames.is_some();
        let mut stream_settings = settings.streams;
        let opened = stream_settings.checkpoint.as_ref().map(|rules| checkpoint::open(rules, &stream_settings));
        if let Some(opened) = &opened {
            stream_settings.resume = opened.resume.clone();
            if let Some(trouble) = &opened.view.trouble {
                tracing::warn!("{trouble}");
            }
        }
        let names = stream_settings.rules.clone();
        let rules = names.clone();
        let sink = move |id| Ingest::new(id, keep_frames, rules.clone());
        let streams = Streams::start(stream_settings, sink, batches_in)?;
        let now_ms = task::now_ms();
        let mut pipeline = Pipeline::new(settings.source, connections, proof, settings.alerts, names.clone(), now_ms);
        pipeline.assume_sol_usd(settings.sol_usd);
        pipeline.expect_standby(standby);
        pipeline.checkpoint = opened.as_ref().map(|opened| opened.view.clone());
        let first = pipeline.view(task::now_ms(), &streams.status().borrow(), false);
        let (views_in, views) = watch::channel(Arc::new(first));
        let (wishes_in, wishes) = watch::channel(Wishes::default());
        let task = Task {
            pipeline,
            batches,
            names,
            changes: Vec::new(),
            streams: streams.status(),
            control: streams.control().clone(),
            wishes,
            views: views_in,
            events: settings.events,
            frames: settings.frames,
            checkpoint: opened.and_then(|opened| opened.keeper),
            wait_for_sinks: settings.wait_for_sinks,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let market = std::thread::Builder::new().name("market".into()).spawn(move || runtime.block_on(task.run()))?;
        let (commands, requests) = mpsc::channel(COMMAND_QUEUE);
        let relay = tokio::spawn(relay(requests, streams.control().clone(), streams.status(), wishes_in));
        Ok(Self { commands, views, streams, market, relay })
    }

    /// Requests; bounded, use `try_send`.
    #[must_use]
    pub fn commands(&self) -> mpsc::Sender<Command> {
        self.commands.clone()
    }

    /// The newest view, and every change of it.
    #[must_use]
    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.views.clone()
    }

    /// Waits until the source has ended and everything received was applied and emitted, or the streams stopped for
    /// good; the view then says why.
    pub async fn finished(&mut self) {
        while !self.views.borrow_and_update().finished {
            if self.views.changed().await.is_err() {
                return;
            }
        }
    }

    /// Closes the streams, lets the stages drain, publishes the last view. The event sink ends when this returns.
    pub async fn shutdown(self) {
        self.relay.abort();
        self.streams.close().await;
        // The connections are gone, so the market's queue ends and its thread with it.
        let joined = tokio::task::spawn_blocking(move || self.market.join()).await;
        if let Ok(Err(panic)) = joined {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Turns the user's requests into what the streams understand.
async fn relay(
    mut requests: mpsc::Receiver<Command>,
    control: mpsc::Sender<Control>,
    status: watch::Receiver<Arc<StreamStatus>>,
    wishes: watch::Sender<Wishes>,
) {
    while let Some(command) = requests.recv().await {
        let request = match command {
            Command::Throttle { connection, level } => Control::Throttle { connection, level },
            Command::Rebalance { moves } => Control::Rebalance { reason: "manual", moves },
            Command::Reconnect { connection } => Control::Reconnect { connection },
            Command::MoveGroup { group, to } => {
                let from = status.borrow().connections.iter().find(|c| c.groups.contains(group)).map(|c| c.id);
                let moves = from.map(|from| Move { group, from, to }).into_iter().collect();
                Control::Rebalance { reason: "manual", moves }
            }
            Command::Narrow { mints } => Control::Narrow { mints },
            Command::Open(mint) => {
                wishes.send_modify(|wishes| wishes.open = mint);
                continue;
            }
            Command::Rules(rules) => {
                wishes.send_modify(|wishes| wishes.rules = Some(rules));
                continue;
            }
        };
        if control.send(request).await.is_err() {
            return;
        }
    }
}

/// What the front end asks of the engine. Bounded channel, `try_send`: the engine never waits for the terminal.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Set a connection's throttle level by an in-place filter update.
    Throttle {
        /// Which connection.
        connection: usize,
        /// The level.
        level: Throttle,
    },
    /// Apply these moves, make before break.
    Rebalance {
        /// The moves, as the view's proposal showed them.
        moves: Vec<Move>,
    },
    /// Move one group by hand.
    MoveGroup {
        /// The group.
        group: Group,
        /// The connection it goes to.
        to: usize,
    },
    /// Ask for transactions of these tokens only; none: for everything again.
    Narrow {
        /// The tokens.
        mints: Vec<Mint>,
    },
    /// Close and reopen a connection, through the budget.
    Reconnect {
        /// Which connection.
        connection: usize,
    },
    /// Open a token's page, or close it: the view holds the detail of the one that is open, and it is never forgotten.
    Open(Option<Mint>),
    /// Judge alerts from now on by these rules.
    Rules(Arc<AlertRules>),
}

/// What the user wants of the market stage.
#[derive(Clone, Debug, Default)]
struct Wishes {
    /// The token whose page is open.
    open: Option<Mint>,
    /// Rules for alerts, if they are others than at the start.
    rules: Option<Arc<AlertRules>>,
}
