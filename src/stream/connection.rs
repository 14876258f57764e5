//! One connection: its own thread, its own runtime, one stream at a time. Never opens one without a permit.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::Poll,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::{Stream as _, future::BoxFuture};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tonic::{Code, Status, Streaming};

use super::{
    Arrival, OnEnd, Sink, StreamSettings,
    channel::{self, OpenError},
    gate::{Gate, GateError, Permit},
    limiter::Ask,
    plan::{SubscriptionBuilder, version_of},
    policy::{Action, Backoff, Failure, LEAST_DELAY, Phase, RefusalStreak, Verdict, classify},
    status::{ConnectionState, Purpose},
};
use crate::chain::{
    group::{GroupSet, Priority},
    proto::{SubscribeRequest, SubscribeRequestPing},
    wire::{Kind, Update},
};

/// A batch is handed on at this many updates, or earlier when nothing more is ready.
const BATCH: usize = 256;
/// Filter updates on one stream are at least this far apart: key repeat ends up as one.
pub(super) const UPDATE_SPACING: Duration = Duration::from_secs(2);
/// Pings of the server are answered at most this often.
const PONG_SPACING: Duration = Duration::from_secs(1);
/// Longest keepalive interval that a server's call for calm can lead to.
const CALMEST: Duration = Duration::from_secs(300);

/// What the supervisor wants of a connection: the newest value counts.
#[derive(Clone, Debug)]
pub(super) struct Desired {
    /// Counts filter sets of this connection.
    pub(super) version: u32,
    /// The groups to ask for, throttle applied.
    pub(super) groups: GroupSet,
    /// What an update to this version is for.
    pub(super) purpose: Purpose,
    /// When it was asked for.
    pub(super) since: Instant,
    /// Counts the user's wishes to reconnect.
    pub(super) epoch: u64,
    /// Whether to run at all.
    pub(super) run: Run,
}

/// See [`Desired`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Keep a stream open.
    Go,
    /// Hold no stream until a new epoch.
    Stop(Arc<str>),
    /// End the thread.
    Close,
}

/// What a connection tells the supervisor.
#[derive(Debug)]
pub(super) enum Report {
    /// A new state.
    State { state: ConnectionState, cause: Option<Arc<str>> },
    /// A filter set of this version is on its way to the server.
    Sent { version: u32 },
    /// The first update with this version came.
    Active { version: u32, after: Duration },
    /// A stream was opened.
    Opened,
    /// The stream is gone.
    Lost,
    /// The server refuses the filter set of this version.
    FilterRejected { version: u32, cause: Arc<str> },
    /// The token is refused.
    TokenRefused { cause: Arc<str> },
    /// The thread is over.
    Ended { panic: Option<Arc<str>> },
}

/// What a connection is made of.
#[derive(Debug)]
pub(super) struct Connection<S: Sink> {
    pub(super) id: usize,
    pub(super) settings: Arc<StreamSettings>,
    pub(super) gate: Gate,
    pub(super) desired: watch::Receiver<Desired>,
    pub(super) reports: mpsc::Sender<(usize, Report)>,
    pub(super) sink: S,
    pub(super) batches: mpsc::Sender<S::Batch>,
    /// Milliseconds since the Unix epoch of the last message; 0 before the first.
    pub(super) last_message: Arc<AtomicI64>,
}

/// Why a stream is over.
enum End {
    /// The server or the network.
    Failed(Failure),
    /// Nothing came for the silence timeout.
    Silent,
    /// The user wants a new stream, or none.
    Asked,
    /// Nobody takes the batches any more.
    Deserted,
    /// The gate lets no update through.
    Gate(GateError),
}

/// What a stream delivered before it ended.
#[derive(Default)]
struct Delivered {
    first_block: Option<Instant>,
    last_block: Option<Instant>,
}

impl Delivered {
    fn blocks_for(&self) -> Duration {
        match (self.first_block, self.last_block) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        }
    }
}

/// Filter updates on their way through one stream.
struct Updates {
    /// The user's wish that opened the stream.
    epoch: u64,
    /// Sent and not yet seen, each with its permit: the sight of it is the completion.
    pending: Vec<(Desired, Option<Permit>)>,
    /// Newest version sent.
    sent: u32,
    /// Newest version seen.
    active: u32,
    last_sent: Instant,
}

impl<S: Sink> Connection<S> {
    /// Runs until it is closed.
    pub(super) async fn run(mut self) {
        let seed = u64::try_from(unix_us()).unwrap_or_default().rotate_left(17) ^ (self.id as u64);
        let mut backoff = Backoff::new(self.settings.backoff, fastrand::Rng::with_seed(seed ^ fastrand::u64(..)));
        let mut refusals = RefusalStreak::default();
        let mut purpose = Purpose::Start;
        let mut keepalive = self.settings.keepalive_interval;
        let mut zstd = self.settings.zstd;
        let started = Instant::now();
        let mut trouble: Option<Arc<str>> = None;
        loop {
            if self.desired.has_changed().is_err() {
                return;
            }
            let desired = self.desired.borrow_and_update().clone();
            match &desired.run {
                Run::Go => {}
                Run::Stop(cause) => {
                    self.stop(&desired, cause.clone()).await;
                    continue;
                }
                Run::Close => return,
            }
            self.state(ConnectionState::WaitingForPermit, trouble.take()).await;
            let permit = match self.permit(&desired, purpose).await {
                Some(Ok(permit)) => permit,
                Some(Err(error)) => {
                    self.stop(&desired, error.to_string().into()).await;
                    continue;
                }
                None => continue,
            };
            // What counts is what is wanted now, not when the queue was entered.
            let desired = self.desired.borrow_and_update().clone();
            if desired.run != Run::Go {
                drop(permit);
                continue;
            }
            let mut delivered = Delivered::default();
            let end = self.attempt(&desired, permit, keepalive, zstd, &mut delivered).await;
            purpose = Purpose::Reconnect;
            self.report(Report::Lost).await;
            backoff.delivered(delivered.blocks_for());
            let verdict = match end {
                End::Asked => continue,
                End::Deserted => return,
                End::Silent => Verdict {
                    class: super::policy::Class::Transport,
                    action: Action::Retry { floor: LEAST_DELAY },
                    cause: "silent stream".to_owned(),
                },
                End::Gate(error) => {
                    self.stop(&desired, error.to_string().into()).await;
                    continue;
                }
                End::Failed(failure) => {
                    if self.settings.on_end == OnEnd::Finish
                        && failure.phase == Phase::Stream
                        && failure.code == Code::Ok
                    {
                        self.stop(&desired, "the recording is over".into()).await;
                        continue;
                    }
                    let mut verdict = classify(&failure);
                    if refusals.on(&failure, started.elapsed()) {
                        verdict.action = Action::Freeze { pushback: failure.pushback.unwrap_or_default() };
                    }
                    verdict
                }
            };
            let cause: Arc<str> = verdict.cause.into();
            let mut delay = backoff.next_delay();
            match verdict.action {
                Action::Retry { floor } => delay = delay.max(floor),
                Action::Freeze { pushback } => {
                    self.gate.freeze(backoff.freeze(self.settings.budget.window, pushback));
                }
                Action::Calm => keepalive = (keepalive * 2).min(CALMEST),
                Action::WithoutCompression if zstd => zstd = false,
                Action::WithoutCompression | Action::Stop => {
                    self.stop(&desired, cause).await;
                    continue;
                }
                Action::StopToken => {
                    // At once and here: no other connection may use the token after this.
                    self.gate.close(cause.clone());
                    self.report(Report::TokenRefused { cause: cause.clone() }).await;
                    self.stop(&desired, cause).await;
                    continue;
                }
                Action::FallBack => {
                    let version = desired.version.max(self.desired.borrow().version);
                    self.report(Report::FilterRejected { version, cause: cause.clone() }).await;
                    self.state(ConnectionState::BackingOff, Some(cause)).await;
                    // The supervisor answers with another filter set or a stop.
                    if self.desired.wait_for(|now| now.version > version || now.run != Run::Go).await.is_err() {
                        return;
                    }
                    self.pause(&desired, delay).await;
                    continue;
                }
            }
            trouble = Some(cause.clone());
            self.state(ConnectionState::BackingOff, Some(cause)).await;
            self.pause(&desired, delay).await;
        }
    }

    /// Waits for a permit, unless something else is wanted first.
    async fn permit(&mut self, desired: &Desired, purpose: Purpose) -> Option<Result<Permit, GateError>> {
        let urgent = urgent(desired.groups);
        let ask = Ask { connection: self.id, purpose, urgent, cost: self.settings.budget.cost_new };
        let gate = self.gate.clone();
        tokio::select! {
            permit = gate.acquire(ask) => Some(permit),
            () = other_wish(&mut self.desired, desired) => None,
        }
    }

    /// Sleeps, unless something else is wanted first.
    async fn pause(&mut self, desired: &Desired, delay: Duration) {
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = other_wish(&mut self.desired, desired) => {}
        }
    }

    /// Stopped, until the user reconnects or everything closes.
    async fn stop(&mut self, desired: &Desired, cause: Arc<str>) {
        self.state(ConnectionState::Stopped, Some(cause)).await;
        let epoch = desired.epoch;
        // An error means that the supervisor is gone, which the next look finds too.
        let _ = self.desired.wait_for(|now| now.epoch > epoch || now.run == Run::Close).await;
    }

    /// One stream from call to end.
    async fn attempt(
        &mut self,
        desired: &Desired,
        permit: Permit,
        keepalive: Duration,
        zstd: bool,
        delivered: &mut Delivered,
    ) -> End {
        self.state(ConnectionState::Connecting, None).await;
        let request =
            match SubscriptionBuilder::new(desired.version, self.settings.commitment).groups(desired.groups).build() {
                Ok(request) => request,
                Err(error) => {
                    return End::Failed(Failure {
                        phase: Phase::Headers,
                        code: Code::InvalidArgument,
                        message: error.to_string(),
                        pushback: None,
                    });
                }
            };
        let settings = self.settings.clone();
        let opened = {
            let mut wishes = self.desired.clone();
            tokio::select! {
                () = other_wish(&mut wishes, desired) => return End::Asked,
                channel = channel::connect(&settings, keepalive) => match channel {
                    Ok(channel) => channel,
                    Err(error) => return End::Failed(failed(Phase::Connect, error)),
                },
            }
        };
        self.state(ConnectionState::Subscribing, None).await;
        self.report(Report::Sent { version: desired.version }).await;
        let (requests, stream) = {
            let mut wishes = self.desired.clone();
            tokio::select! {
                () = other_wish(&mut wishes, desired) => return End::Asked,
                opened = channel::subscribe(&settings, opened, request, zstd) => match opened {
                    Ok(opened) => opened,
                    Err(error) => return End::Failed(failed(Phase::Headers, error)),
                },
            }
        };
        permit.complete();
        self.report(Report::Opened).await;
        self.state(ConnectionState::Live, None).await;
        let updates = Updates {
            epoch: desired.epoch,
            pending: vec![(desired.clone(), None)],
            sent: desired.version,
            active: 0,
            last_sent: Instant::now(),
        };
        let mut stream = Box::pin(stream);
        let end = self.stream(stream.as_mut(), &requests, updates, delivered).await;
        // The request side ends, the response is dropped, and the reset gets its turn to reach the socket.
        drop(requests);
        drop(stream);
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
        end
    }

    /// Reads frames until the stream is over.
    async fn stream(
        &mut self,
        mut stream: Pin<&mut Streaming<Bytes>>,
        requests: &mpsc::Sender<SubscribeRequest>,
        mut updates: Updates,
        delivered: &mut Delivered,
    ) -> End {
        let mut received_any = false;
        let mut last_activity = Instant::now();
        let mut last_pong: Option<Instant> = None;
        let mut silence = pin!(tokio::time::sleep(self.settings.silence_timeout));
        let mut wanted: Option<BoxFuture<'static, Result<Permit, GateError>>> = None;
        let mut wishes = self.desired.clone();
        wishes.mark_changed();
        loop {
            tokio::select! {
                first = poll_fn(|cx| stream.as_mut().poll_next(cx)) => {
                    let arrival = Arrival { unix_us: unix_us() };
                    self.last_message.store(arrival.unix_us / 1000, Ordering::Relaxed);
                    last_activity = Instant::now();
                    let mut next = first;
                    let mut pinged = false;
                    let mut count = 0;
                    let end = loop {
                        match next {
                            Some(Ok(frame)) => {
                                received_any = true;
                                pinged |= self.take(&frame, arrival, last_activity, &mut updates, delivered);
                            }
                            Some(Err(status)) => break Some(failure_of(stream_phase(received_any), &status)),
                            None => break Some(clean_end()),
                        }
                        count += 1;
                        if count >= BATCH {
                            break None;
                        }
                        match poll_fn(|cx| Poll::Ready(stream.as_mut().poll_next(cx))).await {
                            Poll::Ready(frame) => next = frame,
                            Poll::Pending => break None,
                        }
                    };
                    if pinged && last_pong.is_none_or(|at| last_activity - at >= PONG_SPACING) {
                        last_pong = Some(last_activity);
                        // A full queue means that newer requests are on their way: they answer as well.
                        let _ = requests.try_send(ping());
                    }
                    self.activated(&mut updates).await;
                    if let Some(batch) = self.sink.take_batch() {
                        tokio::select! {
                            sent = self.batches.send(batch) => if sent.is_err() {
                                return End::Deserted;
                            },
                            () = closing(&mut self.desired) => return End::Asked,
                        }
                        last_activity = Instant::now();
                    }
                    if let Some(failure) = end {
                        return End::Failed(failure);
                    }
                }
                changed = wishes.changed() => {
                    let now = wishes.borrow_and_update().clone();
                    if changed.is_err() || now.run != Run::Go || now.epoch != updates.epoch {
                        return End::Asked;
                    }
                    if now.version > updates.sent && wanted.is_none() {
                        wanted = Some(Box::pin(self.update_permit(&now, updates.last_sent)));
                    }
                }
                permit = async { match wanted.as_mut() {
                    Some(wanted) => wanted.await,
                    None => std::future::pending().await,
                } } => {
                    wanted = None;
                    match permit {
                        Ok(permit) => if let Err(end) = self.send_update(permit, requests, &mut updates).await {
                            return end;
                        },
                        Err(error) => return End::Gate(error),
                    }
                }
                () = &mut silence => {
                    let deadline = last_activity + self.settings.silence_timeout;
                    if deadline <= Instant::now() {
                        return End::Silent;
                    }
                    silence.as_mut().reset(deadline);
                }
            }
        }
    }

    /// Takes one frame; whether it was a ping.
    fn take(
        &mut self,
        frame: &Bytes,
        arrival: Arrival,
        now: Instant,
        updates: &mut Updates,
        delivered: &mut Delivered,
    ) -> bool {
        let update = match Update::scan(frame) {
            Ok(update) => update,
            Err(error) => {
                self.sink.on_bad_frame(frame, error, arrival);
                return false;
            }
        };
        if updates.active < updates.sent
            && let Some(version) = update.filters.iter().filter_map(version_of).max()
        {
            // Only what was sent on this stream can be in force.
            updates.active = updates.active.max(version.min(updates.sent));
        }
        if matches!(update.kind, Kind::BlockMeta(_)) {
            delivered.first_block.get_or_insert(now);
            delivered.last_block = Some(now);
        }
        self.sink.on_update(frame, &update, arrival);
        matches!(update.kind, Kind::Ping)
    }

    /// Completes and reports the updates that have been seen in force.
    async fn activated(&mut self, updates: &mut Updates) {
        let active = updates.active;
        while updates.pending.first().is_some_and(|(sent, _)| sent.version <= active) {
            let (sent, permit) = updates.pending.remove(0);
            drop(permit);
            self.report(Report::Active { version: sent.version, after: sent.since.elapsed() }).await;
        }
    }

    /// Waits until an update may be written: spaced from the last one, and paid for.
    fn update_permit(
        &self,
        now: &Desired,
        last_sent: Instant,
    ) -> impl Future<Output = Result<Permit, GateError>> + Send + 'static {
        let (purpose, urgent) = (now.purpose, urgent(now.groups));
        let ask = Ask { connection: self.id, purpose, urgent, cost: self.settings.budget.cost_update };
        let gate = self.gate.clone();
        async move {
            tokio::time::sleep_until(last_sent + UPDATE_SPACING).await;
            gate.acquire(ask).await
        }
    }

    /// Writes the newest filter set wanted.
    async fn send_update(
        &mut self,
        permit: Permit,
        requests: &mpsc::Sender<SubscribeRequest>,
        updates: &mut Updates,
    ) -> Result<(), End> {
        let now = self.desired.borrow().clone();
        if now.version <= updates.sent {
            return Ok(());
        }
        match SubscriptionBuilder::new(now.version, self.settings.commitment).groups(now.groups).build() {
            Ok(request) => {
                if requests.try_send(request).is_err() {
                    // Eight requests unsent: the other side takes nothing any more.
                    return Err(End::Silent);
                }
                updates.sent = now.version;
                updates.last_sent = Instant::now();
                let version = now.version;
                updates.pending.push((now, Some(permit)));
                self.report(Report::Sent { version }).await;
            }
            Err(error) => {
                updates.sent = now.version;
                self.report(Report::FilterRejected { version: now.version, cause: error.to_string().into() }).await;
            }
        }
        Ok(())
    }

    async fn state(&self, state: ConnectionState, cause: Option<Arc<str>>) {
        self.report(Report::State { state, cause }).await;
    }

    async fn report(&self, report: Report) {
        // Without a supervisor nobody is left to tell; the watch says so at the next look.
        let _ = self.reports.send((self.id, report)).await;
    }
}

/// Whether a connection with these groups goes first.
fn urgent(groups: GroupSet) -> bool {
    groups.iter().any(|group| group.priority() == Priority::High)
}

/// Resolves when the stream at hand is no longer wanted.
async fn other_wish(wishes: &mut watch::Receiver<Desired>, desired: &Desired) {
    let epoch = desired.epoch;
    // An error means that the supervisor is gone.
    let _ = wishes.wait_for(|now| now.epoch != epoch || now.run != Run::Go).await;
}

/// Resolves when everything closes.
async fn closing(wishes: &mut watch::Receiver<Desired>) {
    let _ = wishes.wait_for(|now| now.run == Run::Close).await;
}

fn ping() -> SubscribeRequest {
    SubscribeRequest { ping: Some(SubscribeRequestPing { id: 1 }), ..SubscribeRequest::default() }
}

const fn stream_phase(received_any: bool) -> Phase {
    if received_any { Phase::Stream } else { Phase::Headers }
}

fn clean_end() -> Failure {
    Failure { phase: Phase::Stream, code: Code::Ok, message: String::new(), pushback: None }
}

fn failed(phase: Phase, error: OpenError) -> Failure {
    match error {
        OpenError::Status(status) => failure_of(phase, &status),
        OpenError::Other(code, message) => Failure { phase, code, message, pushback: None },
    }
}

fn failure_of(phase: Phase, status: &Status) -> Failure {
    let number = |name: &str| status.metadata().get(name)?.to_str().ok()?.parse::<u64>().ok();
    let pushback = number("grpc-retry-pushback-ms")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
        .map(|pushback| pushback.min(Duration::from_secs(3600)));
    Failure { phase, code: status.code(), message: status.message().to_owned(), pushback }
}

fn unix_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
