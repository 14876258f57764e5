//! The market stage's loop, on a thread of its own: batches and stream status in, views and events out.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{Emitted, View, Wishes, emit, ingest::Delivery, pipeline::Pipeline, view::carried};
use crate::{
    chain::group::Groups,
    market::change::Change,
    stream::{
        Control, StreamStatus,
        checkpoint::CheckpointKeeper,
        pool::GroupLoad,
        status::{ConnectionState, StreamEventKind},
    },
};

/// Shortest time between two views.
const VIEW_INTERVAL: Duration = Duration::from_millis(33);
/// How often rates, percentiles and ages are taken anew.
const SECOND: Duration = Duration::from_secs(1);
/// The same while nothing moves.
const QUIET_SECOND: Duration = Duration::from_secs(10);
/// Batches taken in one go before the loop looks at anything else.
const AT_ONCE: usize = 64;

/// Everything the loop reads and writes.
pub(super) struct Task {
    pub(super) pipeline: Pipeline,
    pub(super) batches: mpsc::Receiver<Delivery>,
    /// What the groups are called.
    pub(super) names: Groups,
    /// What changed and was not told yet; kept for its memory.
    pub(super) changes: Vec<Change>,
    pub(super) streams: watch::Receiver<Arc<StreamStatus>>,
    pub(super) control: mpsc::Sender<Control>,
    pub(super) wishes: watch::Receiver<Wishes>,
    pub(super) views: watch::Sender<Arc<View>>,
    pub(super) events: Option<mpsc::Sender<Vec<Emitted>>>,
    pub(super) frames: Option<mpsc::Sender<Vec<(Bytes, i64)>>>,
    pub(super) checkpoint: Option<CheckpointKeeper>,
    /// A full sink: wait for it (a replay must lose nothing), or count and go on (a live stream must not wait).
    pub(super) wait_for_sinks: bool,
}

impl Task {
    /// Runs until every sender of batches is gone, then publishes the last view as finished.
    pub(super) async fn run(mut self) {
        let mut next_second = Instant::now() + SECOND;
        let mut received = Vec::with_capacity(AT_ONCE);
        let mut dirty = true;
        let mut next_view = Instant::now();
        let mut streams_open = true;
        let mut newest_stream_event = None;
        let mut sealed = None;
        loop {
            tokio::select! {
                count = self.batches.recv_many(&mut received, AT_ONCE) => {
                    if count == 0 {
                        break;
                    }
                    self.apply(&mut received).await;
                    if !self.pipeline.is_quiet(now_ms()) {
                        next_second = next_second.min(Instant::now() + SECOND);
                    }
                    dirty = true;
                }
                changed = self.streams.changed(), if streams_open => {
                    streams_open = changed.is_ok();
                    self.forward_stream_events(&mut newest_stream_event).await;
                    dirty = true;
                }
                Ok(()) = self.wishes.changed() => {
                    let Wishes { open, rules } = self.wishes.borrow_and_update().clone();
                    self.pipeline.open(open);
                    if let Some(rules) = rules {
                        self.pipeline.judge_by(rules);
                    }
                    dirty = true;
                }
                () = sleep_until(next_second) => {
                    self.keep(&mut sealed);
                    self.pipeline.second(now_ms(), fill(&self.batches));
                    self.pipeline.release(now_ms(), &mut self.changes);
                    self.tell().await;
                    if let Some(words) = self.pipeline.remark() {
                        // A full queue is looked at again: it is said once, and not worth to wait for.
                        let _ = self.control.try_send(Control::Note(words.into()));
                    }
                    // Without a listener the supervisor has ended: nothing is left to be balanced.
                    let _ = self.control.try_send(Control::Loads {
                        groups: self.loads(),
                        connections: self.pipeline.connection_loads(),
                    });
                    let news = self.publish(false);
                    let quiet = self.pipeline.is_quiet(now_ms());
                    next_second = Instant::now() + if quiet { QUIET_SECOND } else { SECOND };
                    next_view = Instant::now() + VIEW_INTERVAL;
                    dirty = false;
                    if news && self.events.is_some() {
                        let view = self.views.borrow().clone();
                        self.emit(vec![Emitted::Stats(view)]).await;
                    }
                }
                () = sleep_until(next_view), if dirty => {
                    self.publish(false);
                    next_view = Instant::now() + VIEW_INTERVAL;
                    dirty = false;
                }
            }
            if self.streams.borrow().finished && self.batches.is_empty() && !self.views.borrow().finished {
                self.forward_stream_events(&mut newest_stream_event).await;
                self.pipeline.settle(&mut self.changes);
                self.tell().await;
                self.publish(true);
                dirty = false;
            }
        }
        self.forward_stream_events(&mut newest_stream_event).await;
        self.pipeline.settle(&mut self.changes);
        self.tell().await;
        self.publish(true);
        if let Some(checkpoint) = self.checkpoint.take() {
            checkpoint.finish(self.pipeline.sealed());
        }
    }

    /// Keeps what was sealed a second ago, once a second: whoever takes the events has had the time to do so.
    fn keep(&mut self, sealed: &mut Option<u64>) {
        let Some(checkpoint) = &self.checkpoint else { return };
        let earlier = std::mem::replace(sealed, self.pipeline.sealed());
        let view = checkpoint.view();
        if let Some(slot) = earlier.filter(|slot| view.slot != Some(*slot)) {
            checkpoint.offer(slot);
        }
        self.pipeline.checkpoint = Some(view);
    }

    async fn apply(&mut self, received: &mut Vec<Delivery>) {
        let now_ms = now_ms();
        let mut frames = Vec::new();
        self.pipeline.follow(&self.streams.borrow().connections);
        for Delivery { batch, notes } in received.drain(..) {
            let connection = batch.connection;
            self.pipeline.apply(batch, now_ms, &mut self.changes, &mut frames);
            self.pipeline.note(connection, &notes);
        }
        self.tell().await;
        if let Some(sink) = &self.frames
            && !frames.is_empty()
        {
            self.pipeline.sink_dropped += hand_over(sink, frames, self.wait_for_sinks).await;
        }
    }

    /// Hands on what changed.
    async fn tell(&mut self) {
        let proofs = self.pipeline.take_proofs();
        let alerts = self.pipeline.take_alerts();
        if self.events.is_some() && !(self.changes.is_empty() && proofs.is_empty()) {
            let mut items = emit::told(&mut self.changes, alerts);
            items.extend(proofs.into_iter().map(Emitted::Slot));
            self.emit(items).await;
        }
        self.changes.clear();
    }

    async fn emit(&mut self, items: Vec<Emitted>) {
        if let Some(sink) = &self.events {
            self.pipeline.sink_dropped += hand_over(sink, items, self.wait_for_sinks).await;
        }
    }

    /// Hands on the stream events that came since the last time.
    async fn forward_stream_events(&mut self, newest: &mut Option<u64>) {
        let events: Vec<_> = {
            let streams = self.streams.borrow_and_update();
            let new = streams.events.iter().filter(|event| newest.is_none_or(|newest| event.seq > newest));
            new.cloned().collect()
        };
        for event in &events {
            log(&event.kind, &self.names);
        }
        if let Some(last) = events.last() {
            *newest = Some(last.seq);
            self.emit(events.into_iter().map(Emitted::Stream).collect()).await;
        }
    }

    /// Publishes a view if it shows anything else than the last one; whether it did.
    fn publish(&mut self, finished: bool) -> bool {
        let (now_ms, streams) = (now_ms(), self.streams.borrow().clone());
        let view = self.pipeline.view(now_ms, &streams, finished || self.views.borrow().finished);
        let news = self.views.send_if_modified(|shown| {
            let news = !view.shows_the_same(shown);
            if news {
                *shown = Arc::new(view);
            }
            news
        });
        if news {
            self.pipeline.published(now_ms);
        }
        news
    }

    /// What each group brings, on the connection that carries it.
    fn loads(&self) -> Vec<GroupLoad> {
        let streams = self.streams.borrow();
        let loads = self.pipeline.group_loads().filter_map(|(group, bytes_per_s)| {
            let carrier = streams.connections.iter().find(|status| carried(status).contains(group))?;
            Some(GroupLoad { connection: carrier.id, group, bytes_per_s })
        });
        loads.collect()
    }
}

/// What the streams say of themselves is the log's main matter.
fn log(event: &StreamEventKind, names: &Groups) {
    use ConnectionState::{BackingOff, Degraded, Stopped};
    match event {
        StreamEventKind::State { state: BackingOff | Degraded | Stopped, cause: Some(_), .. }
        | StreamEventKind::Refused(_)
        | StreamEventKind::Gap(_) => tracing::warn!("{}", event.words(names)),
        _ => tracing::info!("{}", event.words(names)),
    }
}

/// Gives items to a sink; how many were dropped because it was full and must not be waited for.
async fn hand_over<T>(sink: &mpsc::Sender<Vec<T>>, items: Vec<T>, wait: bool) -> u64 {
    if wait {
        // A sink that is gone has ended the program or is about to.
        let _ = sink.send(items).await;
        return 0;
    }
    match sink.try_send(items) {
        Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => 0,
        Err(mpsc::error::TrySendError::Full(items)) => items.len() as u64,
    }
}

#[allow(clippy::cast_precision_loss, reason = "a share")]
fn fill<T>(queue: &mpsc::Receiver<T>) -> f64 {
    queue.len() as f64 / queue.max_capacity() as f64
}

/// Milliseconds since the Unix epoch.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
