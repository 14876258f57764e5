//! `snapshot`: watch for a while, write one snapshot, exit.

use std::{io::Write, path::Path, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until, timeout};
use tracing_subscriber::filter::LevelFilter;

use super::{
    args::{ReplayOptions, SnapshotOptions},
    failure::Failure,
    looks,
    process::{self, HURRY},
    source::{self, Sinks, Source, Wanted},
    still::{EPOCH_S, Still},
};
use crate::{
    chain::text::Shown,
    config::Config,
    engine::{SourceView, View, view::SourceKind},
    output::{save, snapshot::Snapshot},
    simulator::{demo::Demo, feed::Producer, playback::Playback},
    ui::{
        UiError,
        color::Depth,
        keys::Key,
        picture,
        shot::{self, Defaults},
        theme::Theme,
    },
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

/// Draws what the dashboard shows at moments of a recording, or of the demo for `-`: the same picture on every machine.
pub(super) fn picture(config: &Config, options: &ReplayOptions, path: &Path) -> Result<(), Failure> {
    let theme = looks::themes(config.folder())?.get(config.theme(), Depth::True).map_err(UiError::Theme)?;
    let keys: Option<Vec<Key>> = options.keys.split_whitespace().map(Key::parse).collect();
    let keys = keys.ok_or_else(|| Failure::usage(format!("--keys {:?}: one of these is not a key", options.keys)))?;
    let demo = options.file.as_os_str() == "-";
    let producer: Box<dyn Producer> = if demo {
        Box::new(Demo::at(source::demo(config), EPOCH_S)?)
    } else {
        Box::new(Playback::open(&options.file)?)
    };
    let name = options.file.file_name().unwrap_or(options.file.as_os_str()).to_string_lossy();
    let view = SourceView {
        kind: if demo { SourceKind::Demo } else { SourceKind::Replay },
        provider: Shown::from_untrusted(name.as_bytes()).to_string(),
        endpoints: Vec::new(),
        commitment: config.commitment(),
    };
    let mut still = Still::new(producer, view);
    let size = (options.size.0, options.size.1);
    let buffers: Vec<_> = (0..options.frames)
        .rev()
        .map(|back| {
            still.advance(options.at.0.saturating_sub(Duration::from_secs(back.into())));
            let opened = picture::opens(still.view(), size, &theme, config.ascii(), &keys);
            still.open(opened);
            picture::buffer(still.view(), size, &theme, config.ascii(), &keys)
        })
        .collect();
    let svg = shot::film(&buffers, Defaults::of(&theme));
    std::fs::write(path, svg)
        .map_err(|error| Failure::runtime(format!("cannot write the picture {}: {error}", path.display())))
}
