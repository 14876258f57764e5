//! `record`: the raw stream into a file.

use std::io::{IsTerminal, Write, stderr};

use tokio::time::{Duration, Instant, MissedTickBehavior, interval, sleep_until};
use tracing_subscriber::filter::LevelFilter;

use super::{
    args::RecordOptions,
    failure::Failure,
    process,
    source::{Sinks, Source, Wanted},
};
use crate::{config::Config, output::record::Recorder};

/// Records until the time is over, a signal comes, or the source ends.
pub(super) fn run(config: &Config, options: &RecordOptions) -> Result<(), Failure> {
    process::log_to_stderr(config, LevelFilter::WARN);
    let failed = |error| Failure::runtime(format!("cannot write the recording {}: {error}", options.file.display()));
    let (recorder, frames) = Recorder::start(&options.file).map_err(failed)?;
    let runtime = process::runtime()?;
    let view = runtime.block_on(async {
        let until = options.duration.map(|span| Instant::now() + span.0);
        let mut source =
            Source::open(config, Wanted::Configured, Sinks { events: None, frames: Some(frames) }, Some("record"))
                .await?;
        let views = source.engine.views();
        let mut progress = interval(Duration::from_secs(1));
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut interrupted = Box::pin(process::interrupted());
        loop {
            tokio::select! {
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => break,
                () = source.engine.finished() => break,
                _ = &mut interrupted => break,
                _ = progress.tick(), if stderr().is_terminal() => {
                    let view = views.borrow();
                    let seconds = view.uptime_s;
                    // A terminal that is gone needs no progress.
                    let _ = write!(stderr(), "\rrecording: {seconds:.0} s, {} transactions ", view.totals.transactions);
                }
            }
        }
        source.close().await;
        Ok::<_, Failure>(views.borrow().clone())
    })?;
    let count = recorder.finish().map_err(failed)?;
    if stderr().is_terminal() {
        eprintln!();
    }
    eprintln!("{count} messages recorded in {}", options.file.display());
    match process::not_live(&view) {
        Some(failure) if count == 0 => Err(failure),
        _ => Ok(()),
    }
}
