//! One connection: its own thread, its own runtime, one stream at a time. Never opens one without a permit. Of several
//! things that have happened at once, the one named first in a `select!` goes first: the same each time.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tonic::{Code, Status};

use super::{
    OnEnd, Sink, StreamSettings,
    channel::{self, OpenError},
    failover::Failover,
    gate::{Gate, GateError, Permit},
    ledger::StreamLedger,
    limiter::Ask,
    live::Live,
    machine::Machine,
    plan::SubscriptionBuilder,
    policy::{Action, Backoff, Class, Failure, LEAST_DELAY, PROVEN_AFTER, Phase, RefusalStreak, Verdict, classify},
    recovery::Recovery,
    share::Shares,
    status::{ConnectionState, Gap, GapCause, Purpose},
    vitals::Vitals,
    wish::{Desired, Report, Run, Taken, other_wish},
};
use crate::chain::group::{GroupSet, Priority};

/// Largest message that a server can teach us to accept, in bytes.
const LARGEST_MESSAGE: usize = 1 << 30;
/// Longest keepalive interval that a server's call for calm can lead to.
const CALMEST: Duration = Duration::from_secs(300);

/// What a connection is made of.
#[derive(Debug)]
pub(super) struct Connection<S: Sink> {
    pub(super) id: usize,
    pub(super) machine: Machine,
    /// With the endpoint in use.
    pub(super) settings: Arc<StreamSettings>,
    /// Of that endpoint.
    pub(super) gate: Gate,
    /// Every endpoint, the preferred one first.
    pub(super) endpoints: Arc<[Place]>,
    pub(super) failover: Failover,
    /// Most keys in one filter, as a server has taught.
    pub(super) max_keys: usize,
    pub(super) desired: watch::Receiver<Desired>,
    pub(super) reports: mpsc::Sender<(usize, Report)>,
    pub(super) sink: S,
    pub(super) batches: mpsc::Sender<S::Batch>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) recovery: Recovery,
    pub(super) ledger: StreamLedger,
    pub(super) shares: Shares,
    /// Taken over, and not all there yet.
    pub(super) taking: Vec<Taken>,
    /// Newest version of which everything was taken over.
    pub(super) taken: u32,
}

/// An endpoint with its budget.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Among all of them, in the order of the settings.
    pub(super) index: usize,
    pub(super) settings: Arc<StreamSettings>,
    pub(super) gate: Gate,
}

/// Why a stream is over.
pub(super) enum End {
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

/// What earlier failures have taught about how to call.
#[derive(Clone, Copy)]
pub(super) struct Call {
    keepalive: Duration,
    pub(super) zstd: bool,
    pub(super) max_message: usize,
}

/// What a stream delivered before it ended.
#[derive(Default)]
pub(super) struct Delivered {
    pub(super) first_block: Option<Instant>,
    pub(super) last_block: Option<Instant>,
}

impl Delivered {
    fn blocks_for(&self) -> Duration {
        match (self.first_block, self.last_block) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        }
    }
}

impl<S: Sink> Connection<S> {
    /// Runs until it is closed.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(self.settings.backoff, self.machine.chance(self.id));
        let mut refusals = RefusalStreak::default();
        let mut purpose = Purpose::Start;
        let mut call = Call {
            keepalive: self.settings.keepalive_interval,
            zstd: self.settings.zstd,
            max_message: self.settings.max_message_bytes,
        };
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
                Run::Rest { cause, released } => {
                    self.rest(cause.clone(), *released).await;
                    purpose = Purpose::Rebalance;
                    continue;
                }
                Run::Close => return,
            }
            self.state(ConnectionState::WaitingForPermit, trouble.take()).await;
            let permit = match self.permit(&desired, purpose).await {
                Some(Ok(permit)) => permit,
                Some(Err(error)) => {
                    self.refused(&desired, error, started.elapsed()).await;
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
            let end = self.attempt(&desired, permit, call, &mut delivered).await;
            purpose = Purpose::Reconnect;
            self.report(Report::Lost).await;
            backoff.delivered(delivered.blocks_for());
            if delivered.blocks_for() >= PROVEN_AFTER {
                self.failover.proven();
            }
            if !matches!(end, End::Failed(_)) {
                self.missed(Class::Transport, "").await;
            }
            let verdict = match end {
                End::Asked => continue,
                End::Deserted => return,
                End::Silent => Verdict {
                    class: Class::Transport,
                    action: Action::Retry { floor: LEAST_DELAY },
                    cause: "silent stream".to_owned(),
                },
                End::Gate(error) => {
                    self.refused(&desired, error, started.elapsed()).await;
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
                    self.missed(verdict.class, &failure.message).await;
                    if let Some(needed) = failure.message_size().filter(|_| verdict.class == Class::LocalSize) {
                        // Learnt: the same message comes again with the replay.
                        call.max_message = call.max_message.max(needed.saturating_add(needed / 4).min(LARGEST_MESSAGE));
                    }
                    if let Some(limit) = failure.key_limit().filter(|limit| *limit < self.max_keys) {
                        self.max_keys = limit;
                        verdict = Verdict {
                            class: Class::Transport,
                            action: Action::Retry { floor: LEAST_DELAY },
                            cause: format!("the server takes {limit} keys in a filter: filters are split"),
                        };
                    }
                    if refusals.on(&failure, started.elapsed()) {
                        verdict.action = Action::Freeze { pushback: failure.pushback.unwrap_or_default() };
                    }
                    verdict
                }
            };
            let probing = if backoff.is_open() { " (nothing but failures: probing seldom)" } else { "" };
            let mut cause = format!("{}{probing}", verdict.cause);
            if verdict.action == Action::Calm {
                call.keepalive = (call.keepalive * 2).min(CALMEST.max(call.keepalive));
                cause = format!("{cause}; keepalive every {:?} from now on", call.keepalive);
            }
            let cause: Arc<str> = cause.into();
            if verdict.class == Class::Slow {
                self.report(Report::Slow).await;
            }
            let mut delay = backoff.next_delay();
            match verdict.action {
                Action::Retry { floor } => delay = delay.max(floor),
                Action::Freeze { pushback } => {
                    self.gate.freeze(backoff.freeze(self.settings.budget.window, pushback));
                }
                Action::Calm => {}
                Action::WithoutCompression if call.zstd => call.zstd = false,
                Action::WithoutCompression | Action::Stop => {
                    if !self.change_over(verdict.class, false, started.elapsed()).await {
                        self.stop(&desired, cause).await;
                        continue;
                    }
                }
                Action::StopToken => {
                    // At once and here: no other connection may use the token there after this.
                    self.gate.close(cause.clone());
                    if !self.change_over(verdict.class, false, started.elapsed()).await {
                        self.report(Report::TokenRefused { cause: cause.clone() }).await;
                        self.stop(&desired, cause).await;
                        continue;
                    }
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
            if matches!(verdict.action, Action::Retry { .. } | Action::Freeze { .. })
                && self.change_over(verdict.class, verdict.is_goodbye(), started.elapsed()).await
            {
                // Somebody else failed: this one is called without waiting for that one's sake.
                delay = LEAST_DELAY;
            }
            trouble = Some(cause.clone());
            self.state(ConnectionState::BackingOff, Some(cause.clone())).await;
            if verdict.class == Class::Concurrency {
                self.report(Report::Crowded { cause }).await;
            }
            self.pause(&desired, delay).await;
        }
    }

    /// Goes to another endpoint, if one is better by what is known now.
    async fn change_over(&mut self, class: Class, at_once: bool, now: Duration) -> bool {
        if !self.failover.failed(class, at_once, now) {
            return false;
        }
        let Some(place) = self.endpoints.get(self.failover.at()).cloned() else { return false };
        (self.settings, self.gate) = (place.settings, place.gate);
        self.recovery.moved();
        self.report(Report::Endpoint(place.index)).await;
        true
    }

    /// The gate lets nobody through to this endpoint: to another one, or stopped.
    async fn refused(&mut self, desired: &Desired, error: GateError, now: Duration) {
        let class = if matches!(error, GateError::Closed(_)) { Class::Token } else { Class::Filter };
        if !self.change_over(class, false, now).await {
            self.stop(desired, error.to_string().into()).await;
        }
    }

    /// Waits for a permit, unless something else is wanted first.
    async fn permit(&mut self, desired: &Desired, purpose: Purpose) -> Option<Result<Permit, GateError>> {
        let urgent = urgent(desired.groups);
        let ask = Ask { connection: self.id, purpose, urgent, cost: self.settings.budget.cost_new };
        let gate = self.gate.clone();
        tokio::select! {
            biased;
            () = other_wish(&mut self.desired, desired) => None,
            permit = gate.acquire(ask) => Some(permit),
        }
    }

    /// Sleeps, unless something else is wanted first.
    async fn pause(&mut self, desired: &Desired, delay: Duration) {
        tokio::select! {
            biased;
            () = other_wish(&mut self.desired, desired) => {}
            () = tokio::time::sleep(delay) => {}
        }
    }

    /// Holds no stream while others carry its groups.
    async fn rest(&mut self, cause: Arc<str>, released: bool) {
        if released {
            self.sink.on_taken_over(self.id, self.recovery.settled().map_or(0, |settled| settled + 1));
        }
        self.recovery.rest();
        self.ledger = StreamLedger::new(self.settings.proof);
        self.vitals.progress(None);
        // Who takes this one's groups has theirs as well.
        for taken in std::mem::take(&mut self.taking).into_iter().filter(|taken| taken.all) {
            self.sink.on_taken_over(taken.connection, taken.from);
        }
        self.tell(Vec::new()).await;
        self.state(ConnectionState::Idle, Some(cause)).await;
        // An error means that the supervisor is gone, which the next look finds too.
        let _ = self.desired.wait_for(|now| !matches!(now.run, Run::Rest { .. })).await;
    }

    /// Stopped, until the user reconnects or everything closes.
    async fn stop(&mut self, desired: &Desired, cause: Arc<str>) {
        self.state(ConnectionState::Stopped, Some(cause)).await;
        let epoch = desired.epoch;
        // An error means that the supervisor is gone, which the next look finds too.
        let _ = self.desired.wait_for(|now| now.epoch > epoch || now.run == Run::Close).await;
        self.failover.forgive();
        if let Some(place) = self.endpoints.first().cloned() {
            (self.settings, self.gate) = (place.settings, place.gate);
            self.report(Report::Endpoint(place.index)).await;
        }
    }

    /// The request for what is wanted.
    pub(super) fn plan(&self, desired: &Desired) -> SubscriptionBuilder {
        let builder = SubscriptionBuilder::new(desired.version, self.settings.commitment);
        let builder = builder.groups(desired.groups, &self.settings.rules).narrowed_to(&desired.mints);
        // Once is enough: with the group that is never shed.
        let first = self.settings.groups.first().is_some_and(|first| desired.groups.contains(*first));
        let builder = if first { builder.accounts(&self.settings.accounts) } else { builder };
        builder.proof(self.settings.proof).max_keys(self.max_keys)
    }

    /// One stream from call to end.
    async fn attempt(&mut self, desired: &Desired, permit: Permit, call: Call, delivered: &mut Delivered) -> End {
        let Call { keepalive, zstd, max_message } = call;
        self.state(ConnectionState::Connecting, None).await;
        let request = match self.plan(desired).build() {
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
        let (settings, machine) = (self.settings.clone(), self.machine.clone());
        let channel = {
            let mut wishes = self.desired.clone();
            tokio::select! {
                biased;
                () = other_wish(&mut wishes, desired) => return End::Asked,
                channel = channel::connect(&settings, &machine.network, keepalive) => match channel {
                    Ok(channel) => channel,
                    Err(error) => return End::Failed(failed(Phase::Connect, error)),
                },
            }
        };
        self.state(ConnectionState::Subscribing, None).await;
        self.report(Report::Sent { version: desired.version }).await;
        let permit = permit.sent();
        let (requests, stream) = {
            let mut wishes = self.desired.clone();
            tokio::select! {
                biased;
                () = other_wish(&mut wishes, desired) => return End::Asked,
                opened = channel::subscribe(&settings, channel.clone(), request, zstd, max_message) => match opened {
                    Ok(opened) => opened,
                    Err(error) => {
                        if error.is_servers() {
                            permit.complete();
                        }
                        return End::Failed(failed(Phase::Headers, error));
                    }
                },
            }
        };
        permit.complete();
        self.report(Report::Opened).await;
        self.state(ConnectionState::Live, None).await;
        self.recovery.opened();
        self.ledger.opened();
        self.shares.opened(self.recovery.last(), desired.groups);
        self.vitals.opened();
        let mut stream = Box::pin(stream);
        let end = Live::new(self, channel, call, requests, desired.clone()).run(stream.as_mut(), delivered).await;
        // The request side has ended, the response is dropped, and the reset gets its turn to reach the socket.
        drop(stream);
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
        end
    }

    /// Tells of slots that were missed or fetched again, in order with the data.
    pub(super) async fn tell(&mut self, gaps: Vec<Gap>) {
        for gap in gaps {
            self.sink.on_gap(&gap, self.shares.needs(gap.from_slot, gap.to_slot));
            self.report(Report::Gap(gap)).await;
        }
        if let Some(batch) = self.sink.take_batch() {
            // Without a taker everything ends, which the next look finds.
            let _ = self.batches.send(batch).await;
        }
    }

    /// A stream, or the attempt at one, is over.
    async fn missed(&mut self, class: Class, message: &str) {
        let cause = match class {
            Class::Slow => GapCause::Lagged,
            Class::LocalSize => GapCause::Oversize,
            _ => GapCause::Disconnect,
        };
        let mut gaps = Vec::new();
        self.recovery.lost(class, message, cause, &mut gaps);
        self.vitals.progress(self.recovery.settled());
        self.tell(gaps).await;
    }

    pub(super) async fn state(&self, state: ConnectionState, cause: Option<Arc<str>>) {
        self.report(Report::State { state, cause }).await;
    }

    pub(super) async fn report(&self, report: Report) {
        // Without a supervisor nobody is left to tell; the watch says so at the next look.
        let _ = self.reports.send((self.id, report)).await;
    }
}

/// Whether a connection with these groups goes first.
pub(super) fn urgent(groups: GroupSet) -> bool {
    groups.iter().any(|group| group.priority() == Priority::High)
}

pub(super) const fn stream_phase(received_any: bool) -> Phase {
    if received_any { Phase::Stream } else { Phase::Headers }
}

pub(super) fn clean_end() -> Failure {
    Failure { phase: Phase::Stream, code: Code::Ok, message: String::new(), pushback: None }
}

pub(super) fn failed(phase: Phase, error: OpenError) -> Failure {
    match error {
        OpenError::Status(status) => failure_of(phase, &status),
        OpenError::Other(code, message) => Failure { phase, code, message, pushback: None },
    }
}

pub(super) fn failure_of(phase: Phase, status: &Status) -> Failure {
    let number = |name: &str| status.metadata().get(name)?.to_str().ok()?.parse::<u64>().ok();
    let pushback = number("grpc-retry-pushback-ms")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
        .map(|pushback| pushback.min(Duration::from_secs(3600)));
    Failure { phase, code: status.code(), message: status.message().to_owned(), pushback }
}
