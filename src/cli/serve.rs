//! `serve`: the loopback Yellowstone server alone.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use secrecy::ExposeSecret;
use tokio::time::Duration;

use super::{args::ServeOptions, failure::Failure, process, source};
use crate::{
    config::{Config, Token},
    simulator::{
        demo::Demo,
        fault::FaultPlan,
        feed::Producer,
        playback::Playback,
        server::{OracleWriter, Server, ServerSettings},
    },
};

/// Serves until a signal comes or the recording is over.
pub(super) fn run(config: &Config, options: &ServeOptions) -> Result<(), Failure> {
    process::log_to_stderr(config);
    let producer: Box<dyn Producer> = match &options.file {
        Some(path) => Box::new(Playback::open(path)?),
        None => Box::new(Demo::new(source::demo(config))?),
    };
    let token = options.require_token_file.as_deref().map(|path| Token::from_file(path, "--require-token-file"));
    let token = token.transpose()?.map(|token| token.secret().expose_secret().to_owned());
    let faults = options.fault.as_deref().map(read_plan).transpose()?;
    let out = open_oracle(options)?;
    let oracle = out.map(OracleWriter::start).transpose().map_err(|error| Failure::runtime(error.to_string()))?;
    let (oracle, writing) = oracle.unzip();
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
    let end = runtime.block_on(async {
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
        match (signal, damage) {
            (Some(signal), _) => Err(Failure::Signal(signal)),
            (None, Some(damage)) => Err(Failure::runtime(damage)),
            (None, None) => Ok(()),
        }
    });
    // With the runtime the last that writes to the oracle is gone, and its thread ends.
    drop(runtime);
    if let Some(Ok(Err(error))) = writing.map(std::thread::JoinHandle::join) {
        return Err(Failure::runtime(format!("the oracle is not complete: {error}")));
    }
    end
}

fn read_plan(path: &Path) -> Result<FaultPlan, Failure> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| Failure::usage(format!("cannot read the plan {}: {error}", path.display())))?;
    text.parse().map_err(|error| Failure::usage(format!("{}, {error}", path.display())))
}

fn open_oracle(options: &ServeOptions) -> Result<Option<Box<dyn Write + Send>>, Failure> {
    match &options.oracle {
        Some(path) => match File::create(path) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) => Err(Failure::usage(format!("cannot write the oracle to {}: {error}", path.display()))),
        },
        None if options.fault.is_some() => Ok(Some(Box::new(io::stderr()))),
        None => Ok(None),
    }
}
