//! `serve`: the loopback Yellowstone server alone.

use std::io::Write;

use secrecy::ExposeSecret;
use tokio::time::Duration;

use super::{args::ServeOptions, failure::Failure, process, source};
use crate::{
    config::{Config, Token},
    simulator::{
        demo::Demo,
        feed::Producer,
        playback::Playback,
        server::{Server, ServerSettings},
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
    let settings = ServerSettings {
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
        match (signal, damage) {
            (Some(signal), _) => Err(Failure::Signal(signal)),
            (None, Some(damage)) => Err(Failure::runtime(damage)),
            (None, None) => Ok(()),
        }
    })
}
