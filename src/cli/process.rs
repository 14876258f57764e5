//! What the modes share: runtime, log, signals, and what a finished engine means.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::filter::LevelFilter;

use super::failure::Failure;
use crate::{
    config::Config,
    engine::{View, view::SourceKind},
    stream::status::ConnectionState,
};

/// Longest time that closing the streams may take after a signal.
pub(super) const HURRY: Duration = Duration::from_millis(900);

/// The runtime of everything but connections and market, which have threads of their own.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).thread_name("engine").enable_all().build()
}

/// Least important level that is logged.
pub(super) fn level(config: &Config) -> LevelFilter {
    config.log_level().parse().unwrap_or(LevelFilter::INFO)
}

/// Sends the log to standard error, as far as it is at least this important.
pub(super) fn log_to_stderr(config: &Config, least: LevelFilter) {
    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_max_level(level(config).min(least))
        .with_target(false);
    // Refused only when a log is installed already, which then is the log.
    let _ = log.try_init();
}

/// Resolves with the number of the first signal that asks the process to end.
pub(super) async fn interrupted() -> i32 {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    let waits = kinds.into_iter().filter_map(|kind| {
        let mut signal = signal(kind).ok()?;
        Some(Box::pin(async move {
            signal.recv().await;
            kind.as_raw_value()
        }))
    });
    futures_util::future::select_all(waits).await.0
}

/// What the last view of an engine that ended by itself means.
pub(super) fn outcome(view: &View) -> Result<(), Failure> {
    if let Some(cause) = &view.token_refused {
        return Err(Failure::Token(cause.to_string()));
    }
    match stopped(view) {
        Some(cause) if view.source.kind != SourceKind::Replay => Err(Failure::runtime(cause)),
        _ => Ok(()),
    }
}

/// Why nothing is live, if nothing is.
pub(super) fn not_live(view: &View) -> Option<Failure> {
    let live = |state| matches!(state, ConnectionState::Live | ConnectionState::Degraded);
    if view.totals.transactions > 0 || view.connections.iter().any(|connection| live(connection.status.state)) {
        return None;
    }
    if let Some(cause) = &view.token_refused {
        return Some(Failure::Token(cause.to_string()));
    }
    let hosts = view.source.endpoints.join(", ");
    let cause = view.connections.iter().find_map(|connection| connection.status.cause.clone());
    let cause = cause.map_or_else(|| "no answer yet".to_owned(), |cause| cause.to_string());
    Some(Failure::runtime(format!(
        "no connection to {hosts} became live: {cause}; check it with `smart-stream-tui doctor`"
    )))
}

/// The causes of connections that stopped for good.
fn stopped(view: &View) -> Option<String> {
    let causes = view.connections.iter().filter(|connection| connection.status.state == ConnectionState::Stopped);
    let mut causes: Vec<&str> = causes.filter_map(|connection| connection.status.cause.as_deref()).collect();
    causes.dedup();
    (!causes.is_empty()).then(|| format!("the streams stopped: {}", causes.join("; ")))
}
