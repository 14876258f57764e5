//! `serve`: the loopback Yellowstone server alone.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    thread,
};

use secrecy::ExposeSecret;
use tokio::time::Duration;
use tracing_subscriber::filter::LevelFilter;

use super::{args::ServeOptions, failure::Failure, process, source};
use crate::{
    config::{Config, Token},
    simulator::{
        demo::Demo,
        fault::{FaultError, FaultPlan},
        feed::Producer,
        playback::Playback,
        server::{OracleWriter, Server, ServerSettings},
    },
};

/// Serves until a signal comes or the recording is over.
pub(super) fn run(config: &Config, options: &ServeOptions) -> Result<(), Failure> {
    // Without a file of its own, what the faults did is told on standard error: then nothing else is.
    let oracle_on_stderr = options.fault.is_some() && options.oracle.is_none();
    process::log_to_stderr(config, if oracle_on_stderr { LevelFilter::OFF } else { LevelFilter::INFO });
    let producer: Box<dyn Producer> = match &options.file {
        Some(path) => Box::new(Playback::open(path)?),
        None => Box::new(Demo::new(source::demo(config))?),
    };
    let token = options.require_token_file.as_deref().map(|path| Token::from_file(path, "--require-token-file"));
    let token = token.transpose()?.map(|token| token.secret().expose_secret().to_owned());
    let faults = options.fault.as_deref().map(fault_plan).transpose()?;
    let oracle = match &options.oracle {
        Some(path) => Some(oracle(path)?),
        None if oracle_on_stderr => Some(OracleWriter::start(io::stderr())?),
        None => None,
    };
    let (oracle, written) = oracle.unzip();
    let settings = ServerSettings {
        faults,
        oracle,
        listen: options.listen,
        pace: options.speed.pace(),
        // A recording waits for somebody to play it to.
        start_after_streams: usize::from(options.file.is_some()),
        replay_slots: options.replay_slots,
        subscribe_limit: options.subscribes_per_minute.map(|count| (count, Duration::from_secs(60))),
        max_streams: options.max_streams,
        x_token: token,
        ..ServerSettings::default()
    };
    let runtime = process::runtime()?;
    runtime.block_on(async {
        let server = Server::start(settings, producer).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "listening on {}", server.url())?;
        out.flush()?;
        let signal = tokio::select! {
            () = server.finished() => None,
            signal = process::interrupted() => Some(signal),
        };
        let damage = server.producer_error();
        server.shutdown().await;
        if let Some(Err(error)) = written.and_then(|thread| thread.join().ok()) {
            return Err(Failure::runtime(format!("the oracle could not be written to its end: {error}")));
        }
        match (signal, damage) {
            (Some(signal), _) => Err(Failure::Signal(signal)),
            (None, Some(damage)) => Err(Failure::runtime(damage)),
            (None, None) => Ok(()),
        }
    })
}

fn fault_plan(path: &Path) -> Result<FaultPlan, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read the fault plan {}: {error}", path.display())))?;
    text.parse().map_err(|error: FaultError| Failure::usage(format!("the fault plan {}, {error}", path.display())))
}

type Oracle = (OracleWriter, thread::JoinHandle<io::Result<()>>);

fn oracle(path: &Path) -> Result<Oracle, Failure> {
    let started = fs::File::create(path).and_then(|file| OracleWriter::start(io::BufWriter::new(file)));
    started.map_err(|error| Failure::usage(format!("cannot write the oracle {}: {error}", path.display())))
}
