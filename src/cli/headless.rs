//! `headless` and `replay --headless`: events as JSON lines on standard output.

use std::{
    io::{self, BufWriter},
    thread,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tracing_subscriber::filter::LevelFilter;

use super::{
    failure::Failure,
    process::{self, HURRY},
    source::{Sinks, Source, Wanted},
};
use crate::{chain::group::Groups, config::Config, engine::Emitted, output::events::Writer};

/// Batches of events that may wait for standard output.
const QUEUE: usize = 1_024;

/// How it ended.
enum End {
    Source,
    Signal(i32),
    Output,
}

/// Writes events until the source ends, a signal comes, or nobody reads them any more.
pub(super) fn run(config: &Config, wanted: Wanted) -> Result<(), Failure> {
    process::log_to_stderr(config, LevelFilter::INFO);
    let runtime = process::runtime()?;
    runtime.block_on(async {
        let (events, lines) = mpsc::channel(QUEUE);
        let mut source =
            Source::open(config, wanted, Sinks { events: Some(events), frames: None }, Some("headless")).await?;
        let (writer, mut written) = writer(lines, config.rules().clone())?;
        let end = tokio::select! {
            () = source.engine.finished() => End::Source,
            signal = process::interrupted() => End::Signal(signal),
            _ = &mut written => End::Output,
        };
        let views = source.engine.views();
        let closing = source.close();
        let damage = match end {
            End::Signal(_) => timeout(HURRY, closing).await.unwrap_or_default(),
            End::Source | End::Output => closing.await,
        };
        let wrote = match end {
            // A reader that does not read must not keep the process: what was handed over is on its way.
            End::Signal(_) => timeout(HURRY, written).await.ok().and_then(|_| writer.join().ok()),
            End::Source | End::Output => tokio::task::spawn_blocking(|| writer.join()).await.ok().and_then(Result::ok),
        };
        match (end, wrote) {
            // Whoever reads has read enough.
            (_, Some(Err(error))) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            (_, Some(Err(error))) => Err(Failure::runtime(format!("cannot write to standard output: {error}"))),
            (End::Signal(signal), _) => Err(Failure::Signal(signal)),
            _ => match damage {
                Some(damage) => Err(Failure::runtime(damage)),
                None => process::outcome(&views.borrow()),
            },
        }
    })
}

type WriterThread = thread::JoinHandle<io::Result<()>>;

/// The thread that writes; the receiver resolves when it has ended.
fn writer(mut lines: mpsc::Receiver<Vec<Emitted>>, names: Groups) -> io::Result<(WriterThread, oneshot::Receiver<()>)> {
    let (alive, written) = oneshot::channel();
    let write = move || {
        let _alive: oneshot::Sender<()> = alive;
        let mut writer = Writer::new(BufWriter::with_capacity(1 << 16, io::stdout().lock()), names);
        while let Some(items) = lines.blocking_recv() {
            writer.write(&items)?;
        }
        Ok(())
    };
    Ok((thread::Builder::new().name("events".into()).spawn(write)?, written))
}
