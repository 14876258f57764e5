//! Where the data comes from. Whatever it is, it reaches the engine over gRPC.

use std::path::PathBuf;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::failure::Failure;
use crate::{
    chain::text::Shown,
    config::{self, Config},
    engine::{
        Emitted, Engine, EngineError, EngineSettings,
        view::{SourceKind, SourceView},
    },
    simulator::{
        demo::{Demo, DemoSettings},
        feed::Producer,
        playback::Playback,
        server::{Pace, Server, ServerSettings},
    },
    stream::Endpoint,
};

/// Most bytes that the demo keeps for replay: some ten seconds of it, in a program that shall stay small.
const DEMO_REPLAY_BYTES: usize = 12 << 20;

/// What to read.
#[derive(Debug)]
pub(super) enum Wanted {
    /// The endpoint configured, else the demo.
    Configured,
    /// A recording.
    Recording { path: PathBuf, pace: Pace },
}

/// Where events and frames go.
#[derive(Debug, Default)]
pub(super) struct Sinks {
    pub(super) events: Option<mpsc::Sender<Vec<Emitted>>>,
    pub(super) frames: Option<mpsc::Sender<Vec<(Bytes, i64)>>>,
}

/// A running engine, with the server behind it where that is ours.
pub(super) struct Source {
    pub(super) engine: Engine,
    server: Option<Server>,
}

impl Source {
    /// Opens it: the server first, where it is ours, then the engine. What is used for a `purpose` goes on where it ended.
    pub(super) async fn open(
        config: &Config,
        wanted: Wanted,
        sinks: Sinks,
        purpose: Option<&'static str>,
    ) -> Result<Self, Failure> {
        let (kind, producer, pace, name): (_, Box<dyn Producer>, _, _) = match wanted {
            Wanted::Configured => match config.endpoints().into_iter().next() {
                Some(endpoint) => {
                    let engine = engine(config, config::Source::Live, endpoint, None, sinks, purpose)?;
                    return Ok(Self { engine, server: None });
                }
                None => (config::Source::Demo, Box::new(Demo::new(demo(config))?), Pace::Real, "demo".to_owned()),
            },
            Wanted::Recording { path, pace } => {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                let name = Shown::from_untrusted(name.as_bytes()).to_string();
                (config::Source::Recording, Box::new(Playback::open(&path)?), pace, name)
            }
        };
        // Everybody must be there before the first slot: what is played to nobody is lost.
        let start_after_streams = config.connections(kind, config.profile(kind, ""));
        let replay_bytes = if kind == config::Source::Demo { DEMO_REPLAY_BYTES } else { usize::MAX };
        let settings = ServerSettings { pace, start_after_streams, replay_bytes, ..ServerSettings::default() };
        let server = Server::start(settings, producer).await?;
        let endpoint = Endpoint { url: server.url(), host: server.address().to_string().into(), x_token: None };
        let engine = engine(config, kind, endpoint, Some(name), sinks, purpose)?;
        Ok(Self { engine, server: Some(server) })
    }

    /// Closes the streams, then the server; what was wrong with the recording, if anything.
    pub(super) async fn close(self) -> Option<String> {
        self.engine.shutdown().await;
        let server = self.server?;
        let damage = server.producer_error();
        server.shutdown().await;
        damage
    }
}

/// Starts the engine on an endpoint; the profile's name stands for a provider that has no better one.
fn engine(
    config: &Config,
    source: config::Source,
    endpoint: Endpoint,
    name: Option<String>,
    sinks: Sinks,
    purpose: Option<&'static str>,
) -> Result<Engine, EngineError> {
    let mut streams = config.streams(source, endpoint);
    streams.checkpoint = purpose.and_then(|purpose| config.checkpoint(source, purpose));
    let all = std::iter::once(&streams.endpoint).chain(&streams.failover);
    let endpoints = all.map(|endpoint| endpoint.host.to_string()).collect();
    let kind = match source {
        config::Source::Live => SourceKind::Live,
        config::Source::Demo => SourceKind::Demo,
        config::Source::Recording => SourceKind::Replay,
    };
    let provider = name.unwrap_or_else(|| config.profile(source, &streams.endpoint.host).name.to_owned());
    Engine::start(EngineSettings {
        alerts: config.alerts(),
        sol_usd: config.sol_usd(),
        source: SourceView { kind, provider, endpoints, commitment: config.commitment() },
        streams,
        events: sinks.events,
        frames: sinks.frames,
        // A recording must lose nothing; a live stream must not wait for a disk.
        wait_for_sinks: source == config::Source::Recording,
    })
}

/// The demo as configured.
pub(super) fn demo(config: &Config) -> DemoSettings {
    DemoSettings { seed: config.seed(), rate: config.rate() }
}
