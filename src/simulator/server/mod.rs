//! The loopback Geyser server. Its answers, texts and orders are those of the open-source Yellowstone plugin 15.1.2 as
//! measured from outside.
//!
//! A producer thread makes slots, the conductor plays them in time, the hub matches each message with the streams' filters
//! and queues it, encoded once, for everyone who asked.

mod accepted;
mod conductor;
mod faults;
mod filters;
mod frame;
mod hub;
mod limits;
mod message;
mod open;
mod oracle;
mod oracle_writer;
mod ring;
mod service;
mod settings;
mod slots;
mod stats;
mod stream;
mod unary;
mod wire;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;

use self::{
    accepted::Accepted,
    hub::Hub,
    service::Endpoint,
    slots::{Failure, Slots},
};
pub use self::{
    accepted::Connection,
    oracle::{OracleEntry, OracleEvent},
    oracle_writer::OracleWriter,
    settings::{FilterLimits, Pace, ServerSettings},
    stats::Stats,
};
use super::feed::Producer;

/// Connections that may wait for the service.
const BACKLOG: usize = 64;
/// How long a shutdown waits for clients to read what is queued.
const GRACE: Duration = Duration::from_secs(1);

/// Why a server could not start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// Only loopback: the server is a simulator and speaks without TLS.
    #[error("will not listen on {0}: only loopback addresses (127.0.0.1, ::1) are allowed")]
    NotLoopback(SocketAddr),
    /// The address cannot be taken.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// No thread for the producer.
    #[error("cannot start the producer's thread: {0}")]
    Thread(#[source] io::Error),
}

/// A running server. Dropping it stops it.
pub struct Server {
    address: SocketAddr,
    hub: Arc<Hub>,
    failure: Failure,
    conductor: JoinHandle<()>,
    /// What the fault plan needs running.
    trouble: Vec<JoinHandle<()>>,
    serving: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Server {
    /// Starts to listen and, when enough streams have come, to play.
    ///
    /// # Errors
    /// When the address is not loopback or cannot be taken.
    pub async fn start(mut settings: ServerSettings, producer: Box<dyn Producer>) -> Result<Self, ServerError> {
        let address = settings.listen;
        if !address.ip().is_loopback() {
            return Err(ServerError::NotLoopback(address));
        }
        let listener = TcpListener::bind(address).await;
        let bound = listener.and_then(|listener| listener.local_addr().map(|bound| (listener, bound)));
        let (listener, bound) = bound.map_err(|source| ServerError::Listen { address, source })?;
        settings.listen = bound;
        let slots = Slots::ahead(producer).map_err(ServerError::Thread)?;
        Ok(Self::serve(settings, slots, TcpIncoming::from(listener).with_nodelay(Some(true))))
    }

    /// Serves the connections that come from here, with every part of it a task of the runtime at hand: with that
    /// runtime's time it is the same each time. `settings.listen` is what it takes for its address.
    pub fn start_on<C: Connection>(
        settings: ServerSettings,
        producer: Box<dyn Producer>,
        clients: impl Stream<Item = io::Result<C>> + Send + Unpin + 'static,
    ) -> Self {
        Self::serve(settings, Slots::in_time(producer), clients)
    }

    fn serve<C: Connection>(
        settings: ServerSettings,
        slots: Slots,
        clients: impl Stream<Item = io::Result<C>> + Send + Unpin + 'static,
    ) -> Self {
        let address = settings.listen;
        let hub = Arc::new(Hub::new(settings));
        let failure = Arc::clone(&slots.failure);
        let conductor = tokio::spawn(conductor::conduct(Arc::clone(&hub), slots));
        let (stop, stopped) = oneshot::channel();
        let mut trouble = Vec::new();
        let serving = if let Some(faults) = &hub.faults {
            let (relayed, accepted) = mpsc::channel(BACKLOG);
            trouble.push(tokio::spawn(faults::strike(Arc::clone(&hub), Arc::clone(faults))));
            trouble.push(tokio::spawn(wire::relay(clients, relayed, Arc::clone(faults))));
            tokio::spawn(answer(Arc::clone(&hub), ReceiverStream::new(accepted).map(Ok), stopped))
        } else {
            let accepted =
                clients.map(|client| client.and_then(|stream| Ok(Accepted { peer: stream.peer()?, stream })));
            tokio::spawn(answer(Arc::clone(&hub), accepted, stopped))
        };
        Self { address, hub, failure, conductor, trouble, serving, stop: Some(stop) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a client's endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Resolves when the producer has ended and every stream was drained and closed.
    pub fn finished(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stats = self.watch();
        async move {
            // A closed channel means that the server is gone, which is finished too.
            let _ = stats.wait_for(|stats| stats.ended && stats.open_streams == 0).await;
        }
    }

    /// The counters now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.hub.snapshot()
    }

    /// The counters as they change; [`Stats::updates_sent`] is brought up to date with each slot.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Stats> {
        self.hub.stats.subscribe()
    }

    /// Every subscribe call and every request applied, in order.
    #[must_use]
    pub fn log(&self) -> Vec<OracleEntry> {
        self.hub.oracle()
    }

    /// Why the producer ended, if it did not end well (a recording cut off, say).
    #[must_use]
    pub fn producer_error(&self) -> Option<String> {
        self.failure.get().cloned()
    }

    /// Ends all streams, lets the clients read what is queued for a moment, and stops.
    pub async fn shutdown(mut self) {
        self.conductor.abort();
        self.hub.end();
        if let Some(stop) = self.stop.take() {
            // Refused only when the server has stopped by itself.
            let _ = stop.send(());
        }
        if timeout(GRACE, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}

/// Answers the calls on these connections until it is told to stop.
async fn answer<C: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    hub: Arc<Hub>,
    connections: impl Stream<Item = io::Result<Accepted<C>>> + Send,
    stopped: oneshot::Receiver<()>,
) {
    // Asked without a token, as on the real server.
    let (health, checks) = tonic_health::server::health_reporter();
    health.set_serving::<Endpoint>().await;
    let router = tonic::transport::Server::builder().add_service(Endpoint::new(hub)).add_service(checks);
    let served = router.serve_with_incoming_shutdown(connections, async {
        // An error means the same: the server is dropped.
        let _ = stopped.await;
    });
    if let Err(error) = served.await {
        tracing::warn!(%error, "the loopback server stopped");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.trouble.iter().for_each(JoinHandle::abort);
        // The closed `stop` channel ends the listener once the connections are idle.
        self.conductor.abort();
        self.hub.end();
    }
}
