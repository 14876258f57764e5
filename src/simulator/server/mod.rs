//! The loopback Geyser server. Its answers, texts and orders are those of the open-source Yellowstone plugin 15.1.2 as
//! measured from outside.
//!
//! A producer thread makes slots, the conductor plays them in time, the hub matches each message with the streams' filters
//! and queues it, encoded once, for everyone who asked.

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
mod stats;
mod stream;
mod unary;
mod wire;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use tonic::transport::server::TcpIncoming;

use self::{hub::Hub, service::Endpoint};
pub use self::{
    oracle::{OracleEntry, OracleEvent},
    oracle_writer::OracleWriter,
    settings::{FilterLimits, Pace, ServerSettings},
    stats::Stats,
};
use super::feed::Producer;

/// Slots made ahead of time.
const SLOTS_AHEAD: usize = 4;
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
    failure: Arc<OnceLock<String>>,
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
    pub async fn start(settings: ServerSettings, mut producer: Box<dyn Producer>) -> Result<Self, ServerError> {
        let address = settings.listen;
        if !address.ip().is_loopback() {
            return Err(ServerError::NotLoopback(address));
        }
        let (listener, address) = listen(address).await?;

        let hub = Arc::new(Hub::new(settings));
        let mut trouble = Vec::new();
        let mut service = listener;
        if let Some(faults) = &hub.faults {
            let front = service;
            let (behind, bound) = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
            service = behind;
            trouble.push(tokio::spawn(faults::strike(Arc::clone(&hub), Arc::clone(faults))));
            trouble.push(tokio::spawn(wire::relay(front, bound, Arc::clone(faults))));
        }
        let failure = Arc::new(OnceLock::new());
        let (plans, slots) = mpsc::channel(SLOTS_AHEAD);
        let carries = producer.carries();
        let told = Arc::clone(&failure);
        let produce = move || {
            while let Some(plan) = producer.next_slot() {
                if plans.blocking_send(plan).is_err() {
                    return;
                }
            }
            if let Some(cause) = producer.failure() {
                // Set once: this thread alone writes it.
                let _ = told.set(cause);
            }
        };
        thread::Builder::new().name("producer".to_owned()).spawn(produce).map_err(ServerError::Thread)?;
        let conductor = tokio::spawn(conductor::conduct(Arc::clone(&hub), slots, carries));

        let (stop, stopped) = oneshot::channel();
        let incoming = TcpIncoming::from(service).with_nodelay(Some(true));
        let endpoint = Endpoint::new(Arc::clone(&hub));
        // Asked without a token, as on the real server.
        let (health, checks) = tonic_health::server::health_reporter();
        health.set_serving::<Endpoint>().await;
        let serving = tokio::spawn(async move {
            let router = tonic::transport::Server::builder().add_service(endpoint).add_service(checks);
            let served = router.serve_with_incoming_shutdown(incoming, async {
                // An error means the same: the server is dropped.
                let _ = stopped.await;
            });
            if let Err(error) = served.await {
                tracing::warn!(%error, "the loopback server stopped");
            }
        });
        Ok(Self { address, hub, failure, conductor, trouble, serving, stop: Some(stop) })
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

/// Listens, and where.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let listener = TcpListener::bind(address).await;
    let bound = listener.and_then(|listener| listener.local_addr().map(|bound| (listener, bound)));
    bound.map_err(|source| ServerError::Listen { address, source })
}

impl Drop for Server {
    fn drop(&mut self) {
        self.trouble.iter().for_each(JoinHandle::abort);
        // The closed `stop` channel ends the listener once the connections are idle.
        self.conductor.abort();
        self.hub.end();
    }
}
