//! What the streams take from the machine they run on: a way to the network, the time of day, chance, something to run
//! on. Everything that decides counts in tokio's time; the rest comes from here, so that a simulation can bring its own.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::codegen::Service;

/// The machine. The default is the real one.
#[derive(Clone, Debug)]
pub struct Machine {
    /// How the network is reached.
    pub network: Network,
    /// The time of day.
    pub clock: fn() -> SystemTime,
    /// Seed of all delays that are drawn; without one they are others each time.
    pub seed: Option<u64>,
    /// What a connection runs on.
    pub runner: Runner,
}

/// How the network is reached.
#[derive(Clone, Debug)]
pub enum Network {
    /// By TCP.
    Tcp,
    /// By this.
    Own(Dial),
}

/// What a connection runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// Each on a thread with a runtime of its own, so that decoding never waits for anything else.
    Threads,
    /// All as tasks of the `LocalSet` that must be at hand then: one after the other, in the same order each time.
    LocalTasks,
}

/// A stream of bytes, both ways.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

type Dialed = BoxFuture<'static, io::Result<Box<dyn ByteStream>>>;

/// Opens streams of bytes.
#[derive(Clone)]
pub struct Dial(Arc<dyn Fn(Uri) -> Dialed + Send + Sync>);

impl Default for Machine {
    fn default() -> Self {
        Self { network: Network::Tcp, clock: SystemTime::now, seed: None, runner: Runner::Threads }
    }
}

impl Machine {
    /// Microseconds since the Unix epoch.
    pub(super) fn unix_us(&self) -> i64 {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn unix_ms(&self) -> i64 {
        self.unix_us() / 1_000
    }

    /// Chance for one connection.
    pub(super) fn chance(&self, connection: usize) -> fastrand::Rng {
        self.seed.map_or_else(fastrand::Rng::new, |seed| {
            fastrand::Rng::with_seed(seed ^ (connection as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        })
    }
}

impl Dial {
    /// Opens each stream by this.
    pub fn new(open: impl Fn(Uri) -> Dialed + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<Box<dyn ByteStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let opened = (self.0)(uri);
        Box::pin(async move { opened.await.map(TokioIo::new) })
    }
}
