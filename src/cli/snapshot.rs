//! `snapshot`: watch for a while, write one snapshot, exit.

use std::{io::Write, sync::Arc};

use tokio::time::{Instant, sleep_until, timeout};
use tracing_subscriber::filter::LevelFilter;

use super::{
    args::SnapshotOptions,
    failure::Failure,
    looks,
    process::{self, HURRY},
    source::{Sinks, Source, Wanted},
};
use crate::{
    config::Config,
    engine::View,
    output::{save, snapshot::Snapshot},
    ui::{UiError, color::Depth, picture, theme::Theme},
};

/// Runs the engine for the time asked, then writes what it shows.
pub(super) fn run(config: &Config, options: &SnapshotOptions) -> Result<(), Failure> {
    process::log_to_stderr(config, LevelFilter::WARN);
    // Looked up before the watching: a name that is wrong should not cost the time.
    let theme = looks::themes(config.folder())?.get(config.theme(), Depth::True).map_err(UiError::Theme)?;
    let runtime = process::runtime()?;
    let view = runtime.block_on(async {
        let until = Instant::now() + options.after.0;
        let mut source = Source::open(config, Wanted::Configured, Sinks::default(), None).await?;
        let signal = tokio::select! {
            () = sleep_until(until) => None,
            () = source.engine.finished() => None,
            signal = process::interrupted() => Some(signal),
        };
        let view = source.engine.views().borrow().clone();
        let closed = timeout(HURRY, source.close()).await;
        if closed.is_err() {
            tracing::warn!("the streams did not close in time");
        }
        signal.map_or(Ok(view), |signal| Err(Failure::Signal(signal)))
    })?;
    if let Some(failure) = process::not_live(&view) {
        return Err(failure);
    }
    write(&view, options, &theme, config.ascii())
}

fn write(view: &Arc<View>, options: &SnapshotOptions, theme: &Theme, ascii: bool) -> Result<(), Failure> {
    if let Some(path) = &options.picture {
        let size = (options.size.0, options.size.1);
        let svg = picture::svg(view.clone(), size, theme, ascii);
        std::fs::write(path, svg)
            .map_err(|error| Failure::runtime(format!("cannot write the picture {}: {error}", path.display())))?;
    }
    if let Some(path) = &options.out {
        save::write(view, path)?;
    } else {
        let mut out = std::io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &Snapshot::of(view)).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
