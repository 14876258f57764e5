//! A scenario through the whole program (loopback server, gRPC, decoder, market, detectors), or through the same stages
//! without the sockets.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, channel},
};

use prost::Message;
use thiserror::Error;
use tokio::sync::mpsc;

use super::{Program, START_TIME};
use crate::{
    chain::ids::Signature,
    decode::event::Path as Place,
    engine::{
        Direct, Emitted, Engine, EngineError, EngineSettings,
        view::{SourceKind, SourceView},
    },
    mev::{Alert, AlertRules, Examined, Leg, Weights, alert::AlertId},
    simulator::{
        scenario::{Messages, SettingsError, label::Label},
        server::{Pace, Server, ServerError, ServerSettings},
    },
    stream::{Endpoint, StreamSettings},
};

/// Microseconds of a slot on the way without sockets, where no clock runs.
const SLOT_US: i64 = 212_500;
/// Batches of events that may wait.
const QUEUE: usize = 64;

/// Why a scenario could not be played.
#[derive(Debug, Error)]
pub enum PlayError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No runtime.
    #[error("cannot start the runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Which way.
pub enum Path<'a> {
    /// Served by the loopback server at this pace and read by the whole program, with these settings for an endpoint.
    Served {
        /// How fast.
        pace: Pace,
        /// What the streams need to know.
        streams: &'a dyn Fn(Endpoint) -> StreamSettings,
    },
    /// The same stages without the sockets.
    Direct,
    /// That, with every position looked at and weighed so.
    Study(&'a Weights),
}

/// A trade as it was told, with its block's time in seconds where it states one.
#[derive(Clone, Debug)]
pub struct Told {
    /// The trade.
    pub leg: Leg,
    /// Seconds since the Unix epoch.
    pub time: Option<i64>,
}

/// What came of a seed.
#[derive(Debug, Default)]
pub struct Played {
    /// What was planted.
    pub labels: Vec<Label>,
    /// Every alert as it stood at the end.
    pub alerts: Vec<Alert>,
    /// The trades that happened, in the order told.
    pub trades: Vec<Told>,
    /// From the arrival of the leg that closed an attack to its alert, in microseconds; served ones only.
    pub latencies_us: Vec<u64>,
    /// Places where a pool's chain of reserves was broken.
    pub gaps: u64,
    /// What was looked at.
    pub examined: Vec<Examined>,
}

/// Plays a seed.
///
/// # Errors
/// When the server or the engine cannot be started.
pub fn play(program: &Program, seed: u64, path: &Path<'_>) -> Result<Played, PlayError> {
    let (sink, labels) = channel();
    // Nobody hears labels only when the scorer has ended.
    let messages = program.messages(seed, Box::new(move |label| drop(sink.send(label))))?;
    let mut listener = Listener::default();
    match path {
        Path::Served { pace, streams } => served(messages, *pace, streams, &mut listener)?,
        Path::Direct => direct(messages, None, &mut listener),
        Path::Study(weights) => direct(messages, Some(*weights), &mut listener),
    }
    Ok(listener.end(&labels))
}

fn direct(mut messages: Messages, study: Option<&Weights>, listener: &mut Listener) {
    let mut stages = Direct::new();
    if let Some(weights) = study {
        stages.study(weights);
    }
    let mut start_us = START_TIME * 1_000_000;
    while let Some(slot) = messages.next_slot_messages() {
        for (message, after_us) in slot.into_iter().zip(0..) {
            let items = stages.update(&message.encode_to_vec().into(), start_us + after_us);
            listener.hear(items);
        }
        start_us += SLOT_US;
    }
    listener.hear(stages.finish());
    listener.played.examined = stages.examined();
}

fn served(
    messages: Messages,
    pace: Pace,
    streams: &dyn Fn(Endpoint) -> StreamSettings,
    listener: &mut Listener,
) -> Result<(), PlayError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    listener.timed = true;
    runtime.block_on(async {
        let settings = ServerSettings { pace, start_after_streams: 1, ..ServerSettings::default() };
        let server = Server::start(settings, Box::new(messages)).await?;
        let endpoint = Endpoint { url: server.url(), host: server.address().to_string().into(), x_token: None };
        let streams = StreamSettings { connections: 1, ..streams(endpoint) };
        let (events, mut items) = mpsc::channel(QUEUE);
        let mut engine = Engine::start(EngineSettings {
            source: SourceView {
                kind: SourceKind::Replay,
                provider: String::new(),
                endpoints: Vec::new(),
                commitment: "processed",
            },
            streams,
            events: Some(events),
            frames: None,
            alerts: AlertRules::default(),
            sol_usd: None,
            wait_for_sinks: true,
        })?;
        let mut over = false;
        while !over {
            tokio::select! {
                told = items.recv() => told.into_iter().for_each(|told| listener.hear(told)),
                () = engine.finished() => over = true,
            }
        }
        // What is on its way when the engine closes is told before its sender is gone.
        let closing = engine.shutdown();
        tokio::pin!(closing);
        let mut closed = false;
        loop {
            tokio::select! {
                told = items.recv() => match told {
                    Some(told) => listener.hear(told),
                    None => break,
                },
                () = &mut closing, if !closed => closed = true,
            }
        }
        server.shutdown().await;
        Ok(())
    })
}

/// Collects what is told.
#[derive(Default)]
struct Listener {
    played: Played,
    alerts: BTreeMap<AlertId, Alert>,
    /// Alerts say how long they took.
    timed: bool,
}

impl Listener {
    fn hear(&mut self, items: Vec<Emitted>) {
        for item in items {
            match item {
                Emitted::Chain(chain) => {
                    if let Some(leg) = Leg::of(&chain.event, chain.recv_us, chain.is_whole()) {
                        self.played.trades.push(Told { leg, time: chain.event.timestamp });
                    }
                }
                Emitted::Retracted { slot, signature, path, .. } => self.forget(slot, signature, path),
                Emitted::ChainBroken { .. } => self.played.gaps += 1,
                Emitted::Alert(view) => {
                    let alert = &view.alert;
                    if self.timed && alert.revision == 0 && alert.class.is_sandwich() {
                        self.played.latencies_us.push(alert.detect_us);
                    }
                    self.alerts.insert(alert.id, alert.clone());
                }
                _ => {}
            }
        }
    }

    /// A slot died.
    fn forget(&mut self, slot: u64, signature: Signature, path: Place) {
        let is =
            |told: &Told| told.leg.place.slot == slot && told.leg.signature == signature && told.leg.place.path == path;
        if let Some(at) = self.played.trades.iter().rposition(is) {
            self.played.trades.remove(at);
        }
    }

    fn end(&mut self, labels: &Receiver<Label>) -> Played {
        let mut played = std::mem::take(&mut self.played);
        played.alerts = std::mem::take(&mut self.alerts).into_values().collect();
        played.labels = labels.try_iter().collect();
        played
    }
}
