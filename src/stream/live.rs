//! One live stream: reads frames, answers pings, changes filters in place, asks for what was missed.

use std::{
    future::{pending, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream as _, future::BoxFuture};
use tokio::{sync::mpsc, time::Instant};
use tonic::{Streaming, transport::Channel};

use super::{
    Arrival, Sink,
    connection::{Call, Connection, Delivered, End, clean_end, failure_of, stream_phase, urgent},
    gate::{GateError, Permit},
    limiter::Ask,
    plan::{is_own_match, request_of},
    recovery::{Repair, Resumed},
    replay::ReplayOffer,
    second::{self, SecondStream},
    status::{Gap, GapCause},
    wish::{Desired, Report, Run, Taken, closing},
};
use crate::chain::{
    group::GroupSet,
    proto::{SubscribeRequest, SubscribeRequestPing},
    wire::{Kind, Update},
};

/// A batch is handed on at this many updates, or earlier when nothing more is ready.
const BATCH: usize = 256;
/// Pings of the server are answered at most this often.
const PONG_SPACING: Duration = Duration::from_secs(1);

/// A stream and what is on its way through it.
pub(super) struct Live<'c, S: Sink> {
    pub(super) connection: &'c mut Connection<S>,
    /// For unary calls and a second stream beside the first.
    pub(super) channel: Channel,
    pub(super) call: Call,
    pub(super) requests: mpsc::Sender<SubscribeRequest>,
    /// The newest filter set sent.
    pub(super) sent: Desired,
    /// Sent and not yet seen, each with its permit: the sight of it is the completion.
    pending: Vec<(Desired, Option<Permit>)>,
    /// Newest version seen.
    active: u32,
    /// Seen in force, while the slot at hand may have begun before that; with the newest slot finished by then.
    joining: Option<(u32, Option<u64>)>,
    pub(super) last_sent: Instant,
    /// Requests for a replay that the server is not known to have taken, as [`request_of`] tells them, with their permits.
    pub(super) asked: Vec<((u32, u32), Permit)>,
    /// Replays asked for on this stream.
    pub(super) replays: u32,
    /// What the frames of the newest of them bear, and of later requests, until no more of a replay can come.
    pub(super) mark: Option<(u32, u32)>,
    /// Brings a replay, where the server gives none on this stream.
    pub(super) second: Option<SecondStream>,
    /// A replay is to be asked for; whether because slots are incomplete.
    pub(super) ask: Option<bool>,
    pub(super) last_repair: Option<Instant>,
    pub(super) gaps: Vec<Gap>,
}

impl<'c, S: Sink> Live<'c, S> {
    pub(super) fn new(
        connection: &'c mut Connection<S>,
        channel: Channel,
        call: Call,
        requests: mpsc::Sender<SubscribeRequest>,
        sent: Desired,
    ) -> Self {
        Self {
            connection,
            channel,
            call,
            requests,
            // The request is made now, however long ago its filters were first wanted.
            pending: vec![(Desired { since: Instant::now(), ..sent.clone() }, None)],
            sent,
            active: 0,
            joining: None,
            last_sent: Instant::now(),
            asked: Vec::new(),
            replays: 0,
            mark: None,
            second: None,
            ask: None,
            last_repair: None,
            gaps: Vec::new(),
        }
    }

    /// Reads frames until the stream is over.
    pub(super) async fn run(mut self, mut stream: Pin<&mut Streaming<Bytes>>, delivered: &mut Delivered) -> End {
        let silence_timeout = self.connection.settings.silence_timeout;
        let mut received_any = false;
        let mut last_activity = Instant::now();
        let mut last_pong: Option<Instant> = None;
        let mut silence = pin!(tokio::time::sleep(silence_timeout));
        let mut update: Option<BoxFuture<'static, Result<Permit, GateError>>> = None;
        let mut replay: Option<BoxFuture<'static, ReplayOffer>> = None;
        let mut wishes = self.connection.desired.clone();
        wishes.mark_changed();
        loop {
            if update.is_none() {
                update = self.update();
            }
            if self.connection.recovery.replaying_until().is_none() {
                self.second = None;
            }
            if replay.is_none()
                && let Some(repair) = self.ask.take()
            {
                replay = Some(self.offer(repair));
            }
            tokio::select! {
                // A stream with always another frame holds up nothing; and while it has one, it is not silent.
                biased;
                changed = wishes.changed() => {
                    let now = wishes.borrow_and_update();
                    if changed.is_err() || now.run != Run::Go || now.epoch != self.sent.epoch {
                        return End::Asked;
                    }
                }
                permit = ready(&mut update) => {
                    update = None;
                    match permit {
                        Ok(permit) => if let Err(end) = self.send_update(permit).await {
                            return end;
                        },
                        Err(error) => return End::Gate(error),
                    }
                }
                (first_available, permit) = ready(&mut replay) => {
                    replay = None;
                    if let Err(end) = self.send_replay(first_available, permit).await {
                        return end;
                    }
                }
                // Before the live stream, because a replay has an end.
                frame = second::next(&mut self.second) => {
                    match frame {
                        Ok(frame) => self.take_replayed(&frame, delivered),
                        Err(failure) => self.second_lost(&failure),
                    }
                    self.activated().await;
                    if let Some(end) = self.hand_on().await {
                        return end;
                    }
                }
                first = poll_fn(|cx| stream.as_mut().poll_next(cx)) => {
                    let arrival = Arrival { unix_us: self.connection.machine.unix_us(), replayed: false };
                    self.connection.vitals.heard(arrival.unix_us / 1000);
                    last_activity = Instant::now();
                    let mut next = first;
                    let mut pinged = false;
                    let mut count = 0;
                    let end = loop {
                        match next {
                            Some(Ok(frame)) => {
                                received_any = true;
                                pinged |= self.take(&frame, arrival, delivered);
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
                        let _ = self.requests.try_send(ping());
                    }
                    self.activated().await;
                    if let Some(end) = self.hand_on().await {
                        return end;
                    }
                    last_activity = Instant::now();
                    if let Some(failure) = end {
                        return End::Failed(failure);
                    }
                }
                () = &mut silence => {
                    let deadline = last_activity + silence_timeout;
                    if deadline <= Instant::now() {
                        return End::Silent;
                    }
                    silence.as_mut().reset(deadline);
                }
            }
        }
    }

    /// Hands the batch at hand on; whether that is the end.
    async fn hand_on(&mut self) -> Option<End> {
        let batch = self.connection.sink.take_batch()?;
        tokio::select! {
            biased;
            sent = self.connection.batches.send(batch) => sent.is_err().then_some(End::Deserted),
            () = closing(&mut self.connection.desired) => Some(End::Asked),
        }
    }

    /// Takes one frame; whether it was a ping.
    fn take(&mut self, frame: &Bytes, arrival: Arrival, delivered: &mut Delivered) -> bool {
        let update = match Update::scan(frame) {
            Ok(update) => update,
            Err(error) => {
                self.connection.sink.on_bad_frame(frame, error, arrival);
                return false;
            }
        };
        let mut asked = false;
        if (self.active < self.sent.version || !self.asked.is_empty() || self.mark.is_some())
            && let Some(request) = update.filters.iter().filter_map(request_of).max()
        {
            asked = self.mark.is_some_and(|mark| request >= mark);
            // Only what was sent on this stream can be in force.
            self.come_in_force(request.0.min(self.sent.version));
            // Frames on the way may look like the replay long before the server has seen the request.
            for (_, permit) in self.asked.extract_if(.., |(sent, _)| request >= *sent) {
                permit.complete();
            }
        }
        self.apply(frame, &update, arrival, asked, delivered);
        matches!(update.kind, Kind::Ping)
    }

    /// Puts an update to its use. `asked`: the newest request for a replay was in force when it was sent.
    pub(super) fn apply(
        &mut self,
        frame: &Bytes,
        update: &Update<'_>,
        mut arrival: Arrival,
        asked: bool,
        delivered: &mut Delivered,
    ) {
        let Connection { recovery, ledger, sink, settings, vitals, .. } = &mut *self.connection;
        let age_us = update.created_at_us.map(|created| arrival.unix_us.saturating_sub(created));
        match &update.kind {
            Kind::Transaction(transaction) => {
                arrival.replayed = recovery.data(transaction.slot, asked);
                if recovery.is_near(transaction.slot) {
                    ledger.transaction(transaction.slot, transaction.index);
                    vitals.moved(transaction.slot, age_us.filter(|_| !arrival.replayed));
                }
            }
            Kind::TransactionStatus(status) => {
                arrival.replayed = recovery.data(status.slot, asked);
                if recovery.is_near(status.slot) {
                    ledger.status(status.slot, status.index, update.filters.iter().any(is_own_match));
                }
            }
            Kind::BlockMeta(meta) => {
                let now = Instant::now();
                delivered.first_block.get_or_insert(now);
                delivered.last_block = Some(now);
                arrival.replayed = recovery.came(meta.slot, asked);
                if !recovery.is_near(meta.slot) {
                    return;
                }
                ledger.meta(meta.slot, meta.parent_slot, meta.executed_transaction_count);
            }
            Kind::Slot(slot) => {
                let near = recovery.is_near(slot.slot);
                let finished = slot.status == settings.commitment;
                // Later statuses of finished slots come live as well.
                arrival.replayed =
                    if finished { recovery.came(slot.slot, asked) } else { recovery.is_replay(slot.slot, asked) };
                if near {
                    // The age of a status says nothing: a replayed one is made anew.
                    vitals.moved(slot.slot, None);
                    sink.on_update(frame, update, arrival);
                }
                if finished {
                    self.finished(slot.slot, arrival.replayed);
                }
                return;
            }
            Kind::Account(_) | Kind::Ping | Kind::Pong(_) | Kind::Other => {}
        }
        sink.on_update(frame, update, arrival);
    }

    /// A slot is finished: what is known of it, and what is to be done about it.
    fn finished(&mut self, slot: u64, replayed: bool) {
        let Connection { recovery, ledger, shares, sink, id, .. } = &mut *self.connection;
        let known = self.gaps.len();
        if recovery.finished(slot, &mut self.gaps) {
            self.ask = Some(false);
        }
        if !recovery.is_near(slot) {
            return;
        }
        let finished = ledger.finished(slot, replayed);
        for gap in self.gaps.iter_mut().skip(known) {
            // A parent that the replay did not bring either is lost.
            gap.repaired &= gap.cause != GapCause::ChainBreak || ledger.has_finished(gap.from_slot);
        }
        let Some(record) = finished.record else { return };
        sink.on_slot(&record, shares.of(slot, replayed));
        let broken = finished.broken_at.map(|parent| (parent, GapCause::ChainBreak));
        let dropped = (record.lost > 0).then_some((slot, GapCause::Dropped));
        for (from_slot, cause) in broken.into_iter().chain(dropped) {
            // What a replay did not bring will not come with another one.
            match if replayed { Repair::Impossible } else { recovery.repair(from_slot, cause) } {
                Repair::Ask => self.ask = Some(true),
                Repair::Already => {}
                Repair::Impossible => {
                    self.gaps.push(Gap { connection: *id, from_slot, to_slot: from_slot, cause, repaired: false });
                }
            }
        }
    }

    /// Completes and reports the updates that have been seen in force, and what was learnt about gaps.
    pub(super) async fn activated(&mut self) {
        while self.pending.first().is_some_and(|(sent, _)| sent.version <= self.active) {
            let (sent, permit) = self.pending.remove(0);
            if let Some(permit) = permit {
                permit.complete();
            }
            self.connection.report(Report::Active { version: sent.version, after: sent.since.elapsed() }).await;
        }
        for gap in std::mem::take(&mut self.gaps) {
            let needs = self.connection.shares.needs(gap.from_slot, gap.to_slot);
            self.connection.sink.on_gap(&gap, needs);
            self.connection.report(Report::Gap(gap)).await;
            // What cannot be fetched is missing of the other connection's groups as well.
            let theirs = |taken: &&Taken| !gap.repaired && taken.from <= gap.to_slot;
            for taken in self.connection.taking.clone().iter().filter(theirs) {
                let from_slot = gap.from_slot.max(taken.from);
                let theirs = Gap { connection: taken.connection, from_slot, ..gap };
                self.connection.sink.on_gap(&theirs, GroupSet::ALL);
                self.connection.report(Report::Gap(theirs)).await;
            }
        }
        let Connection { recovery, taking, sink, vitals, .. } = &mut *self.connection;
        vitals.progress(recovery.settled());
        if !recovery.may_replay() {
            self.mark = None;
        }
        if !recovery.is_wanting() {
            for taken in std::mem::take(taking).into_iter().filter(|taken| taken.all) {
                sink.on_taken_over(taken.connection, taken.from);
            }
        }
        if let Some((version, before)) = self.joining
            && let Some(after) = self.connection.recovery.last().filter(|last| Some(*last) != before)
        {
            self.joining = None;
            if version == self.sent.version {
                self.connection.shares.whole(after, self.sent.groups, self.sent.is_narrowed());
            }
            self.connection.report(Report::Whole { version, after }).await;
        }
        if let Some(resumed) = self.connection.recovery.take_resumed()
            && self.connection.id == 0
        {
            self.connection.report(Report::Note(in_words(resumed).into())).await;
        }
    }

    /// A frame bears this version. What follows from that holds for the frame itself already: a whole replay that asked for
    /// less than was missed may end within the same batch.
    fn come_in_force(&mut self, version: u32) {
        if version <= self.active {
            return;
        }
        let before = std::mem::replace(&mut self.active, version);
        let newly = |sent: &&Desired| sent.version > before && sent.version <= version;
        for sent in self.pending.iter().map(|(sent, _)| sent).filter(newly).cloned().collect::<Vec<_>>() {
            self.take_over(&sent);
        }
    }

    /// A filter set is in force: what came over with it is to be fetched from where it broke off.
    fn take_over(&mut self, sent: &Desired) {
        let Connection { recovery, taking, taken: done, vitals, .. } = &mut *self.connection;
        self.joining = Some((sent.version, recovery.last()));
        if sent.version <= *done {
            return;
        }
        for taken in sent.taken.iter().filter(|taken| taken.version > *done) {
            recovery.take_over(taken.from, GapCause::Disconnect);
            if taken.shed {
                recovery.give_up(Some(taken.from), GapCause::Disconnect);
            }
            taking.push(*taken);
        }
        if sent.sheds {
            recovery.give_up(None, GapCause::Lagged);
        }
        *done = sent.version;
        // Before anybody hears of it.
        vitals.progress(recovery.settled());
    }

    /// If another filter set is wanted: resolves when it may be written, spaced from the last one and paid for. Not while
    /// a replay was asked for and has not begun, for the server takes up only the newest of several requests.
    fn update(&self) -> Option<BoxFuture<'static, Result<Permit, GateError>>> {
        let now = self.connection.desired.borrow();
        if now.version <= self.sent.version || self.connection.recovery.is_expecting() {
            return None;
        }
        let cost = self.connection.settings.budget.cost_update;
        let ask = Ask { connection: self.connection.id, purpose: now.purpose, urgent: urgent(now.groups), cost };
        let (gate, at) = (self.connection.gate.clone(), self.last_sent + self.connection.settings.update_spacing);
        Some(Box::pin(async move {
            tokio::time::sleep_until(at).await;
            gate.acquire(ask).await
        }))
    }

    /// Writes the newest filter set wanted.
    async fn send_update(&mut self, permit: Permit) -> Result<(), End> {
        let now = self.connection.desired.borrow().clone();
        if now.version <= self.sent.version || self.connection.recovery.is_expecting() {
            return Ok(());
        }
        let version = now.version;
        match self.connection.plan(&now).build() {
            Ok(request) => {
                if self.requests.try_send(request).is_err() {
                    // Eight requests unsent: the other side takes nothing any more.
                    return Err(End::Silent);
                }
                let Connection { shares, recovery, .. } = &mut *self.connection;
                shares.sent(recovery.last(), now.groups, now.is_narrowed());
                self.sent = now.clone();
                self.last_sent = Instant::now();
                self.pending.push((now, Some(permit.sent())));
                self.connection.report(Report::Sent { version }).await;
            }
            Err(error) => {
                self.sent.version = version;
                self.connection.report(Report::FilterRejected { version, cause: error.to_string().into() }).await;
            }
        }
        Ok(())
    }
}

/// The outcome of what is under way, if anything is.
async fn ready<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

/// How this run goes on where the last one ended; all connections find the same.
fn in_words(resumed: Resumed) -> String {
    match resumed {
        Resumed::Missed(slots) => format!("going on {slots} slots after the checkpoint: they are asked for"),
        Resumed::TooLong(slots) => format!("the checkpoint is {slots} slots old, too many to ask for: they are missed"),
        Resumed::Ahead(slots) => format!("the checkpoint is {slots} slots ahead of the chain: it counts as none"),
    }
}

fn ping() -> SubscribeRequest {
    SubscribeRequest { ping: Some(SubscribeRequestPing { id: 1 }), ..SubscribeRequest::default() }
}
