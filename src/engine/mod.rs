//! Wires the stages: tasks and channels, [`Command`] in, [`View`] out, ordered shutdown.

pub mod emit;
pub mod view;

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::{
    chain::group::Group,
    stream::{
        StreamSettings,
        status::{Move, Throttle},
    },
};

pub use emit::Emitted;
pub use view::{SourceView, View};

/// What the engine runs on.
#[derive(Debug)]
pub struct EngineSettings {
    /// Shown in the header and the snapshot.
    pub source: SourceView,
    /// The streams.
    pub streams: StreamSettings,
    /// Where every event goes, if anywhere. Bounded: a slow sink slows the streams down, nothing is dropped.
    pub events: Option<mpsc::Sender<Vec<Emitted>>>,
    /// Where every received frame goes with its arrival in microseconds since the Unix epoch, if anywhere.
    pub frames: Option<mpsc::Sender<Vec<(Bytes, i64)>>>,
}

/// Why the engine cannot start.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A thread or socket could not be made.
    #[error("cannot start the streaming engine: {0}")]
    Io(#[from] std::io::Error),
}

/// The running engine.
#[derive(Debug)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    views: watch::Receiver<Arc<View>>,
}

impl Engine {
    /// Starts all stages on the current tokio runtime and threads of their own.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub async fn start(settings: EngineSettings) -> Result<Self, EngineError> {
        let _ = settings;
        Err(std::io::Error::other("not wired").into())
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

    /// Closes the streams, lets the stages drain, publishes the last view.
    pub async fn shutdown(self) {}
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
    /// Close and reopen a connection, through the budget.
    Reconnect {
        /// Which connection.
        connection: usize,
    },
}
